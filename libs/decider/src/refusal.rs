//! Why a command was refused, in a form that both people and programs can act on (invariant I12).

use std::borrow::Cow;
use std::fmt;

use crate::rules::{self, Rule};

/// A command that the domain says no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that stands in the way.
    pub rule: &'static Rule,
    /// The reason in a form for programs: `SignaturesMissing`.
    pub code: &'static str,
    /// The field of the command that it is about, by its name in the contract.
    pub field: Option<Cow<'static, str>>,
    /// Numbers and codes that belong to the reason: `n` = `1`.
    pub params: Vec<(&'static str, String)>,
    /// What to do about it.
    pub text: Text,
    /// Act or regulation, and section, that it rests on; none when it rests on none.
    pub legal_reference: Option<&'static str>,
}

/// One text in the three languages that every refusal speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Bokmål.
    pub nb: Cow<'static, str>,
    /// Nynorsk.
    pub nn: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

// === impl Refusal ===

impl Refusal {
    /// A refusal that rests on a rule.
    pub fn new(rule: &'static Rule, code: &'static str, text: Text) -> Self {
        Self {
            rule,
            code,
            field: None,
            params: Vec::new(),
            text,
            legal_reference: rule.legal_reference(),
        }
    }

    /// A field that is missing or cannot be read as what it should be, where no other rule says so.
    pub fn invalid(field: impl Into<Cow<'static, str>>, text: Text) -> Self {
        Self::new(&rules::INPUT, "InvalidField", text).at(field)
    }

    /// Names the field that it is about.
    #[must_use]
    pub fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the section of another rule, which the one that stands in the way carries out.
    #[must_use]
    pub fn by_law_of(mut self, rule: &'static Rule) -> Self {
        self.legal_reference = rule.legal_reference();
        self
    }

    /// Adds a number or a code to the reason.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.params.push((name, value.to_string()));
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.code, self.rule.id)?;
        if let Some(field) = &self.field {
            write!(f, ", field {field}")?;
        }
        write!(f, "): {}", self.text.en)
    }
}

impl std::error::Error for Refusal {}

// === impl Text ===

impl Text {
    /// A text that is the same every time.
    pub const fn new(nb: &'static str, nn: &'static str, en: &'static str) -> Self {
        Self {
            nb: Cow::Borrowed(nb),
            nn: Cow::Borrowed(nn),
            en: Cow::Borrowed(en),
        }
    }

    /// A text with something of the command in it.
    pub fn formatted(nb: String, nn: String, en: String) -> Self {
        Self {
            nb: Cow::Owned(nb),
            nn: Cow::Owned(nn),
            en: Cow::Owned(en),
        }
    }
}
