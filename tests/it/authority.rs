//! Who may write what: invariant I3 in PostgreSQL, and the relay's monopoly in NATS.

use std::time::Duration;

use ryggrad_eventlog::{Append, NewEvent, Outcome};
use ryggrad_local::nats::{ADMIN, SERVICES};
use ryggrad_local::postgres::ROLES;
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_testkit::eventually;
use sqlx::PgPool;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::harness::{Whole, database, fresh, sketch, whole};

/// A log with one event in it.
async fn log_with_an_event() -> (Whole, sqlx::PgPool) {
    let whole = whole().await;
    whole.sketch().await.expect("accepted");
    let owner = whole.owner();
    (whole, owner)
}

#[track_caller]
fn is_denied(answer: Result<sqlx::postgres::PgQueryResult, sqlx::Error>, what: &str) {
    let code = answer
        .expect_err(what)
        .into_database_error()
        .and_then(|error| error.code().map(|code| code.to_string()));
    assert_eq!(code.as_deref(), Some("42501"), "{what}");
}

#[tokio::test]
async fn i3_no_role_changes_what_is_written() {
    let (whole, _owner) = log_with_an_event().await;
    for role in ROLES {
        let pool = PgPool::connect(whole.addresses.postgres(role))
            .await
            .expect("the role may log in");
        for statement in [
            "insert into log.events select * from log.events",
            "update log.events set name = 'Other'",
            "delete from log.events",
            "truncate log.events",
            "update log.head set position = 0",
            "delete from log.commands",
            "insert into log.writers values ('ryggrad_views', 'registration')",
            "drop table log.events",
        ] {
            let answer = sqlx::query(statement).execute(&pool).await;
            is_denied(answer, &format!("{role}: {statement}"));
        }
    }
    whole.stack.stop().await;
}

#[tokio::test]
async fn i3_not_even_the_owner_changes_what_is_written() {
    let (whole, owner) = log_with_an_event().await;
    for statement in [
        "update log.events set name = 'Other'",
        "delete from log.events",
        "truncate log.events",
        "update log.commands set version = 0",
        "delete from log.commands",
        "truncate log.commands",
    ] {
        let answer = sqlx::query(statement).execute(&owner).await.expect_err(statement);
        assert!(answer.to_string().contains("append-only"), "{statement}: {answer}");
    }
    whole.stack.stop().await;
}

