//! Every stakeholder before every event type, near and far, with and without what it takes.

use jiff::Timestamp;
use ryggrad_norway::OrgNumber;
use ryggrad_proto::events::v1::EventFilter;

use super::*;
use crate::caller::{Identity, Scopes, SystemUser};
use crate::matrix::MATRIX;
use crate::party::Party;
use crate::vocabulary::Vocabulary;

const ITS_OWN: u32 = 310_000_019;
const ANOTHER: u32 = 310_000_027;
const KOMMUNE: u16 = 4203;

fn orgnr(number: u32) -> OrgNumber {
    OrgNumber::parse(&number.to_string()).expect("a number")
}

fn caller(stakeholder: Option<Stakeholder>, scopes: Scopes) -> Caller {
    let parties = stakeholder.into_iter().map(|stakeholder| Party {
        orgnr: orgnr(ITS_OWN),
        stakeholder,
        kommune: None,
        name: String::new(),
    });
    Caller::proved(Identity {
        consumer: orgnr(ITS_OWN),
        supplier: None,
        system_user: None,
        scopes,
        parties: parties.collect(),
        expires: Timestamp::MAX,
    })
}

fn holdings(numbers: &[u32]) -> Holdings {
    Holdings {
        numbers: numbers.iter().copied().collect(),
        ids: HashSet::new(),
    }
}

fn approval(stakeholder: Stakeholder) -> Approval {
    let listed = |event: &ryggrad_proto::EventType| event.views.iter().any(|view| view == stakeholder.code());
    Approval {
        id: Uuid::from_u128(7),
        stakeholder,
        legal_basis: "a law".to_owned(),
        views: stakeholder.grant().views.to_vec(),
        first_position: 10,
        until: None,
        filter: Filter::default(),
        types: ryggrad_proto::catalogue()
            .iter()
            .zip(0..)
            .filter(|(event, _)| listed(event))
            .map(|(_, n)| n)
            .collect(),
        kommune: KOMMUNE,
        within: holdings(&[ANOTHER]),
    }
}

fn gate(caller: Caller, own: &[u32], mandated: &[u32], approvals: Vec<Approval>) -> Gate {
    Gate::new(caller, holdings(own), holdings(mandated), HashSet::new(), approvals)
}

fn key(event: &ryggrad_proto::EventType, orgnr: u32, kommune: u16) -> Key {
    let words = Vocabulary::get();
    Key {
        event_type: words.event_type(&event.context, &event.name).expect("a type"),
        class: u8::try_from(event.class as i32).expect("small"),
        orgnr,
        kommune,
        ..Key::about(Uuid::from_u128(1), None, None)
    }
}

fn all() -> Scopes {
    Scope::all().collect()
}

#[test]
fn without_a_token_open_data_and_nothing_else_is_seen() {
    for event in ryggrad_proto::catalogue() {
        let open = event.class == PrivacyClass::Public;
        assert_eq!(
            Gate::open().passes(99, &key(event, ANOTHER, KOMMUNE)),
            open,
            "{}",
            event.name
        );
    }
}

#[test]
fn a_stakeholder_sees_what_is_listed_for_it_in_its_classes_of_whom_it_reaches() {
    for grant in MATRIX {
        let stakeholder = grant.stakeholder;
        let gate = gate(caller(Some(stakeholder), all()), &[], &[], vec![approval(stakeholder)]);
        for event in ryggrad_proto::catalogue() {
            let listed = event.views.iter().any(|view| view == grant.code) && grant.allows(event.class);
            for (orgnr, kommune, near) in [
                (ANOTHER, KOMMUNE, true),
                (310_000_035, 301, grant.reach == Reach::Everywhere),
            ] {
                let reached = near && grant.can_subscribe();
                let expected = event.class == PrivacyClass::Public || (listed && reached);
                let key = key(event, orgnr, kommune);
                assert_eq!(gate.passes(99, &key), expected, "{} {} {orgnr}", grant.code, event.name);
                let before = event.class == PrivacyClass::Public;
                assert_eq!(
                    gate.passes(9, &key),
                    before,
                    "{} {} before its first position",
                    grant.code,
                    event.name
                );
            }
        }
    }
}

#[test]
fn a_class_needs_its_scope() {
    for event in ryggrad_proto::catalogue() {
        let Some(scope) = Scope::of_class(event.class) else {
            continue;
        };
        let without = Scope::all().filter(|other| *other != scope).collect();
        let gate = gate(caller(None, without), &[ITS_OWN], &[], vec![]);
        let verdict = gate.verdict(99, &key(event, ITS_OWN, 0));
        assert!(
            matches!(verdict, Verdict::NoScope(missing) if missing == scope),
            "{}: {verdict:?}",
            event.name
        );
    }
}

#[test]
fn an_organisation_sees_everything_of_its_own_and_nothing_of_others() {
    let gate = gate(caller(None, all()), &[ITS_OWN], &[], vec![]);
    for event in ryggrad_proto::catalogue() {
        assert!(gate.passes(1, &key(event, ITS_OWN, 0)), "{}", event.name);
        let open = event.class == PrivacyClass::Public;
        assert_eq!(gate.passes(1, &key(event, ANOTHER, 0)), open, "{}", event.name);
    }
}

