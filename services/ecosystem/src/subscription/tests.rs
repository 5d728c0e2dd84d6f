//! The life of a subscription, in sentences.

use ryggrad_decider::scenario::{Given, given};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::ecosystem::v1 as pb;
use ryggrad_proto::events::v1::EventFilter;

use super::{Event, Subscription};

const LOTTSTIFT: &str = "399000203";

fn asked() -> pb::Subscribe {
    pb::Subscribe {
        stakeholder: "LOTTSTIFT".into(),
        legal_basis: "Pengespilloven".into(),
        purpose: "stanse utbetalinger til lag som er slettet".into(),
        after: 41,
        ..pb::Subscribe::default()
    }
}

fn approved() -> Event {
    pb::SubscriptionApproved {
        subscription_id: "s".into(),
        subscriber: LOTTSTIFT.into(),
        ..pb::SubscriptionApproved::default()
    }
    .into()
}

fn ended() -> Event {
    pb::SubscriptionEnded::default().into()
}

fn by_lottstift(events: impl IntoIterator<Item = Event>) -> Given<Subscription> {
    given::<Subscription>(events).by(Actor {
        kind: "authority".into(),
        r#ref: LOTTSTIFT.into(),
        authenticated: true,
        ..Actor::default()
    })
}

#[test]
fn what_is_approved_says_who_why_what_and_from_where() {
    let (state, _) = by_lottstift([]).when(asked()).then_names(&["SubscriptionApproved"]);
    let approved = state.approved().expect("approved");
    assert_eq!(approved.subscriber, LOTTSTIFT);
    // As the matrix spells it, whatever the case that it was asked in.
    assert_eq!(approved.legal_basis, "pengespilloven");
    assert_eq!(approved.gdpr_basis, "6(1)(e)");
    assert_eq!(approved.first_position, 42);
    assert!(
        approved.fields.iter().any(|field| field == "bylaws version"),
        "{:?}",
        approved.fields
    );
}

#[test]
fn a_basis_that_is_not_the_stakeholders_is_refused_with_those_that_are() {
    let law = pb::Subscribe {
        legal_basis: "skatteforvaltningsloven".into(),
        ..asked()
    };
    let refusal = by_lottstift([]).when(law).then_refused("R-0.98", "NoLegalBasis");
    assert!(refusal.text.nb.contains("grasrotforskrift"), "{}", refusal.text.nb);
}

#[test]
fn who_needs_open_data_only_has_nothing_to_subscribe_to() {
    for stakeholder in ["KUD", "POLITI", "CITIZEN", "SSB"] {
        let asked = pb::Subscribe {
            stakeholder: stakeholder.into(),
            ..asked()
        };
        by_lottstift([]).when(asked).then_refused("R-0.98", "OpenDataOnly");
    }
}

#[test]
fn a_type_or_a_view_that_is_for_others_is_refused() {
    let types = |name: &str| pb::Subscribe {
        filter: Some(EventFilter {
            types: vec![name.into()],
            ..EventFilter::default()
        }),
        ..asked()
    };
    by_lottstift([])
        .when(types("RegistrationSigned"))
        .then_refused("R-0.98", "TypeNotCovered");
    by_lottstift([])
        .when(types("BankAccountLinked"))
        .then_names(&["SubscriptionApproved"]);
    by_lottstift([])
        .when(types("OrganisationDeleted"))
        .then_names(&["SubscriptionApproved"]);
    let view = pb::Subscribe {
        views: vec!["register_case".into()],
        ..asked()
    };
    by_lottstift([]).when(view).then_refused("R-0.98", "ViewNotCovered");
}

#[test]
fn a_view_of_states_cannot_be_bound_by_what_only_events_have() {
    let asked = |views: &[&str], filter: EventFilter| pb::Subscribe {
        stakeholder: "BRREG".into(),
        legal_basis: "enhetsregisterloven".into(),
        views: views.iter().map(ToString::to_string).collect(),
        filter: Some(filter),
        ..asked()
    };
    let types = || EventFilter {
        types: vec!["RegistrationSubmitted".into()],
        ..EventFilter::default()
    };
    let classes = EventFilter {
        classes: vec![2],
        ..EventFilter::default()
    };
    let bound = EventFilter {
        organisations: vec!["310000019".into()],
        kommunenummer: vec!["42".into()],
        ..EventFilter::default()
    };
    let cases = ["org_timeline", "register_case"];
    for (filter, field) in [(types(), "filter.types"), (classes, "filter.classes")] {
        let refusal = by_lottstift([])
            .when(asked(&cases, filter))
            .then_refused("R-0.98", "FilterNotOfView");
        assert_eq!(refusal.field.as_deref(), Some(field));
        assert!(refusal.text.nn.contains("register_case"), "{}", refusal.text.nn);
    }
    for (views, filter) in [(&cases[..], bound), (&cases[..1], types()), (&[], types())] {
        by_lottstift([])
            .when(asked(views, filter))
            .then_names(&["SubscriptionApproved"]);
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_named() {
    let asked = pb::Subscribe {
        filter: Some(EventFilter {
            kommunenummer: vec!["9999".into()],
            ..EventFilter::default()
        }),
        ..asked()
    };
    let refusal = by_lottstift([]).when(asked).then_refused("R-0.00", "InvalidField");
    assert_eq!(refusal.field.as_deref(), Some("filter.kommunenummer[0]"));
}

#[test]
fn its_last_day_is_today_at_the_earliest() {
    let until = |day: &str| pb::Subscribe {
        until: Some(day.into()),
        ..asked()
    };
    by_lottstift([])
        .when(until("1999-12-31"))
        .then_refused("R-0.00", "InvalidField");
    by_lottstift([])
        .when(until("2999-02-30"))
        .then_refused("R-0.00", "InvalidField");
    by_lottstift([])
        .when(until("2999-12-31"))
        .then_names(&["SubscriptionApproved"]);
}

#[test]
fn it_is_not_approved_twice_and_ends_once() {
    by_lottstift([approved()])
        .when(asked())
        .then_refused("R-0.99", "WrongState");
    let end = pb::Unsubscribe {
        reason: "nytt fagsystem".into(),
        ..pb::Unsubscribe::default()
    };
    by_lottstift([approved()])
        .when(end.clone())
        .then_names(&["SubscriptionEnded"]);
    by_lottstift([approved(), ended()]).when(end.clone()).then_names(&[]);
    by_lottstift([]).when(end).then_refused("R-0.99", "WrongState");
}
