//! Where organisations are and what they do, as tables to draw from.

use ryggrad_norway::{Annotation, Icnpo, KommuneNumber, PostalCategory, PostalCode, Sector, simulation};

use super::draw::Draw;
use super::lists::{Fields, Forms, Industries, known, sums, whole};
use super::organisation::FORMS;

/// Days in a year, for ages.
const YEAR: u32 = 365;

/// The tables that every organisation is drawn from.
#[derive(Debug)]
pub(super) struct Places {
    kommuner: Vec<Place>,
    kommune_sums: Vec<u32>,
    leaves: Vec<Icnpo>,
    leaf_sums: Vec<u32>,
    second_sums: Vec<u32>,
    age_sums: Vec<u32>,
    /// per mille of organisations that take part in Grasrotandelen
    pub(super) grasrot: u32,
    pub(super) fields: Fields,
    pub(super) forms: Forms,
    pub(super) industries: Industries,
    pub(super) annotations: Vec<Annotation>,
    /// sector 7000
    pub(super) non_profit: Sector,
    /// sector 2100
    pub(super) business: Sector,
}

/// A municipality and its postal codes, of streets and of boxes.
#[derive(Debug)]
struct Place {
    kommune: KommuneNumber,
    streets: Vec<PostalCode>,
    boxes: Vec<PostalCode>,
}

/// The stock's ages in years since registration, as `sim_parameters.csv` groups them; the register began 17 years and 10 months ago.
const AGES: [(u32, u32); 6] = [
    (0, YEAR),
    (YEAR, 3 * YEAR),
    (3 * YEAR, 5 * YEAR),
    (5 * YEAR, 10 * YEAR),
    (10 * YEAR, 15 * YEAR),
    (15 * YEAR, 17 * YEAR + 300),
];

impl Places {
    pub(super) fn new() -> Self {
        let kommuner: Vec<_> = KommuneNumber::all()
            .map(|kommune| Place {
                kommune,
                streets: postal_codes(kommune, PostalCategory::Street),
                boxes: postal_codes(kommune, PostalCategory::Box),
            })
            .collect();
        let leaves: Vec<_> = Icnpo::all().filter(|icnpo| icnpo.is_leaf()).collect();
        let weights: Vec<u32> = leaves
            .iter()
            .map(|leaf| whole(leaf.simulation_weight() * 1_000_000.0))
            .collect();
        let ages = simulation::numbers("years_since_registration <1/1-3/3-5/5-10/10-15/>15");
        Self {
            kommune_sums: sums(kommuner.iter().map(|place| density(place.kommune))),
            leaf_sums: sums(weights.iter().copied()),
            second_sums: sums(second_weights(&leaves, &weights).into_iter()),
            age_sums: sums(ages.into_iter().map(whole)),
            grasrot: whole(known("grasrot_participation_culture_subset") * 1000.0),
            fields: Fields::read(),
            forms: Forms::read(&FORMS),
            industries: Industries::read(&leaves),
            annotations: Annotation::all().collect(),
            non_profit: Sector::parse("7000").expect("a sector"),
            business: Sector::parse("2100").expect("a sector"),
            kommuner,
            leaves,
        }
    }

    /// A municipality and one of its postal codes.
    pub(super) fn address(&self, draw: &mut Draw) -> (KommuneNumber, Option<PostalCode>) {
        let Place { kommune, streets, .. } = &self.kommuner[draw.weighted(&self.kommune_sums)];
        (*kommune, (!streets.is_empty()).then(|| *draw.pick(streets)))
    }

    /// A postal code of boxes in a municipality; where there is none, one of streets.
    pub(super) fn box_code(&self, kommune: KommuneNumber, draw: &mut Draw) -> Option<PostalCode> {
        let at = self
            .kommuner
            .binary_search_by_key(&kommune, |place| place.kommune)
            .ok()?;
        let Place { streets, boxes, .. } = &self.kommuner[at];
        let codes = if boxes.is_empty() { streets } else { boxes };
        (!codes.is_empty()).then(|| *draw.pick(codes))
    }

    /// One to three categories by rank: 24 % have a second, 6 % a third (handbook 14).
    pub(super) fn categories(&self, draw: &mut Draw) -> Vec<Icnpo> {
        let mut categories = vec![self.leaves[draw.weighted(&self.leaf_sums)]];
        let wanted = match draw.below(100) {
            0..6 => 3,
            6..24 => 2,
            _ => 1,
        };
        while categories.len() < wanted {
            let next = self.leaves[draw.weighted(&self.second_sums)];
            if !categories.contains(&next) {
                categories.push(next);
            }
        }
        categories
    }

    /// Days since an organisation entered the register.
    pub(super) fn age(&self, draw: &mut Draw) -> u32 {
        let (from, to) = AGES[draw.weighted(&self.age_sums).min(AGES.len() - 1)];
        from + draw.below(to - from)
    }
}

/// Organisations per inhabitant, relative: small places have more of them (handbook 14). With the number of organisations given,
/// drawing each one's municipality by this weight is the same as drawing each municipality's number from Poisson.
fn density(kommune: KommuneNumber) -> u32 {
    let people = kommune.population();
    match people {
        0..2000 => people * 16,
        2000..50_000 => people * 10,
        _ => people * 8,
    }
}

/// Second and third categories: the three most used have the shares of the stock, the others what remains by their own weights.
fn second_weights(leaves: &[Icnpo], weights: &[u32]) -> Vec<u32> {
    const FAVOURED: [&str; 3] = ["1300", "13100", "14100"];
    let counts = simulation::numbers("secondary_1300/13100/14100");
    let (assignments, organisations) = (known("icnpo_assignments"), known("orgs_in_frivillighetsregisteret"));
    let remaining = (assignments - organisations - counts.iter().sum::<f64>()).max(0.0);
    let is_favoured = |leaf: &Icnpo| FAVOURED.iter().position(|code| *code == leaf.code());
    let others: f64 = leaves
        .iter()
        .zip(weights)
        .filter(|(leaf, _)| is_favoured(leaf).is_none())
        .map(|(_, weight)| f64::from(*weight))
        .sum();
    leaves
        .iter()
        .zip(weights)
        .map(|(leaf, weight)| match is_favoured(leaf).and_then(|at| counts.get(at)) {
            Some(count) => whole(count * 1000.0),
            None => whole(remaining * 1000.0 * f64::from(*weight) / others),
        })
        .collect()
}

fn postal_codes(kommune: KommuneNumber, of: PostalCategory) -> Vec<PostalCode> {
    PostalCode::all()
        .filter(|code| code.category() == of || code.category() == PostalCategory::Both)
        .filter(|code| code.kommune() == Some(kommune))
        .collect()
}
