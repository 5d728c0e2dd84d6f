//! Callers, as tokens would prove them.

use jiff::Timestamp;
use ryggrad_access::{Caller, Identity, Party, Scope, Stakeholder, SystemUser};
use ryggrad_norway::OrgNumber;

/// A platform of the development list.
pub(crate) const PLATFORM: &str = "399001218";
/// Another one.
pub(crate) const OTHER: &str = "399001307";
/// The register authority of the development list.
pub(crate) const BRREG: &str = "399000106";
/// A club.
pub(crate) const CLUB: &str = "310000019";

/// A caller with a number, what it is known as, and what its token allows.
pub(crate) fn caller(
    number: &str,
    stakeholder: Option<Stakeholder>,
    scopes: impl IntoIterator<Item = Scope>,
) -> Caller {
    Caller::proved(identity(number, stakeholder, scopes))
}

/// The customer's system user, in a platform's system.
pub(crate) fn system_user(number: &str, customer: &str, scopes: impl IntoIterator<Item = Scope>) -> Caller {
    Caller::proved(Identity {
        system_user: Some(SystemUser {
            id: "a2b1".to_owned(),
            organisation: orgnr(customer),
        }),
        ..identity(number, Some(Stakeholder::Platform), scopes)
    })
}

fn identity(number: &str, stakeholder: Option<Stakeholder>, scopes: impl IntoIterator<Item = Scope>) -> Identity {
    let consumer = orgnr(number);
    let party = |stakeholder| Party {
        orgnr: consumer,
        stakeholder,
        kommune: None,
        name: String::new(),
    };
    Identity {
        consumer,
        supplier: None,
        system_user: None,
        scopes: scopes.into_iter().collect(),
        parties: stakeholder.map(party).into_iter().collect(),
        expires: Timestamp::MAX,
    }
}

fn orgnr(number: &str) -> OrgNumber {
    OrgNumber::parse(number).expect("a number")
}
