//! What one caller may see at one moment. The only place where it is decided.

use std::collections::HashSet;

use jiff::civil::Date;
use ryggrad_proto::options::v1::PrivacyClass;
use uuid::Uuid;

use crate::bounds::{Bounds, Within};
use crate::caller::{Caller, Identity};
use crate::filter::Filter;
use crate::key::Key;
use crate::matrix::{Reach, Scope, Stakeholder, View};

/// What a caller may see. Made by a [`Registry`](crate::Registry); who has no token gets [`Gate::open`].
#[derive(Debug, Clone, Default)]
pub struct Gate {
    caller: Caller,
    /// Itself, or the customer whose system user it is.
    own: Holdings,
    /// Those who gave it a mandate, when it has one as a platform has.
    mandated: Holdings,
    /// What it has begun for somebody, as long as that has no organisation number.
    begun: HashSet<Uuid>,
    approvals: Vec<Approval>,
}

/// Organisations, by number and by what they were called before they had one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holdings {
    pub(crate) numbers: HashSet<u32>,
    pub(crate) ids: HashSet<Uuid>,
}

/// A subscription in force, and what it opens.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The subscription.
    pub id: Uuid,
    /// As what it was approved.
    pub stakeholder: Stakeholder,
    /// What it rests on.
    pub legal_basis: String,
    /// Views that it covers beside the stream.
    pub views: Vec<View>,
    /// Position of the first event that it can deliver.
    pub first_position: u64,
    /// Last day on which it is in force.
    pub until: Option<Date>,
    /// Which events it covers.
    pub(crate) filter: Filter,
    /// Types that the catalogue lists for the stakeholder, by their numbers.
    pub(crate) types: HashSet<u16>,
    /// Municipality that its reach is bound to.
    pub(crate) kommune: u16,
    /// Organisations that its reach is bound to.
    pub(crate) within: Holdings,
}

/// Whether a caller may see an event, and why.
#[derive(Debug, Clone, Copy)]
pub enum Verdict<'a> {
    /// Open data.
    Open,
    /// About the caller itself, or what it began.
    Own,
    /// About an organisation that gave it a mandate.
    Mandated,
    /// Under an approved subscription.
    Approved(&'a Approval),
    /// Denied: it is not open data, and there is no token.
    NoToken,
    /// Denied: the token lacks the scope of its class.
    NoScope(Scope),
    /// Denied: it is about others, and no approved subscription in force covers it.
    NotCovered,
}

// === impl Gate ===

impl Gate {
    /// What is open to everybody.
    pub fn open() -> Self {
        Self::default()
    }

    pub(crate) fn new(
        caller: Caller,
        own: Holdings,
        mandated: Holdings,
        begun: HashSet<Uuid>,
        approvals: Vec<Approval>,
    ) -> Self {
        // Another stakeholder reaches those who gave it a mandate by its row, as far as that was approved, and not past it.
        let is_platform = caller.identity().is_some_and(Identity::is_platform);
        Self {
            caller,
            own,
            mandated: if is_platform { mandated } else { Holdings::default() },
            begun,
            approvals,
        }
    }

    /// Whose gate it is.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The subscriptions in force.
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// Only what one of the subscriptions opens, beside open data: how a reader names what it rests on.
    #[must_use]
    pub fn resting_on(mut self, subscription: Uuid) -> Option<Self> {
        self.approvals.retain(|approval| approval.id == subscription);
        (!self.approvals.is_empty()).then_some(self)
    }

    /// Whether it opens nothing but open data.
    pub fn is_open_only(&self) -> bool {
        self.caller.identity().is_none()
    }

    /// Whether the caller may see an event at a position.
    pub fn passes(&self, position: u64, key: &Key) -> bool {
        key.class == PrivacyClass::Public as u8
            || !matches!(
                self.verdict(position, key),
                Verdict::NoToken | Verdict::NoScope(_) | Verdict::NotCovered
            )
    }

