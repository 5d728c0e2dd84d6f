//! ICNPO, the activity categories of Frivillighetsregisteret: 14 groups with 32 categories under them.

use crate::code_list::code_list;
use crate::{Invalid, Language, Problem, Subject};

code_list! {
    /// A group or a category of the list. An organisation is registered in one to three categories, never in a group:
    /// see [`Icnpo::parse_leaf`].
    Icnpo, ICNPO, IcnpoRow, Subject::Icnpo
}

impl Icnpo {
    /// A category that an organisation can be registered in; a group is refused.
    pub fn parse_leaf(text: &str) -> Result<Self, Invalid> {
        let icnpo = Self::parse(text)?;
        if icnpo.is_leaf() {
            Ok(icnpo)
        } else {
            Err(Invalid::new(Subject::Icnpo, Problem::GroupNotLeaf))
        }
    }

    /// Whether it is a category and not a group.
    pub fn is_leaf(self) -> bool {
        self.row().parent.is_some()
    }

    /// The group it lies in: itself, when it is one.
    #[must_use]
    pub fn group(self) -> Self {
        self.row().parent.map_or(self, |parent| {
            Self::parse(parent).expect("the parent of every category is in the list")
        })
    }

    /// The name in a language; nn and en are translations of this project.
    pub fn name(self, language: Language) -> &'static str {
        language.pick(self.row().nb, self.row().nn, self.row().en)
    }

    /// The key the register's interface uses beside the number, as `ICNPOKategori.idrett`, where it is known.
    pub fn api_key(self) -> Option<&'static str> {
        self.row().api_key
    }

    /// The share of organisations that have it as their first category; an estimate, for simulation only.
    pub fn simulation_weight(self) -> f64 {
        self.row().weight
    }

    fn why_not(text: &str) -> Problem {
        match text.bytes().position(|byte| !byte.is_ascii_digit()) {
            Some(at) => Problem::NotADigit { at: at + 1 },
            None => Problem::Unknown,
        }
    }
}
