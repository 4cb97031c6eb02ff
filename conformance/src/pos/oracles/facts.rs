//! What is known of sales, as the boundaries show it: what terminals asked for, what people were told, what was booked.

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};

use assay_sim::card::number::CardNumber;
use assay_sim::money::Fen;
use assay_sim::pos::books::{Device, SaleId, SaleRequest, Sales, Sold};
use assay_sim::pos::frame::{DeviceMessage, Key, Mode, ServerMessage, command, parse_amount, text};
use assay_sim::pos::observe::{Observed, Stored};
use assay_sim::pos::party::Event;
use assay_sim::pos::plant::Seating;
use assay_sim::tape::{Entry, Seen};

use super::wire::{Passed, Passing, Told, amount_of};
use crate::pos::scene::Scene;

/// The voice that tells people of a success.
const SUCCESS: &str = "say 1";

/// What is known of one sale.
#[derive(Clone, Debug, Default)]
pub struct SaleFacts {
    /// The terminal that sent it, by place; none if no terminal has, so that it came into being on the way.
    pub terminal: Option<usize>,
    /// Entries that show its messages leave the terminal.
    pub sent: Ordinals,
    /// Entries that show its messages come to the server.
    pub heard: Ordinals,
    /// The entry that shows people told of success.
    pub shown: Option<u64>,
    /// The entry that shows people told that it was made off line.
    pub booked: Option<u64>,
    /// The entry that shows its record leave the terminal.
    pub recorded: Option<u64>,
}

/// Entries, in order; nearly always one, which is kept in place.
#[derive(Clone, Debug, Default)]
pub struct Ordinals {
    first: Option<u64>,
    more: Vec<u64>,
}

impl Ordinals {
    fn push(&mut self, ordinal: u64) {
        if self.first.is_none() {
            self.first = Some(ordinal);
        } else {
            self.more.push(ordinal);
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.first.iter().chain(&self.more).copied()
    }
}

/// An 008 that came to a terminal.
#[derive(Clone, Debug)]
struct Answer {
    key: Key,
    amount: Option<Fen>,
    /// Its text, and how that reads on the panel's line.
    text: Vec<u8>,
    line: OnceCell<String>,
    /// Whether it says "in progress".
    interim: bool,
}

impl Answer {
    fn line(&self) -> &str {
        self.line.get_or_init(|| text::one_line(&text::runs(&self.text)))
    }
}

/// One terminal.
#[derive(Clone, Debug, Default)]
struct Till {
    /// Its newest sale.
    latest: Option<SaleId>,
    /// Answers that came since its newest sale began, and a little before.
    answers: VecDeque<Answer>,
    /// Whether what was shown last has been taken for what it was.
    settled: bool,
}

/// How many answers of a terminal are remembered.
const ANSWERS_MAX: usize = 64;

/// How many of them when a sale begins: what came before the last few has been shown.
const ANSWERS_BEFORE: usize = 3;

/// A sale's datagram that was sent a moment ago.
#[derive(Clone, Debug)]
struct Recent {
    terminal: usize,
    bytes: Vec<u8>,
    about: SaleId,
}

/// How many of them are remembered.
const RECENT_MAX: usize = 256;

/// A charge that people were told of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The card; all zeros for a code.
    pub card: CardNumber,
    /// How much.
    pub amount: Fen,
    /// The entry that shows it.
    pub ordinal: u64,
}

/// What a terminal's flash held.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The records.
    pub records: Vec<SaleId>,
    /// The sale that waits for its answer.
    pub pending: Option<SaleId>,
    /// The entry that shows it.
    pub ordinal: u64,
}

impl Till {
    /// A sale is sent, and is the newest.
    fn begins(&mut self, id: &SaleId) {
        if self.latest.as_ref() != Some(id) {
            self.latest = Some(id.clone());
            let past = self.answers.len().saturating_sub(ANSWERS_BEFORE);
            self.answers.drain(..past);
        }
    }
}

impl Held {
    fn has(&self, id: &SaleId) -> bool {
        self.pending.as_ref() == Some(id) || self.records.contains(id)
    }
}

/// All sales so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By identity.
    pub sales: Sales<SaleFacts>,
    /// What people were told late, in order.
    pub late: Vec<Late>,
    /// The codes that the platform was asked to charge, by order: code, amount, and where that is seen.
    pub orders: BTreeMap<u64, (Vec<u8>, Fen, u64)>,
    /// What each terminal's flash held when it was last read.
    pub flash: BTreeMap<usize, Held>,
    tills: Vec<Till>,
    /// Sales that were sent last, by their terminals' places, so that they are not read again where they arrive.
    recent: Vec<Option<Recent>>,
    lan: Vec<u8>,
}

