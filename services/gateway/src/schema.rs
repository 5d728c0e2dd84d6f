//! The gateway's own schema: what it remembers for those who follow, and for those who are called.

use ryggrad_eventlog::schema::{Step, apply};
use sqlx::PgPool;
use sqlx::migrate::MigrateError;

use crate::webhooks;

/// The first steps, kept for ever; those of webhooks come after them.
const STEPS: &[Step] = &[
    Step {
        version: 1,
        description: "durables",
        sql: include_str!("../sql/0001_durables.sql"),
    },
    Step {
        version: 2,
        description: "durables of customers",
        sql: include_str!("../sql/0002_durables_of_customers.sql"),
    },
];

/// Brings the schema up to date. The pool's search path begins with it.
pub(crate) async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    apply(pool, &[STEPS, webhooks::STEPS].concat()).await
}
