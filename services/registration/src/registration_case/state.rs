//! What a registration case remembers, and how each fact changes it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::registration_case_event::Event;
use uuid::Uuid;

/// What a registration case remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Where it stands.
    pub status: Status,
    /// The organisation; none before the draft.
    pub organisation_id: Option<Uuid>,
    /// The number that the organisation got by this case.
    pub orgnr: Option<String>,
    /// Registers that it is for.
    pub registers: BTreeSet<Register>,
    /// What it is about.
    pub kind: pb::CaseKind,
    /// What the notification says.
    pub content: pb::RegistrationContent,
    /// Written standard that it was sent in: nb or nn; empty before that.
    pub maalform: String,
    /// The last document attached of each kind, by its hash.
    pub documents: BTreeMap<i32, String>,
    /// How the election of the board was declared, when it was.
    pub board_election: Option<pb::BoardElectionDeclared>,
    /// Organisation numbers of auditors and accountants who confirmed, by type.
    pub confirmed_by: BTreeSet<(i32, String)>,
    /// Registers that have registered.
    pub confirmed: BTreeSet<Register>,
}

/// Where a registration case stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Status {
    /// Nothing is there yet.
    #[default]
    Undrafted,
    /// Being filled in.
    Draft,
    /// Waiting for signatures.
    AwaitingSignatures(Signatures),
    /// Signed by everybody.
    Signed(Signatures),
    /// Sent.
    Submitted,
    /// In the register authority's hands.
    UnderReview,
    /// The register authority asked for more.
    InfoRequested {
        /// What is missing.
        deficiencies: Vec<pb::Deficiency>,
    },
    /// Registered.
    Registered,
    /// Refused.
    Rejected {
        /// Last moment to appeal.
        appeal_deadline: Option<Timestamp>,
        /// It was appealed.
        appealed: bool,
        /// It can no longer be appealed.
        closed: bool,
    },
    /// Withdrawn.
    Withdrawn,
    /// Not signed in time.
    Lapsed,
}

/// Who signs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signatures {
    /// Everybody who has to sign.
    pub signers: Vec<pb::Signer>,
    /// Those who have signed.
    pub signed: BTreeSet<String>,
    /// The board and the contact as reported with the request.
    pub roles: Vec<pb::RoleHolder>,
    /// When the case lapses.
    pub due_at: Option<Timestamp>,
    /// Number of the last reminder.
    pub reminded: u32,
}

/// A register that a notification can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    /// Enhetsregisteret.
    Er,
    /// Frivillighetsregisteret.
    Fr,
    /// Foretaksregisteret.
    For,
    /// Merverdiavgiftsregisteret.
    Mva,
    /// Stiftelsesregisteret.
    Sti,
}

// === impl Register ===

impl Register {
    /// The register of a code.
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "ER" => Some(Self::Er),
            "FR" => Some(Self::Fr),
            "FOR" => Some(Self::For),
            "MVA" => Some(Self::Mva),
            "STI" => Some(Self::Sti),
            _ => None,
        }
    }

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Er => "ER",
            Self::Fr => "FR",
            Self::For => "FOR",
            Self::Mva => "MVA",
            Self::Sti => "STI",
        }
    }
}

// === impl Signatures ===

impl Signatures {
    /// Those who have not signed yet.
    pub fn pending(&self) -> impl Iterator<Item = &pb::Signer> {
        self.signers
            .iter()
            .filter(|signer| !self.signed.contains(&signer.person_ref))
    }
}

// === impl Status ===

impl Status {
    /// Its name in the table of states; none before the first event.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Undrafted => None,
            Self::Draft => Some("draft"),
            Self::AwaitingSignatures(_) => Some("awaiting_signatures"),
            Self::Signed(_) => Some("signed"),
            Self::Submitted => Some("submitted"),
            Self::UnderReview => Some("under_review"),
            Self::InfoRequested { .. } => Some("info_requested"),
            Self::Registered => Some("registered"),
            Self::Rejected { .. } => Some("rejected"),
            Self::Withdrawn => Some("withdrawn"),
            Self::Lapsed => Some("lapsed"),
        }
    }

    pub(super) fn signatures(&self) -> Option<&Signatures> {
        match self {
            Self::AwaitingSignatures(signatures) | Self::Signed(signatures) => Some(signatures),
            Self::Undrafted
            | Self::Draft
            | Self::Submitted
            | Self::UnderReview
            | Self::InfoRequested { .. }
            | Self::Registered
            | Self::Rejected { .. }
            | Self::Withdrawn
            | Self::Lapsed => None,
        }
    }
}

