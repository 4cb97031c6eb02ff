//! Campaigns as batch systems make them: shares of their own, workers that are killed, packs that are merged, by the
//! binary itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rusqlite::Connection;

const PLAN: &str =
    "assay-campaign = 1\nsystem = \"pos\"\nkind = \"explore\"\ncases = [\"pos/payment/clean\"]\n";

/// The bytes before the first page in SQLite's log, and before each page.
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;
const PAGE: usize = 4_096;

fn assay(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(arguments).current_dir(dir).stdin(Stdio::null());
    command
}

/// Exit code, standard output and standard error.
fn call(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = assay(dir, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A directory of this test's own, with a plan in it.
fn own(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("plan.toml"), PLAN).unwrap();
    dir
}

fn start(dir: &Path, arguments: &[&str]) -> Child {
    assay(dir, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// How many transactions lie in a store's log.
fn logged(dir: &Path, store: &str) -> usize {
    let log = fs::read(dir.join(format!("{store}-wal"))).unwrap_or_default();
    let frames = log.get(LOG_HEAD..).unwrap_or_default().chunks_exact(FRAME_HEAD + PAGE);
    // The last page of a transaction says how long the file is after it.
    frames.filter(|frame| frame[4..8] != [0; 4]).count()
}

/// Starts a worker and kills it once it has kept so many runs.
fn killed_after(dir: &Path, store: &str, arguments: &[&str], runs: usize) {
    let mut worker = start(dir, arguments);
    while logged(dir, store) < runs {
        assert_eq!(worker.try_wait().unwrap(), None, "it came to its end before it could be killed");
        std::thread::yield_now();
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
}

/// What a line of an output says behind these words.
fn told<'a>(output: &'a str, words: &str) -> &'a str {
    output.lines().find_map(|line| line.strip_prefix(words)).unwrap_or_else(|| panic!("{words}: {output}"))
}

/// The first number in a text.
fn number(text: &str) -> usize {
    text.split_whitespace().next().unwrap().replace(',', "").parse().unwrap()
}

#[test]
fn killed_workers_lose_nothing_and_all_ways_lead_to_one_root() {
    let dir = own("campaign-kills");
    let run = |store: &'static str, shard: &'static str| {
        ["campaign", "run", "plan.toml", "--store", store, "--shard", shard]
    };
    killed_after(&dir, "1.db", &run("1.db", "1/2"), 60);
    let kept = logged(&dir, "1.db");
    let (code, status, _) = call(&dir, &["campaign", "status", "--store", "1.db"]);
    // Each run is a transaction of its own, beside those that begin the store and list the runs.
    let done = status.lines().find(|line| line.contains("are there")).map(number).unwrap();
    assert_eq!(code, 101, "{status}");
    assert!(done + 4 >= kept && done <= kept, "{done} of {kept}: {status}");

    killed_after(&dir, "1.db", &["campaign", "resume", "--store", "1.db", "--shard", "1/2"], 20);
    let (code, last, _) = call(&dir, &run("1.db", "1/2"));
    assert!(code == 0 && last.contains("of share 1/2 are there."), "{last}");
    let (code, _, _) = call(&dir, &run("2.db", "2/2"));
    assert_eq!(code, 0);

    let (code, early, _) = call(&dir, &["campaign", "merge", "--store", "all.db", "2.db"]);
    assert!(code == 101 && early.contains("Not there:"), "{early}");
    let (code, merged, _) = call(&dir, &["campaign", "merge", "--store", "all.db", "1.db", "2.db", "1.db"]);
    assert!(code == 0 && merged.contains("the whole campaign."), "{merged}");

    // The same by an exploration that is stopped and goes on.
    let explore = ["explore", "pos", "--case", "pos/payment/clean", "--out", "out"];
    let (code, _, _) = call(&dir, &[&explore[..], &["--budget", "200ms"]].concat());
    assert_eq!(code, 0);
    let (code, resumed, _) = call(&dir, &[&explore[..], &["--resume"]].concat());
    assert!(code == 0 && resumed.contains("the whole space"), "{resumed}");
    assert!(number(told(&resumed, "")) > 1, "{resumed}");
    let (_, status, _) = call(&dir, &["campaign", "status", "--store", "out/explore.db"]);
    assert_eq!(told(&status, "Root: "), told(&merged, "Root: "));
    let (code, other, error) = call(&dir, &["explore", "pos", "--out", "out", "--resume"]);
    assert!(code == 2 && other.is_empty() && error.contains("holds the campaign"), "{error}");
}

#[test]
fn one_worker_has_a_store_at_a_time() {
    let dir = own("campaign-in-use");
    let mut worker = start(&dir, &["campaign", "run", "plan.toml", "--store", "a.db"]);
    while logged(&dir, "a.db") < 10 {
        assert_eq!(worker.try_wait().unwrap(), None);
        std::thread::yield_now();
    }
    let (code, out, error) = call(&dir, &["campaign", "status", "--store", "a.db"]);
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!((code, out.as_str()), (2, ""), "{error}");
    assert_eq!(
        error,
        "error: a.db: is in use by another process; give each worker a store of its own and merge them\n"
    );
}

#[test]
fn every_run_is_made_again_and_the_first_that_differs_is_named() {
    let dir = own("campaign-repeat");
    let swarm = "assay-campaign = 1\nsystem = \"pos\"\nkind = \"swarm\"\nseeds = \"5..65\"\n";
    fs::write(dir.join("plan.toml"), swarm).unwrap();
    call(&dir, &["campaign", "run", "plan.toml", "--store", "a.db"]);
    let (code, same, _) = call(&dir, &["campaign", "repeat", "--store", "a.db"]);
    assert_eq!(
        (code, same.contains("60 of 60 runs were made again, and every tape is the same.")),
        (0, true),
        "{same}"
    );

    let store = Connection::open(dir.join("a.db")).unwrap();
    store.execute("UPDATE run SET tape = zeroblob(16) WHERE number IN (17, 40)", []).unwrap();
    drop(store);
    let (code, differs, _) = call(&dir, &["campaign", "repeat", "--store", "a.db", "--out", "out"]);
    assert_eq!(code, 105, "{differs}");
    assert!(differs.contains("Run 0:17 of "), "{differs}");
    let command: Vec<&str> =
        differs.lines().find_map(|line| line.strip_prefix("  assay ")).unwrap().split(' ').collect();
    let (_, replayed, _) = call(&dir, &command);
    assert!(
        replayed.contains("The tape differs: 00000000000000000000000000000000 was recorded"),
        "{replayed}"
    );
    let merged = ["campaign", "merge", "--store", "b.db", "a.db"];
    call(&dir, &merged);
    let store = Connection::open(dir.join("b.db")).unwrap();
    store.execute("UPDATE run SET tape = zeroblob(16) WHERE number = 3", []).unwrap();
    drop(store);
    let (code, _, error) = call(&dir, &merged);
    assert!(code == 105 && error.contains("run 0:3 left the tape 0000"), "{error}");
}

#[test]
fn a_report_is_made_of_what_is_kept() {
    let dir = own("campaign-export");
    let plan = "cases = [\"pos/server-durability/drain\"]\npolicy = \"published\"\n";
    let head = PLAN.lines().filter(|line| !line.starts_with("cases")).map(|line| format!("{line}\n"));
    fs::write(dir.join("plan.toml"), head.collect::<String>() + plan).unwrap();
    let (code, ran, _) = call(&dir, &["campaign", "run", "plan.toml", "--store", "a.db"]);
    assert_eq!(code, 100, "{ran}");
    let (code, _, _) = call(&dir, &["campaign", "export", "--store", "a.db", "--out", "kept"]);
    assert_eq!(code, 100);
    let case = "pos/server-durability/drain";
    call(&dir, &["explore", "pos", "--case", case, "--policy", "published", "--out", "made"]);
    let record = |out: &str| {
        let text = fs::read_to_string(dir.join(out).join("run.json")).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&text.replace(&format!("{out}/replay"), "replay")).unwrap();
        json["exploration"].clone()
    };
    assert_eq!(record("kept"), record("made"));
    let runs = fs::read_to_string(dir.join("kept/runs.csv")).unwrap();
    assert!(runs.starts_with("unit,run,tape,verdict,violated\n0,0,"), "{runs}");
    assert!(runs.contains(",fail,POS-"), "{runs}");
}
