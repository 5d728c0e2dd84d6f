//! Who signs, and when signatures fall.

use jiff::{Timestamp, ToSpan as _};
use ryggrad_decider::scenario::context;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::role_holder::Holder;

use super::{
    AUDITOR, KARI, LIV, OLA, attached, case, complete, content, request, role, roles, signed_by, signer, submit,
};
use crate::registration_case::{Event, Status};

fn sign(who: &str) -> pb::SignRegistration {
    pb::SignRegistration {
        person_ref: who.into(),
        eid_level: "idporten-loa-high".into(),
        ..Default::default()
    }
}

fn person(who: &str) -> Actor {
    Actor {
        kind: "person".into(),
        r#ref: who.into(),
        ..Actor::default()
    }
}

/// Handbook 4, first acceptance example.
#[test]
fn three_signers_of_whom_two_have_signed_cannot_submit() {
    let refusal = case(signed_by(&[KARI, OLA]))
        .when(submit())
        .then_refused("R-2.10", "SignaturesMissing");
    assert_eq!(refusal.params, [("n", "1".to_owned())]);
}

#[test]
fn the_last_signature_completes_the_case() {
    let (state, _) = case(signed_by(&[KARI, OLA]))
        .by(person(LIV))
        .when(sign(LIV))
        .then_names(&["RegistrationSigned"]);
    assert!(matches!(state.status, Status::Signed(_)));
}

#[test]
fn a_signature_is_personal() {
    let under_a_mandate = Actor {
        mandate: "m1".into(),
        ..person(KARI)
    };
    let for_another = Actor {
        acting_for: OLA.into(),
        ..person(KARI)
    };
    for actor in [person(OLA), person(""), under_a_mandate, for_another] {
        case(signed_by(&[]))
            .by(actor)
            .when(sign(KARI))
            .then_refused("R-2.10", "SignatureNotPersonal");
    }
    for herself in [person(KARI), person(&KARI.to_uppercase())] {
        case(signed_by(&[]))
            .by(herself)
            .when(sign(KARI))
            .then_names(&["RegistrationSigned"]);
    }
}

fn proved(kind: &str, acting_for: &str, authenticated: bool) -> Actor {
    Actor {
        kind: kind.into(),
        r#ref: AUDITOR.into(),
        acting_for: acting_for.into(),
        mandate: if acting_for.is_empty() {
            String::new()
        } else {
            "m1".into()
        },
        authenticated,
        supplier: String::new(),
    }
}

#[test]
fn a_proved_organisation_or_platform_brings_the_signature_of_a_person() {
    for kind in ["organisation", "platform"] {
        // By itself, and under an organisation's mandate to send commands.
        for acting_for in ["", "245915101"] {
            case(signed_by(&[]))
                .by(proved(kind, acting_for, true))
                .when(sign(KARI))
                .then_names(&["RegistrationSigned"]);
        }
    }
}

#[test]
fn nobody_else_brings_a_signature() {
    let actors = [
        proved("platform", "", false),
        proved("organisation", "", false),
        // A mandate from the signer would be a delegation.
        proved("platform", KARI, true),
        proved("authority", "", true),
        proved("system", "", true),
        Actor::default(),
    ];
    for actor in actors {
        let told = format!("{actor:?}");
        let refusal = case(signed_by(&[]))
            .by(actor)
            .when(sign(KARI))
            .then_refused("R-2.10", "SignatureNotPersonal");
        assert_eq!(refusal.field.as_deref(), Some("person_ref"), "{told}");
    }
}

/// A person whom nobody asked to sign.
const SOMEBODY: &str = "00000000-0000-4000-8000-0000000000b9";

#[test]
fn a_signature_is_electronic_and_of_somebody_who_was_asked() {
    let low = pb::SignRegistration {
        eid_level: "idporten-loa-low".into(),
        ..sign(KARI)
    };
    case(signed_by(&[]))
        .by(person(KARI))
        .when(low)
        .then_refused("R-2.10", "EidTooLow");
    case(signed_by(&[]))
        .by(person(SOMEBODY))
        .when(sign(SOMEBODY))
        .then_refused("R-2.10", "NotASigner");
}

#[test]
fn a_reference_is_the_same_in_every_spelling() {
    let mut request = request();
    request.signers[0].person_ref = KARI.to_uppercase();
    request.roles[0].holder = Some(Holder::PersonRef(KARI.to_uppercase()));
    let (_, events) = case(complete()).when(request).then_names(&["SignaturesRequested"]);
    let mut past = complete();
    past.extend(events);
    case(past)
        .by(person(KARI))
        .when(sign(KARI))
        .then_names(&["RegistrationSigned"]);
}

#[test]
fn signing_twice_is_signing_once() {
    case(signed_by(&[KARI])).by(person(KARI)).when(sign(KARI)).then(&[]);
}

