//! Reader and tag with nothing between them but air.

mod faults;
mod tears;

use serde::Deserialize;

use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Torn};
use crate::time::{Instant, Now, Span, Wall};

use super::air::{burst_prefix, burst_time, edges_prefix, edges_time};
use super::reader::{ReadFailure, Reader, ReaderConfig, ReaderOutput, WriteOutcome};
use super::tag::{CardEvent, T5557, TagConfig};

#[derive(Deserialize)]
struct Profile {
    card: TagConfig,
    reader: ReaderConfig,
}

fn profile() -> Profile {
    toml::from_str(include_str!("../../../fixtures/profiles/water.toml")).unwrap()
}

/// The card of the profile in the fixtures.
pub(super) fn tag_config() -> TagConfig {
    profile().card
}

/// The reader of the profile in the fixtures.
fn reader_config() -> ReaderConfig {
    profile().reader
}

/// Block 0 to 7 of a card with 12.50 t.
const CARD: [u32; 8] =
    [0x0014_80C0, 0x0012_3456, 0x7801_0203, 0x0000_04E2, 0xFFFF_FB1D, 0x0007_0412, 0x2002_0000, 0];

/// What a fault makes of a delivery of edges: when what arrives.
type Deliveries = Vec<(Instant, Vec<u8>)>;

/// A fault on the way from the card: it sees which delivery this is, when it began, and its edges.
type Spoil<'a> = Box<dyn FnMut(usize, Instant, &[u8]) -> Deliveries + 'a>;

/// A fault of the terminal's pulses: it sees which burst this is, and may change it.
type SpoilBurst<'a> = Box<dyn FnMut(usize, &mut Vec<u8>) + 'a>;

/// Arrives as it left.
fn intact(began: Instant, edges: &[u8]) -> Deliveries {
    vec![(began + edges_time(edges), edges.to_vec())]
}

/// What the reader reported, and when.
#[derive(Clone, Debug, PartialEq)]
struct Report {
    at: Instant,
    what: ReaderOutput,
}

/// A reader, perhaps a card on it, and the air between.
struct Air<'a> {
    reader: Reader,
    tag: Option<T5557>,
    now: Instant,
    to_card: Option<(Instant, Vec<u8>)>,
    to_reader: Vec<(Instant, Instant, Vec<u8>)>,
    reports: Vec<Report>,
    events: Vec<CardEvent>,
    bursts: usize,
    delivered: usize,
    spoil: Spoil<'a>,
    spoil_burst: SpoilBurst<'a>,
}

impl<'a> Air<'a> {
    fn new(contents: [u32; 8]) -> Self {
        Self::of(reader_config(), Some(T5557::issue(tag_config(), contents)))
    }

    fn of(config: ReaderConfig, tag: Option<T5557>) -> Self {
        Self {
            reader: Reader::new(config),
            tag,
            now: Instant::from_us(1_000_000),
            to_card: None,
            to_reader: Vec::new(),
            reports: Vec::new(),
            events: Vec::new(),
            bursts: 0,
            delivered: 0,
            spoil: Box::new(|_, began, edges| intact(began, edges)),
            spoil_burst: Box::new(|_, _| {}),
        }
    }

    fn spoiled(mut self, spoil: impl FnMut(usize, Instant, &[u8]) -> Deliveries + 'a) -> Self {
        self.spoil = Box::new(spoil);
        self
    }

    fn spoiled_bursts(mut self, spoil: impl FnMut(usize, &mut Vec<u8>) + 'a) -> Self {
        self.spoil_burst = Box::new(spoil);
        self
    }

    fn tell_tag(&mut self, input: Input<'_, std::convert::Infallible>) {
        let now = Now { mono: self.now, wall: Wall::default() };
        let Some(tag) = &mut self.tag else { return };
        tag.handle_input(now, input);
        while let Some(output) = tag.poll_output() {
            match output.what {
                Output::Transmit { bytes, .. } => {
                    let (nth, began) = (self.delivered, output.at);
                    self.delivered += 1;
                    let arrivals = (self.spoil)(nth, began, &bytes);
                    self.to_reader.extend(arrivals.into_iter().map(|(at, bytes)| (at, began, bytes)));
                }
                Output::Event(event) => self.events.push(event),
                other => panic!("{other:?}"),
            }
        }
        while tag.poll_step().is_some() {}
    }

    /// Ends what is on the air: each side gets what had passed.
    fn silence(&mut self) {
        if let Some((began, burst)) = self.to_card.take() {
            let passed = burst_prefix(&burst, self.now.since(began));
            self.tell_tag(Input::Received { port: T5557::RF, bytes: &burst[..passed] });
        }
        for (_, began, edges) in std::mem::take(&mut self.to_reader) {
            let passed = edges_prefix(&edges, self.now.since(began));
            self.reader.handle_edges(self.now, &edges[..passed]);
        }
    }

