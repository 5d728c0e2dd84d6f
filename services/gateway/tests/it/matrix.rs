//! Every stakeholder before every event type, about whomever, by every door and with any scopes: allowed as the matrix
//! declares, all else denied.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use ryggrad_access::{Grant, MATRIX, Reach, Scope};
use ryggrad_proto::EventType;
use ryggrad_proto::ecosystem::v1::{MandateGranted, mandate_event};
use ryggrad_proto::events::v1::{EventFilter, ExplainRequest, GetRequest, ReadRequest, get_request};
use ryggrad_proto::registration::v1::{AffiliationEstablished, organisation_event};
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_testkit::{Role, Whose};
use tonic::transport::Channel;
use tonic::{Code, Request};
use uuid::Uuid;

use crate::access::approve_as;
use crate::followers::{By, Follower, Stub, Wish, stub};
use crate::http::get_with;
use crate::stack::{Fact, Stack};
use crate::webhooks::receiver::Receiver;
use crate::webhooks::world::{Asker, World, id};

/// An event that was recorded.
struct Cell {
    position: u64,
    event: &'static EventType,
    whose: Whose,
}

/// Records every event type about everybody.
async fn record(stack: &Stack, roles: &[Role]) -> Vec<Cell> {
    let own = roles.iter().filter_map(|role| role.orgnr).map(Whose::Itself);
    let everybody: Vec<Whose> = Whose::OTHERS.into_iter().chain(own).collect();
    let mut cells = Vec::new();
    for event in ryggrad_proto::catalogue() {
        let facts = everybody.iter().map(|whose| Fact {
            name: &event.name,
            aggregate_type: &event.aggregate,
            class: event.class,
            orgnr: Some(whose.orgnr()),
            organisation: Uuid::from_u128(whose.orgnr().parse().unwrap()),
            kommune: Some(whose.kommune()),
            ..Fact::default()
        });
        let last = stack.append_to(&event.context, facts.collect()).await;
        let first = last + 1 - everybody.len() as u64;
        cells.extend((first..).zip(&everybody).map(|(position, whose)| Cell {
            position,
            event,
            whose: *whose,
        }));
    }
    cells
}

/// Lets everybody have what it could get: an approval of its row, a mandate, an affiliate.
async fn bind(stack: &Stack, roles: &[Role]) {
    for role in roles {
        let Some(orgnr) = role.orgnr else { continue };
        // Also where the service would never approve it: the matrix has the last word.
        approve_as(stack, orgnr, role.grant.code, None).await;
        // As somebody that it is not.
        approve_as(stack, orgnr, other_than(role.grant), None).await;
        let mandate = stack.id();
        let granted = mandate_event::Event::MandateGranted(MandateGranted {
            mandate_id: mandate.to_string(),
            from_orgnr: Whose::Mandator.orgnr().to_owned(),
            to_orgnr: orgnr.to_owned(),
            ..Default::default()
        });
        stack.ecosystem("Mandate", mandate, 0, &granted).await;
        let affiliated = organisation_event::Event::AffiliationEstablished(AffiliationEstablished {
            parent_orgnr: orgnr.to_owned(),
            ..Default::default()
        });
        let affiliate = Fact {
            orgnr: Some(Whose::Affiliate.orgnr()),
            ..Fact::default()
        };
        stack.append_payload(affiliate, &affiliated).await;
    }
}

/// A stakeholder that reaches everywhere, and is another one.
fn other_than(grant: &Grant) -> &'static str {
    let mut others = MATRIX
        .iter()
        .filter(|other| other.reach == Reach::Everywhere && other.code != grant.code);
    others.next().expect("more than one reaches everywhere").code
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_matrix_is_as_declared_by_every_door() {
    const ALL: [Scope; 3] = [Scope::EventsOrgRead, Scope::EventsPersRead, Scope::EventsConfRead];
    let world = World::start().await;
    let stack = &world.stack;
    let roles = Role::all();
    bind(stack, &roles).await;
    let cells = record(stack, &roles).await;
    let denied = cells
        .iter()
        .filter(|cell| !roles.iter().any(|role| role.sees(&ALL, cell.event, cell.whose)));
    assert!(denied.count() > 0, "there is what nobody may see of others");
    let channel = Channel::from_shared(stack.url()).unwrap().connect().await.unwrap();
    let mut all = Vec::new();
    for role in &roles {
        for scopes in [&ALL[..], &[], &ALL[..1], &ALL[1..2], &ALL[2..]] {
            all.push((*role, scopes));
            if role.orgnr.is_none() {
                break;
            }
        }
    }
    let (world, channel, cells) = (&world, &channel, &cells);
    stream::iter(all)
        .for_each_concurrent(4, |(role, scopes)| async move {
            let asking = Asking::of(world, channel, role, scopes);
            let expected = cells.iter().filter(|cell| role.sees(scopes, cell.event, cell.whose));
            let expected: BTreeSet<u64> = expected.map(|cell| cell.position).collect();
            asking.by_every_door(cells, &expected).await;
            if scopes.len() != 1 {
                asking.event_by_event(cells, &expected).await;
            }
        })
        .await;
}

