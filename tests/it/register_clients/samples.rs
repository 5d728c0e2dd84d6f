//! The list of the registers' paths that the doors are checked against has every path of every recorded or documented answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::architecture::{files, root};

/// Paths of samples that are not in the list: file, path and why.
const OTHERS: [(&str, &str, &str); 1] = [(
    "13-enhet-ORGL.json",
    "slettedato",
    "version 1: a deleted unit is a document of its own since",
)];
/// Samples of what has no door here.
const NO_DOOR: [(&str, &str); 1] = [("09-underenhet-respons_klasse.json", "sub-units are no organisations")];

fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                paths(member, &path, found);
            }
        }
        Value::Array(values) => {
            for value in values {
                paths(value, &format!("{path}[]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.insert(path.to_owned());
        }
    }
}

/// What a document is called in the list.
fn kind(document: &Value) -> &'static str {
    let class = document["respons_klasse"].as_str().unwrap_or_default();
    if class == "FrivilligOrganisasjonSlettet" {
        "slettet_frivillig"
    } else if document.get("frivilligOrganisasjonsstatus").is_some() {
        "frivillig"
    } else if document.get("slettedato").is_some() && document.get("konkurs").is_none() {
        "slettet_enhet"
    } else {
        "enhet"
    }
}

#[test]
fn every_path_of_every_sample_is_known() {
    let list = root().join("services/views/tests/it/register_shapes.tsv");
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in fs::read_to_string(list).expect("the list").lines().skip(1) {
        let mut columns = line.split('\t').map(str::to_owned);
        let (document, path) = (columns.next().expect("a document"), columns.next().expect("a path"));
        known.entry(document).or_default().insert(path);
    }
    let mut unknown = BTreeSet::new();
    let samples = files(&root().join("services/registration/tests/fixtures/brreg"), &["json"]);
    assert!(samples.len() > 10, "{samples:?}");
    for sample in samples {
        let file = sample
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        if NO_DOOR.iter().any(|(name, _)| *name == file) {
            continue;
        }
        let mut value: Value = serde_json::from_slice(&fs::read(&sample).expect("a file")).expect("JSON");
        let embedded = value.as_object_mut().and_then(|page| page.remove("_embedded"));
        let lists = [("enheter", "page"), ("frivilligeOrganisasjoner", "frivillige")];
        let mut documents = Vec::new();
        match &embedded {
            None => documents.push((kind(&value), &value)),
            Some(embedded) => {
                let list = lists.iter().find(|(list, _)| embedded.get(list).is_some());
                let (list, page) = list.unwrap_or_else(|| panic!("{file} is no page that is known"));
                documents.push((page, &value));
                let listed = embedded[list].as_array().expect("a list");
                documents.extend(listed.iter().map(|document| (kind(document), document)));
            }
        }
        for (document, value) in documents {
            let mut found = BTreeSet::new();
            paths(value, "", &mut found);
            let is_new = |path: &String| !known[document].contains(path);
            unknown.extend(found.into_iter().filter(is_new).map(|path| (file.clone(), path)));
        }
    }
    let stated: BTreeSet<_> = OTHERS
        .iter()
        .map(|(file, path, _)| (String::from(*file), String::from(*path)))
        .collect();
    assert_eq!(unknown, stated);
}
