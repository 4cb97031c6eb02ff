//! Whether both ends of the link refuse what is not new or not theirs, the server looks twice, and the module keeps the
//! link.
//!
//! Source: PAY-L1, PAY-L2, PAY-L3, PAY-O3.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::machine::Closing;
use assay_sim::money::Fen;
use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::frame::{Body, OrderNumber, Packet, command, refusal, status};
use assay_sim::paymod::party::Event;
use assay_sim::paymod::platform_line::Verb;
use assay_sim::paymod::server::books::order_of;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::{Instant, Span};

use super::judge;
use super::talk::{Blind, Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::paymod::scene::Scene;
use crate::system::Sut;

/// What a message is to whoever gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    New,
    /// The last one once more.
    Repeat,
    /// To be refused.
    Refused,
}

/// What one end has got of the other's own messages.
#[derive(Clone, Debug, Default)]
struct Ear {
    /// The session, once there is one, and its connection.
    session: Option<(u64, u16)>,
    last: Option<(u32, Body)>,
    /// What was sent in answer to a sequence.
    answers: BTreeMap<(u64, u32), Body>,
    /// What the latest message of a sequence was, on a connection.
    verdicts: BTreeMap<(u16, u32), Verdict>,
}

impl Ear {
    fn judge(&mut self, conn: u16, packet: &Packet, body: Option<&Body>) -> Verdict {
        let verdict = self.verdict(conn, body);
        self.verdicts.insert((conn, packet.sequence), verdict);
        if verdict == Verdict::New
            && let Some(body) = body
        {
            self.last = Some((body.sequence, body.clone()));
        }
        verdict
    }

    fn verdict(&self, conn: u16, body: Option<&Body>) -> Verdict {
        let Some(body) = body else { return Verdict::Refused };
        if self.session != Some((body.session, conn)) {
            return Verdict::Refused;
        }
        match &self.last {
            Some((sequence, last))
                if *sequence == body.sequence && without_time(last) == without_time(body) =>
            {
                Verdict::Repeat
            }
            Some((sequence, _)) if body.sequence <= *sequence => Verdict::Refused,
            _ => Verdict::New,
        }
    }
}

fn without_time(body: &Body) -> Body {
    Body { time_s: 0, ..body.clone() }
}

/// The judge of the link.
#[derive(Default)]
pub struct Link {
    talk: Talk,
    blind: Blind,
    /// By device: the server's ear.
    servers: BTreeMap<u32, Ear>,
    /// The module's ear.
    module: Ear,
    /// Orders that may be made, with the amount of each, and those that must not.
    sound: BTreeMap<OrderNumber, u32>,
    /// Since when the module has had its answer on a standing connection and has asked nothing.
    quiet: Option<(Instant, u64)>,
    /// How often the module has sent its last question.
    sends: (u32, u32),
    /// When the module's last connection ended, and how many ended in a row before a login.
    ended: Option<(Instant, usize)>,
    failures: usize,
    /// By how much the module has waited longer than the shortest pause that its design allows, of long pauses.
    over: Vec<Span>,
    /// Connections on which the module has said something.
    begun: BTreeSet<u16>,
    /// What the server has told unasked and the module has not acknowledged.
    pushed: BTreeMap<(u16, u32), (Instant, u64)>,
    /// Orders that can be paid, and since when the module has not asked about each.
    unasked: BTreeMap<OrderNumber, (Instant, u64)>,
}

impl Oracle<Paymod> for Link {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        self.blind.observe(entry, scene);
        for said in self.talk.observe(entry, scene) {
            match said {
                Said::ToServer(conn, packet, body) => {
                    self.server_heard((conn, &packet, body), entry, scene, findings);
                }
                Said::FromServer(conn, body) => self.server_said(conn, &body, entry, findings),
                Said::Answered(conn, packet, body) => {
                    self.module_heard((conn, &packet, body), entry, findings);
                }
                Said::Asked(conn, body) => self.module_said((conn, &body), entry, scene, findings),
                Said::Call(_, call) if call.verb == Verb::Precreate => {
                    let order = order_of(&call.number).map(|(order, _)| order);
                    let sound = order.and_then(|order| self.sound.get(&order)).copied();
                    let holds = sound.is_some_and(|amount| Fen(i64::from(amount)) == call.amount);
                    judge(findings, entry, "PAY-L2", holds, || {
                        let number = &call.number;
                        (
                            "an order that a module may make".to_owned(),
                            format!("order {number}, {}, is asked for at the platform", call.amount),
                        )
                    });
                }
                _ => {}
            }
        }
        self.connections(entry, scene, findings);
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        if scene.sut == Sut::Server {
            return;
        }
        let jitter = scene.profile.module.jitter_percent > 0;
        if self.over.len() >= 3 && jitter {
            let steady = self.over.iter().all(|over| *over < Span::ms(1));
            findings.judge("PAY-L3", !steady, || Violation {
                requirement: "PAY-L3",
                expected: "pauses of which a part is drawn".to_owned(),
                actual: format!(
                    "{} long pauses, each just as long as the one before allows",
                    self.over.len()
                ),
                at,
                evidence: Vec::new(),
            });
        }
    }
}

