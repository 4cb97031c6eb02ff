//! The record as one HTML page that needs nothing else: no network, no other file.
//!
//! What the page shows is data within it; scripts and styles are the crate's own, and the page's policy lets nothing
//! else run or load. Texts are made harmless before they become data, and the scripts put them into text nodes only.

mod data;
mod tapes;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::record::{RunRecord, TraceRecord};
use crate::render_console_summary;

/// The scripts, in the order in which they follow each other in the page.
const SCRIPTS: [&str; 9] = [
    include_str!("base.js"),
    include_str!("list.js"),
    include_str!("overview.js"),
    include_str!("faults.js"),
    include_str!("chart.js"),
    include_str!("frames.js"),
    include_str!("tape.js"),
    include_str!("story.js"),
    include_str!("start.js"),
];

const STYLE: &str = include_str!("style.css");

/// How large all tapes in one page are together at most; those that find no room stay beside their replay files.
///
/// Units: bytes.
const TAPES_MAX: usize = 14_000_000;

/// `index.html`; `trace` reads the trace that a record names, if it is there.
///
/// Why: traces are asked for one by one and put in as long as there is room, so that memory stays bounded, too.
pub fn render_html(record: &RunRecord, trace: &mut dyn FnMut(&str) -> Option<TraceRecord>) -> String {
    let script = format!("\"use strict\";(()=>{{\n{}}})();\n", SCRIPTS.concat());
    let page = data::page(record);
    let (mut tapes, mut room) = (String::new(), TAPES_MAX);
    let mut told = Vec::new();
    for file in &page.tapes {
        let number = told.len();
        let tape = trace(file).map(|trace| json(&tapes::tape(&trace))).filter(|tape| tape.len() <= room);
        told.push(tape.is_some());
        if let Some(tape) = tape {
            room -= tape.len();
            let _ = writeln!(tapes, "<script type=\"application/json\" id=\"tape-{number}\">{tape}</script>");
        }
    }
    let page = json(&page.with_tapes(told));
    let [script_hash, style_hash] = [&*script, STYLE].map(hash);
    let policy = format!(
        "default-src 'none'; script-src '{script_hash}'; style-src '{style_hash}'; base-uri 'none'; form-action \
         'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let plain = escaped(&render_console_summary(record));
    let verdict = record.verdict();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Assay: {verdict}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<noscript><pre>{plain}</pre></noscript>\n<div id=\"app\"></div>\n\
         <script type=\"application/json\" id=\"data\">{page}</script>\n{tapes}<script>{script}</script>\n</body>\n\
         </html>\n"
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// JSON that stays data wherever it stands in a page.
fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("a page has text keys and no floats");
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
