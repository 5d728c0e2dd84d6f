//! The log's schema in PostgreSQL, and who may use it.

use std::borrow::Cow;

use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

/// A numbered step of a schema, kept in the source for ever.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Its number, ascending within the schema.
    pub version: i64,
    /// What it does, in a few words.
    pub description: &'static str,
    /// The statements, run in one transaction.
    pub sql: &'static str,
}

/// Services go on while a step is taken. One that replaces `log.append` grants the new one to the roles in `log.writers`
/// itself; commands of processes that know only the old one are unavailable then, and heard by the next.
const LOG: &[Step] = &[
    Step {
        version: 1,
        description: "log",
        sql: include_str!("../sql/0001_log.sql"),
    },
    Step {
        version: 2,
        description: "clock",
        sql: include_str!("../sql/0002_clock.sql"),
    },
    Step {
        version: 3,
        description: "access",
        sql: include_str!("../sql/0003_access.sql"),
    },
    Step {
        version: 4,
        description: "writers",
        sql: include_str!("../sql/0004_writers.sql"),
    },
    Step {
        version: 5,
        description: "append",
        sql: include_str!("../sql/0005_append.sql"),
    },
    Step {
        version: 6,
        description: "append",
        sql: include_str!("../sql/0006_append.sql"),
    },
    Step {
        version: 7,
        description: "paths",
        sql: include_str!("../sql/0007_paths.sql"),
    },
    Step {
        version: 8,
        description: "begun",
        sql: include_str!("../sql/0008_begun.sql"),
    },
];

/// A login role of the database and what it may do with the log (I3).
#[derive(Debug, Clone, Copy)]
pub struct Role<'a> {
    /// Its name.
    pub name: &'a str,
    /// The context whose events it may append; none for those who only read.
    pub context: Option<&'a str>,
    /// The only type of aggregate of that context to which it may append; none for all.
    pub aggregate: Option<&'a str>,
}

// === impl Role ===

impl<'a> Role<'a> {
    /// A role that reads the log.
    pub const fn reader(name: &'a str) -> Self {
        Self {
            name,
            context: None,
            aggregate: None,
        }
    }

    /// A role that reads the log and appends the events of a context.
    pub const fn writer(name: &'a str, context: &'a str) -> Self {
        Self {
            name,
            context: Some(context),
            aggregate: None,
        }
    }

    /// A role that reads the log and appends the events of one type of aggregate.
    pub const fn writer_of(name: &'a str, context: &'a str, aggregate: &'a str) -> Self {
        Self {
            name,
            context: Some(context),
            aggregate: Some(aggregate),
        }
    }
}

/// The role of a service, by its name: `ryggrad_registration`.
pub fn role_name(service: &str) -> String {
    format!("ryggrad_{service}")
}

/// Brings the schema `log` up to date and opens it to the given roles, each of which also gets a schema of its own,
/// named by the role without `ryggrad_`. The roles must exist; one that may append in several contexts is named once for
/// each. What a role was allowed before and is not given here, it loses. Run by the owner of the database; harmless when
/// run again or by two at once.
///
/// # Errors
/// When the database cannot be reached, refuses, or holds a schema that this version does not know.
pub async fn migrate(pool: &PgPool, roles: &[Role<'_>]) -> Result<(), MigrateError> {
    apply(pool, LOG).await?;
    let mut tx = pool.begin().await.map_err(MigrateError::Execute)?;
    // Grants of several who start at once would trip over each other in the catalogue.
    sqlx::query("select pg_advisory_xact_lock(hashtext('ryggrad grants'))")
        .execute(&mut *tx)
        .await
        .map_err(MigrateError::Execute)?;
    let names: Vec<_> = roles.iter().map(|role| role.name).collect();
    sqlx::query("delete from log.writers where role::text = any($1)")
        .bind(names)
        .execute(&mut *tx)
        .await
        .map_err(MigrateError::Execute)?;
    for role in roles {
        let query = match role.context {
            Some(context) => sqlx::query("select log.admit_writer($1::name, $2, $3)")
                .bind(role.name)
                .bind(context)
                .bind(role.aggregate),
            None => sqlx::query("select log.admit_reader($1::name)").bind(role.name),
        };
        query.execute(&mut *tx).await.map_err(MigrateError::Execute)?;
        let schema = role.name.strip_prefix("ryggrad_").unwrap_or(role.name);
        sqlx::query("select set_config('ryggrad.schema', $1, true), set_config('ryggrad.role', $2, true)")
            .bind(schema)
            .bind(role.name)
            .execute(&mut *tx)
            .await
            .map_err(MigrateError::Execute)?;
        sqlx::query(
            "do $$ begin execute format('create schema if not exists %I authorization %I', current_setting('ryggrad.schema'), current_setting('ryggrad.role')); end $$",
        )
        .execute(&mut *tx)
        .await
        .map_err(MigrateError::Execute)?;
    }
    tx.commit().await.map_err(MigrateError::Execute)
}

/// Applies the steps of a schema that are not applied yet. What was applied is remembered in the first schema of the
/// connection's search path.
///
/// # Errors
/// When a step fails, or an applied step has another text than it had.
pub async fn apply(pool: &PgPool, steps: &[Step]) -> Result<(), MigrateError> {
    let migrations = steps
        .iter()
        .map(|s| {
            Migration::new(
                s.version,
                Cow::Borrowed(s.description),
                MigrationType::Simple,
                Cow::Borrowed(s.sql),
                false,
            )
        })
        .collect();
    Migrator {
        migrations: Cow::Owned(migrations),
        ..Migrator::DEFAULT
    }
    .run(pool)
    .await
}
