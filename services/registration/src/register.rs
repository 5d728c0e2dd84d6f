//! The register authority as the backbone meets it. Its decisions and its data come in here and nowhere else.
//!
//! [`brreg`] reads its published formats, [`import`] turns them into facts exactly once, [`simulator`] plays the authority, and
//! [`population`] writes a national population in its formats.

pub mod brreg;
pub mod import;
pub mod population;
pub mod simulator;
mod snapshot;
