//! The page in a real browser: opened, filtered, a failure followed to its message, the command copied.
//!
//! Runs where Chromium is installed, and says so where it is not.

#![expect(clippy::unwrap_used, reason = "a test may end at once where something is not as it should be")]

use std::path::{Path, PathBuf};

use assay_reports::{LinkRecord, Medium, RunRecord, TraceEntry, TraceKind, TraceRecord, render_html};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

/// Of each system one message as its documents have it, and what the page says of its fields.
const FRAMES: [(Medium, &str, &[&str]); 12] = [
    (
        Medium::Stream,
        "AA551101010027201801092530303132333435363738253130343225312531322E352531322E354058",
        &[
            "type|order request",
            "card|0012345678",
            "order|1042",
            "state|1, paid, to be written",
            "CRC-16|fits",
        ],
    ),
    (
        Medium::Stream,
        "AA5500000100 0C2018010925622B",
        &["machine|2018010925", "CRC-16|does not fit: 62 2A would"],
    ),
    (
        Medium::Serial,
        "0D0A2B43535120 3A2032302C300D0A 41542B495053454E443D31340D AA55000001000C2018010925622A",
        &["command|AT+IPSEND, set", "parameter 1|14", "type|heartbeat", "CRC-16|fits"],
    ),
    (Medium::Serial, "2B4353513A2032302C300D0A", &["answer|+CSQ", "parameter 1|20", "parameter 2|0"]),
    (
        Medium::Datagram,
        "3130332C31322C312E322E332E342C352E362E372E382C39 2C343030303030303039392C352E35302C\
         3230323430313032303330343035",
        &["command|103, payment by card", "seq|12", "machine|9", "card|4000000099", "amount|5.50"],
    ),
    (
        Medium::Datagram,
        "3030382C392C343030303030303039392C352E35302CB3C92C342C312C30",
        &["command|008, the sale is made", "text|\u{6210}", "seconds|4", "voice|0"],
    ),
    (Medium::Serial, "A55A03810703 3E42", &["command|pay, answer", "sequence|7", "status|3, paid"]),
    (
        Medium::Stream,
        "55AA0103000000070000002A0001 00000000000000000000000000000000 FF ABCD",
        &["version|AES-128-CBC", "command|create", "sequence|7", "device|42", "sealed length|1"],
    ),
    (
        Medium::Stream,
        "7765636861742071756572792053312035203630 0A",
        &["word|wechat", "word|query", "word|60"],
    ),
    (
        Medium::Stream,
        "504F5354202F7061792F6D6963726F70617920485454502F312E310D0A686F73743A20780D0A0D0A\
         3C786D6C3E3C613E313C2F613E3C623E3C215B43444154415B7A5D5D3E3C2F623E3C2F786D6C3E",
        &["method|POST", "target|/pay/micropay", "host|x", "a|1", "b|z"],
    ),
    (
        Medium::Stream,
        "485454502F312E3120323030204F4B0D0A0D0A7B22636F6465223A2258222C22746F74616C223A317D",
        &["status|200", "reason|OK", "code|\"X\"", "total|1"],
    ),
    (Medium::Serial, "F903EF0541540DF9", &["address|channel 0", "control|UIH", "length|2"]),
];

/// A tape that has nothing but these messages, each on a link of its own.
fn of_frames() -> TraceRecord {
    let mut trace = sample::trace("frames");
    let blank = trace.entries[0].clone();
    trace.entries.clear();
    trace.head.links.clear();
    trace.head.timers.clear();
    for (number, (kind, hex, _)) in (0_u16..).zip(FRAMES) {
        trace.head.links.push(LinkRecord {
            name: format!("link-{number}"),
            kind,
            ends: [Some(0), Some(1)],
            listens: None,
        });
        trace.entries.push(TraceEntry {
            ordinal: number.into(),
            at_us: 1_000 * u64::from(number),
            kind: TraceKind::Sent,
            link: Some(number),
            hex: Some(hex.replace(' ', "")),
            text: format!("message {number}"),
            exhibits: Vec::new(),
            ..blank.clone()
        });
    }
    trace
}

#[test]
fn messages_of_every_system_are_told_field_by_field_at_any_width() {
    let mut record = sample::record();
    let mut case = sample::failed_case();
    case.trace = Some("replay/x.trace.jsonl".into());
    record.cases = vec![case];
    let Some((mut browser, page)) = shown("fields", &record, &of_frames()) else { return };
    browser.eval("location.hash = '#story-0'");
    browser.wait("document.querySelector('main.story') !== null");
    for (number, (_, hex, fields)) in FRAMES.iter().enumerate() {
        browser.click(&format!(".entry[data-ordinal='{number}']"));
        let rows = "[...document.querySelectorAll('#entry .fields tbody tr')]";
        let told = browser.text(&format!(
            "{rows}.map((row) => row.querySelector('th').textContent + '|' + \
             row.querySelector('.value').textContent).join('\\n')"
        ));
        for field in *fields {
            assert!(told.lines().any(|line| line == *field), "{number}: {field} is not in\n{told}");
        }
        // Every byte of the message stands in the table, if it is short enough not to be cut.
        let raw =
            browser.text(&format!("{rows}.map((row) => row.querySelector('.raw').textContent).join(' ')"));
        assert!(!raw.is_empty() && hex.len() > 4, "{raw}");
    }
    // Pointing at a field marks its bytes.
    browser.click(".entry[data-ordinal='0']");
    browser.eval("document.querySelector('#entry .fields tbody tr').focus()");
    assert_eq!(browser.eval("document.querySelectorAll('#entry .dump .marked').length"), json!(2));
    for (width, height) in [(1_280, 900), (820, 1_100), (390, 844)] {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.call("Emulation.setDeviceMetricsOverride", size);
        browser.eval("document.querySelector('#entry').scrollIntoView({ block: 'start' })");
        let wide = browser.eval("document.documentElement.scrollWidth");
        assert!(wide.as_u64().is_some_and(|wide| wide <= width), "the page is {wide} wide in {width}");
        let picture = browser.call("Page.captureScreenshot", json!({ "format": "png" }));
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(page.with_file_name(format!("fields-{width}.png")), picture).unwrap();
    }
    assert_eq!(browser.complaints, [""; 0]);
}