    /// Whether the caller may see an event at a position, and why.
    pub fn verdict(&self, position: u64, key: &Key) -> Verdict<'_> {
        let class = PrivacyClass::try_from(i32::from(key.class)).unwrap_or(PrivacyClass::Conf);
        let Some(scope) = Scope::of_class(class) else {
            return Verdict::Open;
        };
        let Some(identity) = self.caller.identity() else {
            return Verdict::NoToken;
        };
        let verdict = self.covered(position, class, key);
        // Only of what it would be shown otherwise is a caller told which scope is missing: it tells the class.
        if verdict.allows() && !identity.scopes.has(scope) {
            return Verdict::NoScope(scope);
        }
        verdict
    }

    /// By what an event that is not open data is the caller's to see, whatever its scopes.
    fn covered(&self, position: u64, class: PrivacyClass, key: &Key) -> Verdict<'_> {
        if self.own.have(key) || self.follows_from_own(key) {
            return Verdict::Own;
        }
        if Stakeholder::Platform.grant().allows(class) && self.mandated.have(key) {
            return Verdict::Mandated;
        }
        let covers = |approval: &&Approval| approval.covers(position, class, key);
        self.approvals
            .iter()
            .find(covers)
            .map_or(Verdict::NotCovered, Verdict::Approved)
    }

    /// Whether the caller may see an event as an entry of a view: as in the stream, and under a subscription only when it
    /// covers the view.
    pub fn shows(&self, view: View, position: u64, key: &Key) -> Verdict<'_> {
        match self.verdict(position, key) {
            Verdict::Approved(_) => {
                let class = PrivacyClass::try_from(i32::from(key.class)).unwrap_or(PrivacyClass::Conf);
                let covers =
                    |approval: &&Approval| approval.views.contains(&view) && approval.covers(position, class, key);
                self.approvals
                    .iter()
                    .find(covers)
                    .map_or(Verdict::NotCovered, Verdict::Approved)
            }
            verdict => verdict,
        }
    }

    /// Whose rows of a view the caller may see, for a query that lists them; none when [`view`](Self::view) says no to all.
    ///
    /// # Errors
    /// The denial.
    pub fn bounds(&self, view: View) -> Result<Bounds, Verdict<'_>> {
        if view.is_open() {
            return Ok(Bounds::Everything);
        }
        let identity = self.caller.identity().ok_or(Verdict::NoToken)?;
        if !identity.scopes.has(Scope::ViewsRead) {
            return Err(Verdict::NoScope(Scope::ViewsRead));
        }
        let mut own = self.own.clone();
        own.ids.extend(&self.begun);
        if Stakeholder::Platform.grant().views.contains(&view) {
            own.join(&self.mandated);
        }
        let mut any_of = vec![vec![own.within()]];
        for approval in self.approvals.iter().filter(|approval| approval.views.contains(&view)) {
            match approval.rows() {
                Some(sets) if sets.is_empty() => return Ok(Bounds::Everything),
                Some(sets) => any_of.push(sets),
                None => {}
            }
        }
        Ok(Bounds::AnyOf(any_of))
    }

    /// Whether the caller began what an event is about, or what that came of: a founding names the initiative that it is of.
    fn follows_from_own(&self, key: &Key) -> bool {
        let begun = |id: &Uuid| self.begun.contains(id);
        key.orgnr == 0 && (begun(&key.organisation) || key.related.iter().any(begun))
    }

    /// Whether somebody began something with an event as the organisation as which the caller acts.
    pub fn began(&self, key: &Key) -> bool {
        let by_the_caller = |identity: &Identity| key.actor == identity.acts_as().to_u32();
        key.actor != 0 && key.orgnr == 0 && self.caller.identity().is_some_and(by_the_caller)
    }

    /// Takes note of an event that the caller itself has given rise to: what it begins is its own to follow.
    pub fn notice(&mut self, key: &Key) {
        if self.began(key) {
            self.begun.insert(key.organisation);
        }
    }

    /// Whether the caller may ask a view about an organisation. For views whose entries are events
    /// ([`View::OrgTimeline`]), each entry is asked about by [`passes`](Self::passes) as well.
    pub fn view(&self, view: View, about: &Key) -> Verdict<'_> {
        if view.is_open() {
            return Verdict::Open;
        }
        let Some(identity) = self.caller.identity() else {
            return Verdict::NoToken;
        };
        if !identity.scopes.has(Scope::ViewsRead) {
            return Verdict::NoScope(Scope::ViewsRead);
        }
        if self.own.have(about) || (about.orgnr == 0 && self.begun.contains(&about.organisation)) {
            return Verdict::Own;
        }
        if Stakeholder::Platform.grant().views.contains(&view) && self.mandated.have(about) {
            return Verdict::Mandated;
        }
        let covers = |approval: &&Approval| approval.views.contains(&view) && approval.covers_rows(about);
        self.approvals
            .iter()
            .find(covers)
            .map_or(Verdict::NotCovered, Verdict::Approved)
    }
}

// === impl Approval ===

impl Approval {
    /// Whether it is in force on a day.
    pub fn in_force(&self, today: Date) -> bool {
        self.until.is_none_or(|until| today <= until)
    }

    fn covers(&self, position: u64, class: PrivacyClass, key: &Key) -> bool {
        position >= self.first_position
            && self.stakeholder.grant().allows(class)
            && self.types.contains(&key.event_type)
            && self.reaches(key)
            && self.filter.passes(key)
    }

    /// Whether rows of its views about an organisation are covered.
    fn covers_rows(&self, about: &Key) -> bool {
        self.reaches(about) && self.filter.passes_rows(about)
    }

    /// The sets that a covered row is in; none when no row is covered.
    fn rows(&self) -> Option<Vec<Within>> {
        let mut sets = self.filter.rows()?;
        match self.stakeholder.grant().reach {
            Reach::Nowhere | Reach::Own => return None,
            Reach::Everywhere => {}
            Reach::Kommune if self.kommune == 0 => return None,
            Reach::Kommune => sets.push(Within::Places {
                kommuner: vec![format!("{:04}", self.kommune)],
                counties: Vec::new(),
            }),
            Reach::Affiliates | Reach::Mandated => sets.push(self.within.within()),
        }
        Some(sets)
    }

    fn reaches(&self, key: &Key) -> bool {
        match self.stakeholder.grant().reach {
            Reach::Nowhere | Reach::Own => false,
            Reach::Everywhere => true,
            Reach::Kommune => self.kommune != 0 && key.kommune == self.kommune,
            Reach::Affiliates | Reach::Mandated => self.within.have(key),
        }
    }
}

// === impl Holdings ===

impl Holdings {
    fn join(&mut self, other: &Self) {
        self.numbers.extend(&other.numbers);
        self.ids.extend(&other.ids);
    }

    fn within(&self) -> Within {
        Within::Organisations {
            orgnr: self.numbers.iter().map(|number| format!("{number:09}")).collect(),
            ids: self.ids.iter().copied().collect(),
        }
    }

    fn have(&self, key: &Key) -> bool {
        (key.orgnr != 0 && self.numbers.contains(&key.orgnr)) || self.ids.contains(&key.organisation)
    }
}

// === impl Verdict ===

impl Verdict<'_> {
    /// Whether it is a yes.
    pub fn allows(self) -> bool {
        matches!(self, Self::Open | Self::Own | Self::Mandated | Self::Approved(_))
    }
}

#[cfg(test)]
mod tests;
