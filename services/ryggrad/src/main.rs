//! The program `ryggrad`; everything is in the library beside it.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// glibc keeps what a burst of work freed; this gives it back, and is faster with many threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ryggrad::main()
}
