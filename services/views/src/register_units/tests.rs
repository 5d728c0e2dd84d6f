//! Given the facts about an organisation, when folded, then what the registers answer.

use ryggrad_norway::Language;
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::registration::v1 as pb;
use serde_json::{Value, json};

use super::*;
use crate::doors::document;
use crate::example::{changed, entered, fold, id, organisation, registered};

fn unit(facts: impl IntoIterator<Item = Event>) -> RegisterUnit {
    fold(&RegisterUnits, &organisation(facts))
        .remove(&id(1).to_string())
        .expect("a row under the organisation's id")
}

fn er(facts: impl IntoIterator<Item = Event>) -> Value {
    serde_json::to_value(document::enhet(&unit(facts), "https://x.example")).expect("a document")
}

fn fr(facts: impl IntoIterator<Item = Event>) -> Value {
    serde_json::to_value(document::frivillig(&unit(facts), None)).expect("a document")
}

fn deleted(ground: &str) -> Event {
    pb::OrganisationDeleted {
        slettedato: "2026-05-01".into(),
        ground: ground.into(),
        ..pb::OrganisationDeleted::default()
    }
    .into()
}

#[test]
fn a_registered_organisation_is_a_unit() {
    assert_eq!(
        er([registered()]),
        json!({
            "organisasjonsnummer": "313000009",
            "navn": "VANG IDRETTSLAG",
            "organisasjonsform": {
                "kode": "FLI",
                "beskrivelse": "Forening/lag/innretning",
                "_links": {"self": {"href": "https://x.example/enhetsregisteret/api/organisasjonsformer/FLI"}}
            },
            "hjemmeside": "www.vang-il.example",
            "registreringsdatoEnhetsregisteret": "1995-02-19",
            "registrertIMvaregisteret": false,
            "naeringskode1": {"kode": "93.120"},
            "antallAnsatte": 5,
            "harRegistrertAntallAnsatte": true,
            "forretningsadresse": {
                "land": "Norge", "landkode": "NO", "postnummer": "2319", "poststed": place(),
                "adresse": [], "kommune": "HAMAR", "kommunenummer": "3403"
            },
            "stiftelsesdato": "1921-05-01",
            "institusjonellSektorkode": {"kode": "7000", "beskrivelse": "Ideelle organisasjoner"},
            "registrertIForetaksregisteret": false,
            "registrertIStiftelsesregisteret": false,
            "registrertIFrivillighetsregisteret": false,
            "registrertIPartiregisteret": false,
            "konkurs": false,
            "underAvvikling": false,
            "underTvangsavviklingEllerTvangsopplosning": false,
            "maalform": "Bokmål",
            "aktivitet": ["Idrett"],
            "paategninger": [],
            "erIKonsern": false,
            "_links": {"self": {"href": "https://x.example/enhetsregisteret/api/enheter/313000009"}},
            "respons_klasse": "Enhet"
        })
    );
}

/// What the postal list says.
fn place() -> &'static str {
    ryggrad_norway::PostalCode::parse("2319")
        .expect("a postal code")
        .place()
}

#[test]
fn an_organisation_without_a_number_is_none() {
    let opened: Event = pb::OrganisationOpened::default().into();
    assert!(fold(&RegisterUnits, &organisation([opened])).is_empty());
}

#[test]
fn an_entry_is_in_both_registers_documents() {
    let unit = er([registered(), entered()]);
    assert_eq!(
        (
            &unit["registrertIFrivillighetsregisteret"],
            &unit["registreringsdatoFrivillighetsregisteret"]
        ),
        (&json!(true), &json!("2009-03-01"))
    );
    assert_eq!(
        fr([registered(), entered()]),
        json!({
            "respons_klasse": "FrivilligOrganisasjonInnfoert",
            "organisasjonsnummer": "313000009",
            "frivilligOrganisasjonsstatus": "frivilligOrganisasjonsstatus.innfoert",
            "innfoertDato": "2009-03-01",
            "foersteGangInnfoert": "2009-03-01",
            "grasrotandel": {"deltarI": true, "utestengelsesperiode": null},
            "regnskapsrapportering": {"harPaatattSegRapporteringsplikt": false},
            "vedtekter": {"frivilligRegistrerteVedtekter": false},
            "icnpoKategorier": [
                {"kategori": "ICNPOKategori.idrett", "icnpoNummer": "1200", "navn": null, "rekkefoelge": 1},
                {"icnpoNummer": "4100", "navn": null, "rekkefoelge": 2}
            ]
        })
    );
    assert_eq!(fr([registered()]), Value::Null);
}

