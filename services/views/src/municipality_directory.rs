//! `municipality_directory`: the organisations of every municipality, for everybody, from public facts alone.
//!
//! An organisation is in it from its registration in Enhetsregisteret. One that is deleted stays as a tombstone, which
//! queries leave out unless they ask for it; of one that the register removed on legal grounds, only number and day are left. The
//! aggregate has put the register's facts in order already, so the last one counts.

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Column, Kind, Projection, Value};
use ryggrad_norway::Icnpo;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::{FactOrigin, OrganisationDeleted, OrganisationDetails};
use ryggrad_proto::views::v1::{DirectoryEntry, Freshness, IcnpoCategory};

use crate::register_units::facts::REMOVED;

mod name_key;
#[cfg(test)]
mod tests;

pub(crate) use name_key::name_key;

/// The statuses that an organisation in the directory can have.
pub(crate) const STATUSES: [&str; 5] = [REGISTERED, VOLUNTARY, WINDING_UP, BANKRUPT, DELETED];
/// The status of a tombstone.
pub(crate) const DELETED: &str = "deleted";

const REGISTERED: &str = "registered";
const VOLUNTARY: &str = "registered_voluntary";
const WINDING_UP: &str = "under_winding_up";
const BANKRUPT: &str = "in_bankruptcy";

/// The fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct MunicipalityDirectory;

impl Projection for MunicipalityDirectory {
    type Row = DirectoryEntry;

    const NAME: &'static str = "municipality_directory";
    const VERSION: i32 = 2;
    const COLUMNS: &'static [Column] = &[
        Column::new("orgnr", Kind::Text).indexed(),
        Column::new("name_key", Kind::Text),
        Column::new("kommunenummer", Kind::Text),
        Column::new("fylkesnummer", Kind::Text),
        Column::new("form", Kind::Text),
        Column::new("status", Kind::Text).indexed(),
        Column::new("in_voluntary_register", Kind::Boolean),
        Column::new("icnpo", Kind::Texts).indexed(),
    ];
    const INDEXES: &'static [&'static str] = &[
        "name_key, key",
        "kommunenummer, name_key, key",
        "fylkesnummer, name_key, key",
    ];

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(is_organisation(event)
            .then(|| event.aggregate_id.to_string())
            .into_iter()
            .collect())
    }

    fn fold(&self, key: &str, row: Option<DirectoryEntry>, event: &Recorded) -> Result<Option<DirectoryEntry>, Poison> {
        let Some(fact) = event.decode::<Event>()? else {
            return Ok(row);
        };
        let mut entry = match (row, &fact) {
            (Some(row), _) => row,
            (None, Event::OrganisationRegistered(_)) => DirectoryEntry {
                organisation_id: key.to_owned(),
                ..DirectoryEntry::default()
            },
            // Nothing public is known of it yet.
            (None, _) => return Ok(None),
        };
        if apply(&mut entry, &fact) {
            entry.position = event.position;
        }
        Ok(Some(entry))
    }

    fn values(&self, _key: &str, row: &DirectoryEntry) -> Vec<Value> {
        let text = |text: &str| Value::Text(Some(text.to_owned()).filter(|text| !text.is_empty()));
        vec![
            text(&row.orgnr),
            Value::Text(Some(name_key(&row.name))),
            text(&row.kommunenummer),
            text(&row.fylkesnummer),
            text(&row.form),
            text(&row.status),
            Value::Boolean(Some(row.in_voluntary_register)),
            Value::Texts(with_groups(row)),
        ]
    }
}

/// Whether an event is of an organisation.
pub(crate) fn is_organisation(event: &Recorded) -> bool {
    &*event.context == "registration" && &*event.aggregate_type == "Organisation"
}

