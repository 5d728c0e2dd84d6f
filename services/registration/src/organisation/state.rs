//! What an organisation remembers, and how each fact changes it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;

use super::clocks::{Clocks, origin};
use super::details;
use crate::origin::OWN;

/// What an organisation remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Where it stands.
    pub status: Status,
    /// Organisation number, when it has one.
    pub orgnr: Option<String>,
    /// The founding that it came from; empty when the register told of it first.
    pub founding_id: String,
    /// How large its board is by its bylaws, when they say.
    pub board_size: Option<pb::BoardSize>,
    /// Day of registration (ISO date).
    pub registreringsdato: String,
    /// Master data.
    pub details: pb::OrganisationDetails,
    /// Where the master data come from.
    pub origin: Option<pb::FactOrigin>,
    /// The latest clocks of everything that a register has said, of whichever facts.
    pub clocks: Clocks,
    /// Fields of master data that the organisation itself said last, and no register since; with the time of its word, when known.
    pub own: BTreeMap<String, Option<Timestamp>>,
    /// How it stands with Frivillighetsregisteret.
    pub voluntary: Voluntary,
    /// Its application there, as long as it is not answered.
    pub application: Option<Application>,
    /// Day of its latest entry there (ISO date); empty when no register told it.
    pub entered_on: String,
    /// Day of its first entry there (ISO date); empty when no register told it.
    pub first_entered: String,
    /// Its bylaws are registered there.
    pub bylaws_registered: bool,
    /// ICNPO categories by rank.
    pub icnpo: Vec<String>,
    /// How it stands with Grasrotandelen.
    pub grasrot: Grasrot,
    /// It has taken on the duty to report accounts.
    pub reports_accounts: bool,
    /// Last day of its accounting year (DDMM); empty when that is 31 December.
    pub accounting_year_end: String,
    /// Year of the last accounts; 0 when none.
    pub accounts_year: u32,
    /// Its bylaws.
    pub bylaws: Bylaws,
    /// What it belongs to.
    pub relations: BTreeSet<Relation>,
    /// The organisation that took over.
    pub successor: Option<String>,
    /// The register removed it on legal grounds, and tells nothing of it any more.
    pub removed: bool,
}

/// The ground of a deletion after which the register tells nothing any more.
pub(super) const REMOVED: &str = "fjernet";

/// Where an organisation stands (handbook 2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// An informal circle, or nothing yet.
    #[default]
    Informal,
    /// Founded, without a number.
    Founded,
    /// In Enhetsregisteret.
    Registered,
    /// In Frivillighetsregisteret too.
    RegisteredVoluntary,
    /// Being wound up.
    UnderWindingUp(Before),
    /// Bankrupt.
    InBankruptcy,
    /// Merged into another.
    Merged,
    /// Deleted, for ever.
    Deleted,
}

/// Where an organisation stood before its winding up, and stands again when that is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// In Enhetsregisteret.
    Registered,
    /// In Frivillighetsregisteret too.
    RegisteredVoluntary,
}

/// How an organisation stands with Frivillighetsregisteret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Voluntary {
    /// It has never applied.
    #[default]
    None,
    /// It has applied.
    Applied,
    /// It is there.
    Innfoert,
    /// It was refused.
    Refused,
    /// It was there.
    Slettet,
}

/// An application to Frivillighetsregisteret, and how the organisation stood before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The case.
    pub case_id: String,
    /// How it stood with Frivillighetsregisteret.
    pub voluntary: Voluntary,
    /// How it stood with Grasrotandelen.
    pub grasrot: Grasrot,
}

/// How an organisation stands with Grasrotandelen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Grasrot {
    /// It does not take part.
    #[default]
    NotParticipating,
    /// It has asked to.
    Requested,
    /// It takes part.
    Approved,
    /// It is excluded.
    Excluded {
        /// First day (ISO date).
        from: String,
        /// Last day (ISO date); empty when open.
        to: String,
    },
    /// It took part.
    Ended,
}

