//! What the tests of the log share: a counting aggregate, a migrated database, and the proofs that a log is whole.

use ryggrad_decider::{About, Context, Decider, Refusal, Text, rules};
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::{Clock, Executor, Request, Writer};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1::TrialActivityHeld;
use ryggrad_proto::registration::v1::initiative_event::Event;
use ryggrad_testkit::Database;
use sqlx::PgPool;
use uuid::Uuid;

/// The role whose context the tests write.
pub(crate) const SERVICE: &str = "ryggrad_registration";

/// Roles of the product, with what these tests need of what they may do.
pub(crate) const ROLES: [Role<'static>; 5] = [
    Role::writer(SERVICE, "registration"),
    Role::reader("ryggrad_views"),
    Role::writer_of("ryggrad_gateway", "ecosystem", "AccessLog"),
    Role::writer("ryggrad_ecosystem", "ecosystem"),
    Role::reader("ryggrad_relay"),
];

/// A database with an empty log.
pub(crate) async fn database() -> Database {
    Database::create(
        concat!(
            include_str!("../../sql/0001_log.sql"),
            include_str!("../../sql/0002_clock.sql"),
            include_str!("../../sql/0003_access.sql"),
            include_str!("../../sql/0004_writers.sql"),
            include_str!("../../sql/0005_append.sql"),
            include_str!("../../sql/0006_append.sql"),
            "eventlog tests"
        ),
        |pool| async move { schema::migrate(&pool, &ROLES).await },
    )
    .await
}

/// Counts, and says no above a limit.
#[derive(Debug)]
pub(crate) struct Counter;

/// Counts so many, each as an event, unless the count would go above the limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) events: u32,
    pub(crate) limit: u64,
}

impl Decider for Counter {
    type State = u64;
    type Command = Count;
    type Event = Event;

    const CONTEXT: &'static str = "registration";
    const AGGREGATE: &'static str = "Initiative";

    fn decide(state: &u64, command: &Count, context: &Context) -> Result<Vec<Event>, Refusal> {
        if state + u64::from(command.events) > command.limit {
            return Err(Refusal::new(&rules::STATE, "Full", Text::new("fullt", "fullt", "full")).with("state", state));
        }
        let held = (1..).take(command.events as usize).map(|n| TrialActivityHeld {
            initiative_id: context.aggregate_id.to_string(),
            date: "2026-03-02".into(),
            participants_count: u32::try_from(state + n).expect("small"),
            ..TrialActivityHeld::default()
        });
        Ok(held.map(Event::TrialActivityHeld).collect())
    }

    fn evolve(state: &mut u64, _event: &Event) {
        *state += 1;
    }

    fn about(_state: &u64) -> About {
        About::default()
    }
}

/// An executor with a pool and a writer of its own, as a process has.
pub(crate) fn process(pool: PgPool) -> Executor<Counter> {
    let writer = Writer::spawn(&pool, "registration");
    Executor::new(pool, writer, Clock::system())
}

/// A command to count without a limit.
pub(crate) fn count(aggregate_id: Uuid, events: u32) -> Request<Count> {
    Request {
        command: Count {
            events,
            limit: u64::MAX,
        },
        aggregate_id,
        command_id: Uuid::now_v7(),
        expected_version: None,
        actor: Actor::default(),
        correlation_id: None,
        causation: None,
        traceparent: None,
    }
}

/// Positions are 1 to n without holes, and every aggregate's sequences too; answers n.
#[track_caller]
pub(crate) fn assert_whole(events: &[(i64, Uuid, i64)]) -> usize {
    let mut sequences = std::collections::HashMap::new();
    for ((position, aggregate, sequence), due) in events.iter().zip(1..) {
        assert_eq!(*position, due, "I1: positions are dense");
        let last = sequences.entry(*aggregate).or_insert(0);
        assert_eq!(*sequence, *last + 1, "I5: sequences of {aggregate} are contiguous");
        *last = *sequence;
    }
    events.len()
}

/// Position, aggregate and sequence of every event in the log.
pub(crate) async fn all(pool: &PgPool) -> Vec<(i64, Uuid, i64)> {
    sqlx::query_as("select position, aggregate_id, sequence from log.events order by position")
        .fetch_all(pool)
        .await
        .expect("the log can be read")
}
