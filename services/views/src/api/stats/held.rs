//! The sample in memory, read again when the view has gone on.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use ryggrad_eventlog::projection::{Snapshot, View};
use ryggrad_service::ApiError;
use sqlx::Row as _;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::super::read;
use crate::stats_cube::cube::Cube;
use crate::stats_cube::sample::Secret;

/// For so long an answer may show what was read before; `at_least` asks for more.
const FRESH: Duration = Duration::from_secs(1);

/// The statistics for reading. Cheap to clone; clones hold the same.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    view: View,
    now: Arc<Mutex<Option<Read>>>,
}

#[derive(Debug, Clone)]
struct Read {
    cube: Arc<Cube>,
    as_of: u64,
    at: Instant,
}

// === impl Held ===

impl Held {
    pub(crate) fn new(view: View) -> Self {
        Self {
            view,
            now: Arc::default(),
        }
    }

    /// The position and the sample of the view once it has come to `at_least`, or as it is when that takes longer than
    /// `patience`. It is read by one query at a time, and by none while the view stands still.
    pub(super) async fn at_least(&self, at_least: u64, patience: Duration) -> Result<(u64, Arc<Cube>), ApiError> {
        if at_least > 0 {
            self.view.wait_for(at_least, patience).await.map_err(read::unreadable)?;
        }
        let mut now = self.now.lock().await;
        if let Some(read) = &mut *now {
            let is_fresh = read.as_of >= at_least && read.at.elapsed() < FRESH;
            if is_fresh || self.view.as_of().await.map_err(read::unreadable)? == read.as_of {
                if !is_fresh {
                    read.at = Instant::now();
                }
                return Ok((read.as_of, read.cube.clone()));
            }
        }
        let read = self.read().await.map_err(read::unreadable)?;
        let answer = (read.as_of, read.cube.clone());
        *now = Some(read);
        Ok(answer)
    }

    /// The view that it is the sample of.
    pub(in crate::api) const fn view(&self) -> &View {
        &self.view
    }

    async fn read(&self) -> Result<Read, sqlx::Error> {
        let at = Instant::now();
        let mut snapshot = self.view.snapshot().await?;
        Ok(Read {
            cube: Arc::new(sample(&mut snapshot).await?),
            as_of: snapshot.as_of(),
            at,
        })
    }
}

/// The sample of what a snapshot has.
pub(super) async fn sample(snapshot: &mut Snapshot) -> Result<Cube, sqlx::Error> {
    let secret = Secret::new(sqlx::query_scalar(Secret::SQL).fetch_one(snapshot.connection()).await?);
    let sql = format!(
        "select key, kommunenummer, icnpo, form, size, month from {}",
        snapshot.table()
    );
    let mut cube = Cube::default();
    let mut rows = sqlx::query(&sql).fetch(snapshot.connection());
    while let Some(row) = rows.try_next().await? {
        let values = [
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
            row.try_get(4)?,
            row.try_get(5)?,
        ];
        cube.add(&secret, row.try_get(0)?, values);
    }
    drop(rows);
    Ok(cube)
}
