//! Every stakeholder before every view, about whomever, by every route and with any scopes: shown as the matrix declares,
//! all else denied.

use std::collections::BTreeSet;
use std::fmt::Debug;

use futures::StreamExt as _;
use ryggrad_access::{Scope, View};
use ryggrad_client::{Bearer, Connection};
use ryggrad_proto::ecosystem::v1::{ViewAccessed, access_log_event, mandate_event, subscription_event};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::registration::v1 as registration;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::registration_case_event::Event as Case;
use ryggrad_proto::views::v1 as pb;
use ryggrad_proto::views::v1::views_client::ViewsClient;
use ryggrad_proto::{EventPayload, EventType};
use ryggrad_testkit::{Role, Whose};
use ryggrad_views::Options;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::http::get_with;
use crate::world::{About, Organisation, World, fresh};

/// An organisation, and by what its rows are known in each view.
struct Subject {
    whose: Whose,
    organisation: Organisation,
    /// Ids of the facts about it.
    facts: Vec<(&'static EventType, Uuid)>,
    case: Uuid,
    /// What somebody's look at it rested on.
    look: Uuid,
}

/// What somebody was shown, in the words of the answer; or the status of the refusal.
type Shown = Result<String, u16>;

/// An event type without any content.
#[derive(Debug, Clone)]
struct Bare(&'static EventType);

impl EventPayload for Bare {
    const NAMES: &'static [&'static str] = &[];

    fn name(&self) -> &'static str {
        &self.0.name
    }

    fn class(&self) -> PrivacyClass {
        self.0.class
    }

    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn json(&self) -> serde_json::Result<String> {
        Ok("{}".to_owned())
    }

    fn decode(_: &str, _: &[u8]) -> Result<Option<Self>, prost::DecodeError> {
        Ok(None)
    }

    fn from_json(_: &str, _: serde_json::Value) -> serde_json::Result<Option<Self>> {
        Ok(None)
    }
}

// === impl Subject ===

impl Subject {
    /// An organisation that is registered, has a case, was looked at, and about which every event type was recorded.
    async fn record(world: &World, whose: Whose, roles: &[Role]) -> Self {
        let organisation = Organisation {
            id: Uuid::from_u128(
                0x0190_0000_0000_7000_8000_0000_0000_0000 + whose.orgnr().parse::<u128>().expect("digits"),
            ),
            orgnr: whose.orgnr().to_owned(),
            kommunenummer: whose.kommune(),
            ..Organisation::nth(1)
        };
        let about = organisation.about();
        let mut events = organisation.events();
        if whose == Whose::Affiliate {
            events.extend(roles.iter().filter_map(|role| role.orgnr).map(|parent| {
                Event::from(registration::AffiliationEstablished {
                    orgnr: organisation.orgnr.clone(),
                    parent_orgnr: parent.to_owned(),
                    ..Default::default()
                })
            }));
        }
        let kommune = Some(whose.kommune());
        world
            .append_in(kommune, "Organisation", organisation.id, 0, &about, &events)
            .await;
        let case = fresh();
        let drafted = Case::from(registration::RegistrationDrafted {
            organisation_id: organisation.id.to_string(),
            ..Default::default()
        });
        world
            .append_in(kommune, "RegistrationCase", case, 0, &about, &[drafted])
            .await;
        let mut facts = Vec::new();
        for event in ryggrad_proto::catalogue() {
            // What is public about an organisation itself makes it another one, and who has looked is no part of its life.
            let is_itself = event.class == PrivacyClass::Public && event.aggregate == "Organisation";
            if is_itself || event.aggregate == "AccessLog" {
                continue;
            }
            let id = fresh();
            world
                .append_in(kommune, &event.aggregate, id, 0, &about, &[Bare(event)])
                .await;
            facts.push((event, id));
        }
        Self {
            whose,
            organisation,
            facts,
            case,
            look: fresh(),
        }
    }