impl Facts {
    /// Takes the next entry.
    pub fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) {
        match &entry.what {
            Seen::Sent { line, way: Scene::UP, bytes, .. }
                if scene.terminal_on_udp(*line).is_some() && asks(bytes) =>
            {
                self.datagram(entry, scene);
            }
            Seen::Heard { line, way, bytes, .. }
                if scene.terminal_on_udp(*line).is_some()
                    && if *way == Scene::UP { asks(bytes) } else { command(bytes) == b"008" } =>
            {
                self.datagram(entry, scene);
            }
            // What has left the terminal for its display counts as shown: nobody can make a glance at a display and a
            // byte in flash one.
            Seen::Sent { line, way: Scene::UP, bytes, .. } => {
                if let Some(place) = scene.terminal_on_panel(*line) {
                    self.said(place, String::from_utf8_lossy(bytes).trim_end(), entry.ordinal);
                }
            }
            Seen::Noted { seat, event: Event::Observed(Observed::Flash { records, pending }) } => {
                if let Some(place) = scene.terminals.iter().position(|cast| cast.terminal == *seat) {
                    let device = scene.terminals[place].device();
                    let identity = |stored: &Stored| stored.identity(&device);
                    let records = records.iter().filter_map(identity).collect();
                    let pending = pending.as_ref().and_then(identity);
                    self.flash.insert(place, Held { records, pending, ordinal: entry.ordinal });
                }
            }
            Seen::Closed { line, .. } if Some(*line) == scene.lan => self.lan.clear(),
            Seen::Heard { line, way: Scene::UP, bytes, .. } if Some(*line) == scene.lan => {
                self.charges(bytes, entry.ordinal);
            }
            _ => {}
        }
    }

    /// Whether a terminal's flash holds a sale.
    pub fn is_held(&self, id: &SaleId) -> bool {
        self.flash.values().any(|held| held.has(id))
    }

    fn till(&mut self, place: usize) -> &mut Till {
        if self.tills.len() <= place {
            self.tills.resize_with(place + 1, Till::default);
        }
        &mut self.tills[place]
    }

    fn remember(&mut self, recent: Recent) {
        if self.recent.is_empty() {
            self.recent.resize(RECENT_MAX, None);
        }
        let place = recent.terminal % RECENT_MAX;
        self.recent[place] = Some(recent);
    }

    /// A sale, its record, or an 008 passes.
    fn datagram(&mut self, entry: &Entry<Event>, scene: &Scene) {
        if let Seen::Heard { line, way: Scene::UP, bytes, .. } = &entry.what
            && let Some(terminal) = scene.terminal_on_udp(*line)
            && let Some(Some(recent)) = self.recent.get(terminal % RECENT_MAX)
            && recent.terminal == terminal
            && recent.bytes == *bytes
        {
            self.sales.or_insert(&recent.about, SaleFacts::default()).heard.push(entry.ordinal);
            return;
        }
        let Some(passed) = Passed::of(entry, scene) else { return };
        match (passed.told, passed.passing) {
            (Told::Device(message), passing) => {
                let Some(id) = identity(&message) else { return };
                let record = matches!(message, DeviceMessage::Record { .. });
                let sale = self.sales.or_insert(&id, SaleFacts::default());
                match passing {
                    Passing::Heard => sale.heard.push(passed.ordinal),
                    Passing::Sent => {
                        sale.terminal = Some(passed.terminal);
                        sale.sent.push(passed.ordinal);
                        if record {
                            sale.recorded.get_or_insert(passed.ordinal);
                        }
                        if !record {
                            self.till(passed.terminal).begins(&id);
                        }
                        self.remember(Recent {
                            terminal: passed.terminal,
                            bytes: passed.bytes.to_vec(),
                            about: id,
                        });
                    }
                }
            }
            (Told::Server(ServerMessage::Done { key, amount, text, cue, .. }), Passing::Heard) => {
                if scene.seating == Seating::ProbeTerminals {
                    // Test heads show people nothing that could be an answer's text.
                    return;
                }
                let interim = matches!(key, Key::Code(_)) && cue.secs == scene.profile.server.interim_secs;
                let till = self.till(passed.terminal);
                if till.answers.len() >= ANSWERS_MAX {
                    till.answers.pop_front();
                }
                let line = OnceCell::new();
                till.answers.push_back(Answer { key, amount: amount.ok(), text, line, interim });
            }
            _ => {}
        }
    }

    /// People at a terminal see or hear something.
    fn said(&mut self, place: usize, line: &str, ordinal: u64) {
        let till = self.till(place);
        let Some(id) = till.latest.clone() else { return };
        if let Some(rest) = line.strip_prefix("show CHARGED LATE ") {
            till.settled = true;
            let mut words = rest.split(' ');
            let card = words.next().and_then(|word| CardNumber::parse(word.as_bytes()).ok());
            let amount = words.next().and_then(|word| parse_amount(word.as_bytes()));
            if let (Some(card), Some(amount)) = (card, amount) {
                self.late.push(Late { card, amount, ordinal });
            }
        } else if line.starts_with("show OFF LINE ") {
            till.settled = true;
            self.sales.or_insert(&id, SaleFacts::default()).booked.get_or_insert(ordinal);
        } else if let Some(shown) = line.strip_prefix("show ") {
            let known = till.answers.iter().rev().find(|answer| answer.line() == shown).cloned();
            till.settled = known.is_some();
            if let Some(answer) = known.filter(|answer| !answer.interim) {
                let named =
                    names(&id, &answer.key) && answer.amount.is_none_or(|paid| paid == amount_of(&id.sold));
                let about = if named { Some(id) } else { self.named(place, &answer) };
                if let Some(id) = about {
                    self.sales.or_insert(&id, SaleFacts::default()).shown.get_or_insert(ordinal);
                }
            }
        } else if line == SUCCESS && !till.settled {
            self.sales.or_insert(&id, SaleFacts::default()).shown.get_or_insert(ordinal);
        }
    }

    /// The newest sale of a terminal that an answer names.
    fn named(&self, place: usize, answer: &Answer) -> Option<SaleId> {
        let fits = |(id, sale): &(&SaleId, &SaleFacts)| {
            sale.terminal == Some(place)
                && names(id, &answer.key)
                && answer.amount.is_none_or(|amount| amount == amount_of(&id.sold))
        };
        self.sales
            .iter()
            .filter(fits)
            .max_by_key(|(_, sale)| sale.sent.iter().next_back())
            .map(|(id, _)| id.clone())
    }

    fn charges(&mut self, bytes: &[u8], ordinal: u64) {
        self.lan.extend_from_slice(bytes);
        while let Some(end) = self.lan.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.lan.drain(..=end).collect();
            let Ok(line) = std::str::from_utf8(&line[..end]) else { continue };
            let words: Vec<&str> = line.split(' ').collect();
            if let ["CHARGE", order, fen, code] = words[..]
                && let (Ok(order), Ok(fen), Some(code)) = (order.parse(), fen.parse(), from_hex(code))
            {
                self.orders.entry(order).or_insert((code, Fen(fen), ordinal));
            }
        }
    }
}

