//! A private PostgreSQL through its life.

use ryggrad_local::postgres::{Durability, OWNER, Options, ROLES};
use ryggrad_local::{Postgres, StateFolder};
use sqlx::{Connection, PgConnection};

pub(crate) fn quick() -> Options {
    Options {
        durability: Durability::None,
        ..Options::default()
    }
}

fn durable() -> Options {
    Options {
        durability: Durability::Server,
        ..Options::default()
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

#[tokio::test]
async fn starts_with_a_role_for_each_service_and_stops_without_a_trace() {
    let state = StateFolder::temporary().unwrap();
    let mut postgres = Postgres::start(&state, quick()).await.unwrap();
    for role in ROLES.into_iter().chain([OWNER]) {
        let mut connection = connect(&postgres.url_as(role).unwrap()).await;
        let (user, database): (String, String) = sqlx::query_as("SELECT current_user::text, current_database()::text")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!((user.as_str(), database.as_str()), (role, "ryggrad"));
    }
    let wrong = postgres
        .url()
        .unwrap()
        .replace(&state.secret("postgres-ryggrad").unwrap(), "guess");
    PgConnection::connect(&wrong).await.unwrap_err();
    let pid = postgres.pid().unwrap();
    postgres.stop().await.unwrap();
    assert_eq!(postgres.pid(), None);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[tokio::test]
async fn keeps_what_was_committed_when_it_is_killed_and_comes_back_on_the_same_port() {
    let state = StateFolder::temporary().unwrap();
    let mut postgres = Postgres::start(&state, durable()).await.unwrap();
    let url = postgres.url().unwrap();
    sqlx::raw_sql("CREATE TABLE fact AS SELECT 17 AS n")
        .execute(&mut connect(&url).await)
        .await
        .unwrap();
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut connect(&url).await)
            .await
            .unwrap();
        assert_eq!(value, "on", "{setting}");
    }
    postgres.kill().await.unwrap();
    PgConnection::connect(&url).await.unwrap_err();
    postgres.restart().await.unwrap();
    let n: i32 = sqlx::query_scalar("SELECT n FROM fact")
        .fetch_one(&mut connect(&url).await)
        .await
        .unwrap();
    assert_eq!(n, 17);
}

#[tokio::test]
async fn goes_on_where_it_was_within_a_second_after_a_mark_of_a_crash() {
    let state = StateFolder::temporary().unwrap();
    let mut postgres = Postgres::start(&state, durable()).await.unwrap();
    let url = postgres.url().unwrap();
    sqlx::raw_sql("CREATE TABLE fact ()")
        .execute(&mut connect(&url).await)
        .await
        .unwrap();
    postgres.stop().await.unwrap();
    drop(postgres);
    // The mark names a process that lives and is no PostgreSQL: this one.
    let mark = state.path().join("postgres/data/postmaster.pid");
    std::fs::write(&mark, format!("{}\n", std::process::id())).unwrap();
    let begun = std::time::Instant::now();
    let postgres = Postgres::start(&state, durable()).await.unwrap();
    let taken = begun.elapsed();
    assert_eq!(postgres.url().unwrap(), url);
    sqlx::query("SELECT FROM fact")
        .fetch_all(&mut connect(&url).await)
        .await
        .unwrap();
    assert!(taken.as_secs() < 3, "{taken:?}");
}

#[tokio::test]
async fn puts_the_socket_elsewhere_when_the_state_folder_is_too_deep() {
    let outer = StateFolder::temporary().unwrap();
    let deep = outer
        .path()
        .join("a-folder-with-a-very-long-name-indeed")
        .join("and-another-one-with-a-name-as-long-as-the-first");
    let state = StateFolder::open(deep).unwrap();
    let postgres = Postgres::start(&state, quick()).await.unwrap();
    let sockets = postgres.socket_folder().to_path_buf();
    assert!(sockets.join(format!(".s.PGSQL.{}", postgres.port())).exists());
    drop(postgres);
    std::fs::remove_dir_all(sockets).unwrap();
}

#[tokio::test]
async fn says_that_the_given_port_is_taken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let state = StateFolder::temporary().unwrap();
    let error = Postgres::start(
        &state,
        Options {
            port: Some(port),
            ..quick()
        },
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("Address already in use"), "{error}");
}

#[tokio::test]
async fn data_whose_password_was_removed_is_said_to_be_so_at_once() {
    let state = StateFolder::temporary().unwrap();
    drop(Postgres::start(&state, quick()).await.unwrap());
    std::fs::remove_dir_all(state.path().join("secrets")).unwrap();
    let error = Postgres::start(&state, quick()).await.unwrap_err();
    assert!(
        error.to_string().contains("remove that folder to begin anew"),
        "{error}"
    );
}

#[tokio::test]
async fn a_state_folder_that_others_cannot_enter_can_be_removed_to_begin_anew() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    // As /root is. For an ordinary user this is like any other folder.
    std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let folder = outer.path().join("state");
    let mut elsewhere = Vec::new();
    for _ in 0..2 {
        let state = StateFolder::open(&folder).unwrap();
        let postgres = Postgres::start(&state, quick()).await.unwrap();
        let mut owner = connect(&postgres.url().unwrap()).await;
        sqlx::query("CREATE TABLE fact ()").execute(&mut owner).await.unwrap();
        elsewhere.extend(std::fs::read_link(folder.join("postgres")));
        drop((owner, postgres, state));
        std::fs::remove_dir_all(&folder).unwrap();
    }
    for folder in elsewhere {
        std::fs::remove_dir_all(folder).unwrap();
    }
}
