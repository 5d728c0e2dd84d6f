//! Golden shapes: every key that is answered is one that the registers answer, with the same type.

use super::*;

/// Paths and types of recorded and documented answers: document, path, types.
const SHAPES: &str = include_str!("../register_shapes.tsv");

/// Whether all of a document is in the list.
#[track_caller]
fn assert_shaped(document: &str, value: &Value) {
    let known: BTreeMap<&str, &str> = SHAPES
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split('\t');
            (columns.next() == Some(document))
                .then(|| (columns.next().expect("a path"), columns.next().expect("types")))
        })
        .collect();
    assert!(!known.is_empty(), "{document}");
    check(&known, "", value);
}

#[track_caller]
fn check(known: &BTreeMap<&str, &str>, path: &str, value: &Value) {
    if known.get(path) == Some(&"any") {
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
                check(known, &path, member);
            }
            return;
        }
        Value::Array(values) => {
            for value in values {
                check(known, &format!("{path}[]"), value);
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
async fn every_key_is_the_registers_own_and_has_its_type() {
    let world = World::begin().await;
    let well = known_well(&world).await;
    let little = Organisation::nth(2);
    let gone = Organisation::nth(3);
    world.register(&little).await;
    world.register(&gone).await;
    more(&world, &gone, 2, deleted("2026-05-01", "")).await;
    world.caught_up().await;
    let document = async |path: String| get(world.address, &path).await.json();

    let unit = document(format!("{ER}/enheter/{}", well.orgnr)).await;
    assert_shaped("enhet", &unit);
    // Whatever the facts can tell is told.
    let members: BTreeSet<&str> = unit.as_object().expect("members").keys().map(String::as_str).collect();
    let missing: BTreeSet<&str> = SHAPES
        .lines()
        .filter_map(|line| line.strip_prefix("enhet\t"))
        .filter_map(|line| line.split(['.', '[', '\t']).next())
        .filter(|member| !members.contains(member) && !SILENT.contains(member))
        .collect();
    assert_eq!(
        missing,
        BTreeSet::new(),
        "the facts have it, and the door does not tell"
    );
    assert_shaped("enhet", &document(format!("{ER}/enheter/{}", little.orgnr)).await);
    assert_shaped("slettet_enhet", &document(format!("{ER}/enheter/{}", gone.orgnr)).await);
    let list = document(format!("{ER}/enheter?size=1&page=1")).await;
    assert_shaped("page", &list);

    for orgnr in [&well.orgnr, &little.orgnr] {
        assert_shaped(
            "frivillig",
            &document(format!("{FR}/frivillige-organisasjoner/{orgnr}")).await,
        );
    }
    assert_shaped(
        "slettet_frivillig",
        &document(format!("{FR}/frivillige-organisasjoner/{}", gone.orgnr)).await,
    );
    let list = document(format!("{FR}/frivillige-organisasjoner?size=1")).await;
    assert_shaped("frivillige", &list);
    assert_shaped("frivillig", &list["_embedded"]["frivilligeOrganisasjoner"][0]);

    assert_shaped("updates", &document(format!("{ER}/oppdateringer/enheter?size=2")).await);
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
    assert_shaped("updates", &with_changes);
    assert_shaped(
        "updates",
        &document(format!("{ER}/oppdateringer/enheter?oppdateringsid=1000")).await,
    );
}

/// What no fact says of an organisation that exists.
const SILENT: [&str; 13] = [
    "frivilligMvaRegistrertBeskrivelser",
    "hjelpeenhetskode",
    "kapital",
    "registreringsdatoAntallAnsatteEnhetsregisteret",
    "registreringsdatoAntallAnsatteNAVAaregisteret",
    "registreringsdatoFrivilligMerverdiavgiftsregisteret",
    "registreringsnummerIHjemlandet",
    "slettedato",
    "tvangsavvikletPgaManglendeSlettingDato",
    "tvangsopplostPgaMangelfulltStyreDato",
    "tvangsopplostPgaManglendeDagligLederDato",
    "tvangsopplostPgaManglendeRegnskapDato",
    "tvangsopplostPgaManglendeRevisorDato",
];

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
