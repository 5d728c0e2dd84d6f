//! A batch of organisations: read from the log in one query, decided, and written where something changed.

use std::sync::Arc;

use futures::future::try_join_all;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost::Message as _;
use ryggrad_eventlog::executor::Held;
use ryggrad_eventlog::{ExecuteError, Request};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1::organisation_command::Command;
use ryggrad_proto::registration::v1::{FactOrigin, MirrorRegister, RegisterSnapshot};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::reading::Found;
use super::{Import, seen};
use crate::organisation::Organisation;
use crate::register::brreg::{Place, Refused};

/// What ids of commands of imports are made in.
const COMMANDS: Uuid = Uuid::from_u128(0x0d6f_6c1c_4b0e_5d3a_9c52_3f2a_7be8_91d4);

/// What came of one record.
#[derive(Debug)]
pub(super) enum Outcome {
    New { events: u64 },
    Changed { events: u64 },
    Unchanged,
    Refused(Refused),
}

/// Organisations on their way into the log.
pub(super) struct Batch {
    import: Import,
    found: Vec<Found>,
}

// === impl Batch ===

impl Batch {
    pub(super) fn new(import: Import, found: Vec<Found>) -> Self {
        Self { import, found }
    }

    /// Brings every organisation up to what its snapshot says, unless something later is known of it.
    pub(super) async fn carry_out(self) -> Result<Vec<Outcome>, ExecuteError> {
        let Self { import, found } = self;
        let unavailable = |error| ExecuteError::Unavailable(Arc::new(error));
        let fetched_at = import.options.fetched_at;
        let ids: Vec<_> = found.iter().map(|found| found.organisation_id).collect();
        let later = seen::later(&import.pool, &ids, fetched_at).await.map_err(unavailable)?;
        let held = import.organisations.hold(&ids).await?;
        let pairs = held.into_iter().zip(found);
        let outcomes = try_join_all(pairs.map(|(held, found)| {
            let is_older = later.contains(&found.organisation_id);
            let origin = import.origin();
            async move {
                if is_older {
                    Ok(Outcome::Unchanged)
                } else {
                    mirror(held, found, origin).await
                }
            }
        }))
        .await?;
        let unchanged = ids
            .into_iter()
            .zip(&outcomes)
            .filter_map(|(id, outcome)| match outcome {
                Outcome::Unchanged => Some(id),
                Outcome::New { .. } | Outcome::Changed { .. } | Outcome::Refused(_) => None,
            });
        seen::remember(&import.pool, unchanged.collect(), fetched_at)
            .await
            .map_err(unavailable)?;
        Ok(outcomes)
    }
}

async fn mirror(held: Held<Organisation>, found: Found, origin: FactOrigin) -> Result<Outcome, ExecuteError> {
    let Found {
        orgnr,
        organisation_id,
        place,
        snapshot,
    } = found;
    let command_id = command_id(orgnr, held.version(), &snapshot);
    let command = MirrorRegister {
        meta: None,
        organisation_id: organisation_id.to_string(),
        snapshot: Some(RegisterSnapshot {
            origin: Some(origin),
            ..snapshot
        }),
    };
    let request = Request {
        command: Command::from(command),
        aggregate_id: organisation_id,
        command_id,
        expected_version: None,
        actor: Actor {
            kind: "authority".to_owned(),
            r#ref: super::SOURCE.to_owned(),
            ..Actor::default()
        },
        correlation_id: None,
        causation: None,
        traceparent: None,
    };
    // Asked first, because a command keeps its id for ever even when it gives no event: a daily import of an unchanged
    // register would leave as many ids a day as there are organisations.
    let answer = match held.would_change(&request).await {
        Ok(false) => return Ok(Outcome::Unchanged),
        Ok(true) => held.execute(&request).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(receipt) if receipt.duplicate => Ok(Outcome::Unchanged),
        Ok(receipt) => {
            let events = receipt.position - receipt.first_position + 1;
            Ok(if held.version() == 0 {
                Outcome::New { events }
            } else {
                Outcome::Changed { events }
            })
        }
        Err(ExecuteError::Refused(no)) => {
            let field = no.field.as_ref().map(ToString::to_string);
            Ok(refused(place, orgnr, field, no.to_string()))
        }
        Err(ExecuteError::Conflict { .. }) => {
            let why = "others changed the organisation at the same time: import it again";
            Ok(refused(place, orgnr, None, why.to_owned()))
        }
        Err(error @ (ExecuteError::Unavailable(_) | ExecuteError::Fault(_))) => Err(error),
    }
}

fn refused(place: Place, orgnr: OrgNumber, field: Option<String>, why: String) -> Outcome {
    let Place { file, record, byte } = place;
    Outcome::Refused(Refused {
        file,
        record,
        byte,
        orgnr: Some(orgnr.to_string()),
        field,
        why,
    })
}

/// The id of the command that brings an organisation from a version to a content. Two imports of the same file at the same
/// time send the same command; a content that comes back later meets another version, and is another command.
fn command_id(orgnr: OrgNumber, version: u64, content: &RegisterSnapshot) -> Uuid {
    let mut name = Vec::with_capacity(1024);
    name.extend_from_slice(orgnr.as_str().as_bytes());
    name.extend_from_slice(&version.to_be_bytes());
    content.encode_raw(&mut name);
    Uuid::new_v5(&COMMANDS, &name)
}

/// The id of an organisation that the register tells of: shaped as a UUID v7 of the day it was registered, so that it sorts
/// by age, and the same whenever it is computed from the same record.
pub fn organisation_id(orgnr: OrgNumber, registered_on: Option<Date>) -> Uuid {
    let midnight = registered_on.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    let millis = midnight.and_then(|midnight| u64::try_from(midnight.timestamp().as_millisecond()).ok());
    let hash = Sha256::digest(orgnr.as_str());
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis.unwrap_or(0), &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn orgnr() -> OrgNumber {
        (30_000_000..)
            .find_map(OrgNumber::with_check_digit)
            .expect("there are some")
    }

    #[test]
    fn an_organisation_keeps_its_id_which_tells_its_day() {
        let id = organisation_id(orgnr(), Some(date(1995, 2, 19)));
        assert_eq!(id, organisation_id(orgnr(), Some(date(1995, 2, 19))));
        assert_eq!(id.get_version_num(), 7);
        let (seconds, _) = id.get_timestamp().expect("a v7 has one").to_unix();
        assert_eq!(seconds, 793_152_000);
    }

    #[test]
    fn a_day_before_1970_or_no_day_is_the_beginning_of_the_epoch() {
        let id = organisation_id(orgnr(), None);
        assert_eq!(id, organisation_id(orgnr(), Some(date(1950, 1, 1))));
        assert_eq!(&id.as_bytes()[..6], &[0; 6]);
    }

    #[test]
    fn a_content_that_comes_back_is_another_command() {
        let a = RegisterSnapshot {
            orgnr: orgnr().to_string(),
            ..RegisterSnapshot::default()
        };
        let b = RegisterSnapshot {
            konkurs: true,
            ..a.clone()
        };
        let ids = [
            command_id(orgnr(), 0, &a),
            command_id(orgnr(), 3, &b),
            command_id(orgnr(), 4, &a),
        ];
        assert_eq!(ids[0], command_id(orgnr(), 0, &a));
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    }
}
