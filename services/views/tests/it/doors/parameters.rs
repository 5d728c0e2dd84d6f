//! The register's parameters of a search, each against units of which some have what it asks for.

use super::*;

/// A unit with details of its own, and more facts.
async fn unit(world: &World, n: u32, name: &str, details: pb::OrganisationDetails, facts: Vec<Event>) {
    let organisation = Organisation::nth(n);
    let registered = pb::OrganisationRegistered {
        organisation_id: organisation.id.to_string(),
        orgnr: organisation.orgnr.clone(),
        registreringsdato: "2001-01-01".into(),
        details: Some(pb::OrganisationDetails {
            name: name.into(),
            form: "FLI".into(),
            ..details
        }),
        ..pb::OrganisationRegistered::default()
    };
    let events = [vec![registered.into()], facts].concat();
    world
        .append("Organisation", organisation.id, 0, &organisation.about(), &events)
        .await;
}

fn address(kommunenummer: &str, postnummer: &str, lines: &[&str]) -> pb::Address {
    pb::Address {
        kommunenummer: kommunenummer.into(),
        postnummer: postnummer.into(),
        adresse: lines.iter().map(ToString::to_string).collect(),
        ..pb::Address::default()
    }
}

fn since(register: &str, day: &str) -> pb::RegisterEntry {
    pb::RegisterEntry {
        register: register.into(),
        registreringsdato: day.into(),
    }
}

fn accounts(year: u32) -> Event {
    pb::AnnualAccountsSubmitted {
        year,
        ..pb::AnnualAccountsSubmitted::default()
    }
    .into()
}

/// Oslo with its post in Vang; Vang; Stockholm; and nothing but a name.
async fn units(world: &World) {
    let oslo = pb::OrganisationDetails {
        forretningsadresse: Some(address("0301", "0169", &["c/o Kari", "Colletts gate 44"])),
        postadresse: Some(address("3454", "2975", &["Postboks 12"])),
        naeringskoder: vec!["93.120".into(), "94.992".into()],
        har_registrert_antall_ansatte: Some(true),
        registers: vec!["FOR".into(), "MVA".into()],
        registreringsdatoer: vec![since("FOR", "2001-02-01"), since("MVA", "2002-02-01")],
        ..pb::OrganisationDetails::default()
    };
    unit(world, 1, "Oslo", oslo, vec![accounts(2023)]).await;
    let vang = pb::OrganisationDetails {
        forretningsadresse: Some(address("3454", "2975", &["Storgata 1"])),
        naeringskoder: vec!["94.120".into()],
        har_registrert_antall_ansatte: Some(false),
        registreringsdatoer: vec![since("PARTI", "2003-02-01")],
        ..pb::OrganisationDetails::default()
    };
    let entered = pb::VoluntaryRegistrationEntered {
        innfoert_dato: "2020-05-05".into(),
        icnpo: vec!["1200".into()],
        ..pb::VoluntaryRegistrationEntered::default()
    };
    unit(world, 2, "Vang", vang, vec![entered.into(), accounts(2024)]).await;
    let abroad = pb::Address {
        landkode: "SE".into(),
        land: "Sverige".into(),
        poststed: "STOCKHOLM".into(),
        adresse: vec!["Storgatan 1".into()],
        ..pb::Address::default()
    };
    let stockholm = pb::OrganisationDetails {
        forretningsadresse: Some(abroad),
        antall_ansatte: Some(7),
        ..pb::OrganisationDetails::default()
    };
    unit(world, 3, "Stockholm", stockholm, vec![accounts(2025)]).await;
    unit(world, 4, "Ukjent", pb::OrganisationDetails::default(), Vec::new()).await;
    world.caught_up().await;
}

