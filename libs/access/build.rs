//! Turns the stakeholder matrix in `data/` into constants, so that a stakeholder that does not exist does not compile.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use csv::StringRecord;

fn main() {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo speaks to build scripts through the environment"
    )]
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let code = [stakeholders(), views(), scopes()].concat();
    fs::write(Path::new(&out).join("matrix.rs"), code).expect("OUT_DIR is writable");
}

fn rows(file: &str) -> Vec<StringRecord> {
    println!("cargo::rerun-if-changed=data/{file}");
    csv::Reader::from_path(format!("data/{file}"))
        .unwrap_or_else(|e| panic!("data/{file}: {e}"))
        .records()
        .map(|row| row.unwrap_or_else(|e| panic!("data/{file}: {e}")))
        .collect()
}

/// The enum `Stakeholder`, and what each may see.
fn stakeholders() -> String {
    let grants: BTreeMap<String, StringRecord> = rows("matrix.csv")
        .into_iter()
        .map(|row| (row[0].to_owned(), row))
        .collect();
    let people = rows("stakeholders.csv");
    assert_eq!(
        grants.len(),
        people.len(),
        "matrix.csv has one row for each of stakeholders.csv"
    );
    let (mut variants, mut table) = (String::new(), String::new());
    for row in &people {
        let (code, name, bases, gdpr) = (&row[0], &row[1], &row[3], &row[4]);
        let grant = grants
            .get(code)
            .unwrap_or_else(|| panic!("matrix.csv has no row for {code}"));
        let variant = pascal(code);
        let _ = writeln!(variants, "    /// {code}: {name}.\n    {variant},");
        let _ = writeln!(
            table,
            "    Grant {{ stakeholder: Stakeholder::{variant}, code: {code:?}, name: {name:?}, classes: &{:?}, reach: Reach::{}, views: &[{}], legal_bases: &{:?}, gdpr_basis: {gdpr:?}, needs_to_know: {:?}, must_not_see: {:?} }},",
            list(&grant[1], '|')
                .iter()
                .map(|class| class_number(class))
                .collect::<Vec<_>>(),
            pascal(&grant[2]),
            list(&grant[3], '|')
                .iter()
                .map(|view| format!("View::{}", pascal(view)))
                .collect::<Vec<_>>()
                .join(", "),
            list(bases, ';'),
            &row[5],
            &row[6],
        );
    }
    format!(
        "/// Who asks: a code of the stakeholder matrix (handbook 11).\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum Stakeholder {{\n{variants}}}\n\n\
         /// The matrix: one row a stakeholder, in its order.\npub static MATRIX: &[Grant] = &[\n{table}];\n"
    )
}

/// The enum `View`.
fn views() -> String {
    let (mut variants, mut table) = (String::new(), String::new());
    for row in rows("views.csv") {
        let (name, class, what) = (&row[0], &row[1], &row[2]);
        let variant = pascal(name);
        let _ = writeln!(variants, "    /// {what}.\n    {variant},");
        let _ = writeln!(
            table,
            "    (View::{variant}, {name:?}, {}, {what:?}),",
            class == "PUBLIC"
        );
    }
    format!(
        "/// A view that can be asked.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum View {{\n{variants}}}\n\n\
         /// The views: name, whether it is open data, what it tells.\npub(crate) static VIEWS: &[(View, &str, bool, &str)] = &[\n{table}];\n"
    )
}

/// The enum `Scope`.
fn scopes() -> String {
    let (mut variants, mut table) = (String::new(), String::new());
    for row in rows("scopes.csv") {
        let (scope, what) = (&row[0], &row[1]);
        let variant = pascal(scope.trim_start_matches("ryggrad:"));
        let _ = writeln!(variants, "    /// `{scope}`: {what}.\n    {variant},");
        let _ = writeln!(table, "    (Scope::{variant}, {scope:?}, {what:?}),");
    }
    format!(
        "/// What a token allows, as its issuer grants it.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum Scope {{\n{variants}}}\n\n\
         /// The scopes: name, what it allows.\npub(crate) static SCOPES: &[(Scope, &str, &str)] = &[\n{table}];\n"
    )
}

fn class_number(class: &str) -> i32 {
    match class {
        "PUBLIC" => 1,
        "ORG" => 2,
        "PERS" => 3,
        "CONF" => 4,
        other => panic!("{other:?} is no privacy class"),
    }
}

fn list(text: &str, separator: char) -> Vec<String> {
    text.split(separator)
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect()
}

/// `LOTTSTIFT`, `stats_cube` and `events.org.read` as names of variants.
fn pascal(text: &str) -> String {
    let words = text.split(['_', '.', ':']).filter(|word| !word.is_empty());
    words
        .map(|word| word[..1].to_uppercase() + &word[1..].to_lowercase())
        .collect()
}
