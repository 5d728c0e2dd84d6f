//! Rows of the log in PostgreSQL's binary COPY format: half the work of reading them as rows.

use ryggrad_proto::Timestamp;
use ryggrad_proto::common::v1::Actor;
use uuid::Uuid;

use crate::envelope::Fields;

/// What every COPY begins with, before its flags and the length of an extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Columns of a row, those of `ryggrad_eventlog::event::COLUMNS`.
const COLUMNS: i16 = 21;
/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const EPOCH: i64 = 946_684_800_000_000;

/// Bytes that are not what PostgreSQL writes for these columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row of the log cannot be read")]
pub(crate) struct Unreadable;

/// What is not in a row as the envelope has it, kept from row to row.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// The actor that was read last: neighbours often have the same.
    actor_text: Vec<u8>,
    actor: Actor,
    related: Vec<Uuid>,
}

/// Bytes that are taken from the front.
struct Input<'a>(&'a [u8]);

// === impl Reader ===

impl Reader {
    /// Reads what one message of the COPY carries, no row or several, and hands each on.
    pub(crate) fn read(&mut self, message: &[u8], mut take: impl FnMut(&Fields<'_>)) -> Result<(), Unreadable> {
        let mut input = Input(message);
        if let Some(header) = message.strip_prefix(SIGNATURE) {
            input = Input(header);
            input.bytes(4)?;
            let extension = input.length()?.ok_or(Unreadable)?;
            input.bytes(extension)?;
        }
        while !input.0.is_empty() {
            match i16::from_be_bytes(input.array()?) {
                -1 => return Ok(()),
                COLUMNS => take(&self.row(&mut input)?),
                _ => return Err(Unreadable),
            }
        }
        Ok(())
    }

    fn row<'s, 'i: 's>(&'s mut self, input: &mut Input<'i>) -> Result<Fields<'s>, Unreadable> {
        let position = input.number()?;
        let event_id = input.id()?;
        let (context, name, aggregate_type) = (input.text()?, input.text()?, input.text()?);
        let (aggregate_id, sequence, organisation_id) = (input.id()?, input.number()?, input.id()?);
        let (occurred_at, recorded_at) = (input.instant()?, input.instant()?);
        let correlation_id = input.id()?;
        let causation_id = input.value()?.map(id).transpose()?;
        let causation_position = input.value()?.map(number).transpose()?.unwrap_or_default();
        let command_id = input.id()?;
        let actor = input.value()?.ok_or(Unreadable)?;
        if actor != self.actor_text {
            self.actor = serde_json::from_slice(actor).map_err(|_| Unreadable)?;
            self.actor_text = actor.to_vec();
        }
        let (orgnr, kommunenummer) = (input.text()?, input.text()?);
        self.related.clear();
        if let Some(array) = input.value()? {
            list(array, &mut self.related)?;
        }
        let class = input.value()?.ok_or(Unreadable)?;
        let class = i16::from_be_bytes(class.try_into().map_err(|_| Unreadable)?).into();
        let traceparent = input.text()?;
        let data = input.value()?.ok_or(Unreadable)?;
        Ok(Fields {
            position,
            event_id,
            context,
            name,
            aggregate_type,
            aggregate_id,
            sequence,
            organisation_id,
            occurred_at,
            recorded_at,
            correlation_id,
            causation_id,
            causation_position,
            command_id,
            actor: &self.actor,
            orgnr,
            kommunenummer,
            related: &self.related,
            class,
            traceparent,
            data,
        })
    }
}

// === impl Input ===

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Unreadable)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.bytes(N)?.try_into().map_err(|_| Unreadable)
    }

    /// The length before a value; none for null.
    fn length(&mut self) -> Result<Option<usize>, Unreadable> {
        Ok(usize::try_from(i32::from_be_bytes(self.array()?)).ok())
    }

    fn value(&mut self) -> Result<Option<&'a [u8]>, Unreadable> {
        self.length()?.map(|length| self.bytes(length)).transpose()
    }

    /// A text; empty for null.
    fn text(&mut self) -> Result<&'a str, Unreadable> {
        std::str::from_utf8(self.value()?.unwrap_or_default()).map_err(|_| Unreadable)
    }

    fn id(&mut self) -> Result<Uuid, Unreadable> {
        id(self.value()?.ok_or(Unreadable)?)
    }

    fn number(&mut self) -> Result<u64, Unreadable> {
        number(self.value()?.ok_or(Unreadable)?)
    }

    fn instant(&mut self) -> Result<Timestamp, Unreadable> {
        let value = self.value()?.ok_or(Unreadable)?.try_into().map_err(|_| Unreadable)?;
        let micros = i64::from_be_bytes(value).checked_add(EPOCH).ok_or(Unreadable)?;
        let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).map_err(|_| Unreadable)?;
        Ok(Timestamp {
            seconds: micros.div_euclid(1_000_000),
            nanos,
        })
    }
}

fn id(value: &[u8]) -> Result<Uuid, Unreadable> {
    Uuid::from_slice(value).map_err(|_| Unreadable)
}

fn number(value: &[u8]) -> Result<u64, Unreadable> {
    let value = i64::from_be_bytes(value.try_into().map_err(|_| Unreadable)?);
    u64::try_from(value).map_err(|_| Unreadable)
}

/// A `uuid[]`: dimensions, whether there are nulls, the type, and for the one dimension its length and first index.
fn list(array: &[u8], ids: &mut Vec<Uuid>) -> Result<(), Unreadable> {
    let mut input = Input(array);
    let dimensions = i32::from_be_bytes(input.array()?);
    input.bytes(8)?;
    if dimensions > 0 {
        input.bytes(8)?;
    }
    while !input.0.is_empty() {
        ids.push(input.id()?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_end_early_are_an_error_and_not_a_panic() {
        let mut message = SIGNATURE.to_vec();
        message.extend([0; 8]);
        message.extend(COLUMNS.to_be_bytes());
        message.extend(8_i32.to_be_bytes());
        for end in 0..message.len() {
            let read = Reader::default().read(&message[..end], |_| panic!("there is no row"));
            let whole = end == 0 || end == SIGNATURE.len() + 8;
            assert_eq!(read.is_ok(), whole, "{end}");
        }
    }

    #[test]
    fn the_trailer_ends_the_rows() {
        assert_eq!(
            Reader::default().read(&(-1_i16).to_be_bytes(), |_| panic!("there is no row")),
            Ok(())
        );
    }
}
