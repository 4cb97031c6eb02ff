//! Libraries made by others, against the served faces that sign with RSA: WeChat Pay v3 and Alipay.
//!
//! Each library is installed from its registry into a directory of the build. Where its interpreter or its registry is
//! missing, its trial is ignored and says why: it does not pass.

#![expect(clippy::unwrap_used, reason = "a test may end at once where something is not as it should be")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() {
    let mut trials = Vec::new();
    for way in [Way::Plain, Way::Tls] {
        let name = |library: &str| format!("{library}::{}", way.as_str());
        trials.extend([
            Trial::ignorable_test(name("wechatpayv3-certificate"), move || wechatpayv3("certificate", way))
                .with_kind("python"),
            Trial::ignorable_test(name("wechatpayv3-public-key"), move || wechatpayv3("public-key", way))
                .with_kind("python"),
            Trial::ignorable_test(name("python-alipay-sdk"), move || python_alipay_sdk(way))
                .with_kind("python"),
            Trial::ignorable_test(name("alipay-sdk"), move || alipay_sdk(way)).with_kind("node"),
        ]);
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// How a library reaches the platforms, and they its notifications.
#[derive(Clone, Copy)]
enum Way {
    Plain,
    /// With the generated authority, which the library is told to trust by its platform's own means.
    Tls,
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "http",
            Self::Tls => "https",
        }
    }
}

/// Source: BKD-1, with the library wechatpayv3 and either way of verifying the platform.
fn wechatpayv3(mode: &str, way: Way) -> Result<Completion, Failed> {
    let python = match python("wechatpayv3", &["wechatpayv3==2.0.4"]) {
        Ok(python) => python,
        Err(reason) => return Ok(Completion::Ignored { reason: Some(reason) }),
    };
    let served = Served::start(&format!("served-wechatpayv3-{mode}-{}", way.as_str()));
    let script = script("wechatpayv3_shop.py");
    shop(Command::new(python).arg(script).args([served.base(way), served.dir(), mode]), &served, way)
}

/// Source: BKD-1, with the library python-alipay-sdk.
fn python_alipay_sdk(way: Way) -> Result<Completion, Failed> {
    let python = match python("python-alipay-sdk", &["python-alipay-sdk==3.4.0"]) {
        Ok(python) => python,
        Err(reason) => return Ok(Completion::Ignored { reason: Some(reason) }),
    };
    let served = Served::start(&format!("served-python-alipay-{}", way.as_str()));
    let script = script("alipay_shop.py");
    shop(Command::new(python).arg(script).args([served.base(way), served.dir()]), &served, way)
}

/// Source: BKD-1, with the platform's own library for Node.js.
fn alipay_sdk(way: Way) -> Result<Completion, Failed> {
    let modules = match node("alipay-sdk", "alipay-sdk@4.14.0") {
        Ok(modules) => modules,
        Err(reason) => return Ok(Completion::Ignored { reason: Some(reason) }),
    };
    let served = Served::start(&format!("served-alipay-node-{}", way.as_str()));
    let script = script("alipay_shop.mjs");
    shop(Command::new("node").arg(script).args([served.base(way), served.dir()]).arg(modules), &served, way)
}

/// Lets a shop do everything, and expects that it is content.
fn shop(command: &mut Command, served: &Served, way: Way) -> Result<Completion, Failed> {
    if matches!(way, Way::Tls) {
        let authority = served.dir.join("ca.pem");
        for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            command.env(name, &authority);
        }
    }
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

/// Installations go one after the other: several trials use the same one.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A Python in an environment of its own, with these packages; in words, why there is none.
fn python(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
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
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
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
    https: String,
    dir: PathBuf,
}

impl Served {
    fn start(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&dir);
        let mut tool = Command::new(env!("CARGO_BIN_EXE_assay"));
        tool.args(["serve", "payments", "--listen", "127.0.0.1:0", "--https", "127.0.0.1:0"]);
        tool.args(["--time-scale", "40", "--dir"]).arg(&dir);
        let mut process = tool.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut http, mut https) = (String::new(), String::new());
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["http", at] => (*at).clone_into(&mut http),
                ["https", at, ..] => at.trim_end_matches(',').clone_into(&mut https),
                ["ready"] => break,
                _ => {}
            }
        }
        Self { process, http, https, dir }
    }

    fn base(&self, way: Way) -> &str {
        match way {
            Way::Plain => &self.http,
            Way::Tls => &self.https,
        }
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
