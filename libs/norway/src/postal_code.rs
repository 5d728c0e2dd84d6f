//! Postal codes and the place and municipality that each belongs to.

use crate::code_list::code_list;
use crate::{KommuneNumber, Problem, Subject};

code_list! {
    /// A postal code in use (January 2026).
    PostalCode, POSTNUMMER, PostnummerRow, Subject::PostalCode
}

/// What a postal code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostalCategory {
    /// street addresses
    Street,
    /// post-office boxes
    Box,
    /// both
    Both,
    /// one big receiver
    Service,
}

impl PostalCode {
    /// The place (poststed), in capitals as the post writes it.
    pub fn place(self) -> &'static str {
        self.row().place
    }

    /// The municipality; none for Svalbard and Jan Mayen, which are not in one.
    pub fn kommune(self) -> Option<KommuneNumber> {
        KommuneNumber::parse(self.row().kommune).ok()
    }

    /// What the code is for.
    pub fn category(self) -> PostalCategory {
        match self.row().category {
            "G" => PostalCategory::Street,
            "P" => PostalCategory::Box,
            "S" => PostalCategory::Service,
            _ => PostalCategory::Both,
        }
    }

    fn why_not(text: &str) -> Problem {
        crate::check::digits::<4>(text).err().unwrap_or(Problem::Unknown)
    }
}
