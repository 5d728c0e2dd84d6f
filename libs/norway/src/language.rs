//! The languages that every user-visible text exists in.

use serde::{Deserialize, Serialize};

use crate::{Invalid, Problem, Subject};

/// Bokmål, Nynorsk or English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Bokmål
    #[default]
    Nb,
    /// Nynorsk
    Nn,
    /// English
    En,
}

impl Language {
    /// `nb`, `nn` or `en`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "nb" => Ok(Self::Nb),
            "nn" => Ok(Self::Nn),
            "en" => Ok(Self::En),
            _ => Err(Invalid::new(
                Subject::Language,
                Problem::Format { expected: "nb, nn, en" },
            )),
        }
    }

    /// The register's `maalform`: `Bokmål` or `Nynorsk`.
    pub fn from_maalform(text: &str) -> Result<Self, Invalid> {
        match text {
            "Bokmål" => Ok(Self::Nb),
            "Nynorsk" => Ok(Self::Nn),
            _ => Err(Invalid::new(
                Subject::Language,
                Problem::Format {
                    expected: "Bokmål, Nynorsk",
                },
            )),
        }
    }

    /// `nb`, `nn` or `en`.
    pub fn code(self) -> &'static str {
        self.pick("nb", "nn", "en")
    }

    /// The one of three texts that is in this language.
    pub fn pick<T>(self, nb: T, nn: T, en: T) -> T {
        match self {
            Self::Nb => nb,
            Self::Nn => nn,
            Self::En => en,
        }
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

impl std::str::FromStr for Language {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Language {
    type Error = Invalid;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}
