//! What the page shows, as its scripts read it. Verdicts are numbers in the order of [`Verdict::ALL`].

use std::collections::BTreeMap;

use serde::Serialize;

use crate::certificate;
use crate::console::{self, EVIDENCE_MAX};
use crate::exploration::{coverage, subject};
use crate::margins;
use crate::mutants;
use crate::record::{
    CaseRecord, CauseRecord, ExplorationRecord, FaultRowRecord, MarginsRecord, MutantRecord, RunRecord,
    ViolationRecord,
};
use crate::text::{shown, shown_up_to};
use crate::verdict::Verdict;

/// How many runs are told in full; `run.json` holds the rest.
const STORIES_MAX: usize = 400;

/// How many violations of one run are told; `run.json` holds the rest.
const VIOLATIONS_MAX: usize = 50;

#[derive(Serialize)]
pub(super) struct Page {
    verdict: usize,
    exit: u8,
    /// Sentences on what the verdict covers.
    covers: Vec<String>,
    /// What makes it less than it seems.
    warnings: Vec<String>,
    /// Label and text.
    facts: Vec<[String; 2]>,
    command: String,
    /// How many cases came to each verdict.
    counts: Vec<u64>,
    requirements: Vec<Requirement>,
    cases: Vec<Case>,
    stories: Vec<Story>,
    stories_left_out: usize,
    explorations: Vec<Exploration>,
    mutants: Vec<Mutant>,
    mutants_told: String,
    margins: Vec<Margins>,
    #[serde(skip)]
    pub(super) tapes: Vec<String>,
    /// Whether each tape is in the page.
    has_tape: Vec<bool>,
}

impl Page {
    pub(super) fn with_tapes(self, has_tape: Vec<bool>) -> Self {
        Self { has_tape, ..self }
    }
}

#[derive(Serialize)]
struct Requirement {
    id: String,
    level: String,
    text: String,
}

#[derive(Serialize)]
struct Case {
    id: String,
    title: String,
    system: String,
    bench: String,
    policy: String,
    seed: u64,
    verdict: usize,
    why: String,
    /// Requirement, verdict, how often judged.
    judged: Vec<(usize, usize, u64)>,
    story: Option<usize>,
}

#[derive(Serialize)]
struct Story {
    title: String,
    about: String,
    run: Vec<[String; 2]>,
    verdict: usize,
    why: String,
    violations: Vec<Violation>,
    more: usize,
    plan: Vec<String>,
    not_reached: Vec<String>,
    replay: Option<String>,
    again: Option<String>,
    tape: Option<usize>,
    file: Option<String>,
}

#[derive(Serialize)]
struct Violation {
    id: String,
    level: String,
    text: String,
    expected: String,
    actual: String,
    at: u64,
    /// Ordinal, time, place, text, whether it is a claim.
    evidence: Vec<(u64, u64, String, String, bool)>,
}

#[derive(Serialize)]
struct Exploration {
    name: String,
    subject: String,
    coverage: String,
    verdict: usize,
    why: String,
    kinds: Vec<String>,
    /// Site, count of sites, cells.
    rows: Vec<(String, u64, Vec<Cell>)>,
    causes: Vec<Cause>,
    by_kind: Vec<(String, [u64; 4])>,
    by_place: Vec<(String, [u64; 4])>,
}

/// Kind, values there are, struck, failed, unclear, requirements violated.
type Cell = (usize, u64, u64, u64, u64, String);

#[derive(Serialize)]
struct Cause {
    requirement: String,
    cause: String,
    count: u64,
    actual: String,
    story: Option<usize>,
}

#[derive(Serialize)]
struct Mutant {
    name: String,
    what: String,
    killed: bool,
    by: Vec<[String; 2]>,
}

#[derive(Serialize)]
struct Margins {
    told: String,
    /// Timer or count, what comes otherwise, from how much disturbance on, of which message, in which case.
    rows: Vec<[String; 5]>,
    notes: Vec<String>,
}

/// Everything; the tapes are named, and not yet there.
pub(super) fn page(record: &RunRecord) -> Page {
    let mut book = Book::default();
    let cases: Vec<Case> = record.judged_cases().map(|case| book.case(case)).collect();
    let explorations: Vec<Exploration> =
        record.exploration.iter().map(|explored| book.exploration(explored)).collect();
    let counts = record.counts();
    Page {
        verdict: number(record.verdict()),
        exit: record.exit_code(),
        covers: covers(record),
        warnings: warnings(record),
        facts: facts(record),
        command: command(&record.command.join(" ")),
        counts: Verdict::ALL.iter().map(|verdict| counts.get(verdict).copied().unwrap_or(0)).collect(),
        requirements: book.requirements,
        cases,
        stories: book.stories,
        stories_left_out: book.left_out,
        explorations,
        mutants: record.mutants.iter().map(mutant).collect(),
        mutants_told: mutants::tally(&record.mutants),
        margins: record.margins.iter().map(margins).collect(),
        tapes: book.tapes,
        has_tape: Vec::new(),
    }
}

