//! Invariant I8: the domain asks nobody. Clock, ids and randomness come in with the command.

use std::path::PathBuf;

use super::{code, files, packages, place, root};

/// What the domain must not say.
const FORBIDDEN: [&str; 20] = [
    "async ",
    ".await",
    "tokio",
    "sqlx",
    "async_nats",
    "tonic",
    "reqwest",
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::thread",
    "std::process",
    "std::time",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "rand::",
    "now_v7",
    "new_v4",
];

/// What the crate of deciders may depend on: nothing that reaches out of the process.
const DECIDER_MAY_USE: [&str; 7] = [
    "ryggrad-proto",
    "ryggrad-norway",
    "cqrs-es",
    "jiff",
    "serde",
    "serde_json",
    "uuid",
];

/// The sources of every aggregate: the file that implements `Decider` and the folder of its name.
fn domain() -> Vec<PathBuf> {
    let aggregates = files(&root().join("services"), &["rs"])
        .into_iter()
        .filter(|path| code(path).contains("impl Decider for"));
    aggregates
        .flat_map(|file| {
            let mut sources = files(&file.with_extension(""), &["rs"]);
            sources.retain(|path| path.file_stem().is_none_or(|stem| stem != "tests"));
            sources.push(file);
            sources
        })
        .collect()
}

#[test]
fn i8_the_domain_is_pure() {
    let sources = domain();
    assert!(sources.len() >= 4, "the aggregates were not found: {sources:?}");
    for path in sources {
        let text = code(&path);
        for word in FORBIDDEN {
            assert!(!text.contains(word), "{} says {word:?}", place(&path));
        }
    }
}

#[test]
fn i8_the_crate_of_deciders_cannot_reach_out() {
    let decider = &packages()["ryggrad-decider"];
    let others: Vec<_> = decider
        .dependencies
        .iter()
        .filter(|d| !DECIDER_MAY_USE.contains(&d.as_str()))
        .collect();
    assert!(others.is_empty(), "libs/decider depends on {others:?}");
    for path in files(&decider.folder.join("src"), &["rs"]) {
        let text = code(&path);
        // The adapter to cqrs-es has that crate's async signature, and nothing to wait for.
        let is_adapter = path.ends_with("cqrs.rs");
        for word in FORBIDDEN
            .iter()
            .filter(|word| !(is_adapter && ["async ", ".await"].contains(word)))
        {
            assert!(!text.contains(word), "{} says {word:?}", place(&path));
        }
    }
}
