//! The generations of a view: which one is live, which is being filled, which can go.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool, Row as _};

use crate::event::unsigned;
use crate::projection::table;

/// What a generation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Filled from position 1, not served yet.
    Building,
    /// Served.
    Live,
    /// Was served; goes when nobody can be reading it any more.
    Retired,
}

/// How far a generation has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The view.
    pub name: String,
    /// Number of the generation.
    pub generation: i32,
    /// Version of the fold.
    pub version: i32,
    /// What it is for.
    pub state: State,
    /// Its table.
    pub table: String,
    /// Everything up to here is in.
    pub position: u64,
    /// The end of the log.
    pub head: u64,
    /// Events a second, lately; 0 when nobody is at work on it.
    pub rate: f64,
    /// When it will have reached the end at this rate; none when that is not known.
    pub eta: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) number: i32,
    pub(super) version: i32,
    pub(super) state: State,
    pub(super) table: String,
}

// === impl State ===

impl State {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Live => "live",
            Self::Retired => "retired",
        }
    }

    fn parse(text: &str) -> Self {
        [Self::Building, Self::Live]
            .into_iter()
            .find(|state| state.as_str() == text)
            .unwrap_or(Self::Retired)
    }
}

/// How far the views in the schema of the pool have come.
///
/// # Errors
/// When the database fails.
pub async fn progress(pool: &PgPool) -> Result<Vec<Progress>, sqlx::Error> {
    let sql = "select p.name, p.generation, p.version, p.state, p.table_name, coalesce(c.position, 0) as position, h.position as head,
                      case when p.seen_at > clock_timestamp() - interval '5 s' then p.rate else 0 end as rate
                 from projections p left join checkpoints c on c.consumer = p.table_name cross join log.head h
                order by p.name, p.generation";
    sqlx::query(sql)
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| {
            let (position, head) = (unsigned(row.try_get("position")?), unsigned(row.try_get("head")?));
            let rate: f64 = row.try_get("rate")?;
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let left = head.saturating_sub(position) as f64;
            let eta = if left == 0.0 {
                Some(Duration::ZERO)
            } else {
                Duration::try_from_secs_f64(left / rate).ok()
            };
            Ok(Progress {
                name: row.try_get("name")?,
                generation: row.try_get("generation")?,
                version: row.try_get("version")?,
                state: State::parse(row.try_get("state")?),
                table: row.try_get("table_name")?,
                position,
                head,
                rate,
                eta,
            })
        })
        .collect()
}

/// Asks for a view to be folded anew from position 1. The running service fills a table beside the live one, which takes
/// over when it has caught up. False when it is being rebuilt already, or does not exist.
///
/// # Errors
/// When the database fails.
pub async fn ask_for_rebuild(pool: &PgPool, name: &str) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let generations = lock(&mut tx, name).await?;
    let Some(live) = generations.iter().find(|g| g.state == State::Live) else {
        return Ok(false);
    };
    if generations.iter().any(|g| g.state == State::Building) {
        return Ok(false);
    }
    add(&mut tx, name, live.version, State::Building, &generations).await?;
    tx.commit().await?;
    Ok(true)
}

/// The generations as they should be for a version of the fold: one live, and one being filled when the live one is of an
/// earlier version.
pub(super) async fn settle(
    connection: &mut PgConnection,
    name: &str,
    version: i32,
) -> Result<Vec<Generation>, sqlx::Error> {
    let is_settled = |generations: &[Generation]| {
        let live = generations.iter().find(|g| g.state == State::Live);
        let building = generations.iter().find(|g| g.state == State::Building);
        live.is_some_and(|live| live.version >= version || building.is_some())
            && building.is_none_or(|building| building.version >= version)
    };
    let generations = list(connection, name).await?;
    if is_settled(&generations) {
        return Ok(generations);
    }
    let mut tx = connection.begin().await?;
    let generations = lock(&mut tx, name).await?;
    if let Some(outdated) = generations
        .iter()
        .find(|g| g.state == State::Building && g.version < version)
    {
        set_state(&mut tx, name, outdated.number, State::Retired).await?;
    }
    match generations.iter().find(|g| g.state == State::Live) {
        None => add(&mut tx, name, version, State::Live, &generations).await?,
        Some(live)
            if live.version < version
                && !generations
                    .iter()
                    .any(|g| g.state == State::Building && g.version >= version) =>
        {
            add(&mut tx, name, version, State::Building, &generations).await?;
        }
        Some(_) => {}
    }
    let generations = list(&mut tx, name).await?;
    tx.commit().await?;
    Ok(generations)
}

/// What a generation is for now; retired when it is gone.
pub(super) async fn state(connection: &mut PgConnection, name: &str, number: i32) -> Result<State, sqlx::Error> {
    let generations = list(connection, name).await?;
    let found = generations.iter().find(|g| g.number == number);
    Ok(found.map_or(State::Retired, |generation| generation.state))
}

