//! Who is shown what, and the trace that it leaves.

use futures::StreamExt as _;
use ryggrad_client::Connection;
use ryggrad_proto::ecosystem::v1::{
    MandateGranted, SubscriptionApproved, SubscriptionEnded, mandate_event, subscription_event,
};
use ryggrad_proto::events::v1::EventFilter;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::registration_case_event::Event as Case;
use ryggrad_proto::registration::v1::{
    Address, RegistrationContent, RegistrationDrafted, RegistrationSubmitted, RolesReported,
};
use ryggrad_proto::views::v1::snapshot_response::Part;
use ryggrad_proto::views::v1::views_client::ViewsClient;
use ryggrad_proto::views::v1::{
    AccessLogEntry, GetDirectoryEntryRequest, GetRegisterCaseRequest, ListAccessLogRequest, ListRegisterCasesRequest,
    ListSubscriptionsRequest, ListTimelineRequest, SnapshotRequest,
};
use tonic::Code;
use uuid::Uuid;

use crate::world::{About, Organisation, PLATFORM, World, fresh};

/// The register authority of the development list.
pub(crate) const BRREG: &str = "399000106";

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
pub(crate) async fn approve(world: &World) -> (Uuid, u64) {
    approve_bound(world, "register_case", EventFilter::default()).await
}

