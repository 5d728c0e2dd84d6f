//! What was ever stored is a golden file for ever: its bytes are read as the same facts by every later version.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::prost::Message;
use ryggrad_proto::{EventPayload, EventType, catalogue, ecosystem, event_type, example, registration};
use serde_json::{Value, json};

use crate::update;

/// One stored event: its type, its bytes in hexadecimal and its JSON.
struct Golden {
    data: String,
    payload: Value,
}

/// Every golden file still reads as it was written, and every event as it is now has one. `UPDATE=1` adds those that are
/// missing and changes none; a file that fails means that a published contract was changed.
#[test]
fn stored_events_of_every_version_are_read_the_same() {
    for (name, event) in catalogue()
        .iter()
        .map(|event| (&event.name, event))
        .collect::<BTreeMap<_, _>>()
    {
        let goldens = goldens(event);
        for (path, golden) in &goldens {
            let read = event
                .json(&bytes(&golden.data))
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(
                read,
                golden.payload,
                "{}: what was stored is read as something else",
                path.display()
            );
        }
        let now = example::of(&event.message);
        let data = hex(&now.encode_to_vec());
        if goldens.iter().any(|(_, golden)| golden.data == data) {
            continue;
        }
        assert!(
            update(),
            "{name} has no golden file as it is now: run `UPDATE=1 cargo test -p ryggrad-proto` and commit it"
        );
        let payload = serde_json::to_value(&now).expect("an example has a JSON form");
        let file = json!({ "type": event.ce_type, "data": data, "payload": payload });
        let text = serde_json::to_string_pretty(&file).expect("JSON");
        fs::create_dir_all(folder(event)).expect("the folder can be made");
        fs::write(
            folder(event).join(format!("{name}.{}.json", goldens.len() + 1)),
            text + "\n",
        )
        .expect("golden files can be written");
    }
}

/// The generated types, which the services read stored events with, lose nothing of them and write them as they were.
#[test]
fn stored_events_come_back_the_same_through_their_types() {
    typed::<registration::v1::initiative_event::Event>("registration");
    typed::<registration::v1::founding_event::Event>("registration");
    typed::<registration::v1::registration_case_event::Event>("registration");
    typed::<registration::v1::organisation_event::Event>("registration");
    typed::<ecosystem::v1::subscription_event::Event>("ecosystem");
    typed::<ecosystem::v1::mandate_event::Event>("ecosystem");
    typed::<ecosystem::v1::access_log_event::Event>("ecosystem");
}

fn typed<E: EventPayload>(context: &str) {
    for name in E::NAMES {
        let event = event_type(context, name).expect("an event of the catalogue");
        let goldens = goldens(event);
        assert!(update() || !goldens.is_empty(), "{name} has no golden file");
        for (path, golden) in goldens {
            let stored = bytes(&golden.data);
            let path = path.display();
            let read = E::decode(name, &stored)
                .expect("stored bytes are read")
                .unwrap_or_else(|| panic!("{path} is no event of its aggregate"));
            assert_eq!(read.encode(), stored, "{path}: the bytes are written otherwise");
            let json: Value = serde_json::from_str(&read.json().expect("a JSON form")).expect("JSON");
            assert_eq!(json, golden.payload, "{path}: the JSON is written otherwise");
            let back = E::from_json(name, golden.payload)
                .expect("stored JSON is read")
                .expect("an event of its aggregate");
            assert_eq!(back.encode(), stored, "{path}: JSON and bytes are two events");
        }
    }
}

#[test]
fn no_golden_file_is_of_an_event_that_is_gone() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for context in fs::read_dir(golden).expect("the folder of golden files") {
        let context = context.expect("a folder").path();
        let files: Vec<_> = fs::read_dir(&context)
            .expect("a folder for each context")
            .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
            .collect();
        assert!(!files.is_empty(), "{} is empty", context.display());
        for file in files {
            let name = file.split('.').next().expect("a first part");
            let of = context.file_name().and_then(|name| name.to_str()).expect("a name");
            assert!(
                event_type(of, name).is_some(),
                "{of}/{file} is of no event: an event that was ever stored is never taken away"
            );
        }
    }
}

/// The golden files of an event, `<Event>.1.json` being the oldest.
fn goldens(event: &EventType) -> Vec<(PathBuf, Golden)> {
    let path = |number: usize| folder(event).join(format!("{}.{number}.json", event.name));
    (1..)
        .map(path)
        .map_while(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let mut file: Value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let data = file["data"].as_str().expect("bytes in hexadecimal").to_owned();
            Some((
                path,
                Golden {
                    data,
                    payload: file["payload"].take(),
                },
            ))
        })
        .collect()
}

fn folder(event: &EventType) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(&event.context)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from_digit(digit.into(), 16).expect("four bits"))
        .collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect()
}
