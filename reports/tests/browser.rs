//! The page in a real browser: opened, filtered, a failure followed to its message, the command copied.
//!
//! Runs where Chromium is installed, and says so where it is not.

#![expect(clippy::unwrap_used, reason = "a test may end at once where something is not as it should be")]

use std::path::{Path, PathBuf};

use assay_reports::{RunRecord, TraceRecord, render_html};
use chromium::Browser;
use serde_json::json;

mod chromium;
#[path = "reports/sample.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod sample;

/// A page on disk in a directory of its own, and the browser that shows it.
fn shown(name: &str, record: &RunRecord, trace: &TraceRecord) -> Option<(Browser, PathBuf)> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{name}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let page = dir.join("index.html");
    std::fs::write(&page, render_html(record, &mut |_| Some(trace.clone()))).unwrap();
    let url = format!("file://{}", page.display());
    let browser = Browser::open(&dir, &url, "document.querySelector('main') !== null");
    if browser.is_none() {
        chromium::say_none();
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
    assert_eq!(browser.text("document.querySelector('.timer-name').textContent"), "answer");
    let timer = browser.text("document.querySelector('.span.timer.out title').textContent");
    assert!(timer.starts_with("answer: set at ") && timer.contains("runs out"), "{timer}");
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
