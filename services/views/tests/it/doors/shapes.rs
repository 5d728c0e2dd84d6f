//! Golden shapes: every path that is answered is one that the registers answer, with the same type, and the other way round.

use super::*;

/// Paths and types of recorded and documented answers: document, path, types.
const SHAPES: &str = include_str!("../register_shapes.tsv");

/// Paths that the register answers and the doors never do: document, path, and why.
const NEVER: &[(&str, &str, &str)] = &[
    ("enhet", "epostadresse", PERSONS),
    ("enhet", "telefon", PERSONS),
    ("enhet", "mobil", PERSONS),
    ("enhet", "frivilligMvaRegistrertBeskrivelser[]", NO_FACT),
    ("enhet", "hjelpeenhetskode.beskrivelse", NO_FACT),
    ("enhet", "hjelpeenhetskode.kode", NO_FACT),
    ("enhet", "kapital.antallAksjer", NO_FACT),
    ("enhet", "kapital.belop", NO_FACT),
    ("enhet", "kapital.innfortDato", NO_FACT),
    ("enhet", "kapital.type", NO_FACT),
    ("enhet", "kapital.valuta", NO_FACT),
    ("enhet", "naeringskode1.beskrivelse", NO_LIST),
    ("enhet", "naeringskode2.beskrivelse", NO_LIST),
    ("enhet", "naeringskode3.beskrivelse", NO_LIST),
    ("enhet", "organisasjonsform.utgaatt", IN_USE),
    ("enhet", "registreringsdatoAntallAnsatteEnhetsregisteret", NO_FACT),
    ("enhet", "registreringsdatoAntallAnsatteNAVAaregisteret", NO_FACT),
    ("enhet", "registreringsdatoFrivilligMerverdiavgiftsregisteret", NO_FACT),
    ("enhet", "registreringsnummerIHjemlandet", NO_FACT),
    ("enhet", "tvangsavvikletPgaManglendeSlettingDato", NO_FACT),
    ("enhet", "tvangsopplostPgaMangelfulltStyreDato", NO_FACT),
    ("enhet", "tvangsopplostPgaManglendeDagligLederDato", NO_FACT),
    ("enhet", "tvangsopplostPgaManglendeRegnskapDato", NO_FACT),
    ("enhet", "tvangsopplostPgaManglendeRevisorDato", NO_FACT),
    ("slettet_enhet", "organisasjonsform.utgaatt", IN_USE),
    ("frivillig", "kontonummer", "an account is confidential here"),
    ("frivillig", "paategninger[].identifikatorInformasjonstype", NO_FACT),
    ("frivillig", "paategninger[].paategning", PERSONS),
    ("frivillig", "vedtekter.sistOppdaterteVedtekter", NO_FACT),
    (
        "updates",
        "_embedded.oppdaterteEnheter[]._links.underenhet.href",
        "a slip of the register in 2018",
    ),
];
const PERSONS: &str = "it can lead to a person or name one";
const NO_FACT: &str = "no fact says it";
const NO_LIST: &str = "there is no list in Norwegian yet";
const IN_USE: &str = "no form of the list is out of use";

/// Answers that were seen, and what was in them.
#[derive(Default)]
struct Seen(BTreeSet<(String, String)>);

impl Seen {
    /// Takes an answer in, all of which has to be in the list, with its types.
    #[track_caller]
    fn assert_shaped(&mut self, document: &str, value: &Value) {
        let known: BTreeMap<&str, &str> = shapes()
            .filter(|(of, ..)| *of == document)
            .map(|(_, path, types)| (path, types))
            .collect();
        assert!(!known.is_empty(), "{document}");
        let mut paths = BTreeSet::new();
        check(&known, "", value, &mut paths);
        self.0.extend(paths.into_iter().map(|path| (document.to_owned(), path)));
    }

    /// Whatever the registers answer was seen, but for what is stated; and nothing is stated that was seen.
    #[track_caller]
    fn assert_complete(&self) {
        let missing: BTreeSet<_> = shapes()
            .map(|(document, path, _)| (document.to_owned(), path.to_owned()))
            .filter(|shape| !self.0.contains(shape))
            .collect();
        let stated: BTreeSet<_> = NEVER
            .iter()
            .map(|(document, path, _)| (String::from(*document), String::from(*path)))
            .collect();
        assert_eq!(missing, stated);
    }
}

/// Document, path and types.
fn shapes() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    SHAPES.lines().skip(1).map(|line| {
        let mut columns = line.split('\t');
        let mut column = || columns.next().expect("three columns");
        (column(), column(), column())
    })
}

#[track_caller]
fn check(known: &BTreeMap<&str, &str>, path: &str, value: &Value, seen: &mut BTreeSet<String>) {
    if known.get(path) == Some(&"any") {
        seen.insert(path.to_owned());
        return;
    }
    let kind = match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                check(known, &path, member, seen);
            }
            return;
        }
        Value::Array(values) => {
            for value in values {
                check(known, &format!("{path}[]"), value, seen);
            }
            return;
        }
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
    };
    let types = known
        .get(path)
        .unwrap_or_else(|| panic!("the registers have no {path}"));
    assert!(
        types.split('|').any(|known| known == kind),
        "{path} is {kind}, not {types}"
    );
    seen.insert(path.to_owned());
}

