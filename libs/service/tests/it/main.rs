//! The chassis from outside: real connections to a server with two small services.

mod admission;
mod bad_input;
mod bad_tokens;
mod callers;
mod commands;
mod floods;
mod http;
mod lifecycle;
mod protocols;
mod server;
mod tokens;
mod traces;
