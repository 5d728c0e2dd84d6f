//! Who asks, as a token proves it.

use std::sync::Arc;

use jiff::Timestamp;
use ryggrad_norway::OrgNumber;

use crate::matrix::{Scope, Stakeholder};
use crate::party::Party;

/// Who asks. Without a token it is anybody, who may see what is open. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller(Option<Arc<Identity>>);

/// What a token proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The organisation that was authorised (`consumer.ID`).
    pub consumer: OrgNumber,
    /// The processor that acts for it under a delegation (`supplier.ID`).
    pub supplier: Option<OrgNumber>,
    /// The customer's system user that the consumer's system acts as (Altinn).
    pub system_user: Option<SystemUser>,
    /// What the token allows.
    pub scopes: Scopes,
    /// What the consumer is known as: its rows in the list of parties.
    pub parties: Vec<Party>,
    /// When the token ends.
    pub expires: Timestamp,
}

/// A system user: the organisation that made it, and its id, which serves as the mandate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemUser {
    /// Id of the system user.
    pub id: String,
    /// The organisation that gave the mandate.
    pub organisation: OrgNumber,
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u16);

// === impl Caller ===

impl Caller {
    /// Somebody without a token.
    pub const ANYBODY: Self = Self(None);

    /// Somebody whose token was verified.
    pub fn proved(identity: Identity) -> Self {
        Self(Some(Arc::new(identity)))
    }

    /// What the token proves; none without one.
    pub fn identity(&self) -> Option<&Identity> {
        self.0.as_deref()
    }

    /// Whether the token allows it.
    pub fn has(&self, scope: Scope) -> bool {
        self.identity().is_some_and(|identity| identity.scopes.has(scope))
    }
}

// === impl Identity ===

impl Identity {
    /// The stakeholders that it is. Who is on no list is an organisation, or a platform for those who gave it a mandate.
    pub fn stakeholders(&self) -> impl Iterator<Item = Stakeholder> {
        self.parties.iter().map(|party| party.stakeholder)
    }

    /// Its row in the list of parties as this stakeholder.
    pub fn party(&self, stakeholder: Stakeholder) -> Option<&Party> {
        self.parties.iter().find(|party| party.stakeholder == stakeholder)
    }

    /// As which organisation it acts: whose own facts it may handle, and to whom belongs what it begins. As a system user it
    /// is the customer's system, not its maker, that acts.
    pub fn acts_as(&self) -> OrgNumber {
        self.system_user
            .as_ref()
            .map_or(self.consumer, |user| user.organisation)
    }

    /// Whether a mandate opens to it what it opens to a platform: it is one, or on no list. Any other stakeholder keeps to its
    /// own row of the matrix, whoever has given it a mandate.
    pub fn is_platform(&self) -> bool {
        self.parties.is_empty() || self.party(Stakeholder::Platform).is_some()
    }
}

// === impl Scopes ===

impl Scopes {
    /// The scopes of ours in a token's `scope`, separated by spaces.
    pub fn parse(text: &str) -> Self {
        text.split_ascii_whitespace().filter_map(Scope::parse).collect()
    }

    /// Whether a scope is among them.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & Self::bit(scope) != 0
    }

    fn bit(scope: Scope) -> u16 {
        1 << scope as u16
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | Self::bit(scope)))
    }
}
