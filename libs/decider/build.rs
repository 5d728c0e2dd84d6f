//! Turns the tables of rules, timers and states into constants, so that a rule that does not exist does not compile.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

type Row = csv::StringRecord;

fn main() {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo speaks to build scripts through the environment"
    )]
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    fs::write(out.join("rules.rs"), rules()).expect("OUT_DIR is writable");
    fs::write(out.join("timers.rs"), timers()).expect("OUT_DIR is writable");
    fs::write(out.join("statuses.rs"), statuses()).expect("OUT_DIR is writable");
}

fn rows(file: &str) -> Vec<Row> {
    println!("cargo::rerun-if-changed=data/{file}");
    csv::Reader::from_path(format!("data/{file}"))
        .unwrap_or_else(|e| panic!("data/{file}: {e}"))
        .records()
        .map(|row| row.unwrap_or_else(|e| panic!("data/{file}: {e}")))
        .collect()
}

fn rules() -> String {
    let mut code = String::new();
    let mut names = Vec::new();
    for row in rows("rules.csv") {
        let [id, text, term, kind, sources] = [0, 2, 3, 4, 5].map(|i| &row[i]);
        let name = constant(id);
        let _ = writeln!(
            code,
            "/// {id}: {}\npub static {name}: Rule = Rule {{ id: {id:?}, text: {text:?}, term: {term:?}, nature: Nature::{}, sources: &{:?} }};",
            doc(text),
            nature(kind, sources),
            list(sources)
        );
        names.push(name);
    }
    let _ = writeln!(
        code,
        "/// Every rule of the table, in its order.\npub static ALL: &[&Rule] = &[{}];",
        names.iter().map(|n| format!("&{n}")).collect::<Vec<_>>().join(", ")
    );
    code
}

fn timers() -> String {
    let mut code = String::new();
    let mut names = Vec::new();
    for row in rows("deadlines.csv") {
        let [id, what, starts, duration, kind, sources] = [0, 2, 3, 4, 5, 6].map(|i| &row[i]);
        let name = constant(id);
        let _ = writeln!(
            code,
            "/// {id}: {}, {} after {}\npub static {name}: Timer = Timer {{ id: {id:?}, what: {what:?}, starts_from: {starts:?}, due: {duration:?}, nature: Nature::{}, sources: &{:?} }};",
            doc(what),
            doc(duration),
            doc(starts),
            nature(kind, sources),
            list(sources)
        );
        names.push(name);
    }
    let _ = writeln!(
        code,
        "/// Every timer of the table, in its order.\npub static ALL: &[&Timer] = &[{}];",
        names.iter().map(|n| format!("&{n}")).collect::<Vec<_>>().join(", ")
    );
    code
}

fn statuses() -> String {
    let mut code = String::from(
        "/// States of every aggregate, as in the table of states: name, states, initial state.\npub static STATUSES: &[(&str, &[&str], &str)] = &[\n",
    );
    for row in rows("statuses.csv") {
        let _ = writeln!(code, "    ({:?}, &{:?}, {:?}),", &row[0], list(&row[1]), &row[2]);
    }
    code.push_str("];\n");
    code
}

/// The nature of a rule. What rests on nothing but our own knowledge or design is never called law.
fn nature(kind: &str, sources: &str) -> &'static str {
    let unsourced = list(sources).iter().all(|s| matches!(s.as_str(), "OK" | "D"));
    let first = kind.split(['/', '+', ',', ' ', ';', '(']).next().unwrap_or_default();
    match first {
        "law" | "forskrift" | "regulation" if unsourced => "Design",
        "law" => "Law",
        "forskrift" | "regulation" => "Regulation",
        "practice" | "platform" | "finding" | "inferred" => "Practice",
        "scheme" => "Scheme",
        "local" | "policy" => "Local",
        "bylaws" => "Bylaws",
        "format" | "message" => "Format",
        "advice" => "Advice",
        "design" => "Design",
        other => panic!("nature {other:?} of {kind:?} is not known: say what it is in build.rs"),
    }
}

fn constant(id: &str) -> String {
    id.replace(['-', '.'], "_")
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|s| s.trim().to_owned()).collect()
}

fn doc(text: &str) -> String {
    text.replace('[', "\\[")
        .replace(']', "\\]")
        .replace('<', "\\<")
        .replace('\n', " ")
}
