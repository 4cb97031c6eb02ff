//! The tool as a user meets it: exit codes, error texts, reports and replay files, by the binary itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assay_conformance::suite;

/// Every bench, as errors name them.
const BENCHES: &str = "`tabletop`, `world`, `rig:FILE`";

const CASE: &str = "water/topup/clean";

fn assay(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Exit code, standard output and standard error.
fn call(arguments: &[&str]) -> (i32, String, String) {
    told(&assay(arguments).output().unwrap())
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A directory of this test's own.
fn own(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Writes a file and names it by its path.
fn file(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[track_caller]
fn refused(arguments: &[&str], code: i32, error: &str) {
    let (exit, out, err) = call(arguments);
    assert_eq!((exit, out.as_str()), (code, ""), "{err}");
    assert_eq!(err.trim_end().lines().count(), 1, "{err}");
    assert_eq!(err.trim_end(), format!("error: {error}"));
}

#[test]
fn an_unknown_name_is_refused_with_what_there_is() {
    let all = suite::cases().len();
    refused(
        &["run", "water/topup/claen"],
        2,
        &format!(
            "there is no case `water/topup/claen`; did you mean `water/topup/clean`?; `assay list cases` shows \
             all {all}"
        ),
    );
    refused(
        &["run", "--policy", "hardend"],
        2,
        "there is no policy `hardend`; there are `hardened`, `published`, `uncached`; did you mean `hardened`?",
    );
    refused(
        &["run", "--system", "modem", "--policy", "published"],
        2,
        "there is no policy of the modem system `published`; there are `hardened`",
    );
    let systems = "there is no system `watre`; there are `water`, `modem`, `pos`, `payments`, `paymod`; did you mean \
                   `water`?";
    refused(&["run", "--system", "watre"], 2, systems);
    refused(&["explore", "watre"], 2, systems);
    refused(&["mutants", "watre"], 2, systems);
    refused(&["twice", "watre"], 2, systems);
    let benches =
        "there is no bench `wrold`; there are `tabletop`, `world`, `rig:FILE`; did you mean `world`?";
    refused(&["run", "--bench", "wrold"], 2, benches);
    refused(&["explore", "water", "--bench", "wrold"], 2, benches);
    refused(&["swarm", "water", "--seeds", "0..4", "--bench", "wrold"], 2, benches);
    refused(
        &["swarm", "water", "--seeds", "4..4"],
        2,
        "--seeds `4..4`: write it as A..B with A < B, such as 0..500",
    );
    refused(&["explore", "water", "--case", "water/x"], 2, &no_case("water/x"));
}

fn no_case(id: &str) -> String {
    let water = suite::cases().iter().filter(|case| case.id.starts_with("water/")).count();
    format!("there is no case `{id}`; `assay list cases` shows all {water}")
}

#[test]
fn a_selection_of_nothing_has_a_code_of_its_own() {
    refused(
        &["run", "water/nothing/*"],
        4,
        "there is no case of the system water and modem and pos and payments and paymod that fits `water/nothing/*`; \
         `assay list cases` shows what there is",
    );
    let (exit, _, err) = call(&["explore", "water", "--case", "water/carry/*"]);
    assert_eq!(exit, 4, "{err}");
    assert!(err.starts_with("error: no explored case is selected; the water system has water/"), "{err}");
}

#[test]
fn an_option_out_of_range_is_refused() {
    refused(&["explore", "water", "--faults", "3"], 2, "--faults 3: 1 or 2 faults can strike in a run");
    refused(
        &["explore", "water", "--sample", "3/2"],
        2,
        "--sample `3/2`: write it as I/N with 1 <= I <= N, such as 1/10",
    );
    refused(
        &["explore", "water", "--budget", "soon"],
        2,
        "--budget `soon`: not a span of time: write a whole number and its unit, such as \"20 s\", \"31 ms\" or \
         \"256 us\"",
    );
    for wrong in [&["run", "--sede", "1"][..], &["run", "--seed", "-1"], &["walk"], &[]] {
        let (exit, out, err) = call(wrong);
        assert_eq!((exit, out.as_str()), (2, ""), "{wrong:?}: {err}");
    }
}

#[test]
fn help_and_version_are_answers_and_no_errors() {
    let (exit, out, err) = call(&["--help"]);
    assert_eq!((exit, err.as_str()), (0, ""));
    for command in ["run", "explore", "replay", "mutants", "twice", "list"] {
        assert!(out.contains(&format!("\n  {command} ")), "{command} is not in\n{out}");
    }
    assert!(!out.contains("tapes") && !out.contains('\x1b'), "{out}");
    let (exit, out, _) = call(&["--version"]);
    assert_eq!((exit, out.trim_end()), (0, concat!("assay ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_broken_profile_is_shown_by_file_line_and_field() {
    let dir = own("profiles");
    let (_, built_in, _) = call(&["list", "profile", "--system", "water"]);
    let mend = "compare it with the built-in one, which `assay list profile --system water` prints";
    let line_of =
        |text: &str, needle: &str| text.lines().position(|line| line.starts_with(needle)).unwrap() + 1;
    let with = |name: &str, from: &str, to: &str| {
        assert_eq!(built_in.matches(from).count(), 1, "{from}");
        let text = built_in.replace(from, to);
        (file(&dir, name, &text), text)
    };

    let (path, text) = with("type.toml", "answer_timeout = \"20 s\"", "answer_timeout = 20");
    let line = line_of(&text, "answer_timeout");
    refused(
        &["run", CASE, "--profile", &path],
        2,
        &format!(
            "{path}:{line}: `terminal.answer_timeout`: invalid type: integer `20`, expected a string; {mend}"
        ),
    );

    let (path, text) = with("key.toml", "answer_timeout = \"20 s\"", "anwser_timeout = \"20 s\"");
    let line = line_of(&text, "anwser_timeout");
    let (exit, _, err) = call(&["run", CASE, "--profile", &path]);
    let begin =
        format!("error: {path}:{line}: `terminal.anwser_timeout`: unknown field `anwser_timeout`, expected ");
    assert!(exit == 2 && err.starts_with(&begin), "{err}");

    let (path, text) = with("epoch.toml", "epoch = \"20240102030405\"", "epoch = \"20240230000000\"");
    let line = line_of(&text, "epoch");
    let (exit, _, err) = call(&["run", CASE, "--profile", &path]);
    assert!(exit == 2 && err.starts_with(&format!("error: {path}:{line}: `bench.epoch`: ")), "{err}");

    let path = file(&dir, "syntax.toml", "[frame\n");
    let (exit, _, err) = call(&["run", CASE, "--profile", &path]);
    assert!(exit == 2 && err.starts_with(&format!("error: {path}:1: ")) && err.lines().count() == 1, "{err}");

    let (exit, _, err) = call(&["run", CASE, "--profile", "not-there.toml"]);
    assert!(exit == 2 && err.starts_with("error: not-there.toml: cannot be read: "), "{err}");
}

const REPLAY: &str = r#"assay-replay = 1
system = "water"
case = "water/topup/clean"
bench = "tabletop"
policy = "hardened"
seed = 0
profile = "built-in"
tape_digest = "none"
violates = []

[[strike]]
site = "uart-a> AT #1"

[strike.fault]
fate = "flip-bit"
bit = 3
"#;

#[test]
fn a_rig_file_that_cannot_be_used_is_shown() {
    let dir = own("rigs");
    let (exit, out, err) = call(&["run", CASE, "--bench", "rig:not-there.toml"]);
    assert_eq!((exit, out.as_str()), (2, ""));
    assert!(err.starts_with("error: not-there.toml: could not be read: "), "{err}");
    let path = file(&dir, "version.toml", "assay-rig = 9\n");
    let (exit, _, err) = call(&["run", CASE, "--bench", &format!("rig:{path}")]);
    assert_eq!((exit, err.lines().count()), (2, 1), "{err}");
    assert!(err.starts_with(&format!("error: {path}:1:13: `assay-rig` is `9`: write 2")), "{err}");
    let rig = include_str!("../../fixtures/rigs/water-pty.toml");
    let path = file(&dir, "key.toml", &format!("{rig}\n[profile.set.terminal]\nanswer_time = \"1 s\"\n"));
    let (exit, _, err) = call(&["run", CASE, "--bench", &format!("rig:{path}")]);
    assert_eq!(exit, 2, "{err}");
    assert!(
        err.starts_with(&format!("error: {path}: `profile`: the profile has no `terminal.answer_time`; ")),
        "{err}"
    );
    let (exit, _, err) =
        call(&["run", "water/carry/*", "--bench", &format!("rig:{}", file(&dir, "sound.toml", rig))]);
    assert_eq!(exit, 4, "{err}");
    assert!(err.contains(" that fits `water/carry/*` and can run on a rig; "), "{err}");
}

/// What in the replay file is replaced by what, and the line and the parts of the error that follow.
type Wrong = (&'static str, &'static str, usize, String);

#[track_caller]
fn refused_replays(dir: &Path, wrong: Vec<Wrong>) {
    for (number, (from, to, line, error)) in wrong.into_iter().enumerate() {
        assert_eq!(REPLAY.matches(from).count(), 1, "{from}");
        let path = file(dir, &format!("{number}.toml"), &REPLAY.replace(from, to));
        let (exit, out, err) = call(&["replay", &path]);
        assert_eq!((exit, out.as_str()), (2, ""), "{to}: {err}");
        assert_eq!(err.lines().count(), 1, "{err}");
        // An unknown variant or field is told with all that there are; the parts around them are enough.
        let (place, rest) = error.split_once(": ").unwrap();
        let told = err.trim_end();
        assert!(told.starts_with(&format!("error: {path}:{line}: {place}: ")), "{told}");
        for part in rest.split("; ") {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
    }
}

#[test]
fn a_replay_file_with_a_wrong_name_is_shown_by_file_line_and_field() {
    let version = "version 2 is not one that this tool knows; it reads version 1: replay the file with the tool that \
                   wrote it";
    let case = format!(
        "there is no case `water/topup/cleam`; did you mean `water/topup/clean`?; `assay list cases` shows all {}",
        suite::cases().len()
    );
    let wrong = vec![
        ("assay-replay = 1", "assay-replay = 2", 1, format!("`assay-replay`: {version}")),
        (
            "system = \"water\"",
            "system = \"wine\"",
            2,
            "`system`: there is no system `wine`; there are `water`, `modem`, `pos`, `payments`, `paymod`; correct \
             the name"
                .to_owned(),
        ),
        ("water/topup/clean", "water/topup/cleam", 3, format!("`case`: {case}; correct the name")),
        (
            "\"tabletop\"",
            "\"table\"",
            4,
            format!("`bench`: there is no bench `table`; there are {BENCHES}; did you mean `tabletop`?; correct the ")
                + "name",
        ),
        (
            "\"hardened\"",
            "\"soft\"",
            5,
            "`policy`: there is no policy of the water system `soft`; there are `hardened`, `published`, `uncached`"
                .to_owned(),
        ),
    ];
    refused_replays(&own("replay-names"), wrong);
}

#[test]
fn a_replay_file_with_a_wrong_strike_is_shown_by_file_line_and_field() {
    let faults = "docs/faults.md lists faults and their values";
    let link = "strike 1: `uart-a> AT #1` is on a serial link, which cannot suffer `half-open`";
    let site = "`uart-a> AT` names no site: write it as `uart-a> AT+IPSEND #3` (link, way, name, count) or \
                `terminal-a eeprom-byte@104 #1` (party, name, address, count); `assay list sites` shows what there is";
    let fate = "fate = \"flip-bit\"";
    let wrong = vec![
        ("uart-a> AT #1", "uart-a> AT", 12, format!("`strike.site`: {site}")),
        (fate, "fate = \"flip-flop\"", 14, format!("`strike.fault`: unknown variant; {faults}")),
        (
            fate,
            "fade = \"flip-bit\"",
            14,
            format!("`strike.fault`: a fault has either `fate` or `mishap`; {faults}"),
        ),
        ("bit = 3", "bite = 3", 14, format!("`strike.fault`: unknown field; {faults}")),
        (
            "fate = \"flip-bit\"\nbit = 3",
            "fate = \"half-open\"",
            14,
            format!("`strike.fault`: {link}; `assay list sites` shows what can be struck"),
        ),
    ];
    refused_replays(&own("replay-strikes"), wrong);
}

#[test]
fn a_place_that_the_installation_has_not_is_shown() {
    let dir = own("replay-places");
    let path = file(&dir, "place.toml", &REPLAY.replace("uart-a> AT #1", "uart-z> AT #1"));
    let (exit, _, err) = call(&["replay", &path]);
    let begin =
        format!("error: {path}:12: `strike.site`: strike 1: there is no party or link `uart-z`; there are ");
    assert!(exit == 2 && err.starts_with(&begin), "{err}");
    let mishap = "mishap = \"power-cut\"\nsupply = \"strip-z\"\noff = \"5 s\"";
    let path = file(&dir, "supply.toml", &REPLAY.replace("fate = \"flip-bit\"\nbit = 3", mishap));
    let (exit, _, err) = call(&["replay", &path]);
    let begin =
        format!("error: {path}:14: `strike.fault`: strike 1: there is no supply `strip-z`; there are ");
    assert!(exit == 2 && err.starts_with(&begin), "{err}");
}

#[test]
fn a_site_that_is_never_reached_is_said() {
    let dir = own("replay-unreached");
    let path = file(&dir, "far.toml", &REPLAY.replace("AT #1", "AT #9999"));
    let out = dir.join("out");
    let (exit, told, err) = call(&["replay", &path, "--out", out.to_str().unwrap()]);
    assert_eq!(exit, 0, "{told}{err}");
    let record = fs::read_to_string(out.join("run.json")).unwrap();
    assert!(record.contains("`uart-a> AT #9999` has bit 4 of byte 0 inverted."), "{record}");
    assert!(!record.contains("\"sites_not_reached\": []"), "{record}");
}

#[test]
fn a_run_leaves_a_report_and_two_runs_leave_the_same() {
    let dir = own("reports");
    let mut records = Vec::new();
    for threads in ["1", "2"] {
        let out = dir.join("out");
        let mut command = assay(&["run", CASE, "water/carry/*", "--out", out.to_str().unwrap()]);
        // Neither the environment nor the number of threads may change a result.
        command.env("RAYON_NUM_THREADS", threads).env("NO_COLOR", threads).env("LANG", "zh_CN.UTF-8");
        command.env("TZ", if threads == "1" { "UTC" } else { "Pacific/Kiritimati" });
        let (exit, told, err) = told(&command.output().unwrap());
        assert_eq!((exit, err.as_str()), (0, ""), "{told}");
        assert!(told.starts_with("pass          water/carry/"), "{told}");
        for name in ["junit.xml", "summary.md"] {
            assert!(out.join(name).is_file(), "{name}");
        }
        records.push((told, fs::read(out.join("run.json")).unwrap()));
    }
    assert_eq!(records[0], records[1]);
    assay_reports::read_record(&String::from_utf8(records.remove(0).1).unwrap()).unwrap();
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_with_a_mend() {
    let dir = own("unwritable");
    let out = file(&dir, "taken", "");
    let (exit, _, err) = call(&["run", CASE, "--out", &out]);
    assert_eq!(exit, 2, "{err}");
    assert!(err.starts_with("error: cannot ") && err.contains("name another directory with --out"), "{err}");
}

#[test]
fn the_published_design_fails_and_its_failure_replays_to_the_byte() {
    let dir = own("published");
    let out = dir.join("out");
    let (exit, told, err) =
        call(&["run", "--system", "water", "--policy", "published", "--out", out.to_str().unwrap()]);
    assert_eq!((exit, err.as_str()), (100, ""));
    assert!(told.contains("WAT-C4 (must) does not hold: "), "{told}");
    assert!(told.contains("WAT-I1 (must) does not hold: "), "{told}");
    assert!(told.contains("12.5 t credited twice"), "{told}");
    let command = told.lines().find_map(|line| line.trim().strip_prefix("assay replay ")).unwrap().to_owned();
    let (exit, again, err) = call(&["replay", &command]);
    assert_eq!((exit, err.as_str()), (100, ""));
    assert!(again.contains("The tape is the same as recorded, to the byte: "), "{again}");
    assert!(again.contains("It violates what it violated: WAT-"), "{again}");
    let text = fs::read_to_string(&command).unwrap();
    assert!(text.starts_with("# One run of Assay. `assay replay FILE` runs exactly this again.\n"), "{text}");
    let other = file(&dir, "other.toml", &text.replace("policy = \"published\"", "policy = \"hardened\""));
    let (exit, again, _) = call(&["replay", &other]);
    assert_eq!(exit, 0, "{again}");
    assert!(again.contains("The tape differs: ") && again.contains("now it violates nothing."), "{again}");
}

#[test]
fn a_sample_and_a_spent_budget_are_not_the_whole_space() {
    let dir = own("samples");
    let out = dir.join("out");
    let out = out.to_str().unwrap();
    let (exit, told, err) = call(&["explore", "water", "--case", CASE, "--sample", "1/400", "--out", out]);
    assert_eq!((exit, err.as_str()), (0, ""), "{told}");
    assert!(told.contains("not the whole space; no violation was found in that part."), "{told}");
    let (exit, told, err) = call(&["explore", "water", "--case", CASE, "--budget", "0s", "--out", out]);
    assert_eq!((exit, err.as_str()), (101, ""), "{told}");
    assert!(
        told.contains(": 0 of ") && told.contains("The verdict is inconclusive: no fault was struck"),
        "{told}"
    );
}

#[test]
fn sites_are_listed_with_how_many_faults_apply() {
    let (exit, listed, err) = call(&["list", "sites", "--system", "water"]);
    assert_eq!((exit, err.as_str()), (0, ""));
    let (exit, explored, _) = call(&["explore", "water", "--list-sites"]);
    assert_eq!(exit, 0);
    assert_eq!(listed.trim_end(), explored.trim_end());
    let head = listed.lines().find(|line| line.starts_with(CASE)).unwrap();
    let faults: u64 =
        head.split(", ").nth(1).unwrap().trim_end_matches(" faults").replace(',', "").parse().unwrap();
    let block = listed.lines().skip_while(|line| *line != head).skip(1);
    let sum: u64 = block
        .take_while(|line| line.starts_with(' '))
        .map(|line| line.split_whitespace().nth(1).unwrap().replace(',', "").parse::<u64>().unwrap())
        .sum();
    assert_eq!(sum, faults, "{head}");
    assert!(listed.contains("terminal-a eeprom-byte@"), "{listed}");
}

#[test]
fn an_interrupt_leaves_a_valid_partial_report() {
    let dir = own("interrupt");
    let out = dir.join("out");
    let arguments = ["explore", "water", "--case", CASE, "--out", out.to_str().unwrap()];
    let mut child = assay(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    assert!(first.starts_with("Exploring water/topup/clean on tabletop: "), "{first}");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(101), "{rest}");
    assert!(rest.contains("The run was interrupted: what is not here was not run."), "{rest}");
    let json = fs::read_to_string(out.join("run.json")).unwrap();
    let record = assay_reports::read_record(&json).unwrap();
    assert!(record.interrupted);
    assert!(record.exploration.iter().all(|exploration| !exploration.complete), "{json}");
}

#[test]
fn an_experiment_that_cannot_be_is_refused() {
    let unknown = "there is no experiment `water-cash`; there are `water-cache`; did you mean `water-cache`?";
    refused(&["experiment", "water-cash"], 2, unknown);
    for wrong in [&["experiment"][..], &["experiment", "water-cache", "--swipes", "999"]] {
        let (exit, out, err) = call(wrong);
        assert_eq!((exit, out.as_str()), (2, ""), "{err}");
    }
}

#[test]
fn an_experiment_leaves_its_table_numbers_and_plot() {
    let out = own("experiment").join("out");
    let arguments = ["experiment", "water-cache", "--swipes", "1000", "--out", out.to_str().unwrap()];
    let (exit, told, err) = call(&arguments);
    assert_eq!((exit, err.as_str()), (0, ""), "{told}");
    let table = fs::read_to_string(out.join("water-cache.txt")).unwrap();
    assert!(told.starts_with(&table), "{told}");
    assert!(fs::read_to_string(out.join("water-cache.csv")).unwrap().starts_with("series,design,"));
    assert!(fs::read_to_string(out.join("water-cache.svg")).unwrap().starts_with("<svg "));
}

#[test]
fn an_interrupted_experiment_says_how_far_it_came() {
    let out = own("experiment-interrupt").join("out");
    let arguments = ["experiment", "water-cache", "--out", out.to_str().unwrap()];
    let mut child = assay(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    assert_eq!(first, "Experiment water-cache, 100,000 swipes for each line and point, seed 0\n");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(101), "{rest}");
    assert!(rest.contains("\nStopped before the loss was fitted: nothing else was measured.\n"), "{rest}");
    assert_eq!(fs::read_to_string(out.join("water-cache.csv")).unwrap().lines().count(), 3);
}

#[test]
fn every_mutant_of_one_system_can_be_named_and_an_unknown_one_not() {
    let dir = own("mutants");
    let out = dir.join("out");
    let mutant = suite::mutants()[0];
    let arguments = ["mutants", "--mutant", mutant.name, "--all", "--out", out.to_str().unwrap()];
    let (exit, told, err) = call(&arguments);
    assert_eq!((exit, err.as_str()), (0, ""), "{told}");
    assert!(told.starts_with(&format!("killed    {}: by ", mutant.name)), "{told}");
    assert!(told.contains("1 of 1 mutant killed."), "{told}");
    let (exit, _, err) = call(&["mutants", "water", "--mutant", "tame"]);
    assert!(exit == 2 && err.starts_with("error: there is no mutant `tame`; there are `"), "{err}");
}

#[test]
fn lists_name_everything_there_is() {
    let (exit, cases, _) = call(&["list"]);
    assert_eq!(exit, 0);
    let (_, mutants, _) = call(&["list", "mutants"]);
    let (_, policies, _) = call(&["list", "policies"]);
    let (_, requirements, _) = call(&["list", "requirements", "--system", "water"]);
    for case in suite::cases() {
        assert!(cases.contains(&format!("{}\n", case.id)), "{}", case.id);
    }
    for mutant in suite::mutants() {
        assert!(mutants.contains(&format!("{}: ", mutant.name)), "{}", mutant.name);
    }
    assert!(policies.contains("water published\n") && policies.contains("modem hardened\n"), "{policies}");
    assert!(requirements.contains("WAT-C4 (must)\n") && !requirements.contains("MDM-"), "{requirements}");
}

#[test]
fn how_results_are_told_is_up_to_the_caller() {
    let dir = own("told");
    let out = dir.to_str().unwrap();
    let run = |more: &[&str]| {
        let arguments = [&["run", CASE, "--bench", "tabletop", "--out", out][..], more].concat();
        call(&arguments)
    };
    let (code, quiet, _) = run(&["--quiet"]);
    assert_eq!(code, 0);
    assert!(quiet.starts_with("\n1 case: 1 pass.\n") && quiet.contains("Verdict: pass"), "{quiet}");
    let (_, json, _) = run(&["--format", "json"]);
    assert_eq!(json, fs::read_to_string(dir.join("run.json")).unwrap());
    let (_, plain, _) = run(&["-v"]);
    assert!(plain.starts_with("pass          water/topup/clean ") && !plain.contains('\x1b'), "{plain}");
    let page = fs::read_to_string(dir.join("index.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains(CASE));
    let (code, _, err) = run(&["--quiet", "--verbose"]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn runs_are_compared_and_reports_made_again() {
    let dir = own("compared");
    let [good, bad] = ["good", "bad"].map(|name| dir.join(name).to_str().unwrap().to_owned());
    call(&["run", CASE, "--bench", "tabletop", "--out", &good]);
    let case = "water/carry/result-still-cached";
    let (code, ..) = call(&["run", case, "--bench", "tabletop", "--policy", "published", "--out", &bad]);
    assert_eq!(code, 100);
    let (code, told, _) = call(&["diff", &good, &format!("{good}/run.json")]);
    assert_eq!((code, told.as_str()), (0, "1 case compared; nothing has changed.\n"));
    let (code, told, _) = call(&["diff", &good, &bad]);
    assert_eq!(code, 100);
    assert!(told.contains("Newly failing: 1 case\n") && told.contains("Vanished: 1 case\n"), "{told}");
    let page = Path::new(&bad).join("index.html");
    let before = fs::read_to_string(&page).unwrap();
    assert!(before.contains("id=\"tape-0\""), "the tape is in the page");
    fs::remove_file(&page).unwrap();
    assert_eq!(call(&["report", &bad]).0, 100);
    assert_eq!(fs::read_to_string(&page).unwrap(), before);
    let beside = Path::new(&bad).join("replay");
    for ending in ["toml", "tape", "trace.jsonl", "pcapng"] {
        let file = beside.join(format!("water-carry-result-still-cached-0.{ending}"));
        assert!(file.exists(), "{}", file.display());
    }
    let (code, _, err) = call(&["diff", &good, "nowhere"]);
    assert_eq!(code, 2);
    assert!(err.starts_with("error: cannot read nowhere: ") && err.contains("give a run.json"), "{err}");
    let broken = file(&dir, "broken.json", "{}");
    let (code, _, err) = call(&["diff", &good, &broken]);
    assert_eq!(code, 2);
    assert!(err.contains("broken.json: not a run record: "), "{err}");
}

#[test]
fn shells_complete_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = call(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(script.contains("certify") && script.contains("diff"), "{shell}");
    }
    assert_eq!(call(&["completions", "csh"]).0, 2);
}