    /// Somebody has looked at it, which stands first in its access log.
    async fn is_looked_at(&self, world: &World) {
        let id = fresh();
        let accessed = access_log_event::Event::from(ViewAccessed {
            view: "register_case".to_owned(),
            organisation_ids: vec![self.organisation.id.to_string()],
            basis_id: self.look.to_string(),
            ..Default::default()
        });
        world.append("AccessLog", id, 0, &nobody(id), &[accessed]).await;
    }

    /// What tells in an answer that it is shown.
    fn known_by(&self, view: View) -> Vec<String> {
        let orgnr = || vec![self.organisation.orgnr.clone()];
        match view {
            View::OrgTimeline => self.facts.iter().map(|(_, id)| id.to_string()).collect(),
            View::RegisterCase => vec![self.case.to_string()],
            View::AccessLog => vec![self.look.to_string()],
            View::MunicipalityDirectory | View::RegisterUnits | View::RegisterChanges => orgnr(),
            // Counts of five or more: of the municipality where the parties are.
            View::StatsCube => vec!["1103".to_owned()],
            View::Subscriptions => match self.whose {
                Whose::Itself(_) => orgnr(),
                Whose::In(_) | Whose::Affiliate | Whose::Mandator => Vec::new(),
            },
            View::Initiative | View::Founding | View::Organisation => Vec::new(),
        }
    }
}

fn nobody(id: Uuid) -> About {
    About {
        organisation: id,
        orgnr: None,
        related: Vec::new(),
    }
}