/// The same to a view and bound by a filter.
async fn approve_bound(world: &World, view: &str, filter: EventFilter) -> (Uuid, u64) {
    let id = fresh();
    let approved = subscription_event::Event::from(SubscriptionApproved {
        subscription_id: id.to_string(),
        subscriber: BRREG.into(),
        stakeholder: "BRREG".into(),
        legal_basis: "enhetsregisterloven".into(),
        views: vec![view.into()],
        filter: Some(filter),
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

/// A case of an organisation that is to be in a municipality.
async fn case_in(world: &World, organisation: &Organisation, kommunenummer: &str) -> Uuid {
    let case = fresh();
    let drafted = Case::from(RegistrationDrafted {
        organisation_id: organisation.id.to_string(),
        content: Some(RegistrationContent {
            forretningsadresse: Some(Address {
                kommunenummer: kommunenummer.into(),
                ..Address::default()
            }),
            ..RegistrationContent::default()
        }),
        ..RegistrationDrafted::default()
    });
    let about = organisation.about();
    world
        .append_in(Some(kommunenummer), "RegistrationCase", case, 0, &about, &[drafted])
        .await;
    case
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_filter_binds_the_view_by_every_route() {
    let world = World::begin().await;
    let (near, far) = (Organisation::nth(1), Organisation::nth(2));
    for organisation in [&near, &far] {
        world.register(organisation).await;
    }
    let cases = [
        case_in(&world, &near, "3454").await,
        case_in(&world, &far, "0301").await,
        case_in(&world, &near, "0301").await,
    ];
    let texts = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut brreg = world.client_as("brreg");
    for (organisations, kommunenummer, expected) in [
        (texts(&[&near.orgnr]), texts(&[]), vec![cases[0], cases[2]]),
        (texts(&[&far.id.to_string()]), texts(&[]), vec![cases[1]]),
        (texts(&[]), texts(&["03"]), vec![cases[1], cases[2]]),
        (texts(&[&near.orgnr]), texts(&["0301"]), vec![cases[2]]),
        (texts(&[]), texts(&["4203"]), vec![]),
    ] {
        let filter = EventFilter {
            organisations,
            kommunenummer,
            ..EventFilter::default()
        };
        let who = format!("{filter:?}");
        let (id, _) = approve_bound(&world, "register_case", filter).await;
        world.caught_up().await;
        for case in cases {
            let shown = brreg.get_register_case(case_request(case, 0)).await.map(drop);
            match shown.map_err(|denied| denied.code()) {
                Ok(()) => assert!(expected.contains(&case), "{who}"),
                Err(code) => assert_eq!(
                    (code, expected.contains(&case)),
                    (Code::PermissionDenied, false),
                    "{who}"
                ),
            }
        }
        let mut expected: Vec<String> = expected.iter().map(Uuid::to_string).collect();
        expected.sort();
        let listed = brreg
            .list_register_cases(ListRegisterCasesRequest::default())
            .await
            .expect("an answer")
            .into_inner();
        let mut listed: Vec<_> = listed.register_cases.into_iter().map(|case| case.case_id).collect();
        listed.sort();
        assert_eq!(listed, expected, "list: {who}");
        let mut whole: Vec<_> = snapshot(&mut brreg, "register_case")
            .await
            .into_iter()
            .filter_map(|part| match part {
                Part::RegisterCase(case) => Some(case.case_id),
                _ => None,
            })
            .collect();
        whole.sort();
        assert_eq!(whole, expected, "snapshot: {who}");
        let ended = subscription_event::Event::from(SubscriptionEnded {
            subscription_id: id.to_string(),
            subscriber: BRREG.into(),
            ..SubscriptionEnded::default()
        });
        world.append("Subscription", id, 1, &about(id), &[ended]).await;
    }
}

async fn snapshot(client: &mut ViewsClient<Connection>, view: &str) -> Vec<Part> {
    let request = SnapshotRequest {
        view: view.to_owned(),
        ..SnapshotRequest::default()
    };
    let parts = client.snapshot(request).await.expect("a snapshot").into_inner();
    let parts: Vec<_> = parts.collect().await;
    parts
        .into_iter()
        .filter_map(|part| part.expect("no cut").part)
        .collect()
}

/// What an organisation's access log says: reader, as what, view, legal basis and what it rests on.
async fn looks(world: &World, organisation: &Organisation) -> Vec<[String; 5]> {
    let mut own = world.client_as(&format!("org:{}", organisation.orgnr));
    let request = ListAccessLogRequest {
        organisation: organisation.orgnr.clone(),
        at_least: world.head().await,
        ..ListAccessLogRequest::default()
    };
    let log = own.list_access_log(request).await.expect("its own").into_inner();
    let told = |entry: AccessLogEntry| {
        [
            entry.reader,
            entry.stakeholder,
            entry.view,
            entry.legal_basis,
            entry.basis_id,
        ]
    };
    log.entries.into_iter().rev().map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_an_access_log_by_a_mandate_stands_in_it() {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    let mandate = fresh();
    let granted = mandate_event::Event::from(MandateGranted {
        mandate_id: mandate.to_string(),
        from_orgnr: organisation.orgnr.clone(),
        to_orgnr: PLATFORM.into(),
        ..MandateGranted::default()
    });
    world
        .append("Mandate", mandate, 0, &organisation.about(), &[granted])
        .await;
    let mut platform = world.client_as("platform");
    let request = ListAccessLogRequest {
        organisation: organisation.orgnr.clone(),
        ..ListAccessLogRequest::default()
    };
    let look = [PLATFORM, "PLATFORM", "access_log", "mandate", ""].map(str::to_owned);
    platform.list_access_log(request).await.expect("a mandate");
    assert_eq!(looks(&world, &organisation).await, std::slice::from_ref(&look));
    let rows = snapshot(&mut platform, "access_log").await;
    let told = rows.iter().filter(|row| matches!(row, Part::AccessLogEntry(_)));
    assert_eq!(told.count(), 1);
    assert_eq!(looks(&world, &organisation).await, [look.clone(), look]);
    world.caught_up().await;
    world.assert_folded().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_timeline_tells_of_everything_that_it_rests_on() {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    let submitted = Case::from(RegistrationSubmitted::default());
    world
        .append("RegistrationCase", fresh(), 0, &organisation.about(), &[submitted])
        .await;
    let reported = Event::from(RolesReported::default());
    world
        .append("Organisation", fresh(), 0, &organisation.about(), &[reported])
        .await;
    let mut expected = Vec::new();
    for name in ["RegistrationSubmitted", "RolesReported"] {
        let filter = EventFilter {
            types: vec![name.to_owned()],
            ..EventFilter::default()
        };
        let (id, _) = approve_bound(&world, "org_timeline", filter).await;
        expected.push([BRREG, "BRREG", "org_timeline", "enhetsregisterloven", &id.to_string()].map(str::to_owned));
    }
    world.caught_up().await;
    let request = ListTimelineRequest {
        organisation: organisation.orgnr.clone(),
        ..ListTimelineRequest::default()
    };
    let shown = world.client_as("brreg").list_timeline(request).await.expect("approved");
    assert_eq!(shown.into_inner().entries.len(), 4);
    let mut told = looks(&world, &organisation).await;
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
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
