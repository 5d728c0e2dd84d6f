//! The register authority's own formats, read: Enhetsregisteret's units and Frivillighetsregisteret's organisations.
//!
//! A [`Reader`] takes any stream of bytes (gzip or plain), finds out what it holds (the bulk file, a page, one record, or lines of
//! those) and yields checked records in constant memory. [`Join`] puts the two registers together by organisation number into one
//! [`RegisterSnapshot`] each. Nothing is dropped in silence: a record that cannot be used is a [`Refused`] with its place and
//! reason, a value that cannot be used is a [`Warning`], and a file that cannot be read on is a [`Fault`]. Account numbers, e-mail,
//! telephone, the lines of an address that goes by way of somebody, and the text of annotations are never taken out of a record.

mod address;
mod convert;
mod cutter;
mod entry;
mod fault;
mod input;
mod join;
mod reader;
mod record;
mod snapshot;
#[cfg(test)]
mod tests;
mod unit;
mod voluntary;
mod wire;

pub use entry::{Counts, Entry, Keep, Kind, Options};
pub use fault::{Fault, Place, Refused, Warning};
pub use join::{Join, Joined, Left};
pub use reader::{Reader, check_whole};
pub use snapshot::{
    Abroad, AccountsReporting, Annotated, Exclusion, FormerName, Grasrot, OtherRegister, PostalAddress,
    RegisterSnapshot, Relation, Removed, SubmittedAccounts, VoluntaryRecord, WindingUp,
};
