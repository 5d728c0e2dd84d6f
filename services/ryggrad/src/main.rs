//! The program `ryggrad`; everything is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ryggrad::main()
}
