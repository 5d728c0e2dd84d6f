//! The register tells of an organisation that it made up: each step is a snapshot, mirrored as an import does it.

use anyhow::{Context as _, bail};
use jiff::ToSpan as _;
use jiff::civil::Date;
use ryggrad_eventlog::{Clock, Request};
use ryggrad_norway::time::day;
use ryggrad_norway::{KommuneNumber, OrgNumber};
use ryggrad_proto::common::v1::{Actor, Receipt};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_command::Command;
use ryggrad_registration::Registration;
use ryggrad_registration::register::import::organisation_id;
use ryggrad_registration::register::simulator::SOURCE;
use sqlx::PgPool;
use uuid::Uuid;

use super::Scenario;

/// The part of the synthetic series that organisations of triggers are from, before the check digit.
const SERIES: std::ops::Range<u32> = 36_000_000..39_000_000;
/// How many numbers are tried before something must be wrong.
const TRIES: u32 = 100;
/// What they are called.
const NAMES: [&str; 6] = [
    "NESVIK SANGLAG",
    "STORVIK SJAKKLUBB",
    "LILLEVIK NABOHAGE",
    "NORDBY SKOLEKORPS",
    "HEIMDAL TURLAG",
    "SOLVANG VELFORENING",
];

/// A register authority that says what a scenario needs.
#[derive(Debug, Clone)]
pub struct Register {
    pool: PgPool,
    service: Registration,
    clock: Clock,
}

/// The organisation that a scenario was about, and where in the log it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// Its number.
    pub orgnr: OrgNumber,
    /// Its id.
    pub organisation_id: Uuid,
    /// Position of the first fact.
    pub first_position: u64,
    /// Position of the last one.
    pub last_position: u64,
}

/// Reads the number of a municipality.
pub(super) fn kommune(text: &str) -> Result<KommuneNumber, String> {
    KommuneNumber::parse(text).map_err(|error| error.to_string())
}

// === impl Register ===

impl Register {
    /// A register through connections of the role of registration, on the clock of the backbone.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self {
            service: Registration::new(pool.clone(), clock.clone()),
            pool,
            clock,
        }
    }

    /// Brings a new organisation through a scenario.
    ///
    /// # Errors
    /// When the log cannot be read or written, or the scenario is not the register's to tell.
    pub async fn bring(&self, scenario: Scenario, kommune: KommuneNumber) -> anyhow::Result<Brought> {
        let orgnr = self.fresh_number().await?;
        let today = day(self.clock.now());
        let organisation_id = organisation_id(orgnr, Some(today));
        let journey = fresh_id();
        let mut first_position = None;
        let mut last_position = 0;
        for snapshot in steps(scenario, orgnr, kommune, today)? {
            let receipt = self.mirror(organisation_id, journey, snapshot).await?;
            first_position.get_or_insert(receipt.first_position);
            last_position = receipt.position;
        }
        Ok(Brought {
            orgnr,
            organisation_id,
            first_position: first_position.context("the scenario has no step")?,
            last_position,
        })
    }

    async fn mirror(
        &self,
        organisation_id: Uuid,
        journey: Uuid,
        snapshot: pb::RegisterSnapshot,
    ) -> anyhow::Result<Receipt> {
        let origin = pb::FactOrigin {
            source: SOURCE.to_owned(),
            fetched_at: Some(self.clock.now().into()),
            ..pb::FactOrigin::default()
        };
        let command = pb::MirrorRegister {
            meta: None,
            organisation_id: organisation_id.to_string(),
            snapshot: Some(pb::RegisterSnapshot {
                origin: Some(origin),
                ..snapshot
            }),
        };
        let request = Request {
            command: Command::from(command),
            aggregate_id: organisation_id,
            command_id: fresh_id(),
            expected_version: None,
            actor: Actor {
                kind: "authority".to_owned(),
                r#ref: SOURCE.to_owned(),
                ..Actor::default()
            },
            correlation_id: Some(journey),
            causation: None,
            traceparent: None,
        };
        Ok(self.service.organisations.execute(request).await?)
    }

    /// A number that no organisation of the log has.
    async fn fresh_number(&self) -> anyhow::Result<OrgNumber> {
        let width = SERIES.end - SERIES.start;
        for _ in 0..TRIES {
            let drawn = u32::try_from(fresh_id().as_u128() % u128::from(width)).unwrap_or_default();
            let Some(number) = OrgNumber::with_check_digit(SERIES.start + drawn) else {
                continue;
            };
            let known: bool = sqlx::query_scalar("select exists (select from log.events where orgnr = $1)")
                .bind(number.as_str())
                .fetch_one(&self.pool)
                .await
                .context("cannot read the log")?;
            if !known {
                return Ok(number);
            }
        }
        bail!("no organisation number is free")
    }
}

