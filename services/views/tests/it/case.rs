//! Queries of registration cases.

use ryggrad_proto::registration::v1::registration_case_event::Event;
use ryggrad_proto::registration::v1::{
    Address, RegistrationConfirmed, RegistrationContent, RegistrationDrafted, RegistrationWithdrawn,
};
use ryggrad_proto::views::v1::{GetRegisterCaseRequest, ListRegisterCasesRequest, RegisterCase};
use tonic::Code;
use uuid::Uuid;

use crate::world::{About, Organisation, World, field, fresh};

/// Begins a case of an organisation in a municipality; answers its id and the position.
async fn begin(world: &World, organisation: &Organisation, kommunenummer: &str) -> (Uuid, u64) {
    let id = fresh();
    let content = RegistrationContent {
        name: organisation.name.clone(),
        forretningsadresse: Some(Address {
            kommunenummer: kommunenummer.into(),
            ..Address::default()
        }),
        ..RegistrationContent::default()
    };
    let drafted = RegistrationDrafted {
        case_id: id.to_string(),
        organisation_id: organisation.id.to_string(),
        registers: vec!["ER".into()],
        content: Some(content),
        ..RegistrationDrafted::default()
    };
    let position = world
        .append("RegistrationCase", id, 0, &about(organisation), &[Event::from(drafted)])
        .await;
    (id, position)
}

fn about(organisation: &Organisation) -> About {
    About {
        organisation: organisation.id,
        orgnr: None,
        related: Vec::new(),
    }
}

fn ids(cases: &[RegisterCase]) -> Vec<Uuid> {
    cases.iter().map(|case| case.case_id.parse().expect("a UUID")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_listed_newest_first_and_filtered() {
    let mut world = World::begin().await;
    let (one, other) = (Organisation::nth(1), Organisation::nth(2));
    let (a, _) = begin(&world, &one, "0301").await;
    let (b, _) = begin(&world, &one, "4203").await;
    let (c, _) = begin(&world, &other, "0301").await;
    let confirmed = RegistrationConfirmed {
        register: "ER".into(),
        orgnr: one.orgnr.clone(),
        ..Default::default()
    };
    world
        .append("RegistrationCase", a, 1, &about(&one), &[Event::from(confirmed)])
        .await;
    let at_least = world
        .append(
            "RegistrationCase",
            c,
            1,
            &about(&other),
            &[Event::from(RegistrationWithdrawn::default())],
        )
        .await;
    let all = ListRegisterCasesRequest {
        at_least,
        ..ListRegisterCasesRequest::default()
    };
    for (request, expected) in [
        (all.clone(), vec![c, b, a]),
        (
            ListRegisterCasesRequest {
                organisation: one.id.to_string(),
                ..all.clone()
            },
            vec![b, a],
        ),
        (
            ListRegisterCasesRequest {
                organisation: one.orgnr.clone(),
                ..all.clone()
            },
            vec![a],
        ),
        (
            ListRegisterCasesRequest {
                kommunenummer: "0301".into(),
                ..all.clone()
            },
            vec![c, a],
        ),
        (
            ListRegisterCasesRequest {
                states: vec!["draft".into(), "withdrawn".into()],
                ..all.clone()
            },
            vec![c, b],
        ),
    ] {
        let answer = world
            .client
            .list_register_cases(request.clone())
            .await
            .expect("an answer")
            .into_inner();
        assert_eq!(ids(&answer.register_cases), expected, "{request:?}");
        assert!(answer.next_page_token.is_empty() && answer.as_of >= at_least);
    }
    let first = world
        .client
        .list_register_cases(ListRegisterCasesRequest {
            page_size: 2,
            ..all.clone()
        })
        .await
        .expect("a page")
        .into_inner();
    let rest = ListRegisterCasesRequest {
        page_token: first.next_page_token,
        page_size: 2,
        ..all
    };
    let rest = world
        .client
        .list_register_cases(rest)
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(
        (ids(&first.register_cases), ids(&rest.register_cases)),
        (vec![c, b], vec![a])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_read_by_its_id() {
    let mut world = World::begin().await;
    let (id, at_least) = begin(&world, &Organisation::nth(1), "0301").await;
    let answer = world
        .client
        .get_register_case(GetRegisterCaseRequest {
            case_id: id.to_string(),
            at_least,
        })
        .await
        .expect("the case")
        .into_inner();
    let case = answer.register_case.expect("the case");
    assert_eq!(
        (case.state.as_str(), case.position, answer.as_of),
        ("draft", at_least, at_least)
    );
    let unknown = GetRegisterCaseRequest {
        case_id: fresh().to_string(),
        at_least,
    };
    assert_eq!(
        world
            .client
            .get_register_case(unknown)
            .await
            .expect_err("no such case")
            .code(),
        Code::PermissionDenied
    );
    let refused = world
        .client
        .get_register_case(GetRegisterCaseRequest {
            case_id: "7".into(),
            at_least,
        })
        .await
        .expect_err("no UUID");
    assert_eq!(field(&refused), "case_id");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_by_their_field() {
    let mut world = World::begin().await;
    let none = ListRegisterCasesRequest::default();
    for (request, expected) in [
        (
            ListRegisterCasesRequest {
                organisation: "x".into(),
                ..none.clone()
            },
            "organisation",
        ),
        (
            ListRegisterCasesRequest {
                states: vec!["draft".into(), "lost".into()],
                ..none.clone()
            },
            "states[1]",
        ),
        (
            ListRegisterCasesRequest {
                kommunenummer: "0104".into(),
                ..none.clone()
            },
            "kommunenummer",
        ),
        (
            ListRegisterCasesRequest {
                page_token: "00".into(),
                ..none.clone()
            },
            "page_token",
        ),
    ] {
        let refused = world.client.list_register_cases(request).await.expect_err("refused");
        assert_eq!(field(&refused), expected);
    }
}
