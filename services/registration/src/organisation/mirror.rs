//! Brings the mirrored facts up to what the registers say: one command, and the events of the difference (handbook 9.3).

mod voluntary;

use ryggrad_decider::{Context, Refusal};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;

use super::clocks::Clocks;
use super::state::{REMOVED, State, Status};
use super::{details, refusals};
use crate::{input, origin};

/// Fields of master data whose absence in a whole record means that they are empty. Elsewhere it can also mean that the reader could
/// not use the value: a municipality number that is not current leaves no hole in what is known.
const EMPTY_IS_SAID: [&str; 10] = [
    "annotations",
    "under_tvangsavvikling",
    "registers",
    "registreringsdatoer",
    "er_i_konsern",
    "overordnet_enhet",
    "antall_ansatte",
    "postadresse",
    "hjemmeside",
    "aktivitet",
];

pub(super) fn mirror(state: &State, c: &pb::MirrorRegister, context: &Context) -> Result<Vec<Event>, Refusal> {
    let snapshot = c.snapshot.as_ref().ok_or_else(|| input::missing("snapshot"))?;
    let orgnr = OrgNumber::parse_tolerant(&snapshot.orgnr)
        .map_err(|invalid| input::refused("snapshot.orgnr", &invalid))?
        .to_string();
    if state.orgnr.as_ref().is_some_and(|known| *known != orgnr) {
        return Err(refusals::other_orgnr());
    }
    let origin = origin::register("snapshot.origin", snapshot.origin.as_ref())?;
    // Feeds and files may come in any order (handbook 9.2, 5): what was taken before that which is known tells nothing new, of
    // whichever facts.
    let older = Clocks::of(&origin).before(&state.clocks);
    if snapshot.fjernet {
        return removed(state, snapshot, origin, older);
    }
    if state.status == Status::Deleted {
        return if snapshot.slettedato.is_empty() && !older {
            Err(refusals::state(state.status))
        } else {
            Ok(Vec::new())
        };
    }
    if older {
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
    difference.frivillighetsregisteret(snapshot, context);
    difference.accounts(snapshot);
    difference.end(snapshot);
    Ok(difference.events)
}

/// A removed unit is deleted, if it was not yet, and nothing more is told of it. Nobody has heard of one without a number here.
fn removed(
    state: &State,
    snapshot: &pb::RegisterSnapshot,
    origin: pb::FactOrigin,
    older: bool,
) -> Result<Vec<Event>, Refusal> {
    let Some(orgnr) = &state.orgnr else {
        return Err(refusals::state(state.status));
    };
    if !snapshot.slettedato.is_empty() {
        input::date("snapshot.slettedato", &snapshot.slettedato)?;
    }
    if state.removed || older {
        return Ok(Vec::new());
    }
    let deleted = pb::OrganisationDeleted {
        orgnr: orgnr.clone(),
        slettedato: snapshot.slettedato.clone(),
        ground: REMOVED.to_owned(),
        successor_orgnr: None,
        origin: Some(origin),
    };
    Ok(vec![deleted.into()])
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
            (
                "snapshot.frivillig_organisasjon.utestengelse_fra_dato",
                &record.utestengelse_fra_dato,
            ),
            (
                "snapshot.frivillig_organisasjon.utestengelse_til_dato",
                &record.utestengelse_til_dato,
            ),
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
        let own = self.state.own.clone();
        let taken = self.origin.as_ref().and_then(|origin| Clocks::of(origin).taken());
        let counts = |field: &str, empty: bool| {
            let said = own.get(field);
            // What the organisation said after the snapshot was taken is newer than the register's word.
            let newer = said
                .copied()
                .flatten()
                .zip(taken)
                .is_some_and(|(said, taken)| said > taken);
            !newer && (!empty || (whole && EMPTY_IS_SAID.contains(&field) && said.is_none()))
        };
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
            board_size: None,
        };
        self.push(adopted);
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
