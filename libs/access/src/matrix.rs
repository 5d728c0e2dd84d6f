//! The stakeholder matrix: generated from `data/`, which is where it is read and changed.

use ryggrad_proto::options::v1::PrivacyClass;

include!(concat!(env!("OUT_DIR"), "/matrix.rs"));

/// What a stakeholder may see, and of whom.
#[derive(Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub stakeholder: Stakeholder,
    /// Its code in the matrix.
    pub code: &'static str,
    /// What it is called in Norwegian.
    pub name: &'static str,
    /// Numbers of the privacy classes that can reach it at all.
    classes: &'static [i32],
    /// Whose facts.
    pub reach: Reach,
    /// Views beside the open ones.
    pub views: &'static [View],
    /// Laws and agreements that a subscription may rest on.
    pub legal_bases: &'static [&'static str],
    /// The typical article of the GDPR.
    pub gdpr_basis: &'static str,
    /// What it needs, in words.
    pub needs_to_know: &'static str,
    /// What it must not see, in words.
    pub must_not_see: &'static str,
}

/// Whose facts a stakeholder may see beyond open data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Nobody's: open data and aggregates are enough.
    Nowhere,
    /// Every organisation's.
    Everywhere,
    /// Those of organisations in its own municipality.
    Kommune,
    /// Those of organisations that belong to it.
    Affiliates,
    /// Those of organisations that gave it a mandate.
    Mandated,
    /// Its own.
    Own,
}

// === impl Grant ===

impl Grant {
    /// Whether events of a class can reach the stakeholder at all.
    pub fn allows(&self, class: PrivacyClass) -> bool {
        self.classes.contains(&(class as i32))
    }

    /// Whether a subscription can give it anything that is not open to everybody.
    pub fn can_subscribe(&self) -> bool {
        !matches!(self.reach, Reach::Nowhere | Reach::Own)
    }

    /// The legal basis as the matrix spells it.
    pub fn legal_basis(&self, named: &str) -> Option<&'static str> {
        let named = named.trim();
        self.legal_bases
            .iter()
            .copied()
            .find(|basis| basis.eq_ignore_ascii_case(named))
    }
}

// === impl Reach ===

impl Reach {
    /// The reach in words, for the generated page.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nowhere => "open data only",
            Self::Everywhere => "every organisation",
            Self::Kommune => "organisations in its own municipality",
            Self::Affiliates => "organisations affiliated to it",
            Self::Mandated => "organisations that gave it a mandate",
            Self::Own => "itself",
        }
    }
}

// === impl Stakeholder ===

impl Stakeholder {
    /// The stakeholder's row of the matrix.
    pub fn grant(self) -> &'static Grant {
        MATRIX
            .iter()
            .find(|grant| grant.stakeholder == self)
            .expect("the build script writes a row for every stakeholder")
    }

    /// Its code: `LOTTSTIFT`.
    pub fn code(self) -> &'static str {
        self.grant().code
    }

    /// The stakeholder with this code, whatever its case.
    pub fn parse(code: &str) -> Option<Self> {
        MATRIX
            .iter()
            .find(|grant| grant.code.eq_ignore_ascii_case(code))
            .map(|grant| grant.stakeholder)
    }
}

// === impl View ===

impl View {
    /// Every view, in the order of the list.
    pub fn all() -> impl Iterator<Item = Self> {
        VIEWS.iter().map(|(view, ..)| *view)
    }

    fn row(self) -> &'static (Self, &'static str, bool, &'static str) {
        VIEWS
            .iter()
            .find(|(view, ..)| *view == self)
            .expect("the build script writes a row for every view")
    }

    /// Its name: `stats_cube`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Whether it is open data, which everybody may read.
    pub fn is_open(self) -> bool {
        self.row().2
    }

    /// What it tells, in words.
    pub fn what(self) -> &'static str {
        self.row().3
    }

    /// Whether it has rows of its own that are not open to everybody. A timeline has none: its entries are events.
    pub fn has_rows(self) -> bool {
        !self.is_open() && self != Self::OrgTimeline
    }

    /// The view of that name.
    pub fn parse(name: &str) -> Option<Self> {
        VIEWS.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

// === impl Scope ===

impl Scope {
    /// Every scope, in the order of the list.
    pub fn all() -> impl Iterator<Item = Self> {
        SCOPES.iter().map(|(scope, ..)| *scope)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        SCOPES
            .iter()
            .find(|(scope, ..)| *scope == self)
            .expect("the build script writes a row for every scope")
    }

    /// As it stands in a token: `ryggrad:views.read`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What it allows, in words.
    pub fn what(self) -> &'static str {
        self.row().2
    }

    /// The scope of that name; other services' scopes are none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        SCOPES.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The scope that events of a class need; none for open data. What does not say its class is not open.
    pub fn of_class(class: PrivacyClass) -> Option<Self> {
        match class {
            PrivacyClass::Public => None,
            PrivacyClass::Org => Some(Self::EventsOrgRead),
            PrivacyClass::Pers => Some(Self::EventsPersRead),
            PrivacyClass::Unspecified | PrivacyClass::Conf => Some(Self::EventsConfRead),
        }
    }
}
