//! The registration service against real PostgreSQL.

mod import;
