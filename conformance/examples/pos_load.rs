//! Load for a POS server: keeps so many datagrams under way, and counts what it answers.
//!
//! `cargo run --release -p assay-conformance --example pos_load -- 127.0.0.1:39192 101 10 64`: the server, the message
//! (`101`, which asks for an acknowledgement and the time, or `103`, a new payment each time), for how many seconds,
//! and how many datagrams are under way.

use std::env;
use std::io;
use std::net::UdpSocket;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long an answer is waited for before more is sent in its place.
const PATIENCE: Duration = Duration::from_millis(100);

/// The account that payments are from: one that the server need not know, for it answers all the same.
const CARD: &str = "8888888888";

/// What was sent and what came back.
#[derive(Default)]
struct Count {
    sent: u64,
    acknowledged: u64,
    answered: u64,
    lost: u64,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [server, command, seconds, window] = &words[..] else {
        say("usage: pos_load SERVER 101|103 SECONDS UNDER_WAY");
        return ExitCode::from(2);
    };
    let (Ok(seconds), Ok(window)) = (seconds.parse(), window.parse()) else {
        say("SECONDS and UNDER_WAY are whole numbers");
        return ExitCode::from(2);
    };
    match load(server, command, Duration::from_secs(seconds), window) {
        Ok(count) => {
            let each = |count: u64| count / seconds.max(1);
            say(&format!(
                "{} datagrams a second were acknowledged, {} a second more came as answers; {} of {} sent were lost",
                each(count.acknowledged),
                each(count.answered),
                count.lost,
                count.sent,
            ));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("{server}: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a rate is measured by the real clock")]
fn load(server: &str, command: &str, span: Duration, window: u64) -> io::Result<Count> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let (mut count, mut under_way, mut buffer) = (Count::default(), 0, [0; 2_048]);
    let until = Instant::now() + span;
    while Instant::now() < until {
        while under_way < window {
            socket.send(message(command, count.sent).as_bytes())?;
            (count.sent, under_way) = (count.sent + 1, under_way + 1);
        }
        match socket.recv(&mut buffer) {
            Ok(len) if buffer[..len].starts_with(b"001,") => {
                (count.acknowledged, under_way) = (count.acknowledged + 1, under_way.saturating_sub(1));
            }
            Ok(_) => count.answered += 1,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                (count.lost, under_way) = (count.lost + under_way, 0);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// The n-th message; each has a sequence number of its own, and a payment a time of its own.
fn message(command: &str, nth: u64) -> String {
    let seq = nth % 100_000;
    let (day, rest) = (nth / 86_400 % 28 + 1, nth % 86_400);
    let time = format!("2024-01-{day:02} {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60);
    let fields = if command == "101" { time } else { format!("{CARD},0.01,{time}") };
    format!("{command},{seq:05},192.168.0.20,10.0.0.2,00002,{fields}")
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn say(text: &str) {
    println!("{text}");
}
