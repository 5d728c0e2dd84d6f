//! `stats_cube`: what is counted of each organisation.
//!
//! A row is one organisation with its five dimensions, and not one cell of the cube: a cell is shared by many organisations,
//! and a fold that sees one row at a time cannot take an organisation out of the cell that it was in before. Counting
//! 73,000 units takes a few milliseconds once they are in memory: see [`cube`], and [`sample`] for what is told.

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Column, Kind, Projection, Value};
use ryggrad_proto::registration::v1::OrganisationDetails;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::views::v1::StatsUnit;

use crate::municipality_directory::is_organisation;

pub(crate) mod cube;
pub(crate) mod level;
pub(crate) mod sample;
#[cfg(test)]
mod tests;

/// The bands of employees.
pub(crate) const SIZES: [&str; 5] = ["0", "1-4", "5-19", "20-99", "100+"];

/// The fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatsCube;

impl Projection for StatsCube {
    type Row = StatsUnit;

    const NAME: &'static str = "stats_cube";
    const VERSION: i32 = 1;
    // Never null: what is not known is empty.
    const COLUMNS: &'static [Column] = &[
        Column::new("kommunenummer", Kind::Text),
        Column::new("icnpo", Kind::Text),
        Column::new("form", Kind::Text),
        Column::new("size", Kind::Text),
        Column::new("month", Kind::Text),
    ];

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(is_organisation(event)
            .then(|| event.aggregate_id.to_string())
            .into_iter()
            .collect())
    }

    fn fold(&self, _key: &str, row: Option<StatsUnit>, event: &Recorded) -> Result<Option<StatsUnit>, Poison> {
        let Some(fact) = event.decode::<Event>()? else {
            return Ok(row);
        };
        let unit = match (row, &fact) {
            (Some(row), _) => row,
            (None, Event::OrganisationRegistered(_)) => StatsUnit::default(),
            // Not registered yet, or deleted already: it does not count.
            (None, _) => return Ok(None),
        };
        Ok(apply(unit, &fact))
    }

    fn values(&self, _key: &str, row: &StatsUnit) -> Vec<Value> {
        [&row.kommunenummer, &row.icnpo, &row.form, &row.size, &row.month]
            .map(|text| Value::Text(Some(text.clone())))
            .into()
    }
}

fn apply(mut unit: StatsUnit, fact: &Event) -> Option<StatsUnit> {
    match fact {
        Event::OrganisationRegistered(e) => {
            e.registreringsdato
                .get(..7)
                .unwrap_or_default()
                .clone_into(&mut unit.month);
            details(
                &mut unit,
                e.details.as_ref().unwrap_or(&OrganisationDetails::default()),
                |_| true,
            );
        }
        Event::OrganisationDetailsChanged(e) => {
            details(
                &mut unit,
                e.changed.as_ref().unwrap_or(&OrganisationDetails::default()),
                |field| e.fields.iter().any(|f| f == field),
            );
        }
        // A newer word about an entry that is known may name no categories.
        Event::VoluntaryRegistrationEntered(e) => unit.icnpo = e.icnpo.first().cloned().unwrap_or(unit.icnpo),
        Event::ActivityCategoriesChanged(e) => unit.icnpo = e.icnpo.first().cloned().unwrap_or_default(),
        Event::VoluntaryRegistrationDeleted(_) => unit.icnpo.clear(),
        Event::OrganisationDeleted(_) => return None,
        // They change nothing that is counted; those being wound up and those in bankruptcy still exist.
        Event::OrganisationOpened(_)
        | Event::VoluntaryRegistrationApplied(_)
        | Event::VoluntaryApplicationEnded(_)
        | Event::VoluntaryRegistrationRefused(_)
        | Event::GrasrotParticipationApproved(_)
        | Event::GrasrotParticipationEnded(_)
        | Event::GrasrotExclusionImposed(_)
        | Event::AccountingDutyChanged(_)
        | Event::AnnualAccountsSubmitted(_)
        | Event::RolesReported(_)
        | Event::BankAccountLinked(_)
        | Event::AffiliationEstablished(_)
        | Event::BylawsAdopted(_)
        | Event::DissolutionReported(_)
        | Event::DissolutionRevoked(_)
        | Event::InsolvencyDeclared(_) => {}
    }
    Some(unit)
}

fn details(unit: &mut StatsUnit, details: &OrganisationDetails, said: impl Fn(&str) -> bool) {
    if said("form") {
        unit.form.clone_from(&details.form);
    }
    if said("forretningsadresse") {
        unit.kommunenummer = details
            .forretningsadresse
            .as_ref()
            .map(|address| address.kommunenummer.clone())
            .unwrap_or_default();
    }
    if said("antall_ansatte") {
        details
            .antall_ansatte
            .map(size)
            .unwrap_or_default()
            .clone_into(&mut unit.size);
    }
}

/// The band of a number of employees.
fn size(employees: u32) -> &'static str {
    match employees {
        0 => SIZES[0],
        1..=4 => SIZES[1],
        5..=19 => SIZES[2],
        20..=99 => SIZES[3],
        100.. => SIZES[4],
    }
}
