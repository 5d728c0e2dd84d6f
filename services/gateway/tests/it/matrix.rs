//! Every stakeholder before every event type, near and far, by every door: allowed as the matrix declares, all else denied.

use ryggrad_access::{MATRIX, Parties, Party, Reach, Scope};
use ryggrad_client::{Cursor, Event, Filter, Start};
use ryggrad_proto::EventType;
use ryggrad_proto::options::v1::PrivacyClass;
use uuid::Uuid;

use crate::access::{ALL, approve};
use crate::http::get_with;
use crate::stack::{Fact, Stack, follow, until_caught_up};

/// Where the facts happen: in Arendal, and in Oslo.
const PLACES: [&str; 2] = ["4203", "0301"];
const CLUB: &str = "310000019";

fn fact(event: &'static EventType, kommune: &'static str) -> Fact {
    Fact {
        name: &event.name,
        aggregate_type: &event.aggregate,
        class: event.class,
        orgnr: Some(CLUB),
        organisation: Uuid::from_u128(7),
        kommune: Some(kommune),
        ..Fact::default()
    }
}

/// Whether the matrix lets a party see an event type in a place, worked out from its row by itself.
fn declared(party: &Party, event: &EventType, place: &str) -> bool {
    let grant = party.stakeholder.grant();
    let near = match grant.reach {
        Reach::Everywhere => true,
        Reach::Kommune => party.kommune.is_some_and(|kommune| kommune.code() == place),
        // Nobody is affiliated to it, and nobody has given it a mandate.
        Reach::Affiliates | Reach::Mandated | Reach::Nowhere | Reach::Own => false,
    };
    event.class == PrivacyClass::Public
        || (near && grant.allows(event.class) && event.views.iter().any(|view| view == grant.code))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_matrix_is_as_declared_by_every_door() {
    let stack = Stack::start().await;
    let types = ryggrad_proto::catalogue()
        .iter()
        .filter(|event| event.context == "registration");
    let cells: Vec<(&'static EventType, &str)> = types.flat_map(|event| PLACES.map(|place| (event, place))).collect();
    let parties = Parties::development();
    for grant in MATRIX {
        // Also where the service would never approve it: the matrix has the last word.
        if !parties.who_is(grant.stakeholder).is_empty() {
            approve(&stack, grant.code, None).await;
        }
    }
    let first = stack.log().head().await.unwrap().position + 1;
    let last = stack
        .append(cells.iter().map(|(event, place)| fact(event, place)).collect())
        .await;
    for grant in MATRIX {
        let Some(party) = parties.who_is(grant.stakeholder).first().copied() else {
            continue;
        };
        for scopes in [&ALL[..], &[]] {
            let expected: Vec<u64> = (first..=last)
                .zip(&cells)
                .filter(|(_, (event, place))| {
                    let open = event.class == PrivacyClass::Public;
                    let has = Scope::of_class(event.class).is_none_or(|scope| scopes.contains(&scope));
                    open || (has && declared(party, event, place))
                })
                .map(|(position, _)| position)
                .collect();
            let told = |positions: Vec<u64>| -> Vec<u64> {
                positions
                    .into_iter()
                    .filter(|position| (first..=last).contains(position))
                    .collect()
            };
            let name = format!("org:{}", party.orgnr.as_str());
            let who = format!("{} with {} scopes", grant.code, scopes.len());
            let client = stack.client_as(&name, scopes).await;
            let mut subscription = follow(&client, Start::Beginning, Filter::new());
            assert_eq!(
                told(until_caught_up(&mut subscription).await),
                expected,
                "{who}, subscribed"
            );
            let page = client.read(&Cursor::default(), Filter::new(), 1_000).await.unwrap();
            let read = page.events.iter().map(Event::position).collect();
            assert_eq!(told(read), expected, "{who}, by page");
            let token = format!("Bearer {}", stack.issuer.token(&name, scopes));
            let feed = get_with(&stack, "/v1/events?limit=1000", &[("Authorization", &token)]).await;
            assert_eq!(told(feed.positions()), expected, "{who}, by the feed");
        }
    }
}
