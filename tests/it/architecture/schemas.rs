//! Invariant I9: a service reads its own tables and the log, nobody else's.

use super::{files, place, root};

/// The services that have a schema of their own.
const SCHEMAS: [&str; 3] = ["registration", "views", "gateway"];

/// The words of SQL before a table.
const BEFORE_A_TABLE: [&str; 8] = [
    "from ",
    "join ",
    "into ",
    "update ",
    "table ",
    "using ",
    "truncate ",
    "references ",
];

#[test]
fn i9_no_sql_names_another_services_schema() {
    for service in SCHEMAS {
        let folder = root().join("services").join(service);
        for path in files(&folder, &["rs", "sql"]) {
            let text = std::fs::read_to_string(&path)
                .expect("a readable source")
                .to_lowercase();
            for other in SCHEMAS.iter().filter(|other| **other != service) {
                for word in BEFORE_A_TABLE {
                    assert!(
                        !text.contains(&format!("{word}{other}.")),
                        "{} reads the tables of {other}",
                        place(&path)
                    );
                }
            }
        }
    }
}

#[test]
fn i9_no_service_writes_the_log_by_hand() {
    for folder in ["services", "libs"] {
        for path in files(&root().join(folder), &["rs", "sql"]) {
            let is_the_log = path.starts_with(root().join("libs/eventlog"))
                || path.components().any(|part| part.as_os_str() == "tests");
            let text = std::fs::read_to_string(&path)
                .expect("a readable source")
                .to_lowercase();
            for statement in ["insert into log.", "update log.", "delete from log.", "truncate log."] {
                assert!(
                    is_the_log || !text.contains(statement),
                    "{} says {statement:?}",
                    place(&path)
                );
            }
        }
    }
}