#[test]
fn who_comes_back_keeps_the_day_of_the_first_entry() {
    let left = || {
        Event::from(pb::VoluntaryRegistrationDeleted {
            slettet_dato: "2020-01-02".into(),
            ..pb::VoluntaryRegistrationDeleted::default()
        })
    };
    assert_eq!(
        fr([registered(), entered(), left()]),
        json!({
            "respons_klasse": "FrivilligOrganisasjonSlettet",
            "organisasjonsnummer": "313000009",
            "frivilligOrganisasjonsstatus": "frivilligOrganisasjonsstatus.slettet",
            "foersteGangInnfoert": "2009-03-01",
            "slettetDato": "2020-01-02"
        })
    );
    let again: Event = pb::VoluntaryRegistrationEntered {
        innfoert_dato: "2024-01-01".into(),
        ..pb::VoluntaryRegistrationEntered::default()
    }
    .into();
    let record = fr([registered(), entered(), left(), again]);
    assert_eq!(
        (&record["innfoertDato"], &record["foersteGangInnfoert"]),
        (&json!("2024-01-01"), &json!("2009-03-01"))
    );
}

#[test]
fn a_newer_word_about_an_entry_takes_the_place_of_the_one_before() {
    let excluded: Event = pb::GrasrotExclusionImposed {
        fra_dato: "2026-01-01".into(),
        til_dato: "2026-12-31".into(),
        ..pb::GrasrotExclusionImposed::default()
    }
    .into();
    let again: Event = pb::VoluntaryRegistrationEntered {
        innfoert_dato: "2010-01-01".into(),
        foerste_gang_innfoert: "2008-01-01".into(),
        grasrot_deltar_i: true,
        vedtekter_registrert: true,
        ..pb::VoluntaryRegistrationEntered::default()
    }
    .into();
    let record = fr([registered(), entered(), excluded, again]);
    assert_eq!(
        (&record["innfoertDato"], &record["foersteGangInnfoert"]),
        (&json!("2010-01-01"), &json!("2008-01-01"))
    );
    assert_eq!(record["vedtekter"], json!({"frivilligRegistrerteVedtekter": true}));
    // What has facts of its own stays.
    assert_eq!(
        record["grasrotandel"],
        json!({"deltarI": true, "utestengelsesperiode": {"fraDato": "2026-01-01", "tilDato": "2026-12-31"}})
    );
    assert_eq!(record["icnpoKategorier"][0]["icnpoNummer"], "1200");
}

#[test]
fn categories_are_called_by_name_only_in_a_language_that_was_asked_for() {
    let unit = unit([registered(), entered()]);
    let name = |language| {
        let record = serde_json::to_value(document::frivillig(&unit, language)).expect("a document");
        record["icnpoKategorier"][1]["navn"].clone()
    };
    assert_eq!(name(None), Value::Null);
    assert_eq!(name(Some(Language::Nb)), "Sosiale tjenester");
    assert_eq!(name(Some(Language::Nn)), "Sosiale tenester");
}

#[test]
fn a_unit_under_another_links_to_it() {
    let below = pb::OrganisationDetails {
        overordnet_enhet: "313000017".into(),
        ..pb::OrganisationDetails::default()
    };
    let facts = [registered(), changed(&["overordnet_enhet"], below)];
    assert_eq!(
        er(facts.clone())["_links"]["overordnetEnhet"]["href"],
        "https://x.example/enhetsregisteret/api/enheter/313000017"
    );
    let [first, second] = facts;
    assert_eq!(er([first, second, deleted("")])["_links"].get("overordnetEnhet"), None);
}

#[test]
fn an_exclusion_lasts_until_the_next_approval() {
    let excluded: Event = pb::GrasrotExclusionImposed {
        fra_dato: "2026-01-01".into(),
        til_dato: "2026-12-31".into(),
        ..pb::GrasrotExclusionImposed::default()
    }
    .into();
    let facts = [registered(), entered(), excluded];
    assert_eq!(
        fr(facts.clone())["grasrotandel"]["utestengelsesperiode"],
        json!({"fraDato": "2026-01-01", "tilDato": "2026-12-31"})
    );
    let approved: Event = pb::GrasrotParticipationApproved::default().into();
    let after = fr(facts.into_iter().chain([approved]));
    assert_eq!(
        after["grasrotandel"],
        json!({"deltarI": true, "utestengelsesperiode": null})
    );
}

#[test]
fn a_former_name_is_kept_with_the_days_that_are_known() {
    let name = |name: &str| pb::OrganisationDetails {
        name: name.into(),
        ..pb::OrganisationDetails::default()
    };
    let unit = er([
        registered(),
        changed(&["name"], name("VANG IL")),
        changed(&["name"], name("HAMAR IL")),
    ]);
    assert_eq!(unit["navn"], "HAMAR IL");
    assert_eq!(
        unit["historiskeNavn"],
        json!([
            {"navn": "VANG IDRETTSLAG", "tilDato": "2026-04-01"},
            {"navn": "VANG IL", "fraDato": "2026-04-01", "tilDato": "2026-04-01"}
        ])
    );
}

