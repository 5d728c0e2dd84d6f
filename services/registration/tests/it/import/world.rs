//! A log of its own for each test, files to import into it, and what is in it afterwards.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan as _};
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::{Clock, Executor, Request, Writer};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_registration::CONTEXT;
use ryggrad_registration::organisation::Organisation;
use ryggrad_registration::register::import::{Import, Options, SOURCE};
use ryggrad_registration::register::{brreg, population::Population};
use ryggrad_testkit::Database;
use sqlx::PgPool;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support;

const ROLE: Role<'static> = Role::writer(support::SERVICE, CONTEXT);
const KEY: &str = concat!(
    "registration import ",
    include_str!("../../../../../libs/eventlog/sql/0001_log.sql"),
    include_str!("../../../../../libs/eventlog/sql/0002_clock.sql"),
);

/// A log and a folder.
pub(super) struct World {
    pool: PgPool,
    folder: TempDir,
}

/// An event as the tests compare them: organisation, number in it, name, and payload without ids that are drawn.
pub(super) type Fact = (Uuid, i64, String, serde_json::Value);

impl World {
    pub(super) async fn new() -> Self {
        let database = Database::create(KEY, |pool| async move { schema::migrate(&pool, &[ROLE]).await }).await;
        let pool = support::pool(&database);
        ryggrad_registration::install(&pool)
            .await
            .expect("the service's tables");
        Self {
            pool,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// An import by a process of its own.
    pub(super) fn import(&self, reader: brreg::Options) -> Import {
        self.import_at(reader, "2026-10-01T06:00:00Z".parse().unwrap())
    }

    /// An import a day later.
    pub(super) fn tomorrow(&self) -> Import {
        self.tomorrow_with(brreg::Options::default())
    }

    pub(super) fn tomorrow_with(&self, reader: brreg::Options) -> Import {
        let today: Timestamp = "2026-10-01T06:00:00Z".parse().unwrap();
        self.import_at(reader, today + 24.hours())
    }

    pub(super) fn import_at(&self, reader: brreg::Options, fetched_at: Timestamp) -> Import {
        let options = Options {
            reader,
            source: SOURCE,
            fetched_at,
            report: self.path("report.ndjson"),
        };
        Import::new(self.pool.clone(), self.process(), options)
    }

    fn process(&self) -> Executor<Organisation> {
        let writer = Writer::spawn(&self.pool, CONTEXT);
        Executor::new(self.pool.clone(), writer, Clock::system())
    }

    /// An organisation that is there with its number before the import.
    pub(super) async fn register(&self, id: Uuid, orgnr: OrgNumber) {
        let snapshot = pb::RegisterSnapshot {
            orgnr: orgnr.to_string(),
            registreringsdato: "2010-01-02".to_owned(),
            details: Some(pb::OrganisationDetails {
                name: "GRANALVHEIM HAGELAG".to_owned(),
                form: "FLI".to_owned(),
                ..pb::OrganisationDetails::default()
            }),
            origin: Some(pb::FactOrigin {
                source: "register-simulator".to_owned(),
                ..pb::FactOrigin::default()
            }),
            ..pb::RegisterSnapshot::default()
        };
        let command = pb::MirrorRegister {
            meta: None,
            organisation_id: id.to_string(),
            snapshot: Some(snapshot),
        };
        let request = Request {
            command: command.into(),
            aggregate_id: id,
            command_id: Uuid::from_u128(1),
            expected_version: None,
            actor: Actor::default(),
            correlation_id: None,
            causation: None,
            traceparent: None,
        };
        self.process().execute(request).await.unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The files of a population, units first.
    pub(super) fn population(&self, population: &Population) -> Vec<PathBuf> {
        let files = population.write_files(&self.path("population"), &mut |_| {}).unwrap();
        vec![files.units, files.voluntary]
    }

    /// The lines of the last import's report; without any there is no report.
    pub(super) fn report(&self) -> Vec<serde_json::Value> {
        let path = self.path("report.ndjson");
        if !path.exists() {
            return Vec::new();
        }
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.is_empty(), "an empty report");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Position of the last event, and how many commands there are.
    pub(super) async fn head_and_commands(&self) -> (u64, u64) {
        let sql = "select (select position from log.head), (select count(*) from log.commands)";
        let (head, commands): (i64, i64) = sqlx::query_as(sql).fetch_one(&self.pool).await.unwrap();
        (head.cast_unsigned(), commands.cast_unsigned())
    }

    /// Every fact of every organisation, whatever order they were written in.
    pub(super) async fn organisations(&self) -> Vec<Fact> {
        let sql = "select aggregate_id, sequence, name, payload - 'bylawsId' from log.events order by 1, 2";
        sqlx::query_as(sql).fetch_all(&self.pool).await.unwrap()
    }

    /// Names of the events after a position.
    pub(super) async fn names_after(&self, position: u64) -> Vec<String> {
        sqlx::query_scalar("select name from log.events where position > $1 order by position")
            .bind(position.cast_signed())
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// Positions have no holes, and neither have the events of any organisation.
    pub(super) async fn assert_whole(&self) {
        let sql = "select (select max(position) = count(*) from log.events),
                          (select bool_and(last = count) from
                              (select max(sequence) as last, count(*) as count from log.events group by aggregate_id) a)";
        let (dense, contiguous): (bool, bool) = sqlx::query_as(sql).fetch_one(&self.pool).await.unwrap();
        assert!(dense && contiguous);
    }
}

/// The register authority's published shapes, all of them.
pub(super) fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/brreg");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}
