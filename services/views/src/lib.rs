#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// The folds, each pure: an event and a row give a row.
mod fact;
mod municipality_directory;
mod org_timeline;
mod register_case;
mod stats_cube;

// The role around them.
mod api;
mod views;

#[cfg(test)]
mod example;

pub use municipality_directory::MunicipalityDirectory;
pub use org_timeline::OrgTimeline;
pub use register_case::RegisterCase;
pub use stats_cube::StatsCube;
pub use views::{Options, Verified, Views};
