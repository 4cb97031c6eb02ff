//! Drivers and tools that others have written, at modems that are served; and what a served modem does as its hosts
//! come and go.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is missing fails the test right there")]

mod atat_client;
mod hosts;
mod line;
mod served;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use served::{ASSAY, Served, own};

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Says why a driver is not tried; it is no failure of the modem's.
fn not_tried(driver: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "not tried: {driver} is not there: {}", why.trim_end());
}

/// A Python of its own with these packages.
///
/// Errors: what is not there.
fn python_with(dir: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let home = dir.join("python");
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let bin = home.join("bin");
    run(Command::new(bin.join("python")).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    Ok(bin)
}

#[test]
fn the_python_module_usim800_fetches_a_page_over_the_http_service() {
    let dir = own("usim800");
    let bin = match python_with(&dir, &["usim800==0.0.7", "pyserial==3.5"]) {
        Ok(bin) => bin,
        Err(why) => return not_tried("usim800", &why),
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(bin.join("python"));
    command.arg(here.join("tests/modem_drivers/usim800_get.py")).arg(ASSAY);
    command.arg(here.join("../fixtures/profiles/sim800a.toml")).arg(&dir);
    let said = run(&mut command).unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "10.0.0.7 200 the tap is open\n");
}

/// Whether a program is there; says so if not.
fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        not_tried(program, "this computer has no such command");
    }
    found
}

/// A script for bash in which `MODEM` stands for the pseudo-terminal.
fn shell(served: &Served, script: &str) -> Output {
    let script = script.replace("MODEM", served.path.to_str().unwrap());
    Command::new("timeout").args(["60", "bash", "-c", &script]).output().unwrap()
}

#[test]
fn the_console_tools_chat_socat_and_picocom_speak_with_either_module() {
    let tools = ["chat", "socat", "picocom"].map(has);
    for party in ["m6311", "sim800a"] {
        let served = Served::start(party, &own(&format!("console-{party}")), &["--dial"]);
        line::Line::open(&served.path).wake();
        if tools[0] {
            let words = "'' AT OK-AT-OK ATE0 OK AT+CSQ OK AT+CREG? OK";
            let said = shell(
                &served,
                &format!("exec 3<>MODEM && stty raw -echo <&3 && chat -t 10 -v -s {words} <&3 >&3"),
            );
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        }
        let script = "for i in 1 2 3; do printf 'AT+CSQ\\r'; sleep 1; done";
        if tools[1] {
            let said = shell(&served, &format!("({script}) | socat -t 3 - MODEM,raw,echo=0"));
            let heard = String::from_utf8_lossy(&said.stdout).into_owned();
            assert!(said.status.success() && heard.contains("\r\n+CSQ: "), "{heard:?}");
        }
        if tools[2] {
            let said = shell(&served, &format!("({script}) | picocom -q -b 115200 -x 4000 MODEM"));
            let heard = String::from_utf8_lossy(&said.stdout).into_owned();
            assert!(heard.contains("+CSQ: "), "{heard:?} {}", String::from_utf8_lossy(&said.stderr));
        }
        served.end();
    }
}

#[test]
fn gammu_knows_a_served_sim800a() {
    if !has("gammu") {
        return;
    }
    let dir = own("gammu");
    let served = Served::start("sim800a", &dir, &["--dial"]);
    line::Line::open(&served.path).wake();
    let config = dir.join("gammurc");
    let text = format!("[gammu]\ndevice = {}\nconnection = at115200\n", served.path.display());
    std::fs::write(&config, text).unwrap();
    let said = Command::new("timeout").args(["60", "gammu", "-c"]).arg(&config).arg("identify").output();
    let said = String::from_utf8_lossy(&said.unwrap().stdout).into_owned();
    assert!(said.contains("SIM800A") && said.contains("860000000000000"), "{said}");
    served.end();
}
