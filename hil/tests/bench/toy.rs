//! Two machines on a serial line: one asks until it is answered, the other answers.

use std::collections::VecDeque;

use assay_sim::digest::Digest;
use assay_sim::fault::{Fate, Fault, FaultPlan, Moment, Strike, Way};
use assay_sim::link::SerialConfig;
use assay_sim::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use assay_sim::tabletop::{Family, Layout, Scanner, Tabletop, Unit};
use assay_sim::tape::{Fingerprint, Keep, LineId, SeatId, Seen, SupplyId};
use assay_sim::time::{Instant, Now, Span, Wall};
use assay_sim::wire::{Assembler, Piece, Scan, Wire};

/// How long the asker waits for an answer.
pub(crate) const RETRY: Span = Span::ms(400);

/// How many answers the asker wants.
pub(crate) const ROUNDS: u8 = 6;

/// A colon, a letter, and the letter with all its bits inverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Letter(u8);

impl Wire for Letter {
    type Format = ();

    fn len_max((): &()) -> usize {
        3
    }

    fn encode(&self, (): &(), into: &mut Vec<u8>) {
        into.extend_from_slice(&[b':', self.0, !self.0]);
    }

    fn scan((): &(), bytes: &[u8]) -> Scan<Self> {
        match *bytes {
            [] | [b':'] | [b':', _] => Scan::NeedMore,
            [b':', letter, check, ..] if check == !letter => Scan::Frame { frame: Self(letter), used: 3 },
            _ => Scan::Junk { used: 1, why: "no letter" },
        }
    }
}

/// Either of the two.
#[derive(Clone, Debug)]
pub(crate) struct Player {
    asks: bool,
    on: bool,
    round: u8,
    retry_at: Option<Instant>,
    heard: Assembler,
    out: VecDeque<Stamped<Output<Never>>>,
}

/// Nothing is ever noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Never {}

impl Fingerprint for Never {
    fn fingerprint(&self, _: &mut dyn FnMut(&[u8])) {}
}

impl Player {
    fn new(asks: bool) -> Self {
        Self { asks, on: false, round: 0, retry_at: None, heard: Assembler::default(), out: VecDeque::new() }
    }

    fn say(&mut self, at: Instant, letter: u8) {
        let what = Output::Transmit { port: Port(0), bytes: Letter(letter).to_bytes(&()) };
        self.out.push_back(Stamped { at, what });
    }

    fn ask(&mut self, at: Instant) {
        self.retry_at = (self.round < ROUNDS).then_some(at + RETRY);
        if self.retry_at.is_some() {
            self.say(at, b'a' + self.round);
        }
    }
}

impl Machine for Player {
    type Stimulus = Never;
    type Event = Never;

    fn handle_input(&mut self, now: Now, input: Input<'_, Never>) {
        match input {
            Input::PowerOn => {
                self.on = true;
                if self.asks {
                    self.ask(now.mono);
                }
            }
            Input::Deadline => self.ask(now.mono),
            Input::Received { port: Port(0), bytes } => {
                self.heard.push(bytes);
                while let Some(piece) = self.heard.poll::<Letter>(&()) {
                    let Piece::Frame(Letter(letter)) = piece else { continue };
                    if !self.asks {
                        self.say(now.mono, letter.to_ascii_uppercase());
                    } else if letter == b'A' + self.round {
                        self.round += 1;
                        self.ask(now.mono);
                    }
                }
            }
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<Never>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.retry_at
    }

    fn digest(&self, _: Instant, into: &mut Digest) {
        into.flag(self.on).word(u64::from(self.round)).deadline(self.retry_at).bytes(self.heard.held());
    }
}

impl Board for Player {
    fn cut(&mut self, _: Instant, _: Torn) {
        *self = Self::new(self.asks);
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }
}

/// Names every letter that passes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters(usize);

impl Scanner for Letters {
    fn push(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn poll(&mut self) -> Option<Unit> {
        self.0 = self.0.checked_sub(3)?;
        Some(Unit { len: 3, name: "letter" })
    }

    fn flush(&mut self) -> Option<Unit> {
        None
    }
}

/// The family of the two.
#[derive(Clone, Debug)]
pub(crate) struct Toy;

impl Family for Toy {
    type Party = Player;
    type Stimulus = Never;
    type Event = Never;
    type Scanner = Letters;

    fn suffering(_: &str) -> Option<Never> {
        None
    }

    fn meaning(_: &str, _: &[u8]) -> Option<String> {
        None
    }

    fn event_words(event: &Never) -> String {
        match *event {}
    }
}

/// The line that they play on: the asker at end A, the answerer at end B.
pub(crate) const WIRE: LineId = LineId(0);

/// A line to which nobody listens.
pub(crate) const SPARE: LineId = LineId(1);

/// Both supplies, the asker's and the answerer's.
pub(crate) const SUPPLIES: [SupplyId; 2] = [SupplyId(0), SupplyId(1)];

/// A bench with everything switched on. At 10,000 baud a letter takes 3 ms.
pub(crate) fn bench(baud: u32, led_out: &[LineId], plan: &FaultPlan) -> Tabletop<Toy> {
    let mut layout = Layout::<Toy>::new(Wall::default(), Span::ms(100), 16);
    let asker = layout.seat("asker", Player::new(true));
    let answerer = layout.seat("answerer", Player::new(false));
    for (name, port) in [("wire", Port(0)), ("spare", Port(1))] {
        let config = SerialConfig { baud, bits_a_byte: 10, byte_gap: Span::ZERO, burst_gap: Span::ZERO };
        let scanners = [Letters::default(), Letters::default()];
        layout.serial(name, (asker, port), (answerer, port), config, scanners);
    }
    layout.supply("asker's", &[asker]);
    layout.supply("answerer's", &[answerer]);
    for line in led_out {
        layout.lead_out(*line);
    }
    let mut bench = Tabletop::new(layout, plan, Keep::All).unwrap();
    bench.switch_on();
    bench
}

/// A plan in which this becomes of what crosses the wire at this site.
pub(crate) fn plan(site: &str, fate: Fate) -> FaultPlan {
    let site = site.parse().unwrap();
    FaultPlan::one(Strike { site, moment: Moment::default(), fault: Fault::Fate(fate) })
}

/// Whether the asker has all its answers.
pub(crate) fn is_over(bench: &Tabletop<Toy>) -> bool {
    bench.party(SeatId(0)).round == ROUNDS
}

/// Everything sent, in order, with its times.
pub(crate) fn sent(bench: &Tabletop<Toy>) -> Vec<(Instant, Way, Vec<u8>)> {
    let entries = bench.tape().entries();
    let sent = entries.filter_map(|entry| match &entry.what {
        Seen::Sent { way, bytes, .. } => Some((entry.at, *way, bytes.clone())),
        _ => None,
    });
    sent.collect()
}

/// The letters sent, in order.
pub(crate) fn game(bench: &Tabletop<Toy>) -> String {
    sent(bench).iter().map(|(_, _, bytes)| char::from(bytes[1])).collect()
}

/// What was heard one way over the wire, with its times.
pub(crate) fn heard(bench: &Tabletop<Toy>, which: Way) -> Vec<(Instant, Vec<u8>)> {
    let entries = bench.tape().entries();
    let heard = entries.filter_map(|entry| match &entry.what {
        Seen::Heard { line: WIRE, way, bytes, .. } if *way == which => Some((entry.at, bytes.clone())),
        _ => None,
    });
    heard.collect()
}
