//! Municipalities and counties, by the numbers in force since 2024.

use crate::code_list::code_list;
use crate::{Language, Problem, Subject};

code_list! {
    /// A municipality by its current number. Numbers from before the reforms of 2020 and 2024 are refused, never mapped in silence.
    KommuneNumber, KOMMUNER, KommuneRow, Subject::KommuneNumber
}

code_list! {
    /// A county by its current number, the first two digits of its municipalities'.
    CountyNumber, FYLKER, FylkeRow, Subject::CountyNumber
}

/// The written standard a municipality has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Maalform {
    /// Bokmål or Nynorsk
    Chosen(Language),
    /// the municipality has not chosen
    Neutral,
}

impl KommuneNumber {
    /// The Norwegian name.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name in all its official languages, as `Nordland - Nordlánnda`.
    pub fn official_name(self) -> &'static str {
        self.row().official_name
    }

    /// The county it lies in.
    pub fn county(self) -> CountyNumber {
        CountyNumber::parse(self.row().county).expect("every municipality of the list lies in a county of the list")
    }

    /// Inhabitants on 1 January 2025.
    pub fn population(self) -> u32 {
        self.row().population
    }

    /// The written standard it has chosen.
    pub fn maalform(self) -> Maalform {
        match self.row().maalform {
            "nb" => Maalform::Chosen(Language::Nb),
            "nn" => Maalform::Chosen(Language::Nn),
            _ => Maalform::Neutral,
        }
    }

    /// The language of letters from the municipality: what it has chosen, else Bokmål (handbook 2.7).
    pub fn language(self) -> Language {
        match self.maalform() {
            Maalform::Chosen(language) => language,
            Maalform::Neutral => Language::Nb,
        }
    }

    fn why_not(text: &str) -> Problem {
        if let Err(problem) = crate::check::digits::<4>(text) {
            return problem;
        }
        match &text[..2] {
            "99" => Problem::Unspecified,
            // Counties that ended with the reforms; a municipality that merged inside a county that still is, is merely unknown.
            "01" | "02" | "04" | "05" | "06" | "07" | "08" | "09" | "10" | "12" | "14" | "19" | "20" => {
                Problem::Historical { until: "2020-01-01" }
            }
            "16" | "17" => Problem::Historical { until: "2018-01-01" },
            "30" | "38" | "54" => Problem::Historical { until: "2024-01-01" },
            _ => Problem::Unknown,
        }
    }
}

impl CountyNumber {
    /// The Norwegian name.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name in all its official languages.
    pub fn official_name(self) -> &'static str {
        self.row().official_name
    }

    /// Inhabitants on 1 January 2025.
    pub fn population(self) -> u32 {
        self.row().population
    }

    fn why_not(text: &str) -> Problem {
        crate::check::digits::<2>(text).err().unwrap_or(Problem::Unknown)
    }
}
