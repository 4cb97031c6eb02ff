//! `assay check`: a recording made in the field, judged by the oracles that judge runs.
//!
//! `packets` and `lines` read what there is into datagrams and segments; `pos` and `water` make a tape of them.
//! `serial` reads recordings of a line between a host and its modem, of which `uart` and `terminal` make a tape.
//! Whatever a recording cannot show blames nobody: where something is missing, whatever was due is forgotten.

mod clock;
mod lines;
mod packets;
mod pos;
mod said;
mod serial;
mod tcp;
mod terminal;
mod uart;
mod water;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use assay_reports::text::{counted, grouped, seconds, shown, wrapped};
use assay_reports::write::INDEX_HTML;
use assay_reports::{
    CaseRecord, RequirementOutcome, RunRecord, Verdict, render_console_failure, render_pcapng, render_trace,
    write_report,
};
use assay_sim::fault::FaultPlan;
use thiserror::Error;

use crate::finding::Findings;
use crate::outcome::Recording;
use crate::progress::{say, tells_json};
use crate::record::violations_of;
use crate::requirement::{self, Boundary, Requirement, Side};
use crate::run::{Heading, OutputError, print_record};
use crate::system::System;
use crate::trial::ProfileSource;

pub use packets::is_sent;
pub use serial::Tx;
pub use tcp::Segment;

/// The longest recording that is read.
///
/// Units: bytes.
const LEN_MAX: u64 = 1_000_000_000;

/// The most entries of a tape that goes into a report.
const TOLD_MAX: u64 = 100_000;

/// A recording that is to be judged.
pub struct CheckPlan {
    /// The file.
    pub file: PathBuf,
    /// The system.
    pub system: System,
    /// The values by which it is judged.
    pub profile: ProfileSource,
    /// Who sends what a recording of a serial line calls sent.
    pub tx: Tx,
    /// Where the report goes.
    pub out: PathBuf,
    /// For the record.
    pub heading: Heading,
}

/// A recording that cannot be judged at all.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The file.
    #[error("{}: {why}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What is wrong, with its mend.
        why: String,
    },
    /// The report.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Something that crossed a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its number in the recording, from 1.
    pub number: u64,
    /// When, by the clock of whoever recorded.
    ///
    /// Units: microseconds since 1970.
    pub at_us: u64,
    /// From where.
    pub from: SocketAddr,
    /// To where.
    pub to: SocketAddr,
    /// The number that its sender gave it; 0 for none.
    pub id: u16,
    /// What it was seen on.
    pub interface: Option<String>,
    /// What it carries.
    pub carried: Carried,
}

/// What a packet carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// A whole datagram.
    Datagram(Vec<u8>),
    /// A part of one: the recording does not have the rest.
    Cut,
    /// A part of a connection.
    Segment(Segment),
}

/// What was found in a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Datagrams, in the order of the recording.
    pub packets: Vec<Packet>,
    /// How many packets there are of all kinds.
    pub all: u64,
    /// How many of them say nothing here.
    pub foreign: u64,
    /// Signs that something is missing.
    pub lost: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// Whether it shows links at both ends, as this tool records them.
    pub two_ended: bool,
}

/// A recording as a tape, judged.
pub struct Judged {
    /// Everything that could be read.
    pub tape: Box<dyn Recording>,
    /// What the judges found.
    pub findings: Findings,
    /// How long it is.
    ///
    /// Units: microseconds.
    pub span_us: u64,
    /// How many parties there are, in words.
    pub parties: String,
    /// What a recording like this one can show.
    pub can_show: &'static [&'static str],
    /// At whom it was made.
    pub at: Side,
    /// Signs that something is missing.
    pub lost: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

/// Judges a recording, prints what came of it, and writes the report.
///
/// Errors: [`CheckError`].
pub fn check(plan: &CheckPlan) -> Result<RunRecord, CheckError> {
    let refuse = |why: String| CheckError::File { file: plan.file.clone(), why };
    let long = fs::metadata(&plan.file).map_err(|error| refuse(error.to_string()))?.len();
    if long > LEN_MAX {
        let why = format!("it has {} bytes, and at most {} are read", grouped(long), grouped(LEN_MAX));
        return Err(refuse(format!("{why}: cut it, such as with `editcap`")));
    }
    let bytes = fs::read(&plan.file).map_err(|error| refuse(error.to_string()))?;
    let judged = judged(plan, &bytes).map_err(refuse)?;
    let mut record = plan.heading.record();
    let mut case = case_record(plan, &judged);
    keep(plan, &judged, &mut case).map_err(refuse)?;
    if !tells_json() {
        say(&render(plan, &judged, &case));
    }
    record.cases.push(case);
    write_report(&plan.out, &record).map_err(OutputError::from)?;
    if !tells_json() {
        say(&format!("The report is in {}: open {INDEX_HTML}.", plan.out.display()));
    }
    print_record(&record);
    Ok(record)
}

