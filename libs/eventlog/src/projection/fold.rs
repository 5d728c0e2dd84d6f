//! Folding a batch in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::consumer::Poison;
use crate::event::Recorded;
use crate::parked::{Lot, digest};
use crate::projection::Projection;

/// How many rows are remembered between batches.
const REMEMBERED: usize = 10_000;

/// Rows in memory: those of the batch at work, and those of the last batches.
#[derive(Debug)]
pub(super) struct Sheet<R> {
    rows: HashMap<String, Slot<R>>,
    touched: Vec<String>,
}

#[derive(Debug)]
struct Slot<R> {
    row: Option<R>,
    /// Whether the table has a row of this key.
    stored: bool,
    changed: bool,
}

/// What a batch did to the rows.
#[derive(Debug)]
pub(super) struct Changes<R> {
    pub(super) upserts: Vec<(String, R)>,
    pub(super) deletes: Vec<String>,
}

// === impl Changes ===

impl<R> Changes<R> {
    pub(super) fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.deletes.is_empty()
    }
}

/// The keys of each event of a batch.
pub(super) type Keys = Vec<Result<Vec<String>, Poison>>;

// === impl Sheet ===

impl<R> Default for Sheet<R> {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            touched: Vec::new(),
        }
    }
}

impl<R: Clone> Sheet<R> {
    /// Those of the keys whose rows have to be read first.
    pub(super) fn unknown(&self, keys: &Keys) -> Vec<String> {
        let mut unknown: Vec<_> = keys
            .iter()
            .flatten()
            .flatten()
            .filter(|key| !self.rows.contains_key(*key))
            .cloned()
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Takes in what the table has under the keys asked for.
    pub(super) fn learn(&mut self, asked: Vec<String>, found: impl IntoIterator<Item = (String, R)>) {
        for key in asked {
            self.rows.insert(
                key,
                Slot {
                    row: None,
                    stored: false,
                    changed: false,
                },
            );
        }
        for (key, row) in found {
            self.rows.insert(
                key,
                Slot {
                    row: Some(row),
                    stored: true,
                    changed: false,
                },
            );
        }
    }

    /// What has changed since the last time, in the order of the keys.
    pub(super) fn changes(&mut self) -> Changes<R> {
        let mut changes = Changes {
            upserts: Vec::new(),
            deletes: Vec::new(),
        };
        self.touched.sort_unstable();
        for key in self.touched.drain(..) {
            let Some(slot) = self.rows.get_mut(&key) else { continue };
            slot.changed = false;
            match &slot.row {
                Some(row) => changes.upserts.push((key, row.clone())),
                None if slot.stored => changes.deletes.push(key),
                None => {}
            }
            slot.stored = slot.row.is_some();
        }
        changes
    }

    /// Keeps memory bounded between batches.
    pub(super) fn trim(&mut self, append_only: bool) {
        if append_only || self.rows.len() > REMEMBERED {
            self.rows.clear();
        }
    }

    fn set(&mut self, key: String, row: Option<R>) {
        match self.rows.entry(key) {
            Entry::Occupied(slot) => {
                let touched = !slot.get().changed && (row.is_some() || slot.get().row.is_some());
                if touched {
                    self.touched.push(slot.key().clone());
                }
                let slot = slot.into_mut();
                slot.changed |= touched;
                slot.row = row;
            }
            Entry::Vacant(slot) if row.is_some() => {
                self.touched.push(slot.key().clone());
                slot.insert(Slot {
                    row,
                    stored: false,
                    changed: true,
                });
            }
            Entry::Vacant(_) => {}
        }
    }
}

/// The keys that each event of a batch concerns.
pub(super) fn keys<P: Projection>(projection: &P, events: &[Recorded]) -> Keys {
    events.iter().map(|event| digest(|| projection.keys(event))).collect()
}

/// Folds a batch into the sheet. An event is taken in as a whole or not at all.
pub(super) fn fold<P: Projection>(
    projection: &P,
    sheet: &mut Sheet<P::Row>,
    lot: &mut Lot,
    events: &[Recorded],
    keys: Keys,
) {
    for (event, keys) in events.iter().zip(keys) {
        if lot.holds(event) {
            continue;
        }
        if let Err(poison) = keys.and_then(|keys| fold_one(projection, sheet, event, keys)) {
            lot.park(event, &poison);
        }
    }
}

fn fold_one<P: Projection>(
    projection: &P,
    sheet: &mut Sheet<P::Row>,
    event: &Recorded,
    keys: Vec<String>,
) -> Result<(), Poison> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut folded: Vec<_> = keys
        .into_iter()
        .map(|key| {
            let before = sheet.rows.get(&key).and_then(|slot| slot.row.clone());
            (key, before)
        })
        .collect();
    digest(|| projection.fold_all(&mut folded, event))?;
    for (key, row) in folded {
        sheet.set(key, row);
    }
    Ok(())
}
