//! Why a value was refused: what it should have been, the rule it breaks, and an explanation in the reader's language.

use std::fmt;

use crate::Language;

/// A refused value. It never holds the value itself, since that may be a person's or an account's number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.explain(Language::En))]
pub struct Invalid {
    subject: Subject,
    problem: Problem,
}

/// What the refused value should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// organisasjonsnummer
    OrgNumber,
    /// fødselsnummer or D-number
    PersonNumber,
    /// bank account number
    Kontonummer,
    /// payment reference
    Kid,
    /// municipality number
    KommuneNumber,
    /// county number
    CountyNumber,
    /// postal code
    PostalCode,
    /// ICNPO category of Frivillighetsregisteret
    Icnpo,
    /// legal form (organisasjonsform)
    LegalForm,
    /// role code of the registers
    Role,
    /// role group code of the registers
    RoleGroup,
    /// role code inside an organisation
    InternalRole,
    /// institutional sector
    Sector,
    /// industry code (næringskode, SN2025)
    Nace,
    /// annotation type (påtegning)
    Annotation,
    /// share, as in a majority of 2/3
    Share,
    /// calendar date
    Date,
    /// end of the accounting year, DDMM
    YearEnd,
    /// language
    Language,
}

/// What is wrong with a refused value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Not as long as it must be.
    Length {
        /// characters it must have
        expected: usize,
        /// characters it has
        found: usize,
    },
    /// Something else than a digit at this place, counted from 1.
    NotADigit {
        /// place of the character
        at: usize,
    },
    /// A check digit does not fit the others.
    CheckDigit,
    /// The first digit is none that is given out.
    FirstDigit {
        /// the digits a number may begin with
        allowed: &'static str,
    },
    /// The check digit would have to be 10, so no such number exists.
    NeverAssigned,
    /// The day or month in it does not exist.
    NoSuchDay,
    /// Not in the code list.
    Unknown,
    /// Was in the list before a reform, and must be mapped to today's number first.
    Historical {
        /// when the number ceased to be current
        until: &'static str,
    },
    /// Means "not stated", and is nothing one can be registered in.
    Unspecified,
    /// A group of the list, where one of the categories under it is asked for.
    GroupNotLeaf,
    /// Not written as it must be.
    Format {
        /// the shape it must have
        expected: &'static str,
    },
    /// Zero, or more than the whole.
    OutOfRange,
}

impl Invalid {
    pub(crate) fn new(subject: Subject, problem: Problem) -> Self {
        Self { subject, problem }
    }

    /// What the value should have been.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// What is wrong with it.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The handbook rule that it breaks; none where the handbook only describes the format.
    pub fn rule(&self) -> Option<&'static str> {
        self.subject.rule()
    }

    /// The refusal in words, ending with the rule.
    pub fn explain(&self, language: Language) -> String {
        let (subject, problem) = (self.subject.name(language), self.problem.explain(language));
        match self.rule() {
            Some(rule) => format!("{subject}: {problem} ({rule})"),
            None => format!("{subject}: {problem}"),
        }
    }
}

