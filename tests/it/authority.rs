//! Who may write what: invariant I3 in PostgreSQL, and the relay's monopoly in NATS.

use std::time::Duration;

use ryggrad_local::nats::SERVICES;
use ryggrad_local::postgres::ROLES;
use ryggrad_testkit::eventually;
use sqlx::PgPool;
use tokio::sync::mpsc;

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
async fn i3_a_role_appends_its_own_contexts_events_only() {
    let database = database().await;
    let call = "select * from log.append($1, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')";
    let own = database.pool_as("ryggrad_registration");
    sqlx::query(call)
        .bind("registration")
        .execute(&own)
        .await
        .expect("its own context");
    for (role, context) in [
        ("ryggrad_registration", "views"),
        ("ryggrad_views", "registration"),
        ("ryggrad_gateway", "registration"),
        ("ryggrad_relay", "registration"),
    ] {
        let answer = sqlx::query(call).bind(context).execute(&database.pool_as(role)).await;
        is_denied(answer, &format!("{role} appends to {context}"));
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
    sketch(whole.channel.clone(), fresh()).await.expect("accepted");
    for user in SERVICES {
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
