//! What holds for all contracts, and the documents that are generated from them.

mod contracts;
mod document;
mod golden;

use std::fs;
use std::path::Path;

/// The committed catalogue equals what the contracts say; `UPDATE=1` writes it anew.
#[test]
fn the_event_catalogue_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.md");
    let fresh = document::events();
    if update() {
        fs::write(&path, &fresh).expect("docs can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let difference = fresh
        .lines()
        .zip(committed.lines())
        .find(|(fresh, committed)| fresh != committed);
    assert!(
        fresh == committed,
        "docs/events.md is stale: run `UPDATE=1 cargo test -p ryggrad-proto` and commit it; first difference: {difference:?}"
    );
}

/// Whether generated files are to be written instead of compared.
#[expect(
    clippy::disallowed_methods,
    reason = "the one switch of tests that write what they test"
)]
fn update() -> bool {
    std::env::var_os("UPDATE").is_some()
}
