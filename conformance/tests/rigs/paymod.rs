//! The pay module, its server and its host as processes: on rigs, and with each other.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::at_work::{ASSAY, Ended, Running, own, rig};

/// Starts a case on one of the rigs, whose party is of this design.
fn start(file: &str, policy: &str, case: &str, dir: &Path) -> Running {
    let policy = format!("\"--policy\", \"{policy}\", \"--divide-timers\"");
    let rig = rig(file, dir, |text| text.replace("\"--divide-timers\"", &policy));
    Running::case(case, &rig, dir)
}

/// What this design violates in a case on the tabletop.
fn violated_in_simulation(case: &str, policy: &str, dir: &Path) -> Vec<String> {
    let words = ["run", case, "--bench", "tabletop", "--policy", policy];
    Running::start(&words, &dir.join("simulated")).ended().violated
}

/// Runs cases on rigs at once, each with this design, as the directories of this name.
fn run_all(name: &str, policy: &str, cases: &[(&str, &str)]) -> Vec<(PathBuf, Ended)> {
    let started = cases.iter().enumerate().map(|(at, (file, case))| {
        let dir = own(&format!("{name}-{at}"));
        (start(file, policy, case, &dir), dir)
    });
    let started: Vec<_> = started.collect();
    started.into_iter().map(|(running, dir)| (dir, running.ended())).collect()
}

#[test]
fn the_reference_passes_at_real_ports_and_under_real_kills() {
    let cases = [
        ("pay-module-process.toml", "paymod/order/paid"),
        ("pay-module-process.toml", "paymod/trouble/cut-in-the-pulse"),
        ("pay-module-modem.toml", "paymod/order/paid"),
        ("pay-server-process.toml", "paymod/order/paid"),
        ("pay-server-process.toml", "paymod/trouble/server-away"),
        ("pay-server-process.toml", "paymod/server/repeated"),
    ];
    for ((file, case), (_, ended)) in cases.iter().zip(run_all("paymod-hardened", "hardened", &cases)) {
        assert!(ended.violated.is_empty(), "{file} {case}: {:?}", ended.violated);
        assert_eq!((ended.code, ended.verdict.as_str()), (Some(0), "pass"), "{file} {case}: {}", ended.why);
    }
}

#[test]
fn the_published_design_fails_at_real_ports_what_it_fails_in_simulation() {
    let cases = [
        ("pay-module-process.toml", "paymod/trouble/cut-in-the-pulse"),
        ("pay-server-process.toml", "paymod/order/cancelled-and-paid-late"),
        ("pay-server-process.toml", "paymod/server/other-session"),
    ];
    for ((file, case), (dir, ended)) in cases.iter().zip(run_all("paymod-published", "published", &cases)) {
        let simulated = violated_in_simulation(case, "published", &dir);
        assert!(!simulated.is_empty(), "{case}");
        assert_eq!((ended.code, ended.verdict.as_str()), (Some(100), "fail"), "{file} {case}: {}", ended.why);
        assert_eq!(ended.violated, simulated, "{file} {case}");
    }
}

/// A moment in which the served parties have the processors to themselves.
fn rest() {
    std::thread::sleep(std::time::Duration::from_millis(5));
}

/// A party that is served, with people at its standard input and output.
struct Served {
    process: Child,
    people: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Served {
    fn start(words: &[&str]) -> Self {
        let mut command = Command::new(ASSAY);
        command.arg("serve").args(words).args(["--divide-timers", "10"]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = piped.spawn().unwrap();
        let (people, said) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, people, said: BufReader::new(said) }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.people, "{line}").unwrap();
    }

    /// Reads on until a line has this text.
    fn hear(&mut self, text: &str) -> String {
        let mut heard = String::new();
        loop {
            let before = heard.len();
            assert!(self.said.read_line(&mut heard).unwrap() > 0, "{text}: {heard}");
            if heard[before..].contains(text) {
                return heard[before..].to_owned();
            }
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn host_module_and_server_sell_a_drink_over_real_ports() {
    let dir = own("paymod-together");
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let (line, log, ledger, flash) = (at("line"), at("log.jsonl"), at("ledger.jsonl"), at("flash.bin"));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut server = Served::start(&["pay-server", "--tcp", &free, "--store", &log, "--ledger", &ledger]);
    let mut host = Served::start(&["pay-host", "--pty", &line]);
    while !Path::new(&line).exists() {
        rest();
    }
    let module = ["pay-module", "--serial", &line, "--tcp", &free, "--store", &flash];
    let mut module = Served::start(&module);
    host.say("buy 7");
    host.hear("write `pay ORDER FEN`");
    host.say("pay 7 1250 1 2 80");
    let link = host.hear("link ready");
    assert!(link.contains("weixin://wxpay/"), "{link}");
    server.say("pay");
    server.hear("has nothing to pay");
    server.say("scan-and-pay");
    server.hear("has scanned and paid 00000000000000000007");
    module.hear("relay 2 ON");
    module.hear("relay 2 OFF");
    host.hear("shows order 00000000000000000007: paid");
    // What the module has delivered it tells its server, which shows it and keeps it.
    let told = || fs::read_to_string(&ledger).unwrap_or_default();
    let kept = || fs::read_to_string(&log).unwrap_or_default();
    while [told(), kept()].iter().any(|text| !text.contains("\"delivered\"")) {
        rest();
    }
    assert!(told().starts_with("{\"order\":\"00000000000000000007\",\"device\":42,\"amount_fen\":1250,"));
    assert_eq!(fs::metadata(&flash).unwrap().len(), 8 * 4096);
}