#[test]
fn a_field_that_was_emptied_is_gone() {
    let unit = er([
        registered(),
        changed(&["hjemmeside", "aktivitet"], pb::OrganisationDetails::default()),
    ]);
    assert_eq!((unit.get("hjemmeside"), unit.get("aktivitet")), (None, None));
    assert_eq!(unit["navn"], "VANG IDRETTSLAG");
}

#[test]
fn a_deleted_unit_keeps_its_name_and_leaves_the_other_register() {
    let facts = [registered(), entered(), deleted("")];
    let unit = er(facts.clone());
    assert_eq!(
        (
            &unit["respons_klasse"],
            &unit["navn"],
            &unit["slettedato"],
            unit.get("konkurs")
        ),
        (
            &json!("SlettetEnhet"),
            &json!("VANG IDRETTSLAG"),
            &json!("2026-05-01"),
            None
        )
    );
    assert_eq!(fr(facts)["slettetDato"], "2026-05-01");
}

#[test]
fn of_a_removed_unit_number_and_day_are_left() {
    let facts = [registered(), entered(), deleted("fjernet"), entered()];
    assert_eq!(
        er(facts.clone()),
        json!({
            "organisasjonsnummer": "313000009",
            "slettedato": "2026-05-01",
            "_links": {"self": {"href": "https://x.example/enhetsregisteret/api/enheter/313000009"}},
            "respons_klasse": "FjernetEnhet"
        })
    );
    assert_eq!(fr(facts.clone()), Value::Null);
    let row = serde_json::to_string(&unit(facts)).expect("its JSON");
    assert!(!row.contains("VANG"), "{row}");
    // Removed long after it was deleted, on a day that is not told.
    let removed = pb::OrganisationDeleted {
        ground: "fjernet".into(),
        ..pb::OrganisationDeleted::default()
    };
    let facts = [registered(), entered(), deleted(""), removed.into()];
    assert_eq!(er(facts)["slettedato"], "2026-05-01");
}

/// docs/adr/0056: the fact is confidential, the flag in the open record is not.
#[test]
fn of_what_is_not_public_only_the_end_of_grasrotandelen_shows() {
    let shown = |fact: Recorded| {
        let facts = organisation([registered(), entered()]);
        let before = fold(&RegisterUnits, &facts);
        fold(&RegisterUnits, &[facts, vec![fact]].concat()) != before
    };
    let mut seen = Vec::new();
    for event in ryggrad_proto::catalogue() {
        if event.context == "registration" && event.aggregate == "Organisation" && event.class != PrivacyClass::Public {
            let fact = Recorded {
                position: 3,
                aggregate_id: id(1),
                ..crate::example::named("registration", "Organisation", &event.name)
            };
            seen.extend(shown(fact).then_some(event.name.as_str()));
        }
    }
    assert_eq!(seen, ["GrasrotParticipationEnded"]);
    let ended: Event = pb::GrasrotParticipationEnded::default().into();
    assert_eq!(
        fr([registered(), entered(), ended])["grasrotandel"],
        json!({"deltarI": false, "utestengelsesperiode": null})
    );
}

#[test]
fn roles_and_accounts_change_nothing() {
    let facts: [Event; 3] = [
        pb::RolesReported {
            roles: vec![pb::RoleHolder::default()],
            ..pb::RolesReported::default()
        }
        .into(),
        pb::BankAccountLinked {
            kontonummer_token: id(9).to_string(),
            ..pb::BankAccountLinked::default()
        }
        .into(),
        pb::AccountingDutyChanged {
            applies: true,
            basis: pb::AccountingBasis::Voluntary.into(),
            ..pb::AccountingDutyChanged::default()
        }
        .into(),
    ];
    for fact in facts {
        assert_eq!(
            unit([registered(), entered(), fact.clone()]),
            unit([registered(), entered()]),
            "{fact:?}"
        );
    }
}

/// What the register does not tell exactly is found within the bounds that it tells.
#[test]
fn of_few_employees_the_bounds_are_kept() {
    let told = |number: Option<u32>, has: Option<bool>| {
        employees(&RegisterUnit {
            antall_ansatte: number,
            har_registrert_antall_ansatte: has,
            ..RegisterUnit::default()
        })
    };
    assert_eq!(told(Some(7), Some(true)), (7, Some(7)));
    assert_eq!(told(None, Some(true)), (1, Some(4)));
    assert_eq!(told(None, Some(false)), (0, Some(0)));
    assert_eq!(told(None, None), (0, None));
}
