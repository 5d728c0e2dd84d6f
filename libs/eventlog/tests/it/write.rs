//! I3, I4, I5: the way into the log, under writers that race, repeat themselves and go away.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ryggrad_eventlog::{Append, ExecuteError, NewEvent, Outcome, WriteError, Writer};
use ryggrad_proto::common::v1::Receipt;
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_testkit::{eventually, private_postgres};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Count, Counter, ROLES, SERVICE, all, assert_whole, count, database, process};

/// Sends a command until it has a receipt, as a client would.
async fn insist(process: &ryggrad_eventlog::Executor<Counter>, request: ryggrad_eventlog::Request<Count>) -> Receipt {
    loop {
        match process.execute(request.clone()).await {
            Ok(receipt) => return receipt,
            Err(ExecuteError::Conflict { .. } | ExecuteError::Unavailable(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_i4_i5_sixteen_writers_on_two_hundred_hot_aggregates_lose_and_double_nothing() {
    const COMMANDS: usize = 20_000;
    let database = database().await;
    let pool = PgPoolOptions::new()
        .max_connections(24)
        .connect(&database.url_as(SERVICE))
        .await
        .expect("connects");
    let processes: Arc<Vec<_>> = Arc::new((0..16).map(|_| process(pool.clone())).collect());
    let aggregates: Vec<_> = (0..200).map(|_| Uuid::now_v7()).collect();
    let mut clients = JoinSet::new();
    for writer in 0..16 {
        let (processes, aggregates) = (Arc::clone(&processes), aggregates.clone());
        clients.spawn(async move {
            let mut receipts = Vec::new();
            for n in (writer..COMMANDS).step_by(16) {
                let request = count(aggregates[(n * 7919) % aggregates.len()], 1 + u32::from(n % 5 == 0));
                let first = processes[writer].clone();
                if n % 3 == 0 {
                    // The same command through another writer, at the same time or afterwards.
                    let other = processes[(writer + 5) % 16].clone();
                    let (one, two) = if n % 2 == 0 {
                        tokio::join!(insist(&first, request.clone()), insist(&other, request))
                    } else {
                        (insist(&first, request.clone()).await, insist(&other, request).await)
                    };
                    assert_eq!(
                        (one.first_position, one.position, one.version),
                        (two.first_position, two.position, two.version),
                        "I4"
                    );
                    assert!(one.duplicate != two.duplicate, "one of the two is the repetition");
                    receipts.push(one);
                } else {
                    receipts.push(insist(&first, request).await);
                }
            }
            receipts
        });
    }
    let mut receipts = HashMap::new();
    while let Some(done) = clients.join_next().await {
        for receipt in done.expect("no client fails") {
            assert!(receipts.insert(receipt.command_id.clone(), receipt).is_none());
        }
    }
    assert_eq!(receipts.len(), COMMANDS);
    assert_eq!(assert_whole(&all(&database.pool()).await), COMMANDS + COMMANDS / 5);
    let written: Vec<(Uuid, i64, i64, i64)> =
        sqlx::query_as("select command_id, min(position), max(position), count(*) from log.events group by command_id")
            .fetch_all(&database.pool())
            .await
            .expect("the log can be read");
    assert_eq!(written.len(), COMMANDS);
    for (command, first, last, events) in written {
        let receipt = &receipts[&command.to_string()];
        assert_eq!(
            (receipt.first_position, receipt.position),
            (first.cast_unsigned(), last.cast_unsigned())
        );
        assert_eq!(last - first + 1, events, "a command's events stand together");
    }
}

#[tokio::test]
async fn i4_a_repeated_command_is_answered_as_at_first_even_when_it_would_be_refused_now() {
    let database = database().await;
    let (one, two) = (process(database.pool_as(SERVICE)), process(database.pool_as(SERVICE)));
    let mut request = count(Uuid::now_v7(), 2);
    request.command.limit = 3;
    let first = one.execute(request.clone()).await.expect("accepted");
    one.execute(count(request.aggregate_id, 1)).await.expect("accepted");
    for process in [&one, &two] {
        let again = process.execute(request.clone()).await.expect("known");
        assert!(again.duplicate);
        assert_eq!(
            Receipt {
                duplicate: false,
                ..again
            },
            first
        );
    }
    let mut new = request.clone();
    new.command_id = Uuid::now_v7();
    assert!(matches!(two.execute(new).await, Err(ExecuteError::Refused(refusal)) if refusal.code == "Full"));
}

#[tokio::test]
async fn i5_a_client_with_an_expected_version_is_answered_and_never_retried() {
    let database = database().await;
    let (one, two) = (process(database.pool_as(SERVICE)), process(database.pool_as(SERVICE)));
    let id = Uuid::now_v7();
    one.execute(count(id, 1)).await.expect("accepted");
    two.execute(count(id, 1)).await.expect("accepted");
    let mut stale = count(id, 1);
    stale.expected_version = Some(1);
    let answer = one.execute(stale).await;
    assert!(
        matches!(answer, Err(ExecuteError::Conflict { version: 2, .. })),
        "{answer:?}"
    );
    let mut fresh = count(id, 1);
    fresh.expected_version = Some(2);
    assert_eq!(one.execute(fresh).await.expect("accepted").version, 3);
}

#[tokio::test]
async fn a_command_that_asks_for_nothing_new_has_a_receipt_and_no_event() {
    let database = database().await;
    let process = process(database.pool_as(SERVICE));
    let id = Uuid::now_v7();
    let first = process.execute(count(id, 3)).await.expect("accepted");
    let nothing = process.execute(count(id, 0)).await.expect("accepted");
    assert_eq!((nothing.version, nothing.position), (3, first.position));
    assert_eq!(all(&database.pool()).await.len(), 3);
}

#[tokio::test]
async fn a_refusal_is_said_on_what_is_in_the_log_and_not_on_what_may_fail() {
    let database = database().await;
    let (one, two) = (process(database.pool_as(SERVICE)), process(database.pool_as(SERVICE)));
    let id = Uuid::now_v7();
    one.execute(count(id, 1)).await.expect("accepted");
    // Two moves the aggregate behind one's back; what one remembers would refuse, the log does not, and the reverse.
    two.execute(count(id, 8)).await.expect("accepted");
    let mut full = count(id, 2);
    full.command.limit = 10;
    assert!(matches!(one.execute(full).await, Err(ExecuteError::Refused(_))));
    let mut fits = count(id, 1);
    fits.command.limit = 10;
    assert_eq!(one.execute(fits).await.expect("accepted").version, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_go_away_leave_nothing_half_done() {
    let database = database().await;
    let process = process(database.pool_as(SERVICE));
    let ids: Vec<_> = (0..4).map(|_| Uuid::now_v7()).collect();
    let mut clients = Vec::new();
    for n in 0..400_usize {
        let (process, id) = (process.clone(), ids[n % 4]);
        clients.push(tokio::spawn(async move { insist(&process, count(id, 1)).await }));
        if n % 3 == 0 {
            clients[n / 2].abort();
            tokio::task::yield_now().await;
        }
    }
    let mut acknowledged = 0;
    for client in clients {
        acknowledged += usize::from(client.await.is_ok());
    }
    let events = all(&database.pool()).await;
    assert!(assert_whole(&events) >= acknowledged);
    for id in ids {
        let (state, version) = process.state(id).await.expect("the log can be read");
        assert_eq!(state, version);
        // The process still decides on what is in the log.
        assert_eq!(
            process.execute(count(id, 1)).await.expect("accepted").version,
            version + 1
        );
    }
}

/// A decided command of one event, written by hand.
fn decided(payload: &str) -> Append {
    let id = Uuid::now_v7();
    let event = NewEvent {
        id: Uuid::now_v7(),
        name: "TrialActivityHeld",
        organisation_id: id,
        orgnr: None,
        kommunenummer: None,
        related: vec![Uuid::now_v7(), Uuid::now_v7()],
        class: PrivacyClass::Org,
        data: Vec::new().into(),
        payload: payload.to_owned(),
    };
    Append {
        command_id: Uuid::now_v7(),
        aggregate_type: "Initiative",
        aggregate_id: id,
        expected: 0,
        correlation_id: id,
        causation: Some((id, 1)),
        actor: "{}".to_owned(),
        traceparent: None,
        occurred_at: "2026-03-02T12:00:00Z".parse().expect("an instant"),
        events: vec![event],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_row_that_the_database_cannot_take_does_not_fail_its_neighbours() {
    let database = database().await;
    let writer = Writer::spawn(&database.pool_as(SERVICE), "registration");
    let mut answers = JoinSet::new();
    for n in 0..300 {
        let writer = writer.clone();
        answers.spawn(async move { (n, writer.append(decided(if n % 100 == 50 { "{" } else { "{}" })).await) });
    }
    while let Some(answer) = answers.join_next().await {
        match answer.expect("no task fails") {
            (n, Err(WriteError::Refused(_))) => assert_eq!(n % 100, 50),
            (n, answer) => assert!(
                n % 100 != 50 && matches!(answer, Ok(Outcome::Appended(_))),
                "{n}: {answer:?}"
            ),
        }
    }
    assert_eq!(assert_whole(&all(&database.pool()).await), 297);
}

#[tokio::test]
async fn i3_a_service_cannot_write_but_through_append_and_only_its_own_context() {
    let database = database().await;
    let service = database.pool_as(SERVICE);
    Writer::spawn(&service, "registration")
        .append(decided("{}"))
        .await
        .expect("its own context");
    for sql in [
        "insert into log.events select * from log.events",
        "update log.events set name = 'Other'",
        "delete from log.events",
        "truncate log.events",
        "update log.head set position = 0",
        "insert into log.writers values (session_user, 'operations')",
        "insert into log.commands select gen_random_uuid(), aggregate_id, 1, 1, 1 from log.events",
        "alter table log.events disable trigger all",
    ] {
        for role in ROLES {
            let error = sqlx::query(sql)
                .execute(&database.pool_as(role.name))
                .await
                .expect_err(sql);
            let code = error
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code)
                .map(|code| code.to_string());
            assert_eq!(code.as_deref(), Some("42501"), "{} may not: {sql}", role.name);
        }
    }
    let foreign = Writer::spawn(&service, "dissolution").append(decided("{}")).await;
    assert!(matches!(foreign, Err(WriteError::Refused(_))), "{foreign:?}");
    let reader = Writer::spawn(&database.pool_as("ryggrad_views"), "registration")
        .append(decided("{}"))
        .await;
    assert!(matches!(reader, Err(WriteError::Refused(_))), "{reader:?}");
    assert_eq!(all(&database.pool()).await.len(), 1);
}

#[tokio::test]
async fn i3_a_service_does_not_become_the_owner_by_types_of_its_own() {
    let database = database().await;
    let mut service = database.pool_as(SERVICE).acquire().await.expect("a session");
    for sql in [
        "create function pg_temp.seize(pg_catalog.jsonb) returns bool language plpgsql
             as $$ begin raise exception 'runs as %', current_user; end $$",
        "create domain pg_temp.jsonb as pg_catalog.jsonb check (pg_temp.seize(value))",
    ] {
        sqlx::query(sql).execute(&mut *service).await.expect(sql);
    }
    let append = r#"select ordinal from log.append('registration', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
                      '{"{}"}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{"{}"}')"#;
    let ordinal: i32 = sqlx::query_scalar(append)
        .fetch_one(&mut *service)
        .await
        .expect("its type is not looked at");
    assert_eq!(ordinal, 0, "all of nothing is appended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_killed_under_load_keeps_every_acknowledged_command() {
    ryggrad_testkit::init_tracing();
    let mut postgres = private_postgres().await;
    let owner = PgPool::connect(&postgres.url().expect("has a URL"))
        .await
        .expect("connects");
    ryggrad_eventlog::schema::migrate(&owner, &ROLES)
        .await
        .expect("migrates");
    let service = PgPoolOptions::new()
        .max_connections(8)
        .connect(&postgres.url_as(SERVICE).expect("has a URL"))
        .await
        .expect("connects");
    let process = process(service);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut clients = JoinSet::new();
    for client in 0..16_u128 {
        let (process, stopped) = (process.clone(), stopped.clone());
        clients.spawn(async move {
            let mut receipts = Vec::new();
            while !*stopped.borrow() {
                receipts.push(insist(&process, count(Uuid::from_u128(client % 4 + 1), 1)).await);
            }
            receipts
        });
    }
    for _ in 0..3 {
        let log = all_or_none(&owner).await;
        eventually(Duration::from_secs(20), || async {
            let now = all_or_none(&owner).await;
            if now > log + 200 {
                Ok(())
            } else {
                Err(format!("{now} events"))
            }
        })
        .await;
        postgres.kill().await.expect("killed");
        postgres.restart().await.expect("starts again");
    }
    stop.send_replace(true);
    let mut receipts = Vec::new();
    while let Some(done) = clients.join_next().await {
        receipts.append(&mut done.expect("no client fails"));
    }
    let events = all(&owner).await;
    assert_whole(&events);
    let written: std::collections::HashSet<Uuid> = sqlx::query_scalar("select command_id from log.events")
        .fetch_all(&owner)
        .await
        .expect("the log can be read")
        .into_iter()
        .collect();
    assert!(receipts.len() > 600);
    for receipt in receipts {
        assert!(
            written.contains(&receipt.command_id.parse().expect("an id")),
            "acknowledged and lost"
        );
    }
}

/// How many events there are; none while the server is away.
async fn all_or_none(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select position from log.head")
        .fetch_one(pool)
        .await
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_append_is_replaced_waits_for_the_next() {
    let database = database().await;
    let writer = Writer::spawn(&database.pool_as(SERVICE), "registration");
    let owner = database.pool();
    let away = "alter function log.append rename to append_of_another_version";
    sqlx::query(away).execute(&owner).await.expect("renamed");
    let before = failed(&owner).await.expect("counted");
    let waiting = tokio::spawn({
        let writer = writer.clone();
        async move { writer.append(decided("{}")).await }
    });
    eventually(Duration::from_secs(20), || async {
        anyhow::ensure!(failed(&owner).await? > before, "nobody has tried yet");
        Ok(())
    })
    .await;
    let back = "alter function log.append_of_another_version rename to append";
    sqlx::query(back).execute(&owner).await.expect("renamed");
    let outcome = waiting.await.expect("no panic").expect("it is there again");
    assert!(matches!(outcome, Outcome::Appended(_)), "{outcome:?}");
}

/// Transactions of this database that failed, of sessions that have ended.
async fn failed(owner: &PgPool) -> anyhow::Result<i64> {
    let sql = "select xact_rollback from pg_stat_database where datname = current_database()";
    Ok(sqlx::query_scalar(sql).fetch_one(owner).await?)
}
