//! The command `ryggrad`: every role in one program, and the tools of those who run it.
//!
//! - [`stack`] starts roles on stores that are there; [`up`] starts the stores too, [`serve`] one role for production.
//! - [`import`] and [`simulate`] bring organisations in; [`demo`] shows one on its way, [`trigger`] makes one fact happen.
//! - [`issuer`] is the development issuer, and [`token`] prints its tokens.
//! - [`tail`] follows the stream in the terminal, [`listen`] forwards it to a receiver under development.
//! - [`verify`], [`replay`], [`parked`] and [`clock`] are for operators, through the [`admin`] service where a role has to act.

pub mod admin;
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is the edge: it makes the ids that clients would send"
)]
pub mod bench;
pub mod cli;
pub mod clock;
pub mod demo;
pub mod exit;
pub mod import;
pub mod issuer;
pub mod listen;
pub mod parked;
pub mod print;
pub mod replay;
pub mod running;
pub mod serve;
pub mod servers;
pub mod simulate;
pub mod stack;
pub mod stop;
pub mod tail;
pub mod token;
pub mod trigger;
pub mod up;
pub mod verify;

mod status;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::exit::Exit;

/// The program: reads the arguments, carries the command out, and tells in one line what went wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let end = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(cli.run()));
    if let Err(error) = &end {
        print::note(format!("{} {error:#}", print::styled(print::BAD, "ryggrad:")));
    }
    Exit::code(&end)
}
