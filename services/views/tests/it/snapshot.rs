//! Whole views: complete at one position, to be followed from there, and only what the caller may see.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use ryggrad_access::{Caller, Identity, Scope};
use ryggrad_eventlog::projection::{self, Projection};
use ryggrad_eventlog::{Log, Recorded};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::ecosystem::v1::{SubscriptionApproved, ViewAccessed, access_log_event, subscription_event};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::registration_case_event::Event as Case;
use ryggrad_proto::views::v1::snapshot_response::Part;
use ryggrad_proto::views::v1::{SnapshotBegin, SnapshotRequest, TimelineEntry};
use ryggrad_views::{
    AccessLog, MunicipalityDirectory, Options, OrgTimeline, RegisterCase, RegisterChanges, RegisterUnits,
    Subscriptions, Views,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::http::{Answer, get, get_with};
use crate::stats::{expected, takes};
use crate::world::{About, Organisation, World, fresh};

/// The lines of a snapshot: the first, the rows, the last.
fn lines(text: &[u8]) -> (Value, Vec<Value>, Value) {
    let text = std::str::from_utf8(text).expect("text");
    assert!(text.ends_with('\n'));
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let last = lines.pop().expect("a last line");
    let first = lines.remove(0);
    assert_eq!(last, json!({"rows": lines.len()}));
    (first, lines, last)
}

async fn snapshot(world: &World, view: &str) -> (u64, Vec<Value>) {
    let answer = get(world.address, &format!("/v1/views/{view}/snapshot")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let (first, rows, _) = lines(&answer.body);
    assert_eq!(first["view"], view);
    let as_of = first["as_of"].as_u64().expect("a position");
    assert_eq!(answer.header("ryggrad-as-of"), as_of.to_string());
    assert_eq!(answer.header("ryggrad-epoch"), first["epoch"]);
    (as_of, rows)
}

/// The same as somebody with a token.
async fn snapshot_as(world: &World, caller: &Caller, view: &str) -> (u16, Vec<Value>) {
    let (status, body) = ask_as(world, caller, &format!("/v1/views/{view}/snapshot")).await;
    (status, if status == 200 { lines(&body).1 } else { Vec::new() })
}

async fn ask_as(world: &World, caller: &Caller, path: &str) -> (u16, Bytes) {
    let request = http::Request::get(path).body(Body::empty()).expect("a request");
    let answer = world.views.http().oneshot(request);
    let answer = ryggrad_service::auth::answering(caller.clone(), answer)
        .await
        .expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.into_body().collect().await.expect("a body").to_bytes())
}

fn somebody(orgnr: &str, scopes: impl IntoIterator<Item = Scope>) -> Caller {
    Caller::proved(Identity {
        consumer: OrgNumber::parse(orgnr).expect("a number"),
        supplier: None,
        system_user: None,
        scopes: scopes.into_iter().collect(),
        parties: Vec::new(),
        expires: "2999-01-01T00:00:00Z".parse().expect("an instant"),
    })
}

async fn draft(world: &World, organisation: &Organisation) -> u64 {
    let drafted = Case::from(pb::RegistrationDrafted {
        organisation_id: organisation.id.to_string(),
        ..pb::RegistrationDrafted::default()
    });
    world
        .append("RegistrationCase", fresh(), 0, &organisation.about(), &[drafted])
        .await
}

async fn subscribe(world: &World) {
    let id = fresh();
    let approved = subscription_event::Event::from(SubscriptionApproved {
        subscription_id: id.to_string(),
        ..SubscriptionApproved::default()
    });
    let about = About {
        organisation: id,
        orgnr: None,
        related: Vec::new(),
    };
    world.append("Subscription", id, 0, &about, &[approved]).await;
}

/// Somebody has looked at organisations.
async fn look(world: &World, organisations: &[Uuid]) {
    let id = fresh();
    let accessed = access_log_event::Event::from(ViewAccessed {
        view: "register_case".into(),
        organisation_ids: organisations.iter().map(Uuid::to_string).collect(),
        ..ViewAccessed::default()
    });
    let about = About {
        organisation: id,
        orgnr: None,
        related: Vec::new(),
    };
    world.append("AccessLog", id, 0, &about, &[accessed]).await;
}

/// Rows by key, as the fold of events gives them.
type Folded<R> = BTreeMap<String, R>;

fn fold<P: Projection>(projection: &P, rows: &mut Folded<P::Row>, events: &[Recorded]) {
    for event in events {
        let keys = projection.keys(event).expect("keys");
        let mut touched: Vec<_> = keys.into_iter().map(|key| (key.clone(), rows.remove(&key))).collect();
        projection.fold_all(&mut touched, event).expect("rows");
        rows.extend(touched.into_iter().filter_map(|(key, row)| Some((key, row?))));
    }
}

/// What tells a row from the others, and from itself at another time.
fn mark(row: &Value) -> String {
    // What comes from lists when it is answered is no part of the fold.
    let parts = [
        "organisationId",
        "orgnr",
        "organisasjonsnummer",
        "caseId",
        "position",
        "name",
        "navn",
        "state",
    ];
    parts.map(|part| row[part].to_string()).join(" ")
}

fn marks<R: serde::Serialize>(rows: &Folded<R>, is_answered: impl Fn(&str, &R) -> bool) -> Vec<String> {
    let answered = rows.iter().filter(|(key, row)| is_answered(key, row));
    let mut marks: Vec<_> = answered
        .map(|(_, row)| mark(&serde_json::to_value(row).expect("its JSON")))
        .collect();
    marks.sort_unstable();
    marks
}

/// Takes snapshots of a view while events come in; each is the fold of the log up to its position, and what follows it leads
/// to the next one.
async fn check<P: Projection>(
    world: &World,
    caller: &Caller,
    projection: P,
    is_answered: impl Fn(&str, &P::Row) -> bool + Copy,
) where
    P::Row: serde::Serialize,
{
    let log = Log::new(world.writer.clone());
    let (mut rows, mut position) = (Folded::new(), 0);
    for _ in 0..5 {
        let (status, body) = ask_as(world, caller, &format!("/v1/views/{}/snapshot", P::NAME)).await;
        assert_eq!(status, 200, "{body:?}");
        let (first, told, _) = lines(&body);
        let as_of = first["as_of"].as_u64().expect("a position");
        assert!(as_of >= position, "{} went back", P::NAME);
        // Following from the snapshot before: the next numbers, none missing and none twice.
        let mut events = log.after(position, 100_000).await.expect("the log");
        events.retain(|event| event.position <= as_of);
        let numbers: Vec<_> = events.iter().map(|event| event.position).collect();
        assert_eq!(numbers, (position + 1..=as_of).collect::<Vec<_>>());
        fold(&projection, &mut rows, &events);
        let mut told: Vec<_> = told.iter().map(mark).collect();
        told.sort_unstable();
        assert_eq!(told, marks(&rows, is_answered), "{} at {as_of}", P::NAME);
        position = as_of;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_a_snapshot_under_load_and_follows_misses_nothing_and_repeats_nothing() {
    let world = World::begin().await;
    // Enough for a cell of the statistics, however slowly the load begins.
    for n in 1..=6 {
        world.register(&Organisation::nth(n)).await;
    }
    world.caught_up().await;
    let (stop, done) = (CancellationToken::new(), CancellationToken::new());
    let own = Organisation::nth(9_000);
    world.register(&own).await;
    let load = async {
        let mut n = 0;
        while !stop.is_cancelled() {
            let organisation = Organisation::nth(n);
            world.register(&organisation).await;
            if n % 3 == 0 {
                let more: Event = if n % 2 == 0 {
                    pb::OrganisationDeleted::default().into()
                } else {
                    pb::VoluntaryRegistrationDeleted::default().into()
                };
                world
                    .append("Organisation", organisation.id, 2, &organisation.about(), &[more])
                    .await;
            }
            if n % 5 == 0 {
                draft(&world, &own).await;
                draft(&world, &organisation).await;
                subscribe(&world).await;
                look(&world, &[own.id, organisation.id]).await;
            }
            n += 1;
        }
        done.cancel();
    };
    let checks = async {
        let anybody = Caller::ANYBODY;
        // Not its second entry under the organisation number, and nothing that is not public.
        let public = |key: &str, entry: &TimelineEntry| key.contains('-') && entry.class() == PrivacyClass::Public;
        check(&world, &anybody, OrgTimeline, public).await;
        check(&world, &anybody, MunicipalityDirectory, |_, _| true).await;
        check(&world, &anybody, RegisterUnits, |_, _| true).await;
        check(&world, &anybody, RegisterChanges, |_, row| row.position > 0).await;
        check(&world, &anybody, Subscriptions, |_, _| true).await;
        let (id, token) = (own.id.to_string(), somebody(&own.orgnr, [Scope::ViewsRead]));
        check(&world, &token, RegisterCase, |_, case| case.organisation_id == id).await;
        check(&world, &token, AccessLog, |_, entry| entry.organisation_id == id).await;
        // Statistics: as many of the sample as are registered and not deleted at that position.
        let (as_of, cells) = {
            let answer = get(world.address, "/v1/views/stats_cube/snapshot?by=form").await;
            let (first, rows, _) = lines(&answer.body);
            (first["as_of"].as_u64().expect("a position"), rows)
        };
        let log = Log::new(world.writer.clone()).after(0, 100_000).await.expect("the log");
        let named = |name: &str| -> BTreeSet<Uuid> {
            let named = log
                .iter()
                .filter(|event| event.position <= as_of && &*event.name == name);
            named.map(|event| event.aggregate_id).collect()
        };
        let takes = takes(&world).await;
        let (registered, deleted) = (named("OrganisationRegistered"), named("OrganisationDeleted"));
        let there = registered.difference(&deleted).filter(|id| takes(**id)).count();
        assert!(there >= 5, "{there}");
        assert_eq!(cells.len(), 1);
        let count = expected(there).map(|count| count.to_string());
        assert_eq!((&cells[0]["form"], &cells[0]["count"]), (&json!("FLI"), &json!(count)));
        stop.cancel();
    };
    tokio::join!(load, checks);
    assert!(done.is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_sent_to_whom_they_are_of() {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    let own = somebody(&organisation.orgnr, [Scope::ViewsRead]);
    let as_of = draft(&world, &organisation).await;
    // Somebody else's is not among them.
    let at_least = draft(&world, &Organisation::nth(2)).await;
    let path = format!("/v1/views/register_case/snapshot?at_least={at_least}");
    let (first, rows, _) = lines(&ask_as(&world, &own, &path).await.1);
    assert!(first["as_of"].as_u64() >= Some(at_least), "it waits: {first}");
    assert_eq!((rows.len(), &rows[0]["position"]), (1, &json!(as_of.to_string())));
    world.caught_up().await;
    assert_eq!(snapshot_as(&world, &Caller::ANYBODY, RegisterCase::NAME).await.0, 401);
    assert_eq!(
        snapshot_as(&world, &somebody(&organisation.orgnr, []), RegisterCase::NAME)
            .await
            .0,
        403
    );
    let other = somebody(&Organisation::nth(3).orgnr, [Scope::ViewsRead]);
    assert_eq!(snapshot_as(&world, &other, RegisterCase::NAME).await, (200, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_has_what_the_caller_would_see_in_the_stream() {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    let confidential: Event = pb::BankAccountLinked::default().into();
    world
        .append(
            "Organisation",
            organisation.id,
            2,
            &organisation.about(),
            &[confidential],
        )
        .await;
    // An event of another one that names it.
    let about = About {
        organisation: fresh(),
        orgnr: Some(Organisation::nth(2).orgnr),
        related: vec![organisation.id],
    };
    let drafted = Case::from(pb::RegistrationDrafted::default());
    world.append("RegistrationCase", fresh(), 0, &about, &[drafted]).await;
    world.caught_up().await;
    let seen = async |caller: &Caller| {
        let (status, rows) = snapshot_as(&world, caller, OrgTimeline::NAME).await;
        assert_eq!(status, 200);
        let names = rows.iter().map(|row| row["event"].as_str().expect("a name").to_owned());
        names.collect::<Vec<_>>()
    };
    let public = ["OrganisationRegistered", "VoluntaryRegistrationEntered"];
    assert_eq!(seen(&Caller::ANYBODY).await, public);
    let conf = [Scope::EventsConfRead];
    assert_eq!(
        seen(&somebody(&organisation.orgnr, conf)).await,
        [
            "OrganisationRegistered",
            "VoluntaryRegistrationEntered",
            "BankAccountLinked"
        ]
    );
    assert_eq!(seen(&somebody(&organisation.orgnr, [])).await, public);
    assert_eq!(seen(&somebody(&Organisation::nth(3).orgnr, conf)).await, public);
    // Who drafted it sees it, in its own timeline and in that of the one it named.
    let drafting = somebody(&Organisation::nth(2).orgnr, [Scope::EventsOrgRead]);
    let names = seen(&drafting).await;
    assert_eq!(
        names.iter().filter(|name| *name == "RegistrationDrafted").count(),
        2,
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_compressed_for_who_takes_that() {
    let world = World::begin().await;
    for n in 0..700 {
        world.register(&Organisation::nth(n)).await;
    }
    world.caught_up().await;
    let path = "/v1/views/municipality_directory/snapshot";
    let plain = get_with(world.address, path, &[("accept-encoding", "br, gzip;q=0")]).await;
    assert_eq!(
        (plain.header("content-encoding"), plain.header("content-type")),
        ("", "application/x-ndjson")
    );
    let zipped = get_with(world.address, path, &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert!(zipped.body.len() * 3 < plain.body.len());
    assert_eq!(zipped.unzipped(), plain.body);
    let (_, rows, _) = lines(&plain.body);
    assert_eq!(rows.len(), 700);
    assert_eq!(rows[0]["kommune"], "Vang", "explained as in the list");
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_sends_the_same_parts() {
    let world = World::begin().await;
    for n in 0..300 {
        world.register(&Organisation::nth(n)).await;
    }
    world.caught_up().await;
    for view in Views::NAMES {
        let request = SnapshotRequest {
            view: view.into(),
            ..SnapshotRequest::default()
        };
        let parts = world.anybody().snapshot(request).await;
        if view == RegisterCase::NAME || view == AccessLog::NAME {
            assert_eq!(parts.expect_err("no token").code(), tonic::Code::Unauthenticated);
            continue;
        }
        let mut parts = parts.expect("a snapshot").into_inner();
        let (mut begin, mut rows, mut end) = (None, Vec::new(), None);
        while let Some(part) = parts.next().await {
            match part.expect("no cut").part.expect("a part") {
                Part::Begin(first) => begin = Some(first),
                Part::End(last) => end = Some(last),
                Part::TimelineEntry(row) => rows.push(serde_json::to_value(row)),
                Part::RegisterCase(row) => rows.push(serde_json::to_value(row)),
                Part::DirectoryEntry(row) => rows.push(serde_json::to_value(row)),
                Part::StatsCell(row) => rows.push(serde_json::to_value(row)),
                Part::RegisterUnit(row) => rows.push(serde_json::to_value(row)),
                Part::RegisterChange(row) => rows.push(serde_json::to_value(row)),
                Part::AccessLogEntry(row) => rows.push(serde_json::to_value(row)),
                Part::SubscriptionEntry(row) => rows.push(serde_json::to_value(row)),
            }
        }
        let SnapshotBegin { as_of, version, .. } = begin.expect("a beginning");
        let expected = match view {
            OrgTimeline::NAME => OrgTimeline::VERSION,
            MunicipalityDirectory::NAME => MunicipalityDirectory::VERSION,
            RegisterUnits::NAME => RegisterUnits::VERSION,
            RegisterChanges::NAME => RegisterChanges::VERSION,
            _ => 1,
        };
        let expected = u32::try_from(expected).expect("positive");
        assert_eq!(
            (as_of, end.expect("an end").rows, version),
            (600, rows.len() as u64, expected)
        );
        let rows: Vec<_> = rows.into_iter().map(|row| row.expect("its JSON")).collect();
        assert_eq!(snapshot(&world, view).await, (600, rows), "{view}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_refused_by_its_field() {
    let world = World::begin().await;
    for (path, field) in [
        ("/v1/views/everything/snapshot", "view"),
        ("/v1/views/stats_cube/snapshot?by=colour", "by[0]"),
        ("/v1/views/register_units/snapshot?by=form", "by"),
        ("/v1/views/register_units/snapshot?at_least=x", "at_least"),
        ("/v1/views/register_units/snapshot?limit=5", "limit"),
    ] {
        let answer: Answer = get(world.address, path).await;
        assert_eq!(answer.status, 400, "{path}");
        let body = answer.json().to_string();
        assert!(body.contains(&format!("\"field\":\"{field}\"")), "{path}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_place_is_taken_it_says_when_to_come_back() {
    let world = World::begin_with(Options {
        downloads: 0,
        ..Options::default()
    })
    .await;
    // Until every view has been begun.
    world.register(&Organisation::nth(1)).await;
    world.caught_up().await;
    for path in [
        "/v1/views/register_units/snapshot",
        "/enhetsregisteret/api/enheter/lastned",
        "/frivillighetsregisteret/api/frivillige-organisasjoner/lastned",
    ] {
        let answer = get(world.address, path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{path}");
    }
    let unit = get(world.address, "/enhetsregisteret/api/enheter").await;
    assert_eq!(unit.status, 200, "short answers need no place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_can_be_fetched_whole_while_it_is_rebuilt() {
    let world = World::begin_with(Options {
        grace: Duration::ZERO,
        ..Options::default()
    })
    .await;
    for n in 0..300 {
        world.register(&Organisation::nth(n)).await;
    }
    world.caught_up().await;
    let (_, before) = snapshot(&world, RegisterUnits::NAME).await;
    for round in 0..3 {
        assert!(
            projection::ask_for_rebuild(&world.pool, RegisterUnits::NAME)
                .await
                .expect("asked")
        );
        loop {
            let answer = get(world.address, "/v1/views/register_units/snapshot").await;
            // A table that is gone before the first row is told as such; half an answer never comes.
            assert!(matches!(answer.status, 200 | 503), "{answer:?}");
            if answer.status == 200 {
                assert_eq!(lines(&answer.body).1, before);
            }
            let progress = projection::progress(&world.pool).await.expect("progress");
            let units = progress.iter().filter(|view| view.name == RegisterUnits::NAME);
            if units.map(|view| view.generation).collect::<Vec<_>>() == [round + 2] {
                break;
            }
        }
    }
}
