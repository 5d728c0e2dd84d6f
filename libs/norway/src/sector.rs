//! Institutional sectors and the annotation types of Enhetsregisteret.

use crate::code_list::code_list;
use crate::{Problem, Subject};

code_list! {
    /// An institutional sector, as `7000`.
    Sector, SECTORS, SectorRow, Subject::Sector
}

code_list! {
    /// What an annotation (påtegning) on a unit is about, as `FADR` for its business address.
    Annotation, ANNOTATIONS, AnnotationRow, Subject::Annotation
}

impl Sector {
    /// The name in Bokmål. Those of 2100, 7000 and 8200 are the registers' own spelling; the others have not been compared.
    pub fn name(self) -> &'static str {
        self.row().nb
    }

    /// The name in English.
    pub fn name_en(self) -> &'static str {
        self.row().en
    }

    /// Whether it is sector 7000, non-profit institutions serving households.
    pub fn is_non_profit(self) -> bool {
        self.code() == "7000"
    }

    fn why_not(text: &str) -> Problem {
        crate::check::digits::<4>(text).err().unwrap_or(Problem::Unknown)
    }
}

impl Annotation {
    /// What it means, in English.
    pub fn meaning_en(self) -> &'static str {
        self.row().en
    }

    fn why_not(_: &str) -> Problem {
        Problem::Unknown
    }
}