#[test]
fn a_mandate_opens_everything_but_what_is_confidential() {
    let gate = gate(caller(Some(Stakeholder::Platform), all()), &[], &[ANOTHER], vec![]);
    for event in ryggrad_proto::catalogue() {
        let expected = event.class != PrivacyClass::Conf;
        assert_eq!(gate.passes(1, &key(event, ANOTHER, 0)), expected, "{}", event.name);
    }
}

#[test]
fn a_mandate_takes_no_stakeholder_past_its_own_row() {
    for grant in MATRIX.iter().filter(|grant| grant.stakeholder != Stakeholder::Platform) {
        let known = || caller(Some(grant.stakeholder), all());
        let alone = gate(known(), &[], &[ANOTHER], vec![]);
        let approved = gate(known(), &[], &[ANOTHER], vec![approval(grant.stakeholder)]);
        for event in ryggrad_proto::catalogue() {
            let key = key(event, ANOTHER, KOMMUNE);
            let open = event.class == PrivacyClass::Public;
            assert_eq!(alone.passes(99, &key), open, "{} {}", grant.code, event.name);
            let listed = event.views.iter().any(|view| view == grant.code) && grant.allows(event.class);
            let expected = open || (listed && grant.can_subscribe());
            assert_eq!(approved.passes(99, &key), expected, "{} {}", grant.code, event.name);
        }
        let about = Key::about(Uuid::from_u128(1), Some(&ANOTHER.to_string()), Some("4203"));
        for view in View::all().filter(|view| !view.is_open()) {
            assert!(!alone.view(view, &about).allows(), "{} {}", grant.code, view.name());
            let bounds = alone.bounds(view).expect("a scope");
            assert!(!finds(&bounds, ANOTHER, KOMMUNE), "{} {}", grant.code, view.name());
        }
    }
}

#[test]
fn what_does_not_say_its_class_is_not_open() {
    let registered = ryggrad_proto::event_type("registration", "OrganisationRegistered").expect("a type");
    let unsaid = Key {
        class: 0,
        ..key(registered, ANOTHER, KOMMUNE)
    };
    assert!(!Gate::open().passes(99, &unsaid));
    let brreg = gate(
        caller(Some(Stakeholder::Brreg), all()),
        &[],
        &[],
        vec![approval(Stakeholder::Brreg)],
    );
    assert!(!brreg.passes(99, &unsaid));
    let own = gate(caller(None, all()), &[ANOTHER], &[], vec![]);
    assert!(own.passes(99, &unsaid));
}

#[test]
fn who_would_not_be_shown_it_is_not_told_its_class() {
    let gate = gate(caller(None, Scopes::default()), &[ITS_OWN], &[], vec![]);
    for event in ryggrad_proto::catalogue() {
        if event.class == PrivacyClass::Public {
            continue;
        }
        let verdict = gate.verdict(99, &key(event, ANOTHER, KOMMUNE));
        assert!(matches!(verdict, Verdict::NotCovered), "{}: {verdict:?}", event.name);
    }
}

#[test]
fn every_view_is_for_those_that_the_matrix_names() {
    let near = Key::about(Uuid::from_u128(1), Some(&ANOTHER.to_string()), Some("4203"));
    for grant in MATRIX {
        let gate = gate(
            caller(Some(grant.stakeholder), all()),
            &[],
            &[],
            vec![approval(grant.stakeholder)],
        );
        for view in View::all() {
            let expected = view.is_open() || (grant.can_subscribe() && grant.views.contains(&view));
            assert_eq!(
                gate.view(view, &near).allows(),
                expected,
                "{} {}",
                grant.code,
                view.name()
            );
            assert!(
                Gate::open().view(view, &near).allows() == view.is_open(),
                "anybody {}",
                view.name()
            );
            assert_eq!(
                Gate::open().bounds(view).is_ok(),
                view.is_open(),
                "anybody {}",
                view.name()
            );
        }
    }
}

#[test]
fn a_query_is_bound_as_its_rows_are() {
    let view = View::RegisterCase;
    let everywhere = gate(
        caller(Some(Stakeholder::Brreg), all()),
        &[],
        &[],
        vec![approval(Stakeholder::Brreg)],
    );
    assert_eq!(everywhere.bounds(view).expect("allowed"), Bounds::Everything);
    let own = gate(caller(None, all()), &[ITS_OWN], &[], vec![]);
    let within = Within::Organisations {
        orgnr: vec![ITS_OWN.to_string()],
        ids: vec![],
    };
    assert_eq!(own.bounds(view).expect("allowed"), Bounds::AnyOf(vec![vec![within]]));
}

