//! Programs that ask the registers today, pointed here: the requests that they send, as they send them, against every role.
//!
//! Each request is that of a program whose source is open, named beside it; what it reads of the answer is what is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use ryggrad::import::import;
use ryggrad::servers;
use ryggrad::trigger::{Register, Scenario};
use ryggrad_norway::KommuneNumber;
use ryggrad_registration::register::brreg;
use ryggrad_registration::register::import::{Options, SOURCE};
use ryggrad_registration::register::population::Population;
use ryggrad_testkit::eventually;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{Whole, views_equal_their_folds, whole};

mod requests;
mod samples;
mod walks;

const ER: &str = "/enhetsregisteret/api";
const FR: &str = "/frivillighetsregisteret/api";
/// Voluntary organisations of the population, and units beside them.
const ORGANISATIONS: (u32, u32) = (150, 30);
const PATIENCE: Duration = Duration::from_mins(2);

/// A backbone with the registers' files imported, and what is in them.
struct Registers {
    whole: Whole,
    client: reqwest::Client,
    pool: PgPool,
    /// Units that are there, as the register's file has them, by number.
    units: BTreeMap<String, Value>,
    /// Records of Frivillighetsregisteret in its file, by number.
    voluntary: BTreeMap<String, Value>,
    /// A unit that was deleted, with the day.
    deleted: String,
    /// One that has left Frivillighetsregisteret.
    left: String,
    /// One that was removed on legal grounds, and when it was deleted.
    removed: (String, &'static str),
    /// A number that no unit has.
    unknown: String,
}

/// An answer, read whole.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Registers {
    async fn begin() -> Self {
        let whole = whole().await;
        let pool = servers::pool(whole.addresses.postgres("ryggrad_registration"), "registration", 4)
            .await
            .expect("connects");
        let folder = tempfile::tempdir().expect("a folder");
        let population = Population::try_new(ORGANISATIONS.0, ORGANISATIONS.1, 11).expect("few enough");
        let files = population.write_files(folder.path(), &mut |_| {}).expect("written");
        let (units, voluntary) = (records(&files.units), records(&files.voluntary));
        let mut registers = Self {
            client: reqwest::Client::new(),
            pool,
            units,
            voluntary,
            deleted: String::new(),
            left: String::new(),
            removed: (String::new(), "2026-02-02"),
            unknown: "399000106".to_owned(),
            whole,
        };
        registers.import(&[files.units, files.voluntary], folder.path()).await;
        let register = Register::new(registers.pool.clone(), registers.whole.stack.clock().clone());
        let kommune = KommuneNumber::parse("4203").expect("a municipality");
        let bring = async |scenario| {
            let brought = register.bring(scenario, kommune).await.expect("told");
            brought.orgnr.to_string()
        };
        registers.deleted = bring(Scenario::Deleted).await;
        registers.left = bring(Scenario::LeftVoluntaryRegister).await;
        registers.removed.0 = bring(Scenario::EnteredVoluntaryRegister).await;
        let removed = json!([{
            "organisasjonsnummer": registers.removed.0,
            "slettedato": registers.removed.1,
            "respons_klasse": "FjernetEnhet",
        }]);
        let file = folder.path().join("removed.json");
        std::fs::write(&file, removed.to_string()).expect("written");
        registers.import(&[file], folder.path()).await;
        registers.caught_up().await;
        registers.keep_what_the_log_has().await;
        registers
    }

    /// Reads files of the registers, as fetched just now.
    async fn import(&self, files: &[std::path::PathBuf], folder: &Path) {
        let clock = self.whole.stack.clock().clone();
        let options = Options {
            reader: brreg::Options::default(),
            source: SOURCE,
            fetched_at: clock.now(),
            report: folder.join("refused.ndjson"),
        };
        let told = import(&self.pool, clock, files, options).await.expect("imported");
        assert_eq!(told.refused, 0, "{told:?}");
    }

    /// Waits until the doors show where the log ends.
    async fn caught_up(&self) {
        let head: i64 = sqlx::query_scalar("select position from log.head")
            .fetch_one(&self.pool)
            .await
            .expect("the head");
        eventually(PATIENCE, || async {
            let mut shown = Vec::new();
            for path in [
                format!("{ER}/enheter?size=1"),
                format!("{ER}/oppdateringer/enheter?size=1"),
            ] {
                shown.push(self.get(&path, None).await.position());
            }
            anyhow::ensure!(shown.iter().all(|at| *at >= head.unsigned_abs()), "{shown:?} of {head}");
            anyhow::Ok(())
        })
        .await;
    }

