//! A national population of voluntary organisations that do not exist, in exactly the registers' own formats.
//!
//! The distributions are those of `sim_parameters.csv`, `kommuner.csv` and `icnpo.csv` (handbook 14): municipalities by inhabitants,
//! categories, industries, sectors and legal forms by their shares, ages by the stock; which fields a unit has is as observed
//! (`data/`). Names are invented, numbers are of the synthetic series, domains and telephone numbers are such as nobody can have, and
//! there is no person in it. The same number of organisations and the same seed give the same bytes, on any machine. Organisations are
//! drawn one by one, each from its own stream of random numbers, so memory does not grow with their number.
//!
//! Two files are written: `enheter.json.gz`, the bulk file of Enhetsregisteret (one JSON array), and
//! `frivillige-organisasjoner.ndjson.gz`, one line for each page of 100 that Frivillighetsregisteret would answer, with its
//! `searchAfter` link to the next.

mod draw;
mod lists;
mod names;
mod organisation;
mod pages;
mod places;
#[cfg(test)]
mod tests;
mod unit;
mod units;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::ToSpan as _;
use ryggrad_norway::OrgNumber;

use draw::Draw;
use organisation::Organisation;
use places::Places;
use unit::Unit;

/// As many numbers of the synthetic series as there are (20,000,000 to 39,999,999, before the check digit).
const SERIES: u32 = 20_000_000;
/// The part of them that is drawn from, those that begin with 2: the simulated authority gives out those that begin with 3.
const DRAWN: u32 = SERIES / 2;
/// The most units that are drawn: each has four numbers in a row to itself, of which one has a check digit.
const MOST: u32 = DRAWN / 4;
const PAGE: usize = 100;
/// The streams of random numbers that tell how organisations end.
const ENDS: u64 = 1 << 40;
/// Per mille of those gone that are removed: the national feed has 7 % deletions and 0.7 % removals.
const REMOVED: u32 = 91;

/// A population, given by its size and seed.
#[derive(Debug)]
pub struct Population {
    organisations: u32,
    others: u32,
    seed: u64,
    places: Places,
}

/// The files that [`Population::write_files`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// the bulk file of Enhetsregisteret
    pub units: PathBuf,
    /// the pages of Frivillighetsregisteret
    pub voluntary: PathBuf,
}

/// How many organisations are gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// deleted
    pub deleted: u32,
    /// removed on legal grounds
    pub removed: u32,
}

/// More units than the synthetic number series holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{units} units do not fit the synthetic number series; {MOST} is the most")]
pub struct TooMany {
    units: u64,
}

// === impl Population ===

impl Population {
    /// A population of so many voluntary organisations (the country has 72,837) and of `others`, units that are not in
    /// Frivillighetsregisteret (the country has 1.1 million): of every legal form, associations and foundations among them. Only
    /// the bulk file has those.
    pub fn try_new(organisations: u32, others: u32, seed: u64) -> Result<Self, TooMany> {
        let units = u64::from(organisations) + u64::from(others);
        if units > u64::from(MOST) {
            return Err(TooMany { units });
        }
        Ok(Self {
            organisations,
            others,
            seed,
            places: Places::new(),
        })
    }

    /// The small population that a first start imports: 2,000 organisations, always the same.
    pub fn sample() -> Self {
        Self {
            organisations: 2000,
            others: 0,
            seed: 1,
            places: Places::new(),
        }
    }

    /// Units of both kinds.
    pub fn units(&self) -> u32 {
        self.organisations + self.others
    }

    /// Voluntary organisations.
    pub fn organisations(&self) -> u32 {
        self.organisations
    }

    /// Writes both files into a folder, which is made if it is not there; a file gets its name when it is whole. `progress` is told
    /// how many records have been written, of units and organisations together.
    pub fn write_files(&self, folder: &Path, progress: &mut dyn FnMut(u64)) -> io::Result<Files> {
        fs::create_dir_all(folder)?;
        let files = Files {
            units: folder.join("enheter.json.gz"),
            voluntary: folder.join("frivillige-organisasjoner.ndjson.gz"),
        };
        write_whole(&files.units, |out| self.write_units(out, progress))?;
        let units = u64::from(self.units());
        write_whole(&files.voluntary, |out| {
            self.write_voluntary(out, &mut |done| progress(units + done))
        })?;
        Ok(files)
    }

    /// Writes `slettede-enheter.ndjson.gz` into a folder: what Enhetsregisteret answers a year later about the organisations of
    /// this population that it has deleted or removed meanwhile. Answers the file, and how many of both there are.
    pub fn write_gone_file(&self, folder: &Path) -> io::Result<(PathBuf, Gone)> {
        fs::create_dir_all(folder)?;
        let file = folder.join("slettede-enheter.ndjson.gz");
        let mut gone = Gone::default();
        write_whole(&file, |out| {
            gone = self.write_gone(out)?;
            Ok(())
        })?;
        Ok((file, gone))
    }