impl Link {
    /// The server has got a message.
    fn server_heard(
        &mut self,
        (conn, packet, body): (u16, &Packet, Option<Body>),
        entry: &Entry<Event>,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let ear = self.servers.entry(packet.device).or_default();
        if body.as_ref().is_some_and(|body| body.command == command::LOGIN) {
            return;
        }
        let answers = body.as_ref().is_some_and(|body| body.command & command::ANSWER != 0);
        if answers {
            return;
        }
        let verdict = ear.judge(conn, packet, body.as_ref());
        if verdict != Verdict::New {
            judge(findings, entry, "PAY-L1", true, || (String::new(), String::new()));
        }
        if let Some(body) = body
            && let (command::CREATE, Some(order), Some(amount)) = (body.command, body.order, body.amount)
        {
            let max = scene.profile.server.amount_max_fen;
            let fits = amount > 0 && Fen(i64::from(amount)) <= max && matches!(body.channel, Some(1 | 2));
            if fits {
                self.sound.entry(order).or_insert(amount);
            } else {
                judge(findings, entry, "PAY-L2", true, || (String::new(), String::new()));
            }
        }
    }

    /// The server has sent a message.
    fn server_said(&mut self, conn: u16, body: &Body, entry: &Entry<Event>, findings: &mut Findings) {
        let ear = self.servers.entry(body.device).or_default();
        if body.command == command::LOGIN | command::ANSWER {
            *ear = Ear { session: Some((body.session, conn)), ..Ear::default() };
            return;
        }
        let is_answer = body.command & command::ANSWER != 0 && body.command != command::ERROR;
        if is_answer {
            answered(ear, conn, body, entry, findings);
        }
    }

    /// The module has got a message.
    fn module_heard(
        &mut self,
        (conn, packet, body): (u16, &Packet, Option<Body>),
        entry: &Entry<Event>,
        findings: &mut Findings,
    ) {
        let Some(body) = body else { return };
        self.quiet = self.quiet.or(Some((entry.at, entry.ordinal)));
        if body.command == command::LOGIN | command::ANSWER {
            if self.module.session.is_none_or(|(_, of)| of != conn) {
                self.module = Ear { session: Some((body.session, conn)), ..Ear::default() };
            }
            self.failures = 0;
            return;
        }
        if body.command & command::ANSWER == 0 && body.command != command::ERROR {
            let verdict = self.module.judge(conn, packet, Some(&body));
            if verdict == Verdict::New {
                self.pushed.entry((conn, body.sequence)).or_insert((entry.at, entry.ordinal));
            } else {
                judge(findings, entry, "PAY-L1", true, || (String::new(), String::new()));
            }
        }
        self.told_standing(&body, entry);
    }

    /// The module is told how an order stands.
    fn told_standing(&mut self, body: &Body, entry: &Entry<Event>) {
        let Some(order) = body.order else { return };
        match body.status {
            Some(status::LINK_READY | status::WAITING_PAYMENT) => {
                self.unasked.insert(order, (entry.at, entry.ordinal));
            }
            _ => drop(self.unasked.remove(&order)),
        }
    }

    /// A message has left the module.
    fn module_said(
        &mut self,
        (conn, body): (u16, &Body),
        entry: &Entry<Event>,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let is_answer = body.command & command::ANSWER != 0
            || body.command == command::ERROR && body.refusal == Some(refusal::LATER);
        if is_answer {
            if self.pushed.remove(&(conn, body.sequence)).is_some() {
                judge(findings, entry, "PAY-O3", true, || (String::new(), String::new()));
            }
            return answered(&mut self.module, conn, body, entry, findings);
        }
        if let Some(order) = body.order
            && self.unasked.remove(&order).is_some()
        {
            judge(findings, entry, "PAY-O3", true, || (String::new(), String::new()));
        }
        if scene.sut == Sut::Server {
            return;
        }
        self.quiet = None;
        self.sends = if self.sends.0 == body.sequence {
            (body.sequence, self.sends.1 + 1)
        } else {
            (body.sequence, 1)
        };
        let (sends, max) = (self.sends.1, scene.profile.module.sends_max);
        if sends > 1 {
            judge(findings, entry, "PAY-L3", sends <= max, || {
                (
                    format!("a connection given up after {max} messages without an answer"),
                    format!("{sends} of them"),
                )
            });
        }
        if self.begun.insert(conn) {
            judge(findings, entry, "PAY-L3", body.command == command::LOGIN, || {
                ("a login on a new connection".to_owned(), format!("command {:02x}", body.command))
            });
        }
    }

