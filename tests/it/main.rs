//! Everything that only shows when the parts are put together.

mod architecture;
mod authority;
mod clients;
mod documents;
mod flow;
mod harness;
mod imports;
mod operating;
mod outage;
mod privacy;
mod register_clients;
mod traces;
