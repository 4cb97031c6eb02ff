//! Real processes in the seats of a bench: the suite's own, and such as no suite should ever meet.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::at_work::{ASSAY, Ended, Running, commanded, own, rig};

fn run(case: &str, rig: &Path, dir: &Path) -> Ended {
    Running::case(case, rig, dir).ended()
}

/// A rig whose server is this shell script.
fn hopeless(dir: &Path, script: &str) -> PathBuf {
    rig("pos-server-process.toml", dir, |text| {
        let text = commanded(&text, &["sh", "-c", script, "{port.udp}"]);
        text.replace("boot = \"5 s\"", "boot = \"2 s\"")
    })
}

/// Whether a process is alive whose command line has this word.
fn is_alive(word: &str) -> bool {
    let lines = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some(line.split(|byte| *byte == 0).any(|known| known == word.as_bytes()))
    });
    lines.into_iter().any(|found| found)
}

#[test]
fn a_server_that_ends_at_its_start_is_a_finding_about_it() {
    let dir = own("exits");
    let ended = run("pos/payment/clean", &hopeless(&dir, "exit 3"), &dir);
    assert_eq!((ended.code, ended.verdict.as_str()), (Some(101), "inconclusive"), "{}", ended.why);
    assert!(ended.why.contains("has ended by itself: exit status: 3"), "{}", ended.why);
}

#[test]
fn a_server_that_never_says_that_it_is_ready_is_given_up_and_leaves_nothing_behind() {
    let dir = own("forks");
    // One of its children leaves the group, and one grandchild has no parent any more.
    let script = "setsid sleep 98761 & (sleep 98762 &) ; sleep 98763";
    let ended = run("pos/payment/clean", &hopeless(&dir, script), &dir);
    assert_eq!((ended.code, ended.verdict.as_str()), (Some(101), "inconclusive"), "{}", ended.why);
    assert!(ended.why.contains("has not said `ready` within 2000 ms"), "{}", ended.why);
    assert!(!["98761", "98762", "98763"].into_iter().any(is_alive));
}

#[test]
fn what_a_process_prints_is_kept_up_to_its_limit() {
    let dir = own("floods");
    let ended = run("pos/payment/clean", &hopeless(&dir, "yes 98764"), &dir);
    assert!(ended.why.contains("has not said `ready` within 2000 ms"), "{}", ended.why);
    let kept = dir.join("sut/pos-payment-clean/server.stdout");
    assert_eq!(fs::metadata(kept).unwrap().len(), 1_000_000);
    assert!(!is_alive("98764"));
}

#[test]
fn a_command_that_cannot_be_started_breaks_the_rig_and_not_the_device() {
    let dir = own("no-program");
    let rig = rig("pos-server-process.toml", &dir, |text| text.replace(ASSAY, "./no-such-program"));
    let ended = run("pos/payment/clean", &rig, &dir);
    assert_eq!((ended.code, ended.verdict.as_str()), (Some(102), "broken"));
    assert!(ended.why.contains("`./no-such-program` could not be started"), "{}", ended.why);
}

#[test]
fn a_served_pos_server_charges_over_real_datagrams_and_shows_its_ledger() {
    let dir = own("pos-server");
    let rig = rig("pos-server-process.toml", &dir, |text| text);
    let ended = run("pos/payment/clean", &rig, &dir);
    assert!(ended.violated.is_empty(), "{:?}", ended.violated);
    assert!(ended.why.contains("power of `server` (process) cut once, gone within "), "{}", ended.why);
    let ledger = fs::read_to_string(dir.join("sut/pos-payment-clean/data/ledger.jsonl")).unwrap();
    let has = |text: &str| ledger.lines().any(|line| line.contains(text));
    assert!(has(r#""account":"8888888888","balance_fen":9450"#), "{ledger}");
    assert!(has(r#""account":"7777777777","balance_fen":9880"#), "{ledger}");
    assert!(has(r#""sale":"code""#), "{ledger}");
}

/// What this design of the message server violates in a case on the tabletop.
fn violated_in_simulation(case: &str, policy: &str, dir: &Path) -> Vec<String> {
    let words = ["run", case, "--bench", "tabletop", "--policy", policy];
    Running::start(&words, &dir.join("simulated")).ended().violated
}

/// A served message server of this design under a case, over real connections.
fn run_message_server(case: &str, policy: &str, dir: &Path) -> Ended {
    let rig = rig("water-server-tcp.toml", dir, |text| {
        let text = text.replace("\"--divide-timers\", \"60\",", &format!("\"--policy\", \"{policy}\","));
        text.replace("divide_timers = 60", "divide_timers = 1")
    });
    run(case, &rig, dir)
}

#[test]
fn the_reference_message_server_survives_real_kills() {
    let dir = own("water-hardened");
    let ended = run_message_server("water/server-durability/closed-order-stays-closed", "hardened", &dir);
    assert_eq!((ended.code, ended.verdict.as_str()), (Some(0), "pass"), "{}", ended.why);
    assert!(ended.why.contains("power of `server` (process) cut "), "{}", ended.why);
}

#[test]
fn the_published_message_server_fails_over_real_connections_what_it_fails_in_simulation() {
    for (name, case) in [
        ("water-doubt", "water/server-ledger/doubt-ends-at-the-card"),
        ("water-offer", "water/server-durability/offer-survives"),
    ] {
        let dir = own(name);
        let simulated = violated_in_simulation(case, "published", &dir);
        assert!(!simulated.is_empty(), "{case}");
        let ended = run_message_server(case, "published", &dir);
        assert_eq!((ended.code, ended.verdict.as_str()), (Some(100), "fail"), "{case}: {}", ended.why);
        assert_eq!(ended.violated, simulated, "{case}");
    }
}

#[test]
fn a_party_that_is_served_ends_in_good_order_on_ctrl_c() {
    let dir = own("ctrl-c");
    let modem = dir.join("modem");
    let words = ["serve", "m6311", "--pty", modem.to_str().unwrap(), "--dial", "127.0.0.1:9"];
    let mut served = Command::new(ASSAY).args(words).stdout(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    BufReader::new(served.stdout.take().unwrap()).read_line(&mut told).unwrap();
    assert_eq!(told, "ready\n");
    assert!(fs::read_link(&modem).unwrap().starts_with("/dev"));
    Command::new("kill").args(["-INT", &served.id().to_string()]).status().unwrap();
    assert_eq!(served.wait().unwrap().code(), Some(0));
    assert!(!modem.is_symlink());
}

#[test]
fn a_party_is_told_which_options_it_needs_and_which_mean_nothing_to_it() {
    let refused = |words: &[&str]| {
        let output = Command::new(ASSAY).arg("serve").args(words).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = refused(&["pos-servr"]);
    assert!(code == Some(2) && told.contains("did you mean `pos-server`?"), "{told}");
    let (code, told) = refused(&["pos-server"]);
    assert!(code == Some(2) && told.starts_with("error: `--udp` is missing: "), "{told}");
    let (code, told) = refused(&["pos-server", "--udp", "127.0.0.1:0", "--pty", "x"]);
    assert!(code == Some(2) && told.starts_with("error: `--pty` means nothing to this party"), "{told}");
    let (code, told) = refused(&["pos-server", "--udp", "192.0.2.1:1"]);
    assert!(code == Some(102) && told.contains("192.0.2.1:1 could not be taken"), "{told}");
}
