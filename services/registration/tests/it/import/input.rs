//! Records in the registers' formats, of organisations that do not exist.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use ryggrad_norway::OrgNumber;

/// The nth organisation number of these tests.
pub(super) fn orgnr(n: u32) -> OrgNumber {
    (31_000_000 + n * 10..).find_map(OrgNumber::with_check_digit).unwrap()
}

/// An association, with `more` fields.
pub(super) fn unit(n: u32, more: &str) -> String {
    let orgnr = orgnr(n);
    format!(
        r#"{{"organisasjonsnummer":"{orgnr}","navn":"GRANALVHEIM HAGELAG","organisasjonsform":{{"kode":"FLI"}},"registreringsdatoEnhetsregisteret":"2010-01-02"{more}}}"#
    )
}

/// A record of Frivillighetsregisteret, with `more` fields.
pub(super) fn voluntary(n: u32, more: &str) -> String {
    format!(
        r#"{{"organisasjonsnummer":"{}","innfoertDato":"2020-02-03"{more}}}"#,
        orgnr(n)
    )
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
