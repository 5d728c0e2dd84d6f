//! From the idea to Frivillighetsregisteret, with what happens by itself: reactions, timers and the register authority.

use std::time::Duration;

use jiff::ToSpan as _;
use ryggrad_proto::common::v1::{CommandMeta, Receipt};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::founder::Founder;
use ryggrad_proto::registration::v1::registration_service_server::RegistrationService as _;
use ryggrad_proto::registration::v1::role_holder::Holder;
use ryggrad_registration::register::simulator::Simulator;
use ryggrad_testkit::eventually;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::support::{World, as_organisation, as_the_app, world};

const SOON: Duration = Duration::from_secs(20);
pub(crate) const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
pub(crate) const KARI: &str = "5f0c8d4e-0b1a-4c3d-9e2f-0000000000b1";
pub(crate) const OLA: &str = "5f0c8d4e-0b1a-4c3d-9e2f-0000000000b2";

#[track_caller]
pub(crate) fn done(answer: Result<Response<Receipt>, Status>) -> Receipt {
    match answer {
        Ok(receipt) => receipt.into_inner(),
        Err(status) => panic!("{status}"),
    }
}

fn sketch(command_id: &str) -> pb::SketchInitiative {
    pb::SketchInitiative {
        meta: Some(CommandMeta {
            command_id: command_id.to_owned(),
            ..CommandMeta::default()
        }),
        title: "Sjakk på Tromøy".to_owned(),
        purpose_text: "Spille sjakk hver torsdag".to_owned(),
        kommunenummer: "4203".to_owned(),
        language: "nb".to_owned(),
        ..pb::SketchInitiative::default()
    }
}