// === impl State ===

impl State {
    pub(super) fn evolve(&mut self, event: &Event) {
        match event {
            Event::RegistrationDrafted(e) => {
                self.status = Status::Draft;
                self.organisation_id = Uuid::try_parse(&e.organisation_id).ok();
                self.kind = e.kind();
                self.registers = registers(&e.registers);
                self.content = e.content.clone().unwrap_or_default();
            }
            Event::RegistrationAmended(e) => {
                self.registers = registers(&e.registers);
                self.content = e.content.clone().unwrap_or_default();
            }
            Event::DocumentAttached(e) => {
                self.documents.insert(e.kind, e.hash.clone());
            }
            Event::BoardElectionDeclared(e) => self.board_election = Some(e.clone()),
            Event::SignaturesRequested(e) => {
                self.status = Status::AwaitingSignatures(Signatures {
                    signers: e.signers.clone(),
                    signed: BTreeSet::new(),
                    roles: e.roles.clone(),
                    due_at: e.due_at.and_then(|due| due.try_into().ok()),
                    reminded: 0,
                });
            }
            Event::SignaturesReset(_) => {
                if let Status::AwaitingSignatures(signatures) | Status::Signed(signatures) = &mut self.status {
                    let signatures = Signatures {
                        signed: BTreeSet::new(),
                        ..std::mem::take(signatures)
                    };
                    self.status = Status::AwaitingSignatures(signatures);
                }
            }
            Event::RegistrationSigned(e) => {
                if let Status::AwaitingSignatures(signatures) = &mut self.status {
                    signatures.signed.insert(e.person_ref.clone());
                    if signatures.pending().next().is_none() {
                        self.status = Status::Signed(std::mem::take(signatures));
                    }
                }
            }
            Event::SignaturesReminded(e) => {
                if let Status::AwaitingSignatures(signatures) = &mut self.status {
                    signatures.reminded = e.reminder;
                }
            }
            Event::AuditorAssignmentConfirmed(e) => {
                self.confirmed_by.insert((e.r#type, e.orgnr_auditor.clone()));
            }
            Event::RegistrationSubmitted(e) => {
                self.status = Status::Submitted;
                self.maalform.clone_from(&e.maalform);
            }
            Event::RegistrationReviewStarted(_) | Event::RegistrationSupplemented(_) => {
                self.status = Status::UnderReview;
            }
            Event::InformationRequested(e) => {
                self.status = Status::InfoRequested {
                    deficiencies: e.deficiencies.clone(),
                }
            }
            Event::RegistrationRejected(e) => {
                self.status = Status::Rejected {
                    appeal_deadline: e.appeal_deadline.and_then(|at| at.try_into().ok()),
                    appealed: false,
                    closed: false,
                };
            }
            Event::RegistrationAppealed(_) => {
                if let Status::Rejected { appealed, .. } = &mut self.status {
                    *appealed = true;
                }
            }
            Event::AppealPeriodEnded(_) => {
                if let Status::Rejected { closed, .. } = &mut self.status {
                    *closed = true;
                }
            }
            Event::RegistrationWithdrawn(_) => self.status = Status::Withdrawn,
            Event::RegistrationLapsed(_) => self.status = Status::Lapsed,
            Event::RegistrationConfirmed(e) => {
                self.confirmed.extend(Register::parse(&e.register));
                if !e.orgnr.is_empty() {
                    self.orgnr = Some(e.orgnr.clone());
                }
                if self.unconfirmed().next().is_none() {
                    self.status = Status::Registered;
                }
            }
        }
    }

    /// Registers that still have to answer. Enhetsregisteret answers for all but Frivillighetsregisteret.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = Register> {
        let answers = |register: &Register| match register {
            Register::Fr => Register::Fr,
            Register::Er | Register::For | Register::Mva | Register::Sti => Register::Er,
        };
        self.registers
            .iter()
            .map(answers)
            .filter(|register| !self.confirmed.contains(register))
    }

    /// Codes of the registers, as events carry them.
    pub(super) fn register_codes(&self) -> Vec<String> {
        self.registers
            .iter()
            .map(|register| register.code().to_owned())
            .collect()
    }
}

fn registers(codes: &[String]) -> BTreeSet<Register> {
    codes.iter().filter_map(|code| Register::parse(code)).collect()
}