/// Somebody who asks at every door.
struct Asking<'a> {
    world: &'a World,
    channel: &'a Channel,
    stub: Stub,
    token: Option<String>,
    orgnr: Option<&'static str>,
    scopes: Vec<Scope>,
    who: String,
}

// === impl Asking ===

impl<'a> Asking<'a> {
    fn of(world: &'a World, channel: &'a Channel, role: Role, scopes: &[Scope]) -> Self {
        let mut scopes = scopes.to_vec();
        let who = format!("{} with {scopes:?}", role.grant.code);
        // What durable subscriptions and webhooks need beside.
        scopes.push(Scope::SubscriptionsWrite);
        let issuer = &world.stack.issuer;
        let token = role.orgnr.map(|orgnr| issuer.token(&format!("org:{orgnr}"), &scopes));
        let stub = stub(channel, token.as_deref());
        let orgnr = role.orgnr;
        Self {
            world,
            channel,
            stub,
            token,
            orgnr,
            scopes,
            who,
        }
    }

    async fn by_every_door(&self, cells: &[Cell], expected: &BTreeSet<u64>) {
        let recorded = cells[0].position..=cells[cells.len() - 1].position;
        let is = |door: &str, found: Vec<u64>| {
            let found: Vec<u64> = found
                .into_iter()
                .filter(|position| recorded.contains(position))
                .collect();
            assert!(
                found.iter().eq(expected),
                "{}, by {door}: {}",
                self.who,
                difference(&found, expected, &cells.iter())
            );
        };
        for by in By::ALL {
            is(&format!("{by:?}"), self.follow(by, None).await.unwrap());
            if by.is_lasting() {
                let name = format!("{by:?}.{:?}", self.scopes)
                    .replace(['[', ']', ' '], "")
                    .replace(',', ".");
                match self.follow(by, Some(name)).await {
                    Ok(found) => {
                        assert!(self.orgnr.is_some(), "nobody's durable subscription, by {by:?}");
                        is(&format!("{by:?}, durable"), found);
                    }
                    Err(refused) => {
                        assert_eq!(
                            (refused, self.orgnr),
                            (Code::Unauthenticated, None),
                            "{}, by {by:?}",
                            self.who
                        );
                    }
                }
            }
        }
        is("page", self.page().await);
        is("page over REST", self.page_over_rest().await);
        is("explanation", self.explained(cells).await);
    }

    /// The doors that take a call for every event: asked about those that stand to it in some way, and itself.
    async fn event_by_event(&self, cells: &[Cell], expected: &BTreeSet<u64>) {
        let cells: Vec<&Cell> = cells.iter().filter(|cell| self.is_near(cell)).collect();
        let near = |position: &u64| cells.iter().any(|cell| cell.position == *position);
        let expected: BTreeSet<u64> = expected.iter().copied().filter(near).collect();
        let is = |door: &str, found: &BTreeSet<u64>| {
            let cells = cells.iter().copied();
            assert!(
                *found == expected,
                "{}, {door}: {}",
                self.who,
                difference(found, &expected, &cells)
            );
        };
        is("one by one", &self.one_by_one(&cells).await);
        match self.called(&cells).await {
            Ok(found) => {
                assert!(self.orgnr.is_some(), "nobody's endpoint");
                is("called", &found);
            }
            Err(refused) => assert_eq!((refused, self.orgnr), (Code::Unauthenticated, None), "{}", self.who),
        }
    }

    /// Everything by a door that is followed, or why not.
    async fn follow(&self, by: By, durable: Option<String>) -> Result<Vec<u64>, Code> {
        let wish = Wish {
            token: self.token.clone(),
            durable,
            stop_at_head: true,
            ..Wish::default()
        };
        let follower = Follower::open(&self.world.stack, self.channel, by, &wish).await;
        Ok(follower.map_err(|refused| refused.code())?.all().await)
    }

    async fn page(&self) -> Vec<u64> {
        let request = ReadRequest {
            limit: 5_000,
            ..Default::default()
        };
        let page = self.stub.clone().read(request).await.unwrap().into_inner();
        page.events.iter().map(|event| event.position).collect()
    }

