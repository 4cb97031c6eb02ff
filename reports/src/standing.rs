//! How far a campaign has come, in plain text.

use crate::exit_code;
use crate::record::{HoleRecord, StandingRecord};
use crate::text::{counted, grouped, shown, wrapped};
use crate::verdict::Verdict;

/// How many holes are shown.
pub const HOLES_MAX: usize = 10;

/// How many failures are shown.
const FAILURES_MAX: usize = 50;

/// The whole of it, with at most so many holes.
pub fn render_standing(standing: &StandingRecord, holes_max: usize) -> String {
    let mut out = wrapped("", &format!("Campaign {}: {}.", shown(&standing.id), shown(&standing.words)));
    out += &wrapped("", &coverage(standing));
    if !standing.unlisted.is_empty() {
        let names: Vec<String> = standing.unlisted.iter().map(|name| shown(name)).collect();
        out += &wrapped("", &format!("Not listed yet: {}.", names.join(", ")));
    }
    if !standing.holes.is_empty() {
        out += "Not there:\n";
        for hole in standing.holes.iter().take(holes_max) {
            out += &wrapped("  - ", &hole_words(hole));
        }
        if let Some(more) = standing.holes.len().checked_sub(holes_max).filter(|more| *more > 0) {
            out += &format!("  … and {} more\n", counted(more as u64, "hole"));
        }
    }
    let verdicts: Vec<String> =
        standing.verdicts.iter().map(|(verdict, count)| format!("{} {verdict}", grouped(*count))).collect();
    if !verdicts.is_empty() {
        out += &wrapped("", &format!("Runs by verdict: {}.", verdicts.join(", ")));
    }
    for failure in standing.failures.iter().take(FAILURES_MAX) {
        let times = counted(failure.count, "run");
        let (requirement, cause) = (shown(&failure.requirement), shown(&failure.cause));
        let words = format!("{requirement}: {cause} ({times}, first {})", shown(&failure.first));
        out += &wrapped("  - ", &words);
    }
    if let Some(more) = standing.failures.len().checked_sub(FAILURES_MAX).filter(|more| *more > 0) {
        out += &format!("  … and {} more\n", counted(more as u64, "cause"));
    }
    if !standing.unreached.is_empty() {
        let names: Vec<String> = standing.unreached.iter().map(|name| shown(name)).collect();
        out += &wrapped("", &format!("Never reached: {}.", names.join(", ")));
    }
    out += &format!("Root: {}\n", shown(&standing.root));
    let verdict = standing.verdict();
    out + &format!("Verdict: {verdict} (exit code {}).\n", exit_code::of(verdict))
}

/// How much of it is there, in a sentence.
pub(crate) fn coverage(standing: &StandingRecord) -> String {
    let (done, runs) = (grouped(standing.done), counted(standing.runs, "run"));
    match (standing.is_whole(), standing.unlisted.is_empty()) {
        (true, _) => format!("{done} of {runs} are there, the whole campaign."),
        (false, true) => {
            format!("{done} of {runs} are there, {} of them.", percent(standing.done, standing.runs))
        }
        (false, false) => format!("{done} of {runs} are there, of those that are listed so far."),
    }
}

/// A share of a whole, rounded down so that what is not all is never 100 %.
pub fn percent(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn hole_words(hole: &HoleRecord) -> String {
    let (first, last) = (hole.first, hole.last);
    let runs = if first == last { format!("run {first}") } else { format!("runs {first} to {last}") };
    format!("unit {}, {runs} ({})", hole.unit, shown(&hole.name))
}

/// What a pipeline is told, each with its name, verdict and reason.
pub(crate) fn tests(standing: &StandingRecord) -> Vec<(&'static str, Verdict, String)> {
    let missing = if standing.is_whole() { Verdict::Pass } else { Verdict::Inconclusive };
    let unreached = if standing.unreached.is_empty() { Verdict::Pass } else { Verdict::Inconclusive };
    let worst = Verdict::worst(standing.verdicts.iter().map(|(verdict, _)| *verdict));
    let first = standing.failures.first();
    let why = first.map(|failure| format!("{}: {}", failure.requirement, failure.cause)).unwrap_or_default();
    vec![
        ("every run is there", missing, coverage(standing)),
        ("everything is reached", unreached, standing.unreached.join(", ")),
        ("every run passes", worst.unwrap_or(Verdict::Inconclusive), why),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FailureRecord;

    fn standing() -> StandingRecord {
        StandingRecord {
            words: "water, every fault at every site".to_owned(),
            id: "00ff".to_owned(),
            runs: 12_000,
            done: 11_999,
            unlisted: Vec::new(),
            holes: vec![HoleRecord { unit: 1, name: "water/x\x1b".to_owned(), first: 7, last: 7 }],
            verdicts: vec![(Verdict::Pass, 11_998), (Verdict::Fail, 1)],
            failures: vec![FailureRecord {
                requirement: "WAT-I1".to_owned(),
                cause: "drop at `a> b`".to_owned(),
                count: 1,
                first: "0:3".to_owned(),
            }],
            unreached: Vec::new(),
            root: "ab".to_owned(),
        }
    }

    #[test]
    fn a_standing_is_said_in_full_and_harmless() {
        assert_eq!(
            render_standing(&standing(), HOLES_MAX),
            "Campaign 00ff: water, every fault at every site.\n11,999 of 12,000 runs are there, 99.99 % of \
             them.\nNot there:\n  - unit 1, run 7 (water/x\\x1b)\nRuns by verdict: 11,998 pass, 1 fail.\n  - WAT-I1: \
             drop at `a> b` (1 run, first 0:3)\nRoot: ab\nVerdict: fail (exit code 100).\n"
        );
    }

    #[test]
    fn what_is_not_there_or_not_reached_is_inconclusive() {
        let passing =
            |standing: StandingRecord| StandingRecord { verdicts: vec![(Verdict::Pass, 1)], ..standing };
        let whole = passing(StandingRecord { done: 12_000, holes: Vec::new(), ..standing() });
        assert_eq!(whole.verdict(), Verdict::Pass);
        assert_eq!(passing(standing()).verdict(), Verdict::Inconclusive);
        let unlisted = StandingRecord { unlisted: vec!["x".to_owned()], ..whole.clone() };
        assert_eq!(unlisted.verdict(), Verdict::Inconclusive);
        let unreached = StandingRecord { unreached: vec!["WAT-I1 judged".to_owned()], ..whole.clone() };
        assert_eq!(unreached.verdict(), Verdict::Inconclusive);
        assert!(render_standing(&unreached, HOLES_MAX).contains("Never reached: WAT-I1 judged.\n"));
        let empty = StandingRecord { runs: 0, done: 0, verdicts: Vec::new(), ..whole };
        assert_eq!(empty.verdict(), Verdict::Inconclusive);
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(
            [percent(2, 3), percent(9_999_999, 10_000_000), percent(5, 5)],
            ["66.66 %", "99.99 %", "100.00 %"]
        );
    }
}
