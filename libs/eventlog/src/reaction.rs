//! Reactions: a fact, often another service's, becomes commands of our own. Never rebuilt, only resumed.

use std::sync::Arc;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::consumer::{Poison, Source};
use crate::event::Recorded;
use crate::order::{Again, Carried, Order};

mod engine;

/// What a service does about what happened: pure.
pub trait Reaction: Send + Sync + 'static {
    /// What it remembers between the events of one key; `()` when nothing.
    type State: prost::Message + Default + Clone;
    /// What it asks for.
    type Command: Clone + Send + Sync + 'static;

    /// Its name: part of its commands' ids, so it never changes.
    const NAME: &'static str;

    /// Under which key it remembers, for an event that concerns it; none for all others.
    fn key(&self, event: &Recorded) -> Option<Uuid>;

    /// The commands that an event leads to.
    ///
    /// # Errors
    /// When the event cannot be digested; its organisation is parked.
    fn react(&self, state: &mut Self::State, event: &Recorded) -> Result<Vec<Self::Command>, Poison>;
}

/// The id of the `n`th command (from 0) that a reaction gives for the event at a position.
pub fn command_id(reaction: &str, position: u64, n: usize) -> Uuid {
    let name = if n == 0 {
        format!("{reaction}/{position}")
    } else {
        format!("{reaction}/{position}/{n}")
    };
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// Runs a reaction in the first schema of the pool's search path, where [`crate::consumer::install`] has been, until the
/// token ends; `execute` carries its commands out. Outages are waited out. A command that the domain refuses is noted in
/// the log of the process and is done with; one that fails parks its organisation.
pub async fn run<R, F, Fut>(pool: PgPool, source: impl Into<Source>, reaction: R, execute: F, token: CancellationToken)
where
    R: Reaction,
    F: Fn(Order<R::Command>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Carried, Again>> + Send,
{
    engine::Engine::new(pool, source.into(), Arc::new(reaction), execute)
        .run(token)
        .await;
}