/// What the register says, one snapshot after another.
fn steps(
    scenario: Scenario,
    orgnr: OrgNumber,
    kommune: KommuneNumber,
    today: Date,
) -> anyhow::Result<Vec<pb::RegisterSnapshot>> {
    let registered = registered(orgnr, kommune, today);
    let entered = changed(&registered, |it| {
        it.registrert_i_frivillighetsregisteret = true;
        it.frivillig_organisasjon = Some(pb::VoluntarySnapshot {
            innfoert_dato: today.to_string(),
            icnpo: vec!["5100".to_owned()],
            ..pb::VoluntarySnapshot::default()
        });
    });
    let approved = changed(&entered, |it| voluntary(it).grasrot_deltar_i = true);
    let dissolving = changed(&approved, |it| {
        it.under_avvikling = true;
        it.under_avvikling_dato = today.to_string();
    });
    Ok(match scenario {
        Scenario::Registered => vec![registered],
        Scenario::EnteredVoluntaryRegister => vec![entered],
        Scenario::DetailsChanged => {
            let elsewhere = changed(&registered, |it| {
                let details = it.details.get_or_insert_default();
                details.name.push_str(" OG OMEGN");
                let address = details.forretningsadresse.get_or_insert_default();
                "4838".clone_into(&mut address.postnummer);
            });
            vec![registered, elsewhere]
        }
        Scenario::GrasrotApproved => vec![entered, approved],
        Scenario::GrasrotExcluded => {
            let last = today.checked_add(1.year())?;
            let excluded = changed(&approved, |it| {
                voluntary(it).utestengelse_fra_dato = today.to_string();
                voluntary(it).utestengelse_til_dato = last.to_string();
            });
            vec![approved, excluded]
        }
        Scenario::Dissolved => vec![approved, dissolving],
        Scenario::DissolutionRevoked => vec![approved.clone(), dissolving, approved],
        Scenario::LeftVoluntaryRegister => {
            let left = changed(&entered, |it| {
                it.registrert_i_frivillighetsregisteret = false;
                voluntary(it).slettet_dato = today.to_string();
            });
            vec![entered, left]
        }
        Scenario::Deleted => {
            let deleted = changed(&approved, |it| it.slettedato = today.to_string());
            vec![approved, deleted]
        }
        Scenario::Founded | Scenario::WholeLife => bail!("this is not the register's to tell"),
    })
}

/// An organisation that was registered today.
fn registered(orgnr: OrgNumber, kommune: KommuneNumber, today: Date) -> pb::RegisterSnapshot {
    let which = orgnr.as_str().bytes().map(usize::from).sum::<usize>() % NAMES.len();
    let details = pb::OrganisationDetails {
        name: NAMES[which].to_owned(),
        form: "FLI".to_owned(),
        forretningsadresse: Some(pb::Address {
            kommunenummer: kommune.code().to_owned(),
            ..pb::Address::default()
        }),
        language: "nb".to_owned(),
        stiftelsesdato: today.to_string(),
        ..pb::OrganisationDetails::default()
    };
    pb::RegisterSnapshot {
        orgnr: orgnr.to_string(),
        registreringsdato: today.to_string(),
        details: Some(details),
        vedtektsdato: today.to_string(),
        vedtektsfestet_formaal: vec!["Samle folk i nabolaget.".to_owned()],
        ..pb::RegisterSnapshot::default()
    }
}

/// A snapshot with a change.
fn changed(snapshot: &pb::RegisterSnapshot, change: impl FnOnce(&mut pb::RegisterSnapshot)) -> pb::RegisterSnapshot {
    let mut snapshot = snapshot.clone();
    change(&mut snapshot);
    snapshot
}

fn voluntary(snapshot: &mut pb::RegisterSnapshot) -> &mut pb::VoluntarySnapshot {
    snapshot.frivillig_organisasjon.get_or_insert_default()
}

/// An id of a command, or of a journey.
#[expect(clippy::disallowed_methods, reason = "ids are made here, at the edge")]
fn fresh_id() -> Uuid {
    Uuid::now_v7()
}