fn number(verdict: Verdict) -> usize {
    Verdict::ALL.iter().position(|known| *known == verdict).unwrap_or(0)
}

fn covers(record: &RunRecord) -> Vec<String> {
    let mut told = vec![console::case_counts(record)];
    if record.judged_cases().next().is_some() {
        told.push(format!("Requirements: {}.", certificate::requirements(record)));
    }
    if !record.exploration.is_empty() {
        told.push(format!("Faults: {}.", certificate::explored(&record.exploration)));
    }
    if !record.mutants.is_empty() {
        told.push(mutants::tally(&record.mutants));
    }
    told.extend(record.margins.iter().map(margins::told));
    let soak = record.rig.as_ref().and_then(|rig| rig.soak.as_ref());
    told.extend(soak.map(|soak| format!("Soak: {}.", certificate::soaked(soak))));
    told
}

fn warnings(record: &RunRecord) -> Vec<String> {
    let mut told = Vec::new();
    if record.interrupted {
        told.push("The run was interrupted: what is not here was not run.".to_owned());
    }
    if record.is_empty() {
        told.push("Nothing was run.".to_owned());
    }
    let vacuous = record.vacuous_requirements();
    if !vacuous.is_empty() {
        told.push(format!("Never in a position to fail: {}.", shown(&vacuous.join(", "))));
    }
    told.extend(record.stale_waivers.iter().map(console::stale_waiver));
    told.extend(record.rig.iter().flat_map(|rig| &rig.lacks).map(|lack| shown(lack)));
    told
}

fn facts(record: &RunRecord) -> Vec<[String; 2]> {
    let fact = |label: &str, text: &str| [label.to_owned(), shown(text)];
    let mut told = vec![
        fact("Tool", &format!("Assay {}", record.tool)),
        fact("Date", &record.started),
        fact("Seed", &record.seed.to_string()),
        fact("Exit code", &record.exit_code().to_string()),
    ];
    let Some(rig) = &record.rig else { return told };
    if let Some(product) = &rig.product {
        told.push(fact("Product", &format!("{} {}", product.name, product.version)));
        told.push(fact("Build", &product.build));
        told.push(fact(
            "Seat",
            &format!("{} of {}, profile {}", product.role, product.family, product.profile),
        ));
    }
    told.push(fact("Rig", &rig.file));
    told.extend(rig.self_check.iter().map(|found| fact("Self-check", found)));
    told.extend(rig.power.iter().map(|found| fact("Power", found)));
    told.extend(rig.overhead.iter().map(|held| fact("Rig overhead", &certificate::held_up(held))));
    told
}

fn mutant(mutant: &MutantRecord) -> Mutant {
    Mutant {
        name: shown(&mutant.name),
        what: shown(&mutant.what),
        killed: mutant.killed,
        by: mutant.by.iter().map(|kill| [shown(&kill.case), shown(&kill.requirement)]).collect(),
    }
}

fn margins(found: &MarginsRecord) -> Margins {
    let rows = margins::rows(found).into_iter().map(|row| {
        let value = row.value.unwrap_or_else(|| "none alone".to_owned());
        [value, row.what, row.from, row.message, row.case]
    });
    Margins { told: margins::told(found), rows: rows.collect(), notes: margins::notes(found) }
}

/// What parts of the page share.
#[derive(Default)]
struct Book {
    requirements: Vec<Requirement>,
    requirement_at: BTreeMap<String, usize>,
    stories: Vec<Story>,
    left_out: usize,
    tapes: Vec<String>,
    /// The story that a tape is part of.
    story_of: BTreeMap<String, usize>,
}

impl Book {
    fn case(&mut self, case: &CaseRecord) -> Case {
        let judged = case.requirements.iter().map(|outcome| {
            let next = self.requirements.len();
            let at = *self.requirement_at.entry(outcome.id.clone()).or_insert(next);
            if at == next {
                self.requirements.push(Requirement {
                    id: shown(&outcome.id),
                    level: outcome.level.to_string(),
                    text: shown(&outcome.text),
                });
            }
            (at, number(outcome.verdict), outcome.judged)
        });
        let judged = judged.collect();
        let story = if case.verdict.stops_a_pipeline() { self.story(case) } else { None };
        let mutant = case.mutant.as_ref().map(|name| format!(", mutant {name}")).unwrap_or_default();
        Case {
            id: shown(&case.id),
            title: shown(&case.title),
            system: shown(&case.system),
            bench: shown(&case.bench),
            policy: shown(&format!("{}{mutant}", case.policy)),
            seed: case.seed,
            verdict: number(case.verdict),
            why: match case.verdict {
                Verdict::Pass => String::new(),
                _ => case.reason().map(|reason| shown(&reason)).unwrap_or_default(),
            },
            judged,
            story,
        }
    }

