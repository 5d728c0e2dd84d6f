//! One batch of commands into the log, in one round trip.

use std::collections::HashMap;

use bytes::Bytes;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use ryggrad_proto::options::v1::PrivacyClass;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::event::{signed, unsigned};

/// A decided command on its way into the log.
#[derive(Debug, Clone)]
pub struct Append {
    /// The command's id; it has one effect for ever (I4).
    pub command_id: Uuid,
    /// The aggregate's type: `Initiative`.
    pub aggregate_type: &'static str,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// The version that the command was decided on.
    pub expected: u64,
    /// The journey.
    pub correlation_id: Uuid,
    /// The event that caused the command and its position, when known.
    pub causation: Option<(Uuid, u64)>,
    /// The actor as canonical proto JSON.
    pub actor: String,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// When it happens, by the business clock; microseconds are kept.
    pub occurred_at: Timestamp,
    /// The facts; may be none when what was asked was so already.
    pub events: Vec<NewEvent>,
}

/// A fact that has no position yet.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its id (UUID v7).
    pub id: Uuid,
    /// Name of its message.
    pub name: &'static str,
    /// The organisation that it is about.
    pub organisation_id: Uuid,
    /// Organisation number, when known.
    pub orgnr: Option<String>,
    /// Municipality, when known.
    pub kommunenummer: Option<String>,
    /// Others that it concerns.
    pub related: Vec<Uuid>,
    /// Whom it may reach.
    pub class: PrivacyClass,
    /// The message's bytes.
    pub data: Bytes,
    /// The message as canonical proto JSON.
    pub payload: String,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its events are in the log, durably.
    Appended(Appended),
    /// Its id was used before: what it gave then.
    Duplicate(Appended),
    /// Its aggregate is at another version than it was decided on.
    Conflict {
        /// The version that the aggregate is at.
        version: u64,
    },
}

/// Where the events of a command are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// Its version after the command.
    pub version: u64,
    /// Position of the first event; of the head when the command gave none.
    pub first_position: u64,
    /// Position of the last event.
    pub last_position: u64,
}

const CALL: &str = "select ordinal, status, aggregate, version, first_position, last_position from log.append(
    $1, $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::int[], $7::int[], $8::uuid[], $9::uuid[], $10::bigint[], $11::text[], $12::text[], $13::timestamptz[],
    $14::int[], $15::uuid[], $16::text[], $17::uuid[], $18::text[], $19::text[], $20::text[], $21::smallint[], $22::bytea[], $23::text[])";

/// Appends a batch for a context and answers each command in the order given. All of it is durable when this returns.
///
/// Commands of one aggregate may follow each other in a batch, each expecting the version after the one before.
/// Two commands of one batch must not share an id.
///
/// # Errors
/// The batch as a whole when the database fails or refuses: then nothing of it is written, or, when the connection was
/// lost, all of it may be. Sending it again is safe either way.
pub async fn append(
    connection: &mut PgConnection,
    context: &str,
    batch: &[&Append],
) -> Result<Vec<Outcome>, sqlx::Error> {
    let commands = batch.len();
    let events = batch.iter().map(|c| c.events.len()).sum();
    let mut c = Columns::with_capacity(commands, events);
    for (ordinal, command) in (1_i32..).zip(batch) {
        c.command(ordinal, command);
        for event in &command.events {
            c.event(ordinal, event);
        }
    }
    let rows = sqlx::query(CALL)
        .bind(context)
        .bind(c.command_id)
        .bind(c.aggregate_type)
        .bind(c.aggregate_id)
        .bind(c.expected)
        .bind(c.through)
        .bind(c.follows)
        .bind(c.correlation)
        .bind(c.causation)
        .bind(c.causation_position)
        .bind(c.actor)
        .bind(c.traceparent)
        .bind(c.occurred_at)
        .bind(c.e_command)
        .bind(c.e_id)
        .bind(c.e_name)
        .bind(c.e_organisation)
        .bind(c.e_orgnr)
        .bind(c.e_kommunenummer)
        .bind(c.e_related)
        .bind(c.e_class)
        .bind(c.e_data)
        .bind(c.e_payload)
        .fetch_all(connection)
        .await?;
    if let [row] = rows.as_slice()
        && row.try_get::<i32, _>("ordinal")? == 0
    {
        return Ok(in_order(batch, unsigned(row.try_get("first_position")?)));
    }
    if rows.len() != commands {
        return Err(sqlx::Error::Protocol(format!(
            "log.append answered {} of {commands} commands",
            rows.len()
        )));
    }
    rows.iter()
        .map(|row| {
            let version = unsigned(row.try_get("version")?);
            let appended = || -> Result<Appended, sqlx::Error> {
                Ok(Appended {
                    aggregate_id: row.try_get("aggregate")?,
                    version,
                    first_position: unsigned(row.try_get("first_position")?),
                    last_position: unsigned(row.try_get("last_position")?),
                })
            };
            match row.try_get::<&str, _>("status")? {
                "ok" => Ok(Outcome::Appended(appended()?)),
                "duplicate" => Ok(Outcome::Duplicate(appended()?)),
                "conflict" => Ok(Outcome::Conflict { version }),
                other => Err(sqlx::Error::Protocol(format!("log.append answered {other}"))),
            }
        })
        .collect()
}

