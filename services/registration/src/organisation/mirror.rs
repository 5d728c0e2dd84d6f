//! Brings the mirrored facts up to what the registers say: one command, and the events of the difference (handbook 9.3).

use jiff::Timestamp;
use ryggrad_decider::{Context, Refusal};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;

use super::state::{Grasrot, Relation, State, Status, Voluntary};
use super::{details, refusals};
use crate::{input, origin};

/// Fields of master data whose absence in a snapshot means that they are empty; elsewhere it means that the source does not tell.
const EMPTY_IS_SAID: [&str; 2] = ["annotations", "under_tvangsavvikling"];

pub(super) fn mirror(state: &State, c: &pb::MirrorRegister, context: &Context) -> Result<Vec<Event>, Refusal> {
    let snapshot = c.snapshot.as_ref().ok_or_else(|| input::missing("snapshot"))?;
    let orgnr = OrgNumber::parse_tolerant(&snapshot.orgnr)
        .map_err(|invalid| input::refused("snapshot.orgnr", &invalid))?
        .to_string();
    if state.orgnr.as_ref().is_some_and(|known| *known != orgnr) {
        return Err(refusals::other_orgnr());
    }
    let origin = origin::register("snapshot.origin", snapshot.origin.as_ref())?;
    if state.status == Status::Deleted {
        return if snapshot.slettedato.is_empty() && !is_older(&origin, state.origin.as_ref()) {
            Err(refusals::state(state.status))
        } else {
            Ok(Vec::new())
        };
    }
    if is_older(&origin, state.origin.as_ref()) {
        return Ok(Vec::new());
    }
    check(snapshot)?;
    let mut difference = Difference {
        state: state.clone(),
        events: Vec::new(),
        orgnr,
        origin: Some(origin),
    };
    difference.master_data(snapshot, context);
    difference.bylaws(snapshot, context);
    difference.voluntary(snapshot);
    if let Some(record) = snapshot
        .frivillig_organisasjon
        .as_ref()
        .filter(|record| record.slettet_dato.is_empty())
    {
        difference.grasrot(record);
        difference.accounting(record);
        difference.relations(record);
    }
    difference.accounts(snapshot);
    difference.end(snapshot);
    Ok(difference.events)
}

/// Whether a snapshot was taken before the one that is known: feeds may bring them in any order (handbook 9.2, 5).
fn is_older(origin: &pb::FactOrigin, known: Option<&pb::FactOrigin>) -> bool {
    let instant = |clock: Option<ryggrad_proto::Timestamp>| clock.and_then(|at| Timestamp::try_from(at).ok());
    let Some(known) = known else { return false };
    let pair = instant(origin.source_updated_at)
        .zip(instant(known.source_updated_at))
        .or_else(|| instant(origin.fetched_at).zip(instant(known.fetched_at)));
    pair.is_some_and(|(new, old)| new < old)
}

/// Dates have to be dates; everything else was checked by the reader of the register's format.
fn check(snapshot: &pb::RegisterSnapshot) -> Result<(), Refusal> {
    let voluntary = snapshot.frivillig_organisasjon.as_ref();
    let of_voluntary = voluntary.map(|record| {
        [
            ("snapshot.frivillig_organisasjon.innfoert_dato", &record.innfoert_dato),
            (
                "snapshot.frivillig_organisasjon.foerste_gang_innfoert",
                &record.foerste_gang_innfoert,
            ),
            ("snapshot.frivillig_organisasjon.slettet_dato", &record.slettet_dato),
        ]
    });
    let days = [
        ("snapshot.registreringsdato", &snapshot.registreringsdato),
        ("snapshot.vedtektsdato", &snapshot.vedtektsdato),
        ("snapshot.under_avvikling_dato", &snapshot.under_avvikling_dato),
        ("snapshot.konkursdato", &snapshot.konkursdato),
        ("snapshot.slettedato", &snapshot.slettedato),
    ];
    for (field, day) in days.into_iter().chain(of_voluntary.into_iter().flatten()) {
        if !day.is_empty() {
            input::date(field, day)?;
        }
    }
    if voluntary.is_some_and(|record| record.icnpo.len() > 3) {
        return Err(refusals::icnpo_count());
    }
    let details = snapshot
        .details
        .as_ref()
        .ok_or_else(|| input::missing("snapshot.details"))?;
    input::text("snapshot.details.name", &details.name, 500)?;
    Ok(())
}

/// The events so far, and the state that they lead to.
struct Difference {
    state: State,
    events: Vec<Event>,
    orgnr: String,
    origin: Option<pb::FactOrigin>,
}