    fn story(&mut self, case: &CaseRecord) -> Option<usize> {
        let mutant = case.mutant.as_deref().map(|name| ["Mutant".to_owned(), shown(name)]);
        let run = [
            ["System".to_owned(), shown(&case.system)],
            ["Bench".to_owned(), shown(&case.bench)],
            ["Policy".to_owned(), shown(&case.policy)],
            ["Seed".to_owned(), case.seed.to_string()],
            ["Digest".to_owned(), shown(&case.tape_digest)],
        ];
        self.tell(Story {
            title: shown(&case.id),
            about: shown(&case.title),
            run: run.into_iter().chain(mutant).collect(),
            verdict: number(case.verdict),
            why: case.why.as_deref().map(shown).unwrap_or_default(),
            violations: case.violations.iter().take(VIOLATIONS_MAX).map(violation).collect(),
            more: case.violations.len().saturating_sub(VIOLATIONS_MAX),
            plan: all_shown(&case.plan),
            not_reached: all_shown(&case.sites_not_reached),
            replay: case.replay.as_deref().map(command),
            again: certificate::came_back(case),
            tape: None,
            file: case.trace.clone(),
        })
    }

    /// Adds a story, if there is room; the same tape has one story.
    fn tell(&mut self, mut story: Story) -> Option<usize> {
        if let Some(known) = story.file.as_ref().and_then(|file| self.story_of.get(file)) {
            return Some(*known);
        }
        if self.stories.len() >= STORIES_MAX {
            self.left_out += 1;
            return None;
        }
        let at = self.stories.len();
        if let Some(file) = story.file.take() {
            self.story_of.insert(file.clone(), at);
            story.file = Some(shown(&file));
            story.tape = Some(self.tapes.len());
            self.tapes.push(file);
        }
        self.stories.push(story);
        Some(at)
    }

    fn exploration(&mut self, explored: &ExplorationRecord) -> Exploration {
        let kinds: std::collections::BTreeSet<&str> =
            explored.map.iter().flat_map(|row| &row.cells).map(|cell| cell.kind.as_str()).collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let row = |row: &FaultRowRecord| {
            let cells = row.cells.iter().map(|cell| {
                let kind = kinds.binary_search(&cell.kind.as_str()).unwrap_or_default();
                (kind, cell.total, cell.struck, cell.failed, cell.unclear, shown(&cell.violated.join(", ")))
            });
            (shown(&row.site), row.sites, cells.collect())
        };
        let tally = |rows: &[crate::record::KindRecord]| {
            rows.iter()
                .map(|row| (shown(&row.kind), [row.sites, row.values, row.total, row.violations]))
                .collect()
        };
        Exploration {
            name: shown(&format!("{} on {}, {}", explored.case, explored.bench, explored.policy)),
            subject: subject(explored),
            coverage: coverage(explored),
            verdict: number(explored.verdict),
            why: explored.why.as_deref().map(shown).unwrap_or_default(),
            rows: explored.map.iter().map(row).collect(),
            causes: explored.causes.iter().map(|cause| self.cause(explored, cause)).collect(),
            by_kind: tally(&explored.by_kind),
            by_place: tally(&explored.by_place),
            kinds: kinds.into_iter().map(shown).collect(),
        }
    }

    fn cause(&mut self, explored: &ExplorationRecord, cause: &CauseRecord) -> Cause {
        let example = &cause.example;
        let story = self.tell(Story {
            title: shown(&format!("{}: {}", explored.case, cause.cause)),
            about: format!("The smallest of {} runs with this cause.", cause.count),
            run: vec![
                ["System".to_owned(), shown(&explored.system)],
                ["Bench".to_owned(), shown(&explored.bench)],
                ["Policy".to_owned(), shown(&explored.policy)],
                ["Seed".to_owned(), example.seed.to_string()],
                ["Digest".to_owned(), shown(&example.tape_digest)],
            ],
            verdict: number(Verdict::Fail),
            why: String::new(),
            violations: vec![violation(&example.violation)],
            more: 0,
            plan: all_shown(&example.plan),
            not_reached: Vec::new(),
            replay: example.replay.as_deref().map(command),
            again: None,
            tape: None,
            file: example.trace.clone(),
        });
        Cause {
            requirement: shown(&cause.requirement),
            cause: shown(&cause.cause),
            count: cause.count,
            actual: shown(&example.violation.actual),
            story,
        }
    }
}

/// A command, whole: no shell takes a longer one.
fn command(text: &str) -> String {
    shown_up_to(text, 20_000)
}

fn all_shown(texts: &[String]) -> Vec<String> {
    texts.iter().take(200).map(|text| shown(text)).collect()
}

fn violation(violation: &ViolationRecord) -> Violation {
    let evidence = violation.evidence.iter().take(EVIDENCE_MAX).map(|line| {
        let claim = line.witness == crate::record::Witness::Claim;
        (line.ordinal, line.at_us, shown(&line.place), shown(&line.text), claim)
    });
    Violation {
        id: shown(&violation.requirement),
        level: violation.level.to_string(),
        text: shown(&violation.text),
        expected: shown(&violation.expected),
        actual: shown(&violation.actual),
        at: violation.at_us,
        evidence: evidence.collect(),
    }
}