/// An organisation about which everything is known.
async fn known_well(world: &World) -> Organisation {
    let organisation = Organisation::nth(1);
    let facts = [registered(&organisation), everything_else()].concat();
    world
        .append("Organisation", organisation.id, 0, &organisation.about(), &facts)
        .await;
    organisation
}

fn registered(organisation: &Organisation) -> Vec<Event> {
    let address = pb::Address {
        kommunenummer: "0301".into(),
        postnummer: "0010".into(),
        adresse: vec!["Storgata 1".into()],
        ..pb::Address::default()
    };
    let details = pb::OrganisationDetails {
        name: "Sesam skolekorps".into(),
        form: "FLI".into(),
        forretningsadresse: Some(address.clone()),
        postadresse: Some(address),
        hjemmeside: "sesam.example".into(),
        language: "nn".into(),
        naeringskoder: vec!["93.120".into(), "94.992".into(), "90.201".into()],
        sektorkode: "7000".into(),
        stiftelsesdato: "1990-01-01".into(),
        registers: ["FOR", "MVA", "STI", "PARTI"].map(str::to_owned).into(),
        antall_ansatte: Some(5),
        overordnet_enhet: Organisation::nth(2).orgnr,
        aktivitet: vec!["Korps".into()],
        annotations: vec![pb::Annotation {
            infotype: "FADR".into(),
            text: "Adressen er ukjent".into(),
            innfoert_dato: "2024-01-02".into(),
        }],
        under_tvangsavvikling: true,
        har_registrert_antall_ansatte: Some(true),
        registreringsdatoer: ["FOR", "MVA", "MVA-ER", "PARTI"]
            .map(|register| pb::RegisterEntry {
                register: register.into(),
                registreringsdato: "2000-01-01".into(),
            })
            .into(),
        er_i_konsern: true,
        historiske_navn: vec![pb::FormerName {
            navn: "Sesam".into(),
            fra_dato: "1990-01-01".into(),
            til_dato: "1999-12-31".into(),
        }],
        ..pb::OrganisationDetails::default()
    };
    vec![
        pb::OrganisationRegistered {
            organisation_id: organisation.id.to_string(),
            orgnr: organisation.orgnr.clone(),
            registreringsdato: "1995-02-19".into(),
            details: Some(details),
            ..pb::OrganisationRegistered::default()
        }
        .into(),
    ]
}