#[test]
fn a_change_after_the_first_signature_resets_all_signatures() {
    for people in [vec![KARI], vec![KARI, OLA, LIV]] {
        let amend = pb::AmendRegistration {
            registers: vec!["ER".into(), "FR".into()],
            content: Some(pb::RegistrationContent {
                name: "Tromøya sjakklubb".into(),
                ..content()
            }),
            kontonummer_token: super::TOKEN.into(),
            ..Default::default()
        };
        let (state, events) = case(signed_by(&people)).when(amend).then_names(&[
            "RegistrationAmended",
            "SignaturesReset",
            "SignaturesRequested",
        ]);
        let Event::SignaturesReset(reset) = &events[1] else {
            panic!("another event")
        };
        assert_eq!(reset.signatures as usize, people.len());
        let Status::AwaitingSignatures(signatures) = state.status else {
            panic!("not awaiting")
        };
        assert_eq!((signatures.signed.len(), signatures.signers.len()), (0, 3));
    }
}

#[test]
fn a_change_before_the_first_signature_resets_nothing() {
    let attach = pb::AttachDocument {
        kind: pb::DocumentKind::Protokoll.into(),
        hash: super::HASH.into(),
        ..Default::default()
    };
    case(signed_by(&[])).when(attach).then_names(&["DocumentAttached"]);
}

#[test]
fn the_whole_board_a_contact_and_all_deputies_are_reported() {
    let with = |roles: Vec<pb::RoleHolder>| pb::RequestSignatures {
        roles,
        signers: vec![signer(KARI, "LEDE")],
        ..Default::default()
    };
    case(complete())
        .when(with(vec![role("LEDE", KARI), role("KONT", KARI)]))
        .then_refused("R-2.08", "BoardMemberMissing");
    case(complete())
        .when(with(vec![role("LEDE", KARI), role("MEDL", OLA)]))
        .then_refused("R-2.07", "ContactMissing");
    case(complete())
        .when(with(vec![role("LEDE", KARI), role("NEST", OLA), role("KONT", KARI)]))
        .then_refused("R-2.08", "RoleNotRegistered");
    let deputies = pb::RequestSignatures {
        elected_deputies: 2,
        ..request()
    };
    let refusal = case(complete())
        .when(deputies.clone())
        .then_refused("R-2.08", "DeputiesMissing");
    assert_eq!(refusal.params, [("n", "2".to_owned())]);
    for contact in ["KONT", "DAGL", "FFØR"] {
        let roles = vec![role("LEDE", KARI), role("MEDL", OLA), role(contact, LIV)];
        case(complete()).when(with(roles)).then_names(&["SignaturesRequested"]);
    }
}

#[test]
fn a_role_is_held_by_a_person_whose_reference_is_known() {
    let mut roles = roles();
    roles[1].holder = None;
    case(complete())
        .when(pb::RequestSignatures { roles, ..request() })
        .then_refused("R-0.00", "InvalidField");
}

#[test]
fn the_chair_is_among_the_signers_and_signers_have_their_roles() {
    let without = pb::RequestSignatures {
        signers: vec![signer(OLA, "MEDL")],
        ..request()
    };
    case(complete()).when(without).then_refused("R-2.10", "ChairMustSign");
    let pretender = pb::RequestSignatures {
        signers: vec![signer(OLA, "LEDE")],
        ..request()
    };
    case(complete())
        .when(pretender)
        .then_refused("R-2.10", "SignerWithoutRole");
}

#[test]
fn other_signers_make_the_first_ones_sign_again() {
    let fewer = pb::RequestSignatures {
        signers: vec![signer(KARI, "LEDE")],
        ..request()
    };
    case(signed_by(&[KARI]))
        .when(fewer)
        .then_names(&["SignaturesReset", "SignaturesRequested"]);
}

#[test]
fn a_case_lapses_after_thirty_days_and_not_before() {
    let (_, events) = case(complete()).when(request()).then_names(&["SignaturesRequested"]);
    let Event::SignaturesRequested(requested) = &events[0] else {
        panic!("another event")
    };
    let due: Timestamp = requested.due_at.expect("a due time").try_into().expect("an instant");
    let mut events = complete();
    events.push(requested.clone().into());
    case(events.clone())
        .at(due - 1.second())
        .when(pb::LapseRegistration::default())
        .then(&[]);
    let (state, _) = case(events.clone())
        .at(due)
        .when(pb::LapseRegistration::default())
        .then_names(&["RegistrationLapsed"]);
    assert_eq!(state.status, Status::Lapsed);
    events.extend([KARI, OLA, LIV].map(super::signed));
    case(events).at(due).when(pb::LapseRegistration::default()).then(&[]);
    assert!(due > context().now + (29 * 24).hours() && due < context().now + (31 * 24).hours());
}

#[test]
fn only_those_who_have_not_signed_are_reminded_and_once_each_time() {
    let remind = |reminder| pb::RemindSigners {
        reminder,
        ..Default::default()
    };
    let (_, events) = case(signed_by(&[OLA]))
        .when(remind(1))
        .then_names(&["SignaturesReminded"]);
    let Event::SignaturesReminded(reminded) = &events[0] else {
        panic!("another event")
    };
    assert_eq!(reminded.person_refs, [KARI, LIV]);
    let mut past = signed_by(&[OLA]);
    past.extend(events);
    case(past).when(remind(1)).then(&[]);
    case(signed_by(&[KARI, OLA, LIV])).when(remind(2)).then(&[]);
}

