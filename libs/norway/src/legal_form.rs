//! Legal forms (organisasjonsformer) and which of them may enter Frivillighetsregisteret.

use crate::code_list::code_list;
use crate::{Problem, Subject};

code_list! {
    /// One of the 44 legal forms of Enhetsregisteret, as `FLI`.
    LegalForm, FORMS, FormRow, Subject::LegalForm
}

/// Whether organisations of a legal form may enter Frivillighetsregisteret (frivillighetsregisterloven §§ 3–4, R-2.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VoluntaryEntry {
    /// They may.
    Allowed,
    /// They may, on this condition.
    Conditional(&'static str),
    /// They may not.
    Refused,
}

impl LegalForm {
    /// The name in Bokmål.
    pub fn name(self) -> &'static str {
        self.row().nb
    }

    /// The name in English, where the list has one.
    pub fn name_en(self) -> Option<&'static str> {
        self.row().en
    }

    /// Whether, and on what condition, it may enter Frivillighetsregisteret.
    pub fn voluntary_entry(self) -> VoluntaryEntry {
        let text = self.row().voluntary;
        match text.strip_prefix("yes") {
            Some("") => VoluntaryEntry::Allowed,
            Some(condition) => VoluntaryEntry::Conditional(condition.trim().trim_matches(['(', ')'])),
            None => VoluntaryEntry::Refused,
        }
    }

    /// Whether it is a sub-unit (`AAFY`, `BEDR`) and not an organisation of its own.
    pub fn is_sub_unit(self) -> bool {
        matches!(self.code(), "AAFY" | "BEDR")
    }

    fn why_not(_: &str) -> Problem {
        Problem::Unknown
    }
}
