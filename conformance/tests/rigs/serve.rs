//! A POS server of ours at a real port: faults by plan, the trace, and that no success leaves before it is stored.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::at_work::{ASSAY, own};

/// How long an answer may take on a busy computer.
const PATIENT: Duration = Duration::from_secs(10);

/// How long nothing must come where nothing is to come.
const SILENCE: Duration = Duration::from_millis(400);

/// A server that is served, and who asks it.
struct Served {
    process: Child,
    socket: UdpSocket,
}

impl Served {
    /// With these options; `limit` is put before the command in a shell.
    fn start(dir: &Path, limit: &str, words: &[&str]) -> Self {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let accounts = dir.join("accounts.jsonl");
        let account = r#"{"account":"8888888888","balance_fen":1000000,"counts":10,"standing":"good"}"#;
        fs::write(&accounts, format!("{account}\n")).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit} exec \"$@\""), "sh", ASSAY, "serve", "pos-server"]);
        command.args(["--udp", &free.to_string(), "--accounts", accounts.to_str().unwrap()]).args(words);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut told).unwrap();
        assert_eq!(told, "ready\n");
        Self { process, socket: Self::socket(free) }
    }

    fn socket(to: SocketAddr) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(to).unwrap();
        socket
    }

    fn ask(&self, message: &str) {
        self.socket.send(message.as_bytes()).unwrap();
    }

    /// What comes within this time, if anything does.
    fn hear(&self, within: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(within)).unwrap();
        let mut buffer = [0; 2_048];
        let len = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..len]).into_owned())
    }

    /// Ends it; what it said on its standard error.
    fn end(mut self) -> String {
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        self.process.wait().unwrap();
        said
    }
}

const POWER_ON: &str = "101,00001,192.168.0.20,10.0.0.2,00002,2024-01-02 03:04:05";
const PAY: &str = "103,00002,192.168.0.20,10.0.0.2,00002,8888888888,5.50,2024-01-02 03:05:00";

#[test]
fn faults_strike_by_plan_and_everything_that_passes_is_traced() {
    let dir = own("serve-plan");
    let plan = dir.join("plan.toml");
    fs::write(&plan, "[[strike]]\nsite = \"udp-a< 001 #1\"\nfault = { fate = \"drop\" }\n").unwrap();
    let words = ["--peers", "1", "--trace", "--plan", plan.to_str().unwrap()];
    let served = Served::start(&dir, "", &words);
    served.ask(PAY);
    // The acknowledgement is lost, and the answer is not.
    let first = served.hear(PATIENT).unwrap();
    assert!(first.starts_with("008,00002,8888888888,5.50,"), "{first}");
    served.ask(POWER_ON);
    let heard: Vec<String> = (0..2).filter_map(|_| served.hear(PATIENT)).collect();
    assert!(heard.iter().any(|text| text.starts_with("001,00001")), "{heard:?}");
    let said = served.end();
    for text in ["udp-a>        arrives  \"103,00002,", "udp-a<        008 #1 ", "`udp-a< 001 #1` is lost."] {
        assert!(said.contains(text), "{text}\n{said}");
    }
}

#[test]
fn a_success_is_in_the_store_by_the_time_it_is_told() {
    let dir = own("serve-store");
    let store = dir.join("store.jsonl");
    let served = Served::start(&dir, "", &["--store", store.to_str().unwrap()]);
    served.ask(PAY);
    while !served.hear(PATIENT).unwrap().starts_with("008,") {}
    let kept = fs::read_to_string(&store).unwrap();
    assert!(kept.lines().count() > 0 && kept.contains("8888888888"), "{kept}");
    served.end();
}

#[test]
fn what_cannot_be_stored_is_never_told_as_a_success() {
    let dir = own("serve-full");
    let store = dir.join("store.jsonl");
    // Whoever writes to any file beyond its limit of no bytes is ended by the system.
    let mut served = Served::start(&dir, "ulimit -f 0;", &["--store", store.to_str().unwrap()]);
    served.ask(PAY);
    while let Some(heard) = served.hear(SILENCE) {
        assert!(heard.starts_with("001,"), "{heard}");
    }
    assert!(!served.process.wait().unwrap().success());
    assert_eq!(fs::read_to_string(&store).unwrap(), "");
}

/// How many payments come in all, and how many of them at once.
const BURST: (i64, usize) = (600, 100);

#[test]
fn every_success_of_a_burst_is_in_the_store_when_the_server_is_killed() {
    let dir = own("serve-burst");
    let store = dir.join("store.jsonl");
    let mut served = Served::start(&dir, "", &["--store", store.to_str().unwrap()]);
    let mut told = BTreeSet::new();
    for first in (1..=BURST.0).step_by(BURST.1) {
        for fen in first..first + 100 {
            let (yuan, rest) = (fen / 100, fen % 100);
            let amount = format!("{yuan}.{rest:02}");
            served.ask(&PAY.replace("5.50", &amount));
        }
        while let Some(heard) = served.hear(SILENCE) {
            let amount = heard.strip_prefix("008,00002,8888888888,").and_then(|rest| rest.split_once(','));
            told.extend(amount.map(|(amount, _)| amount.replace('.', "").parse::<i64>().unwrap()));
        }
    }
    served.process.kill().unwrap();
    served.process.wait().unwrap();
    let kept = fs::read_to_string(&store).unwrap();
    let kept = kept.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let kept: BTreeSet<i64> =
        kept.filter_map(|line| line["Charged"]["id"]["sold"]["Money"][1].as_i64()).collect();
    let lost: Vec<&i64> = told.difference(&kept).collect();
    assert!(told.len() > 100 && lost.is_empty(), "{} told, and not kept: {lost:?}", told.len());
}
