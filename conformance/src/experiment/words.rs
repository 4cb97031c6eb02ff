//! Numbers and assumptions in words, the same in the table and in the plot.

#![expect(clippy::float_arithmetic, reason = "statistics")]

use assay_reports::text::grouped;

use super::bench::{AFTER, AT_CARD, COMPARED_AFTER, OFF, RECORD_TIME, TERMINALS};
use super::disturbance::{Cuts, OUTAGE};
use super::interval::{float, interval, millionths};
use super::sample::Tally;
use super::water_cache::{Seen, WaterCache};

/// A rate in per cent, with three significant digits where it is not below a tenth.
pub(super) fn percent(rate: f64) -> String {
    in_percent(rate * 100.0, f64::round)
}

/// A bound from above, never rounded down.
fn percent_bound(rate: f64) -> String {
    in_percent(rate * 100.0, f64::ceil)
}

fn in_percent(percent: f64, round: impl Fn(f64) -> f64) -> String {
    let (digits, scale) = match percent {
        10.0.. => (1, 10.0),
        1.0..10.0 => (2, 100.0),
        0.01..1.0 => (3, 1_000.0),
        _ => (4, 10_000.0),
    };
    let text = format!("{:.digits$}", round(percent * scale) / scale);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A count of events among swipes with what it says of their rate.
pub(super) fn counted_rate(count: u64, of: u64) -> String {
    if of == 0 {
        return "not measured".to_owned();
    }
    let ends = interval(count, of);
    if count == 0 {
        return format!("0 of {} ≤ {}", grouped(of), percent_bound(ends.high));
    }
    let rate = percent(float(count) / float(of));
    let ends = format!("{} to {}", percent(ends.low).trim_end_matches(" %"), percent(ends.high));
    format!("{} of {} = {rate} ({ends})", grouped(count), grouped(of))
}

/// What the source saw, likewise.
pub(super) fn seen_words(seen: Seen) -> String {
    counted_rate(seen.count, seen.of)
}

/// Where the cuts of a setting fall.
pub(super) fn cuts_words(cuts: Cuts) -> String {
    match cuts {
        Cuts::Window(share) => format!("{} in the window", percent(millionths(share))),
        Cuts::AtCard => "at the card".to_owned(),
    }
}

/// How often an upload stays without an answer.
pub(super) fn answer_loss(leg_loss: u32) -> f64 {
    let passes = 1.0 - millionths(leg_loss);
    1.0 - passes * passes
}

/// Out of step as the table and the plot print it.
pub(super) fn out_of_step(tally: &Tally) -> String {
    counted_rate(tally.out_of_step, tally.swipes)
}

/// What was assumed, a sentence or two each.
pub(super) fn assumptions(result: &WaterCache) -> Vec<String> {
    let seconds = |span: assay_sim::time::Span| span.as_ms() / 1_000;
    let (outage, off, after, at_card) = (seconds(OUTAGE), seconds(OFF), seconds(AFTER), seconds(AT_CARD));
    let minutes = seconds(COMPARED_AFTER) / 60;
    vec![
        format!(
            "Swipe: an order is paid, its card goes into one of {TERMINALS} terminals once, is credited and taken \
             out, and the result is uploaded. Terminal, card, EEPROM, modem, GPRS path, server and payment front \
             are simulated in full."
        ),
        format!(
            "Out of step: {minutes} min after the card went in, card and ledger disagree and the ledger does not \
             list the order as in doubt. In doubt is counted by itself."
        ),
        format!(
            "Answer loss: an upload gets no answer because the connection dies under the upload or, as often, \
             under its answer. Nobody is told, what was on it is lost, and nothing passes for {outage} s. Repeated \
             uploads are lost as often; no other message is."
        ),
        format!(
            "Power cuts: one for each lost answer, of terminal and modem, for {off} s. The share in the window \
             comes before `published` has the result in its EEPROM ({} s and {} ms after the upload began), at \
             any instant alike; the rest in the {after} s after that.",
            result.answer_timeout_s,
            RECORD_TIME.as_ms()
        ),
        format!(
            "Cuts at the card, for comparison: as many, not tied to losses, at any instant of the {at_card} s after \
             a card goes in."
        ),
        "The source states neither loss nor cuts: the loss is fitted to its 0.8 % without a cache, the share of \
         cuts is free. Its counts follow from its rates and numbers of swipes. Intervals are exact 95 % \
         (Clopper-Pearson), one-sided where nothing was seen."
            .to_owned(),
    ]
}

/// How much was done, if not all.
pub(super) fn cut_short(result: &WaterCache) -> Option<String> {
    if result.complete {
        return None;
    }
    if result.leg_loss.is_none() {
        return Some("Stopped before the loss was fitted: nothing else was measured.".to_owned());
    }
    let swipes = grouped(result.extent.whole_benches());
    let all = || result.rows.iter().chain(&result.curve);
    let done = all().filter(|measured| measured.complete).count();
    let begun = all().find(|measured| !measured.complete).map(|measured| measured.tally.swipes);
    let begun = begun.map(|begun| format!(", and one over the first {}", grouped(begun))).unwrap_or_default();
    let planned = result.planned;
    Some(format!(
        "Stopped before the end: {done} of {planned} measurements over {swipes} swipes each are done{begun}."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_printed_with_what_they_say() {
        assert_eq!(counted_rate(0, 100_000), "0 of 100,000 ≤ 0.003 %");
        assert_eq!(counted_rate(0, 1_000), "0 of 1,000 ≤ 0.3 %");
        assert_eq!(counted_rate(8, 1_000), "8 of 1,000 = 0.8 % (0.346 to 1.57 %)");
        assert_eq!(counted_rate(2, 2_000), "2 of 2,000 = 0.1 % (0.012 to 0.361 %)");
        assert_eq!(counted_rate(0, 0), "not measured");
        assert_eq!(percent(0.126), "12.6 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.0), "0 %");
    }

    #[test]
    fn an_answer_is_lost_on_either_way() {
        assert_eq!(percent(answer_loss(100_000)), "19 %");
        assert_eq!(percent(answer_loss(0)), "0 %");
    }
}