    async fn page_over_rest(&self) -> Vec<u64> {
        let answer = self.get("/v1/events:read?limit=5000").await;
        let events = answer.json()["events"].as_array().cloned().unwrap_or_default();
        events
            .iter()
            .map(|event| event["position"].as_str().unwrap().parse().unwrap())
            .collect()
    }

    /// What is explained to be delivered; of everything else nothing is told.
    async fn explained(&self, cells: &[Cell]) -> Vec<u64> {
        let request = ExplainRequest {
            after: cells[0].position - 1,
            through: cells[cells.len() - 1].position,
            ..Default::default()
        };
        let said = self.stub.clone().explain(request).await.unwrap().into_inner();
        let (seen, hidden): (Vec<_>, Vec<_>) = said.events.into_iter().partition(|event| event.delivered);
        assert!(hidden.iter().all(|event| event.r#type.is_empty()), "{}", self.who);
        seen.iter().map(|event| event.position).collect()
    }

    /// Each event by itself, by both calls: there or not there.
    async fn one_by_one(&self, cells: &[&Cell]) -> BTreeSet<u64> {
        let asked = cells.iter().map(|cell| cell.position).map(|position| async move {
            let request = GetRequest {
                event: Some(get_request::Event::Position(position)),
            };
            let by_call = self.stub.clone().get(request).await;
            let by_address = self.get(&format!("/v1/events/{position}")).await;
            match by_call {
                Ok(found) => assert_eq!(found.into_inner().event.unwrap().position, position),
                Err(refused) => {
                    assert_eq!(
                        (refused.code(), by_address.status),
                        (Code::NotFound, 404),
                        "{}",
                        self.who
                    );
                    return None;
                }
            }
            assert_eq!(by_address.json()["position"], position.to_string(), "{}", self.who);
            Some(position)
        });
        let found: Vec<_> = stream::iter(asked).buffered(8).collect().await;
        found.into_iter().flatten().collect()
    }

    /// What an endpoint of its own is called about, or why not.
    async fn called(&self, cells: &[&Cell]) -> Result<BTreeSet<u64>, Code> {
        let receiver = Receiver::start().await;
        let organisations: BTreeSet<&str> = cells.iter().map(|cell| cell.whose.orgnr()).collect();
        let request = pb::CreateEndpointRequest {
            url: receiver.url(),
            filter: Some(EventFilter {
                organisations: organisations.into_iter().map(str::to_owned).collect(),
                ..Default::default()
            }),
            start: Some(pb::create_endpoint_request::Start::After(cells[0].position - 1)),
            ..Default::default()
        };
        let asker = match self.orgnr {
            Some(orgnr) => Asker::with(orgnr, self.scopes.clone()),
            None => Asker(ryggrad_access::Caller::ANYBODY),
        };
        let made = self.world.ask_as(&asker, |calls| async move {
            calls.create_endpoint(Request::new(request)).await
        });
        let made = made.await.map_err(|refused| refused.code())?;
        let last = cells[cells.len() - 1].position;
        let through = |endpoint: &pb::Endpoint| endpoint.position >= last && endpoint.waiting == 0;
        self.world.until_of(asker, &id(&made), through).await;
        let called = receiver.positions().into_iter();
        Ok(called.filter(|position| *position <= last).collect())
    }

    /// Whether an event is about whoever asks, or about one of those that every party has.
    fn is_near(&self, cell: &Cell) -> bool {
        match cell.whose {
            Whose::Itself(orgnr) => self.orgnr == Some(orgnr),
            Whose::In(_) | Whose::Affiliate | Whose::Mandator => true,
        }
    }

    async fn get(&self, target: &str) -> crate::http::Answer {
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = token.iter().map(|token| ("Authorization", token.as_str())).collect();
        get_with(&self.world.stack, target, &headers).await
    }
}

/// What is too much and what is missing, in words.
fn difference<'a>(
    found: impl IntoIterator<Item = &'a u64>,
    expected: &BTreeSet<u64>,
    cells: &(impl Iterator<Item = &'a Cell> + Clone),
) -> String {
    let found: BTreeSet<u64> = found.into_iter().copied().collect();
    let words = |positions: Vec<&u64>| -> Vec<String> {
        let cell = |position: &u64| cells.clone().find(|cell| cell.position == *position);
        let told = positions.into_iter().take(5).filter_map(cell);
        told.map(|cell| format!("{} of {:?}", cell.event.name, cell.whose))
            .collect()
    };
    let (more, less) = (
        found.difference(expected).collect(),
        expected.difference(&found).collect(),
    );
    format!("too much {:?}, missing {:?}", words(more), words(less))
}