impl Difference {
    fn push(&mut self, event: impl Into<Event>) {
        let event = event.into();
        self.state.evolve(&event);
        self.events.push(event);
    }

    fn master_data(&mut self, snapshot: &pb::RegisterSnapshot, context: &Context) {
        let Some(details) = &snapshot.details else { return };
        if self.state.orgnr.is_none() {
            self.push(pb::OrganisationRegistered {
                organisation_id: context.aggregate_id.to_string(),
                orgnr: self.orgnr.clone(),
                registreringsdato: snapshot.registreringsdato.clone(),
                details: Some(details.clone()),
                case_id: String::new(),
                origin: self.origin.clone(),
            });
            return;
        }
        // The record of a deleted unit is cut short: what it lacks has not been emptied.
        let whole = snapshot.slettedato.is_empty();
        let counts = |field: &str, empty: bool| !empty || (whole && EMPTY_IS_SAID.contains(&field));
        let found = details::difference(&self.state.details, details, counts);
        if !found.fields.is_empty() {
            self.push(pb::OrganisationDetailsChanged {
                orgnr: self.orgnr.clone(),
                changed: Some(found.changed),
                previous: Some(found.previous),
                fields: found.fields,
                effective: String::new(),
                origin: self.origin.clone(),
            });
        }
    }

    fn bylaws(&mut self, snapshot: &pb::RegisterSnapshot, context: &Context) {
        let known = &self.state.bylaws;
        let date = if snapshot.vedtektsdato.is_empty() {
            &known.date
        } else {
            &snapshot.vedtektsdato
        };
        let purpose = if snapshot.vedtektsfestet_formaal.is_empty() {
            &known.purpose
        } else {
            &snapshot.vedtektsfestet_formaal
        };
        if *date == known.date && *purpose == known.purpose {
            return;
        }
        let adopted = pb::BylawsAdopted {
            founding_id: String::new(),
            orgnr: self.orgnr.clone(),
            bylaws_id: context.new_id.to_string(),
            version: known.version.saturating_add(1),
            vedtektsdato: date.clone(),
            content_checklist: None,
            document_hash: String::new(),
            purpose: purpose.clone(),
            origin: self.origin.clone(),
        };
        self.push(adopted);
    }

    /// Enhetsregisteret's own word counts only where Frivillighetsregisteret has not been read.
    fn voluntary(&mut self, snapshot: &pb::RegisterSnapshot) {
        let record = snapshot.frivillig_organisasjon.clone().unwrap_or_default();
        let read = snapshot.frivillig_organisasjon.is_some();
        let left = !record.slettet_dato.is_empty();
        let there = if read {
            !left
        } else {
            snapshot.registrert_i_frivillighetsregisteret
        };
        let was_there = self.state.voluntary == Voluntary::Innfoert;
        let never_seen = matches!(self.state.voluntary, Voluntary::None | Voluntary::Applied);
        if !was_there && (there || (left && never_seen && !record.innfoert_dato.is_empty())) {
            let innfoert_dato = if read {
                record.innfoert_dato.clone()
            } else {
                snapshot.registreringsdato_frivillighetsregisteret.clone()
            };
            let first = if record.foerste_gang_innfoert.is_empty() {
                innfoert_dato.clone()
            } else {
                record.foerste_gang_innfoert.clone()
            };
            self.push(pb::VoluntaryRegistrationEntered {
                orgnr: self.orgnr.clone(),
                innfoert_dato,
                foerste_gang_innfoert: first,
                icnpo: record.icnpo.clone(),
                grasrot_deltar_i: record.grasrot_deltar_i,
                regnskapsrapportering: record.regnskapsrapportering.clone(),
                vedtekter_registrert: record.vedtekter_registrert,
                case_id: String::new(),
                origin: self.origin.clone(),
            });
        } else if there && !record.icnpo.is_empty() && record.icnpo != self.state.icnpo {
            self.push(pb::ActivityCategoriesChanged {
                orgnr: self.orgnr.clone(),
                icnpo: record.icnpo.clone(),
                origin: self.origin.clone(),
            });
        }
        if !there && self.state.voluntary == Voluntary::Innfoert {
            self.push(pb::VoluntaryRegistrationDeleted {
                orgnr: self.orgnr.clone(),
                slettet_dato: record.slettet_dato,
                ground: String::new(),
                origin: self.origin.clone(),
            });
        }
    }

