//! The sample in memory: 20 bytes an organisation, counted by any dimensions in milliseconds.

use std::collections::HashMap;

use super::level::Level;
use super::sample::{Secret, told};

/// Everything that can be counted, at one position.
#[derive(Debug, Default)]
pub(crate) struct Cube {
    /// The values of each dimension.
    values: [Values; 5],
    /// Each organisation of the sample, by the numbers of its values.
    units: Vec<[u32; 5]>,
}

/// Texts and their numbers.
#[derive(Debug, Default)]
struct Values {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Its value at every level that was counted by.
    pub(crate) values: Vec<String>,
    /// Number of organisations as it is told; none when they are too few.
    pub(crate) count: Option<u64>,
}

// === impl Cube ===

impl Cube {
    /// Takes an organisation in, when it is of the sample.
    pub(crate) fn add(&mut self, secret: &Secret, organisation: &str, values: [&str; 5]) {
        if secret.takes(organisation) {
            let mut unit = [0; 5];
            for ((number, known), value) in unit.iter_mut().zip(&mut self.values).zip(values) {
                *number = known.number(value);
            }
            self.units.push(unit);
        }
    }

    /// Counts by at most one level of each dimension those that have the values in `only`; sorted by the levels in their order.
    /// A table comes from the sample alone: what is not in it cannot change it.
    pub(crate) fn count(&self, by: &[Level], only: &[(Level, String)]) -> Vec<Cell> {
        let wanted: Vec<(usize, Vec<bool>)> = only
            .iter()
            .map(|(level, only)| {
                let texts = &self.values[level.dimension()].texts;
                (
                    level.dimension(),
                    texts.iter().map(|text| level.of(text) == only).collect(),
                )
            })
            .collect();
        // The numbers of the values at each level, by the numbers of the finest.
        let levels: Vec<(usize, Values, Vec<u32>)> = by
            .iter()
            .map(|level| {
                let mut values = Values::default();
                let texts = &self.values[level.dimension()].texts;
                let numbers = texts.iter().map(|text| values.number(level.of(text))).collect();
                (level.dimension(), values, numbers)
            })
            .collect();
        let mut counts = HashMap::<[u32; 5], u64>::new();
        for unit in &self.units {
            if wanted
                .iter()
                .all(|(dimension, wanted)| wanted[unit[*dimension] as usize])
            {
                let mut place = [0; 5];
                for (place, (dimension, _, numbers)) in place.iter_mut().zip(&levels) {
                    *place = numbers[unit[*dimension] as usize];
                }
                *counts.entry(place).or_default() += 1;
            }
        }
        let cell = |(place, count): ([u32; 5], u64)| Cell {
            values: levels
                .iter()
                .zip(place)
                .map(|((_, values, _), number)| values.texts[number as usize].clone())
                .collect(),
            count: told(count),
        };
        let mut cells: Vec<_> = counts.into_iter().map(cell).collect();
        cells.sort_unstable_by(|a, b| a.values.cmp(&b.values));
        cells
    }
}

// === impl Values ===

impl Values {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let next = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), next);
        next
    }
}

#[cfg(test)]
mod tests;
