//! Drivers that others have written, at a SIM800A that is served.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is missing fails the test right there")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The tool.
const ASSAY: &str = env!("CARGO_BIN_EXE_assay");

fn own(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drivers").join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A Python of its own with this package.
///
/// Errors: what is not there.
fn python_with(dir: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let home = dir.join("python");
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let python = home.join("bin").join("python");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    Ok(python)
}

#[test]
fn a_public_python_module_fetches_a_page_over_the_http_service() {
    let dir = own("usim800");
    let python = match python_with(&dir, &["usim800==0.0.7", "pyserial==3.5"]) {
        Ok(python) => python,
        Err(why) => return println!("not tried, as usim800 is not there: {why}"),
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command.arg(here.join("tests/drivers/usim800_get.py")).arg(ASSAY);
    command.arg(here.join("../fixtures/profiles/sim800a.toml")).arg(&dir);
    let said = run(&mut command).unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "10.0.0.7 200 the tap is open\n");
}
