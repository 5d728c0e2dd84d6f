//! Who relays: the one that holds an advisory lock of the database.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool, Row as _};

/// How often one that does not lead tries to.
const TRY: Duration = Duration::from_millis(200);
/// How long the database may take to say that we still hold the lock.
const ANSWER: Duration = Duration::from_secs(2);

/// The lead, held for as long as its connection lives.
#[derive(Debug)]
pub(super) struct Lead {
    connection: PgConnection,
}

// === impl Lead ===

impl Lead {
    /// Waits until the lead is free and takes it.
    pub(super) async fn take(pool: &PgPool) -> Self {
        loop {
            match Self::attempt(pool).await {
                Ok(Some(lead)) => return lead,
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the relay cannot reach the log"),
            }
            tokio::time::sleep(TRY).await;
        }
    }

    async fn attempt(pool: &PgPool) -> Result<Option<Self>, sqlx::Error> {
        // A connection of its own: the lock is the session's, and must not go back into the pool.
        let mut connection = pool.acquire().await?.detach();
        let got = sqlx::query("select pg_try_advisory_lock(hashtext('ryggrad relay'))")
            .fetch_one(&mut connection)
            .await?;
        if got.try_get(0)? {
            return Ok(Some(Self { connection }));
        }
        connection.close().await?;
        Ok(None)
    }

    /// Whether the lead is still ours: its session lives.
    pub(super) async fn is_held(&mut self) -> bool {
        matches!(tokio::time::timeout(ANSWER, self.connection.ping()).await, Ok(Ok(())))
    }
}
