//! What Frivillighetsregisteret says: entry and deletion, categories, Grasrotandelen, accounts and relations.

use ryggrad_decider::Context;
use ryggrad_proto::registration::v1 as pb;

use super::Difference;
use crate::organisation::state::{Grasrot, Relation, Voluntary};
use crate::time;

impl Difference {
    /// Everything that the register's record says, and what Enhetsregisteret says of it where the record was not read.
    pub(super) fn frivillighetsregisteret(&mut self, snapshot: &pb::RegisterSnapshot, context: &Context) {
        self.voluntary(snapshot);
        let record = snapshot.frivillig_organisasjon.as_ref();
        if let Some(record) = record.filter(|record| record.slettet_dato.is_empty()) {
            self.grasrot(record, context);
            self.accounting(record);
            self.relations(record);
        }
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
        let told = was_there && there && read && self.entered_again(&record);
        if !was_there && (there || (left && never_seen && !record.innfoert_dato.is_empty())) {
            let innfoert_dato = if read {
                record.innfoert_dato.clone()
            } else {
                snapshot.registreringsdato_frivillighetsregisteret.clone()
            };
            self.push(pb::VoluntaryRegistrationEntered {
                orgnr: self.orgnr.clone(),
                innfoert_dato,
                // Where it is not told, no day is made up for it.
                foerste_gang_innfoert: said(&record.foerste_gang_innfoert, &self.state.first_entered),
                icnpo: record.icnpo.clone(),
                grasrot_deltar_i: record.grasrot_deltar_i,
                regnskapsrapportering: record.regnskapsrapportering.clone(),
                vedtekter_registrert: record.vedtekter_registrert,
                case_id: String::new(),
                origin: self.origin.clone(),
            });
        } else if there && !told && !record.icnpo.is_empty() && record.icnpo != self.state.icnpo {
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

    /// Tells the entry again, when the record has of it what no other fact tells: its days, the choice to register the bylaws, or
    /// another end of the accounting year. What the record is silent about stays as it is known.
    fn entered_again(&mut self, record: &pb::VoluntarySnapshot) -> bool {
        let duty = record.regnskapsrapportering.clone().unwrap_or_default();
        let applies = duty.har_paatatt_seg_rapporteringsplikt;
        let mut wanted = self.state.clone();
        wanted.entered_on = said(&record.innfoert_dato, &wanted.entered_on);
        wanted.first_entered = said(&record.foerste_gang_innfoert, &wanted.first_entered);
        wanted.bylaws_registered = record.vedtekter_registrert;
        if applies && wanted.reports_accounts {
            wanted.accounting(applies, duty.avslutningsdato_regnskapsperiode.clone());
        }
        if wanted.entry() == self.state.entry() {
            return false;
        }
        wanted.accounting(applies, duty.avslutningsdato_regnskapsperiode);
        if !record.icnpo.is_empty() {
            wanted.icnpo.clone_from(&record.icnpo);
        }
        self.push(pb::VoluntaryRegistrationEntered {
            orgnr: self.orgnr.clone(),
            grasrot_deltar_i: record.grasrot_deltar_i,
            origin: self.origin.clone(),
            ..wanted.entry()
        });
        true
    }

    /// An exclusion is of its days only (handbook 5): before them and after them the organisation takes part.
    fn grasrot(&mut self, record: &pb::VoluntarySnapshot, context: &Context) {
        let today = time::day(context.now).to_string();
        let excluded = Grasrot::Excluded {
            from: record.utestengelse_fra_dato.clone(),
            to: record.utestengelse_til_dato.clone(),
        };
        let given = !record.utestengelse_fra_dato.is_empty();
        let over = !record.utestengelse_til_dato.is_empty() && record.utestengelse_til_dato < today;
        if given && !over {
            let ahead = record.utestengelse_fra_dato > today;
            if ahead && record.grasrot_deltar_i && !self.state.grasrot.takes_part_but_for_exclusions() {
                self.approved();
            }
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
                self.approved();
            }
        } else if !matches!(self.state.grasrot, Grasrot::NotParticipating | Grasrot::Ended) {
            self.push(pb::GrasrotParticipationEnded {
                orgnr: self.orgnr.clone(),
                origin: self.origin.clone(),
            });
        }
    }

    fn approved(&mut self) {
        self.push(pb::GrasrotParticipationApproved {
            orgnr: self.orgnr.clone(),
            // The register does not tell, and no day is made up for it.
            from: String::new(),
            origin: self.origin.clone(),
        });
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
}

/// What is said, or what is known where nothing is.
fn said(said: &str, known: &str) -> String {
    if said.is_empty() { known } else { said }.to_owned()
}
