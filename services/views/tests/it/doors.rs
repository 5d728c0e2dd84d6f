//! Today's clients of the registers, pointed here: their requests, and the shapes that they read.

use std::collections::{BTreeMap, BTreeSet};

use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;
use serde_json::{Value, json};

use crate::http::{get, get_with};
use crate::world::{Organisation, World};

mod parameters;
mod shapes;
mod trace;
mod updates;

const ER: &str = "/enhetsregisteret/api";
const FR: &str = "/frivillighetsregisteret/api";

/// Appends to an organisation that has its first events already.
async fn more(world: &World, organisation: &Organisation, expected: u64, event: impl Into<Event>) -> u64 {
    world
        .append(
            "Organisation",
            organisation.id,
            expected,
            &organisation.about(),
            &[event.into()],
        )
        .await
}

fn deleted(on: &str, ground: &str) -> pb::OrganisationDeleted {
    pb::OrganisationDeleted {
        slettedato: on.into(),
        ground: ground.into(),
        ..pb::OrganisationDeleted::default()
    }
}

fn left(on: &str) -> pb::VoluntaryRegistrationDeleted {
    pb::VoluntaryRegistrationDeleted {
        slettet_dato: on.into(),
        ..pb::VoluntaryRegistrationDeleted::default()
    }
}

fn renamed(name: &str) -> pb::OrganisationDetailsChanged {
    pb::OrganisationDetailsChanged {
        changed: Some(pb::OrganisationDetails {
            name: name.into(),
            ..pb::OrganisationDetails::default()
        }),
        fields: vec!["name".into()],
        ..pb::OrganisationDetailsChanged::default()
    }
}

