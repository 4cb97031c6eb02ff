//! Parties that no suite should ever meet: each gets its verdict in bounded time, and nothing is left of it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is missing fails the test right there")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The tool.
const ASSAY: &str = env!("CARGO_BIN_EXE_assay");

/// How long a run of any of them may take.
const BOUND: Duration = Duration::from_secs(120);

/// Waits for the first datagram and then sends as fast as it can.
const UDP_FLOOD: &str = "import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', int(sys.argv[1])))
print('ready', flush=True)
_, to = s.recvfrom(2048)
while True:
    try:
        s.sendto(b'x' * 1400, to)
    except OSError:
        pass
";

/// Takes every connection and sends 100 MB a second over each, as far as it is let.
const TCP_FLOOD: &str = "import socket, sys, threading
def flood(c):
    try:
        while True:
            c.sendall(b'x' * 65536)
    except OSError:
        pass
def take(s):
    while True:
        c, _ = s.accept()
        threading.Thread(target=flood, args=(c,), daemon=True).start()
ports = [socket.create_server(('127.0.0.1', int(p))) for p in sys.argv[1:-1]]
for s in ports:
    threading.Thread(target=take, args=(s,), daemon=True).start()
print('ready', flush=True)
threading.Event().wait()
";

/// Takes every connection and reads nothing.
const TCP_DEAF: &str = "import socket, sys, threading
kept = []
def take(s):
    while True:
        kept.append(s.accept())
for p in sys.argv[1:-1]:
    threading.Thread(target=take, args=(socket.create_server(('127.0.0.1', int(p))),), daemon=True).start()
print('ready', flush=True)
threading.Event().wait()
";

#[expect(clippy::disallowed_methods, reason = "that a run ends in time is seen by the real clock")]
fn clock() -> Instant {
    Instant::now()
}

/// A party of these words in the seat of a rig that comes with the suite; nothing where there is no Python for it.
fn run(name: &str, rig: &str, case: &str, words: &[&str]) -> Option<(Option<i32>, Value, Duration)> {
    if words[0] == "python3" && Command::new("python3").arg("--version").output().is_err() {
        return None;
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hopeless").join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let path = seated(&dir, rig, words);
    let out = dir.join("out");
    let began = clock();
    let mut command = Command::new(ASSAY);
    command.args(["run", case, "--bench", &format!("rig:{}", path.display())]);
    let output = command.arg("--out").arg(&out).current_dir(&dir).output().unwrap();
    let took = began.elapsed();
    let text = fs::read_to_string(out.join("run.json"));
    let text = text.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let record: Value = serde_json::from_str(&text).unwrap();
    let left = fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let mark = dir.to_string_lossy().into_owned();
        fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&mark))
    });
    assert!(!left, "{name}: a process is left");
    Some((output.status.code(), record["cases"][0].clone(), took))
}

fn seated(dir: &Path, rig: &str, words: &[&str]) -> PathBuf {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rigs").join(rig));
    let text = text.unwrap();
    let text = text.replace("pics = ", "# pics = ");
    let (before, rest) = text.split_once("command = [").unwrap();
    let (_, after) = rest.split_once("]\n").unwrap();
    let words: Vec<String> = words.iter().map(|word| toml::Value::from(*word).to_string()).collect();
    // The last word is nobody's business but the test's, who finds the process by it.
    let command = format!("command = [{}, \"{}\"]\n", words.join(", "), dir.display());
    let after: String = after
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("dir", _)) => format!("dir = \"{}\"\n", dir.join("sut").display()),
            _ => format!("{line}\n"),
        })
        .collect();
    let path = dir.join("rig.toml");
    fs::write(&path, format!("{before}{command}{after}")).unwrap();
    path
}

fn why(case: &Value) -> String {
    case["why"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_server_that_floods_datagrams_is_shut_out_and_named() {
    let words = ["python3", "-c", UDP_FLOOD, "{port.udp}"];
    let Some((code, case, took)) =
        run("udp-flood", "pos-server-quick.toml", "pos/server-acks/same-number-again", &words)
    else {
        return;
    };
    let flooded = "more than 4000000 bytes came in over `udp` within a second";
    assert!(why(&case).contains(flooded), "{case}");
    assert!(matches!(code, Some(100 | 101)) && took < BOUND, "{code:?} {took:?}");
}

#[test]
fn a_server_that_floods_connections_is_shut_out_and_named() {
    let words = ["python3", "-c", TCP_FLOOD, "{port.gprs}", "{port.lan}"];
    let case = "water/server-durability/closed-order-stays-closed";
    let Some((code, case, took)) = run("tcp-flood", "water-server-tcp.toml", case, &words) else { return };
    assert!(why(&case).contains("bytes came in over `"), "{case}");
    assert!(matches!(code, Some(100 | 101)) && took < BOUND, "{code:?} {took:?}");
}

#[test]
fn a_server_that_never_reads_does_not_pass_and_holds_nobody_up() {
    let words = ["python3", "-c", TCP_DEAF, "{port.gprs}", "{port.lan}"];
    let case = "water/server-durability/closed-order-stays-closed";
    let Some((code, case, took)) = run("tcp-deaf", "water-server-tcp.toml", case, &words) else { return };
    assert!(matches!(code, Some(100 | 101)) && took < BOUND, "{code:?} {took:?} {case}");
}