impl Subject {
    fn rule(self) -> Option<&'static str> {
        match self {
            Self::OrgNumber => Some("R-0.01"),
            Self::PersonNumber => Some("R-0.02"),
            Self::Language => Some("R-0.07"),
            Self::Icnpo => Some("R-2.16"),
            Self::LegalForm => Some("R-2.07"),
            Self::Role => Some("R-2.08"),
            Self::YearEnd => Some("R-2.18"),
            Self::Kontonummer
            | Self::Kid
            | Self::KommuneNumber
            | Self::CountyNumber
            | Self::PostalCode
            | Self::RoleGroup
            | Self::InternalRole
            | Self::Sector
            | Self::Nace
            | Self::Annotation
            | Self::Share
            | Self::Date => None,
        }
    }

    fn name(self, language: Language) -> &'static str {
        let (nb, nn, en) = match self {
            Self::OrgNumber => ("organisasjonsnummer", "organisasjonsnummer", "organisation number"),
            Self::PersonNumber => (
                "fødselsnummer eller D-nummer",
                "fødselsnummer eller D-nummer",
                "national identity number or D-number",
            ),
            Self::Kontonummer => ("kontonummer", "kontonummer", "bank account number"),
            Self::Kid => ("KID", "KID", "payment reference (KID)"),
            Self::KommuneNumber => ("kommunenummer", "kommunenummer", "municipality number"),
            Self::CountyNumber => ("fylkesnummer", "fylkesnummer", "county number"),
            Self::PostalCode => ("postnummer", "postnummer", "postal code"),
            Self::Icnpo => ("ICNPO-kategori", "ICNPO-kategori", "ICNPO category"),
            Self::LegalForm => ("organisasjonsform", "organisasjonsform", "legal form"),
            Self::Role => ("rolle", "rolle", "role"),
            Self::RoleGroup => ("rollegruppe", "rollegruppe", "role group"),
            Self::InternalRole => ("intern rolle", "intern rolle", "internal role"),
            Self::Sector => ("sektorkode", "sektorkode", "sector code"),
            Self::Nace => ("næringskode", "næringskode", "industry code"),
            Self::Annotation => ("påtegning", "påteikning", "annotation type"),
            Self::Share => ("andel", "del", "share"),
            Self::Date => ("dato", "dato", "date"),
            Self::YearEnd => (
                "regnskapsavslutning",
                "rekneskapsavslutning",
                "end of the accounting year",
            ),
            Self::Language => ("språk", "språk", "language"),
        };
        language.pick(nb, nn, en)
    }
}

impl Problem {
    fn explain(&self, language: Language) -> String {
        match self {
            Self::Length { expected, found } => match language {
                Language::Nb => format!("skal ha {expected} tegn, har {found}"),
                Language::Nn => format!("skal ha {expected} teikn, har {found}"),
                Language::En => format!("must have {expected} characters, has {found}"),
            },
            Self::NotADigit { at } => match language {
                Language::Nb => format!("tegn nummer {at} er ikke et siffer"),
                Language::Nn => format!("teikn nummer {at} er ikkje eit siffer"),
                Language::En => format!("character {at} is not a digit"),
            },
            Self::FirstDigit { allowed } => match language {
                Language::Nb => format!("må begynne med {allowed}"),
                Language::Nn => format!("må byrje med {allowed}"),
                Language::En => format!("must begin with {allowed}"),
            },
            Self::Historical { until } => match language {
                Language::Nb => format!("gjaldt til {until}; bruk dagens nummer"),
                Language::Nn => format!("galdt til {until}; bruk nummeret som gjeld i dag"),
                Language::En => format!("was valid until {until}; use today's number"),
            },
            Self::Format { expected } => match language {
                Language::Nb => format!("skal skrives {expected}"),
                Language::Nn => format!("skal skrivast {expected}"),
                Language::En => format!("must be written {expected}"),
            },
            Self::CheckDigit => language
                .pick(
                    "kontrollsifferet stemmer ikke",
                    "kontrollsifferet stemmer ikkje",
                    "the check digit is wrong",
                )
                .into(),
            Self::NeverAssigned => language
                .pick(
                    "nummeret finnes ikke (kontrollsifferet ville blitt 10)",
                    "nummeret finst ikkje (kontrollsifferet ville blitt 10)",
                    "no such number is assigned (the check digit would be 10)",
                )
                .into(),
            Self::NoSuchDay => language
                .pick("datoen finnes ikke", "datoen finst ikkje", "there is no such day")
                .into(),
            Self::Unknown => language.pick("finnes ikke", "finst ikkje", "does not exist").into(),
            Self::Unspecified => language
                .pick("betyr «uoppgitt»", "tyder «uoppgitt»", "means \"not stated\"")
                .into(),
            Self::GroupNotLeaf => language
                .pick(
                    "er en gruppe; velg en kategori under den",
                    "er ei gruppe; vel ein kategori under henne",
                    "is a group; choose a category under it",
                )
                .into(),
            Self::OutOfRange => language
                .pick(
                    "må være mer enn null og høyst det hele",
                    "må vere meir enn null og høgst det heile",
                    "must be more than nothing and at most the whole",
                )
                .into(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name(Language::En))
    }
}