/// The numbers on a page.
fn numbers(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|unit| unit["organisasjonsnummer"].as_str().expect("a number").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_there_deleted_removed_or_unknown() {
    let world = World::begin().await;
    let [there, gone, removed] = [1, 2, 3].map(Organisation::nth);
    for organisation in [&there, &gone, &removed] {
        world.register(organisation).await;
    }
    more(&world, &gone, 2, deleted("2026-05-01", "")).await;
    more(&world, &removed, 2, deleted("2026-05-02", "fjernet")).await;
    world.caught_up().await;
    let unit = |orgnr: &str| format!("{ER}/enheter/{orgnr}");

    let answer = get(world.address, &unit(&there.orgnr)).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    let document = answer.json();
    assert_eq!(document["respons_klasse"], "Enhet");
    let own = document["_links"]["self"]["href"].as_str().expect("a link");
    assert_eq!(get(world.address, own).await.json(), document);
    let form = document["organisasjonsform"]["_links"]["self"]["href"]
        .as_str()
        .expect("a link");
    assert_eq!(get(world.address, form).await.json()["kode"], "FLI");

    let answer = get(world.address, &unit(&gone.orgnr)).await;
    assert_eq!(answer.status, 200);
    let document = answer.json();
    assert_eq!(
        (&document["respons_klasse"], &document["slettedato"], &document["navn"]),
        (&json!("SlettetEnhet"), &json!("2026-05-01"), &json!("Lag 2"))
    );

    for path in [
        unit(&removed.orgnr),
        format!("{FR}/frivillige-organisasjoner/{}", removed.orgnr),
    ] {
        let answer = get(world.address, &path).await;
        assert_eq!(
            (answer.status, &answer.json()["slettedato"]),
            (410, &json!("2026-05-02"))
        );
    }

    let unknown = Organisation::nth(4).orgnr;
    for path in [unit(&unknown), format!("{FR}/frivillige-organisasjoner/{unknown}")] {
        let answer = get(world.address, &path).await;
        assert_eq!((answer.status, &answer.json()["status"]), (404, &json!(404)));
        assert_eq!(answer.json()["sti"], json!(path));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_parameter_is_refused_in_the_registers_own_words() {
    let world = World::begin().await;
    for (path, parameter) in [
        (format!("{ER}/enheter/123456789"), "organisasjonsnummer"),
        (format!("{ER}/enheter/club"), "organisasjonsnummer"),
        (format!("{ER}/enheter?organisasjonsform=XX"), "organisasjonsform"),
        (format!("{ER}/enheter?kommunenummer=9999"), "kommunenummer"),
        (format!("{ER}/enheter?naeringskode=9312"), "naeringskode"),
        (format!("{ER}/enheter?konkurs=ja"), "konkurs"),
        (format!("{ER}/enheter?size=10001"), "size"),
        (format!("{ER}/enheter?page=10&size=1000"), "page"),
        (format!("{ER}/enheter?page=18446744073709551615"), "page"),
        (format!("{ER}/enheter?navn=A&navn=B"), "navn"),
        (format!("{ER}/enheter?sort=farge,ASC"), "sort"),
        (format!("{ER}/enheter?fraStiftelsesdato=2026"), "fraStiftelsesdato"),
        (format!("{ER}/enheter?colour=red"), "colour"),
        // The facts do not tell: rather refused than answered with everything.
        (
            format!("{ER}/enheter?frivilligRegistrertIMvaregisteret=Utleier"),
            "frivilligRegistrertIMvaregisteret",
        ),
        (
            format!("{ER}/enheter?underKonkursbehandling=true"),
            "underKonkursbehandling",
        ),
        (format!("{ER}/enheter?naeringskode=93."), "naeringskode"),
        (format!("{ER}/enheter?fraAntallAnsatte=3"), "fraAntallAnsatte"),
        (format!("{ER}/enheter?tilAntallAnsatte=3"), "tilAntallAnsatte"),
        (
            format!("{ER}/enheter?sisteInnsendteAarsregnskap=2024,24"),
            "sisteInnsendteAarsregnskap",
        ),
        (
            format!("{ER}/enheter?forretningsadresse.landkode=NOR"),
            "forretningsadresse.landkode",
        ),
        (format!("{ER}/oppdateringer/enheter?sort=dato,ASC"), "sort"),
        (
            format!("{ER}/oppdateringer/enheter?updatedBefore=2026-09-22"),
            "updatedBefore",
        ),
        (format!("{ER}/enheter/lastned?page=1"), "page"),
        (format!("{ER}/oppdateringer/enheter?dato=2026-09-22"), "dato"),
        (
            format!("{ER}/oppdateringer/enheter?oppdateringsid=-1"),
            "oppdateringsid",
        ),
        (format!("{ER}/oppdateringer/enheter?size=10001"), "size"),
        (format!("{ER}/oppdateringer/enheter?includeChanges=1"), "includeChanges"),
        (format!("{FR}/frivillige-organisasjoner?page=1"), "page"),
        (format!("{FR}/frivillige-organisasjoner?size=101"), "size"),
        (format!("{FR}/frivillige-organisasjoner?searchAfter=%00"), "searchAfter"),
        (format!("{FR}/icnpo-kategorier?spraak=ENG"), "spraak"),
    ] {
        let answer = get(world.address, &path).await;
        let body = answer.json();
        assert_eq!(answer.status, 400, "{path}: {body}");
        assert_eq!(body["feilmelding"], "Feilaktig forespørsel");
        assert_eq!(
            body["valideringsfeil"][0]["parametere"],
            json!([parameter]),
            "{path}: {body}"
        );
        assert!(body["tidsstempel"].is_number() && body["sti"].is_string(), "{body}");
    }
    let all = get(world.address, &format!("{ER}/enheter?konkurs=ja&colour=red"))
        .await
        .json();
    assert_eq!(
        (&all["antallFeil"], all["valideringsfeil"].as_array().map(Vec::len)),
        (&json!(2), Some(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_paged_by_its_links_and_leaves_deleted_units_out() {
    let world = World::begin().await;
    let mut expected = BTreeSet::new();
    for n in 0..7 {
        let organisation = Organisation {
            name: format!("Sesam skolekorps {n}"),
            ..Organisation::nth(n)
        };
        world.register(&organisation).await;
        expected.insert(organisation.orgnr);
    }
    let other = Organisation {
        name: "Turlaget".into(),
        form: "STI",
        kommunenummer: "0301",
        icnpo: vec![],
        ..Organisation::nth(50)
    };
    world.register(&other).await;
    let gone = Organisation {
        name: "Sesam nedlagt".into(),
        ..Organisation::nth(51)
    };
    world.register(&gone).await;
    more(&world, &gone, 2, deleted("2026-01-01", "")).await;
    world.caught_up().await;

    let (mut found, mut next, mut pages) = (Vec::new(), format!("{ER}/enheter?navn=sesam%20skole&size=3"), 0);
    loop {
        let page = get(world.address, &next).await.json();
        assert_eq!(
            page["page"],
            json!({"size": 3, "totalElements": 7, "totalPages": 3, "number": pages})
        );
        assert_eq!(page["_links"].get("prev").is_some(), pages > 0);
        assert!(page["_links"]["first"]["href"].is_string() && page["_links"]["last"]["href"].is_string());
        found.extend(numbers(&page["_embedded"]["enheter"]));
        pages += 1;
        match page["_links"]["next"]["href"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break,
        }
    }
    assert_eq!((found.len(), found.into_iter().collect(), pages), (7, expected, 3));

    for (query, hits) in [
        ("navn=skolekorps%20SESAM", 7),
        ("navn=skolekorps%20SESAM&navnMetodeForSoek=FORTLOEPENDE", 0),
        ("navn=korps", 0),
        ("navn=100%25", 0),
        ("organisasjonsform=STI", 1),
        ("organisasjonsform=FLI,STI", 8),
        ("kommunenummer=0301", 1),
        ("registrertIFrivillighetsregisteret=true", 7),
        ("registrertIFrivillighetsregisteret=false", 1),
        ("konkurs=false&underAvvikling=false", 8),
        ("konkurs=true", 0),
        (
            "fraRegistreringsdatoEnhetsregisteret=2026-03-02&tilRegistreringsdatoEnhetsregisteret=2026-03-02",
            8,
        ),
        ("fraRegistreringsdatoEnhetsregisteret=2026-03-03", 0),
        (&format!("organisasjonsnummer={},{}", other.orgnr, gone.orgnr), 1),
    ] {
        let page = get(world.address, &format!("{ER}/enheter?{query}")).await.json();
        assert_eq!(page["page"]["totalElements"], json!(hits), "{query}: {page}");
        assert_eq!(page.get("_embedded").is_some(), hits > 0, "{query}");
    }
    let sorted = get(world.address, &format!("{ER}/enheter?sort=organisasjonsnummer,DESC"))
        .await
        .json();
    let mut down = numbers(&sorted["_embedded"]["enheter"]);
    down.reverse();
    assert!(down.is_sorted() && down.len() == 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_voluntary_register_is_walked_by_its_cursor() {
    let world = World::begin().await;
    let mut expected = Vec::new();
    for n in 0..5 {
        let organisation = Organisation::nth(n);
        world.register(&organisation).await;
        expected.push(organisation.orgnr);
    }
    let never = Organisation {
        icnpo: vec![],
        ..Organisation::nth(20)
    };
    let gone = Organisation::nth(21);
    world.register(&never).await;
    world.register(&gone).await;
    more(&world, &gone, 2, left("2026-02-01")).await;
    world.caught_up().await;
    expected.sort_unstable();

    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let query = after.map_or_else(String::new, |after| format!("&searchAfter={after}"));
        let page = get(world.address, &format!("{FR}/frivillige-organisasjoner?size=2{query}"))
            .await
            .json();
        assert_eq!(page.get("page"), None);
        found.extend(numbers(&page["_embedded"]["frivilligeOrganisasjoner"]));
        after = found.last().cloned();
        let Some(next) = page["_links"]["next"]["href"].as_str() else {
            break;
        };
        let cursor = format!(
            "/frivillige-organisasjoner?searchAfter={}&size=2",
            after.as_deref().expect("a last one")
        );
        assert!(next.ends_with(&cursor), "{next}");
    }
    assert_eq!(found, expected);
    let end = get(
        world.address,
        &format!("{FR}/frivillige-organisasjoner?searchAfter={}", expected[4]),
    )
    .await
    .json();
    assert_eq!((end.get("_embedded"), end["_links"].get("next")), (None, None));

    let one = get(world.address, &format!("{FR}/frivillige-organisasjoner/{}", gone.orgnr)).await;
    assert_eq!(
        (one.status, &one.json()["respons_klasse"], &one.json()["slettetDato"]),
        (200, &json!("FrivilligOrganisasjonSlettet"), &json!("2026-02-01"))
    );
    assert_eq!(
        get(
            world.address,
            &format!("{FR}/frivillige-organisasjoner/{}", never.orgnr)
        )
        .await
        .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn code_lists_are_there() {
    let world = World::begin().await;
    let forms = get(world.address, &format!("{ER}/organisasjonsformer")).await.json();
    let forms = forms["_embedded"]["organisasjonsformer"]
        .as_array()
        .expect("forms")
        .clone();
    assert!(
        forms
            .iter()
            .any(|form| form["kode"] == "FLI" && form["beskrivelse"] == "Forening/lag/innretning")
    );
    assert_eq!(
        get(world.address, &format!("{ER}/organisasjonsformer/XX")).await.status,
        404
    );
    let names = async |spraak: &str| -> BTreeMap<String, String> {
        let list = get(world.address, &format!("{FR}/icnpo-kategorier{spraak}"))
            .await
            .json();
        let list = list["_embedded"]["icnpoKategorier"]
            .as_array()
            .expect("categories")
            .clone();
        list.iter()
            .map(|category| {
                let text = |name: &str| category[name].as_str().expect("a text").to_owned();
                (text("icnpoNummer"), text("navn"))
            })
            .collect()
    };
    assert_eq!(names("").await, names("?spraak=NOB").await);
    assert_eq!(names("?spraak=NOB").await["8200"], "Frivillighetssentraler");
    assert_eq!(names("?spraak=NNO").await["8200"], "Frivilligsentralar");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_point_to_the_host_that_was_asked() {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    world.caught_up().await;
    let path = format!("{ER}/enheter/{}", organisation.orgnr);
    for (headers, begin) in [
        (vec![("host", "ryggrad.example")], "http://ryggrad.example/"),
        (
            vec![
                ("host", "ryggrad.example:8443"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "evil.example"),
            ],
            "https://ryggrad.example:8443/",
        ),
        (
            vec![("host", "[::1]:80"), ("x-forwarded-proto", "javascript")],
            "http://[::1]:80/",
        ),
    ] {
        let unit = get_with(world.address, &path, &headers).await.json();
        let own = unit["_links"]["self"]["href"].as_str().expect("a link");
        assert_eq!(
            own,
            format!("{begin}enhetsregisteret/api/enheter/{}", organisation.orgnr)
        );
    }
    for host in ["evil.example/\"<script>", ""] {
        assert_eq!(
            get_with(world.address, &path, &[("host", host)]).await.status,
            400,
            "{host}"
        );
    }
    // The registers' own media types are answered with themselves.
    let media = "application/vnd.brreg.enhetsregisteret.enhet.v2+json";
    let accept = format!("text/html, {media};charset=UTF-8");
    let answer = get_with(world.address, &path, &[("accept", &accept)]).await;
    assert_eq!(answer.header("content-type"), media);
}