/// Waits until an aggregate has events of these names, in this order, and no others.
pub(crate) async fn becomes(world: &World, aggregate: &str, expected: &[&str]) {
    let aggregate = Uuid::try_parse(aggregate).expect("an id");
    eventually(SOON, || async {
        let found = world.events(aggregate).await;
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
}

async fn ready_to_submit(world: &World, organisation_id: &str) -> String {
    let service = &world.service;
    let content = pb::RegistrationContent {
        form: "FLI".to_owned(),
        name: "Tromøy sjakklubb".to_owned(),
        purpose: "Fremme sjakk".to_owned(),
        stiftelsesdato: "2026-03-01".to_owned(),
        forretningsadresse: Some(pb::Address {
            kommunenummer: "4203".to_owned(),
            ..pb::Address::default()
        }),
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
        ..pb::RegistrationContent::default()
    };
    let draft = pb::DraftRegistration {
        organisation_id: organisation_id.to_owned(),
        registers: vec!["ER".to_owned(), "FR".to_owned()],
        kind: pb::CaseKind::New.into(),
        content: Some(content),
        ..pb::DraftRegistration::default()
    };
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
    let role = |code: &str, who: &str| pb::RoleHolder {
        role_code: code.to_owned(),
        holder: Some(Holder::PersonRef(who.to_owned())),
        ..pb::RoleHolder::default()
    };
    let request = pb::RequestSignatures {
        case_id: case_id.clone(),
        roles: vec![role("LEDE", KARI), role("MEDL", OLA), role("KONT", KARI)],
        signers: vec![
            pb::Signer {
                person_ref: KARI.to_owned(),
                role_code: "LEDE".to_owned(),
            },
            pb::Signer {
                person_ref: OLA.to_owned(),
                role_code: "MEDL".to_owned(),
            },
        ],
        ..pb::RequestSignatures::default()
    };
    done(service.request_signatures(Request::new(request)).await);
    case_id
}

pub(crate) async fn sign_and_submit(world: &World, case_id: &str) {
    for who in [KARI, OLA] {
        let sign = pb::SignRegistration {
            case_id: case_id.to_owned(),
            person_ref: who.to_owned(),
            eid_level: "idporten-loa-high".to_owned(),
            ..pb::SignRegistration::default()
        };
        done(world.service.sign_registration(Request::new(sign)).await);
    }
    let submit = pb::SubmitRegistration {
        case_id: case_id.to_owned(),
        maalform: "nb".to_owned(),
        ..pb::SubmitRegistration::default()
    };
    done(world.service.submit_registration(Request::new(submit)).await);
}

const UNTIL_SUBMITTED: [&str; 7] = [
    "RegistrationDrafted",
    "DocumentAttached",
    "DocumentAttached",
    "SignaturesRequested",
    "RegistrationSigned",
    "RegistrationSigned",
    "RegistrationSubmitted",
];

fn submitted_and(more: &[&'static str]) -> Vec<&'static str> {
    [&UNTIL_SUBMITTED[..], more].concat()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one journey")]
async fn an_idea_becomes_an_organisation_by_way_of_reactions() {
    as_the_app(async {
        let world = world(Simulator::obliging()).await;
        let service = &world.service;
        let initiative_id = done(service.sketch_initiative(Request::new(sketch(""))).await).aggregate_id;
        let search = pb::SearchExisting {
            initiative_id: initiative_id.clone(),
            outcome: pb::ReviewOutcome::None.into(),
            reason: Some("ingen sjakk her".to_owned()),
            ..pb::SearchExisting::default()
        };
        done(service.search_existing(Request::new(search)).await);
        let proceed = pb::ProceedToFounding {
            initiative_id: initiative_id.clone(),
            proposed_form: "FLI".to_owned(),
            ..pb::ProceedToFounding::default()
        };
        done(service.proceed_to_founding(Request::new(proceed)).await);
        let asked = pb::GetInitiativeRequest {
            initiative_id,
            at_least: 0,
        };
        let initiative = service
            .get_initiative(Request::new(asked))
            .await
            .expect("an initiative");
        let founding_id = initiative.into_inner().founding_id;
        becomes(&world, &founding_id, &["FoundingPlanned"]).await;

        let convene = pb::ConveneFoundingMeeting {
            founding_id: founding_id.clone(),
            date: "2026-03-02".to_owned(),
            digital: true,
            agenda: vec!["Stiftelse".to_owned()],
            ..pb::ConveneFoundingMeeting::default()
        };
        done(service.convene_founding_meeting(Request::new(convene)).await);
        let founder = |who: &str| pb::Founder {
            founder: Some(Founder::PersonRef(who.to_owned())),
        };
        let meeting = pb::RecordFoundingMeeting {
            founding_id: founding_id.clone(),
            date: "2026-03-02".to_owned(),
            place: "digital".to_owned(),
            founders: vec![founder(KARI), founder(OLA)],
            votes_for: 2,
            votes_cast: 2,
            purpose: "Fremme sjakk".to_owned(),
            ..pb::RecordFoundingMeeting::default()
        };
        done(service.record_founding_meeting(Request::new(meeting)).await);
        let bylaws = pb::AdoptBylaws {
            founding_id: founding_id.clone(),
            vedtektsdato: "2026-03-02".to_owned(),
            content_checklist: Some(pb::BylawsChecklist {
                name: true,
                purpose: true,
                annual_meeting: true,
                board_and_election: true,
                amendment: true,
                termination: true,
                surplus_to_purpose: true,
                no_owners: true,
            }),
            document_hash: HASH.to_owned(),
            purpose: "Fremme sjakk".to_owned(),
            ..pb::AdoptBylaws::default()
        };
        done(service.adopt_bylaws(Request::new(bylaws)).await);
        let role = |code: &str, who: &str| pb::RoleHolder {
            role_code: code.to_owned(),
            holder: Some(Holder::PersonRef(who.to_owned())),
            ..pb::RoleHolder::default()
        };
        let elect = pb::ElectInterimBoard {
            founding_id: founding_id.clone(),
            roles: vec![role("LEDE", KARI), role("MEDL", OLA)],
            body: "stiftelsesmøte".to_owned(),
            minutes_hash: HASH.to_owned(),
            interim: true,
            ..pb::ElectInterimBoard::default()
        };
        done(service.elect_interim_board(Request::new(elect)).await);
        for who in [KARI, OLA] {
            let sign = pb::SignFoundingDocument {
                founding_id: founding_id.clone(),
                signer: who.to_owned(),
                method: pb::SigningMethod::Electronic.into(),
                document_hash: HASH.to_owned(),
                ..pb::SignFoundingDocument::default()
            };
            done(service.sign_founding_document(Request::new(sign)).await);
        }
        let complete = pb::CompleteFounding {
            founding_id: founding_id.clone(),
            name: "Tromøy sjakklubb".to_owned(),
            kommunenummer: "4203".to_owned(),
            ..pb::CompleteFounding::default()
        };
        done(service.complete_founding(Request::new(complete)).await);
        let asked = pb::GetFoundingRequest {
            founding_id,
            at_least: 0,
        };
        let founding = service.get_founding(Request::new(asked)).await.expect("a founding");
        let organisation_id = founding.into_inner().organisation_id;
        becomes(&world, &organisation_id, &["OrganisationOpened"]).await;
    })
    .await;
}

#[tokio::test]
async fn the_register_answers_and_case_and_organisation_agree() {
    as_the_app(async {
        let world = world(Simulator::obliging()).await;
        let organisation_id = Uuid::from_u128(0x0195_8f6e_7c00_7000_8000_0000_0000_00d2).to_string();
        let case_id = ready_to_submit(&world, &organisation_id).await;
        sign_and_submit(&world, &case_id).await;
        becomes(&world, &organisation_id, &["VoluntaryRegistrationApplied"]).await;
        world.later(30.days()).await;
        becomes(
            &world,
            &organisation_id,
            &[
                "VoluntaryRegistrationApplied",
                "OrganisationRegistered",
                "VoluntaryRegistrationEntered",
            ],
        )
        .await;
        becomes(
            &world,
            &case_id,
            &submitted_and(&[
                "RegistrationReviewStarted",
                "RegistrationConfirmed",
                "RegistrationConfirmed",
            ]),
        )
        .await;
        let request = || {
            Request::new(pb::GetCaseRequest {
                case_id: case_id.clone(),
                at_least: 0,
            })
        };
        // Now that there is an organisation with a number, it is its own to see: the app needs a mandate.
        let denied = world.service.get_case(request()).await.expect_err("no mandate");
        assert_eq!(denied.code(), Code::PermissionDenied);
        let orgnr = world.orgnr(&organisation_id).await;
        let case = as_organisation(&orgnr, world.service.get_case(request())).await;
        let case = case.expect("the case").into_inner();
        assert_eq!(case.state(), pb::CaseState::Registered);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_by_frivillighetsregisteret_reaches_the_case_and_its_appeal_period_ends() {
    as_the_app(async {
        let world = world(Simulator {
            rejection_rate: 1.0,
            ..Simulator::obliging()
        })
        .await;
        let organisation_id = Uuid::from_u128(0x0195_8f6e_7c00_7000_8000_0000_0000_00d3).to_string();
        let case_id = ready_to_submit(&world, &organisation_id).await;
        sign_and_submit(&world, &case_id).await;
        becomes(&world, &organisation_id, &["VoluntaryRegistrationApplied"]).await;
        world.later(30.days()).await;
        becomes(
            &world,
            &organisation_id,
            &[
                "VoluntaryRegistrationApplied",
                "OrganisationRegistered",
                "VoluntaryRegistrationRefused",
            ],
        )
        .await;
        let decided = [
            "RegistrationReviewStarted",
            "RegistrationConfirmed",
            "RegistrationRejected",
        ];
        becomes(&world, &case_id, &submitted_and(&decided)).await;
        world.later(4.weeks()).await;
        becomes(
            &world,
            &case_id,
            &submitted_and(&[&decided[..], &["AppealPeriodEnded"]].concat()),
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_application_leaves_the_organisation_as_it_was() {
    as_the_app(async {
        let world = world(Simulator::default()).await;
        let organisation_id = Uuid::from_u128(0x0195_8f6e_7c00_7000_8000_0000_0000_00d5).to_string();
        let case_id = ready_to_submit(&world, &organisation_id).await;
        sign_and_submit(&world, &case_id).await;
        becomes(&world, &organisation_id, &["VoluntaryRegistrationApplied"]).await;
        let withdraw = pb::WithdrawRegistration {
            case_id,
            ..pb::WithdrawRegistration::default()
        };
        done(world.service.withdraw_registration(Request::new(withdraw)).await);
        let ended = ["VoluntaryRegistrationApplied", "VoluntaryApplicationEnded"];
        becomes(&world, &organisation_id, &ended).await;
        let asked = pb::GetOrganisationRequest {
            organisation_id,
            at_least: 0,
        };
        let organisation = world.service.get_organisation(Request::new(asked)).await;
        let voluntary = organisation.expect("an organisation").into_inner().voluntary();
        assert_eq!(voluntary, pb::VoluntaryState::Unspecified);
    })
    .await;
}

#[tokio::test]
async fn unsigned_cases_are_reminded_three_times_and_lapse() {
    as_the_app(async {
        let world = world(Simulator::obliging()).await;
        let organisation_id = Uuid::from_u128(0x0195_8f6e_7c00_7000_8000_0000_0000_00d4).to_string();
        let case_id = ready_to_submit(&world, &organisation_id).await;
        let requested = &UNTIL_SUBMITTED[..4];
        let mut expected = requested.to_vec();
        for days in [3, 4, 7] {
            world.later(days.days()).await;
            expected.push("SignaturesReminded");
            becomes(&world, &case_id, &expected).await;
        }
        world.later(17.days()).await;
        expected.push("RegistrationLapsed");
        becomes(&world, &case_id, &expected).await;
    })
    .await;
}

#[tokio::test]
async fn an_idea_nobody_touches_is_paused_then_expired() {
    as_the_app(async {
        let world = world(Simulator::obliging()).await;
        let initiative_id = done(world.service.sketch_initiative(Request::new(sketch(""))).await).aggregate_id;
        world.later(181.days()).await;
        becomes(&world, &initiative_id, &["InitiativeSketched", "InitiativePaused"]).await;
        world.later(185.days()).await;
        becomes(
            &world,
            &initiative_id,
            &["InitiativeSketched", "InitiativePaused", "InitiativeExpired"],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_same_command_id_has_one_effect() {
    as_the_app(async {
        let world = world(Simulator::obliging()).await;
        let id = Uuid::from_u128(0x0195_8f6e_7c00_7000_8000_0000_0000_00c1).to_string();
        let first = done(world.service.sketch_initiative(Request::new(sketch(&id))).await);
        let again = done(world.service.sketch_initiative(Request::new(sketch(&id))).await);
        assert_eq!(
            (first.aggregate_id, first.position, false),
            (again.aggregate_id, again.position, first.duplicate)
        );
        assert!(again.duplicate);
    })
    .await;
}

#[tokio::test]
async fn a_query_answers_what_was_written_and_says_when_nothing_was() {
    as_the_app(async {
        let world = world(Simulator::obliging()).await;
        let receipt = done(world.service.sketch_initiative(Request::new(sketch(""))).await);
        let request = pb::GetInitiativeRequest {
            initiative_id: receipt.aggregate_id,
            at_least: receipt.position,
        };
        let found = world
            .service
            .get_initiative(Request::new(request))
            .await
            .expect("the initiative")
            .into_inner();
        assert_eq!(
            (found.title.as_str(), found.version, found.state()),
            ("Sjakk på Tromøy", 1, pb::InitiativeState::Sketched)
        );
        assert!(found.as_of >= receipt.position);
        let nothing = pb::GetInitiativeRequest {
            initiative_id: Uuid::from_u128(7).to_string(),
            at_least: 0,
        };
        let status = world
            .service
            .get_initiative(Request::new(nothing))
            .await
            .expect_err("nothing there");
        // Who may not see an initiative is not told whether there is one.
        assert_eq!(status.code(), Code::PermissionDenied);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_names_its_rule_and_says_what_to_do() {
    as_the_app(async {
        let world = world(Simulator::obliging()).await;
        let initiative_id = done(world.service.sketch_initiative(Request::new(sketch(""))).await).aggregate_id;
        let proceed = pb::ProceedToFounding {
            initiative_id,
            proposed_form: "FLI".to_owned(),
            ..pb::ProceedToFounding::default()
        };
        let status = world
            .service
            .proceed_to_founding(Request::new(proceed))
            .await
            .expect_err("nobody has looked at what exists");
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(
            status.details().windows(6).any(|bytes| bytes == b"R-1.02"),
            "the rule is in the details"
        );
    })
    .await;
}
