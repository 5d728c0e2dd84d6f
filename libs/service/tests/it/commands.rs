//! A command from its request to the log, by the one line that a service writes for it.

use bytes::Bytes;
use jiff::Timestamp;
use ryggrad_access::{Scope, Stakeholder};
use ryggrad_decider::{About, Context, Decider, Refusal, Text, rules};
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::{Append, Clock, Executor, NewEvent, Writer};
use ryggrad_proto::EventPayload;
use ryggrad_proto::common::v1::{Actor, CommandMeta, Receipt};
use ryggrad_proto::registration::v1::initiative_command::Command;
use ryggrad_proto::registration::v1::initiative_event::Event;
use ryggrad_proto::registration::v1::{InitiativePaused, InitiativeSketched, PauseInitiative, SketchInitiative};
use ryggrad_service::{Authority, auth};
use ryggrad_testkit::Database;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::callers::{CLUB, OTHER, PLATFORM, caller};

/// Sketches an initiative once, and refuses everything else.
struct Once;

impl Decider for Once {
    type State = bool;
    type Command = Command;
    type Event = Event;
    const CONTEXT: &'static str = "registration";
    const AGGREGATE: &'static str = "Initiative";

    fn decide(sketched: &bool, command: &Command, _: &Context) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::SketchInitiative(command) if !sketched => {
                let title = command.title.clone();
                Ok(vec![
                    InitiativeSketched {
                        title,
                        ..InitiativeSketched::default()
                    }
                    .into(),
                ])
            }
            _ => Err(Refusal::new(
                &rules::STATE,
                "Sketched",
                Text::new("Finnes.", "Finst.", "It exists."),
            )),
        }
    }

    fn evolve(sketched: &mut bool, _: &Event) {
        *sketched = true;
    }

    fn about(_: &bool) -> About {
        About::default()
    }
}

#[tonic::async_trait]
trait Rpcs {
    async fn sketch_initiative(&self, request: Request<SketchInitiative>) -> Result<Response<Receipt>, Status>;
    async fn pause_initiative(&self, request: Request<PauseInitiative>) -> Result<Response<Receipt>, Status>;
}

struct Api {
    initiatives: Executor<Once>,
    authority: Authority,
}

#[tonic::async_trait]
impl Rpcs for Api {
    ryggrad_service::commands! {
        sketch_initiative(SketchInitiative) => initiatives;
        pause_initiative(PauseInitiative) => initiatives;
    }
}

async fn api() -> (Api, Database) {
    let role = Role::writer("ryggrad_registration", "registration");
    let database = Database::create("service commands", async |pool| schema::migrate(&pool, &[role]).await).await;
    let pool = database.pool_as(role.name);
    let writer = Writer::spawn(&pool, "registration");
    (
        Api {
            authority: Authority::new(pool.clone(), Clock::system()),
            initiatives: Executor::new(pool, writer, Clock::system()),
        },
        database,
    )
}

/// Runs a call as a platform that may send commands.
async fn as_platform<F: Future>(call: F) -> F::Output {
    as_one_with(PLATFORM, call).await
}

async fn as_one_with<F: Future>(number: &str, call: F) -> F::Output {
    let scopes = [Scope::CommandsWrite];
    auth::answering(caller(number, Some(Stakeholder::Platform), scopes), call).await
}

fn sketch(meta: CommandMeta) -> Request<SketchInitiative> {
    let title = "Nordby turlag".to_owned();
    Request::new(SketchInitiative {
        meta: Some(meta),
        title,
        ..SketchInitiative::default()
    })
}

#[tokio::test]
async fn the_same_command_id_gives_the_same_receipt() {
    let (api, _database) = api().await;
    let command_id = Uuid::from_u128(7).to_string();
    let meta = CommandMeta {
        command_id: command_id.clone(),
        ..CommandMeta::default()
    };
    let first = as_platform(api.sketch_initiative(sketch(meta.clone())))
        .await
        .expect("accepted")
        .into_inner();
    let again = as_platform(api.sketch_initiative(sketch(meta)))
        .await
        .expect("accepted again")
        .into_inner();
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    assert_eq!(
        (&again.aggregate_id, again.position),
        (&first.aggregate_id, first.position)
    );
    assert_eq!(again.command_id, command_id);
}

/// The register gives the organisation of an aggregate with one event its number.
async fn give_number(database: &Database, aggregate_id: Uuid) {
    let writer = Writer::spawn(&database.pool_as("ryggrad_registration"), "registration");
    let paused = Event::from(InitiativePaused::default());
    let append = Append {
        command_id: Uuid::from_u128(70),
        aggregate_type: Once::AGGREGATE,
        aggregate_id,
        expected: 1,
        correlation_id: Uuid::from_u128(70),
        causation: None,
        actor: "{}".to_owned(),
        traceparent: None,
        occurred_at: Timestamp::UNIX_EPOCH,
        events: vec![NewEvent {
            id: Uuid::from_u128(71),
            name: paused.name(),
            organisation_id: aggregate_id,
            orgnr: Some(CLUB.to_owned()),
            kommunenummer: None,
            related: Vec::new(),
            class: paused.class(),
            data: Bytes::from(EventPayload::encode(&paused)),
            payload: paused.json().expect("JSON"),
        }],
    };
    writer.append(append).await.expect("appended");
}

