//! The log in itself: dense from 1, contiguous per aggregate, every event under its command's receipt, JSON equal to bytes.

use std::collections::HashMap;

use indicatif::ProgressBar;
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::event::COLUMNS;
use serde_json::Value;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::{Checked, Difference};

/// How many events are read at once.
const PAGE: i64 = 5_000;

pub(super) async fn check(pool: &PgPool, head: u64, bar: &ProgressBar) -> anyhow::Result<Checked> {
    let mut sequences: HashMap<Uuid, u64> = HashMap::new();
    let mut last = 0_u64;
    let sql = format!("select {COLUMNS}, payload from log.events where position > $1 order by position limit $2");
    while last < head {
        let rows = sqlx::query(&sql)
            .bind(i64::try_from(last)?)
            .bind(PAGE)
            .fetch_all(pool)
            .await?;
        if rows.is_empty() {
            return Ok(Err(Difference::at(
                last + 1,
                format!("the head is at {head}, and this event is missing"),
            )));
        }
        for row in &rows {
            let event = Recorded::from_row(row)?;
            if let Err(difference) = follows(&event, last, &mut sequences)
                .and_then(|()| says_the_same(&event, &row.try_get::<Value, _>("payload").unwrap_or_default()))
            {
                return Ok(Err(difference));
            }
            last = event.position;
        }
        bar.set_position(last);
    }
    Ok(receipts(pool, head).await?.map(|()| {
        format!(
            "{head} events, dense; {} aggregates, contiguous; every receipt holds",
            sequences.len()
        )
    }))
}

/// Whether an event stands where it must, in the log and in its aggregate.
fn follows(event: &Recorded, last: u64, sequences: &mut HashMap<Uuid, u64>) -> Result<(), Difference> {
    if event.position != last + 1 {
        return Err(Difference::at(
            last + 1,
            format!("no such event; the next one is at {}", event.position),
        ));
    }
    let sequence = sequences.entry(event.aggregate_id).or_default();
    *sequence += 1;
    if event.sequence != *sequence {
        return Err(Difference::at(
            event.position,
            format!(
                "aggregate {} goes from {} to {}",
                event.aggregate_id,
                *sequence - 1,
                event.sequence
            ),
        ));
    }
    Ok(())
}

/// Whether the bytes and the JSON are the same event.
fn says_the_same(event: &Recorded, payload: &Value) -> Result<(), Difference> {
    let Some(kind) = ryggrad_proto::event_type(&event.context, &event.name) else {
        return Err(Difference::at(
            event.position,
            format!("no contract has an event {}.{}", event.context, event.name),
        ));
    };
    let decoded = kind
        .json(&event.data)
        .map_err(|error| Difference::at(event.position, format!("the bytes are not a {}: {error}", event.name)))?;
    if decoded != *payload {
        return Err(Difference::at(
            event.position,
            format!("the JSON of {} is not what its bytes say", event.name),
        ));
    }
    Ok(())
}

/// Whether every event lies within the positions of its command's receipt.
async fn receipts(pool: &PgPool, head: u64) -> anyhow::Result<Result<(), Difference>> {
    let sql = "select e.position from log.events e
                where e.position <= $1 and not exists
                      (select from log.commands c where c.command_id = e.command_id and e.position between c.first_position and c.last_position)
                order by e.position limit 1";
    let stray: Option<i64> = sqlx::query_scalar(sql)
        .bind(i64::try_from(head)?)
        .fetch_optional(pool)
        .await?;
    Ok(match stray {
        Some(position) => Err(Difference::at(position.unsigned_abs(), "no receipt covers this event")),
        None => Ok(()),
    })
}