/// Whether a query with these bounds finds the rows about an organisation.
fn finds(bounds: &Bounds, orgnr: u32, kommune: u16) -> bool {
    let Bounds::AnyOf(any_of) = bounds else { return true };
    let (orgnr, kommune) = (orgnr.to_string(), format!("{kommune:04}"));
    let is_in = |set: &Within| match set {
        Within::Organisations { orgnr: numbers, .. } => numbers.contains(&orgnr),
        Within::Places { kommuner, counties } => {
            kommuner.contains(&kommune) || counties.contains(&kommune[..2].to_owned())
        }
    };
    any_of.iter().any(|sets| sets.iter().all(is_in))
}

#[test]
fn an_approved_filter_binds_views_and_queries_as_it_binds_the_stream() {
    const FAR: u32 = 310_000_035;
    let places = [
        (ANOTHER, KOMMUNE),
        (ANOTHER, 301),
        (FAR, KOMMUNE),
        (FAR, 4204),
        (FAR, 301),
    ];
    let (organisations, numbers) = (vec![ANOTHER.to_string()], vec!["4203".to_owned()]);
    let filters = [
        EventFilter::default(),
        EventFilter {
            organisations: organisations.clone(),
            ..Default::default()
        },
        EventFilter {
            kommunenummer: numbers.clone(),
            ..Default::default()
        },
        EventFilter {
            kommunenummer: vec!["42".to_owned()],
            ..Default::default()
        },
        EventFilter {
            organisations,
            kommunenummer: numbers,
            ..Default::default()
        },
        EventFilter {
            types: vec!["OrganisationRegistered".to_owned()],
            ..Default::default()
        },
        EventFilter {
            classes: vec![PrivacyClass::Org as i32],
            ..Default::default()
        },
    ];
    let mut shown = 0;
    for grant in MATRIX {
        for asked in &filters {
            let approved = Approval {
                filter: Filter::parse(Some(asked)).expect("a filter"),
                ..approval(grant.stakeholder)
            };
            let gate = gate(caller(Some(grant.stakeholder), all()), &[], &[], vec![approved.clone()]);
            for view in grant.views.iter().filter(|view| view.has_rows()) {
                let bounds = gate.bounds(*view).expect("a scope");
                for (orgnr, kommune) in places {
                    let about = Key::about(
                        Uuid::from_u128(1),
                        Some(&orgnr.to_string()),
                        Some(&format!("{kommune:04}")),
                    );
                    let asks_of_events = !asked.types.is_empty() || !asked.classes.is_empty();
                    let expected = !asks_of_events && approved.reaches(&about) && approved.filter.passes(&about);
                    let who = format!("{} {} {asked:?} {orgnr} {kommune}", grant.code, view.name());
                    assert_eq!(gate.view(*view, &about).allows(), expected, "{who}");
                    assert_eq!(finds(&bounds, orgnr, kommune), expected, "{who}");
                    shown += usize::from(expected);
                }
            }
        }
    }
    assert!(shown > 0, "something is approved");
}

#[test]
fn what_the_caller_began_is_its_own_until_it_has_a_number() {
    let mut gate = gate(caller(None, all()), &[ITS_OWN], &[], vec![]);
    let sketched = ryggrad_proto::event_type("registration", "InitiativeSketched").expect("a type");
    let mut begun = key(sketched, 0, KOMMUNE);
    assert!(!gate.passes(1, &begun));
    begun.actor = ITS_OWN;
    gate.notice(&begun);
    begun.actor = 0;
    assert!(gate.passes(2, &begun));
    let mut of_it = Key {
        organisation: Uuid::from_u128(99),
        related: [begun.organisation].into(),
        ..begun.clone()
    };
    assert!(gate.passes(3, &of_it), "what came of it names it");
    of_it.related = [Uuid::from_u128(98)].into();
    assert!(!gate.passes(3, &of_it));
    begun.orgnr = ANOTHER;
    assert!(!gate.passes(3, &begun));
}

#[test]
fn what_a_system_user_began_is_its_customers() {
    let sketched = ryggrad_proto::event_type("registration", "InitiativeSketched").expect("a type");
    let begun = Key {
        actor: ANOTHER,
        ..key(sketched, 0, KOMMUNE)
    };
    let mut identity = caller(None, all()).identity().expect("proved").clone();
    let mut platform = gate(Caller::proved(identity.clone()), &[ITS_OWN], &[], vec![]);
    identity.system_user = Some(SystemUser {
        id: "a2b1".to_owned(),
        organisation: orgnr(ANOTHER),
    });
    let mut customer = gate(Caller::proved(identity), &[ANOTHER], &[], vec![]);
    for gate in [&mut platform, &mut customer] {
        gate.notice(&begun);
    }
    assert!(customer.passes(2, &begun));
    assert!(!platform.passes(2, &begun), "the platform itself began nothing");
}

#[test]
fn resting_on_a_subscription_is_resting_on_that_one() {
    let gate = gate(
        caller(Some(Stakeholder::Brreg), all()),
        &[],
        &[],
        vec![approval(Stakeholder::Brreg)],
    );
    assert!(gate.clone().resting_on(Uuid::from_u128(8)).is_none());
    assert!(gate.resting_on(Uuid::from_u128(7)).is_some());
}