#[tokio::test]
async fn i4_a_lost_answer_is_given_again_when_the_right_to_send_has_ended() {
    let (api, database) = api().await;
    let initiative = Uuid::from_u128(17);
    let sketch = |command_id: u128| {
        let mut request = sketch(CommandMeta {
            command_id: Uuid::from_u128(command_id).to_string(),
            ..CommandMeta::default()
        });
        request.get_mut().initiative_id = initiative.to_string();
        request
    };
    let first = as_platform(api.sketch_initiative(sketch(7))).await.expect("accepted");
    give_number(&database, initiative).await;
    let other = as_platform(api.sketch_initiative(sketch(8)))
        .await
        .expect_err("no mandate");
    assert_eq!(other.get_details_error_info().expect("info").reason, "NO_MANDATE");
    let again = as_platform(api.sketch_initiative(sketch(7))).await.expect("the answer");
    assert_eq!(
        again.into_inner(),
        Receipt {
            duplicate: true,
            ..first.into_inner()
        }
    );
    let stranger = as_one_with(OTHER, api.sketch_initiative(sketch(7))).await;
    let refused = stranger.expect_err("somebody else's");
    assert_eq!(refused.get_details_error_info().expect("info").reason, "NO_MANDATE");
}

#[tokio::test]
async fn the_id_of_somebody_elses_command_is_refused_and_its_receipt_is_not_told() {
    let (api, _database) = api().await;
    let meta = CommandMeta {
        command_id: Uuid::from_u128(7).to_string(),
        ..CommandMeta::default()
    };
    as_platform(api.sketch_initiative(sketch(meta.clone())))
        .await
        .expect("accepted");
    let refused = as_one_with(OTHER, api.sketch_initiative(sketch(meta)))
        .await
        .expect_err("not its own");
    let violations = refused.get_details_bad_request().expect("a field").field_violations;
    assert_eq!(
        (refused.code(), violations[0].field.as_str()),
        (Code::InvalidArgument, "meta.command_id")
    );
}

#[tokio::test]
async fn the_actor_is_the_one_that_the_token_proves_whatever_the_request_says() {
    let (api, database) = api().await;
    let actor = Actor {
        kind: "person".to_owned(),
        r#ref: "somebody@example.org".to_owned(),
        authenticated: true,
        ..Actor::default()
    };
    let meta = CommandMeta {
        actor: Some(actor),
        ..CommandMeta::default()
    };
    as_platform(api.sketch_initiative(sketch(meta)))
        .await
        .expect("accepted");
    let stored: serde_json::Value = sqlx::query_scalar("select actor from log.events")
        .fetch_one(&database.pool())
        .await
        .expect("one event");
    let expected = serde_json::json!({ "kind": "platform", "ref": PLATFORM, "authenticated": true });
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn an_id_that_a_client_cannot_give_is_refused_by_its_field() {
    let (api, _database) = api().await;
    // The second is what a deadline of that aggregate sends.
    let of_a_deadline = ryggrad_eventlog::deadline::command_id(Uuid::from_u128(7), 1).to_string();
    for command_id in ["7".to_owned(), of_a_deadline] {
        let meta = CommandMeta {
            command_id: command_id.clone(),
            ..CommandMeta::default()
        };
        let refused = as_platform(api.sketch_initiative(sketch(meta)))
            .await
            .expect_err("not an id of a client's");
        let violations = refused.get_details_bad_request().expect("a field").field_violations;
        assert_eq!(
            (refused.code(), violations[0].field.as_str()),
            (Code::InvalidArgument, "meta.command_id"),
            "{command_id}"
        );
    }
}

#[tokio::test]
async fn a_stale_version_is_aborted_with_the_current_one_and_a_refusal_with_its_rule() {
    let (api, _database) = api().await;
    let initiative_id = as_platform(api.sketch_initiative(sketch(CommandMeta::default())))
        .await
        .expect("accepted")
        .into_inner()
        .aggregate_id;
    let pause = |expected_version| {
        let meta = CommandMeta {
            expected_version,
            ..CommandMeta::default()
        };
        Request::new(PauseInitiative {
            meta: Some(meta),
            initiative_id: initiative_id.clone(),
            ..PauseInitiative::default()
        })
    };
    let aborted = as_platform(api.pause_initiative(pause(Some(0))))
        .await
        .expect_err("stale");
    assert_eq!(aborted.code(), Code::Aborted);
    assert_eq!(aborted.get_details_error_info().expect("info").metadata["version"], "1");
    let refused = as_platform(api.pause_initiative(pause(Some(1))))
        .await
        .expect_err("refused");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(
        refused.get_details_error_info().expect("info").metadata["rule"],
        "R-0.99"
    );
}
