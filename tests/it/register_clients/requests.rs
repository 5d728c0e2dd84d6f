//! Single requests: who sends them, and what they read of the answer.

use super::*;

/// What a client reads.
enum Reads {
    /// The unit's document, in version 2.
    Unit(String),
    /// A document that says when it was deleted.
    Deleted(String),
    /// 410, and when that was.
    Removed,
    /// 404.
    Nothing,
    /// These and no others, by number.
    Units(BTreeSet<String>),
    /// These, in this order.
    InOrder(Vec<String>),
    /// No `_embedded`, and none in all.
    NoUnit,
    /// The record, and whether its categories have names.
    Record(String, bool),
    /// 400, and which parameter was wrong.
    Refused(&'static str),
}

/// Version 2 of a unit.
const V2: &str = "application/vnd.brreg.enhetsregisteret.enhet.v2+json;charset=UTF-8";
const JSON: &str = "application/json";
/// What clients generated from the register's own description send.
const GENERATED: &str = "application/json, application/vnd.brreg.enhetsregisteret.enhet.v2+json";
const HAL: &str = "application/hal+json, application/json";

pub(super) async fn every_request_is_answered(registers: &Registers) {
    for (client, path, accept, reads) in table(registers) {
        let answer = registers.get(&path, accept).await;
        check(registers, &answer, &reads, &format!("{client}: {path}"));
    }
}

type Row = (&'static str, String, Option<&'static str>, Reads);

#[expect(clippy::too_many_lines, reason = "a table")]
fn table(registers: &Registers) -> Vec<Row> {
    let unit = registers.any(|unit| text(unit, "/navn").is_ascii() && !text(unit, "/postadresse/adresse/0").is_empty());
    let (orgnr, name) = (number(unit), text(unit, "/navn").to_owned());
    let kommune = text(unit, "/forretningsadresse/kommunenummer");
    let place = text(unit, "/forretningsadresse/poststed");
    let line = text(unit, "/postadresse/adresse/0");
    let industry = text(
        registers.any(|unit| !text(unit, "/naeringskode1/kode").is_empty()),
        "/naeringskode1/kode",
    );
    let beginning: String = name.chars().take(4).collect();
    let record = registers.voluntary.keys().next().expect("a record").clone();
    let other = registers.units.keys().last().expect("units").clone();
    let first: Vec<_> = registers.units.keys().take(20).cloned().collect();
    let named = |words: &str| registers.which(|unit| has_words(text(unit, "/navn"), words));
    let q = |text: &str| text.replace(' ', "%20").replace('&', "%26").replace('+', "%2B");
    vec![
        (
            "python-brreg get_enhet",
            format!("{ER}/enheter/{orgnr}"),
            Some(V2),
            Reads::Unit(orgnr.clone()),
        ),
        (
            "python-brreg get_enhet",
            format!("{ER}/enheter/{}", registers.unknown),
            Some(V2),
            Reads::Nothing,
        ),
        (
            "python-brreg get_enhet",
            format!("{ER}/enheter/{}", registers.removed.0),
            Some(V2),
            Reads::Removed,
        ),
        (
            "python-brreg get_underenhet",
            format!("{ER}/underenheter/{orgnr}"),
            Some(V2),
            Reads::Nothing,
        ),
        (
            "python-brreg EnhetQuery",
            format!("{ER}/enheter?organisasjonsnummer={orgnr}%2C{other}&konkurs=false"),
            Some(V2),
            Reads::Units(BTreeSet::from([orgnr.clone(), other.clone()])),
        ),
        (
            "python-brreg EnhetQuery",
            format!(
                "{ER}/enheter?forretningsadresse.poststed={}&forretningsadresse.landkode=NO&size=1000",
                q(place)
            ),
            Some(V2),
            Reads::Units(registers.which(|unit| has_words(text(unit, "/forretningsadresse/poststed"), place))),
        ),
        (
            "python-brreg EnhetQuery",
            format!("{ER}/enheter?postadresse.adresse={}&size=1000", q(line)),
            Some(V2),
            Reads::Units(registers.which(|unit| {
                let lines = unit["postadresse"]["adresse"].as_array();
                let mut lines = lines.into_iter().flatten().filter_map(Value::as_str);
                line.split(',').any(|wanted| lines.any(|line| has_words(line, wanted)))
            })),
        ),
        (
            "python-brreg EnhetQuery",
            format!("{ER}/enheter?sisteInnsendteAarsregnskap=2023%2C2024&frivilligRegistrertIMvaregisteret=Utleier"),
            Some(V2),
            Reads::Refused("frivilligRegistrertIMvaregisteret"),
        ),
        (
            "amt-enhetsregister",
            format!("{ER}/enheter/{orgnr}"),
            Some(JSON),
            Reads::Unit(orgnr.clone()),
        ),
        (
            "amt-enhetsregister",
            format!("{ER}/enheter/{}", registers.deleted),
            Some(JSON),
            Reads::Deleted(registers.deleted.clone()),
        ),
        (
            "tidybrreg brreg_entity",
            format!("{ER}/enheter/{}", registers.removed.0),
            None,
            Reads::Removed,
        ),
        (
            "tidybrreg brreg_search",
            format!("{ER}/enheter?organisasjonsform=FLI&fraAntallAnsatte=5&size=1000&page=0&konkurs=false"),
            None,
            Reads::Units(registers.which(|unit| {
                let employees = unit["antallAnsatte"].as_u64().unwrap_or_default();
                text(unit, "/organisasjonsform/kode") == "FLI" && employees >= 5 && unit["konkurs"] == false
            })),
        ),
        (
            "tidybrreg brreg_children",
            format!("{ER}/enheter?overordnetEnhet={}&size=100&page=0", registers.unknown),
            None,
            Reads::NoUnit,
        ),
        (
            "symfony-brreg-http-client",
            format!("{ER}/enheter?navn={}&size=1000&page=0", q(&name)),
            Some(JSON),
            Reads::Units(named(&name)),
        ),
        (
            "dotnet-common SearchEnheter",
            format!("{ER}/enheter?kommunenummer={kommune}&page=0&size=1000"),
            Some(GENERATED),
            Reads::Units(registers.which(|unit| {
                ["/forretningsadresse", "/postadresse"]
                    .iter()
                    .any(|address| text(unit, &format!("{address}/kommunenummer")) == kommune)
            })),
        ),
        (
            "brreg-mcp-server search_units",
            format!("{ER}/enheter?naeringskode={}&size=200&page=0", &industry[..4]),
            None,
            Reads::Units(registers.which(|unit| {
                (1..=3).any(|n| text(unit, &format!("/naeringskode{n}/kode")).starts_with(&industry[..4]))
            })),
        ),
        (
            "a React page by municipality and year",
            format!(
                "{ER}/enheter?kommunenummer=4203&size=10000&fraStiftelsesdato=2026-01-01&tilStiftelsesdato=2026-12-31"
            ),
            Some("*/*"),
            Reads::Units(BTreeSet::from([registers.left.clone()])),
        ),
        (
            "a field that searches while one types",
            format!("{ER}/enheter?navn={}*&size=1000", q(&beginning)),
            Some("*/*"),
            Reads::Units(named(&beginning)),
        ),
        (
            "a field that searches for a name in a row",
            format!(
                "{ER}/enheter?navn={}&navnMetodeForSoek=FORTLOEPENDE&size=1000",
                q(&name)
            ),
            Some(JSON),
            Reads::Units(registers.which(|unit| {
                let text = text(unit, "/navn").to_lowercase();
                format!(" {text}").contains(&format!(" {}", name.to_lowercase()))
            })),
        ),
        (
            "a script with requests, whose booleans are Python's",
            format!("{ER}/enheter?konkurs=False&fraAntallAnsatte=0&size=1000"),
            Some("*/*"),
            Reads::Units(registers.which(|unit| unit["konkurs"] == false)),
        ),
        (
            "a batch in the order of the numbers",
            format!("{ER}/enheter?page=0&size=20&sort=organisasjonsnummer,asc"),
            None,
            Reads::InOrder(first),
        ),
        (
            "a poller with a day and no time",
            format!("{ER}/oppdateringer/enheter?dato=2026-09-22"),
            None,
            Reads::Refused("dato"),
        ),
        (
            "laravel-brreg-api voluntary()",
            format!("{FR}/frivillige-organisasjoner/{record}"),
            Some(JSON),
            Reads::Record(record.clone(), false),
        ),
        (
            "laravel-brreg-api searchByName",
            format!("{FR}/frivillige-organisasjoner?navn=Frivillig&size=100"),
            Some(JSON),
            Reads::Refused("navn"),
        ),
        (
            "dotnet-common FrivilligeOrganisasjoner",
            format!("{FR}/frivillige-organisasjoner/{record}?spraak=NOB"),
            Some(HAL),
            Reads::Record(record, true),
        ),
        (
            "dotnet-common FrivilligeOrganisasjoner",
            format!("{FR}/frivillige-organisasjoner/{}", registers.unknown),
            Some(HAL),
            Reads::Nothing,
        ),
        (
            "a client that pages by number",
            format!("{FR}/frivillige-organisasjoner?page=1&size=100"),
            None,
            Reads::Refused("page"),
        ),
    ]
}

fn check(registers: &Registers, answer: &Answer, reads: &Reads, what: &str) {
    let expected = match reads {
        Reads::Removed => 410,
        Reads::Nothing => 404,
        Reads::Refused(_) => 400,
        Reads::Unit(_)
        | Reads::Deleted(_)
        | Reads::Units(_)
        | Reads::InOrder(_)
        | Reads::NoUnit
        | Reads::Record(..) => 200,
    };
    assert_eq!(
        answer.status,
        expected,
        "{what}: {}",
        String::from_utf8_lossy(&answer.body)
    );
    assert!(answer.header("content-type").contains("json"), "{what}: {answer:?}");
    let body = answer.json();
    match reads {
        Reads::Unit(orgnr) => the_unit_of_the_file(&body, &registers.units[orgnr], what),
        Reads::Deleted(orgnr) => {
            assert_eq!(
                (&number(&body), &body["slettedato"]),
                (orgnr, &json!("2026-03-02")),
                "{what}"
            );
            assert!(body["navn"].is_string(), "{what}: {body}");
        }
        Reads::Removed => assert_eq!(body["slettedato"], registers.removed.1, "{what}"),
        Reads::Nothing => assert!(body.is_object(), "{what}: {body}"),
        Reads::Units(expected) => {
            let found: BTreeSet<_> = numbers(&body, "enheter").into_iter().collect();
            assert_eq!(&found, expected, "{what}");
            assert!(!expected.is_empty(), "{what} proves nothing");
            assert_eq!(body["page"]["totalElements"], expected.len(), "{what}");
        }
        Reads::InOrder(expected) => assert_eq!(&numbers(&body, "enheter"), expected, "{what}"),
        Reads::NoUnit => {
            assert_eq!(
                (body.get("_embedded"), &body["page"]["totalElements"]),
                (None, &json!(0)),
                "{what}"
            );
        }
        Reads::Record(orgnr, named) => {
            the_record_of_the_file(&body, &registers.voluntary[orgnr], what);
            assert_eq!(body["icnpoKategorier"][0]["navn"].is_string(), *named, "{what}: {body}");
        }
        Reads::Refused(parameter) => {
            assert_eq!(
                body["valideringsfeil"][0]["parametere"],
                json!([parameter]),
                "{what}: {body}"
            );
        }
    }
}

/// What the register says of a unit is what is said here.
#[track_caller]
fn the_unit_of_the_file(document: &Value, unit: &Value, what: &str) {
    for path in [
        "/organisasjonsnummer",
        "/navn",
        "/organisasjonsform/kode",
        "/organisasjonsform/beskrivelse",
        "/registreringsdatoEnhetsregisteret",
        "/stiftelsesdato",
        "/forretningsadresse/land",
        "/forretningsadresse/landkode",
        "/forretningsadresse/postnummer",
        "/forretningsadresse/poststed",
        "/forretningsadresse/kommunenummer",
        "/postadresse/adresse",
        "/institusjonellSektorkode",
        "/registrertIFrivillighetsregisteret",
        "/registreringsdatoFrivillighetsregisteret",
        "/registrertIMvaregisteret",
        "/konkurs",
        "/underAvvikling",
        "/maalform",
        "/respons_klasse",
    ] {
        assert_eq!(document.pointer(path), unit.pointer(path), "{what}: {path}");
    }
}

#[track_caller]
fn the_record_of_the_file(document: &Value, record: &Value, what: &str) {
    for path in [
        "/organisasjonsnummer",
        "/frivilligOrganisasjonsstatus",
        "/innfoertDato",
        "/grasrotandel/deltarI",
    ] {
        assert_eq!(document.pointer(path), record.pointer(path), "{what}: {path}");
    }
    let ranked = |record: &Value| {
        let categories = record["icnpoKategorier"].as_array().cloned().unwrap_or_default();
        let ranked = categories
            .iter()
            .map(|category| (category["rekkefoelge"].as_u64(), category["icnpoNummer"].clone()));
        ranked
            .map(|(rank, code)| (rank, code.to_string()))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(ranked(document), ranked(record), "{what}");
}

fn text<'a>(document: &'a Value, path: &str) -> &'a str {
    document.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// Whether each word is the beginning of one of the text's.
fn has_words(text: &str, words: &str) -> bool {
    let text = text.to_lowercase();
    let begins = |word: &str| text.split_whitespace().any(|other| other.starts_with(word));
    words.to_lowercase().split_whitespace().all(begins)
}
