//! Every filter gives the same from the log, by the stream, and page by page.

use ryggrad_access::Scope;
use ryggrad_client::{Cursor, Event, Filter, Start};
use ryggrad_proto::options::v1::PrivacyClass;
use uuid::Uuid;

use crate::stack::{Fact, Stack, follow, positions, until_caught_up};

const CHOIR: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00c0);
const BAND: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00ba);
const CHOIR_NR: &str = "310000019";
const BAND_NR: &str = "310000027";

/// Six facts: the choir before and after it got its number, the band, a merger of both, a case, and something confidential.
fn facts() -> Vec<Fact> {
    let choir = Fact {
        organisation: CHOIR,
        ..Fact::default()
    };
    let band = Fact {
        organisation: BAND,
        kommune: Some("0301"),
        ..Fact::default()
    };
    vec![
        Fact {
            name: "InitiativeSketched",
            kommune: Some("4601"),
            ..choir.clone()
        },
        Fact {
            orgnr: Some(CHOIR_NR),
            kommune: Some("4601"),
            ..choir.clone()
        },
        band.clone(),
        Fact {
            name: "OrganisationDetailsChanged",
            related: vec![CHOIR],
            ..band.clone()
        },
        Fact {
            name: "DissolutionReported",
            kommune: Some("4602"),
            ..choir
        },
        Fact {
            class: PrivacyClass::Conf,
            orgnr: Some(BAND_NR),
            ..band
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_lets_pass_what_it_says_by_every_way() {
    let stack = Stack::start().await;
    stack.append(facts()).await;
    let cases: Vec<(Filter, Vec<u64>)> = vec![
        (Filter::new(), vec![1, 2, 3, 4, 5, 6]),
        (
            Filter::new().types(["InitiativeSketched", "no.ryggrad.registration.DissolutionReported.v1"]),
            vec![1, 5],
        ),
        (Filter::new().contexts(["registration"]).kommuner(["46"]), vec![1, 2, 5]),
        (Filter::new().kommuner(["4601", "0301"]), vec![1, 2, 3, 4, 6]),
        (Filter::new().organisations([CHOIR.to_string()]), vec![1, 2, 4, 5]),
        (Filter::new().organisations([CHOIR_NR]), vec![1, 2, 4, 5]),
        (
            Filter::new()
                .organisations([BAND.to_string()])
                .classes([PrivacyClass::Public]),
            vec![3, 4],
        ),
        (
            Filter::new()
                .aggregate_types(["Organisation"])
                .classes([PrivacyClass::Conf]),
            vec![6],
        ),
        (Filter::new().aggregate_types(["RegistrationCase"]), vec![]),
    ];
    let client = stack
        .client_as(&format!("org:{BAND_NR}"), &[Scope::EventsConfRead])
        .await;
    let mut live = Vec::new();
    for (filter, expected) in &cases {
        let mut subscription = follow(&client, Start::Beginning, filter.clone());
        assert_eq!(
            &until_caught_up(&mut subscription).await,
            expected,
            "from the log: {filter:?}"
        );
        let page = client.read(&Cursor::default(), filter.clone(), 100).await.unwrap();
        assert_eq!(
            page.events.iter().map(Event::position).collect::<Vec<_>>(),
            *expected,
            "by page: {filter:?}"
        );
        assert_eq!(page.next.position, 6);
        live.push(subscription);
    }
    stack.append(facts()).await;
    for (subscription, (filter, expected)) in live.iter_mut().zip(&cases) {
        let expected: Vec<u64> = expected.iter().map(|position| position + 6).collect();
        assert_eq!(
            positions(subscription, expected.len() as u64).await,
            expected,
            "by the stream: {filter:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_needle_in_the_haystack_is_found_and_nothing_else() {
    let stack = Stack::start().await;
    stack.append_many(5_000).await;
    stack.append(facts()).await;
    stack.append_many(5_000).await;
    let client = stack.client().await;
    let filter = Filter::new().organisations([CHOIR_NR]);
    let expected = [5_001, 5_002, 5_004, 5_005];
    assert_eq!(
        until_caught_up(&mut follow(&client, Start::Beginning, filter.clone())).await,
        expected
    );
    assert_eq!(
        until_caught_up(&mut follow(&client, Start::After(5_002), filter)).await,
        expected[2..]
    );
}
