//! The register authority as the backbone meets it: its data read, and a national population in its formats.

pub mod brreg;
pub mod population;
