//! Where organisations are and what they do, as tables to draw from.

use ryggrad_norway::{Icnpo, KommuneNumber, PostalCategory, PostalCode, simulation};

use super::draw::Draw;

/// Days in a year, for ages.
const YEAR: u32 = 365;

/// The tables that every organisation is drawn from.
#[derive(Debug)]
pub(super) struct Places {
    kommuner: Vec<(KommuneNumber, Vec<PostalCode>)>,
    kommune_sums: Vec<u32>,
    leaves: Vec<Icnpo>,
    leaf_sums: Vec<u32>,
    second_sums: Vec<u32>,
    age_sums: Vec<u32>,
    /// per mille of organisations that take part in Grasrotandelen
    pub(super) grasrot: u32,
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
            .map(|kommune| (kommune, postal_codes(kommune)))
            .collect();
        let leaves: Vec<_> = Icnpo::all().filter(|icnpo| icnpo.is_leaf()).collect();
        let weights: Vec<u32> = leaves
            .iter()
            .map(|leaf| whole(leaf.simulation_weight() * 1_000_000.0))
            .collect();
        let ages = simulation::numbers("years_since_registration <1/1-3/3-5/5-10/10-15/>15");
        Self {
            kommune_sums: sums(kommuner.iter().map(|(kommune, _)| density(*kommune))),
            leaf_sums: sums(weights.iter().copied()),
            second_sums: sums(second_weights(&leaves, &weights).into_iter()),
            age_sums: sums(ages.into_iter().map(whole)),
            grasrot: simulation::numbers("grasrot_participation_culture_subset")
                .first()
                .map_or(0, |share| whole(share * 1000.0)),
            kommuner,
            leaves,
        }
    }

    /// A municipality and one of its postal codes.
    pub(super) fn address(&self, draw: &mut Draw) -> (KommuneNumber, Option<PostalCode>) {
        let (kommune, codes) = &self.kommuner[draw.weighted(&self.kommune_sums)];
        (*kommune, (!codes.is_empty()).then(|| *draw.pick(codes)))
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
    let assignments = simulation::numbers("icnpo_assignments")
        .first()
        .copied()
        .unwrap_or_default();
    let organisations = simulation::numbers("orgs_in_frivillighetsregisteret")
        .first()
        .copied()
        .unwrap_or_default();
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

fn postal_codes(kommune: KommuneNumber) -> Vec<PostalCode> {
    PostalCode::all()
        .filter(|code| matches!(code.category(), PostalCategory::Street | PostalCategory::Both))
        .filter(|code| code.kommune() == Some(kommune))
        .collect()
}

fn sums(weights: impl Iterator<Item = u32>) -> Vec<u32> {
    weights
        .scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers of the code lists are small and positive"
)]
fn whole(number: f64) -> u32 {
    number.round() as u32
}
