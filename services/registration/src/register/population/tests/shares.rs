//! Every share that is drawn, beside the list that it comes from. The tolerance is four standard deviations of the sample.

use std::collections::HashMap;

use ryggrad_norway::{Icnpo, KommuneNumber, LegalForm, Sector, simulation};
use serde_json::Value;

use super::super::lists::{Forms, known};
use super::super::organisation::{AS_OF, FORMS, back};
use super::super::unit::FEWEST_TOLD;
use super::{ALL, Population, bytes, read, read_with};
use crate::register::brreg::RegisterSnapshot;

/// The units of the country that were observed, and the fields that they had.
const OBSERVED: &str = include_str!("../../../../data/enhet_fli_fields.csv");

#[track_caller]
fn assert_share(what: &str, count: usize, of: usize, expected: f64) {
    let [count, of] = [count, of].map(|number| f64::from(u32::try_from(number).unwrap()));
    let share = count / of;
    // Three more or fewer are no difference where only a few are expected.
    let tolerance = 4.0 * (expected * (1.0 - expected) / of).sqrt() + 3.0 / of;
    assert!(
        (share - expected).abs() <= tolerance,
        "{what}: {share:.4} instead of {expected:.4}, and {tolerance:.4} is tolerated"
    );
}

fn organisations() -> Vec<RegisterSnapshot> {
    read(&Population::try_new(8000, 0, 1).unwrap())
}

fn count(snapshots: &[RegisterSnapshot], holds: impl Fn(&RegisterSnapshot) -> bool) -> usize {
    snapshots.iter().filter(|snapshot| holds(snapshot)).count()
}

fn categories(snapshot: &RegisterSnapshot) -> &[Icnpo] {
    &snapshot.voluntary.as_ref().unwrap().icnpo
}

#[test]
fn legal_forms_of_the_voluntary_register() {
    let organisations = organisations();
    for (form, share) in FORMS {
        let found = count(&organisations, |snapshot| snapshot.form.code() == form);
        assert_share(form, found, organisations.len(), f64::from(share) / 100.0);
    }
}

#[test]
fn categories_by_their_weights_and_how_many_each_has() {
    let organisations = organisations();
    let all = organisations.len();
    let total: f64 = Icnpo::all().map(Icnpo::simulation_weight).sum();
    for leaf in Icnpo::all().filter(|icnpo| icnpo.is_leaf()) {
        let found = count(&organisations, |snapshot| categories(snapshot)[0] == leaf);
        assert_share(leaf.code(), found, all, leaf.simulation_weight() / total);
    }
    assert_share(
        "two or three",
        count(&organisations, |snapshot| categories(snapshot).len() > 1),
        all,
        0.24,
    );
    assert_share(
        "three",
        count(&organisations, |snapshot| categories(snapshot).len() > 2),
        all,
        0.06,
    );
    let assigned: usize = organisations.iter().map(|snapshot| categories(snapshot).len()).sum();
    let mean = known("icnpo_assignments") / known("orgs_in_frivillighetsregisteret");
    assert!((known("icnpo_per_org_mean") - mean).abs() < 0.01);
    assert_share("assignments beyond the first", assigned - all, all, mean - 1.0);
}

/// None is drawn twice for the same organisation, so the shares of the stock are those of a draw without putting back.
#[test]
fn second_and_third_categories_as_counted() {
    let organisations = organisations();
    let leaves: Vec<Icnpo> = Icnpo::all().filter(|icnpo| icnpo.is_leaf()).collect();
    let all = known("icnpo_assignments") - known("orgs_in_frivillighetsregisteret");
    let favoured = ["1300", "13100", "14100"];
    let counts = simulation::numbers("secondary_1300/13100/14100");
    let at = |leaf: &Icnpo| favoured.iter().position(|code| *code == leaf.code());
    let first: Vec<f64> = leaves.iter().map(|leaf| leaf.simulation_weight()).collect();
    let total: f64 = first.iter().sum();
    let others: f64 = leaves
        .iter()
        .zip(&first)
        .filter(|(leaf, _)| at(leaf).is_none())
        .map(|(_, weight)| weight)
        .sum();
    let left = all - counts.iter().sum::<f64>();
    let further: Vec<f64> = leaves
        .iter()
        .zip(&first)
        .map(|(leaf, weight)| at(leaf).map_or(left * weight / others, |at| counts[at]) / all)
        .collect();
    let mut expected = vec![0.0; leaves.len()];
    for (one, weight) in first.iter().enumerate() {
        for two in (0..leaves.len()).filter(|two| *two != one) {
            let second = weight / total * further[two] / (1.0 - further[one]);
            expected[two] += second * 0.24;
            for three in (0..leaves.len()).filter(|three| *three != one && *three != two) {
                expected[three] += second * 0.06 * further[three] / (1.0 - further[one] - further[two]);
            }
        }
    }
    let found: Vec<_> = organisations
        .iter()
        .flat_map(|snapshot| &categories(snapshot)[1..])
        .collect();
    for (leaf, expected) in leaves.iter().zip(expected) {
        let here = found.iter().filter(|category| **category == leaf).count();
        assert_share(leaf.code(), here, found.len(), expected / 0.30);
    }
}