/// The outcomes of commands that were all appended, one after the other, after a position.
fn in_order(batch: &[&Append], mut position: u64) -> Vec<Outcome> {
    batch
        .iter()
        .map(|command| {
            let events = command.events.len() as u64;
            let first_position = position + events.min(1);
            position += events;
            Outcome::Appended(Appended {
                aggregate_id: command.aggregate_id,
                version: command.expected + events,
                first_position,
                last_position: position,
            })
        })
        .collect()
}

/// The batch turned on its side: one array a parameter of `log.append`.
#[derive(Default)]
struct Columns<'a> {
    command_id: Vec<Uuid>,
    aggregate_type: Vec<&'a str>,
    aggregate_id: Vec<Uuid>,
    expected: Vec<i64>,
    through: Vec<i32>,
    follows: Vec<Option<i32>>,
    correlation: Vec<Uuid>,
    causation: Vec<Option<Uuid>>,
    causation_position: Vec<Option<i64>>,
    actor: Vec<&'a str>,
    traceparent: Vec<Option<&'a str>>,
    occurred_at: Vec<jiff_sqlx::Timestamp>,
    e_command: Vec<i32>,
    e_id: Vec<Uuid>,
    e_name: Vec<&'a str>,
    e_organisation: Vec<Uuid>,
    e_orgnr: Vec<Option<&'a str>>,
    e_kommunenummer: Vec<Option<&'a str>>,
    e_related: Vec<Option<String>>,
    e_class: Vec<i16>,
    e_data: Vec<&'a [u8]>,
    e_payload: Vec<&'a str>,
    /// The last command on each aggregate.
    last: HashMap<Uuid, i32>,
}

// === impl Columns ===

impl<'a> Columns<'a> {
    fn with_capacity(commands: usize, events: usize) -> Self {
        Self {
            command_id: Vec::with_capacity(commands),
            aggregate_id: Vec::with_capacity(commands),
            e_data: Vec::with_capacity(events),
            e_payload: Vec::with_capacity(events),
            last: HashMap::with_capacity(commands),
            ..Self::default()
        }
    }

    fn command(&mut self, ordinal: i32, command: &'a Append) {
        self.command_id.push(command.command_id);
        self.aggregate_type.push(command.aggregate_type);
        self.aggregate_id.push(command.aggregate_id);
        self.expected.push(signed(command.expected));
        let events = i32::try_from(command.events.len()).expect("a command gives a handful of events");
        self.through
            .push(self.through.last().copied().unwrap_or_default() + events);
        self.follows.push(self.last.insert(command.aggregate_id, ordinal));
        self.correlation.push(command.correlation_id);
        self.causation.push(command.causation.map(|(id, _)| id));
        self.causation_position
            .push(command.causation.map(|(_, position)| signed(position)));
        self.actor.push(&command.actor);
        self.traceparent.push(command.traceparent.as_deref());
        self.occurred_at.push(command.occurred_at.to_sqlx());
    }

    fn event(&mut self, ordinal: i32, event: &'a NewEvent) {
        self.e_command.push(ordinal);
        self.e_id.push(event.id);
        self.e_name.push(event.name);
        self.e_organisation.push(event.organisation_id);
        self.e_orgnr.push(event.orgnr.as_deref());
        self.e_kommunenummer.push(event.kommunenummer.as_deref());
        // PostgreSQL has no arrays of arrays of different length: each list travels as the text of an array.
        self.e_related.push((!event.related.is_empty()).then(|| {
            let ids: Vec<_> = event.related.iter().map(Uuid::to_string).collect();
            format!("{{{}}}", ids.join(","))
        }));
        self.e_class
            .push(i16::try_from(event.class as i32).expect("classes are 1 to 4"));
        self.e_data.push(&event.data);
        self.e_payload.push(&event.payload);
    }
}

/// Whether a JSON text has the escape of a NUL character, which PostgreSQL cannot store; the same letters after a backslash
/// of their own are text.
pub(crate) fn holds_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        before.is_multiple_of(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_told_from_the_letters_of_its_escape() {
        for (text, is_held) in [
            ("a\0b", true),
            ("\\\0", true),
            ("\\u0000", false),
            ("\\\\u0000 0000", false),
        ] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(holds_nul(&json), is_held, "{json}");
        }
    }
}
