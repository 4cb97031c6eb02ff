//! Certifications of real processes: what is certified, what a failure comes to, and what is left when it ends early.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::at_work::{ASSAY, commanded, has, own, root};

/// The quick rig that comes with the suite, with the tolerance of a computer that builds other things meanwhile.
fn rig(dir: &Path, change: impl Fn(String) -> String) -> PathBuf {
    let patient = |text: String| text.replace("tolerance = \"300 ms\"", "tolerance = \"3 s\"");
    crate::at_work::rig("pos-server-quick.toml", dir, |text| change(patient(text)))
}

/// A certification in this directory, with so long an exploration and so long a soak.
fn command(dir: &Path, rig: &Path, spans: [&str; 2], words: &[&str]) -> Command {
    let mut command = Command::new(ASSAY);
    command.args(["certify", "--rig", rig.to_str().unwrap(), "--out", dir.join("out").to_str().unwrap()]);
    command.args(["--explore-budget", spans[0], "--soak", spans[1]]).args(words).current_dir(dir);
    command
}

fn record(dir: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(dir.join("out/run.json")).unwrap()).unwrap()
}

fn certificate(dir: &Path) -> String {
    fs::read_to_string(dir.join("out/certificate.txt")).unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_reference_is_certified_with_its_faults_its_soak_and_its_statement() {
    let dir = own("certify-reference");
    let rig = rig(&dir, |text| text);
    let words = ["pos/server-durability/drain", "pos/server-acks/same-number-again", "--jobs", "4"];
    let output = command(&dir, &rig, ["4s", "4s"], &words).output().unwrap();
    let record = record(&dir);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let ids: Vec<&str> =
        record["cases"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["pos/server-acks/same-number-again", "pos/server-durability/drain"]);
    let explored = &record["exploration"][0];
    let [sites, total, struck] =
        ["sites", "faults_total", "faults_struck"].map(|key| explored[key].as_u64().unwrap());
    assert!(sites > 0 && struck > 0 && struck <= total, "{explored}");
    let soak = &record["rig"]["soak"];
    assert!(soak["rounds"]["pass"].as_u64().unwrap() > 0 && soak["asked_us"] == 4_000_000, "{soak}");
    let overhead = &record["rig"]["overhead"];
    assert!(overhead["transmissions"].as_u64().unwrap() > 20, "{overhead}");
    let order = ["median_us", "p99_us", "worst_us"].map(|key| overhead[key].as_u64().unwrap());
    assert!(order.is_sorted() && order[2] > 0, "{overhead}");
    let certificate = certificate(&dir);
    for text in [
        "Assay certificate: pass\n",
        "Product       Assay POS server, version 0.1.0, build built from this source\n",
        "`server` answers a terminal's 101 over `udp` within ",
        "power of `server` (process) was given, taken within ",
        "Cases         2 cases: 2 pass.\n",
        "Rig overhead  ",
    ] {
        assert!(certificate.contains(text), "{text}\n{certificate}");
    }
    let junit = fs::read_to_string(dir.join("out/junit.xml")).unwrap();
    assert!(junit.contains("every round passes") && !junit.contains("<failure"), "{junit}");
    signed(&dir);
}

/// The certificate for programs: it holds, says what was tested and by what, and has nothing to replay.
fn signed(dir: &Path) {
    let verify = |more: &[&str]| {
        let output =
            Command::new(ASSAY).args(["verify", "out"]).args(more).current_dir(dir).output().unwrap();
        (output.status.code(), told(&output))
    };
    let (code, words) = verify(&[]);
    assert_eq!(code, Some(0), "{words}");
    for text in [
        "out: the certificate holds.\n",
        "Tested        Assay POS server 0.1.0: build built from this source\n",
        &format!("              {ASSAY}: sha256 "),
        "By            assay 0.1.0: sha256 ",
        "conformance statement ",
        "Verdict       pass (exit code 0)\n",
    ] {
        assert!(words.contains(text), "{text}\n{words}");
    }
    let (code, words) = verify(&["--replay", "3"]);
    assert_eq!(code, Some(101), "{words}");
    assert!(words.contains("Nothing in this report was simulated, so nothing can be replayed."), "{words}");
    fs::write(dir.join("out/certificate.txt"), certificate(dir).replace("pass", "Pass")).unwrap();
    let (code, words) = verify(&[]);
    assert_eq!(code, Some(100), "{words}");
    assert!(words.contains("  certificate.txt: changed\n"), "{words}");
}

#[test]
fn a_failure_is_run_again_and_its_rate_told_and_it_stays_a_failure() {
    let dir = own("certify-published");
    let rig = rig(&dir, |text| text.replace("\"--peers\"", "\"--policy\", \"published\", \"--peers\""));
    let words = ["pos/server-repeats/same-answer", "--replays", "2"];
    let output = command(&dir, &rig, ["0s", "0s"], &words).output().unwrap();
    assert_eq!(output.status.code(), Some(100), "{}", told(&output));
    let record = record(&dir);
    let case = &record["cases"][0];
    assert_eq!(
        (case["verdict"].as_str(), case["replayed"]["runs"].as_u64()),
        (Some("fail"), Some(2)),
        "{case}"
    );
    let again = case["replayed"]["again"].as_object().unwrap();
    assert_eq!(again["POS-A3"], 2, "{again:?}");
    assert_eq!(record["rig"]["soak"], Value::Null);
    let certificate = certificate(&dir);
    assert!(
        certificate.contains("Replayed 2 times with the same plan; violated again: POS-"),
        "{certificate}"
    );
}

#[test]
fn a_party_that_answers_nothing_breaks_the_check_and_every_verdict_after_it() {
    let dir = own("certify-silent");
    let rig = rig(&dir, |text| commanded(&text, &["sh", "-c", "echo ready; sleep 98771"]));
    let output =
        command(&dir, &rig, ["2s", "2s"], &["pos/server-acks/*", "pos/payment/clean"]).output().unwrap();
    assert_eq!(output.status.code(), Some(102), "{}", told(&output));
    let record = record(&dir);
    let cases = record["cases"].as_array().unwrap();
    let why = "`server` does not answer a terminal's 101 over `udp` within 2000 ms";
    for case in cases {
        assert_eq!(case["verdict"], "broken");
        assert!(case["why"].as_str().unwrap().contains(why), "{case}");
    }
    assert!(cases.len() > 3 && record["exploration"].as_array().unwrap().is_empty());
    assert!(certificate(&dir).contains("Self-check    not passed"));
}

#[test]
fn what_there_is_only_one_of_runs_one_case_at_a_time() {
    let dir = own("certify-alone");
    let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let rig = rig(&dir, |text| {
        text.replacen("connect = \"127.0.0.1:0\"", &format!("connect = \"127.0.0.1:{port}\""), 1)
    });
    let words = ["pos/server-acks/same-number-again", "--jobs", "8"];
    let output = command(&dir, &rig, ["0s", "0s"], &words).output().unwrap();
    let told = told(&output);
    let alone = format!("One run at a time: there is one `udp`: the port 127.0.0.1:{port}.");
    assert!(output.status.code() == Some(0) && told.contains(&alone), "{told}");
}

/// Waits until a process has said this.
fn hears(child: &mut Child, text: &str) -> String {
    use std::io::Read as _;
    let (mut heard, mut byte) = (Vec::new(), [0]);
    let stdout = child.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&heard).contains(text) {
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&heard));
        heard.extend(byte);
    }
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn ctrl_c_leaves_a_whole_report_of_what_was_done() {
    let dir = own("certify-ctrl-c");
    let rig = rig(&dir, |text| text);
    let words = ["pos/server-acks/same-number-again"];
    let mut running = command(&dir, &rig, ["0s", "10min"], &words).stdout(Stdio::piped()).spawn().unwrap();
    hears(&mut running, "pass          pos/server-acks/same-number-again");
    Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert_eq!(running.wait_with_output().unwrap().status.code(), Some(101));
    let record = record(&dir);
    assert_eq!((&record["interrupted"], &record["cases"][0]["verdict"]), (&true.into(), &"pass".into()));
    assert!(certificate(&dir).contains("The run was interrupted: what is not here was not run."));
}

