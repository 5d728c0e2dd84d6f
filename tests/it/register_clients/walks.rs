//! Requests that follow from the answer before: pages, feeds, and a file that is kept up to date.

use super::*;

const UPDATES: &str = "/enhetsregisteret/api/oppdateringer/enheter";
/// The whole file, version 2.
const FILE: &str = "application/vnd.brreg.enhetsregisteret.enhet.v2+gzip;charset=UTF-8";

/// tidybrreg counts pages while there is a next one, dotnet-common as many as there are in all; who reads HAL follows the links.
pub(super) async fn every_unit_is_found_page_by_page(registers: &Registers) {
    let expected: BTreeSet<_> = registers.units.keys().cloned().collect();
    let mut counted = Vec::new();
    for page in 0.. {
        let body = registers.json(&format!("{ER}/enheter?size=40&page={page}")).await;
        counted.extend(numbers(&body, "enheter"));
        if body["_links"].get("next").is_none() {
            break;
        }
    }
    let mut all = Vec::new();
    let size = 60;
    let total = registers.json(&format!("{ER}/enheter?page=0&size={size}")).await["page"]["totalElements"].clone();
    for page in 0..total.as_u64().expect("a number").div_ceil(size) {
        let body = registers.json(&format!("{ER}/enheter?page={page}&size={size}")).await;
        all.extend(numbers(&body, "enheter"));
    }
    let (mut linked, mut next) = (Vec::new(), Some(format!("{ER}/enheter?size=50")));
    while let Some(link) = next {
        let body = registers.json(&link).await;
        linked.extend(numbers(&body, "enheter"));
        next = body["_links"]["next"]["href"].as_str().map(str::to_owned);
    }
    for (how, found) in [
        ("by number", counted),
        ("as many as there are", all),
        ("by links", linked),
    ] {
        assert_eq!(found.len(), expected.len(), "{how}: each once");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{how}");
    }
}