    fn grasrot(&mut self, record: &pb::VoluntarySnapshot) {
        let excluded = Grasrot::Excluded {
            from: record.utestengelse_fra_dato.clone(),
            to: record.utestengelse_til_dato.clone(),
        };
        if !record.utestengelse_fra_dato.is_empty() {
            if self.state.grasrot != excluded {
                self.push(pb::GrasrotExclusionImposed {
                    orgnr: self.orgnr.clone(),
                    fra_dato: record.utestengelse_fra_dato.clone(),
                    til_dato: record.utestengelse_til_dato.clone(),
                    ground: String::new(),
                    origin: self.origin.clone(),
                });
            }
        } else if record.grasrot_deltar_i {
            if self.state.grasrot != Grasrot::Approved {
                self.push(pb::GrasrotParticipationApproved {
                    orgnr: self.orgnr.clone(),
                    from: String::new(),
                    origin: self.origin.clone(),
                });
            }
        } else if !matches!(self.state.grasrot, Grasrot::NotParticipating | Grasrot::Ended) {
            self.push(pb::GrasrotParticipationEnded {
                orgnr: self.orgnr.clone(),
                origin: self.origin.clone(),
            });
        }
    }

    fn accounting(&mut self, record: &pb::VoluntarySnapshot) {
        let duty = record.regnskapsrapportering.clone().unwrap_or_default();
        if duty.har_paatatt_seg_rapporteringsplikt != self.state.reports_accounts {
            self.push(pb::AccountingDutyChanged {
                orgnr: self.orgnr.clone(),
                year: 0,
                basis: pb::AccountingBasis::Voluntary.into(),
                applies: duty.har_paatatt_seg_rapporteringsplikt,
                accounting_year_end: duty.avslutningsdato_regnskapsperiode.unwrap_or_default(),
                origin: self.origin.clone(),
            });
        }
    }

    fn accounts(&mut self, snapshot: &pb::RegisterSnapshot) {
        let (year, submitted_at) = match &snapshot.frivillig_organisasjon {
            Some(record) if record.siste_regnskapsaar >= snapshot.siste_innsendte_aarsregnskap => {
                (record.siste_regnskapsaar, record.siste_regnskap_registrert.clone())
            }
            Some(_) | None => (snapshot.siste_innsendte_aarsregnskap, String::new()),
        };
        if year > self.state.accounts_year {
            self.push(pb::AnnualAccountsSubmitted {
                orgnr: self.orgnr.clone(),
                year,
                submitted_at,
                set: Vec::new(),
                origin: self.origin.clone(),
            });
        }
    }

    fn relations(&mut self, record: &pb::VoluntarySnapshot) {
        for relation in &record.relasjoner {
            let tie = Relation {
                parent: relation.relasjon_til.clone(),
                role_from: relation.relasjonsrolle_fra.clone(),
                role_to: relation.relasjonsrolle_til.clone(),
            };
            if !self.state.relations.contains(&tie) {
                let Relation {
                    parent,
                    role_from,
                    role_to,
                } = tie;
                self.push(pb::AffiliationEstablished {
                    orgnr: self.orgnr.clone(),
                    parent_orgnr: parent,
                    role_from,
                    role_to,
                    origin: self.origin.clone(),
                });
            }
        }
    }

    /// Winding up, bankruptcy and deletion, in the order in which they come.
    fn end(&mut self, snapshot: &pb::RegisterSnapshot) {
        let winding_up = matches!(self.state.status, Status::UnderWindingUp(_));
        if snapshot.under_avvikling && matches!(self.state.status, Status::Registered | Status::RegisteredVoluntary) {
            self.push(pb::DissolutionReported {
                case_id: String::new(),
                orgnr: self.orgnr.clone(),
                at: snapshot.under_avvikling_dato.clone(),
                origin: self.origin.clone(),
            });
        }
        if winding_up && !snapshot.under_avvikling && !snapshot.konkurs && snapshot.slettedato.is_empty() {
            self.push(pb::DissolutionRevoked {
                case_id: String::new(),
                meeting_id: String::new(),
                orgnr: self.orgnr.clone(),
                origin: self.origin.clone(),
            });
        }
        if snapshot.konkurs && self.state.status != Status::InBankruptcy {
            self.push(pb::InsolvencyDeclared {
                case_id: String::new(),
                court: String::new(),
                orgnr: self.orgnr.clone(),
                at: snapshot.konkursdato.clone(),
                origin: self.origin.clone(),
            });
        }
        if !snapshot.slettedato.is_empty() {
            self.push(pb::OrganisationDeleted {
                orgnr: self.orgnr.clone(),
                slettedato: snapshot.slettedato.clone(),
                ground: String::new(),
                successor_orgnr: None,
                origin: self.origin.clone(),
            });
        }
    }
}
