//! What a modem says unasked, at every moment of an exchange.

use assay_sim::modem::event::ModemStimulus;
use assay_sim::time::Span;

use super::{modem_case, transcripts_and_prompts};
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::modem::oracles::Prompt;
use crate::modem::words::Words;
use crate::water::Case;
use crate::water::Stage;

const A4: &str = "MDM-A4";

/// How many moments of an exchange are tried.
const MOMENTS: u64 = 24;

pub(super) fn cases() -> Vec<Case> {
    vec![
        modem_case(
            "modem/unasked/around-commands",
            "A report at any moment of a command stands before it, behind its echo, before its result, or behind it",
            &[A4],
            around_commands,
        ),
        Case {
            oracles: |_| transcripts_and_prompts(0),
            ..modem_case(
                "modem/unasked/around-data",
                "A report at any moment of a send waits while the prompt is open, and splits no line",
                &[A4],
                around_data,
            )
        },
        Case {
            oracles: |_| vec![Box::new(Prompt::new(0))],
            ..modem_case(
                "modem/unasked/received-at-a-prompt",
                "Data that arrives while a prompt is open waits for the data that the prompt waits for",
                &[A4],
                received_at_a_prompt,
            )
        },
        modem_case(
            "modem/unasked/in-transparent-mode",
            "A report stays out of transparent data until the connection ends",
            &[A4],
            in_transparent_mode,
        ),
    ]
}

/// Reports that differ from one another, so that none can stand for an earlier one.
#[derive(Default)]
struct Reports {
    made: u32,
}

impl Reports {
    fn next(&mut self) -> (ModemStimulus, Vec<u8>) {
        self.made += 1;
        let text = format!("+CMTI: \"SM\",{}", self.made);
        let bytes = format!("\r\n{text}\r\n").into_bytes();
        (ModemStimulus::Urc(text), bytes)
    }
}

/// The moments of an exchange of this length, evenly spread.
fn moments(length: Span) -> impl Iterator<Item = Span> {
    (0..=MOMENTS).map(move |place| Span::us(length.as_us() * place / MOMENTS))
}

const QUERY: &str = "|AT+CSQ\r|\r\n+CSQ: %d,%d\r\n|\r\nOK\r\n|";

fn around_commands(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    let mut reports = Reports::default();
    desk.start()?;
    let within = desk.limit(desk.module().plain);
    let (report, bytes) = reports.next();
    desk.expect(&Expectation::unasked(A4, &bytes, "|"));
    desk.modem(report)?;
    desk.wait(within)?;
    desk.due();
    // Inside the echo of a line that is being typed.
    let (report, bytes) = reports.next();
    desk.expect(&Expectation::unasked(A4, &bytes, QUERY));
    desk.type_in(b"AT+C")?;
    desk.wait(within)?;
    desk.modem(report)?;
    desk.wait(within)?;
    desk.type_in(b"SQ\r")?;
    desk.wait(within)?;
    desk.due();
    for moment in moments(desk.module().plain.max + desk.module().final_gap * 2) {
        let (report, bytes) = reports.next();
        desk.expect(&Expectation::unasked(A4, &bytes, QUERY));
        desk.type_in(b"AT+CSQ\r")?;
        desk.wait(moment)?;
        desk.modem(report)?;
        desk.wait(within)?;
        desk.due();
    }
    // As soon as the information line is on its way.
    let (report, bytes) = reports.next();
    desk.expect(&Expectation::unasked(A4, &bytes, QUERY));
    desk.type_in(b"AT+CSQ\r")?;
    desk.sends(b"+CSQ", within)?;
    desk.modem(report)?;
    desk.wait(within)?;
    desk.due();
    Ok(())
}

/// Where in a send a report comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// So long after the command was sent.
    AfterCommand(Span),
    AtPrompt,
    InsideData,
    /// So long after the data was sent.
    AfterData(Span),
}

fn around_data(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    let mut reports = Reports::default();
    desk.activate()?;
    desk.connect()?;
    let prompt = desk.module().prompt.max;
    let round_trip = desk.profile.gprs.latency_max * 2;
    for echo in [false, true] {
        if echo {
            desk.echo_on()?;
        }
        let after = moments(prompt).map(Place::AfterCommand);
        let inside = [Place::AtPrompt, Place::InsideData].into_iter();
        for place in after.chain(inside).chain(moments(round_trip).map(Place::AfterData)) {
            let (report, bytes) = reports.next();
            let pattern = if echo {
                format!("|{}=4\r|\r\n> abcd|\r\nSEND OK\r\n|", Words::of(&desk.profile).send)
            } else {
                "|\r\n> |\r\nSEND OK\r\n|".to_owned()
            };
            desk.expect(&Expectation::unasked(A4, &bytes, &pattern));
            send(&mut desk, place, report)?;
            desk.wait(desk.round_trip())?;
            desk.due();
        }
    }
    Ok(())
}

/// Sends `abcd`, and has the modem report something meanwhile.
fn send(desk: &mut Desk<'_>, place: Place, report: ModemStimulus) -> Done {
    let pause = desk.profile.bench.quiet * 2;
    desk.type_line(&format!("{}=4", Words::of(&desk.profile).send))?;
    let mut report = Some(report);
    if let Place::AfterCommand(moment) = place {
        desk.wait(moment)?;
        report.take().map_or(Ok(()), |report| desk.modem(report))?;
    }
    desk.wait(desk.limit(desk.module().prompt))?;
    if place == Place::AtPrompt {
        report.take().map_or(Ok(()), |report| desk.modem(report))?;
        desk.wait(pause)?;
    }
    desk.type_in(b"ab")?;
    desk.wait(pause)?;
    if place == Place::InsideData {
        report.take().map_or(Ok(()), |report| desk.modem(report))?;
        desk.wait(pause)?;
    }
    desk.type_in(b"cd")?;
    if let Place::AfterData(moment) = place {
        desk.wait(moment)?;
    }
    report.map_or(Ok(()), |report| desk.modem(report))
}

fn received_at_a_prompt(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    desk.setup(Words::of(&desk.profile).head)?;
    desk.connect()?;
    // How the data is announced is another requirement; the judge of prompts sees when it comes.
    desk.type_line(&format!("{}=4", Words::of(&desk.profile).send))?;
    desk.wait(desk.limit(desk.module().prompt))?;
    desk.server_sends(b"hi")?;
    desk.wait(desk.net_limit())?;
    desk.type_in(b"abcd")?;
    desk.wait(desk.round_trip())
}

fn in_transparent_mode(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    let (report, bytes) = Reports::default().next();
    desk.activate_transparent()?;
    desk.connect()?;
    desk.expect(&Expectation::modem(A4, "data\r"));
    desk.modem(report)?;
    desk.server_sends(b"data\r")?;
    desk.wait(desk.net_limit())?;
    desk.due();
    let closed = Words::of(&desk.profile).closed;
    desk.expect(&Expectation::unasked(A4, &bytes, &format!("|\r\n{closed}\r\n|")));
    desk.server_closes()?;
    desk.wait(desk.net_limit())?;
    desk.due();
    Ok(())
}