/// The bylaws as last adopted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bylaws {
    /// 1, 2, 3, …; 0 before the first.
    pub version: u32,
    /// Day of adoption (ISO date).
    pub date: String,
    /// The purpose that they state.
    pub purpose: Vec<String>,
}

/// A tie to another organisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation {
    /// The other.
    pub parent: String,
    /// Role of this one.
    pub role_from: String,
    /// Role of the other.
    pub role_to: String,
}

// === impl Status ===

impl Status {
    /// Its name in the table of states.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informal => "informal",
            Self::Founded => "founded",
            Self::Registered => "registered",
            Self::RegisteredVoluntary => "registered_voluntary",
            Self::UnderWindingUp(_) => "under_winding_up",
            Self::InBankruptcy => "in_bankruptcy",
            Self::Merged => "merged",
            Self::Deleted => "deleted",
        }
    }

    /// Where its winding up leads; nowhere but from a register.
    fn wound_up(self) -> Self {
        match self {
            Self::Registered => Self::UnderWindingUp(Before::Registered),
            Self::RegisteredVoluntary => Self::UnderWindingUp(Before::RegisteredVoluntary),
            other @ (Self::Informal
            | Self::Founded
            | Self::UnderWindingUp(_)
            | Self::InBankruptcy
            | Self::Merged
            | Self::Deleted) => other,
        }
    }

    /// Where it stood before its winding up.
    fn revived(self) -> Self {
        match self {
            Self::UnderWindingUp(before) => before.status(),
            other @ (Self::Informal
            | Self::Founded
            | Self::Registered
            | Self::RegisteredVoluntary
            | Self::InBankruptcy
            | Self::Merged
            | Self::Deleted) => other,
        }
    }

    /// Where a bankruptcy leads; nowhere but from a register.
    fn bankrupt(self) -> Self {
        match self {
            Self::Registered | Self::RegisteredVoluntary | Self::UnderWindingUp(_) => Self::InBankruptcy,
            other @ (Self::Informal | Self::Founded | Self::InBankruptcy | Self::Merged | Self::Deleted) => other,
        }
    }

    /// The same with or without an entry in Frivillighetsregisteret.
    fn with_voluntary(self, entered: bool) -> Self {
        let before = if entered {
            Before::RegisteredVoluntary
        } else {
            Before::Registered
        };
        match self {
            Self::Registered | Self::RegisteredVoluntary => before.status(),
            Self::UnderWindingUp(_) => Self::UnderWindingUp(before),
            other @ (Self::Informal | Self::Founded | Self::InBankruptcy | Self::Merged | Self::Deleted) => other,
        }
    }
}

// === impl Before ===

impl Before {
    const fn status(self) -> Status {
        match self {
            Self::Registered => Status::Registered,
            Self::RegisteredVoluntary => Status::RegisteredVoluntary,
        }
    }
}

// === impl Voluntary ===

impl Voluntary {
    /// Its name in the table of states.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Applied => "applied",
            Self::Innfoert => "innfoert",
            Self::Refused => "refused",
            Self::Slettet => "slettet",
        }
    }
}

// === impl Grasrot ===

impl Grasrot {
    /// Its name in the table of states.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotParticipating => "not_participating",
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Excluded { .. } => "excluded(from-to)",
            Self::Ended => "ended",
        }
    }
}

impl Grasrot {
    /// Whether it takes part on days on which it is not excluded.
    pub(super) const fn takes_part_but_for_exclusions(&self) -> bool {
        match self {
            Self::Approved | Self::Excluded { .. } => true,
            Self::NotParticipating | Self::Requested | Self::Ended => false,
        }
    }

    /// Only those in Frivillighetsregisteret take part: who leaves it leaves this too, without a fact of its own.
    fn left(&mut self) {
        match self {
            Self::Requested | Self::Approved | Self::Excluded { .. } => *self = Self::Ended,
            Self::NotParticipating | Self::Ended => {}
        }
    }

