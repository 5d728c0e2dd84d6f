//! How fresh what a register said about an organisation is: what an older snapshot is told by.

use jiff::Timestamp;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;

/// How fresh what a register said is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clocks {
    /// When the source itself last changed something.
    pub updated: Option<Timestamp>,
    /// When it was read from its source.
    pub fetched: Option<Timestamp>,
}

// === impl Clocks ===

impl Clocks {
    /// The clocks of an origin; none of them when it is not a register's.
    pub(super) fn of(origin: &pb::FactOrigin) -> Self {
        let instant = |clock: Option<ryggrad_proto::Timestamp>| clock.and_then(|at| Timestamp::try_from(at).ok());
        Self {
            updated: instant(origin.source_updated_at),
            fetched: instant(origin.fetched_at),
        }
    }

    /// Whether what has these clocks was taken before what has those. What the source says counts before when it was read; what
    /// cannot be compared is not older.
    pub(super) fn before(&self, known: &Self) -> bool {
        let pair = self
            .updated
            .zip(known.updated)
            .or_else(|| self.fetched.zip(known.fetched));
        pair.is_some_and(|(new, old)| new < old)
    }

    /// When what has these clocks was so: what the source says counts before when it was read.
    pub(super) fn taken(&self) -> Option<Timestamp> {
        self.updated.or(self.fetched)
    }

    pub(super) fn advance(&mut self, to: Self) {
        self.updated = self.updated.max(to.updated);
        self.fetched = self.fetched.max(to.fetched);
    }
}

/// Where a fact comes from, when its message says so.
pub(super) fn origin(event: &Event) -> Option<&pb::FactOrigin> {
    match event {
        Event::OrganisationRegistered(e) => e.origin.as_ref(),
        Event::VoluntaryRegistrationEntered(e) => e.origin.as_ref(),
        Event::VoluntaryRegistrationDeleted(e) => e.origin.as_ref(),
        Event::GrasrotParticipationApproved(e) => e.origin.as_ref(),
        Event::GrasrotParticipationEnded(e) => e.origin.as_ref(),
        Event::GrasrotExclusionImposed(e) => e.origin.as_ref(),
        Event::ActivityCategoriesChanged(e) => e.origin.as_ref(),
        Event::AccountingDutyChanged(e) => e.origin.as_ref(),
        Event::AnnualAccountsSubmitted(e) => e.origin.as_ref(),
        Event::OrganisationDetailsChanged(e) => e.origin.as_ref(),
        Event::AffiliationEstablished(e) => e.origin.as_ref(),
        Event::BylawsAdopted(e) => e.origin.as_ref(),
        Event::DissolutionReported(e) => e.origin.as_ref(),
        Event::DissolutionRevoked(e) => e.origin.as_ref(),
        Event::InsolvencyDeclared(e) => e.origin.as_ref(),
        Event::OrganisationDeleted(e) => e.origin.as_ref(),
        Event::OrganisationOpened(_)
        | Event::VoluntaryRegistrationApplied(_)
        | Event::VoluntaryApplicationEnded(_)
        | Event::VoluntaryRegistrationRefused(_)
        | Event::RolesReported(_)
        | Event::BankAccountLinked(_) => None,
    }
}