    /// How connections come and go, and whether the module asks for signs of life.
    fn connections(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let config = &scene.profile.module;
        match &entry.what {
            Seen::Opened { line, way: Scene::UP, .. } if *line == scene.link => {
                (self.quiet, self.sends) = (None, (0, 0));
                self.forget_owed();
                self.attempt(entry.at, false, entry, scene, findings);
            }
            Seen::Closed { line, way: Scene::DOWN, conn, why } if *line == scene.link => {
                self.quiet = None;
                self.forget_owed();
                if *why == Closing::TimedOut && !self.begun.contains(conn) {
                    let begun =
                        Instant::ZERO + (entry.at - Instant::ZERO - scene.profile.net.connect_timeout);
                    self.attempt(begun, true, entry, scene, findings);
                }
                self.ended = Some((entry.at, self.failures));
                self.failures += 1;
            }
            Seen::Closed { line, .. } if *line == scene.link => {
                self.quiet = None;
                self.forget_owed();
            }
            Seen::Power { supply, .. } if *supply == scene.power => {
                (self.ended, self.failures, self.quiet) = (None, 0, None);
                self.forget_owed();
            }
            _ => {}
        }
        self.owed(entry, scene, findings);
        let within = config.heartbeat + Span::s(5);
        if let Some((at, evidence)) = self.quiet.filter(|(at, _)| entry.at > *at + within) {
            self.quiet = None;
            // What a connection behind a modem in trouble is to the module is not seen.
            let troubled = scene.has_modem && !scene.plan.strikes.is_empty();
            if self.blind.sees(at, entry.at) && scene.sut != Sut::Server && !troubled {
                findings.judge("PAY-L3", false, || Violation {
                    requirement: "PAY-L3",
                    expected: format!("a sign of life asked for within {}", config.heartbeat),
                    actual: format!("nothing for {within} on a standing connection"),
                    at: entry.at,
                    evidence: vec![evidence, entry.ordinal],
                });
            }
        }
    }

    /// The module has begun to open a connection, then or a little before; `exact` if just then.
    fn attempt(
        &mut self,
        begun: Instant,
        exact: bool,
        entry: &Entry<Event>,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let backoff = &scene.profile.module.backoff;
        let Some((ended, failures)) = self.ended.take() else { return };
        if !self.blind.sees(ended, entry.at) || scene.has_modem {
            return;
        }
        let pause = backoff.get(failures).or(backoff.last()).copied().unwrap_or_default();
        let gap = begun.since(ended);
        judge(findings, entry, "PAY-L3", gap >= pause, || {
            (format!("a pause of {pause} before the next connection"), format!("{gap}"))
        });
        let least = backoff.iter().rev().find(|pause| **pause <= gap).copied().unwrap_or_default();
        if exact {
            self.over.push(gap - least);
        }
    }

    /// What was owed on a connection that is gone is owed no more.
    fn forget_owed(&mut self) {
        self.pushed.clear();
        self.unasked.clear();
    }

    /// Whether the module takes what it is told, and asks about what can be paid.
    fn owed(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let (config, now) = (&scene.profile.module, entry.at);
        let patience = config.answer_timeout * u64::from(config.sends_max) + Span::s(5);
        let mut late: Vec<((Instant, u64), &str)> = Vec::new();
        self.pushed.retain(|_, told| {
            let over = now > told.0 + config.answer_timeout + Span::s(1);
            if over {
                late.push((*told, "what the server tells of an order is not acknowledged"));
            }
            !over
        });
        self.unasked.retain(|_, told| {
            let over = now > told.0 + config.poll + patience;
            if over {
                late.push((*told, "the server is not asked about an order that can be paid"));
            }
            !over
        });
        for ((at, evidence), what) in late {
            if self.blind.sees(at, now) && !scene.has_modem && scene.sut != Sut::Server {
                findings.judge("PAY-O3", false, || Violation {
                    requirement: "PAY-O3",
                    expected: "an order followed by being told and by asking".to_owned(),
                    actual: what.to_owned(),
                    at: now,
                    evidence: vec![evidence, entry.ordinal],
                });
            }
        }
    }
}

/// Judges an answer by what was asked with its sequence.
fn answered(ear: &mut Ear, conn: u16, body: &Body, entry: &Entry<Event>, findings: &mut Findings) {
    let verdict = ear.verdicts.get(&(conn, body.sequence)).copied();
    if verdict == Some(Verdict::Refused) {
        judge(findings, entry, "PAY-L1", false, || {
            let sequence = body.sequence;
            (format!("the message with sequence {sequence} refused"), "it is answered".to_owned())
        });
    }
    let key = (body.session, body.sequence);
    if let Some(first) = ear.answers.get(&key) {
        let same = without_time(first) == without_time(body);
        judge(findings, entry, "PAY-L1", same, || {
            (format!("the same answer as before, to sequence {}", body.sequence), "another".to_owned())
        });
    } else {
        ear.answers.insert(key, body.clone());
    }
}
