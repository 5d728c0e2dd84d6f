//! What the documents promise about the code: every setting and metric is in them, and every link leads somewhere.

use std::collections::BTreeSet;
use std::path::Path;

use crate::architecture::{files, root};

/// Every word of the sources that stands between quotes and begins so.
fn quoted(prefix: &str) -> BTreeSet<String> {
    let sources = ["libs", "services"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), &["rs"]));
    let is_program = |path: &std::path::PathBuf| path.components().any(|part| part.as_os_str() == "src");
    let start = format!("\"{prefix}");
    let mut found = BTreeSet::new();
    for path in sources.filter(is_program) {
        let text = std::fs::read_to_string(&path).expect("a readable source");
        for (at, _) in text.match_indices(&start) {
            let word = text[at + 1..].split('"').next().unwrap_or_default();
            if word.len() > prefix.len() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("the document is there")
}

#[test]
fn every_setting_is_in_the_table_of_settings() {
    let operating = document("docs/operating.md");
    let settings: Vec<_> = quoted("RYGGRAD_")
        .into_iter()
        .filter(|name| !name.starts_with("RYGGRAD_TEST"))
        .collect();
    assert!(settings.len() > 15, "{settings:?}");
    for setting in settings {
        assert!(
            operating.contains(&format!("`{setting}`")),
            "{setting} is not in docs/operating.md"
        );
    }
}

#[test]
fn every_scope_is_in_the_table_of_scopes() {
    let page = document("docs/authentication.md");
    for scope in ryggrad_access::Scope::all() {
        let row = format!("| `{}` | {} |", scope.name(), scope.what());
        assert!(page.contains(&row), "docs/authentication.md has no row {row}");
    }
}

#[test]
fn every_metric_is_in_the_table_of_metrics() {
    let operating = document("docs/operating.md");
    let roles = [
        "ryggrad_registration",
        "ryggrad_views",
        "ryggrad_gateway",
        "ryggrad_ecosystem",
        "ryggrad_relay",
    ];
    let metrics: Vec<_> = quoted("ryggrad_")
        .into_iter()
        .filter(|name| !roles.contains(&name.as_str()))
        .collect();
    assert!(metrics.len() > 10, "{metrics:?}");
    for metric in metrics {
        assert!(
            operating.contains(&format!("`{metric}")),
            "{metric} is not in docs/operating.md"
        );
    }
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut documents = files(&root().join("docs"), &["md"]);
    documents.push(root().join("README.md"));
    for path in documents {
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = std::fs::read_to_string(&path).expect("a readable document");
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http") && !link.starts_with('#')) {
            let target = folder.join(link.split('#').next().unwrap_or_default());
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
        }
    }
}
