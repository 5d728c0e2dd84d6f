//! The import: what the registers publish becomes facts, exactly once however often it is run (handbook 9.2, 9.3).
//!
//! One organisation is one command, [`pb::MirrorRegister`], and its events are the difference to what is known. A table
//! remembers what was mirrored last, so that an unchanged organisation costs no command at all. The id of a command comes from
//! the number, the content and the content before: run again after a crash, it is the same command.

use std::collections::HashMap;

use anyhow::Context as _;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use prost::Message as _;
use ryggrad_eventlog::{ExecuteError, Request};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::common::v1::{Actor, Receipt};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_command::Command;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::brreg::{Counts, Joined, RegisterSnapshot, Warning};
use super::snapshot;
use crate::service::Registration;

mod files;

pub use files::{Files, Progress};

/// How many organisations are under way at once.
const ABREAST: usize = 1_024;
/// How many are remembered together.
const FLUSH: usize = 4_096;
/// What the facts name as their source.
pub const SOURCE: &str = "brreg-snapshot";

/// What came of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Records read from the files.
    pub read: u64,
    /// Units that do not concern voluntary activity.
    pub skipped: u64,
    /// Organisations that were not known.
    pub new: u64,
    /// Organisations that were known and have changed.
    pub changed: u64,
    /// Organisations that were known and are the same.
    pub unchanged: u64,
    /// Records and organisations that could not be used.
    pub refused: u64,
    /// Values that were left out of organisations that are used.
    pub warnings: u64,
    /// Events written.
    pub events: u64,
}

/// A line of the file of reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Note {
    /// A record that could not be used.
    Refused {
        /// Where it stands, when it is a record of a file.
        #[serde(skip_serializing_if = "Option::is_none")]
        place: Option<String>,
        /// Its number, when it can be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        orgnr: Option<String>,
        /// The field that is wrong, where that can be told.
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<String>,
        /// What is wrong.
        why: String,
    },
    /// A value that was left out of a record that is otherwise used.
    Warning {
        /// Whose.
        orgnr: String,
        /// Which.
        field: String,
        /// Why.
        why: String,
    },
}

/// An import at work: what is known, and what is under way.
pub struct Import<'a> {
    service: &'a Registration,
    pool: &'a PgPool,
    origin: pb::FactOrigin,
    known: HashMap<u32, Known>,
    done: Vec<Mirrored>,
    summary: Summary,
    notes: Vec<Note>,
}

/// What is known of an organisation.
#[derive(Debug, Clone)]
struct Known {
    organisation_id: Uuid,
    /// Its version when the import began.
    version: u64,
    /// What was mirrored last; none for an organisation that came by its founding.
    mirrored: Option<(Uuid, u64)>,
}

/// What has been mirrored, to be remembered.
struct Mirrored {
    orgnr: u32,
    organisation_id: Uuid,
    content: Uuid,
    turn: u64,
}

/// An organisation under way.
struct Sent {
    orgnr: OrgNumber,
    mirrored: Mirrored,
    is_new: bool,
    version: u64,
    answer: Result<Receipt, ExecuteError>,
}

/// Makes the table that remembers what was mirrored, in the schema of the service. Harmless when it is there.
///
/// # Errors
/// When the database fails or refuses.
pub async fn install(pool: &PgPool) -> Result<(), sqlx::Error> {
    let sql = "create table if not exists registration.mirrored (
                   orgnr int primary key, organisation_id uuid not null, content uuid not null, turn bigint not null)";
    sqlx::query(sql).execute(pool).await.map(drop)
}

// === impl Import ===

