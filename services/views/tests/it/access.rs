//! Who is shown what, and the trace that it leaves.

use ryggrad_proto::ecosystem::v1::{SubscriptionApproved, SubscriptionEnded, subscription_event};
use ryggrad_proto::registration::v1::RegistrationDrafted;
use ryggrad_proto::registration::v1::registration_case_event::Event as Case;
use ryggrad_proto::views::v1::{
    GetDirectoryEntryRequest, GetRegisterCaseRequest, ListAccessLogRequest, ListRegisterCasesRequest,
    ListSubscriptionsRequest, ListTimelineRequest,
};
use tonic::Code;
use uuid::Uuid;

use crate::world::{About, Organisation, World, fresh};

/// The register authority of the development list.
const BRREG: &str = "399000106";

/// A registered organisation with a case under way.
async fn with_a_case(world: &World) -> (Organisation, Uuid) {
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    let case = fresh();
    let drafted = Case::from(RegistrationDrafted {
        organisation_id: organisation.id.to_string(),
        ..RegistrationDrafted::default()
    });
    world
        .append("RegistrationCase", case, 0, &organisation.about(), &[drafted])
        .await;
    (organisation, case)
}

/// An approved subscription of the register authority to its view of cases.
async fn approve(world: &World) -> (Uuid, u64) {
    let id = fresh();
    let approved = subscription_event::Event::from(SubscriptionApproved {
        subscription_id: id.to_string(),
        subscriber: BRREG.into(),
        stakeholder: "BRREG".into(),
        legal_basis: "enhetsregisterloven".into(),
        views: vec!["register_case".into()],
        first_position: 1,
        ..SubscriptionApproved::default()
    });
    let position = world.append("Subscription", id, 0, &about(id), &[approved]).await;
    (id, position)
}

fn about(subscription: Uuid) -> About {
    About {
        organisation: subscription,
        orgnr: Some(BRREG.into()),
        related: Vec::new(),
    }
}

fn case_request(case: Uuid, at_least: u64) -> GetRegisterCaseRequest {
    GetRegisterCaseRequest {
        case_id: case.to_string(),
        at_least,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_sees_a_case_under_an_approved_subscription_only_and_leaves_a_trace() {
    let world = World::begin().await;
    let (organisation, case) = with_a_case(&world).await;
    let mut brreg = world.client_as("brreg");
    let denied = brreg
        .get_register_case(case_request(case, 0))
        .await
        .expect_err("nothing approved");
    assert_eq!(denied.code(), Code::PermissionDenied);

    let (id, at_least) = approve(&world).await;
    brreg
        .get_register_case(case_request(case, at_least))
        .await
        .expect("approved");
    let listed = brreg
        .list_register_cases(ListRegisterCasesRequest::default())
        .await
        .expect("approved");
    assert_eq!(listed.into_inner().register_cases.len(), 1);

    let mut own = world.client_as(&format!("org:{}", organisation.orgnr));
    let log = own
        .list_access_log(ListAccessLogRequest {
            organisation: organisation.orgnr.clone(),
            at_least: world.head().await,
            ..ListAccessLogRequest::default()
        })
        .await
        .expect("its own access log")
        .into_inner();
    let told: Vec<_> = log
        .entries
        .iter()
        .map(|entry| {
            (
                entry.reader.as_str(),
                entry.view.as_str(),
                entry.legal_basis.as_str(),
                entry.basis_id.as_str(),
            )
        })
        .collect();
    let expected = (BRREG, "register_case", "enhetsregisterloven", id.to_string());
    assert_eq!(told, [(expected.0, expected.1, expected.2, expected.3.as_str()); 2]);

    let ended = subscription_event::Event::from(SubscriptionEnded {
        subscription_id: id.to_string(),
        subscriber: BRREG.into(),
        ..SubscriptionEnded::default()
    });
    world.append("Subscription", id, 1, &about(id), &[ended]).await;
    let denied = brreg
        .get_register_case(case_request(case, 0))
        .await
        .expect_err("it has ended");
    assert_eq!(denied.code(), Code::PermissionDenied);
    world.caught_up().await;
    world.assert_folded().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_log_is_the_organisations_own() {
    let world = World::begin().await;
    let (organisation, _) = with_a_case(&world).await;
    let request = ListAccessLogRequest {
        organisation: organisation.id.to_string(),
        ..ListAccessLogRequest::default()
    };
    for party in ["brreg", "lottstift", "kommune:3454", "org:310000019"] {
        let denied = world
            .client_as(party)
            .list_access_log(request.clone())
            .await
            .expect_err(party);
        assert_eq!(denied.code(), Code::PermissionDenied, "{party}");
    }
    let nobody = world.anybody().list_access_log(request).await.expect_err("no token");
    assert_eq!(nobody.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_authority_looks_up_of_open_data_leaves_a_trace_and_what_anybody_looks_up_does_not() {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    let at_least = world.register(&organisation).await;
    let request = GetDirectoryEntryRequest {
        organisation: organisation.orgnr.clone(),
        at_least,
    };
    let before = world.head().await;
    world
        .anybody()
        .get_directory_entry(request.clone())
        .await
        .expect("open");
    let itself = format!("org:{}", organisation.orgnr);
    world
        .client_as(&itself)
        .get_directory_entry(request.clone())
        .await
        .expect("open");
    assert_eq!(world.head().await, before);
    world
        .client_as("kommune:0301")
        .get_directory_entry(request)
        .await
        .expect("open");
    assert_eq!(world.head().await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_shows_each_reader_what_the_stream_would() {
    let world = World::begin().await;
    let (organisation, _) = with_a_case(&world).await;
    world.caught_up().await;
    let request = ListTimelineRequest {
        organisation: organisation.orgnr.clone(),
        ..ListTimelineRequest::default()
    };
    for (party, expected) in [
        ("lottstift", 2),
        ("org:310000019", 2),
        (&*format!("org:{}", organisation.orgnr), 3),
    ] {
        let shown = world
            .client_as(party)
            .list_timeline(request.clone())
            .await
            .expect("open in part");
        assert_eq!(shown.into_inner().entries.len(), expected, "{party}");
    }
    let shown = world.anybody().list_timeline(request).await.expect("open in part");
    assert_eq!(shown.into_inner().entries.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_can_read_who_follows_what() {
    let world = World::begin().await;
    let (_, at_least) = approve(&world).await;
    let list = |subscriber: &str| ListSubscriptionsRequest {
        subscriber: subscriber.into(),
        at_least,
        ..ListSubscriptionsRequest::default()
    };
    let found = world
        .anybody()
        .list_subscriptions(list(BRREG))
        .await
        .expect("open")
        .into_inner();
    let approved = found.entries[0].approved.as_ref().expect("what was approved");
    assert_eq!(
        (found.entries.len(), approved.legal_basis.as_str()),
        (1, "enhetsregisterloven")
    );
    let none = world
        .anybody()
        .list_subscriptions(list("399000203"))
        .await
        .expect("open")
        .into_inner();
    assert!(none.entries.is_empty());
}