/// Holds the live generation where it is, for as long as the transaction goes on: its rows do not get further while others
/// take over, so nobody's view goes back. False when the generation that is to take over is not being filled any more.
pub(super) async fn hold_live(tx: &mut PgConnection, name: &str, number: i32) -> Result<bool, sqlx::Error> {
    let generations = lock(tx, name).await?;
    if let Some(live) = generations.iter().find(|g| g.state == State::Live) {
        crate::consumer::hold(tx, &live.table).await?;
    }
    Ok(generations
        .iter()
        .any(|g| g.number == number && g.state == State::Building))
}

/// Makes a generation the live one, in the transaction that holds the one before it. Readers see either.
pub(super) async fn take_over(
    tx: &mut PgConnection,
    name: &str,
    number: i32,
    position: u64,
) -> Result<(), sqlx::Error> {
    // Unlike the rows, which are folded again, nobody would do this again after a crash.
    sqlx::query("set local synchronous_commit = on")
        .execute(&mut *tx)
        .await?;
    if let Some(live) = list(tx, name).await?.iter().find(|g| g.state == State::Live) {
        set_state(tx, name, live.number, State::Retired).await?;
    }
    set_state(tx, name, number, State::Live).await?;
    tracing::info!(
        view = name,
        generation = number,
        position,
        "the rebuilt view takes over"
    );
    Ok(())
}

/// Drops what was retired longer than a while ago. A table that a long download is still reading stays until the next time.
pub(super) async fn sweep(connection: &mut PgConnection, name: &str, grace: Duration) -> Result<(), sqlx::Error> {
    let sql = "select table_name from projections where name = $1 and state = 'retired' and state_at < clock_timestamp() - make_interval(secs => $2)";
    let rows = sqlx::query(sql)
        .bind(name)
        .bind(grace.as_secs_f64())
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        let table: &str = row.try_get(0)?;
        let mut tx = connection.begin().await?;
        sqlx::query("set local lock_timeout = '100ms'")
            .execute(&mut *tx)
            .await?;
        let dropped = sqlx::query(&format!("drop table if exists {table}"))
            .execute(&mut *tx)
            .await;
        match dropped {
            Err(error) if is_still_read(&error) => {
                tx.rollback().await?;
                continue;
            }
            dropped => _ = dropped?,
        }
        for sql in [
            "delete from checkpoints where consumer = $1",
            "delete from parked where place = $1",
            "delete from projections where table_name = $1",
        ] {
            sqlx::query(sql).bind(table).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        tracing::info!(view = name, table, "a retired table was dropped");
    }
    Ok(())
}

fn is_still_read(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some("55P03")
}

/// Notes that a generation is being worked on, and how fast.
pub(super) async fn seen(connection: &mut PgConnection, name: &str, number: i32, rate: f64) -> Result<(), sqlx::Error> {
    let sql = "update projections set rate = $3, seen_at = clock_timestamp() where name = $1 and generation = $2";
    sqlx::query(sql)
        .bind(name)
        .bind(number)
        .bind(rate)
        .execute(connection)
        .await?;
    Ok(())
}

async fn lock(connection: &mut PgConnection, name: &str) -> Result<Vec<Generation>, sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtext(current_schema() || '.' || $1))")
        .bind(name)
        .execute(&mut *connection)
        .await?;
    list(connection, name).await
}

async fn list(connection: &mut PgConnection, name: &str) -> Result<Vec<Generation>, sqlx::Error> {
    let sql = "select generation, version, state, table_name from projections where name = $1 order by generation";
    let rows = sqlx::query(sql).bind(name).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Generation {
                number: row.try_get(0)?,
                version: row.try_get(1)?,
                state: State::parse(row.try_get(2)?),
                table: row.try_get(3)?,
            })
        })
        .collect()
}

async fn add(
    connection: &mut PgConnection,
    name: &str,
    version: i32,
    state: State,
    others: &[Generation],
) -> Result<(), sqlx::Error> {
    let number = others.iter().map(|g| g.number).max().unwrap_or(0) + 1;
    sqlx::query("insert into projections (name, generation, version, state, table_name) values ($1, $2, $3, $4, $5)")
        .bind(name)
        .bind(number)
        .bind(version)
        .bind(state.as_str())
        .bind(table::name(name, version, number))
        .execute(connection)
        .await?;
    Ok(())
}

async fn set_state(connection: &mut PgConnection, name: &str, number: i32, state: State) -> Result<(), sqlx::Error> {
    let sql = "update projections set state = $3, state_at = clock_timestamp() where name = $1 and generation = $2";
    sqlx::query(sql)
        .bind(name)
        .bind(number)
        .bind(state.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
