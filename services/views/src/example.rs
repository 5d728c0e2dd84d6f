//! Events for the tests of the folds.

use jiff::Timestamp;
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::projection::Projection;
use ryggrad_proto::EventPayload;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::{
    Address, FactOrigin, OrganisationDetails, OrganisationDetailsChanged, OrganisationRegistered,
    VoluntaryRegistrationEntered,
};
use uuid::Uuid;

/// When the first example happens; the nth happens n minutes later.
pub(crate) const BEGIN: &str = "2026-03-02T10:00:00Z";

/// An id that is the same every time.
pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | number)
}

/// An instant so many minutes after [`BEGIN`].
pub(crate) fn minute(minutes: u64) -> Timestamp {
    let begin: Timestamp = BEGIN.parse().expect("an instant");
    begin + jiff::SignedDuration::from_mins(minutes.try_into().expect("few"))
}

/// An event at a position, of an aggregate.
pub(crate) fn event<E: EventPayload>(position: u64, aggregate: &str, aggregate_id: Uuid, event: &E) -> Recorded {
    Recorded {
        position,
        event_id: id(u128::from(position) | 1 << 40),
        context: "registration".into(),
        name: event.name().into(),
        aggregate_type: aggregate.into(),
        aggregate_id,
        sequence: position,
        organisation_id: aggregate_id,
        occurred_at: minute(position),
        recorded_at: minute(position),
        correlation_id: id(1),
        causation_id: None,
        causation_position: None,
        command_id: id(2),
        actor: Actor::default(),
        orgnr: None,
        kommunenummer: None,
        related: Vec::new(),
        class: event.class(),
        traceparent: None,
        data: event.encode().into(),
    }
}

/// An event by its name, with nothing in it.
pub(crate) fn named(context: &str, aggregate: &str, name: &str) -> Recorded {
    use ryggrad_proto::registration::v1::{TrialStarted, initiative_event::Event};
    let event = event(1, aggregate, id(3), &Event::TrialStarted(TrialStarted::default()));
    Recorded {
        context: context.into(),
        name: name.into(),
        class: PrivacyClass::Public,
        data: bytes::Bytes::new(),
        ..event
    }
}

/// Where a fact of the register comes from.
pub(crate) fn brreg() -> FactOrigin {
    let at = |text: &str| text.parse::<Timestamp>().expect("an instant").into();
    FactOrigin {
        source: "brreg-snapshot".into(),
        fetched_at: Some(at("2026-03-01T04:00:00Z")),
        source_updated_at: Some(at("2019-05-06T00:00:00Z")),
        asserted_at: None,
    }
}

/// Every row that the events give, by key.
pub(crate) fn fold<P: Projection>(projection: &P, events: &[Recorded]) -> std::collections::BTreeMap<String, P::Row> {
    let mut rows = std::collections::BTreeMap::new();
    for event in events {
        let keys = projection.keys(event).expect("keys");
        let mut touched: Vec<_> = keys.into_iter().map(|key| (key.clone(), rows.remove(&key))).collect();
        projection.fold_all(&mut touched, event).expect("rows");
        rows.extend(touched.into_iter().filter_map(|(key, row)| Some((key, row?))));
    }
    rows
}

/// Facts about one organisation, one after another.
pub(crate) fn organisation(facts: impl IntoIterator<Item = Event>) -> Vec<Recorded> {
    (1..)
        .zip(facts)
        .map(|(position, fact)| event(position, "Organisation", id(1), &fact))
        .collect()
}

/// A club enters Enhetsregisteret.
pub(crate) fn registered() -> Event {
    let details = OrganisationDetails {
        name: "VANG IDRETTSLAG".into(),
        form: "FLI".into(),
        purpose: "Idrett for alle".into(),
        forretningsadresse: Some(Address {
            kommunenummer: "3403".into(),
            postnummer: "2319".into(),
            ..Address::default()
        }),
        hjemmeside: "www.vang-il.example".into(),
        language: "nb".into(),
        naeringskoder: vec!["93.120".into()],
        sektorkode: "7000".into(),
        antall_ansatte: Some(5),
        stiftelsesdato: "1921-05-01".into(),
        aktivitet: vec!["Idrett".into()],
        ..OrganisationDetails::default()
    };
    OrganisationRegistered {
        organisation_id: id(1).to_string(),
        orgnr: "313000009".into(),
        registreringsdato: "1995-02-19".into(),
        details: Some(details),
        case_id: String::new(),
        origin: Some(brreg()),
    }
    .into()
}

/// The club enters Frivillighetsregisteret.
pub(crate) fn entered() -> Event {
    VoluntaryRegistrationEntered {
        orgnr: "313000009".into(),
        innfoert_dato: "2009-03-01".into(),
        icnpo: vec!["1200".into(), "4100".into()],
        grasrot_deltar_i: true,
        origin: Some(brreg()),
        ..VoluntaryRegistrationEntered::default()
    }
    .into()
}

/// Master data of the club change.
pub(crate) fn changed(fields: &[&str], changed: OrganisationDetails) -> Event {
    OrganisationDetailsChanged {
        orgnr: "313000009".into(),
        changed: Some(changed),
        fields: fields.iter().map(ToString::to_string).collect(),
        effective: "2026-04-01".into(),
        origin: Some(brreg()),
        ..OrganisationDetailsChanged::default()
    }
    .into()
}
