//! The two servers for real: started, stopped, killed, and left behind by a crash.

mod nats;
mod postgres;
mod watchdog;
