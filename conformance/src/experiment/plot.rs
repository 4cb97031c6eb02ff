//! The result as a picture: an SVG that stands by itself, for light and dark pages, with what was assumed below.

#![expect(clippy::float_arithmetic, reason = "statistics, and places on a page")]

use std::fmt::Write as _;

use assay_reports::text::grouped;
use assay_sim::policy::PolicyName;

use super::disturbance::Cuts;
use super::interval::{Interval, float, interval, millionths};
use super::sample::Measured;
use super::table::{found, wrapped};
use super::water_cache::{SEEN_CACHED, SEEN_CACHED_ENDS, SEEN_UNCACHED, Seen, WaterCache};
use super::words::{assumptions, cut_short, out_of_step, percent};

/// The picture's width; its height follows from the text below the plot.
const WIDTH: f64 = 960.0;
/// The plot within it.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 700.0;
const TOP: f64 = 132.0;
const BOTTOM: f64 = 500.0;
/// Where what the source saw stands.
const SEEN_AT: [f64; 2] = [784.0, 894.0];
/// The greatest rate that is shown.
const RATE_MAX: f64 = 0.016;
/// From one line of the grid to the next.
const RATE_STEP: u32 = 2_000;
/// From one line of small text to the next, and how many columns it has.
const LINE: f64 = 17.0;
const TEXT_COLUMNS: usize = 136;

const TITLE: &str = "Swipes out of step, by the share of power cuts in the vulnerable window";

const STYLE: &str = "\
svg { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }\n\
.page { fill: #ffffff; } text { fill: #1f2328; } .soft { fill: #59636e; } .small { font-size: 12px; }\n\
.title { font-size: 18px; font-weight: 600; } .grid { stroke: #d1d9e0; } .axis { stroke: #59636e; }\n\
.seen { stroke: #59636e; fill: #59636e; } .seen-band { fill: #59636e; opacity: 0.13; }\n\
.uncached { stroke: #b3420a; fill: #b3420a; } .published { stroke: #0969da; fill: #0969da; }\n\
.hardened { stroke: #1a7f37; fill: #1a7f37; } path.line { fill: none; stroke-width: 2; }\n\
.band { stroke: none; opacity: 0.18; } .dash { stroke-dasharray: 5 4; } text.label { stroke: none; }\n\
@media (prefers-color-scheme: dark) {\n\
.page { fill: #0d1117; } text { fill: #e6edf3; } .soft { fill: #9198a1; }\n\
.grid { stroke: #30363d; } .axis { stroke: #9198a1; }\n\
.seen { stroke: #9198a1; fill: #9198a1; } .seen-band { fill: #9198a1; opacity: 0.2; }\n\
.uncached { stroke: #f0883e; fill: #f0883e; } .published { stroke: #58a6ff; fill: #58a6ff; }\n\
.hardened { stroke: #3fb950; fill: #3fb950; } }\n";

/// A point of the plot: share of cuts and rate out of step.
type Point = (f64, f64);

fn x(share: f64) -> f64 {
    LEFT + share * (RIGHT - LEFT)
}

fn y(rate: f64) -> f64 {
    BOTTOM - (rate / RATE_MAX).min(1.0) * (BOTTOM - TOP)
}

/// An SVG under way. Texts are ours alone and hold nothing that XML would take for markup, which a test holds.
#[derive(Default)]
struct Drawing(String);

impl Drawing {
    fn text(&mut self, (x, y): Point, class: &str, anchor: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('`', "");
        let _ = writeln!(
            self.0,
            r#"<text x="{x:.1}" y="{y:.1}" class="{class}" text-anchor="{anchor}">{text}</text>"#
        );
    }