/// Takes an event in; false when the directory does not show what it says.
fn apply(entry: &mut DirectoryEntry, fact: &Event) -> bool {
    match fact {
        Event::OrganisationRegistered(e) => {
            entry.orgnr.clone_from(&e.orgnr);
            entry.registreringsdato.clone_from(&e.registreringsdato);
            standing(entry);
            details(
                entry,
                e.details.as_ref().unwrap_or(&OrganisationDetails::default()),
                |_| true,
            );
            entry.details_freshness = Some(freshness(e.origin.as_ref()));
            NONE.clone_into(&mut entry.grasrot);
        }
        Event::OrganisationDetailsChanged(e) => {
            details(
                entry,
                e.changed.as_ref().unwrap_or(&OrganisationDetails::default()),
                |field| e.fields.iter().any(|f| f == field),
            );
            entry.details_freshness = Some(freshness(e.origin.as_ref()));
        }
        Event::VoluntaryRegistrationEntered(e) => {
            // A newer word about an entry that is known may name no categories: they have facts of their own.
            if !e.icnpo.is_empty() || !entry.in_voluntary_register {
                categories(entry, &e.icnpo, e.origin.as_ref());
            }
            entry.in_voluntary_register = true;
            entry.voluntary_on.clone_from(&e.innfoert_dato);
            standing(entry);
            if e.grasrot_deltar_i && matches!(entry.grasrot.as_str(), NONE | ENDED) {
                "requested".clone_into(&mut entry.grasrot);
            }
        }
        Event::VoluntaryRegistrationDeleted(_) => {
            entry.in_voluntary_register = false;
            entry.voluntary_on.clear();
            // The register has no categories for it any more.
            entry.icnpo.clear();
            entry.icnpo_freshness = None;
            left_grasrot(entry);
            standing(entry);
        }
        Event::ActivityCategoriesChanged(e) => categories(entry, &e.icnpo, e.origin.as_ref()),
        Event::GrasrotParticipationApproved(_) => grasrot(entry, "approved", "", ""),
        // The fact is confidential; that it takes part no more is not (docs/adr/0056).
        Event::GrasrotParticipationEnded(_) => grasrot(entry, ENDED, "", ""),
        Event::GrasrotExclusionImposed(e) => grasrot(entry, "excluded", &e.fra_dato, &e.til_dato),
        Event::AnnualAccountsSubmitted(e) => entry.accounts_year = entry.accounts_year.max(e.year),
        Event::AffiliationEstablished(e) => {
            if !entry.parents.contains(&e.parent_orgnr) {
                entry.parents.push(e.parent_orgnr.clone());
                entry.parents.sort_unstable();
            }
        }
        Event::BylawsAdopted(e) => {
            entry.vedtektsdato.clone_from(&e.vedtektsdato);
            entry.purpose.clone_from(&e.purpose);
            entry.bylaws_freshness = Some(freshness(e.origin.as_ref()));
        }
        Event::DissolutionReported(_) => {
            if matches!(entry.status.as_str(), REGISTERED | VOLUNTARY) {
                WINDING_UP.clone_into(&mut entry.status);
            }
        }
        Event::DissolutionRevoked(_) => {
            if entry.status == WINDING_UP {
                entry.status.clear();
                standing(entry);
            }
        }
        Event::InsolvencyDeclared(_) => BANKRUPT.clone_into(&mut entry.status),
        Event::OrganisationDeleted(e) => deleted(entry, e),
        // Not public.
        Event::OrganisationOpened(_)
        | Event::VoluntaryRegistrationApplied(_)
        | Event::VoluntaryApplicationEnded(_)
        | Event::VoluntaryRegistrationRefused(_)
        | Event::AccountingDutyChanged(_)
        | Event::RolesReported(_)
        | Event::BankAccountLinked(_) => return false,
    }
    true
}

/// No part in Grasrotandelen.
const NONE: &str = "none";
/// It took part.
const ENDED: &str = "ended";

