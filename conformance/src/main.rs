//! The tool `assay`.

use std::process::ExitCode;

fn main() -> ExitCode {
    assay_conformance::cli::main()
}
