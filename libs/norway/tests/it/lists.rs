//! The code lists: complete, consistent with each other, and refusing what is not in them.

use ryggrad_norway::{
    CountyNumber, Icnpo, InternalRole, KommuneNumber, Language, LegalForm, Maalform, Nace, PostalCode, Problem, Role,
    RoleGroup, Sector, VoluntaryEntry, simulation,
};

#[test]
fn the_lists_have_as_many_entries_as_the_handbook_says() {
    assert_eq!(KommuneNumber::all().len(), 357);
    assert_eq!(CountyNumber::all().len(), 15);
    assert_eq!(PostalCode::all().len(), 5122);
    assert_eq!(Icnpo::all().filter(|icnpo| icnpo.is_leaf()).count(), 32);
    assert_eq!(Icnpo::all().filter(|icnpo| !icnpo.is_leaf()).count(), 14);
    assert_eq!(LegalForm::all().len(), 44);
    assert_eq!(
        (Role::all().len(), RoleGroup::all().len(), InternalRole::all().len()),
        (24, 15, 13)
    );
    assert_eq!(Sector::all().len(), 25);
}

#[test]
fn every_entry_is_found_by_its_code_and_written_as_it() {
    for kommune in KommuneNumber::all() {
        assert_eq!(kommune.to_string().parse(), Ok(kommune));
        assert_eq!(kommune.county().code(), &kommune.code()[..2]);
        assert!(kommune.population() > 0 && !kommune.name().is_empty());
    }
    for icnpo in Icnpo::all() {
        assert_eq!(Icnpo::parse(icnpo.code()), Ok(icnpo));
        assert!(!icnpo.group().is_leaf());
    }
    for role in Role::all() {
        assert_eq!(Role::parse(role.code()), Ok(role));
    }
    for form in LegalForm::all() {
        assert_eq!(form.to_string().parse(), Ok(form));
    }
}

#[test]
fn eight_postal_codes_lie_outside_every_municipality() {
    assert_eq!(PostalCode::all().filter(|code| code.kommune().is_none()).count(), 8);
    assert_eq!(
        PostalCode::parse("1384").unwrap().kommune(),
        KommuneNumber::parse("3203").ok()
    );
}

#[test]
fn the_counties_hold_the_people_of_their_municipalities() {
    for county in CountyNumber::all() {
        let people: u32 = KommuneNumber::all()
            .filter(|kommune| kommune.county() == county)
            .map(KommuneNumber::population)
            .sum();
        assert_eq!(people, county.population(), "{county}");
    }
}

#[test]
fn municipalities_write_in_the_standard_they_have_chosen() {
    let count = |wanted| {
        KommuneNumber::all()
            .filter(|kommune| kommune.maalform() == wanted)
            .count()
    };
    assert_eq!(count(Maalform::Neutral), 150);
    assert_eq!(count(Maalform::Chosen(Language::Nb)), 119);
    assert_eq!(count(Maalform::Chosen(Language::Nn)), 88);
    assert_eq!(KommuneNumber::parse("0301").unwrap().language(), Language::Nb);
}

#[test]
fn a_group_is_no_category_to_be_registered_in() {
    assert_eq!(Icnpo::parse_leaf("1").unwrap_err().problem(), &Problem::GroupNotLeaf);
    assert_eq!(Icnpo::parse_leaf("01100").unwrap_err().problem(), &Problem::Unknown);
    assert_eq!(Icnpo::parse_leaf("1200").unwrap().name(Language::En), "Sports");
}

#[test]
fn the_law_decides_which_forms_may_enter_the_voluntary_register() {
    let entry = |code| LegalForm::parse(code).unwrap().voluntary_entry();
    assert_eq!(entry("FLI"), VoluntaryEntry::Allowed);
    assert!(matches!(entry("AS"), VoluntaryEntry::Conditional(condition) if condition.contains("voluntary activity")));
    assert!(matches!(entry("STI"), VoluntaryEntry::Conditional(_)));
    for code in ["SA", "ASA", "KOMM", "ORGL", "AAFY", "KIRK"] {
        assert_eq!(entry(code), VoluntaryEntry::Refused, "{code}");
    }
}

#[test]
fn roles_know_what_they_are_for() {
    let role = |code| Role::parse(code).unwrap();
    assert!(role("FFØR").is_contact() && role("KONT").is_contact() && !role("LEDE").is_contact());
    assert!(role("VARA").is_board_of_association() && !role("NEST").is_board_of_association());
    assert!(role("REVI").needs_confirmation());
    assert_eq!(role("LEDE").group().map(RoleGroup::code), Some("STYR"));
    assert_eq!(role("SIGN").group(), None);
}

#[test]
fn industry_codes_need_the_shape_and_know_some_names() {
    assert_eq!(
        Nace::parse("93.120").unwrap().known_name(),
        Some("Activities of sports clubs")
    );
    assert_eq!(Nace::parse("06.100").unwrap().known_name(), None);
    for text in ["93.12", "93120", "93,120", "a3.120"] {
        assert!(Nace::parse(text).is_err(), "{text}");
    }
}

#[test]
fn parameters_of_the_simulation_are_numbers() {
    assert_eq!(simulation::numbers("orgs_in_frivillighetsregisteret"), [72_837.0]);
    assert_eq!(
        simulation::numbers("secondary_1300/13100/14100"),
        [4724.0, 4220.0, 2429.0]
    );
    assert_eq!(
        simulation::numbers("years_since_registration <1/1-3/3-5/5-10/10-15/>15").len(),
        6
    );
}

#[test]
fn refusals_are_explained_in_all_languages() {
    let refused = KommuneNumber::parse("0220").unwrap_err();
    assert_eq!(
        refused.explain(Language::Nb),
        "kommunenummer: gjaldt til 2020-01-01; bruk dagens nummer"
    );
    assert_eq!(
        refused.explain(Language::Nn),
        "kommunenummer: galdt til 2020-01-01; bruk nummeret som gjeld i dag"
    );
    assert_eq!(
        refused.to_string(),
        "municipality number: was valid until 2020-01-01; use today's number"
    );
}