    /// Takes the card away.
    fn remove(&mut self) -> Option<T5557> {
        self.silence();
        self.tell_tag(Input::Level { port: T5557::RF, high: false });
        self.drain();
        self.tag.take()
    }

    fn present(&mut self, tag: T5557) {
        self.tag = Some(tag);
        if self.reader.is_field_on() {
            self.tell_tag(Input::Level { port: T5557::RF, high: true });
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.reader.poll_output() {
            match output {
                ReaderOutput::Field(high) => {
                    if !high {
                        self.silence();
                    }
                    self.tell_tag(Input::Level { port: T5557::RF, high });
                }
                ReaderOutput::Burst(mut burst) => {
                    (self.spoil_burst)(self.bursts, &mut burst);
                    self.bursts += 1;
                    self.to_card = Some((self.now, burst));
                }
                what => self.reports.push(Report { at: self.now, what }),
            }
        }
    }

    /// The next thing to happen: its time, and whether it is a burst, edges, the tag or the reader.
    fn next(&self) -> Option<(Instant, u8)> {
        let burst = self.to_card.as_ref().map(|(began, burst)| *began + burst_time(burst));
        let edges = self.to_reader.iter().map(|(at, ..)| *at).min();
        let tag = self.tag.as_ref().and_then(Machine::poll_timeout);
        let due = [burst, edges, tag, self.reader.poll_timeout()];
        due.into_iter().zip(0..).filter_map(|(at, kind)| Some((at?, kind))).min()
    }

    /// Lets one thing happen.
    fn step(&mut self) {
        let (at, kind) = self.next().expect("nothing would ever happen");
        self.now = at;
        match kind {
            0 => {
                let (_, burst) = self.to_card.take().unwrap();
                self.tell_tag(Input::Received { port: T5557::RF, bytes: &burst });
            }
            1 => {
                let nth = self.to_reader.iter().position(|(due, ..)| *due == at).unwrap();
                let (_, _, edges) = self.to_reader.remove(nth);
                self.reader.handle_edges(at, &edges);
            }
            2 => self.tell_tag(Input::Deadline),
            _ => self.reader.handle_deadline(at),
        }
        self.drain();
    }

    /// Runs up to `until`, what is due then included.
    fn run_until(&mut self, until: Instant) {
        while self.next().is_some_and(|(at, _)| at <= until) {
            self.step();
        }
        self.now = until;
    }

    /// Runs until the reader reports.
    fn report(&mut self) -> ReaderOutput {
        let seen = self.reports.len();
        self.report_after(seen)
    }

    /// Runs until there are more reports than `seen`.
    fn report_after(&mut self, seen: usize) -> ReaderOutput {
        while self.reports.len() == seen {
            self.step();
        }
        self.reports[seen].what.clone()
    }

    fn read(&mut self) -> Result<[u32; 6], ReadFailure> {
        self.reader.read_card(self.now);
        self.drain();
        match self.report() {
            ReaderOutput::Read(result) => result,
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, block: u8, data: u32) -> (bool, WriteOutcome) {
        let seen = self.reports.len();
        self.begin_write(block, data);
        match self.report_after(seen) {
            ReaderOutput::Written { block: of, begun, outcome } if of == block => (begun, outcome),
            other => panic!("{other:?}"),
        }
    }

    fn begin_write(&mut self, block: u8, data: u32) {
        self.reader.write_block(self.now, block, data);
        self.drain();
    }

    fn blocks(&self) -> [u32; 6] {
        self.tag.as_ref().unwrap().blocks()[1..7].try_into().unwrap()
    }
}

/// Blocks 1 to 6 of some contents.
fn shown(contents: [u32; 8]) -> [u32; 6] {
    contents[1..7].try_into().unwrap()
}

#[test]
fn a_reading_takes_startup_and_two_rounds() {
    let mut air = Air::new(CARD);
    assert_eq!(air.read(), Ok(shown(CARD)));
    // 3 ms and twelve blocks of 16,384 µs.
    assert_eq!(air.now, Instant::from_us(1_000_000 + 3_000 + 196_608));
    assert!(air.reader.is_idle() && air.reader.is_field_on());
    let again = air.now;
    assert_eq!(air.read(), Ok(shown(CARD)));
    assert_eq!(air.now, again + Span::us(10_000 + 3_000 + 196_608));
}

#[test]
fn every_block_is_written_and_read_back() {
    for block in 1..=6_u8 {
        for data in [0, u32::MAX, 0xAAAA_AAAA, 0x5555_5555, 0x0000_09C4] {
            let mut air = Air::new(CARD);
            air.read().unwrap();
            let began = air.now;
            let old = CARD[usize::from(block)];
            assert_eq!(air.write(block, data), (true, WriteOutcome::Verified));
            assert_eq!(air.events, [CardEvent::Programmed { block, old, new: data }]);
            // Thirty-nine gaps, the bits, the silence after them, programming, and two readings.
            let ones = u64::from(data.count_ones() + u32::from(block).count_ones() + 1);
            let pulses = 8 * (30 + 38 * 20 + 54 * ones + 24 * (38 - ones));
            assert_eq!(air.now, began + Span::us(pulses + 512 + 5_600 + 2 * 16_384));
            let mut expected = shown(CARD);
            expected[usize::from(block) - 1] = data;
            assert_eq!(air.read(), Ok(expected));
        }
    }
}

#[test]
fn a_silent_antenna_is_given_up_in_bounded_time() {
    let mut air = Air::of(reader_config(), None);
    air.reader.read_card(air.now);
    air.drain();
    // Three attempts of 250 ms and two resets of 10 ms between them.
    air.run_until(Instant::from_us(1_000_000 + 769_999));
    assert_eq!(air.reports, []);
    air.run_until(Instant::from_us(1_000_000 + 770_000));
    let what = ReaderOutput::Read(Err(ReadFailure::Silent));
    assert_eq!(air.reports, [Report { at: air.now, what }]);
    assert_eq!(air.reader.poll_timeout(), None);
}

#[test]
fn only_a_card_that_was_read_is_written() {
    let mut air = Air::new(CARD);
    let refused = (false, WriteOutcome::NoReadBack);
    assert_eq!(air.write(3, 1), refused);
    air.read().unwrap();
    for block in [0, 7, 8, 255] {
        assert_eq!(air.write(block, 1), refused, "{block}");
    }
    assert_eq!(air.write(3, 1), (true, WriteOutcome::Verified));
    air.reader.field_off(air.now);
    air.drain();
    assert!(!air.tag.as_ref().unwrap().is_on());
    assert_eq!(air.write(3, 2), refused);
    assert_eq!(air.bursts, 1);
}

#[test]
fn a_dropped_write_leaves_the_card_unknown() {
    let mut air = Air::new(CARD);
    air.read().unwrap();
    air.begin_write(3, 1);
    assert_eq!(air.write(4, 1), (false, WriteOutcome::NoReadBack));
    assert!(air.reader.is_idle());
}

#[test]
fn the_password_opens_and_its_absence_shows_the_old_value() {
    let mut contents = CARD;
    (contents[0], contents[7]) = (0x0014_80D0, 0x5EC2_E701);
    for (password, outcome) in [
        (Some(0x5EC2_E701), WriteOutcome::Verified),
        (Some(0x5EC2_E700), WriteOutcome::StillOld(0x0000_04E2)),
        (None, WriteOutcome::StillOld(0x0000_04E2)),
    ] {
        let config = ReaderConfig { password, ..reader_config() };
        let mut air = Air::of(config, Some(T5557::issue(tag_config(), contents)));
        assert_eq!(air.read(), Ok(shown(contents)));
        assert_eq!(air.write(3, 0x0000_09C4), (true, outcome));
        let held = if outcome == WriteOutcome::Verified { 0x0000_09C4 } else { 0x0000_04E2 };
        assert_eq!(air.blocks()[2], held);
    }
}

#[test]
fn the_readers_digest_knows_states_apart_and_not_their_times() {
    let take = |air: &Air<'_>| {
        let mut digest = Digest::new(air.now);
        air.reader.digest(&mut digest);
        digest.finish()
    };
    let (mut early, mut late) = (Air::new(CARD), Air::new(CARD));
    late.now += Span::us(777);
    let mut seen = vec![take(&early)];
    assert_eq!(take(&late), seen[0]);
    // Startup, two blocks, the whole reading, its end; then pulses, programming, read-back.
    for step_us in [1_000, 35_000, 163_608, 1, 10_000, 10_000, 20_000] {
        for air in [&mut early, &mut late] {
            match step_us {
                1_000 => air.reader.read_card(air.now),
                1 => air.reader.write_block(air.now, 3, 0x0000_09C4),
                _ => {}
            }
            air.drain();
            air.run_until(air.now + Span::us(step_us));
        }
        assert_eq!(take(&early), take(&late), "{step_us}");
        assert!(!seen.contains(&take(&early)), "{step_us}");
        seen.push(take(&early));
    }
}
