//! Notifications that change nothing, or ask for what cannot be, are answered all the same.

use jiff::ToSpan as _;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event;
use ryggrad_proto::registration::v1::registration_service_server::RegistrationService as _;
use ryggrad_proto::registration::v1::role_holder::Holder;
use ryggrad_registration::register::simulator::Simulator;
use tonic::Request;

use crate::journey::{HASH, KARI, OLA, becomes, done, sign_and_submit};
use crate::support::{World, as_organisation, fresh, world};

const ORGNR: &str = "245915101";

/// An organisation that both registers have.
async fn entered(world: &World) -> String {
    let id = fresh();
    let registered = organisation_event::Event::from(pb::OrganisationRegistered {
        organisation_id: id.to_string(),
        orgnr: ORGNR.to_owned(),
        ..pb::OrganisationRegistered::default()
    });
    let entered = organisation_event::Event::from(pb::VoluntaryRegistrationEntered {
        orgnr: ORGNR.to_owned(),
        ..pb::VoluntaryRegistrationEntered::default()
    });
    let facts = [registered, entered];
    world.record("Organisation", id, None, Some(ORGNR), &facts).await;
    id.to_string()
}

/// Drafts a notification of a new organisation, and sends it signed.
async fn submitted(world: &World, draft: pb::DraftRegistration) -> String {
    let service = &world.service;
    let case_id = done(service.draft_registration(Request::new(draft)).await).aggregate_id;
    for kind in [pb::DocumentKind::Vedtekter, pb::DocumentKind::Stiftelsesdokument] {
        let attach = pb::AttachDocument {
            case_id: case_id.clone(),
            kind: kind.into(),
            hash: HASH.to_owned(),
            ..pb::AttachDocument::default()
        };
        done(service.attach_document(Request::new(attach)).await);
    }
    let board = [("LEDE", KARI), ("MEDL", OLA), ("KONT", KARI)];
    let request = pb::RequestSignatures {
        case_id: case_id.clone(),
        roles: board
            .map(|(code, who)| pb::RoleHolder {
                role_code: code.to_owned(),
                holder: Some(Holder::PersonRef(who.to_owned())),
                ..pb::RoleHolder::default()
            })
            .to_vec(),
        signers: [("LEDE", KARI), ("MEDL", OLA)]
            .map(|(code, who)| pb::Signer {
                person_ref: who.to_owned(),
                role_code: code.to_owned(),
            })
            .to_vec(),
        ..pb::RequestSignatures::default()
    };
    done(service.request_signatures(Request::new(request)).await);
    sign_and_submit(world, &case_id).await;
    case_id
}

fn content() -> pb::RegistrationContent {
    pb::RegistrationContent {
        form: "FLI".to_owned(),
        name: "Tromøy sjakklubb".to_owned(),
        purpose: "Fremme sjakk".to_owned(),
        stiftelsesdato: "2026-03-01".to_owned(),
        forretningsadresse: Some(pb::Address {
            kommunenummer: "4203".to_owned(),
            ..pb::Address::default()
        }),
        ..pb::RegistrationContent::default()
    }
}

/// What comes of a case from the draft to the answer.
async fn answered(world: &World, case_id: &str, answer: &'static str) {
    let expected = [
        "RegistrationDrafted",
        "DocumentAttached",
        "DocumentAttached",
        "SignaturesRequested",
        "RegistrationSigned",
        "RegistrationSigned",
        "RegistrationSubmitted",
        "RegistrationReviewStarted",
        answer,
    ];
    becomes(world, case_id, &expected).await;
}

#[tokio::test]
async fn an_application_of_one_that_is_entered_is_confirmed() {
    let world = world(Simulator::obliging()).await;
    let organisation_id = entered(&world).await;
    let draft = pb::DraftRegistration {
        organisation_id,
        registers: vec!["FR".to_owned()],
        kind: pb::CaseKind::New.into(),
        content: Some(pb::RegistrationContent {
            organisasjonsnummer: ORGNR.to_owned(),
            frivillig_organisasjon: Some(pb::VoluntaryContent {
                icnpo: vec!["1300".to_owned()],
                registreringsrett: Some(pb::Registreringsrett {
                    har_offentlig_flertall_i_styret: Some(false),
                    utdeling_til_fysiske_personer: Some(false),
                    har_utdelinger: Some(false),
                    ..pb::Registreringsrett::default()
                }),
                ..pb::VoluntaryContent::default()
            }),
            ..content()
        }),
        ..pb::DraftRegistration::default()
    };
    let case_id = as_organisation(ORGNR, submitted(&world, draft)).await;
    world.later(30.days()).await;
    answered(&world, &case_id, "RegistrationConfirmed").await;
}

#[tokio::test]
async fn a_second_number_is_refused_and_the_case_is_told() {
    let world = world(Simulator::obliging()).await;
    let organisation_id = entered(&world).await;
    let draft = pb::DraftRegistration {
        organisation_id,
        registers: vec!["ER".to_owned()],
        kind: pb::CaseKind::New.into(),
        content: Some(content()),
        ..pb::DraftRegistration::default()
    };
    let case_id = as_organisation(ORGNR, submitted(&world, draft)).await;
    world.later(30.days()).await;
    answered(&world, &case_id, "RegistrationRejected").await;
}
