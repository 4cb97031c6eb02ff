//! Libraries made by others, against the served faces that sign with RSA: WeChat Pay v3 and Alipay.
//!
//! Each library is installed from its registry into a directory of the build. Where its interpreter or its registry is
//! missing, its trial is ignored and says why: it does not pass.

#![expect(clippy::unwrap_used, reason = "a test may end at once where something is not as it should be")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() {
    let wechat = |mode: &'static str| move || wechatpayv3(mode);
    let trials = vec![
        Trial::ignorable_test("wechatpayv3::certificate", wechat("certificate")).with_kind("python"),
        Trial::ignorable_test("wechatpayv3::public-key", wechat("public-key")).with_kind("python"),
        Trial::ignorable_test("python-alipay-sdk", python_alipay_sdk).with_kind("python"),
        Trial::ignorable_test("alipay-sdk", alipay_sdk).with_kind("node"),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Source: BKD-1, with the library wechatpayv3 and either way of verifying the platform.
fn wechatpayv3(mode: &str) -> Result<Completion, Failed> {
    let python = match python(&format!("wechatpayv3-{mode}"), &["wechatpayv3==2.0.4"]) {
        Ok(python) => python,
        Err(reason) => return Ok(Completion::Ignored { reason: Some(reason) }),
    };
    let served = Served::start(&format!("served-wechatpayv3-{mode}"));
    let script = script("wechatpayv3_shop.py");
    shop(Command::new(python).arg(script).args([served.http.as_str(), served.dir(), mode]))
}

/// Source: BKD-1, with the library python-alipay-sdk.
fn python_alipay_sdk() -> Result<Completion, Failed> {
    let python = match python("python-alipay-sdk", &["python-alipay-sdk==3.4.0"]) {
        Ok(python) => python,
        Err(reason) => return Ok(Completion::Ignored { reason: Some(reason) }),
    };
    let served = Served::start("served-python-alipay");
    shop(Command::new(python).arg(script("alipay_shop.py")).args([served.http.as_str(), served.dir()]))
}

/// Source: BKD-1, with the platform's own library for Node.js.
fn alipay_sdk() -> Result<Completion, Failed> {
    let modules = match node("alipay-sdk", "alipay-sdk@4.14.0") {
        Ok(modules) => modules,
        Err(reason) => return Ok(Completion::Ignored { reason: Some(reason) }),
    };
    let served = Served::start("served-alipay-node");
    let script = script("alipay_shop.mjs");
    shop(Command::new("node").arg(script).args([served.http.as_str(), served.dir()]).arg(modules))
}

/// Lets a shop do everything, and expects that it is content.
fn shop(command: &mut Command) -> Result<Completion, Failed> {
    let output = command.stdin(Stdio::null()).env("PYTHONDONTWRITEBYTECODE", "1").output();
    let output = output.map_err(|error| error.to_string())?;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() && said.trim().lines().last() == Some("done") {
        return Ok(Completion::Completed);
    }
    Err(format!("{said}{complained}").into())
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payments_sdk").join(name)
}

/// A Python in an environment of its own, with these packages; in words, why there is none.
fn python(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdk-{name}"));
    let python = dir.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&dir), "python3 makes no environment")?;
    }
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&python).args(quiet).args(packages), "the registry does not give the library")?;
    Ok(python)
}

/// A directory into which a package for Node.js is installed; in words, why there is none.
fn node(name: &str, package: &str) -> Result<PathBuf, String> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdk-node-{name}"));
    run(Command::new("node").arg("--version"), "there is no node")?;
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let quiet = ["install", "--silent", "--no-fund", "--no-audit", "--prefer-offline", "--prefix"];
    run(Command::new("npm").args(quiet).arg(&dir).arg(package), "the registry does not give the library")?;
    Ok(dir)
}

/// Runs a command to its end; what failed, in words, with its last line.
fn run(command: &mut Command, otherwise: &str) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{otherwise}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.trim().lines().last().unwrap_or("");
    if output.status.success() { Ok(()) } else { Err(format!("{otherwise}: {last}")) }
}

/// The platforms with keys of their own, for one test.
struct Served {
    process: Child,
    http: String,
    dir: PathBuf,
}

impl Served {
    fn start(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&dir);
        let mut tool = Command::new(env!("CARGO_BIN_EXE_assay"));
        tool.args(["serve", "payments", "--listen", "127.0.0.1:0", "--time-scale", "40", "--dir"]).arg(&dir);
        let mut process = tool.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut http = String::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["http", at] => (*at).clone_into(&mut http),
                ["ready"] => break,
                _ => {}
            }
        }
        Self { process, http, dir }
    }

    fn dir(&self) -> &str {
        self.dir.to_str().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
