//! The access log: who was shown what, written before it is shown, for the organisation to read.
//!
//! Written by the door that answers, in one command a reading, so that nobody looks without a trace, not even when the
//! process is killed between the two.

use bytes::Bytes;
use jiff::Timestamp;
use ryggrad_access::{Identity, Verdict};
use ryggrad_eventlog::{Append, Clock, NewEvent, WriteError, Writer};
use ryggrad_proto::EventPayload as _;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::ecosystem::v1::ViewAccessed;
use ryggrad_proto::ecosystem::v1::access_log_event::Event;
use ryggrad_proto::options::v1::PrivacyClass;
use sqlx::PgPool;
use uuid::Uuid;

use crate::request::fresh_id;
use crate::{ApiError, current_traceparent};

/// The context of the facts that are written.
const CONTEXT: &str = "ecosystem";
/// Most organisations that one fact names; more become several facts of the same reading.
const ORGANISATIONS: usize = 1_000;

/// Writes the access log. Cheap to clone; clones share a writer.
#[derive(Debug, Clone)]
pub struct Readings {
    writer: Writer,
    clock: Clock,
}

/// Whose facts are shown.
#[derive(Debug, Clone)]
pub enum About {
    /// One organisation's.
    One {
        /// The organisation.
        id: Uuid,
        /// Its number, when it has one.
        orgnr: Option<String>,
    },
    /// Those of several.
    Several(Vec<Uuid>),
}

// === impl Readings ===

impl Readings {
    /// An access log on a pool whose role may append it. Runs on the tokio runtime that it is called on.
    pub fn new(pool: &PgPool, clock: Clock) -> Self {
        Self {
            writer: Writer::spawn(pool, CONTEXT),
            clock,
        }
    }

    /// Whether a reading of this kind is written down: everything that is shown to others than the organisation itself,
    /// and of open data what an authority or another known stakeholder looks at. What anybody can look up without a
    /// token is not.
    pub fn concerns(identity: Option<&Identity>, verdict: Verdict<'_>) -> bool {
        match verdict {
            Verdict::Open => identity.is_some_and(|identity| !identity.parties.is_empty()),
            Verdict::Mandated | Verdict::Approved(_) => true,
            Verdict::Own | Verdict::NoToken | Verdict::NoScope(_) | Verdict::NotCovered => false,
        }
    }

    /// Writes down that a caller is about to be shown facts, when that [`concerns`](Self::concerns) anybody. Durable when
    /// it returns.
    ///
    /// # Errors
    /// When it cannot be written; then nothing may be shown.
    pub async fn record(
        &self,
        identity: Option<&Identity>,
        view: &str,
        verdict: Verdict<'_>,
        about: About,
    ) -> Result<(), ApiError> {
        let Some(identity) = identity.filter(|identity| Self::concerns(Some(identity), verdict)) else {
            return Ok(());
        };
        let now = self.clock.now();
        let reading = fresh_id();
        let events = facts(reading, &shown(identity, view, verdict, now), about)?;
        if events.is_empty() {
            return Ok(());
        }
        let actor = Actor {
            kind: "system".to_owned(),
            r#ref: "access-log".to_owned(),
            ..Actor::default()
        };
        let append = Append {
            command_id: fresh_id(),
            aggregate_type: "AccessLog",
            aggregate_id: reading,
            expected: 0,
            correlation_id: reading,
            causation: None,
            actor: serde_json::to_string(&actor).map_err(ApiError::internal)?,
            traceparent: current_traceparent(),
            occurred_at: now,
            events,
        };
        self.writer
            .append(append)
            .await
            .map(drop)
            .map_err(|error| unwritten(&error))
    }
}

/// Who is shown what, and on which basis; not yet of whom.
fn shown(identity: &Identity, view: &str, verdict: Verdict<'_>, now: Timestamp) -> ViewAccessed {
    let (legal_basis, basis_id) = match verdict {
        Verdict::Approved(approval) => (approval.legal_basis.clone(), approval.id.to_string()),
        Verdict::Mandated => ("mandate".to_owned(), String::new()),
        _ => ("open data".to_owned(), String::new()),
    };
    let stakeholder = match verdict {
        Verdict::Approved(approval) => Some(approval.stakeholder),
        // Whatever else it is: a mandate opens what it opens to a platform.
        Verdict::Mandated => None,
        _ => identity.stakeholders().next(),
    };
    let supplier = identity.supplier.map(|supplier| supplier.as_str().to_owned());
    ViewAccessed {
        reader: identity.consumer.as_str().to_owned(),
        stakeholder: stakeholder
            .map_or("PLATFORM", |stakeholder| stakeholder.code())
            .to_owned(),
        view: view.to_owned(),
        legal_basis,
        basis_id,
        at: Some(now.into()),
        supplier: supplier.unwrap_or_default(),
        ..ViewAccessed::default()
    }
}

/// The facts of a reading: one for one organisation, and for several as many as their number takes.
fn facts(reading: Uuid, shown: &ViewAccessed, about: About) -> Result<Vec<NewEvent>, ApiError> {
    let of = |ids: &[Uuid]| ViewAccessed {
        organisation_ids: ids.iter().map(Uuid::to_string).collect(),
        ..shown.clone()
    };
    match about {
        About::One { id, orgnr } => {
            let event = ViewAccessed {
                orgnr: orgnr.clone().unwrap_or_default(),
                ..of(&[id])
            };
            Ok(vec![fact(event, id, orgnr, Vec::new())?])
        }
        About::Several(ids) => ids
            .chunks(ORGANISATIONS)
            .map(|ids| fact(of(ids), reading, None, ids.to_vec()))
            .collect(),
    }
}

fn fact(
    event: ViewAccessed,
    organisation_id: Uuid,
    orgnr: Option<String>,
    related: Vec<Uuid>,
) -> Result<NewEvent, ApiError> {
    let event = Event::ViewAccessed(event);
    Ok(NewEvent {
        id: fresh_id(),
        name: event.name(),
        organisation_id,
        orgnr,
        kommunenummer: None,
        related,
        class: PrivacyClass::Org,
        data: Bytes::from(ryggrad_proto::EventPayload::encode(&event)),
        payload: event.json().map_err(ApiError::internal)?,
    })
}

fn unwritten(error: &WriteError) -> ApiError {
    tracing::warn!(%error, "the access log cannot be written");
    ApiError::Unavailable {
        what: "nothing is shown that cannot be written to the access log; try again".to_owned(),
        retry_after: std::time::Duration::from_secs(1),
    }
}