#[test]
fn industries_as_counted() {
    let organisations = organisations();
    let all = known("orgs_in_frivillighetsregisteret");
    let counts = simulation::numbers("nace_94.992/93.120/90.201/94.910");
    for (code, number) in ["94.992", "93.120", "90.201", "94.910"].into_iter().zip(counts) {
        let found = count(&organisations, |snapshot| snapshot.nace[0].as_str() == code);
        assert_share(code, found, organisations.len(), number / all);
    }
    let sports = count(&organisations, |snapshot| snapshot.nace[0].as_str().starts_with("93.1"));
    assert_share("sports", sports, organisations.len(), known("sports_93.1") / all);
}

#[test]
fn ages_as_counted() {
    let organisations = organisations();
    let counts = simulation::numbers("years_since_registration <1/1-3/3-5/5-10/10-15/>15");
    let all: f64 = counts.iter().sum();
    let years = [0, 1, 3, 5, 10, 15, 100];
    for (group, number) in years.windows(2).zip(counts) {
        let found = count(&organisations, |snapshot| {
            let entered_on = snapshot.voluntary.as_ref().unwrap().entered_on.unwrap();
            back(AS_OF, group[1] * 365) < entered_on && entered_on <= back(AS_OF, group[0] * 365)
        });
        assert_share(&format!("{group:?} years"), found, organisations.len(), number / all);
    }
}

#[test]
fn part_in_grasrotandelen_as_counted_of_associations() {
    let mut associations = organisations();
    associations.retain(|snapshot| snapshot.form.code() == "FLI");
    let found = count(&associations, |snapshot| {
        snapshot.voluntary.as_ref().unwrap().grasrot.participates
    });
    let share = known("grasrot_participation_culture_subset");
    assert_share("Grasrotandelen", found, associations.len(), share);
}

/// 13.1 for each 1,000 inhabitants, 1.6 times as many in the smallest places and 0.8 times in the largest (handbook 14).
#[test]
fn municipalities_by_their_inhabitants() {
    let organisations = organisations();
    let mut found: HashMap<KommuneNumber, usize> = HashMap::new();
    for snapshot in &organisations {
        *found.entry(snapshot.kommunenummer().unwrap()).or_default() += 1;
    }
    let weight = |kommune: KommuneNumber| match kommune.population() {
        people @ 0..2000 => f64::from(people) * 1.6,
        people @ 2000..50_000 => f64::from(people),
        people => f64::from(people) * 0.8,
    };
    let all: f64 = KommuneNumber::all().map(weight).sum();
    for kommune in KommuneNumber::all() {
        let here = found.get(&kommune).copied().unwrap_or_default();
        assert_share(kommune.name(), here, organisations.len(), weight(kommune) / all);
    }
}

#[test]
fn units_outside_it_are_of_every_legal_form() {
    let others = read_with(&Population::try_new(0, 20_000, 1).unwrap(), ALL);
    let outside = known("orgs_in_enhetsregisteret") - known("orgs_in_frivillighetsregisteret");
    let entered = known("orgs_in_frivillighetsregisteret");
    let share = |form: &str| match form {
        "FLI" => (known("fli_units") - 0.95 * entered) / outside,
        "STI" => (known("sti_units") - 0.04 * entered) / outside,
        form => Forms::read(&FORMS).share(form),
    };
    let forms: Vec<_> = LegalForm::all().filter(|form| !form.is_sub_unit()).collect();
    for form in &forms {
        let found = count(&others, |snapshot| snapshot.form == *form);
        assert_share(form.code(), found, others.len(), share(form.code()));
    }
    let all: f64 = forms.iter().map(|form| share(form.code())).sum();
    assert!((all - 1.0).abs() < 0.001, "{all}");
    assert!(
        others
            .iter()
            .all(|snapshot| snapshot.voluntary.is_none() && !snapshot.in_voluntary_register)
    );
    let names: std::collections::HashSet<_> = others.iter().map(|snapshot| &snapshot.name).collect();
    assert!(names.len() > 15_000, "{} names", names.len());
}

