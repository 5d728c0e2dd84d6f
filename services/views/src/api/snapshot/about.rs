//! What a row is about, as gates look at it.

use ryggrad_access::{Gate, Key, UNKNOWN, Verdict, View, Vocabulary};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::views::v1::RegisterCase;
use ryggrad_service::ApiError;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// Columns of an event that its key is made of, in a query where the log is called `e`.
pub(super) const COLUMNS: &str = "e.position, e.context, e.name, e.aggregate_type, e.class, e.kommunenummer, e.orgnr, e.actor::text, e.organisation_id, e.related";

/// Whether it makes sense to ask a view that is not open at all: with a token, and its scope.
pub(super) fn may_ask(gate: &Gate, view: View) -> Result<(), ApiError> {
    match gate.view(view, &nothing()) {
        Verdict::NoToken => Err(ApiError::token_missing()),
        Verdict::NoScope(scope) => Err(ApiError::scope_missing(scope)),
        _ => Ok(()),
    }
}

/// The organisation that a case is about.
pub(super) fn case(case: &RegisterCase) -> Key {
    Key {
        kommune: case.kommunenummer.parse().unwrap_or(0),
        orgnr: case.orgnr.parse().unwrap_or(0),
        organisation: case.organisation_id.parse().unwrap_or_default(),
        ..nothing()
    }
}

/// The position and the key of an event, from the columns of [`COLUMNS`].
pub(super) fn event(row: &PgRow) -> Result<(u64, Key), sqlx::Error> {
    let words = Vocabulary::get();
    let text = |column| row.try_get::<&str, _>(column);
    let number = |column| row.try_get::<Option<&str>, _>(column).map(Option::unwrap_or_default);
    let actor: Actor = serde_json::from_str(text("actor")?).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let position: i64 = row.try_get("position")?;
    let key = Key {
        event_type: words.event_type(text("context")?, text("name")?).unwrap_or(UNKNOWN),
        context: words.context(text("context")?).unwrap_or(UNKNOWN),
        aggregate: words.aggregate(text("aggregate_type")?).unwrap_or(UNKNOWN),
        class: u8::try_from(row.try_get::<i16, _>("class")?).unwrap_or(u8::MAX),
        kommune: number("kommunenummer")?.parse().unwrap_or(0),
        orgnr: number("orgnr")?.parse().unwrap_or(0),
        actor: Some(&actor)
            .filter(|actor| actor.authenticated)
            .and_then(|actor| actor.r#ref.parse().ok())
            .unwrap_or(0),
        organisation: row.try_get("organisation_id")?,
        related: row
            .try_get::<Option<Vec<Uuid>>, _>("related")?
            .unwrap_or_default()
            .into(),
    };
    Ok((position.unsigned_abs(), key))
}

/// A key of nobody.
fn nothing() -> Key {
    Key {
        event_type: UNKNOWN,
        context: UNKNOWN,
        aggregate: UNKNOWN,
        class: PrivacyClass::Org as u8,
        kommune: 0,
        orgnr: 0,
        actor: 0,
        organisation: Uuid::nil(),
        related: Box::default(),
    }
}
