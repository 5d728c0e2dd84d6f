//! Every stakeholder before every event type, near and far, with and without what it takes.

use jiff::Timestamp;
use ryggrad_norway::OrgNumber;

use super::*;
use crate::caller::{Identity, Scopes};
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
    let within = Bounds::Within {
        orgnr: vec![ITS_OWN.to_string()],
        organisations: vec![],
        kommuner: vec![],
    };
    assert_eq!(own.bounds(view).expect("allowed"), within);
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