/// Of all associations and foundations, in and outside the voluntary register, and of the few companies.
#[test]
fn sector_7000_as_counted() {
    let is_non_profit = |snapshot: &RegisterSnapshot| snapshot.sector.is_some_and(Sector::is_non_profit);
    let companies = known("as_sa_sector_7000");
    let expected = (known("sector_7000_units") - companies) / (known("fli_units") + known("sti_units"));
    for population in [Population::try_new(8000, 0, 2), Population::try_new(0, 40_000, 2)] {
        let mut units = read_with(&population.unwrap(), ALL);
        units.retain(|snapshot| matches!(snapshot.form.code(), "FLI" | "STI"));
        assert_share("sector 7000", count(&units, is_non_profit), units.len(), expected);
    }
    let mut in_register = read(&Population::try_new(8000, 0, 2).unwrap());
    in_register.retain(|snapshot| snapshot.form.code() == "AS");
    let expected = companies / (0.01 * known("orgs_in_frivillighetsregisteret"));
    assert_share(
        "companies of it",
        count(&in_register, is_non_profit),
        in_register.len(),
        expected,
    );
}

/// Every unit of a population, as it stands in the file.
fn documents(population: &Population) -> Vec<Value> {
    serde_json::from_slice(&bytes(population).0).unwrap()
}

/// Whether a document has a field, as `historiskeNavn[].navn`.
fn has(document: &Value, field: &str) -> bool {
    let mut at = document;
    for name in field.split('.') {
        let Some(next) = at.get(name.trim_end_matches("[]")) else {
            return false;
        };
        at = if name.ends_with("[]") { &next[0] } else { next };
    }
    !at.is_null()
}

#[test]
fn fields_of_associations_as_observed() {
    let mut associations = documents(&Population::try_new(8000, 0, 1).unwrap());
    associations.retain(|unit| unit["organisasjonsform"]["kode"] == "FLI");
    for line in OBSERVED.lines().skip(1) {
        let (field, seen) = line.split_once(',').unwrap();
        let expected = match (field, seen.parse::<f64>().unwrap()) {
            // All of these are in the voluntary register, and have an address and an industry.
            ("registreringsdatoFrivillighetsregisteret", _) => 1.0,
            ("forretningsadresse.adresse[]", seen) => seen / 19.0,
            (field, _) if field.starts_with("forretningsadresse.") || field.starts_with("naeringskode1.") => 1.0,
            // Accounts come with the duty that the voluntary register tells of.
            ("sisteInnsendteAarsregnskap", _) => 0.08 * 0.97,
            // Foundations and companies have bylaws always, and party associations a register of their own.
            (_, seen) => seen / 22.0,
        };
        let found = associations.iter().filter(|unit| has(unit, field)).count();
        assert_share(field, found, associations.len(), expected);
    }
}

#[test]
fn employees_are_told_from_five_on_and_of_few_units() {
    let units = documents(&Population::try_new(1000, 16_000, 1).unwrap());
    let (mut told, mut untold) = (0, 0);
    for unit in &units {
        let number = unit.get("antallAnsatte").map(|number| number.as_u64().unwrap());
        let some = unit["harRegistrertAntallAnsatte"].as_bool().unwrap();
        assert!(
            number.is_none_or(|number| some && number >= u64::from(FEWEST_TOLD)),
            "{unit}"
        );
        told += usize::from(number.is_some());
        untold += usize::from(some && number.is_none());
    }
    assert!(untold > told, "most have fewer: {told} and {untold}");
    // About 4 % of units have the number.
    let share = told * 1000 / units.len();
    assert!((25..60).contains(&share), "{share} ‰");
}

#[test]
fn nobody_can_be_reached_at_what_is_written() {
    for unit in documents(&Population::try_new(1000, 1000, 1).unwrap()) {
        for (field, begins, ends) in [
            ("epostadresse", "post@", ".example"),
            ("hjemmeside", "www.", ".example"),
            ("telefon", "00 ", ""),
            ("mobil", "000 ", ""),
        ] {
            if let Some(text) = unit.get(field).and_then(Value::as_str) {
                assert!(text.starts_with(begins) && text.ends_with(ends), "{field}: {text}");
            }
        }
    }
}

#[test]
fn deletions_of_a_year_as_estimated() {
    let population = Population::try_new(20_000, 0, 1).unwrap();
    let gone = population.write_gone(std::io::sink()).unwrap();
    let all = usize::try_from(gone.deleted + gone.removed).unwrap();
    assert_share("gone", all, 20_000, known("annual_deletion_rate"));
    assert_share("removed", usize::try_from(gone.removed).unwrap(), all, 0.7 / 7.7);
}