/// What is found, in its order.
async fn found(world: &World, query: &str) -> String {
    let page = get(world.address, &format!("{ER}/enheter?{query}")).await.json();
    let units = page["_embedded"]["enheter"].as_array().cloned().unwrap_or_default();
    assert_eq!(page["page"]["totalElements"], json!(units.len()), "{query}: {page}");
    let names = units.iter().map(|unit| unit["navn"].as_str().expect("a name"));
    names.collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_parameter_finds_what_it_asks_for() {
    let world = World::begin().await;
    units(&world).await;
    for (query, expected) in [
        // One address or the other, and each by itself.
        ("kommunenummer=3454", "Oslo Vang"),
        ("kommunenummer=0301", "Oslo"),
        ("kommunenummer=0301,3454", "Oslo Vang"),
        ("forretningsadresse.kommunenummer=3454", "Vang"),
        ("postadresse.kommunenummer=3454", "Oslo"),
        ("forretningsadresse.postnummer=2975", "Vang"),
        ("postadresse.postnummer=2975", "Oslo"),
        ("forretningsadresse.poststed=oslo", "Oslo"),
        ("forretningsadresse.poststed=Stock", "Stockholm"),
        ("postadresse.poststed=oslo", ""),
        ("forretningsadresse.landkode=NO", "Oslo Vang"),
        ("forretningsadresse.landkode=se,no", "Oslo Stockholm Vang"),
        ("postadresse.landkode=NO", "Oslo"),
        ("forretningsadresse.adresse=1%20storgata", "Stockholm Vang"),
        ("forretningsadresse.adresse=storgatan%201", "Stockholm"),
        ("forretningsadresse.adresse=44%20Colletts,Storgatan", "Oslo Stockholm"),
        ("forretningsadresse.adresse=12", ""),
        ("postadresse.adresse=postboks", "Oslo"),
        // Any level of a code.
        ("naeringskode=94.120", "Vang"),
        ("naeringskode=94", "Oslo Vang"),
        ("naeringskode=93.1,94.12", "Oslo Vang"),
        ("sisteInnsendteAarsregnskap=2024", "Vang"),
        ("sisteInnsendteAarsregnskap=2023,2025", "Oslo Stockholm"),
        // One to four are not told apart.
        ("fraAntallAnsatte=0", "Oslo Stockholm Ukjent Vang"),
        ("fraAntallAnsatte=1", "Oslo Stockholm"),
        ("fraAntallAnsatte=5", "Stockholm"),
        ("fraAntallAnsatte=1&tilAntallAnsatte=4", "Oslo"),
        ("tilAntallAnsatte=0", "Vang"),
        ("tilAntallAnsatte=6", "Oslo Vang"),
        ("fraRegistreringsdatoForetaksregisteret=2001-02-01", "Oslo"),
        ("fraRegistreringsdatoForetaksregisteret=2001-02-02", ""),
        ("tilRegistreringsdatoMerverdiavgiftsregisteret=2002-02-01", "Oslo"),
        (
            "fraRegistreringsdatoPartiregisteret=2003-01-01&tilRegistreringsdatoPartiregisteret=2003-12-31",
            "Vang",
        ),
        ("fraRegistreringsdatoFrivillighetsregisteret=2020-05-05", "Vang"),
        ("tilRegistreringsdatoFrivillighetsregisteret=2020-05-04", ""),
        ("konkurs=False&registrertIMvaregisteret=True", "Oslo"),
        ("navn=van*", "Vang"),
    ] {
        assert_eq!(found(&world, query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_kept_both_ways_and_who_has_nothing_comes_last() {
    let world = World::begin().await;
    units(&world).await;
    for (property, up, down) in [
        ("navn", "Oslo Stockholm Ukjent Vang", "Vang Ukjent Stockholm Oslo"),
        (
            "organisasjonsnummer",
            "Oslo Vang Stockholm Ukjent",
            "Ukjent Stockholm Vang Oslo",
        ),
        ("forretningsadresse.kommunenummer", "Oslo Vang", "Vang Oslo"),
        // Oslo comes before Vang by its name, and Vang's number is the higher one.
        ("forretningsadresse.kommune", "Oslo Vang", "Vang Oslo"),
        ("postadresse.kommune", "Oslo", "Oslo"),
        ("naeringskode1.kode", "Oslo Vang", "Vang Oslo"),
        ("naeringskode2.kode", "Oslo", "Oslo"),
        ("antallAnsatte", "", "Stockholm Oslo"),
        ("registrertIFrivillighetsregisteret", "", "Vang"),
        ("registrertIForetaksregisteret", "", "Oslo"),
    ] {
        for (direction, first) in [("ASC", up), ("desc", down)] {
            let sorted = found(&world, &format!("sort={property},{direction}")).await;
            assert!(sorted.starts_with(first), "{property},{direction}: {sorted}");
        }
    }
    assert_eq!(found(&world, "sort=DESC").await, "Vang Ukjent Stockholm Oslo");
    assert_eq!(found(&world, "sort=navn").await, "Oslo Stockholm Ukjent Vang");
}