    /// The import takes organisations only: what it took, and what the scenarios brought, is what the log has.
    async fn keep_what_the_log_has(&mut self) {
        let sql = "select orgnr, payload->'details'->>'name' from log.events where name = 'OrganisationRegistered'";
        let named: BTreeMap<String, String> = sqlx::query_as(sql)
            .fetch_all(&self.pool)
            .await
            .expect("the log")
            .into_iter()
            .collect();
        self.units
            .retain(|orgnr, unit| named.contains_key(orgnr) && unit["respons_klasse"] == "Enhet");
        self.voluntary.retain(|orgnr, _| self.units.contains_key(orgnr));
        let left = json!({
            "organisasjonsnummer": self.left,
            "navn": named[&self.left],
            "organisasjonsform": {"kode": "FLI"},
            "forretningsadresse": {"kommunenummer": "4203"},
            "stiftelsesdato": "2026-03-02",
            "konkurs": false,
        });
        self.units.insert(self.left.clone(), left);
        assert!(
            self.units.len() > 150 && self.voluntary.len() > 140,
            "{} units",
            self.units.len()
        );
    }

    /// Asks for a path, or for a link, with the media types that a client takes.
    async fn get(&self, target: &str, accept: Option<&str>) -> Answer {
        let own = self.whole.stack.http();
        let path = target.strip_prefix(&own).unwrap_or(target);
        assert!(path.starts_with('/'), "{target} is on another host");
        let mut request = self.client.get(format!("{own}{path}"));
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let response = request.send().await.expect("an answer");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.expect("a body").into(),
        }
    }

    /// The document at a path.
    async fn json(&self, target: &str) -> Value {
        let answer = self.get(target, Some("application/json")).await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        answer.json()
    }

    /// Numbers of the units of which something is so.
    fn which(&self, is_so: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let found = self.units.iter().filter(|(_, unit)| is_so(unit));
        found.map(|(orgnr, _)| orgnr.clone()).collect()
    }

    /// Some unit of the file, of which something is so.
    fn any(&self, is_so: impl Fn(&Value) -> bool) -> &Value {
        self.units.values().find(|unit| is_so(unit)).expect("such a unit")
    }
}

// === impl Answer ===

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    fn position(&self) -> u64 {
        self.header("ryggrad-as-of").parse().unwrap_or_default()
    }
}

/// A file of a register: a JSON array or a document a line, compressed or not, by organisation number.
fn records(file: &Path) -> BTreeMap<String, Value> {
    let bytes = std::fs::read(file).expect("a file");
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        unzipped(&bytes)
    } else {
        bytes
    };
    let values = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
    let documents = values.flat_map(|value| match value.expect("JSON") {
        Value::Array(documents) => documents,
        page => match page["_embedded"]["frivilligeOrganisasjoner"].as_array() {
            Some(documents) => documents.clone(),
            None => vec![page],
        },
    });
    documents.map(|document| (number(&document), document)).collect()
}

fn unzipped(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(bytes), &mut text).expect("a whole gzip file");
    text
}

#[track_caller]
fn number(document: &Value) -> String {
    let number = document["organisasjonsnummer"].as_str();
    number.unwrap_or_else(|| panic!("no number: {document}")).to_owned()
}

/// The numbers on a page of a list.
fn numbers(page: &Value, list: &str) -> Vec<String> {
    let documents = page["_embedded"][list]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    documents.iter().map(number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn todays_clients_of_the_registers_are_answered_what_they_read() {
    let mut registers = Registers::begin().await;
    requests::every_request_is_answered(&registers).await;
    walks::every_unit_is_found_page_by_page(&registers).await;
    walks::every_change_is_followed(&registers).await;
    walks::the_voluntary_register_is_walked(&registers).await;
    walks::who_takes_the_file_and_follows_has_the_next_file(&mut registers).await;
    views_equal_their_folds(&registers.whole).await;
    registers.whole.stack.stop().await;
}
