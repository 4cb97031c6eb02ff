//! Parties that no suite should ever meet: each gets its verdict in bounded time, and nothing is left of it.

use std::fs;
use std::time::{Duration, Instant};

use crate::at_work::{Ended, Running, commanded, has, own, rig};

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

/// A party of these words in the seat of a rig that comes with the suite, and how long its run took; nothing where
/// there is no Python for it.
fn run(name: &str, file: &str, case: &str, words: &[&str]) -> Option<(Ended, Duration)> {
    if !has("python3") {
        return None;
    }
    let dir = own(name);
    // The last word is nobody's business but the test's, who finds the process by it.
    let mark = dir.display().to_string();
    let words: Vec<&str> = ["python3", "-c"].iter().chain(words).copied().chain([mark.as_str()]).collect();
    let rig = rig(file, &dir, |text| commanded(&text.replace("pics = ", "# pics = "), &words));
    let began = clock();
    let ended = Running::case(case, &rig, &dir).ended();
    let took = began.elapsed();
    let left = fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline"));
        line.is_ok_and(|line| String::from_utf8_lossy(&line).contains(&mark))
    });
    assert!(!left, "{name}: a process is left");
    Some((ended, took))
}

fn judged_in_time(ended: &Ended, took: Duration) {
    assert!(matches!(ended.code, Some(100 | 101)) && took < BOUND, "{ended:?} {took:?}");
}

#[test]
fn a_server_that_floods_datagrams_is_shut_out_and_named() {
    let (file, case) = ("pos-server-quick.toml", "pos/server-acks/same-number-again");
    let Some((ended, took)) = run("udp-flood", file, case, &[UDP_FLOOD, "{port.udp}"]) else { return };
    let flooded = "more than 4000000 bytes came in over `udp` within a second";
    assert!(ended.why.contains(flooded), "{ended:?}");
    judged_in_time(&ended, took);
}

/// A case of the message server, which takes connections at two ports.
fn run_message_server(name: &str, program: &str) -> Option<(Ended, Duration)> {
    let (file, case) = ("water-server-tcp.toml", "water/server-durability/closed-order-stays-closed");
    run(name, file, case, &[program, "{port.gprs}", "{port.lan}"])
}

#[test]
fn a_server_that_floods_connections_is_shut_out_and_named() {
    let Some((ended, took)) = run_message_server("tcp-flood", TCP_FLOOD) else { return };
    assert!(ended.why.contains("bytes came in over `"), "{ended:?}");
    judged_in_time(&ended, took);
}

#[test]
fn a_server_that_never_reads_does_not_pass_and_holds_nobody_up() {
    let Some((ended, took)) = run_message_server("tcp-deaf", TCP_DEAF) else { return };
    judged_in_time(&ended, took);
}