/// Whether a device's datagram may tell of a sale: others need not be read.
fn asks(bytes: &[u8]) -> bool {
    matches!(command(bytes), b"103" | b"104" | b"105" | b"128")
}

/// The sale of which a message tells, if it tells of one.
pub fn identity(message: &DeviceMessage) -> Option<SaleId> {
    if let DeviceMessage::Record { head, card: Ok(card), amount: Ok(amount), at: Ok(at), mode, .. } = message
    {
        let sold = match mode {
            Mode::Money => Sold::Money(*card, *amount),
            Mode::Count => Sold::Count(*card),
        };
        return Some(SaleId { device: Device::of(head), at: *at, sold });
    }
    match SaleRequest::of(message)? {
        SaleRequest::Sound(id) => Some(id),
        SaleRequest::Unsound(_) => None,
    }
}

/// Whether an answer with this key is one to this sale.
pub fn names(id: &SaleId, key: &Key) -> bool {
    match (&id.sold, key) {
        (Sold::Money(card, _) | Sold::Count(card), Key::Card(named)) => card == named,
        (Sold::Code(number, ..), Key::Code(named)) => number == named,
        _ => false,
    }
}

/// A sale in words: `card 8888888888, 5.50`.
pub fn words(id: &SaleId) -> String {
    match &id.sold {
        Sold::Money(card, amount) => format!("card {card}, {amount}"),
        Sold::Count(card) => format!("card {card}, one count"),
        Sold::Code(number, code, amount) => {
            format!("code {} (number {number}), {amount}", code.escape_ascii())
        }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