#[test]
fn a_change_that_leaves_a_gap_is_refused_while_people_sign() {
    let amend = pb::AmendRegistration {
        registers: vec!["ER".into(), "FR".into()],
        content: Some(pb::RegistrationContent {
            name: String::new(),
            ..content()
        }),
        kontonummer_token: super::TOKEN.into(),
        ..Default::default()
    };
    case(signed_by(&[KARI]))
        .when(amend)
        .then_refused("R-2.07", "ContentIncomplete");
    case(vec![super::drafted(), attached(pb::DocumentKind::Vedtekter)])
        .when(submit())
        .then_refused("R-0.99", "WrongState");
}

/// A change of the purpose that two have been asked to sign, without a word on the board.
fn change_without_roles(signed: &[&str]) -> Vec<Event> {
    let drafted = pb::RegistrationDrafted {
        organisation_id: super::ORGANISATION.into(),
        registers: vec!["ER".into()],
        kind: pb::CaseKind::Change.into(),
        content: Some(changed(false)),
        ..Default::default()
    };
    let requested = pb::SignaturesRequested {
        signers: vec![signer(KARI, "LEDE")],
        ..Default::default()
    };
    let mut events: Vec<Event> = vec![drafted.into(), requested.into()];
    events.extend(signed.iter().map(|who| super::signed(who)));
    events.push(
        pb::BoardElectionDeclared {
            minutes_exist: true,
            ..Default::default()
        }
        .into(),
    );
    events
}

fn changed(board: bool) -> pb::RegistrationContent {
    pb::RegistrationContent {
        form: "FLI".into(),
        organisasjonsnummer: "245915101".into(),
        endrer_styret: board,
        ..Default::default()
    }
}

fn amend_to(content: pb::RegistrationContent) -> pb::AmendRegistration {
    pb::AmendRegistration {
        registers: vec!["ER".into()],
        content: Some(content),
        ..Default::default()
    }
}

#[test]
fn a_new_board_is_not_slipped_in_after_signatures_were_requested_without_one() {
    for signed in [&[][..], &[KARI]] {
        let refusal = case(change_without_roles(signed))
            .when(amend_to(changed(true)))
            .then_refused("R-2.08", "BoardNotReported");
        assert_eq!(refusal.field.as_deref(), Some("roles"));
    }
}

#[test]
fn a_board_is_reported_anew_and_then_the_content_follows() {
    let (_, asked) = case(change_without_roles(&[KARI]))
        .when(request())
        .then_names(&["SignaturesReset", "SignaturesRequested"]);
    let mut past = change_without_roles(&[KARI]);
    past.extend(asked);
    case(past)
        .when(amend_to(changed(true)))
        .then_names(&["RegistrationAmended"]);
}

#[test]
fn a_form_that_the_reported_board_does_not_fit_is_refused() {
    let drafted = pb::RegistrationDrafted {
        organisation_id: super::ORGANISATION.into(),
        registers: vec!["ER".into()],
        kind: pb::CaseKind::Change.into(),
        content: Some(pb::RegistrationContent {
            form: "AS".into(),
            ..changed(false)
        }),
        ..Default::default()
    };
    let requested = pb::SignaturesRequested {
        signers: vec![signer(KARI, "LEDE")],
        roles: vec![role("LEDE", KARI), role("DAGL", KARI)],
        ..Default::default()
    };
    case(vec![drafted.into(), requested.into()])
        .when(amend_to(changed(false)))
        .then_refused("R-2.08", "BoardMemberMissing");
}

#[test]
fn a_signed_case_without_the_board_it_is_about_is_not_sent() {
    let mut past = change_without_roles(&[KARI]);
    // As an earlier version let it through.
    let amended = pb::RegistrationAmended {
        registers: vec!["ER".into()],
        content: Some(changed(true)),
        ..Default::default()
    };
    past.push(amended.into());
    case(past).when(submit()).then_refused("R-2.08", "BoardNotReported");
}

#[test]
fn the_bylaws_say_how_large_the_board_is() {
    let sized = |min, max| {
        let mut events = complete();
        let amended = pb::RegistrationAmended {
            registers: vec!["ER".into(), "FR".into()],
            content: Some(pb::RegistrationContent {
                board_size: Some(pb::BoardSize {
                    board_min: min,
                    board_max: max,
                }),
                ..content()
            }),
            ..Default::default()
        };
        events.push(amended.into());
        events
    };
    for (min, max) in [(None, None), (Some(3), Some(3)), (None, Some(9)), (Some(1), None)] {
        case(sized(min, max))
            .when(request())
            .then_names(&["SignaturesRequested"]);
    }
    for (min, max) in [(Some(4), None), (None, Some(2))] {
        let refusal = case(sized(min, max))
            .when(request())
            .then_refused("R-2.08", "BoardSizeNotAsBylaws");
        assert_eq!(refusal.rule.nature, ryggrad_decider::Nature::Bylaws);
    }
}
