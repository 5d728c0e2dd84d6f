//! Norwegian identifiers and code lists as types that can only hold valid values.
//!
//! Everything is parsed once, at the edge, and typed from there on: [`OrgNumber`], [`PersonNumber`], [`Kontonummer`], [`Kid`],
//! [`KommuneNumber`], [`PostalCode`], [`Icnpo`], [`LegalForm`], [`Role`], [`Sector`], [`Nace`], [`Majority`]. A refused value is an
//! [`Invalid`], which names the rule of the handbook and what is wrong, and explains itself in nb, nn and en. The lists are the CSV
//! files in `data/`, compiled into constant tables.
//!
//! No type here derives sex, birth date or century from a person number, and person and account numbers are masked
//! whenever they are printed.

mod check;
mod code_list;
mod date;
mod holiday;
mod icnpo;
mod invalid;
mod kid;
mod kommune;
mod kontonummer;
mod language;
mod legal_form;
mod majority;
mod nace;
mod org_number;
mod person_number;
mod postal_code;
mod role;
mod sector;
pub mod simulation;
#[expect(clippy::unreadable_literal, reason = "generated from the code lists")]
mod tables;
pub mod time;

pub use date::{YearEnd, parse_date};
pub use holiday::{is_working_day, working_day_from};
pub use icnpo::Icnpo;
pub use invalid::{Invalid, Problem, Subject};
pub use kid::{Kid, KidMethod};
pub use kommune::{CountyNumber, KommuneNumber, Maalform};
pub use kontonummer::Kontonummer;
pub use language::Language;
pub use legal_form::{LegalForm, VoluntaryEntry};
pub use majority::{Basis, Majority, Share, Threshold};
pub use nace::Nace;
pub use org_number::OrgNumber;
pub use person_number::{CheckRule, PersonNumber, PersonNumberKind, Series};
pub use postal_code::{PostalCategory, PostalCode};
pub use role::{InternalRole, Role, RoleGroup};
pub use sector::{Annotation, Sector};
