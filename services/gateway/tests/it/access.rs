//! What reaches whom, by every door, and how it changes while a subscription lives.

use futures::StreamExt as _;
use jiff::ToSpan as _;
use ryggrad_access::Scope;
use ryggrad_client::{Client, Cursor, Error, Event, Filter, Message, Start, Subscription};
use ryggrad_proto::ecosystem::v1::{
    MandateGranted, MandateRevoked, SubscriptionApproved, SubscriptionEnded, access_log_event, mandate_event,
    subscription_event,
};
use ryggrad_proto::events::v1::{AccessReason, EventFilter, ExplainRequest, ReadRequest, SubscribeRequest};
use ryggrad_proto::options::v1::PrivacyClass;
use tonic::Code;
use uuid::Uuid;

use crate::http::get_with;
use crate::stack::{Fact, PATIENCE, Stack, follow, positions, until_caught_up};

const CLUB: &str = "310000019";
const OTHER: &str = "310000027";
const ALL: [Scope; 3] = [Scope::EventsOrgRead, Scope::EventsPersRead, Scope::EventsConfRead];

fn fact(class: PrivacyClass, orgnr: &'static str) -> Fact {
    Fact {
        class,
        orgnr: Some(orgnr),
        organisation: Uuid::from_u128(orgnr.parse().unwrap()),
        name: if class == PrivacyClass::Public {
            "OrganisationRegistered"
        } else {
            "BankAccountLinked"
        },
        ..Fact::default()
    }
}

async fn approve(stack: &Stack, party: &str, until: Option<&str>) -> (Uuid, u64) {
    let (subscriber, stakeholder) = numbered(party);
    approve_as(stack, &subscriber, &stakeholder, until).await
}

/// Approves a subscription of an organisation as a stakeholder, which it need not be.
pub(crate) async fn approve_as(stack: &Stack, subscriber: &str, stakeholder: &str, until: Option<&str>) -> (Uuid, u64) {
    let id = stack.id();
    let head = stack.log().head().await.unwrap().position;
    let fact = SubscriptionApproved {
        subscription_id: id.to_string(),
        subscriber: subscriber.to_owned(),
        stakeholder: stakeholder.to_owned(),
        filter: Some(EventFilter::default()),
        until: until.map(str::to_owned),
        first_position: head + 1,
        ..Default::default()
    };
    let position = stack
        .ecosystem(
            "Subscription",
            id,
            0,
            &subscription_event::Event::SubscriptionApproved(fact),
        )
        .await;
    (id, position)
}

