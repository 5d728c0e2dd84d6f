//! The command `ryggrad`: every role in one program, and the tools of those who run it.
//!
//! - [`stack`] starts roles on stores that are there; [`up`] starts the stores too, [`serve`] one role for production.
//! - [`import`] and [`simulate`] bring organisations in; [`demo`] shows one on its way, [`trigger`] makes one fact happen.
//! - [`issuer`] is the development issuer, and [`token`] prints its tokens.
//! - [`tail`] follows the stream in the terminal, [`listen`] forwards it to a receiver under development.
//! - [`verify`], [`replay`], [`parked`], [`deadlines`] and [`clock`] are for operators, through the [`admin`] service where a role has to act.

pub mod admin;
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is the edge: it makes the ids that clients would send"
)]
pub mod bench;
pub mod cli;
pub mod clock;
pub mod deadlines;
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

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use clap::Parser as _;

use crate::cli::Cli;
use crate::exit::Exit;

/// The allocator's setting for how soon free memory goes back to the system, in milliseconds.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// The program: reads the arguments, carries the command out, and tells in one line what went wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.runs_roles() {
        give_memory_back();
    }
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

/// Has free memory go back to the system at once, and not when the thread that freed it next asks for some: that of a role
/// that waits may never do. The allocator reads its settings before anything else runs, so the program begins again with
/// this one; where that fails, it goes on without. Whoever has set it keeps what they have set.
#[expect(
    clippy::disallowed_methods,
    reason = "the allocator's own setting; docs/operating.md names it"
)]
fn give_memory_back() {
    if std::env::var_os(PURGE_DELAY).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_default();
        let error = Command::new(program)
            .arg0(name)
            .args(arguments)
            .env(PURGE_DELAY, "0")
            .exec();
        print::note(format!(
            "free memory is given back late: the program cannot begin again: {error}"
        ));
    }
}
