//! Which cells of a table are not told: the small ones, and as many others as it takes to keep those from being found by
//! subtraction.
//!
//! A cell with one to four organisations is never told. That alone would hide nothing: the sum over a dimension is a cell of
//! another table that everybody may ask for, and a single cell that is missing is the sum less the others. So in every line
//! of a table, along every dimension and within every county, group or year that can be asked for by itself, either no cell
//! is missing, or at least two are, that have at least five organisations together. Where it takes another cell for that,
//! the smallest one goes, until no line is left that tells.
//!
//! A filter is a dimension like the others: the whole table is decided on before a part of it is answered, so that asking
//! for parts tells no more than asking for the whole. What is left is what every method of this kind leaves: who combines
//! many tables of different dimensions can narrow a missing number down to an interval.

use std::collections::HashMap;

/// No cell below this is told.
pub(crate) const THRESHOLD: u64 = 5;

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Its value in every dimension of the table.
    pub(crate) values: Vec<String>,
    /// Number of organisations; at least one.
    pub(crate) count: u64,
    /// It is not told.
    pub(crate) suppressed: bool,
}

/// Suppresses what must not be told of a whole table. `parents` gives, for each dimension, what a value of it lies in and
/// can be summed up to.
pub(crate) fn suppress(cells: &mut [Cell], parents: &[fn(&str) -> &str]) {
    for cell in &mut *cells {
        cell.suppressed = cell.count < THRESHOLD;
    }
    let lines = lines(cells, parents);
    loop {
        let mut settled = true;
        for line in &lines {
            while let Some(next) = tells(cells, line) {
                cells[next].suppressed = true;
                settled = false;
            }
        }
        if settled {
            return;
        }
    }
}

/// The lines of a table: cells that differ in one dimension only, and lie in the same parent there. Those that cannot lose
/// a cell are left out.
fn lines(cells: &[Cell], parents: &[fn(&str) -> &str]) -> Vec<Vec<usize>> {
    // Numbers in place of texts: a table of five dimensions has almost as many cells as there are organisations.
    let own: Vec<_> = (0..parents.len())
        .map(|n| numbered(cells.iter().map(|cell| cell.values[n].as_str())))
        .collect();
    let mut lines = Vec::new();
    for (dimension, parent) in parents.iter().enumerate() {
        let above = numbered(cells.iter().map(|cell| parent(&cell.values[dimension])));
        let number = |cell: usize, n: usize| if n == dimension { above[cell] } else { own[n][cell] };
        // Five times 24 bits: no dimension has 16 million values.
        let place =
            |cell: usize| (0..parents.len()).fold(0_u128, |place, n| (place << 24) | u128::from(number(cell, n)));
        let mut places: Vec<_> = (0..cells.len()).map(|cell| (place(cell), cell)).collect();
        places.sort_unstable();
        let can_lose =
            |line: &&[(u128, usize)]| line.len() > 1 && line.iter().any(|(_, cell)| !cells[*cell].suppressed);
        let line = |line: &[(u128, usize)]| line.iter().map(|(_, cell)| *cell).collect::<Vec<_>>();
        lines.extend(places.chunk_by(|a, b| a.0 == b.0).filter(can_lose).map(line));
    }
    lines
}

/// A number for each text, the same for the same.
fn numbered<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let mut numbers = HashMap::new();
    texts
        .map(|text| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(text).or_insert(next)
        })
        .collect()
}

/// The cell that has to go, when a line tells one that must not be told: the smallest that is left, the first of equals.
fn tells(cells: &[Cell], line: &[usize]) -> Option<usize> {
    let missing = line.iter().filter(|index| cells[**index].suppressed);
    let (number, sum) = missing.fold((0, 0), |(number, sum), index| (number + 1, sum + cells[*index].count));
    if number == 0 || (number > 1 && sum >= THRESHOLD) {
        return None;
    }
    line.iter()
        .copied()
        .filter(|index| !cells[*index].suppressed)
        .min_by_key(|index| (cells[*index].count, *index))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::unnecessary_literal_bound, reason = "what a value lies in is written so")]
    fn whole(_: &str) -> &str {
        ""
    }

    fn county(kommune: &str) -> &str {
        &kommune[..2]
    }

    fn table(cells: &[(&[&str], u64)]) -> Vec<Cell> {
        cells
            .iter()
            .map(|(values, count)| Cell {
                values: values.iter().map(ToString::to_string).collect(),
                count: *count,
                suppressed: false,
            })
            .collect()
    }

    fn missing(cells: &[Cell]) -> Vec<u64> {
        cells
            .iter()
            .filter(|cell| cell.suppressed)
            .map(|cell| cell.count)
            .collect()
    }

    #[test]
    fn cells_from_five_on_are_told() {
        let mut cells = table(&[(&["A"], 5), (&["B"], 9)]);
        suppress(&mut cells, &[whole]);
        assert_eq!(missing(&cells), [0_u64; 0]);
    }

    #[test]
    fn a_single_small_cell_takes_the_smallest_other_one_with_it() {
        let mut cells = table(&[(&["A"], 9), (&["B"], 3), (&["C"], 7)]);
        suppress(&mut cells, &[whole]);
        assert_eq!(missing(&cells), [3, 7]);
    }

    #[test]
    fn two_small_cells_hide_each_other_only_when_their_sum_does_not_tell_them() {
        let mut cells = table(&[(&["A"], 9), (&["B"], 3), (&["C"], 4)]);
        suppress(&mut cells, &[whole]);
        assert_eq!(missing(&cells), [3, 4]);
        // Two that are two together are one each.
        let mut cells = table(&[(&["A"], 9), (&["B"], 1), (&["C"], 1)]);
        suppress(&mut cells, &[whole]);
        assert_eq!(missing(&cells), [9, 1, 1]);
    }

    #[test]
    fn a_county_can_be_asked_for_so_its_municipalities_hide_each_other() {
        let mut cells = table(&[
            (&["4201"], 3),
            (&["4202"], 8),
            (&["5001"], 2),
            (&["5006"], 6),
            (&["5007"], 7),
        ]);
        suppress(&mut cells, &[county]);
        assert_eq!(missing(&cells), [3, 8, 2, 6]);
    }

    proptest! {
        /// Whoever knows all sums along one dimension does not learn a missing number from them.
        #[test]
        fn no_line_has_a_single_missing_cell(counts in prop::collection::vec(0_u64..12, 16)) {
            let names = ["A", "B", "C", "D"];
            let cells = counts.iter().enumerate().filter(|(_, count)| **count > 0);
            let mut cells: Vec<_> = cells
                .map(|(n, count)| Cell { values: vec![names[n / 4].into(), names[n % 4].into()], count: *count, suppressed: false })
                .collect();
            suppress(&mut cells, &[whole, whole]);
            for dimension in 0..2 {
                for name in names {
                    let line: Vec<_> = cells.iter().filter(|cell| cell.values[dimension] == name).collect();
                    let hidden: Vec<_> = line.iter().filter(|cell| cell.suppressed).map(|cell| cell.count).collect();
                    // A line that is missing altogether may be the whole of it.
                    prop_assert!(hidden.is_empty() || hidden.len() == line.len() || (hidden.len() > 1 && hidden.iter().sum::<u64>() >= THRESHOLD));
                }
            }
            for cell in &cells {
                prop_assert!(cell.suppressed || cell.count >= THRESHOLD);
            }
        }
    }
}
