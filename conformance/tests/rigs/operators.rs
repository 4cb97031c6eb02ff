//! People at a party where no robot stands: an operator is asked, and has only so long.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::at_work::{ASSAY, commanded, own, rig};

const CASE: &str = "pos/terminal-modes/fixed";

/// A served terminal before which only an operator stands: what is typed there comes out of a pipe, and what it shows
/// goes into a file.
fn hand_rig(dir: &Path, within: &str) -> PathBuf {
    let script = "[ -p \"$1/in\" ] || mkfifo \"$1/in\"; exec 3<>\"$1/in\"; echo on >>\"$1/starts\"; \
                  exec \"$3\" serve pos-terminal --udp \"127.0.0.1:$2\" --divide-timers 2 <&3 >\"$1/out\"";
    rig("pos-terminal-process.toml", dir, |text| {
        let words = ["sh", "-c", script, "sh", "{dir}", "{port.udp}", ASSAY];
        commanded(&text, &words)
            .replace("{ kind = \"stdio\" }", &format!("{{ kind = \"operator\", within = \"{within}\" }}"))
            .replace("divide_timers = 1\n", "divide_timers = 2\n")
    })
}

fn start(dir: &Path, rig: &Path) -> Child {
    let bench = format!("rig:{}", rig.display());
    let mut command = Command::new(ASSAY);
    command.args(["run", CASE, "--bench", &bench, "--out", dir.join("out").to_str().unwrap()]);
    command
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ended(mut running: Child, dir: &Path) -> Value {
    running.wait().unwrap();
    let record: Value = serde_json::from_str(&fs::read_to_string(dir.join("out/run.json")).unwrap()).unwrap();
    record["cases"][0].clone()
}

/// Types what the terminal shows, as long as the tool hears it; not what it shows while the rig checks itself.
#[expect(clippy::disallowed_methods, reason = "eyes and hands of an operator do not wait for each other")]
fn watch(data: PathBuf, keys: Arc<Mutex<ChildStdin>>) {
    let starts = move |file: &Path| fs::read_to_string(file).unwrap_or_default().lines().count();
    thread::spawn(move || {
        while starts(&data.join("starts")) < 2 {
            thread::sleep(Duration::from_millis(5));
        }
        let mut seen = 0;
        loop {
            let shown = fs::read_to_string(data.join("out")).unwrap_or_default();
            if let Some(fresh) = shown.get(seen..).filter(|fresh| fresh.ends_with('\n')) {
                seen = shown.len();
                if keys.lock().unwrap().write_all(fresh.as_bytes()).is_err() {
                    return;
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
}

#[test]
fn an_operator_does_what_is_asked_and_types_what_is_shown() {
    let dir = own("operator");
    let rig = hand_rig(&dir, "60 s");
    let mut running = start(&dir, &rig);
    let keys = Arc::new(Mutex::new(running.stdin.take().unwrap()));
    let data = dir.join("sut").join(CASE.replace('/', "-")).join("data");
    watch(data.clone(), Arc::clone(&keys));
    let mut asked = 0;
    for line in BufReader::new(running.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((what, _)) = line.strip_prefix("operator: ").and_then(|rest| rest.split_once("  (press"))
        else {
            continue;
        };
        asked += 1;
        let mut hand = fs::OpenOptions::new().write(true).open(data.join("in")).unwrap();
        hand.write_all(format!("{what}\n").as_bytes()).unwrap();
        keys.lock().unwrap().write_all(b"\n").unwrap();
    }
    let case = ended(running, &dir);
    assert!(asked > 1, "{case}");
    assert_eq!(case["verdict"], "pass", "{case}");
}

#[test]
fn a_case_that_nobody_attends_is_inconclusive() {
    let dir = own("operator-away");
    let rig = hand_rig(&dir, "300 ms");
    let mut running = start(&dir, &rig);
    let data = dir.join("sut").join(CASE.replace('/', "-")).join("data");
    watch(data, Arc::new(Mutex::new(running.stdin.take().unwrap())));
    let case = ended(running, &dir);
    assert_eq!(case["verdict"], "inconclusive", "{case}");
    let why = case["why"].as_str().unwrap();
    assert!(why.contains("no operator has said within 300 ms that it is done: "), "{why}");
}