/// Organisation number and code of a party of the development list.
fn numbered(name: &str) -> (String, String) {
    let stakeholder = ryggrad_access::Stakeholder::parse(name).expect("a stakeholder");
    let parties = ryggrad_access::Parties::development();
    let party = parties.who_is(stakeholder)[0];
    (party.orgnr.as_str().to_owned(), stakeholder.code().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_open_data_and_its_own_by_every_door() {
    let stack = Stack::start().await;
    let facts = || {
        vec![
            fact(PrivacyClass::Public, CLUB),
            fact(PrivacyClass::Org, CLUB),
            fact(PrivacyClass::Public, OTHER),
            fact(PrivacyClass::Org, OTHER),
            fact(PrivacyClass::Conf, CLUB),
        ]
    };
    stack.append(facts()).await;
    let club = format!("org:{CLUB}");
    let cases: [(Option<&[Scope]>, &[u64]); 3] = [
        (None, &[1, 3]),
        (Some(&[Scope::EventsOrgRead]), &[1, 2, 3]),
        (Some(&ALL), &[1, 2, 3, 5]),
    ];
    let mut live = Vec::new();
    for (scopes, expected) in cases {
        let client: Client = match scopes {
            Some(scopes) => stack.client_as(&club, scopes).await,
            None => stack.client().await,
        };
        let mut subscription = follow(&client, Start::Beginning, Filter::new());
        assert_eq!(
            until_caught_up(&mut subscription).await,
            expected,
            "by the log: {scopes:?}"
        );
        let page = client.read(&Cursor::default(), Filter::new(), 100).await.unwrap();
        assert_eq!(page.events.iter().map(Event::position).collect::<Vec<_>>(), expected);
        assert_eq!(page.next.position, 5);
        let token = scopes.map(|scopes| format!("Bearer {}", stack.issuer.token(&club, scopes)));
        let headers: Vec<_> = token.iter().map(|token| ("Authorization", token.as_str())).collect();
        assert_eq!(get_with(&stack, "/v1/events", &headers).await.positions(), expected);
        live.push((subscription, expected));
    }
    stack.append(facts()).await;
    for (subscription, expected) in &mut live {
        let expected: Vec<u64> = expected.iter().map(|position| position + 5).collect();
        assert_eq!(
            positions(subscription, expected.len() as u64).await,
            expected,
            "by the stream"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_opens_an_open_subscription_and_its_end_closes_it() {
    let stack = Stack::start().await;
    let client = stack.client_as(&format!("org:{OTHER}"), &ALL).await;
    let mut subscription = follow(&client, Start::Beginning, Filter::new().organisations([CLUB]));
    assert!(until_caught_up(&mut subscription).await.is_empty());
    stack.append(vec![fact(PrivacyClass::Org, CLUB)]).await;
    let mandate = stack.id();
    let granted = MandateGranted {
        mandate_id: mandate.to_string(),
        from_orgnr: CLUB.to_owned(),
        to_orgnr: OTHER.to_owned(),
        ..Default::default()
    };
    let granted = mandate_event::Event::MandateGranted(granted);
    stack.ecosystem("Mandate", mandate, 0, &granted).await;
    let seen = stack.append(vec![fact(PrivacyClass::Org, CLUB)]).await;
    assert_eq!(
        positions(&mut subscription, 1).await,
        [seen],
        "what was before the mandate was passed over"
    );
    let revoked = MandateRevoked {
        mandate_id: mandate.to_string(),
        from_orgnr: CLUB.to_owned(),
        to_orgnr: OTHER.to_owned(),
    };
    let revoked = mandate_event::Event::MandateRevoked(revoked);
    stack.ecosystem("Mandate", mandate, 1, &revoked).await;
    stack.append(vec![fact(PrivacyClass::Org, CLUB)]).await;
    let open = stack.append(vec![fact(PrivacyClass::Public, CLUB)]).await;
    assert_eq!(positions(&mut subscription, 1).await, [open], "only open data is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rests_on_an_approval_ends_with_it() {
    let stack = Stack::start().await;
    let (id, position) = approve(&stack, "LOTTSTIFT", None).await;
    let mut stub = stack.stub_as("lottstift", &ALL).await;
    let request = |id: Uuid, after| SubscribeRequest {
        after,
        subscription: id.to_string(),
        heartbeat_ms: 100,
        ..Default::default()
    };
    let denied = stub.subscribe(request(stack.id(), 0)).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied, "not the caller's");
    let mut frames = stub.subscribe(request(id, position)).await.unwrap().into_inner();
    let seen = stack.append(vec![fact(PrivacyClass::Org, CLUB)]).await;
    let first = async {
        loop {
            let frame = frames.message().await.unwrap().unwrap().frame.unwrap();
            if let ryggrad_proto::events::v1::subscribe_response::Frame::Batch(batch) = frame {
                return batch.events[0].position;
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, first).await.unwrap(), seen);
    let ended = SubscriptionEnded {
        subscription_id: id.to_string(),
        subscriber: numbered("LOTTSTIFT").0,
        reason: "no longer needed".to_owned(),
    };
    let ended = subscription_event::Event::SubscriptionEnded(ended);
    stack.ecosystem("Subscription", id, 1, &ended).await;
    let end = async {
        loop {
            if let Err(status) = frames.message().await {
                return status;
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, end).await.unwrap();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_ends_with_its_last_day() {
    let stack = Stack::start().await;
    approve(&stack, "LOTTSTIFT", Some("2026-03-02")).await;
    let client = stack.client_as("lottstift", &ALL).await;
    let mut subscription = follow(&client, Start::Now, Filter::new());
    assert!(until_caught_up(&mut subscription).await.is_empty());
    let seen = stack.append(vec![fact(PrivacyClass::Org, CLUB)]).await;
    assert_eq!(positions(&mut subscription, 1).await, [seen]);
    stack.clock.advance(2.days()).await.unwrap();
    stack.append(vec![fact(PrivacyClass::Org, CLUB)]).await;
    let open = stack.append(vec![fact(PrivacyClass::Public, CLUB)]).await;
    assert_eq!(positions(&mut subscription, 1).await, [open]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ones_own_comes_from_the_log_too() {
    let stack = Stack::start().await;
    let client = stack.client_as(&format!("org:{CLUB}"), &ALL).await;
    stack.append_many(3_000).await;
    stack
        .append(vec![fact(PrivacyClass::Org, CLUB), fact(PrivacyClass::Org, OTHER)])
        .await;
    let mut subscription: Subscription = follow(&client, Start::After(2_999), Filter::new());
    assert_eq!(until_caught_up(&mut subscription).await, [3_000, 3_001]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_explained_what_holds_an_event_back() {
    let stack = Stack::start().await;
    stack
        .append(vec![
            fact(PrivacyClass::Public, CLUB),
            fact(PrivacyClass::Public, OTHER),
            fact(PrivacyClass::Org, OTHER),
            fact(PrivacyClass::Conf, CLUB),
        ])
        .await;
    let filter = EventFilter {
        organisations: vec![CLUB.to_owned()],
        types: vec!["OrganisationRegistered".to_owned()],
        ..Default::default()
    };
    let request = ExplainRequest {
        filter: Some(filter),
        ..Default::default()
    };
    let mut stub = stack.stub_as(&format!("org:{CLUB}"), &[Scope::EventsOrgRead]).await;
    let said = stub.explain(request.clone()).await.unwrap().into_inner();
    assert_eq!((said.first, said.through, said.delivered, said.head), (1, 4, 1, 4));
    let told: Vec<_> = said
        .events
        .iter()
        .map(|event| (event.delivered, event.held_back_by.join(","), event.access()))
        .collect();
    assert_eq!(
        told,
        [
            (true, String::new(), AccessReason::Unspecified),
            (false, "organisations".to_owned(), AccessReason::Unspecified),
            (false, String::new(), AccessReason::NotCovered),
            (false, String::new(), AccessReason::NoScope),
        ]
    );
    assert_eq!(said.events[3].scope, Scope::EventsConfRead.name());
    assert!(
        said.events[2].r#type.is_empty(),
        "nothing is told of what may not be seen"
    );
    let anybody = stack.stub().await.explain(request).await.unwrap().into_inner();
    assert_eq!(anybody.events[2].access(), AccessReason::NoToken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_rests_on_nothing_needs_a_token() {
    let stack = Stack::start().await;
    let request = SubscribeRequest {
        subscription: stack.id().to_string(),
        ..Default::default()
    };
    let refused = stack.stub().await.subscribe(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let mut nobody = follow(&stack.client().await, Start::Beginning, Filter::new());
    let last = stack
        .append(vec![fact(PrivacyClass::Conf, CLUB), Fact::default()])
        .await;
    let message = tokio::time::timeout(PATIENCE, async {
        loop {
            match nobody.next().await {
                Some(Ok(Message::Event(event))) => return Ok::<_, Error>(event.position()),
                Some(Err(error)) => return Err(error),
                _ => {}
            }
        }
    });
    assert_eq!(message.await.unwrap().unwrap(), last);
}

/// Who was shown whose facts, as the access log has it: reader, basis and organisations.
async fn traces(stack: &Stack) -> Vec<(String, String, Vec<String>)> {
    let log = stack.log().after(0, 10_000).await.unwrap();
    log.iter()
        .filter_map(|event| event.decode::<access_log_event::Event>().unwrap())
        .map(|access_log_event::Event::ViewAccessed(shown)| (shown.reader, shown.basis_id, shown.organisation_ids))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_sent_what_is_not_open_leaves_one_trace_for_each_organisation_before_it_is_sent() {
    let stack = Stack::start().await;
    let (id, _) = approve(&stack, "LOTTSTIFT", None).await;
    let club = Uuid::from_u128(CLUB.parse().unwrap()).to_string();
    let expected = (numbered("LOTTSTIFT").0, id.to_string(), vec![club]);
    let lottstift = stack.client_as("lottstift", &ALL).await;
    let mut subscription = follow(&lottstift, Start::Now, Filter::new());
    assert!(until_caught_up(&mut subscription).await.is_empty());
    for _ in 0..3 {
        let seen = stack.append(vec![fact(PrivacyClass::Org, CLUB)]).await;
        assert_eq!(positions(&mut subscription, 1).await, [seen]);
        assert_eq!(
            traces(&stack).await,
            std::slice::from_ref(&expected),
            "once, however much it is sent"
        );
    }
    // Open data, one's own and nobody's leave none.
    let open = stack.append(vec![fact(PrivacyClass::Public, OTHER)]).await;
    assert_eq!(positions(&mut subscription, 1).await, [open]);
    let own = stack.client_as(&format!("org:{CLUB}"), &ALL).await;
    assert!(
        !until_caught_up(&mut follow(&own, Start::After(0), Filter::new()))
            .await
            .is_empty()
    );
    let anybody = stack.client().await;
    assert!(
        !until_caught_up(&mut follow(&anybody, Start::After(0), Filter::new()))
            .await
            .is_empty()
    );
    assert_eq!(traces(&stack).await, std::slice::from_ref(&expected));
    // A page is a reading of its own.
    let mut stub = stack.stub_as("lottstift", &ALL).await;
    stub.read(ReadRequest::default()).await.unwrap();
    assert_eq!(traces(&stack).await, [expected.clone(), expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_explained_of_an_event_that_is_not_open_leaves_a_trace() {
    let stack = Stack::start().await;
    let (id, _) = approve(&stack, "LOTTSTIFT", None).await;
    stack
        .append(vec![
            fact(PrivacyClass::Conf, CLUB),
            fact(PrivacyClass::Conf, CLUB),
            fact(PrivacyClass::Public, OTHER),
        ])
        .await;
    let club = Uuid::from_u128(CLUB.parse().unwrap()).to_string();
    let expected = (numbered("LOTTSTIFT").0, id.to_string(), vec![club]);
    // A filter that wants none of it: their types are told all the same.
    let request = ExplainRequest {
        filter: Some(EventFilter {
            types: vec!["OrganisationRegistered".to_owned()],
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut stub = stack.stub_as("lottstift", &ALL).await;
    let said = stub.explain(request.clone()).await.unwrap().into_inner();
    let told = said
        .events
        .iter()
        .filter(|event| event.r#type.ends_with("BankAccountLinked.v1"));
    assert_eq!(told.count(), 2);
    assert_eq!(traces(&stack).await, std::slice::from_ref(&expected));
    stack.stub().await.explain(request).await.unwrap();
    assert_eq!(
        traces(&stack).await,
        [expected],
        "nobody is told anything that is not open"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_class_of_what_may_not_be_seen_is_not_told_without_a_scope() {
    let stack = Stack::start().await;
    stack
        .append(vec![fact(PrivacyClass::Org, OTHER), fact(PrivacyClass::Conf, OTHER)])
        .await;
    let mut stub = stack.stub_as(&format!("org:{CLUB}"), &[]).await;
    let said = stub.explain(ExplainRequest::default()).await.unwrap().into_inner();
    let told: Vec<_> = said
        .events
        .iter()
        .map(|event| (event.access(), event.scope.as_str()))
        .collect();
    assert_eq!(told, [(AccessReason::NotCovered, ""); 2]);
}
