//! The page in a real browser: opened, filtered, a failure followed to its message, the command copied.
//!
//! Runs where Chromium is installed, and says so where it is not.

#![expect(clippy::unwrap_used, reason = "a test may end at once where something is not as it should be")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use assay_reports::{RunRecord, TraceRecord, render_html};
use serde_json::{Value, json};

#[path = "reports/sample.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod sample;

/// What the browser is called on the systems that people use.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser without a window, spoken to over a pipe.
struct Browser {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    session: String,
    next: u64,
    /// What the page complained of.
    complaints: Vec<String>,
}

impl Browser {
    /// Opens a page; nothing where there is no browser.
    fn open(dir: &Path, page: &Path) -> Option<Self> {
        let there = |name: &&&str| {
            let quiet =
                Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            quiet.is_ok_and(|status| status.success())
        };
        let name = NAMES.iter().find(there)?;
        // The browser talks over descriptors 3 and 4, which a shell can lay.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null", name])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-pipe", "--window-size=1280,900"])
            .arg(format!("--user-data-dir={}", dir.join("profile").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let session = String::new();
        let mut browser = Self { process, input, output, session, next: 0, complaints: Vec::new() };
        let grant = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
        browser.call("Browser.grantPermissions", grant);
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            browser.call(domain, json!({}));
        }
        browser.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
        browser.call("Page.navigate", json!({ "url": format!("file://{}", page.display()) }));
        browser.wait("document.readyState === 'complete' && document.querySelector('main') !== null");
        Some(browser)
    }

    /// One command and its answer; what the page complains of meanwhile is kept.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut command = json!({ "id": self.next, "method": method, "params": params });
        if !self.session.is_empty() {
            command["sessionId"] = self.session.clone().into();
        }
        self.input.write_all(command.to_string().as_bytes()).unwrap();
        self.input.write_all(b"\0").unwrap();
        loop {
            let mut message = Vec::new();
            assert!(self.output.read_until(0, &mut message).unwrap() > 0, "the browser has gone");
            message.pop();
            let message: Value = serde_json::from_slice(&message).unwrap();
            if matches!(message["method"].as_str(), Some("Runtime.exceptionThrown" | "Log.entryAdded")) {
                self.complaints.push(message["params"].to_string());
            }
            if message["id"] == self.next {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// What an expression comes to in the page, promises awaited.
    fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", params);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    fn text(&mut self, expression: &str) -> String {
        self.eval(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    /// Waits until an expression holds; the page looks by itself, so that nobody polls.
    fn wait(&mut self, expression: &str) {
        let until = format!(
            "new Promise((done) => {{ const look = () => ({expression}) ? done(true) : setTimeout(look, 20); \
             look(); }})"
        );
        assert_eq!(self.eval(&until), json!(true));
    }

    fn click(&mut self, selector: &str) {
        self.eval(&format!("document.querySelector({selector:?}).click()"));
    }

    fn enter(&mut self, selector: &str, text: &str) {
        self.eval(&format!(
            "{{ const field = document.querySelector({selector:?}); field.value = {text:?}; field.dispatchEvent(new \
             Event('input', {{ bubbles: true }})); }}"
        ));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A page on disk in a directory of its own, and the browser that shows it.
fn shown(name: &str, record: &RunRecord, trace: &TraceRecord) -> Option<(Browser, PathBuf)> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{name}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let page = dir.join("index.html");
    std::fs::write(&page, render_html(record, &mut |_| Some(trace.clone()))).unwrap();
    let browser = Browser::open(&dir, &page);
    if browser.is_none() {
        let words = format!("not run: there is no Chromium here ({})\n", NAMES.join(", "));
        std::io::stderr().write_all(words.as_bytes()).unwrap();
    }
    Some((browser?, page))
}

#[test]
fn a_failure_is_found_followed_to_its_message_and_its_command_copied() {
    let (mut record, trace) = sample::large();
    record.exploration = vec![sample::mapped_exploration()];
    record.mutants = sample::mutants();
    let Some((mut browser, _)) = shown("failure", &record, &trace) else { return };
    assert_eq!(browser.text("document.querySelector('h1').textContent"), "fail");
    assert_eq!(browser.text("document.getElementById('case-tally').textContent"), "10,000 of 10,000 cases");
    browser.enter("#case-filter", "answer-lost");
    browser.wait("document.getElementById('case-tally').textContent === '1 of 10,000 cases'");
    browser.eval("document.querySelector('.case a').click()");
    browser.wait("document.querySelector('main.story') !== null");
    assert_eq!(browser.text("document.querySelector('.story h1').textContent"), "water/topup/answer-lost");
    assert_eq!(
        browser.text("document.getElementById('tape-tally').textContent"),
        "100,000 of 100,000 entries"
    );
    browser.click(".evidence[data-ordinal='1180']");
    assert_eq!(browser.text("document.querySelector('.entry.chosen').dataset.ordinal"), "1180");
    assert_eq!(browser.text("document.querySelector('.chart .chosen').dataset.ordinal"), "1180");
    assert!(browser.text("document.getElementById('entry').textContent").contains("41 54"));
    browser.enter("#tape-filter", "%99998%");
    browser.wait("document.getElementById('tape-tally').textContent === '1 of 100,000 entries'");
    browser.click("#again .copy");
    browser.wait("document.querySelector('#again .copy').textContent === 'Copied'");
    let replay = sample::failed_case().replay.unwrap();
    assert_eq!(browser.text("navigator.clipboard.readText()"), replay);
    assert_eq!(browser.complaints, [""; 0]);
}

#[test]
fn hostile_text_runs_nothing_and_stays_text() {
    let text = "</script><img src=x onerror=document.title='owned'><script>document.title='owned'</script>";
    let mut record = sample::record();
    let mut case = sample::failed_case();
    for field in [&mut case.id, &mut case.title, &mut case.policy, &mut case.violations[0].actual] {
        text.clone_into(field);
    }
    case.trace = Some("replay/x.trace.jsonl".into());
    record.cases = vec![case];
    let Some((mut browser, _)) = shown("hostile", &record, &sample::trace(text)) else { return };
    assert_eq!(browser.text("document.querySelector('.failure .id').textContent"), text);
    browser.eval("location.hash = '#story-0'");
    browser.wait("document.querySelector('main.story') !== null");
    assert_eq!(browser.text("document.querySelector('.story h1').textContent"), text);
    assert_eq!(browser.text("document.title"), "Assay: fail");
    assert_eq!(browser.eval("document.images.length"), json!(0));
    assert_eq!(browser.complaints, [""; 0]);
}
