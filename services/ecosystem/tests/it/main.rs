//! The service on a real log.

mod subscribing;