/// Lets everybody have what it could get: its row approved with every view, and a mandate. The matrix has the last word.
async fn bind(world: &World, roles: &[Role]) {
    for role in roles {
        let id = fresh();
        if let Some(approved) = role.approved(&id.to_string()) {
            let approved = subscription_event::Event::from(approved);
            world.append("Subscription", id, 0, &nobody(id), &[approved]).await;
        }
        let mandate = fresh();
        if let Some(granted) = role.mandated(&mandate.to_string()) {
            let granted = mandate_event::Event::from(granted);
            world.append("Mandate", mandate, 0, &nobody(mandate), &[granted]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_matrix_is_as_declared_by_every_route() {
    let everything: Vec<Scope> = Scope::all().collect();
    let events: Vec<Scope> = everything
        .iter()
        .copied()
        .filter(|scope| *scope != Scope::ViewsRead)
        .collect();
    let world = World::begin_with(Options {
        downloads: 16,
        ..Options::default()
    })
    .await;
    let roles = Role::all();
    bind(&world, &roles).await;
    let own = roles.iter().filter_map(|role| role.orgnr).map(Whose::Itself);
    let mut subjects = Vec::new();
    for whose in Whose::OTHERS.into_iter().chain(own) {
        subjects.push(Subject::record(&world, whose, &roles).await);
    }
    for role in roles {
        for subject in &subjects {
            subject.is_looked_at(&world).await;
        }
        world.caught_up().await;
        for scopes in [&everything[..], &events[..], &[Scope::ViewsRead], &[]] {
            let asking = Asking::of(&world, role, scopes);
            for view in View::all() {
                asking.sees_what_is_declared(view, &subjects).await;
            }
            if role.orgnr.is_none() {
                break;
            }
        }
    }
    world.caught_up().await;
    world.assert_folded().await;
}

/// Somebody who asks by every route.
struct Asking<'a> {
    world: &'a World,
    views: ViewsClient<Connection>,
    token: Option<String>,
    role: Role,
    scopes: Vec<Scope>,
}

// === impl Asking ===

impl<'a> Asking<'a> {
    fn of(world: &'a World, role: Role, scopes: &[Scope]) -> Self {
        let token = role
            .orgnr
            .map(|orgnr| world.issuer.token(&format!("org:{orgnr}"), scopes));
        let connection = Connection::new(world.channel.clone(), Bearer::from(token.clone()));
        let (views, scopes) = (ViewsClient::new(connection), scopes.to_vec());
        Self {
            world,
            views,
            token,
            role,
            scopes,
        }
    }

    async fn sees_what_is_declared(&self, view: View, subjects: &[Subject]) {
        let check = |route: &str, about: &[&Subject], shown: Shown| {
            let who = format!(
                "{} with {:?}, {} by {route}",
                self.role.grant.code,
                self.scopes,
                view.name()
            );
            let all = about.iter().flat_map(|subject| subject.known_by(view));
            let found = shown.map(|text| all.filter(|known| text.contains(known)).collect::<BTreeSet<_>>());
            assert_eq!(found, self.declared(view, about), "{who}");
        };
        let all: Vec<&Subject> = subjects.iter().collect();
        for (route, shown) in self.lists(view).await {
            check(&route, &all, shown);
        }
        // About every party beside itself, the lists are enough.
        for subject in subjects.iter().filter(|subject| match subject.whose {
            Whose::In(_) | Whose::Affiliate | Whose::Mandator => true,
            Whose::Itself(_) => self.role.is(subject.whose),
        }) {
            for (route, shown) in self.ones(view, subject).await {
                check(&route, &[subject], shown);
            }
        }
    }

    /// By what the ones are known that the matrix lets it see in an answer about these; or the refusal.
    fn declared(&self, view: View, about: &[&Subject]) -> Result<BTreeSet<String>, u16> {
        if view == View::OrgTimeline {
            let facts = about
                .iter()
                .flat_map(|subject| subject.facts.iter().map(move |(event, id)| (subject, event, id)));
            let told = facts.filter(|(subject, event, _)| self.role.is_told(&self.scopes, view, event, subject.whose));
            return Ok(told.map(|(.., id)| id.to_string()).collect());
        }
        if !view.is_open() && self.token.is_none() {
            return Err(401);
        }
        if !view.is_open() && !self.scopes.contains(&Scope::ViewsRead) {
            return Err(403);
        }
        let shown = about
            .iter()
            .filter(|subject| self.role.is_shown(&self.scopes, view, subject.whose));
        let known: BTreeSet<String> = shown.clone().flat_map(|subject| subject.known_by(view)).collect();
        match (shown.count(), about.len()) {
            (0, 1) => Err(403),
            _ => Ok(known),
        }
    }

    /// The answers about everybody, by every route of a view.
    async fn lists(&self, view: View) -> Vec<(String, Shown)> {
        let mut views = self.views.clone();
        let mut answers = Vec::new();
        let mut paths: Vec<&str> = Vec::new();
        match view {
            View::OrgTimeline | View::AccessLog | View::MunicipalityDirectory => {}
            View::RegisterCase => {
                let request = pb::ListRegisterCasesRequest {
                    page_size: 1_000,
                    ..Default::default()
                };
                answers.push(("gRPC".to_owned(), said(views.list_register_cases(request).await)));
                paths.push("/v1/register-cases?page_size=1000");
            }
            View::StatsCube => {
                let request = pb::GetStatsRequest {
                    by: vec!["kommune".to_owned()],
                    ..Default::default()
                };
                answers.push(("gRPC".to_owned(), said(views.get_stats(request).await)));
                paths.push("/v1/stats?by=kommune");
            }
            View::RegisterUnits => paths.extend([
                "/enhetsregisteret/api/enheter?size=100",
                "/enhetsregisteret/api/enheter/lastned",
                "/frivillighetsregisteret/api/frivillige-organisasjoner?size=100",
                "/frivillighetsregisteret/api/frivillige-organisasjoner/lastned",
            ]),
            View::RegisterChanges => paths.extend([
                "/enhetsregisteret/api/oppdateringer/enheter?size=1000",
                "/frivillighetsregisteret/api/oppdateringer/frivillige-organisasjoner?size=1000",
            ]),
            View::Subscriptions => {
                let request = pb::ListSubscriptionsRequest {
                    page_size: 100,
                    ..Default::default()
                };
                answers.push(("gRPC".to_owned(), said(views.list_subscriptions(request).await)));
                paths.push("/v1/subscriptions?page_size=100");
            }
            // Of the services that own them: there they are tried.
            View::Initiative | View::Founding | View::Organisation => return answers,
        }
        answers.push(("snapshot".to_owned(), self.snapshot(view).await));
        let file = format!("/v1/views/{}/snapshot", view.name());
        for path in paths.into_iter().chain([file.as_str()]) {
            answers.push((path.to_owned(), self.get(path).await));
        }
        answers
    }

    /// The answers about one organisation.
    async fn ones(&self, view: View, subject: &Subject) -> Vec<(String, Shown)> {
        let mut views = self.views.clone();
        let organisation = subject.organisation.orgnr.clone();
        let (called, paths) = match view {
            View::OrgTimeline => {
                let path = format!("/v1/timeline/{organisation}?page_size=500");
                let request = pb::ListTimelineRequest {
                    organisation,
                    page_size: 500,
                    ..Default::default()
                };
                (said(views.list_timeline(request).await), vec![path])
            }
            View::RegisterCase => {
                let case_id = subject.case.to_string();
                let path = format!("/v1/register-cases/{case_id}");
                let request = pb::GetRegisterCaseRequest {
                    case_id,
                    ..Default::default()
                };
                (said(views.get_register_case(request).await), vec![path])
            }
            View::AccessLog => {
                let path = format!("/v1/access-log/{organisation}?page_size=500");
                let request = pb::ListAccessLogRequest {
                    organisation,
                    page_size: 500,
                    ..Default::default()
                };
                (said(views.list_access_log(request).await), vec![path])
            }
            View::MunicipalityDirectory => {
                let listed = format!("/v1/directory?kommunenummer={}&page_size=100", subject.whose.kommune());
                let path = format!("/v1/directory/{organisation}");
                let request = pb::GetDirectoryEntryRequest {
                    organisation,
                    ..Default::default()
                };
                (said(views.get_directory_entry(request).await), vec![path, listed])
            }
            View::RegisterUnits => {
                let unit = format!("/enhetsregisteret/api/enheter/{organisation}");
                let voluntary = format!("/frivillighetsregisteret/api/frivillige-organisasjoner/{organisation}");
                return vec![
                    (unit.clone(), self.get(&unit).await),
                    (voluntary.clone(), self.get(&voluntary).await),
                ];
            }
            View::StatsCube
            | View::RegisterChanges
            | View::Subscriptions
            | View::Initiative
            | View::Founding
            | View::Organisation => return Vec::new(),
        };
        let mut answers = vec![("gRPC".to_owned(), called)];
        for path in paths {
            let shown = self.get(&path).await;
            answers.push((path, shown));
        }
        answers
    }

    async fn snapshot(&self, view: View) -> Shown {
        let request = pb::SnapshotRequest {
            view: view.name().to_owned(),
            ..Default::default()
        };
        let parts = self
            .views
            .clone()
            .snapshot(request)
            .await
            .map_err(|refused| status(&refused))?;
        let parts: Vec<_> = parts.into_inner().collect().await;
        let words = parts
            .into_iter()
            .map(|part| format!("{:?}", part.expect("a whole snapshot")));
        Ok(words.collect::<Vec<_>>().concat())
    }

    async fn get(&self, path: &str) -> Shown {
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
        let answer = get_with(self.world.address, path, &headers).await;
        if answer.status != 200 {
            return Err(answer.status);
        }
        let body = if path.ends_with("lastned") {
            answer.unzipped()
        } else {
            answer.body
        };
        Ok(String::from_utf8(body).expect("text"))
    }
}

fn said<T: Debug>(answer: Result<Response<T>, Status>) -> Shown {
    match answer {
        Ok(answer) => Ok(format!("{:?}", answer.into_inner())),
        Err(refused) => Err(status(&refused)),
    }
}

/// The status that the same refusal has over HTTP.
fn status(refused: &Status) -> u16 {
    match refused.code() {
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        _ => panic!("{refused}"),
    }
}