fn judged(plan: &CheckPlan, bytes: &[u8]) -> Result<Judged, String> {
    if plan.system == System::Water && lines::is_serial(bytes) {
        return terminal::judge(lines::read_serial(bytes, plan.tx)?, &plan.profile);
    }
    let captured = || match packets::read(bytes) {
        Some(captured) => Ok(captured),
        None => lines::read(bytes),
    };
    match plan.system {
        System::Pos => pos::judge(captured()?, &plan.profile),
        System::Water => water::judge(captured()?, &plan.profile),
        System::Modem => uart::judge(lines::read_serial(bytes, plan.tx)?, &plan.profile),
        System::Payments | System::Paymod => {
            let why = "recordings of payment platforms and pay modules are not judged yet; those of the systems `pos`, \
                       `water` and `modem` are";
            Err(why.to_owned())
        }
    }
}

/// The recording as a trace for the page, and as a capture in which card numbers are pseudonyms.
fn keep(plan: &CheckPlan, judged: &Judged, case: &mut CaseRecord) -> Result<(), String> {
    if judged.tape.is_empty() || judged.tape.len() > TOLD_MAX {
        return Ok(());
    }
    let dir = plan.out.join("replay");
    let put = |name: &str, content: Vec<u8>| {
        let file = dir.join(name);
        fs::write(&file, content).map_err(|error| format!("cannot write {}: {error}", file.display()))
    };
    fs::create_dir_all(&dir).map_err(|error| format!("cannot make {}: {error}", dir.display()))?;
    let trace = judged.tape.trace(&FaultPlan::default());
    put("recording.pcapng", render_pcapng(&trace))?;
    put("recording.trace.jsonl", render_trace(&trace).into_bytes())?;
    case.trace = Some("replay/recording.trace.jsonl".to_owned());
    Ok(())
}

fn case_record(plan: &CheckPlan, judged: &Judged) -> CaseRecord {
    let findings = &judged.findings;
    let requirements: Vec<RequirementOutcome> = requirement::all()
        .iter()
        .filter(|requirement| is_of(plan.system, requirement))
        .map(|requirement| outcome(requirement, findings))
        .filter(|outcome| outcome.judged > 0)
        .collect();
    let violations = violations_of(findings, &*judged.tape, &FaultPlan::default());
    let worst = Verdict::worst(requirements.iter().map(|outcome| outcome.verdict));
    let lacks = !judged.lost.is_empty();
    let (verdict, why) = match worst {
        None => (Verdict::Inconclusive, Some("nothing in it could be judged".to_owned())),
        Some(Verdict::Pass) if lacks => (Verdict::Inconclusive, Some(judged.lost.join("; "))),
        Some(verdict) => (verdict, lacks.then(|| judged.lost.join("; "))),
    };
    CaseRecord {
        id: format!("{}/recording", plan.system.as_str()),
        title: format!("what crossed the links, as {} has it", plan.file.display()),
        system: plan.system.as_str().to_owned(),
        bench: "recording".to_owned(),
        policy: "field".to_owned(),
        mutant: None,
        seed: 0,
        verdict,
        why,
        requirements,
        violations,
        plan: Vec::new(),
        replay: Some(plan.heading.command.join(" ")),
        tape_digest: format!("{:032x}", judged.tape.digest()),
        tape_entries: judged.tape.len(),
        virtual_us: judged.span_us,
        sites_not_reached: Vec::new(),
        replayed: None,
        trace: None,
    }
}

fn outcome(requirement: &Requirement, findings: &Findings) -> RequirementOutcome {
    let violated = findings.violations.iter().any(|violation| violation.requirement == requirement.id);
    RequirementOutcome {
        id: requirement.id.clone(),
        level: requirement.level,
        text: requirement.text.clone(),
        verdict: if violated { Verdict::Fail } else { Verdict::Pass },
        judged: findings.judged.get(requirement.id.as_str()).copied().unwrap_or_default(),
    }
}