    /// Whether it is excluded on a day.
    pub fn excluded_on(&self, day: Date) -> bool {
        match self {
            Self::Excluded { from, to } => {
                let day = day.to_string();
                *from <= day && (to.is_empty() || day <= *to)
            }
            Self::NotParticipating | Self::Requested | Self::Approved | Self::Ended => false,
        }
    }
}

// === impl State ===

impl State {
    /// Grasrotandelen was asked for with an application that gave nothing; what a register has said of it since stands.
    fn no_longer_requested(&mut self, before: Grasrot) {
        if self.grasrot == Grasrot::Requested {
            self.grasrot = before;
        }
    }

    pub(super) fn accounting(&mut self, applies: bool, year_end: Option<String>) {
        self.reports_accounts = applies;
        self.accounting_year_end = year_end.filter(|day| applies && day != "3112").unwrap_or_default();
    }

    /// Its entry in Frivillighetsregisteret as it is known, without number, case and origin.
    pub(super) fn entry(&self) -> pb::VoluntaryRegistrationEntered {
        let year_end = Some(self.accounting_year_end.clone()).filter(|day| !day.is_empty());
        pb::VoluntaryRegistrationEntered {
            innfoert_dato: self.entered_on.clone(),
            foerste_gang_innfoert: self.first_entered.clone(),
            icnpo: self.icnpo.clone(),
            grasrot_deltar_i: match self.grasrot {
                Grasrot::Requested | Grasrot::Approved | Grasrot::Excluded { .. } => true,
                Grasrot::NotParticipating | Grasrot::Ended => false,
            },
            regnskapsrapportering: self.reports_accounts.then_some(pb::RapporteringspliktRegnskap {
                har_paatatt_seg_rapporteringsplikt: true,
                avslutningsdato_regnskapsperiode: year_end,
            }),
            vedtekter_registrert: self.bylaws_registered,
            ..pb::VoluntaryRegistrationEntered::default()
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each fact")]
    pub(super) fn evolve(&mut self, event: &Event) {
        if let Some(origin) = origin(event) {
            self.clocks.advance(Clocks::of(origin));
        }
        match event {
            Event::OrganisationOpened(e) => {
                if self.status == Status::Informal {
                    self.status = Status::Founded;
                }
                self.founding_id.clone_from(&e.founding_id);
                self.board_size = e.board_size;
                self.details = pb::OrganisationDetails {
                    name: e.name.clone(),
                    form: e.form.clone(),
                    purpose: e.purpose.clone(),
                    stiftelsesdato: e.stiftelsesdato.clone(),
                    forretningsadresse: Some(pb::Address {
                        kommunenummer: e.kommunenummer.clone(),
                        ..pb::Address::default()
                    }),
                    ..pb::OrganisationDetails::default()
                };
            }
            Event::OrganisationRegistered(e) => {
                self.status = Status::Registered;
                self.orgnr = Some(e.orgnr.clone());
                self.registreringsdato.clone_from(&e.registreringsdato);
                self.details = e.details.clone().unwrap_or_default();
                self.origin.clone_from(&e.origin);
            }
            Event::VoluntaryRegistrationApplied(e) => {
                let (voluntary, grasrot) = match self.application.take() {
                    Some(earlier) => (earlier.voluntary, earlier.grasrot),
                    None => (self.voluntary, self.grasrot.clone()),
                };
                self.application = Some(Application {
                    case_id: e.case_id.clone(),
                    voluntary,
                    grasrot,
                });
                self.voluntary = Voluntary::Applied;
                if e.grasrot {
                    self.grasrot = Grasrot::Requested;
                }
            }
            Event::VoluntaryApplicationEnded(e) => {
                if let Some(application) = self.application.take_if(|application| application.case_id == e.case_id) {
                    self.voluntary = application.voluntary;
                    self.no_longer_requested(application.grasrot);
                }
            }
            Event::VoluntaryRegistrationEntered(e) => {
                self.application = None;
                self.voluntary = Voluntary::Innfoert;
                self.status = self.status.with_voluntary(true);
                self.icnpo.clone_from(&e.icnpo);
                self.entered_on.clone_from(&e.innfoert_dato);
                self.first_entered.clone_from(&e.foerste_gang_innfoert);
                self.bylaws_registered = e.vedtekter_registrert;
                let duty = e.regnskapsrapportering.clone().unwrap_or_default();
                self.accounting(
                    duty.har_paatatt_seg_rapporteringsplikt,
                    duty.avslutningsdato_regnskapsperiode,
                );
                if e.grasrot_deltar_i && matches!(self.grasrot, Grasrot::NotParticipating | Grasrot::Ended) {
                    self.grasrot = Grasrot::Requested;
                }
            }
            Event::VoluntaryRegistrationRefused(_) => {
                if let Some(application) = self.application.take() {
                    self.no_longer_requested(application.grasrot);
                }
                self.voluntary = Voluntary::Refused;
            }
            Event::VoluntaryRegistrationDeleted(_) => {
                self.application = None;
                self.voluntary = Voluntary::Slettet;
                self.status = self.status.with_voluntary(false);
                self.grasrot.left();
            }
            Event::GrasrotParticipationApproved(_) => self.grasrot = Grasrot::Approved,
            Event::GrasrotParticipationEnded(_) => self.grasrot = Grasrot::Ended,
            Event::GrasrotExclusionImposed(e) => {
                self.grasrot = Grasrot::Excluded {
                    from: e.fra_dato.clone(),
                    to: e.til_dato.clone(),
                }
            }
            Event::ActivityCategoriesChanged(e) => self.icnpo.clone_from(&e.icnpo),
            Event::AccountingDutyChanged(e) => self.accounting(e.applies, Some(e.accounting_year_end.clone())),
            Event::AnnualAccountsSubmitted(e) => self.accounts_year = self.accounts_year.max(e.year),
            Event::OrganisationDetailsChanged(e) => {
                if let Some(changed) = &e.changed {
                    details::apply(&mut self.details, changed, &e.fields);
                }
                let own = e.origin.as_ref().filter(|origin| origin.source == OWN);
                for field in &e.fields {
                    match own {
                        Some(origin) => {
                            let said = origin.asserted_at.and_then(|at| Timestamp::try_from(at).ok());
                            self.own.insert(field.clone(), said);
                        }
                        None => {
                            self.own.remove(field);
                        }
                    }
                }
                self.origin.clone_from(&e.origin);
            }
            Event::RolesReported(_) | Event::BankAccountLinked(_) => {}
            Event::AffiliationEstablished(e) => {
                self.relations.insert(Relation {
                    parent: e.parent_orgnr.clone(),
                    role_from: e.role_from.clone(),
                    role_to: e.role_to.clone(),
                });
            }
            Event::BylawsAdopted(e) => {
                self.bylaws = Bylaws {
                    version: e.version,
                    date: e.vedtektsdato.clone(),
                    purpose: e.purpose.clone(),
                };
                // What the register does not read it does not say either.
                self.board_size = e.board_size.or(self.board_size);
            }
            Event::DissolutionReported(_) => self.status = self.status.wound_up(),
            Event::DissolutionRevoked(_) => self.status = self.status.revived(),
            Event::InsolvencyDeclared(_) => self.status = self.status.bankrupt(),
            Event::OrganisationDeleted(e) => {
                self.status = Status::Deleted;
                self.grasrot.left();
                self.removed |= e.ground == REMOVED;
                if e.successor_orgnr.is_some() {
                    self.successor.clone_from(&e.successor_orgnr);
                }
            }
        }
    }
}
