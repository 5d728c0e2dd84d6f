#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// The folds, each pure: an event and a row give a row.
mod access_log;
mod fact;
mod municipality_directory;
mod org_timeline;
mod register_case;
mod register_changes;
mod register_units;
mod stats_cube;
mod subscriptions;

// The role around them.
mod api;
mod doors;
mod download;
mod views;

#[cfg(test)]
mod example;

pub use access_log::AccessLog;
pub use municipality_directory::MunicipalityDirectory;
pub use org_timeline::OrgTimeline;
pub use register_case::RegisterCase;
pub use register_changes::RegisterChanges;
pub use register_units::RegisterUnits;
pub use stats_cube::StatsCube;
pub use subscriptions::Subscriptions;
pub use views::{Options, Verified, Views};