    /// The same, unpacked: one line each, by number. The share is `annual_deletion_rate`, own estimate of `sim_parameters.csv`.
    pub fn write_gone(&self, mut out: impl Write) -> io::Result<Gone> {
        let rate = lists::whole(lists::known("annual_deletion_rate") * 1000.0);
        let mut gone = Gone::default();
        for slot in (0..self.units()).filter(|slot| self.is_voluntary(*slot)) {
            let mut draw = Draw::new(self.seed, ENDS | u64::from(slot));
            if !draw.chance(rate) {
                continue;
            }
            let day = organisation::AS_OF.saturating_add(i64::from(draw.below(365)).days());
            let removed = draw.chance(REMOVED);
            gone.deleted += u32::from(!removed);
            gone.removed += u32::from(removed);
            units::write_gone(&mut out, &self.organisation(slot), day, removed)?;
            out.write_all(b"\n")?;
        }
        Ok(gone)
    }

    /// Writes the bulk file, unpacked: one JSON array of every unit, by number.
    pub fn write_units(&self, mut out: impl Write, progress: &mut dyn FnMut(u64)) -> io::Result<()> {
        out.write_all(b"[")?;
        for slot in 0..self.units() {
            out.write_all(if slot == 0 { b"\n" } else { b",\n" })?;
            let industries = &self.places.industries;
            if self.is_voluntary(slot) {
                let Organisation { unit, purpose, .. } = self.organisation(slot);
                units::write_unit(&mut out, &unit, &purpose, industries)?;
            } else {
                let unit = Unit::draw_other(self.orgnr(slot), &mut self.draw(slot), &self.places);
                let purpose = format!("{} og det som naturlig hører med.", unit.activity);
                units::write_unit(&mut out, &unit, &purpose, industries)?;
            }
            progress(u64::from(slot) + 1);
        }
        out.write_all(b"\n]\n")
    }

    /// Writes the pages of Frivillighetsregisteret, unpacked: one line each.
    pub fn write_voluntary(&self, mut out: impl Write, progress: &mut dyn FnMut(u64)) -> io::Result<()> {
        if self.organisations == 0 {
            return pages::write_page(&mut out, &[], None, false);
        }
        let mut page = Vec::with_capacity(PAGE);
        let mut done = 0;
        let mut after = None;
        for slot in (0..self.units()).filter(|slot| self.is_voluntary(*slot)) {
            page.push(self.organisation(slot));
            done += 1;
            if page.len() == PAGE || done == u64::from(self.organisations) {
                let more = done < u64::from(self.organisations);
                pages::write_page(&mut out, &page, after, more)?;
                after = page.last().map(|organisation| organisation.unit.orgnr);
                page.clear();
                progress(done);
            }
        }
        Ok(())
    }

    fn organisation(&self, slot: u32) -> Organisation {
        Organisation::draw(self.orgnr(slot), self.central(slot), &mut self.draw(slot), &self.places)
    }

    /// Voluntary organisations and others are spread evenly over the series.
    fn is_voluntary(&self, slot: u32) -> bool {
        let (part, all) = (u64::from(self.organisations), u64::from(self.units()));
        (u64::from(slot) + 1) * part / all > u64::from(slot) * part / all
    }

    /// The number of the unit at `slot`: rising with it, with gaps drawn from the seed.
    fn orgnr(&self, slot: u32) -> OrgNumber {
        let gap = DRAWN / self.units().max(1);
        let start = Draw::new(self.seed, u64::from(slot) << 1 | 1).below(gap);
        (0..gap)
            .find_map(|step| OrgNumber::with_check_digit(SERIES + slot * gap + (start + step) % gap))
            .expect("of four numbers in a row at least one has a check digit")
    }

    /// The organisation that the one at `slot` belongs to, if it should belong to any: one in 200 is a central organisation.
    fn central(&self, slot: u32) -> Option<OrgNumber> {
        let central = slot - slot % 200;
        (central != slot && self.is_voluntary(central)).then(|| self.orgnr(central))
    }

    fn draw(&self, slot: u32) -> Draw {
        Draw::new(self.seed, u64::from(slot) << 1)
    }
}

/// Writes a gzip file under another name, and gives it its own when it is whole.
fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let part = path.with_extension("part");
    let file = BufWriter::with_capacity(256 * 1024, File::create(&part)?);
    // The unpacked side is buffered too: the encoder is slow with many small pieces.
    let mut out = BufWriter::with_capacity(64 * 1024, GzEncoder::new(file, Compression::fast()));
    write(&mut out)?;
    let encoder = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    encoder
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    fs::rename(&part, path)
}
