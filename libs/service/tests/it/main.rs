//! The chassis from outside: real connections to a server with two small services.

mod admission;
mod bad_input;
mod callers;
mod commands;
mod http;
mod lifecycle;
mod protocols;
mod server;
mod tokens;
mod traces;