#[test]
fn a_rig_without_a_product_and_spans_that_are_none_are_refused() {
    let dir = own("certify-refused");
    let virtual_only = root().join("fixtures/rigs/water-pty.toml");
    let output = command(&dir, &virtual_only, ["0s", "0s"], &[]).output().unwrap();
    assert!(
        output.status.code() == Some(2) && told(&output).contains("seat the product"),
        "{}",
        told(&output)
    );
    let rig = rig(&dir, |text| text);
    let output = command(&dir, &rig, ["0s", "soon"], &[]).output().unwrap();
    assert!(output.status.code() == Some(2) && told(&output).contains("--soak `soon`"), "{}", told(&output));
    assert!(!dir.join("out").exists());
}

#[test]
fn a_program_in_lockstep_is_certified_with_every_kind_of_fault() {
    if !has("python3") {
        return;
    }
    let dir = own("certify-lockstep");
    let file = crate::at_work::rig("water-terminal-lockstep.toml", &dir, |text| {
        text.replace("turn_limit = \"5 s\"", "turn_limit = \"60 s\"")
    });
    let words = ["water/topup/clean", "water/topup/power-cut", "--jobs", "2"];
    let output = command(&dir, &file, ["3s", "3s"], &words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let record = record(&dir);
    let verdicts: Vec<&Value> =
        record["cases"].as_array().unwrap().iter().map(|case| &case["verdict"]).collect();
    assert_eq!(verdicts, ["pass", "pass"]);
    let struck = record["exploration"][0]["faults_struck"].as_u64().unwrap();
    assert!(struck > 0 && record["rig"]["soak"]["rounds"]["pass"].as_u64().unwrap() > 0, "{record}");
    let certificate = certificate(&dir);
    let words: Vec<&str> = certificate.split_whitespace().collect();
    assert!(words.join(" ").contains("can be started, and is stepped in the bench's time"), "{certificate}");
}

#[test]
fn a_program_that_calls_a_payment_platform_is_certified_in_its_seat() {
    if !has("python3") {
        return;
    }
    let dir = own("certify-client");
    let file = crate::at_work::rig("payments-client-process.toml", &dir, |text| {
        let patient = text.replace("tolerance = \"500 ms\"", "tolerance = \"3 s\"");
        patient.replace("boot = \"5 s\"", "boot = \"60 s\"").replace("within = \"2 s\"", "within = \"60 s\"")
    });
    let words = ["payments/client/code", "payments/client/killed-while-asking", "--jobs", "2"];
    let output = command(&dir, &file, ["8s", "0s"], &words).output().unwrap();
    let record = record(&dir);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let verdicts: Vec<&Value> =
        record["cases"].as_array().unwrap().iter().map(|case| &case["verdict"]).collect();
    assert_eq!(verdicts, ["pass", "pass"], "{}", told(&output));
    let struck = record["exploration"][0]["faults_struck"].as_u64();
    assert!(struck.is_some_and(|struck| struck > 0), "{record}");
    let certificate = certificate(&dir);
    for text in ["`client`", "power of `client` (process) cut "] {
        assert!(certificate.contains(text), "{text}\n{certificate}");
    }
}

#[test]
fn sixteen_instances_of_a_rig_are_at_work_at_once() {
    let dir = own("certify-sixteen");
    let rig = rig(&dir, |text| text);
    let words = ["pos/server-acks/*", "pos/server-refusals/*", "pos/server-repeats/*", "--jobs", "16"];
    let output = command(&dir, &rig, ["0s", "0s"], &words).output().unwrap();
    let record = record(&dir);
    let cases = record["cases"].as_array().unwrap();
    assert!(cases.len() >= 16, "{}", cases.len());
    // How well sixteen processes keep their timers is up to the computer.
    assert!(cases.iter().all(|case| case["verdict"] != "broken"), "{}", told(&output));
    // Each instance has directories of its own.
    let names = fs::read_dir(dir.join("sut")).unwrap().map(|entry| entry.unwrap().file_name());
    let slots = names.filter(|name| name.to_str().unwrap().starts_with("at-once-")).count();
    assert_eq!(slots, 16);
}
