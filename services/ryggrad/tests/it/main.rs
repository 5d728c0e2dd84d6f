//! The program as a user meets it: started, talked to, stopped, killed.

mod beside;
mod deployment;
mod fetch;
mod first_subscription;
mod import;
mod interrupted;
mod killed;
mod life;
mod program;
mod proof;
mod reader;
mod receiver;
mod signals;
mod triggers;
mod usage;