/// In Enhetsregisteret alone or in Frivillighetsregisteret too, unless it has come to something worse.
fn standing(entry: &mut DirectoryEntry) {
    if matches!(entry.status.as_str(), "" | REGISTERED | VOLUNTARY) {
        let status = if entry.in_voluntary_register {
            VOLUNTARY
        } else {
            REGISTERED
        };
        status.clone_into(&mut entry.status);
    }
}

/// Master data, the fields that `said` says are said.
fn details(entry: &mut DirectoryEntry, details: &OrganisationDetails, said: impl Fn(&str) -> bool) {
    if said("name") {
        entry.name.clone_from(&details.name);
    }
    if said("form") {
        entry.form.clone_from(&details.form);
    }
    if said("forretningsadresse") {
        let address = details.forretningsadresse.clone().unwrap_or_default();
        entry.fylkesnummer = address.kommunenummer.chars().take(2).collect();
        entry.kommunenummer = address.kommunenummer;
        entry.postnummer = address.postnummer;
    }
    if said("hjemmeside") {
        entry.hjemmeside.clone_from(&details.hjemmeside);
    }
    if said("language") {
        entry.language.clone_from(&details.language);
    }
    if said("antall_ansatte") {
        entry.antall_ansatte = details.antall_ansatte;
    }
    if said("stiftelsesdato") {
        entry.stiftelsesdato.clone_from(&details.stiftelsesdato);
    }
}

fn categories(entry: &mut DirectoryEntry, codes: &[String], origin: Option<&FactOrigin>) {
    let ranked = (1..).zip(codes);
    entry.icnpo = ranked
        .map(|(rank, code)| IcnpoCategory {
            code: code.clone(),
            rank,
            ..IcnpoCategory::default()
        })
        .collect();
    entry.icnpo_freshness = Some(freshness(origin));
}

fn grasrot(entry: &mut DirectoryEntry, part: &str, from: &str, to: &str) {
    part.clone_into(&mut entry.grasrot);
    from.clone_into(&mut entry.grasrot_excluded_from);
    to.clone_into(&mut entry.grasrot_excluded_to);
}

/// Only those in Frivillighetsregisteret take part: who leaves it leaves this too, without a fact of its own.
fn left_grasrot(entry: &mut DirectoryEntry) {
    if entry.grasrot != NONE {
        grasrot(entry, ENDED, "", "");
    }
}

/// Who is deleted takes part in nothing any more.
fn deleted(entry: &mut DirectoryEntry, e: &OrganisationDeleted) {
    DELETED.clone_into(&mut entry.status);
    if !e.slettedato.is_empty() {
        entry.slettedato.clone_from(&e.slettedato);
    }
    if let Some(successor) = &e.successor_orgnr {
        entry.successor_orgnr.clone_from(successor);
    }
    left_grasrot(entry);
    if e.ground == REMOVED {
        *entry = DirectoryEntry {
            organisation_id: std::mem::take(&mut entry.organisation_id),
            orgnr: std::mem::take(&mut entry.orgnr),
            status: std::mem::take(&mut entry.status),
            slettedato: std::mem::take(&mut entry.slettedato),
            grasrot: NONE.to_owned(),
            ..DirectoryEntry::default()
        };
    }
}

/// The clocks as the fact itself brings them: what it does not say is not known.
fn freshness(origin: Option<&FactOrigin>) -> Freshness {
    let FactOrigin {
        source,
        fetched_at,
        source_updated_at,
        asserted_at,
    } = origin.cloned().unwrap_or_default();
    Freshness {
        source,
        fetched_at,
        source_updated_at,
        asserted_at,
    }
}

/// The categories and the groups that they lie in, to be found by either.
fn with_groups(entry: &DirectoryEntry) -> Vec<String> {
    let mut codes = Vec::new();
    for category in &entry.icnpo {
        let group = Icnpo::parse(&category.code)
            .ok()
            .map(|icnpo| icnpo.group().code().to_owned());
        for code in [Some(category.code.clone()), group].into_iter().flatten() {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
    }
    codes
}
