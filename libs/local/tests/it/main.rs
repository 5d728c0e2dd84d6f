//! The two servers for real: started, stopped, killed, and left behind by a crash.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop where tests would")]

mod nats;
mod postgres;
mod watchdog;
