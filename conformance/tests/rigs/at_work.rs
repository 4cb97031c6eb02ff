//! Rigs in the tests: a rig file that comes with the suite, changed, and what a run on it ended in.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The tool.
pub(crate) const ASSAY: &str = env!("CARGO_BIN_EXE_assay");

/// The top of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A directory of the test's own.
pub(crate) fn own(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rigs").join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Whether a program is there; says so if not.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        let _ = writeln!(std::io::stderr(), "skipped: there is no `{program}` here");
    }
    found
}

/// A rig that comes with the suite, with the tool that is tested and with a directory of the test's own.
pub(crate) fn rig(file: &str, dir: &Path, change: impl Fn(String) -> String) -> PathBuf {
    let text = fs::read_to_string(root().join("fixtures/rigs").join(file)).unwrap();
    let text = text.replace("target/debug/assay", ASSAY);
    let text = text.replace("\"examples/", &format!("\"{}/examples/", root().display()));
    let text = text.replace("\"../pics/", &format!("\"{}/fixtures/pics/", root().display()));
    let text = text.lines().map(|line| match line.strip_prefix("dir = ") {
        Some(_) => format!("dir = \"{}\"\n", dir.join("sut").display()),
        None => format!("{line}\n"),
    });
    let path = dir.join(file);
    fs::write(&path, change(text.collect())).unwrap();
    path
}

/// The words in place of a rig file's command.
pub(crate) fn commanded(text: &str, words: &[&str]) -> String {
    let (before, rest) = text.split_once("command = [").unwrap();
    let (_, after) = rest.split_once("]\n").unwrap();
    let words: Vec<String> = words.iter().map(|word| toml::Value::from(*word).to_string()).collect();
    format!("{before}command = [{}]\n{after}", words.join(", "))
}

/// What a run of a case on a rig ended in: the exit code, the verdict, why, and the requirements violated.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) verdict: String,
    pub(crate) why: String,
    pub(crate) violated: Vec<String>,
}

/// A run under way, so that many can be at once.
pub(crate) struct Running {
    child: Child,
    out: PathBuf,
}

impl Running {
    /// Starts the tool with these words; it leaves its report in this directory.
    pub(crate) fn start(words: &[&str], dir: &Path) -> Self {
        fs::create_dir_all(dir).unwrap();
        let out = dir.join("report");
        let _ = fs::remove_dir_all(&out);
        let mut command = Command::new(ASSAY);
        command.args(words).args(["--out", out.to_str().unwrap()]).current_dir(dir);
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        Self { child, out }
    }

    /// Starts a case on a rig.
    pub(crate) fn case(case: &str, rig: &Path, dir: &Path) -> Self {
        Self::start(&["run", case, "--bench", &format!("rig:{}", rig.display())], dir)
    }

    /// Waits for its end.
    pub(crate) fn ended(self) -> Ended {
        let output = self.child.wait_with_output().unwrap();
        let text = fs::read_to_string(self.out.join("run.json"));
        let text = text.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        let [case] = &record["cases"].as_array().unwrap()[..] else { panic!("one case: {record}") };
        let violations = case["violations"].as_array().unwrap().iter();
        let mut violated: Vec<String> =
            violations.map(|it| it["requirement"].as_str().unwrap().to_owned()).collect();
        violated.sort();
        violated.dedup();
        Ended {
            code: output.status.code(),
            verdict: case["verdict"].as_str().unwrap().to_owned(),
            why: case["why"].as_str().unwrap_or_default().to_owned(),
            violated,
        }
    }
}
