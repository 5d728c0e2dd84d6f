//! The same command again changes nothing, and above all no signature.

use ryggrad_proto::registration::v1 as pb;

use super::{HASH, KARI, LIV, OLA, attached, case, request, signed_by, signer};
use crate::registration_case::{Event, Status};

const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Partly signed, and signed by everybody.
fn signed() -> [Vec<Event>; 2] {
    [signed_by(&[KARI]), signed_by(&[KARI, OLA, LIV])]
}

#[test]
fn the_same_signers_and_roles_are_not_asked_again() {
    for past in signed() {
        case(past.clone()).when(request()).then(&[]);
        let fewer = pb::RequestSignatures {
            signers: vec![signer(KARI, "LEDE")],
            ..request()
        };
        case(past)
            .when(fewer)
            .then_names(&["SignaturesReset", "SignaturesRequested"]);
    }
}

#[test]
fn the_same_document_again_is_no_change_and_another_is() {
    let attach = |hash: &str| pb::AttachDocument {
        kind: pb::DocumentKind::Vedtekter.into(),
        hash: hash.into(),
        ..Default::default()
    };
    for past in signed() {
        case(past.clone()).when(attach(HASH)).then(&[]);
        case(past.clone()).when(attach(&HASH.to_uppercase())).then(&[]);
        let (_, replaced) = case(past.clone()).when(attach(OTHER)).then_names(&[
            "DocumentAttached",
            "SignaturesReset",
            "SignaturesRequested",
        ]);
        // Back to the first one is a change of the other.
        let changed: Vec<_> = past.into_iter().chain(replaced).collect();
        case(changed).when(attach(HASH)).then_names(&["DocumentAttached"]);
    }
}

#[test]
fn the_same_declaration_again_is_no_change_and_another_is() {
    let declare = |elected_by: &str| pb::DeclareBoardElection {
        elected_by: elected_by.into(),
        minutes_exist: true,
        declared_by: KARI.into(),
        ..Default::default()
    };
    let (_, declared) = case(signed_by(&[]))
        .when(declare("årsmøte"))
        .then_names(&["BoardElectionDeclared"]);
    let mut past = signed_by(&[]);
    past.extend(declared);
    past.push(super::signed(KARI));
    case(past.clone()).when(declare("årsmøte")).then(&[]);
    case(past).when(declare("ekstraordinært årsmøte")).then_names(&[
        "BoardElectionDeclared",
        "SignaturesReset",
        "SignaturesRequested",
    ]);
}

#[test]
fn nothing_is_attached_to_a_case_that_is_over_not_even_again() {
    let mut past = signed_by(&[KARI]);
    past.push(pb::RegistrationWithdrawn::default().into());
    let attach = pb::AttachDocument {
        kind: pb::DocumentKind::Vedtekter.into(),
        hash: HASH.into(),
        ..Default::default()
    };
    case(past).when(attach).then_refused("R-0.99", "WrongState");
}

#[test]
fn a_case_knows_the_kinds_of_its_documents() {
    let (state, _) = case(vec![super::drafted(), attached(pb::DocumentKind::Vedtekter)])
        .when(pb::AttachDocument {
            kind: pb::DocumentKind::Vedtekter.into(),
            hash: OTHER.into(),
            ..Default::default()
        })
        .then_names(&["DocumentAttached"]);
    assert_eq!(state.status, Status::Draft);
    let answer = state.answer(uuid::Uuid::nil(), 3, 3);
    assert_eq!(answer.documents, [i32::from(pb::DocumentKind::Vedtekter)]);
}
