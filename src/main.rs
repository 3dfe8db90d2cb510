//! The program: parses the command line, runs one command, turns a failure into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    twofold::cli::main()
}