#[tokio::test]
async fn i3_a_role_appends_its_own_events_only() {
    let database = database().await;
    let own = [
        ("ryggrad_registration", "registration", "Initiative"),
        ("ryggrad_registration", "ecosystem", "AccessLog"),
        ("ryggrad_ecosystem", "ecosystem", "Subscription"),
        ("ryggrad_ecosystem", "ecosystem", "Mandate"),
        ("ryggrad_views", "ecosystem", "AccessLog"),
        ("ryggrad_gateway", "ecosystem", "AccessLog"),
        ("ryggrad_registration", "ecosystem", "AccessLog"),
    ];
    for (role, context, aggregate) in own {
        let outcome = append(&database.pool_as(role), context, aggregate, fresh()).await;
        assert!(matches!(outcome, Ok(Outcome::Appended(_))), "{role}: {outcome:?}");
    }
    for role in ROLES {
        for context in ["registration", "ecosystem", "operations"] {
            for aggregate in ["Initiative", "Subscription", "Mandate", "AccessLog"] {
                let may = own.contains(&(role, context, aggregate))
                    || (role, context) == ("ryggrad_registration", "registration")
                    || (role, context) == ("ryggrad_ecosystem", "ecosystem");
                let outcome = append(&database.pool_as(role), context, aggregate, fresh()).await;
                assert_eq!(
                    outcome.is_ok(),
                    may,
                    "{role} appends to {context} {aggregate}: {outcome:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn i3_a_door_does_not_reach_anothers_aggregate_under_the_name_of_its_own() {
    let database = database().await;
    let subscription = fresh();
    append(
        &database.pool_as("ryggrad_ecosystem"),
        "ecosystem",
        "Subscription",
        subscription,
    )
    .await
    .expect("its own");
    let next = Append {
        expected: 1,
        ..decided("AccessLog", subscription)
    };
    for role in ["ryggrad_gateway", "ryggrad_views"] {
        let pool = database.pool_as(role);
        let mut connection = pool.acquire().await.expect("connects");
        let answer = ryggrad_eventlog::append::append(&mut connection, "ecosystem", &[&next]).await;
        let code = answer.expect_err("not its own").into_database_error();
        let code = code.and_then(|error| error.code().map(|code| code.to_string()));
        assert_eq!(code.as_deref(), Some("42501"), "{role}");
    }
}

async fn append(pool: &PgPool, context: &str, aggregate: &'static str, id: Uuid) -> Result<Outcome, sqlx::Error> {
    let mut connection = pool.acquire().await.expect("connects");
    let outcomes = ryggrad_eventlog::append::append(&mut connection, context, &[&decided(aggregate, id)]).await?;
    Ok(outcomes[0])
}

/// A command of one event, as a service hands it to the log.
fn decided(aggregate_type: &'static str, aggregate_id: Uuid) -> Append {
    let event = NewEvent {
        id: fresh(),
        name: "OrganisationAccessed",
        organisation_id: aggregate_id,
        orgnr: None,
        kommunenummer: None,
        related: Vec::new(),
        class: PrivacyClass::Conf,
        data: Vec::new().into(),
        payload: "{}".to_owned(),
    };
    Append {
        command_id: fresh(),
        aggregate_type,
        aggregate_id,
        expected: 0,
        correlation_id: aggregate_id,
        causation: None,
        actor: "{}".to_owned(),
        traceparent: None,
        occurred_at: "2026-03-02T12:00:00Z".parse().expect("an instant"),
        events: vec![event],
    }
}

#[tokio::test]
async fn a_role_does_not_see_another_roles_tables() {
    let (whole, owner) = log_with_an_event().await;
    let tables: Vec<(String, String)> = sqlx::query_as("select schemaname::text, tablename::text from pg_tables where schemaname in ('registration', 'views', 'gateway')")
        .fetch_all(&owner)
        .await
        .expect("the catalogue");
    for role in ["registration", "views", "gateway"] {
        let pool = PgPool::connect(whole.addresses.postgres(&format!("ryggrad_{role}")))
            .await
            .expect("the role may log in");
        for (schema, table) in tables.iter().filter(|(schema, _)| schema != role) {
            let answer = sqlx::query(&format!("select 1 from {schema}.{table}"))
                .execute(&pool)
                .await;
            is_denied(answer, &format!("{role} reads {schema}.{table}"));
        }
    }
    whole.stack.stop().await;
}

#[tokio::test]
async fn only_the_relay_publishes_to_the_stream() {
    let whole = whole().await;
    sketch(whole.app(), fresh()).await.expect("accepted");
    for user in SERVICES.into_iter().chain([ADMIN]) {
        let client = denied_publish(&whole, user).await;
        client.expect("the broker says that it is a violation");
    }
    let relay = whole.nats.client("relay").await;
    let head = eventually(Duration::from_secs(10), || async {
        match ryggrad_eventlog::stream::last_sequence(&relay).await {
            Ok(1) => Ok(1),
            other => Err(format!("{other:?}")),
        }
    });
    assert_eq!(head.await, 1, "nobody else's message is in the stream");
    whole.stack.stop().await;
}

/// Publishes as somebody who may not; what the broker says.
async fn denied_publish(whole: &Whole, user: &str) -> Result<String, String> {
    let (said, mut heard) = mpsc::channel(16);
    let options = async_nats::ConnectOptions::with_user_and_password(user.to_owned(), whole.nats.password_of(user))
        .event_callback(move |event| {
            let said = said.clone();
            async move {
                if let async_nats::Event::ServerError(error) = event {
                    let _gone = said.send(error.to_string()).await;
                }
            }
        });
    let client = options
        .connect(whole.nats.address())
        .await
        .map_err(|error| error.to_string())?;
    client
        .publish(
            "ryggrad.v1.public.registration.OrganisationRegistered.00",
            "forged".into(),
        )
        .await
        .map_err(|error| error.to_string())?;
    client.flush().await.map_err(|error| error.to_string())?;
    let error = tokio::time::timeout(Duration::from_secs(10), heard.recv())
        .await
        .map_err(|_| format!("{user} may publish"))?;
    error
        .filter(|error| error.to_lowercase().contains("permissions violation"))
        .ok_or_else(|| format!("{user}: another error"))
}
