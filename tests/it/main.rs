//! Everything that only shows when the parts are put together.

mod architecture;
mod authority;
mod harness;
mod outage;
mod privacy;
