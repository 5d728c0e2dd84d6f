//! Where a fact comes from, with its three clocks.

use ryggrad_decider::{Context, Refusal};
use ryggrad_proto::registration::v1::FactOrigin;

use crate::input;

/// The sources that may speak for a register.
const REGISTERS: [&str; 3] = ["brreg", "brreg-snapshot", "register-simulator"];

/// The source of what an organisation says of itself.
pub(crate) const OWN: &str = "self";

/// A fact that its owner asserts now.
pub(crate) fn own(context: &Context) -> FactOrigin {
    FactOrigin {
        source: OWN.to_owned(),
        fetched_at: None,
        source_updated_at: None,
        asserted_at: Some(context.now.into()),
    }
}

/// A fact that a register tells. Its clocks are taken as they come: an absent one stays absent.
pub(crate) fn register(field: &'static str, origin: Option<&FactOrigin>) -> Result<FactOrigin, Refusal> {
    let origin = origin.ok_or_else(|| input::missing(field))?;
    if !REGISTERS.contains(&origin.source.as_str()) {
        return Err(input::refuse(
            &ryggrad_decider::rules::INPUT,
            "InvalidField",
            "Bare registeret selv kan fortelle dette: brreg, brreg-snapshot eller register-simulator.",
            "Berre registeret sjølv kan fortelje dette: brreg, brreg-snapshot eller register-simulator.",
            "only the register itself can tell this: brreg, brreg-snapshot or register-simulator",
        )
        .at(field));
    }
    for clock in [origin.fetched_at, origin.source_updated_at, origin.asserted_at] {
        input::instant(field, clock)?;
    }
    Ok(origin.clone())
}