/// What came of it, for people: what was found, and what a recording like this one can and cannot show.
fn render(plan: &CheckPlan, judged: &Judged, case: &CaseRecord) -> String {
    let mut text = format!(
        "{}: {} of {} over {}\n",
        shown(&plan.file.display().to_string()),
        counted(judged.tape.len(), "observation"),
        judged.parties,
        seconds(judged.span_us),
    );
    for lost in &judged.lost {
        text += &wrapped("  missing: ", &shown(lost));
    }
    for note in &judged.notes {
        text += &wrapped("  noted: ", &shown(note));
    }
    if case.verdict >= Verdict::Fail {
        text += &format!("\n{}", render_console_failure(case));
    }
    text += &format!("\nThe verdict is {}.\n", case.verdict);
    let judged_ids: Vec<String> = case
        .requirements
        .iter()
        .map(|outcome| format!("{} {} times", outcome.id, grouped(outcome.judged)))
        .collect();
    if !judged_ids.is_empty() {
        text += &wrapped("Judged: ", &format!("{}.", judged_ids.join(", ")));
    }
    text += "Not judged:\n";
    for (why, ids) in unjudged(plan.system, judged, case) {
        text += &wrapped("  - ", &format!("{}: {why}.", ids.join(", ")));
    }
    text
}

/// What was not judged, by the reason.
fn unjudged(system: System, judged: &Judged, case: &CaseRecord) -> Vec<(String, Vec<String>)> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    let known = requirement::all().iter().filter(|requirement| is_of(system, requirement));
    for requirement in known {
        if case.requirements.iter().any(|outcome| outcome.id == requirement.id) {
            continue;
        }
        let why = unjudged_because(requirement, judged);
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, ids)) => ids.push(requirement.id.clone()),
            None => reasons.push((why, vec![requirement.id.clone()])),
        }
    }
    reasons
}

fn is_of(system: System, requirement: &Requirement) -> bool {
    let prefix = match system {
        System::Pos => "POS-",
        System::Modem => "MDM-",
        _ => "WAT-",
    };
    requirement.id.starts_with(prefix) && requirement.applies()
}

/// Why a recording in which nothing was found is of no use.
fn nothing_there(captured: &Captured, protocol: &str, port: u16, key: &str) -> String {
    let all = counted(captured.all, "packet");
    let others: String =
        captured.lost.iter().chain(&captured.notes).map(|what| format!("; {what}")).collect();
    format!(
        "nothing goes to or from {protocol} port {port} among its {all}{others}; if the server has another port, \
         write it as `{key}` of a profile, and name that with --profile"
    )
}

/// What it would take to judge a requirement.
fn unjudged_because(requirement: &Requirement, judged: &Judged) -> String {
    let can_show = judged.can_show.contains(&requirement.id.as_str());
    if requirement.id.starts_with("MDM-") && !can_show {
        return "what is due there depends on more than the line shows: it takes the cases of `assay run`"
            .to_owned();
    }
    if requirement.side == Side::Terminal && judged.at == Side::Server && !can_show {
        return "about terminals, and what reached them is not in a recording at the server".to_owned();
    }
    if requirement.side == Side::Server && judged.at == Side::Terminal && !can_show {
        return "about the server, and what reached it is not in a recording at a terminal".to_owned();
    }
    if requirement.id == "POS-P1" {
        return "no answer says what is left on a card".to_owned();
    }
    let needs = |boundary: &Boundary| match boundary {
        Boundary::Ledger => Some("the server's books"),
        Boundary::Payments => Some("what was sold"),
        Boundary::Card => Some("the cards"),
        Boundary::Uart if judged.at == Side::Terminal => None,
        Boundary::Uart => Some("what terminal and modem say to each other"),
        Boundary::Pins if judged.at == Side::Terminal => Some("the pins between terminal and modem"),
        Boundary::Pins => Some("what terminal and modem say to each other"),
        Boundary::Platform => Some("the orders of the payment platform"),
        Boundary::Panel => Some("what people are told"),
        Boundary::Flash | Boundary::Eeprom => Some("the memories of terminals"),
        Boundary::Power => Some("when power goes and comes"),
        _ => None,
    };
    let needs: Vec<&str> = requirement.sees.iter().filter_map(needs).collect();
    match (needs.is_empty() || can_show, requirement.id.as_str()) {
        (_, "POS-K1") => "it takes the server's calendar".to_owned(),
        (true, _) => "nothing in the recording puts it to the test".to_owned(),
        (false, _) => format!("it takes {}", needs.join(" and ")),
    }
}
