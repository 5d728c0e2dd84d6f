//! Who may see what: the stakeholder matrix of the handbook as data, and the one piece of code that holds everybody to it.
//!
//! - A [`Caller`] is who asks, as a token proves it.
//! - A [`Gate`] is what that caller may see at this moment. The stream and every view ask it about each event, so there is
//!   one answer behind every door. It is made by a [`Registry`], which reads what the log says about approvals, mandates and
//!   affiliations.
//! - A [`Filter`] is what somebody wants of what there is; an approved subscription is bounded by one.
//!
//! Denied is what nothing allows (handbook 11). Open data (class PUBLIC, which carries no person) is open to everybody,
//! token or not. Everything else needs a reason: it is one's own, one has a mandate for it, or a subscription on a legal
//! basis was approved, which is itself a fact for everybody to read.
#![warn(missing_docs)]

mod bounds;
mod caller;
mod filter;
mod gate;
mod key;
mod matrix;
mod party;
mod registry;
mod vocabulary;

pub use bounds::{Bounds, Within};
pub use caller::{Caller, Identity, Scopes, SystemUser};
pub use filter::{Filter, Invalid};
pub use gate::{Approval, Gate, Verdict};
pub use key::Key;
pub use matrix::{Grant, MATRIX, Reach, Scope, Stakeholder, View};
pub use party::{Parties, Party, PartyError};
pub use registry::Registry;
pub use vocabulary::{UNKNOWN, Vocabulary};