/// One change of a feed.
fn changes(page: &Value) -> Vec<Value> {
    page["_embedded"]["oppdaterteEnheter"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn id(change: &Value) -> u64 {
    change["oppdateringsid"].as_u64().expect("a number")
}

/// brreg-delta goes on after the last id until a page is not full; tidybrreg begins with an instant; shadow-brreg counts the pages
/// of an instant; others follow the links, or read backwards.
pub(super) async fn every_change_is_followed(registers: &Registers) {
    let (mut by_id, mut next) = (Vec::new(), 1);
    loop {
        let page = changes(
            &registers
                .json(&format!("{UPDATES}?oppdateringsid={next}&size=100"))
                .await,
        );
        next = page.last().map_or(next, |last| id(last) + 1);
        let is_last = page.len() < 100;
        by_id.extend(page);
        if is_last {
            break;
        }
    }
    let begin = "dato=2020-01-01T00:00:00.000Z";
    let mut by_instant = changes(&registers.json(&format!("{UPDATES}?size=100&{begin}")).await);
    loop {
        let cursor = id(by_instant.last().expect("changes")) + 1;
        let path = format!("{UPDATES}?size=100&oppdateringsid={cursor}&includeChanges=true");
        let page = changes(&registers.json(&path).await);
        if page.is_empty() {
            break;
        }
        by_instant.extend(page);
    }
    let mut by_number = Vec::new();
    for page in 0.. {
        let body = registers.json(&format!("{UPDATES}?{begin}&page={page}&size=100")).await;
        by_number.extend(changes(&body));
        if page + 1 >= body["page"]["totalPages"].as_u64().expect("a number") {
            break;
        }
    }
    let mut backwards = Vec::new();
    let mut link = Some(format!(
        "{UPDATES}?{begin}&updatedBefore=2999-01-01T00:00:00.000Z&includeChanges=true&page=0&size=100&sort=id,DESC"
    ));
    while let Some(path) = link {
        let body = registers.json(&path).await;
        backwards.extend(changes(&body));
        link = body["_links"]["next"]["href"].as_str().map(str::to_owned);
    }
    backwards.reverse();
    let ids = |changes: &[Value]| changes.iter().map(id).collect::<Vec<_>>();
    let expected = ids(&by_id);
    for (how, found) in [
        ("by instant", by_instant),
        ("by number", by_number),
        ("backwards", backwards),
    ] {
        assert_eq!(ids(&found), expected, "{how}");
    }
    they_tell_what_the_log_tells(registers, &by_id).await;
}

/// Every unit is new where it was registered; who is deleted or removed is told as such.
async fn they_tell_what_the_log_tells(registers: &Registers, changes: &[Value]) {
    let sql = "select orgnr, position from log.events where name = 'OrganisationRegistered'";
    let registered: BTreeMap<String, i64> = sqlx::query_as(sql)
        .fetch_all(&registers.pool)
        .await
        .expect("the log")
        .into_iter()
        .collect();
    let of = |kind: &str| -> BTreeMap<String, i64> {
        let told = changes.iter().filter(|change| change["endringstype"] == kind);
        told.map(|change| (number(change), id(change).cast_signed())).collect()
    };
    assert_eq!(of("Ny"), registered);
    assert!(of("Sletting").contains_key(&registers.deleted));
    let gone = of("Fjernet");
    assert!(gone.keys().eq([&registers.removed.0]), "{gone:?}");
    for change in changes {
        let link = change["_links"]["enhet"]["href"].as_str();
        assert_eq!(link.is_none(), change["endringstype"] == "Fjernet", "{change}");
        assert!(
            change["dato"].as_str().is_some_and(|dato| dato.ends_with('Z')),
            "{change}"
        );
    }
}

/// By the number of the last one, until a page is not full; or by the links.
pub(super) async fn the_voluntary_register_is_walked(registers: &Registers) {
    let list = format!("{FR}/frivillige-organisasjoner");
    let expected: Vec<_> = registers.voluntary.keys().cloned().collect();
    let mut found = Vec::new();
    loop {
        let after = found
            .last()
            .map_or_else(String::new, |last| format!("&searchAfter={last}"));
        let body = registers.json(&format!("{list}?size=40{after}")).await;
        let page = numbers(&body, "frivilligeOrganisasjoner");
        let is_last = page.len() < 40;
        found.extend(page);
        if is_last {
            break;
        }
    }
    assert_eq!(found, expected);
    let (mut linked, mut next) = (Vec::new(), Some(format!("{list}?size=100&spraak=NOB")));
    while let Some(link) = next {
        let body = registers.json(&link).await;
        let named = &body["_embedded"]["frivilligeOrganisasjoner"][0]["icnpoKategorier"][0]["navn"];
        assert!(named.is_string(), "the language is kept from page to page: {link}");
        linked.extend(numbers(&body, "frivilligeOrganisasjoner"));
        next = body["_links"]["next"]["href"].as_str().map(str::to_owned);
    }
    assert_eq!(linked, expected);
    // What the codes mean, in both languages.
    for (language, name) in [("NOB", "Frivillighetssentraler"), ("NNO", "Frivilligsentralar")] {
        let body = registers
            .json(&format!("{FR}/icnpo-kategorier?spraak={language}"))
            .await;
        let categories = body["_embedded"]["icnpoKategorier"]
            .as_array()
            .expect("categories")
            .clone();
        let found = categories
            .iter()
            .find(|category| category["icnpoNummer"] == "8200")
            .expect("8200");
        assert_eq!((&found["navn"], &found["spraakkode"]), (&json!(name), &json!(language)));
    }
}

async fn file(registers: &Registers) -> BTreeMap<String, Value> {
    let answer = registers.get(&format!("{ER}/enheter/lastned"), Some(FILE)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let documents: Vec<Value> = serde_json::from_slice(&unzipped(&answer.body)).expect("a JSON array");
    documents
        .into_iter()
        .map(|document| (number(&document), document))
        .collect()
}

/// brreg-delta: the newest id, the whole file, and from then on what has changed.
pub(super) async fn who_takes_the_file_and_follows_has_the_next_file(registers: &mut Registers) {
    let newest = changes(&registers.json(&format!("{UPDATES}?sort=id,DESC&size=1")).await);
    let mut next = id(&newest[0]) + 1;
    let mut held = file(registers).await;
    assert_eq!(
        held.keys().collect::<Vec<_>>(),
        registers.units.keys().collect::<Vec<_>>()
    );

    let register = Register::new(registers.pool.clone(), registers.whole.stack.clock().clone());
    let kommune = KommuneNumber::parse("4203").expect("a municipality");
    for scenario in [Scenario::DetailsChanged, Scenario::GrasrotApproved, Scenario::Deleted] {
        register.bring(scenario, kommune).await.expect("told");
    }
    registers.caught_up().await;
    let mut followed = 0;
    loop {
        let page = changes(&registers.json(&format!("{UPDATES}?oppdateringsid={next}&size=3")).await);
        for change in &page {
            let orgnr = number(change);
            match change["endringstype"].as_str().expect("a text") {
                "Sletting" | "Fjernet" => _ = held.remove(&orgnr),
                _ => {
                    let answer = registers.get(&format!("{ER}/enheter/{orgnr}"), None).await;
                    let document = answer.json();
                    if answer.status == 200 && document["respons_klasse"] == "Enhet" {
                        held.insert(orgnr, document);
                    }
                }
            }
            next = id(change) + 1;
        }
        followed += page.len();
        if page.len() < 3 {
            break;
        }
    }
    assert!(followed > 5, "{followed} changes");
    assert_eq!(held, file(registers).await);
}
