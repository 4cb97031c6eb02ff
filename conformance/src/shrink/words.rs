//! A plan in one sentence, in the order in which it struck.

use std::fmt::Write as _;

use assay_reports::text::escape;
use assay_sim::fault::{Fate, Fault, FaultPlan, Moment, Site, Strike};
use assay_sim::time::{Instant, Span};

use crate::explore::Wiring;

/// What a run failed with: the strikes of its plan that struck, each with the time since the one before it.
pub(super) fn sentence(
    requirement: &str,
    plan: &FaultPlan,
    struck: &[(usize, Instant)],
    wiring: &Wiring,
) -> String {
    let mut text = format!("{requirement} fails ");
    if plan.strikes.is_empty() {
        return text + "without any fault.";
    }
    text += "with: ";
    let mut before: Option<Instant> = None;
    let mut told = Vec::new();
    let struck = struck.iter().filter(|(at, _)| *at < plan.strikes.len());
    for (nth, (at, when)) in struck.enumerate() {
        if nth > 0 {
            text += "; ";
        }
        if let Some(before) = before {
            let _ = match when.since(before) {
                Span::ZERO => write!(text, "at the same time "),
                span => write!(text, "{span} later "),
            };
        }
        text += &clause(&plan.strikes[*at], wiring);
        before = Some(*when);
        told.push(*at);
    }
    for (at, strike) in plan.strikes.iter().enumerate().filter(|(at, _)| !told.contains(at)) {
        let _ = write!(text, "{}{}", if at > 0 { "; " } else { "" }, clause(strike, wiring));
    }
    text + ". Nothing else is needed."
}

fn clause(strike: &Strike, wiring: &Wiring) -> String {
    let what = thing(&strike.site, wiring);
    match &strike.fault {
        Fault::Fate(fate) => fated(fate, &what),
        Fault::Mishap(mishap) => {
            let moment = match strike.moment {
                Moment::Before => "just before",
                Moment::Midway => "in the middle of",
                Moment::After => "just after",
            };
            format!("{mishap}, {moment} {what}")
        }
    }
}

/// What a site names: `the 2nd 011 from server to terminal-a`.
fn thing(site: &Site, wiring: &Wiring) -> String {
    let address = site.address.map(|address| format!("@{address}")).unwrap_or_default();
    let name = format!("the {} `{}{address}`", ordinal(site.nth), escape(&site.name));
    let ends = site.way.and_then(|way| {
        let [a, b] = wiring.links.get(site.place.as_ref())?.ends.clone();
        let (from, to) = if way.index() == 0 { (a?, b?) } else { (b?, a?) };
        Some(format!("{name} from {from} to {to}"))
    });
    ends.unwrap_or_else(|| format!("{name} of {}", escape(&site.place)))
}

fn ordinal(nth: u32) -> String {
    let ending = match (nth % 10, nth % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{nth}{ending}")
}

fn fated(fate: &Fate, what: &str) -> String {
    match fate {
        Fate::Delay { by } => format!("deliver {what} {by} late"),
        Fate::Drop => format!("drop {what}"),
        Fate::Twice { gap } => format!("deliver {what} twice, {gap} apart"),
        Fate::Reorder { behind } => format!("let what is sent within {behind} overtake {what}"),
        Fate::FlipBit { bit } => format!("invert bit {} of byte {} of {what}", 7 - bit % 8, bit / 8),
        Fate::Truncate { len } => format!("cut {what} to {len} bytes"),
        Fate::Split { at, gap } => format!("split {what} after {at} bytes by {gap} of silence"),
        Fate::Join { within } => format!("join {what} to what is sent within {within}"),
        Fate::LoseByte { at } => format!("lose byte {at} of {what}"),
        Fate::JunkByte { at, value } => format!("put a junk byte {value:02X} before byte {at} of {what}"),
        Fate::Break { at } => format!("break {what} off at byte {at}"),
        Fate::Overrun { from: 0 } => format!("lose {what} in an overrun"),
        Fate::Overrun { from } => format!("lose {what} from byte {from} on in an overrun"),
        Fate::Stall { span } => format!("stall the connection for {span} at {what}"),
        Fate::HalfOpen => format!("leave the connection half-open at {what}"),
        Fate::Fin { at } => format!("close the connection after {at} bytes of {what}"),
        Fate::Reset { at } => format!("reset the connection after {at} bytes of {what}"),
        Fate::Refuse => format!("refuse {what}"),
        Fate::Stuck { span } => format!("hold {what} back for {span}"),
        Fate::Glitch { width } => format!("put an opposite glitch of {width} before {what}"),
        Fate::MissingHalfBit { at } => format!("leave a half bit out in run {at} of {what}"),
        Fate::WrongPhase => format!("begin {what} half a bit late"),
        Fate::Jitter { at, by } => format!("move the edge after run {at} of {what} by {by} field clocks"),
    }
}

#[cfg(test)]
mod tests {
    use assay_sim::fault::Mishap;
    use assay_sim::machine::Torn;

    use super::*;

    #[test]
    fn counts_read_as_people_say_them() {
        let said: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 113].map(ordinal).into();
        let expected =
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "113th"];
        assert_eq!(said, expected);
    }

    #[test]
    fn strikes_are_told_in_the_order_in_which_they_struck() {
        let site = |text: &str| text.parse().unwrap();
        let cut =
            Fault::Mishap(Mishap::PowerCut { supply: "strip-a".into(), torn: Torn::Old, off: Span::s(5) });
        let plan = FaultPlan {
            strikes: vec![
                Strike { site: site("terminal-a flash-page@3 #2"), moment: Moment::After, fault: cut },
                Strike {
                    site: site("udp-a< 011 #2"),
                    moment: Moment::Before,
                    fault: Fault::Fate(Fate::Drop),
                },
            ],
        };
        let struck = [(1, Instant::from_us(1_000)), (0, Instant::from_us(32_000))];
        assert_eq!(
            sentence("POS-P1", &plan, &struck, &Wiring::default()),
            "POS-P1 fails with: drop the 2nd `011` of udp-a; 31 ms later cut the power of strip-a for 5 s (a write \
             under way reads as before), just after the 2nd `flash-page@3` of terminal-a. Nothing else is needed."
        );
        assert_eq!(
            sentence("POS-P1", &FaultPlan::default(), &[], &Wiring::default()),
            "POS-P1 fails without any fault."
        );
    }
}
