//! Reading: every published shape, what is taken from it, and what is said of bad input.

mod bad_input;
mod fixtures;
mod joining;
mod records;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ryggrad_norway::OrgNumber;

use super::{Entry, Fault, Keep, Options, Reader, Refused, RegisterSnapshot, Removed, VoluntaryRecord};

/// Everything that came out of a file.
#[derive(Debug, Default)]
struct Out {
    units: Vec<RegisterSnapshot>,
    removed: Vec<Removed>,
    voluntary: Vec<VoluntaryRecord>,
    refused: Vec<Refused>,
    warnings: Vec<String>,
    skipped: u64,
}

#[track_caller]
fn read(bytes: &[u8], options: Options) -> Out {
    try_read(bytes, options).unwrap()
}

fn try_read(bytes: &[u8], options: Options) -> Result<Out, Fault> {
    let mut out = Out::default();
    let mut reader = Reader::open("file.json", bytes, options)?;
    for entry in reader.by_ref() {
        let warnings = match entry? {
            Entry::Unit(snapshot, warnings) => {
                out.units.push(*snapshot);
                warnings
            }
            Entry::Removed(removed) => {
                out.removed.push(removed);
                Vec::new()
            }
            Entry::Voluntary(record, warnings) => {
                out.voluntary.push(*record);
                warnings
            }
            Entry::Refused(refused) => {
                out.refused.push(refused);
                Vec::new()
            }
        };
        out.warnings.extend(
            warnings
                .into_iter()
                .map(|warning| format!("{}: {}", warning.field, warning.why)),
        );
    }
    let counts = reader.counts();
    out.skipped = counts.skipped;
    assert_eq!(counts.read, counts.kept + counts.skipped + counts.refused);
    Ok(out)
}

const ALL: Options = Options {
    tolerant: false,
    keep: Keep::All,
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The organisation number beginning with these digits.
fn orgnr(first_eight: u32) -> OrgNumber {
    (first_eight..).find_map(OrgNumber::with_check_digit).unwrap()
}

/// An association, with `more` fields.
fn unit(orgnr: OrgNumber, more: &str) -> String {
    format!(
        r#"{{"organisasjonsnummer":"{orgnr}","navn":"GRANALVHEIM HAGELAG","organisasjonsform":{{"kode":"FLI"}}{more}}}"#
    )
}

/// A record of Frivillighetsregisteret, with `more` fields.
fn voluntary(orgnr: OrgNumber, more: &str) -> String {
    format!(r#"{{"organisasjonsnummer":"{orgnr}","innfoertDato":"2020-02-03"{more}}}"#)
}
