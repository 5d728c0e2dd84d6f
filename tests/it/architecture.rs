//! What the design promises about the code itself, read from the manifests and the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

mod purity;
mod schemas;

/// How high a crate stands; it may depend on those below it only.
fn height(name: &str) -> u8 {
    match name {
        "ryggrad-proto" | "ryggrad-norway" | "ryggrad-local" => 0,
        "ryggrad-decider" | "ryggrad-access" => 1,
        "ryggrad-eventlog" | "ryggrad-issuer" => 2,
        "ryggrad-service" | "ryggrad-client" | "ryggrad-testkit" => 3,
        "ryggrad" => 5,
        "ryggrad-tests" => 6,
        _service => 4,
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is in a workspace")
        .to_path_buf()
}

/// A crate of the workspace: where it is, and what it depends on when it is not tested.
struct Package {
    folder: PathBuf,
    dependencies: BTreeSet<String>,
}

fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata answers JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let package = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("a list").iter();
        let normal = dependencies
            .filter(|d| d["kind"].is_null())
            .map(|d| text(&d["name"]))
            .collect();
        let folder = Path::new(&text(&package["manifest_path"]))
            .parent()
            .expect("a folder")
            .to_path_buf();
        (
            text(&package["name"]),
            Package {
                folder,
                dependencies: normal,
            },
        )
    };
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(package)
        .collect()
}

/// Every file with one of the endings under a folder.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .and_then(|e| e.to_str())
                .is_some_and(|e| endings.contains(&e))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A Rust source without its comments and without its test module.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a readable source");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Where a file is, in words for a failure.
fn place(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn dependencies_point_one_way() {
    for (name, package) in packages() {
        for dependency in package.dependencies.iter().filter(|d| d.starts_with("ryggrad")) {
            assert!(
                height(dependency) < height(&name),
                "{name} depends on {dependency}, which does not stand below it"
            );
        }
    }
}

#[test]
fn i9_no_service_links_another_service() {
    let all = packages();
    let services: BTreeSet<_> = all
        .iter()
        .filter(|(name, package)| package.folder.starts_with(root().join("services")) && *name != "ryggrad")
        .map(|(name, _)| name)
        .collect();
    assert!(services.len() >= 3, "{services:?}");
    for service in &services {
        let others: Vec<_> = all[*service]
            .dependencies
            .iter()
            .filter(|d| services.contains(d))
            .collect();
        assert!(others.is_empty(), "{service} links {others:?}");
    }
}

#[test]
fn only_tests_use_the_test_kit() {
    for (name, package) in packages() {
        assert!(
            name == "ryggrad-tests" || !package.dependencies.contains("ryggrad-testkit"),
            "{name} needs the test kit to be built"
        );
    }
}

#[test]
fn every_source_file_opens_with_a_sentence_and_stays_short() {
    for path in ["proto", "libs", "services", "tests"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), &["rs"]))
    {
        let text = std::fs::read_to_string(&path).expect("a readable source");
        assert!(text.lines().count() <= 500, "{} has more than 500 lines", place(&path));
        if path.components().any(|part| part.as_os_str() == "examples") {
            continue;
        }
        let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
        assert!(
            is_test || text.starts_with("//!") || text.starts_with("#![doc"),
            "{} does not say what it is",
            place(&path)
        );
        assert!(!path.ends_with("mod.rs"), "{}: use x.rs and x/", place(&path));
    }
}