fn everything_else() -> Vec<Event> {
    vec![
        pb::VoluntaryRegistrationEntered {
            innfoert_dato: "2009-03-01".into(),
            icnpo: vec!["1200".into(), "4100".into()],
            grasrot_deltar_i: true,
            regnskapsrapportering: Some(pb::RapporteringspliktRegnskap {
                har_paatatt_seg_rapporteringsplikt: true,
                avslutningsdato_regnskapsperiode: Some("3112".into()),
            }),
            vedtekter_registrert: true,
            ..pb::VoluntaryRegistrationEntered::default()
        }
        .into(),
        pb::GrasrotExclusionImposed {
            fra_dato: "2026-01-01".into(),
            til_dato: "2026-06-30".into(),
            ..pb::GrasrotExclusionImposed::default()
        }
        .into(),
        pb::AnnualAccountsSubmitted {
            year: 2025,
            submitted_at: "2026-04-01".into(),
            ..pb::AnnualAccountsSubmitted::default()
        }
        .into(),
        pb::AffiliationEstablished {
            parent_orgnr: Organisation::nth(2).orgnr,
            role_from: "underledd".into(),
            role_to: "sentralledd".into(),
            ..pb::AffiliationEstablished::default()
        }
        .into(),
        pb::BylawsAdopted {
            vedtektsdato: "2020-03-01".into(),
            purpose: vec!["Musikk".into()],
            ..pb::BylawsAdopted::default()
        }
        .into(),
        pb::DissolutionReported {
            at: "2026-04-02".into(),
            ..pb::DissolutionReported::default()
        }
        .into(),
        pb::InsolvencyDeclared {
            at: "2026-04-03".into(),
            ..pb::InsolvencyDeclared::default()
        }
        .into(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_is_the_registers_own_and_none_is_missing_but_what_is_stated() {
    let world = World::begin().await;
    let well = known_well(&world).await;
    let [little, gone, removed] = [2, 3, 4].map(Organisation::nth);
    for organisation in [&little, &gone, &removed] {
        world.register(organisation).await;
    }
    more(&world, &gone, 2, deleted("2026-05-01", "")).await;
    more(&world, &removed, 2, deleted("2026-05-02", "fjernet")).await;
    let before = Organisation {
        icnpo: vec![],
        ..Organisation::nth(5)
    };
    world.register(&before).await;
    let entered = pb::VoluntaryRegistrationEntered {
        innfoert_dato: "2009-03-01".into(),
        ..pb::VoluntaryRegistrationEntered::default()
    };
    more(&world, &before, 1, entered).await;
    more(&world, &before, 2, left("2026-02-01")).await;
    world.caught_up().await;
    let document = async |path: String| get(world.address, &path).await.json();
    let mut seen = Seen::default();

    for orgnr in [&well.orgnr, &little.orgnr] {
        let unit = document(format!("{ER}/enheter/{orgnr}")).await;
        seen.assert_shaped("enhet", &unit);
        // Always there, also when it is empty.
        assert!(unit["paategninger"].is_array(), "{unit}");
    }
    seen.assert_shaped("slettet_enhet", &document(format!("{ER}/enheter/{}", gone.orgnr)).await);
    seen.assert_shaped(
        "fjernet_enhet",
        &document(format!("{ER}/enheter/{}", removed.orgnr)).await,
    );
    for page in [0, 1] {
        let mut list = document(format!("{ER}/enheter?size=1&page={page}")).await;
        let embedded = list.as_object_mut().expect("members").remove("_embedded");
        for unit in embedded.expect("units")["enheter"].as_array().expect("a list") {
            seen.assert_shaped("enhet", unit);
        }
        seen.assert_shaped("page", &list);
    }

    for (orgnr, query) in [
        (&well.orgnr, ""),
        (&well.orgnr, "?spraak=NNO"),
        (&little.orgnr, "?spraak=NOB"),
    ] {
        let record = document(format!("{FR}/frivillige-organisasjoner/{orgnr}{query}")).await;
        assert_eq!(record["respons_klasse"], "FrivilligOrganisasjonInnfoert");
        assert_eq!(record["icnpoKategorier"][0]["navn"].is_null(), query.is_empty());
        seen.assert_shaped("frivillig", &record);
    }
    for orgnr in [&gone.orgnr, &before.orgnr] {
        let record = document(format!("{FR}/frivillige-organisasjoner/{orgnr}")).await;
        seen.assert_shaped("slettet_frivillig", &record);
    }
    let mut list = document(format!("{FR}/frivillige-organisasjoner?size=1")).await;
    let embedded = list.as_object_mut().expect("members").remove("_embedded");
    let record = &embedded.expect("organisations")["frivilligeOrganisasjoner"][0];
    // In a list there is nothing to tell apart.
    assert_eq!(record.get("respons_klasse"), None);
    seen.assert_shaped("frivillig", record);
    seen.assert_shaped("frivillige", &list);
    seen.assert_shaped("icnpo", &document(format!("{FR}/icnpo-kategorier")).await);

    seen.assert_shaped("updates", &document(format!("{ER}/oppdateringer/enheter?size=2")).await);
    let mut with_changes = document(format!("{ER}/oppdateringer/enheter?includeChanges=true")).await;
    let entries = with_changes["_embedded"]["oppdaterteEnheter"]
        .as_array_mut()
        .expect("entries");
    for step in entries
        .iter_mut()
        .filter_map(|entry| entry["endringer"].as_array_mut())
        .flatten()
    {
        // Ours alone: what was there.
        step.as_object_mut().expect("a step").remove("oldValue");
    }
    seen.assert_shaped("updates", &with_changes);
    seen.assert_shaped(
        "updates",
        &document(format!("{ER}/oppdateringer/enheter?oppdateringsid=1000")).await,
    );
    seen.assert_complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_about_persons_or_accounts_is_answered() {
    let world = World::begin().await;
    let well = known_well(&world).await;
    let token = "0190f3c2-0000-7000-8000-00000000abcd";
    for (expected, fact) in (8_u64..).zip([
        Event::from(pb::BankAccountLinked {
            kontonummer_token: token.into(),
            bank: "Banken".into(),
            ..pb::BankAccountLinked::default()
        }),
        pb::RolesReported {
            roles: vec![pb::RoleHolder {
                role_code: "LEDE".into(),
                holder: Some(pb::role_holder::Holder::PersonRef(token.into())),
                ..pb::RoleHolder::default()
            }],
            ..pb::RolesReported::default()
        }
        .into(),
    ]) {
        more(&world, &well, expected, fact).await;
    }
    world.caught_up().await;
    for path in [
        format!("{ER}/enheter/{}", well.orgnr),
        format!("{ER}/enheter"),
        format!("{ER}/oppdateringer/enheter?includeChanges=true"),
        format!("{FR}/frivillige-organisasjoner/{}", well.orgnr),
        format!("{FR}/oppdateringer/frivillige-organisasjoner?includeChanges=true"),
        "/v1/views/register_units/snapshot".to_owned(),
        "/v1/views/register_changes/snapshot".to_owned(),
    ] {
        let text = String::from_utf8(get(world.address, &path).await.body).expect("text");
        for word in [token, "Banken", "LEDE", "kontonummer", "epost", "telefon", "mobil"] {
            assert!(!text.contains(word), "{path} tells {word}: {text}");
        }
    }
}