impl<'a> Import<'a> {
    /// Looks up what is known. The pool is that of the service's role, where [`install`] has been.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(service: &'a Registration, pool: &'a PgPool) -> anyhow::Result<Self> {
        let sql = "select e.orgnr, e.aggregate_id,
                          (select max(v.sequence) from log.events v where v.aggregate_id = e.aggregate_id) as version, m.content, m.turn
                     from log.events e left join registration.mirrored m on m.orgnr = e.orgnr::int
                    where e.context = 'registration' and e.name = 'OrganisationRegistered'";
        let mut rows = sqlx::query(sql).fetch(pool);
        let mut known = HashMap::new();
        while let Some(row) = rows.next().await {
            let row = row.context("what is known cannot be read")?;
            let orgnr: String = row.try_get("orgnr")?;
            let mirrored = row.try_get::<Option<Uuid>, _>("content")?.zip(row.try_get::<Option<i64>, _>("turn")?);
            let found = Known {
                organisation_id: row.try_get("aggregate_id")?,
                version: u64::try_from(row.try_get::<i64, _>("version")?)?,
                mirrored: mirrored.map(|(content, turn)| (content, turn.cast_unsigned())),
            };
            known.insert(orgnr.parse()?, found);
        }
        let fetched_at = Some(service.clock.now().into());
        let origin = pb::FactOrigin { source: SOURCE.to_owned(), fetched_at, source_updated_at: None, asserted_at: None };
        Ok(Self { service, pool, origin, known, done: Vec::new(), summary: Summary::default(), notes: Vec::new() })
    }

    /// Whether an organisation number is known, so that its unit is of interest whatever it is.
    pub fn known(&self) -> std::collections::HashSet<u32> {
        self.known.keys().copied().collect()
    }

    /// Mirrors everything that comes, and answers what came of it. `tell` hears of the summary so far and takes the notes.
    ///
    /// # Errors
    /// When the log cannot be written, or `tell` fails. What was written stays, and running it again goes on from there.
    pub async fn run(
        mut self,
        mut joined: tokio::sync::mpsc::Receiver<Vec<Joined>>,
        mut tell: impl FnMut(&Summary, &mut Vec<Note>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Summary> {
        let mut under_way = FuturesUnordered::new();
        while let Some(batch) = joined.recv().await {
            for joined in batch {
                match joined {
                    Joined::Refused(refused) => {
                        self.summary.refused += 1;
                        let place = format!("{}: record {} at byte {}", refused.file, refused.record, refused.byte);
                        self.notes.push(Note::Refused { place: Some(place), orgnr: refused.orgnr, field: refused.field, why: refused.why });
                    }
                    Joined::Snapshot(snapshot, warnings) => {
                        self.warn(&warnings);
                        if let Some(sending) = self.send(&snapshot) {
                            under_way.push(sending);
                        }
                    }
                }
                while under_way.len() >= ABREAST {
                    if let Some(sent) = under_way.next().await {
                        self.settle(sent)?;
                    }
                }
            }
            if self.done.len() >= FLUSH {
                self.remember().await?;
            }
            tell(&self.summary, &mut self.notes)?;
        }
        while let Some(sent) = under_way.next().await {
            self.settle(sent)?;
        }
        drop(under_way);
        self.remember().await?;
        tell(&self.summary, &mut self.notes)?;
        Ok(self.summary)
    }

    /// Sends an organisation's command, unless it is as it was.
    fn send(&mut self, snapshot: &RegisterSnapshot) -> Option<impl Future<Output = Sent> + use<'a>> {
        let orgnr = snapshot.orgnr;
        let mut message = snapshot::message(snapshot, None);
        let content = Uuid::new_v5(&Uuid::NAMESPACE_OID, &message.encode_to_vec());
        let known = self.known.get(&orgnr.to_u32());
        let (before, turn) = known.and_then(|known| known.mirrored).unwrap_or_default();
        if turn > 0 && before == content {
            self.summary.unchanged += 1;
            return None;
        }
        let organisation_id = known.map_or_else(|| organisation_id(snapshot), |known| known.organisation_id);
        let (is_new, version) = (known.is_none(), known.map_or(0, |known| known.version));
        message.origin = Some(self.origin.clone());
        let command = pb::MirrorRegister { meta: None, organisation_id: organisation_id.to_string(), snapshot: Some(message) };
        let request = Request {
            command: Command::from(command),
            aggregate_id: organisation_id,
            // The turn tells a return to an earlier content from the first time.
            command_id: Uuid::new_v5(&content, format!("{orgnr}/{before}/{turn}").as_bytes()),
            expected_version: None,
            actor: Actor { kind: "authority".to_owned(), r#ref: SOURCE.to_owned(), ..Actor::default() },
            correlation_id: None,
            causation: None,
            traceparent: None,
        };
        let mirrored = Mirrored { orgnr: orgnr.to_u32(), organisation_id, content, turn: turn + 1 };
        let executor = self.service.organisations.clone();
        Some(async move {
            let mut answer = executor.execute(request.clone()).await;
            for patience in [1, 2, 4, 8] {
                if !matches!(answer, Err(ExecuteError::Unavailable(_) | ExecuteError::Conflict { .. })) {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_secs(patience)).await;
                answer = executor.execute(request.clone()).await;
            }
            Sent { orgnr, mirrored, is_new, version, answer }
        })
    }

    /// Counts what came of an organisation.
    fn settle(&mut self, sent: Sent) -> anyhow::Result<()> {
        let Sent { orgnr, mirrored, is_new, version, answer } = sent;
        match answer {
            Ok(receipt) => {
                let events = receipt.version.saturating_sub(version);
                match (receipt.duplicate || events == 0, is_new) {
                    (true, _) => self.summary.unchanged += 1,
                    (false, true) => self.summary.new += 1,
                    (false, false) => self.summary.changed += 1,
                }
                if !receipt.duplicate {
                    self.summary.events += events;
                }
                let known = Known {
                    organisation_id: mirrored.organisation_id,
                    version: receipt.version,
                    mirrored: Some((mirrored.content, mirrored.turn)),
                };
                self.known.insert(mirrored.orgnr, known);
                self.done.push(mirrored);
            }
            Err(ExecuteError::Refused(refusal)) => {
                self.summary.refused += 1;
                let field = refusal.field.as_ref().map(ToString::to_string);
                self.notes.push(Note::Refused { place: None, orgnr: Some(orgnr.to_string()), field, why: refusal.to_string() });
            }
            Err(error) => return Err(error).with_context(|| format!("organisation {orgnr} cannot be written")),
        }
        Ok(())
    }

    fn warn(&mut self, warnings: &[Warning]) {
        for warning in warnings {
            self.summary.warnings += 1;
            self.notes.push(Note::Warning { orgnr: warning.orgnr.to_string(), field: warning.field.to_owned(), why: warning.why.clone() });
        }
    }

    /// Remembers what was mirrored. A crash before it repeats commands that have their ids.
    async fn remember(&mut self) -> anyhow::Result<()> {
        let mut last: HashMap<u32, Mirrored> = HashMap::with_capacity(self.done.len());
        for mirrored in self.done.drain(..) {
            last.insert(mirrored.orgnr, mirrored);
        }
        let done: Vec<_> = last.into_values().collect();
        let sql = "insert into registration.mirrored (orgnr, organisation_id, content, turn)
                   select * from unnest($1::int[], $2::uuid[], $3::uuid[], $4::bigint[])
                   on conflict (orgnr) do update set organisation_id = excluded.organisation_id, content = excluded.content, turn = excluded.turn";
        sqlx::query(sql)
            .bind(done.iter().map(|m| m.orgnr.cast_signed()).collect::<Vec<_>>())
            .bind(done.iter().map(|m| m.organisation_id).collect::<Vec<_>>())
            .bind(done.iter().map(|m| m.content).collect::<Vec<_>>())
            .bind(done.iter().map(|m| m.turn.cast_signed()).collect::<Vec<_>>())
            .execute(self.pool)
            .await
            .context("what was mirrored cannot be remembered")?;
        Ok(())
    }
}

/// The id of an organisation that the register tells of: shaped as a UUID v7 of the day it was registered, so that it sorts by
/// age, and the same whenever it is computed.
pub fn organisation_id(snapshot: &RegisterSnapshot) -> Uuid {
    let day = snapshot.registered_on.or(snapshot.founded_on);
    let midnight = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok()).map_or(0, |midnight| midnight.timestamp().as_millisecond());
    let millis = u64::try_from(midnight).unwrap_or(0);
    let hash = Sha256::digest(snapshot.orgnr.to_string());
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

impl Summary {
    /// Takes the counts of a file in.
    pub(crate) fn count(&mut self, counts: Counts) {
        self.read += counts.read;
        self.skipped += counts.skipped;
    }
}