    fn line(&mut self, from: Point, to: Point, class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ =
            writeln!(self.0, r#"<path class="{class}" d="M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}" fill="none"/>"#);
    }

    fn dot(&mut self, (x, y): Point, class: &str) {
        let _ = writeln!(self.0, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="4"/>"#);
    }

    fn path(&mut self, points: &[Point], class: &str) {
        let Some(((x, y), rest)) = points.split_first() else { return };
        let _ = write!(self.0, r#"<path class="{class}" d="M{x:.1} {y:.1}"#);
        for (x, y) in rest {
            let _ = write!(self.0, "L{x:.1} {y:.1}");
        }
        self.0 += "\"/>\n";
    }
}

/// The whole picture.
pub(super) fn render(result: &WaterCache) -> String {
    let mut drawing = Drawing::default();
    heading(&mut drawing, result);
    axes(&mut drawing);
    source(&mut drawing);
    curve(&mut drawing, result);
    level(&mut drawing, result, PolicyName::Uncached, 0.24);
    level(&mut drawing, result, PolicyName::Hardened, 0.6);
    crossing(&mut drawing, result);
    let height = footing(&mut drawing, result);
    let what = assumptions(result).join(" ").replace('&', "&amp;").replace('<', "&lt;").replace('`', "");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" width=\"{WIDTH:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n<title>{TITLE}</title>\n<desc>{what}</desc>\n\
         <style>\n{STYLE}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
        drawing.0
    )
}

fn heading(drawing: &mut Drawing, result: &WaterCache) {
    drawing.text((24.0, 32.0), "title", "start", TITLE);
    let (swipes, seed) = (grouped(result.extent.whole_benches()), result.extent.seed.0);
    let mut lines = vec![format!("{swipes} simulated swipes for each point, seed {seed}.")];
    lines.extend(found(result));
    for (at, line) in (0_u32..).zip(&lines) {
        drawing.text((24.0, 54.0 + f64::from(at) * LINE), "soft", "start", line);
    }
}

fn axes(drawing: &mut Drawing) {
    for step in 0..=8 {
        let rate = millionths(step * RATE_STEP);
        drawing.line((LEFT, y(rate)), (RIGHT, y(rate)), "grid");
        drawing.text((LEFT - 8.0, y(rate) + 4.0), "small", "end", &percent(rate));
    }
    for step in 0..=10 {
        let share = f64::from(step) / 10.0;
        drawing.line((x(share), BOTTOM), (x(share), BOTTOM + 5.0), "axis");
        drawing.text((x(share), BOTTOM + 20.0), "small", "middle", &percent(share));
    }
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis");
    let what = "share of power cuts between the lost answer and the record in the EEPROM of published";
    drawing.text((f64::midpoint(LEFT, RIGHT), BOTTOM + 42.0), "", "middle", what);
}

/// What the source saw: its rate and interval with the cache over the whole plot, and both beside it.
fn source(drawing: &mut Drawing) {
    let [low, high] = SEEN_CACHED_ENDS.map(millionths);
    let corners = [(LEFT, y(low)), (RIGHT, y(low)), (RIGHT, y(high)), (LEFT, y(high))];
    drawing.path(&corners, "seen-band");
    let rate = millionths(SEEN_CACHED.rate());
    drawing.line((LEFT, y(rate)), (RIGHT, y(rate)), "seen dash");
    let words = format!("the source's {} with its cache, and its 95 % interval", percent(rate));
    drawing.text((RIGHT - 8.0, y(rate) - 6.0), "soft small", "end", &words);
    let seen = [("without cache", SEEN_UNCACHED), ("with cache", SEEN_CACHED)];
    for ((name, Seen { count, of }), at) in seen.into_iter().zip(SEEN_AT) {
        let Interval { low, high } = interval(count, of);
        drawing.line((at, y(low)), (at, y(high)), "seen line");
        for end in [low, high] {
            drawing.line((at - 6.0, y(end)), (at + 6.0, y(end)), "seen line");
        }
        drawing.dot((at, y(float(count) / float(of))), "seen");
        drawing.text((at, BOTTOM + 20.0), "small", "middle", name);
        let counts = format!("{count} of {}", grouped(of));
        drawing.text((at, BOTTOM + 36.0), "small soft", "middle", &counts);
    }
    drawing.text((f64::midpoint(SEEN_AT[0], SEEN_AT[1]), TOP - 8.0), "", "middle", "seen by the source");
}

/// Where a measurement with cuts in the window stands: its share, and rate or interval.
fn place(measured: &Measured) -> Option<(f64, f64, Interval)> {
    let Cuts::Window(share) = measured.setting.cuts else { return None };
    let (count, of) = (measured.tally.out_of_step, measured.tally.swipes);
    (of > 0).then(|| (millionths(share), float(count) / float(of), interval(count, of)))
}

fn curve(drawing: &mut Drawing, result: &WaterCache) {
    let places: Vec<_> = result.curve.iter().filter_map(place).collect();
    let upper = places.iter().map(|(share, _, ends)| (x(*share), y(ends.high)));
    let lower = places.iter().rev().map(|(share, _, ends)| (x(*share), y(ends.low)));
    drawing.path(&upper.chain(lower).collect::<Vec<_>>(), "published band");
    let line: Vec<Point> = places.iter().map(|(share, rate, _)| (x(*share), y(*rate))).collect();
    drawing.path(&line, "published line");
    if let Some(at) = line.get(line.len() / 2) {
        drawing.text((at.0 - 24.0, at.1 - 26.0), "published label", "end", "published, with 95 % interval");
    }
}

/// A design that does not depend on the share, or hardly.
fn level(drawing: &mut Drawing, result: &WaterCache, policy: PolicyName, label_at: f64) {
    let rows: Vec<&Measured> = result.rows_of(policy).collect();
    let places: Vec<_> = rows.iter().filter_map(|row| place(row)).collect();
    let points: Vec<Point> = places.iter().map(|(share, rate, _)| (x(*share), y(*rate))).collect();
    drawing.path(&points, &format!("{policy} line"));
    for point in &points {
        drawing.dot(*point, policy.as_str());
    }
    if let (Some(point), Some(row)) = (points.first(), rows.first()) {
        let words = format!("{policy}: {}", out_of_step(&row.tally));
        drawing.text((x(label_at), point.1 - 8.0), &format!("{policy} label"), "start", &words);
    }
}

fn crossing(drawing: &mut Drawing, result: &WaterCache) {
    let [_, high] = SEEN_CACHED_ENDS;
    let Some(crossings) = &result.crossings else { return };
    for (share, rate) in [(crossings.seen, SEEN_CACHED.rate()), (crossings.high, high)] {
        let Some(share) = share.map(millionths) else { continue };
        let at = (x(share), y(millionths(rate)));
        drawing.line(at, (at.0, BOTTOM), "published dash");
        drawing.dot(at, "published");
        drawing.text((at.0 + 8.0, at.1 + 18.0), "published label", "start", &percent(share));
    }
}

/// What was assumed; returns the picture's height.
fn footing(drawing: &mut Drawing, result: &WaterCache) -> f64 {
    let mut at = BOTTOM + 82.0;
    if let Some(note) = cut_short(result) {
        drawing.text((24.0, at), "title", "start", &note);
        at += 2.0 * LINE;
    }
    drawing.text((24.0, at), "", "start", "What was assumed");
    for assumption in assumptions(result) {
        at += 4.0;
        for line in wrapped(&assumption, TEXT_COLUMNS) {
            at += LINE;
            drawing.text((24.0, at), "small soft", "start", &line);
        }
    }
    at + 24.0
}
