use super::*;
use crate::card::closed_loop::tag_config;
use crate::card::manchester::decode_block;
use crate::time::Wall;

const CONTENTS: [u32; 8] =
    [0x0014_80C0, 0x1111_1111, 0x2222_2222, 0x0000_04E2, 0xFFFF_FB1D, 0x5555_0000, 0x6666_0000, 0x5EC2_E701];

/// A tag and the time.
struct Lone {
    tag: T5557,
    now: u64,
}

impl Lone {
    fn new(config: TagConfig, contents: [u32; 8]) -> Self {
        Self { tag: T5557::issue(config, contents), now: 1_000 }
    }

    fn input(&mut self, input: Input<'_, Infallible>) -> Vec<Stamped<Output<CardEvent>>> {
        let now = Now { mono: Instant::from_us(self.now), wall: Wall::default() };
        self.tag.handle_input(now, input);
        std::iter::from_fn(|| self.tag.poll_output()).collect()
    }

    fn field(&mut self, high: bool) -> Vec<Stamped<Output<CardEvent>>> {
        self.input(Input::Level { port: T5557::RF, high })
    }

    /// Hears a burst that ends now.
    fn burst(&mut self, bytes: &[u8]) -> Vec<Stamped<Output<CardEvent>>> {
        self.input(Input::Received { port: T5557::RF, bytes })
    }

    /// Serves every deadline up to and including `to`; gives when each block was sent and what it was, and the events.
    fn run(&mut self, to: u64) -> (Vec<(u64, u32)>, Vec<CardEvent>) {
        let (mut sent, mut events) = (Vec::new(), Vec::new());
        while let Some(due) = self.tag.poll_timeout().filter(|due| due.as_us() <= to) {
            self.now = due.as_us();
            for Stamped { at, what } in self.input(Input::Deadline) {
                assert_eq!(at, due);
                match what {
                    Output::Transmit { port, bytes } => {
                        assert_eq!(port, T5557::RF);
                        sent.push((at.as_us(), decode_block(&bytes, 32, 0).unwrap()));
                    }
                    Output::Event(event) => events.push(event),
                    other => panic!("{other:?}"),
                }
            }
        }
        self.now = to;
        (sent, events)
    }

    /// A tag that has been in the field since 1,000 µs and has begun block 1.
    fn reading(contents: [u32; 8]) -> Self {
        let mut lone = Self::new(tag_config(), contents);
        lone.field(true);
        lone.run(4_000);
        lone
    }
}

fn write(block: u8, data: u32) -> Vec<u8> {
    burst(Command::Write { block, data, lock: false }, None)
}

fn burst(command: Command, password: Option<u32>) -> Vec<u8> {
    let pulses = crate::card::command::Pulses {
        start_gap_clocks: 30,
        gap_clocks: 20,
        zero_clocks: 24,
        one_clocks: 54,
    };
    command.to_burst(pulses, password)
}

#[test]
fn it_starts_up_and_repeats_its_blocks_without_a_pause() {
    let mut lone = Lone::new(tag_config(), CONTENTS);
    assert_eq!(lone.tag.poll_timeout(), None);
    assert!(!lone.tag.is_on());
    assert!(lone.field(true).is_empty());
    assert!(lone.tag.is_on());
    assert_eq!(lone.tag.timer_name(), Some("card-startup"));
    assert_eq!(lone.run(3_999).0, []);
    lone.field(true);
    let (sent, events) = lone.run(4_000 + 6 * 16_384);
    let block = |nth: u64, data| (4_000 + nth * 16_384, data);
    assert_eq!(
        sent,
        [
            block(0, 0x1111_1111),
            block(1, 0x2222_2222),
            block(2, 0x0000_04E2),
            block(3, 0xFFFF_FB1D),
            block(4, 0x5555_0000),
            block(5, 0x6666_0000),
            block(6, 0x1111_1111),
        ]
    );
    assert_eq!(events, []);
    assert!(lone.field(false).is_empty());
    assert_eq!(lone.tag.poll_timeout(), None);
}

#[test]
fn a_block_leaves_as_the_drawn_waveform() {
    let mut contents = CONTENTS;
    contents[1] = 0xF000_0005;
    let mut lone = Lone::new(tag_config(), contents);
    lone.field(true);
    lone.now = 4_000;
    // Halves 01 01 01 01, then twenty-five times 10, then 01 10 01.
    let mut drawn = vec![0, 32, 32, 32, 32, 32, 32, 32, 64];
    drawn.extend([32; 48]);
    drawn.extend([64, 64, 64, 32]);
    let outputs = lone.input(Input::Deadline);
    assert_eq!(
        outputs,
        [Stamped { at: Instant::from_us(4_000), what: Output::Transmit { port: T5557::RF, bytes: drawn } }]
    );
}

#[test]
fn the_last_block_and_the_rate_come_from_block_0() {
    for (word, blocks, apart_us) in [
        (0x0014_8020, vec![0x1111_1111, 0x1111_1111, 0x1111_1111], 16_384),
        (0x0014_8040, vec![0x1111_1111, 0x2222_2222, 0x1111_1111], 16_384),
        (0x0014_8000, vec![0x0014_8000, 0x0014_8000, 0x0014_8000], 16_384),
    ] {
        let mut contents = CONTENTS;
        contents[0] = word;
        let mut lone = Lone::new(tag_config(), contents);
        lone.field(true);
        let (sent, _) = lone.run(4_000 + 2 * apart_us);
        let expected: Vec<_> = (0..).map(|nth| 4_000 + nth * apart_us).zip(blocks).collect();
        assert_eq!(sent, expected, "{word:08x}");
    }
    let mut contents = CONTENTS;
    contents[0] = 0x0008_80C0;
    let mut lone = Lone::new(tag_config(), contents);
    lone.field(true);
    lone.now = 4_000;
    let outputs = lone.input(Input::Deadline);
    let Output::Transmit { bytes, .. } = &outputs[0].what else { panic!("{outputs:?}") };
    assert_eq!(decode_block(bytes, 16, 0), Ok(0x1111_1111));
    assert_eq!(lone.tag.poll_timeout(), Some(Instant::from_us(4_000 + 8_192)));
    contents[0] = 0x0015_00C0;
    let mut mute = Lone::new(tag_config(), contents);
    mute.field(true);
    assert_eq!(mute.run(1_000_000), (vec![], vec![]));
}

#[test]
fn a_good_write_is_programmed_and_then_repeated() {
    let mut lone = Lone::reading(CONTENTS);
    lone.now = 30_000;
    assert!(lone.burst(&write(3, 0x0000_09C4)).is_empty());
    assert_eq!(lone.tag.timer_name(), Some("card-command-end"));
    assert_eq!(lone.run(30_511), (vec![], vec![]));
    assert_eq!(lone.tag.poll_step(), None);
    assert_eq!(lone.run(30_512), (vec![], vec![]));
    let steps: Vec<StoreStep> = std::iter::from_fn(|| lone.tag.poll_step()).collect();
    let step = |us| StoreStep { at: Instant::from_us(us), kind: "card-block", address: 3 };
    assert_eq!(steps, [step(30_512), step(33_312), step(36_112)]);
    assert_eq!(lone.run(36_111), (vec![], vec![]));
    assert_eq!(lone.tag.blocks()[3], 0x0000_04E2);
    let (sent, events) = lone.run(36_112 + 16_384);
    assert_eq!(sent, [(36_112, 0x0000_09C4), (36_112 + 16_384, 0x0000_09C4)]);
    assert_eq!(events, [CardEvent::Programmed { block: 3, old: 0x0000_04E2, new: 0x0000_09C4 }]);
    assert_eq!(lone.tag.blocks()[3], 0x0000_09C4);
    assert!(!lone.tag.locked()[3]);
    lone.field(false);
    lone.field(true);
    let (sent, _) = lone.run(36_112 + 16_384 + 3_000);
    assert_eq!(sent, [(36_112 + 16_384 + 3_000, 0x1111_1111)]);
}

#[test]
fn a_refused_burst_is_silent_and_block_1_follows() {
    let good = write(3, 0x0000_09C4);
    let mut wide = good.clone();
    wide[1] = 64;
    for (bytes, why) in [
        (&good[..75], Refusal::BitCount),
        (&wide[..], Refusal::BitLength),
        (&burst(Command::Write { block: 3, data: 1, lock: false }, Some(0x5EC2_E701)), Refusal::BitCount),
        (&[9], Refusal::StartGap),
        (&[10], Refusal::BitCount),
    ] {
        let mut lone = Lone::reading(CONTENTS);
        lone.run(25_000);
        lone.now = 30_000;
        assert!(lone.burst(bytes).is_empty());
        let (sent, events) = lone.run(30_512 + 16_384);
        assert_eq!(sent, [(30_512, 0x1111_1111), (30_512 + 16_384, 0x2222_2222)], "{why}");
        assert_eq!(events, [CardEvent::Rejected { why }]);
        assert_eq!(lone.tag.blocks()[..8], CONTENTS);
        assert_eq!(lone.tag.poll_step(), None);
    }
}

#[test]
fn a_stretch_of_field_after_the_last_gap_counts_as_silence() {
    for (trailing, end) in [(1, 30_504), (63, 30_008), (64, 30_000), (255, 30_000)] {
        let mut lone = Lone::reading(CONTENTS);
        lone.now = 30_000;
        let mut bytes = write(3, 0x0000_09C4);
        bytes.push(trailing);
        lone.burst(&bytes);
        assert_eq!(lone.tag.poll_timeout(), Some(Instant::from_us(end)), "{trailing}");
        lone.run(40_000);
        assert_eq!(lone.tag.blocks()[3], 0x0000_09C4);
    }
}

#[test]
fn a_locked_block_stays_and_what_follows_is_a_matter_of_make() {
    for (locked_answer, follows) in
        [(LockedAnswer::AllBlocks, 0x1111_1111), (LockedAnswer::ThatBlock, 0x0000_09C4)]
    {
        let mut lone = Lone::new(TagConfig { locked_answer, ..tag_config() }, CONTENTS);
        lone.field(true);
        lone.run(10_000);
        lone.burst(&burst(Command::Write { block: 3, data: 0x0000_09C4, lock: true }, None));
        lone.run(20_000);
        assert!(lone.tag.locked()[3]);
        lone.burst(&write(3, 0x0000_1111));
        let (sent, events) = lone.run(20_512);
        assert_eq!(events, [CardEvent::Rejected { why: Refusal::Locked }]);
        assert_eq!(sent, [(20_512, follows)]);
        assert_eq!(lone.tag.blocks()[3], 0x0000_09C4);
    }
}

#[test]
fn the_password_guards_every_write_and_never_shows() {
    let mut contents = CONTENTS;
    contents[0] = 0x0014_80D0;
    let command = Command::Write { block: 3, data: 0x0000_09C4, lock: false };
    for (password, refused) in [
        (Some(0x5EC2_E701), None),
        (Some(0x5EC2_E700), Some(Refusal::Password)),
        (Some(0xDEC2_E701), Some(Refusal::Password)),
        (None, Some(Refusal::Password)),
    ] {
        let mut lone = Lone::reading(contents);
        lone.now = 30_000;
        lone.burst(&burst(command, password));
        let (sent, events) = lone.run(30_000 + 8 * 16_384);
        match refused {
            None => {
                assert_eq!(lone.tag.blocks()[3], 0x0000_09C4);
                assert_eq!(sent[0], (36_112, 0x0000_09C4));
            }
            Some(why) => {
                assert_eq!(events, [CardEvent::Rejected { why }]);
                assert_eq!(sent[0], (30_512, 0x1111_1111));
                assert_eq!(lone.tag.blocks()[..8], contents);
            }
        }
        assert!(sent.iter().all(|(_, data)| *data != 0x5EC2_E701));
    }
}

#[test]
fn reading_commands_and_reset() {
    let mut lone = Lone::reading(CONTENTS);
    lone.now = 30_000;
    lone.burst(&burst(Command::ReadBlock { block: 7 }, None));
    assert_eq!(lone.run(47_000).0, [(30_512, 0x5EC2_E701), (46_896, 0x5EC2_E701)]);
    lone.burst(&burst(Command::ReadAll, None));
    assert_eq!(lone.run(48_000).0, [(47_512, 0x1111_1111)]);
    lone.burst(&burst(Command::Reset, None));
    assert_eq!(lone.run(51_511).0, []);
    assert_eq!(lone.run(51_512).0, [(51_512, 0x1111_1111)]);
}

#[test]
fn a_busy_tag_is_deaf() {
    let mut lone = Lone::new(tag_config(), CONTENTS);
    assert!(lone.burst(&write(3, 1)).is_empty(), "no field, no card");
    lone.field(true);
    let rejected = |lone: &Lone, why| {
        vec![Stamped { at: Instant::from_us(lone.now), what: Output::Event(CardEvent::Rejected { why }) }]
    };
    assert_eq!(lone.burst(&write(3, 1)), rejected(&lone, Refusal::Busy));
    lone.run(10_000);
    lone.burst(&write(3, 1));
    lone.now = 10_100;
    assert_eq!(lone.burst(&write(3, 2)), rejected(&lone, Refusal::Interrupted));
    lone.run(12_000);
    assert_eq!(lone.tag.timer_name(), Some("card-program"));
    assert_eq!(lone.burst(&write(3, 3)), rejected(&lone, Refusal::Busy));
    lone.run(20_000);
    assert_eq!(lone.tag.blocks()[3], 2);
}

#[test]
fn a_burst_cut_short_anywhere_writes_nothing() {
    let whole = write(3, 0x0000_09C4);
    for len in 0..whole.len() {
        // The card is pulled away, and once it is only the pulses that end.
        for pulled in [true, false] {
            let mut lone = Lone::reading(CONTENTS);
            lone.burst(&whole[..len]);
            if pulled {
                assert!(lone.field(false).is_empty());
                lone.now += 1_000;
                lone.field(true);
            }
            lone.run(100_000);
            assert_eq!(lone.tag.blocks()[..8], CONTENTS, "{len} bytes");
        }
    }
}

#[test]
fn a_card_pulled_away_is_left_old_new_or_neither() {
    let neither = 0x5A5A_01E6;
    // The command ends at 30,512 and programming 5,600 µs later. What the field's end leaves at each time:
    for (at, begun, done) in [
        (30_000, false, false),
        (30_511, false, false),
        (30_512, true, false),
        (33_312, true, false),
        (36_111, true, false),
        (36_112, true, true),
        (40_000, true, true),
    ] {
        for (torn, left) in [(Torn::Old, 0x0000_04E2), (Torn::New, 0x0000_09C4), (Torn::Neither, neither)] {
            for by_level in [true, false] {
                let mut lone = Lone::reading(CONTENTS);
                lone.now = 30_000;
                lone.burst(&burst(Command::Write { block: 3, data: 0x0000_09C4, lock: true }, None));
                lone.run(at);
                let events: Vec<CardEvent> = if by_level {
                    lone.tag.set_torn(torn);
                    lone.field(false)
                } else {
                    lone.tag.cut(Instant::from_us(at), torn);
                    std::iter::from_fn(|| lone.tag.poll_output()).collect()
                }
                .into_iter()
                .map(|output| match output.what {
                    Output::Event(event) => event,
                    other => panic!("{other:?}"),
                })
                .collect();
                let (expected, locked) = match (begun, done) {
                    (false, _) => (0x0000_04E2, false),
                    (true, false) => (left, torn == Torn::New),
                    (true, true) => (0x0000_09C4, true),
                };
                assert_eq!(lone.tag.blocks()[3], expected, "{at} {torn:?}");
                assert_eq!(lone.tag.locked()[3], locked, "{at} {torn:?}");
                let torn_event = CardEvent::Torn { block: 3, old: 0x0000_04E2, new: 0x0000_09C4, left };
                assert_eq!(events == [torn_event], begun && !done, "{at} {torn:?}");
                assert!(!lone.tag.is_on());
                assert_eq!(lone.tag.poll_timeout(), None);
                assert_eq!(lone.tag.blocks()[4..8], CONTENTS[4..]);
            }
        }
    }
}

#[test]
fn a_cut_at_the_end_of_programming_finds_it_done() {
    let mut lone = Lone::reading(CONTENTS);
    lone.now = 30_000;
    lone.burst(&write(3, 0x0000_09C4));
    lone.run(36_111);
    lone.tag.cut(Instant::from_us(36_112), Torn::Old);
    assert_eq!(lone.tag.blocks()[3], 0x0000_09C4);
}

#[test]
fn the_digest_knows_states_apart_and_not_their_times() {
    let take = |lone: &Lone| {
        let now = Instant::from_us(lone.now);
        let mut digest = Digest::new(now);
        lone.tag.digest(now, &mut digest);
        digest.finish()
    };
    let mut seen = Vec::new();
    let mut early = Lone::new(tag_config(), CONTENTS);
    let mut late = Lone::new(tag_config(), CONTENTS);
    late.now += 777;
    for step in 0..7 {
        for lone in [&mut early, &mut late] {
            let now = lone.now;
            match step {
                0 => {}
                1 => drop(lone.field(true)),
                2 => drop(lone.run(now + 3_000)),
                3 => drop(lone.burst(&write(3, 1))),
                4 => {
                    lone.run(now + 512);
                    while lone.tag.poll_step().is_some() {}
                }
                5 => drop(lone.run(now + 5_600)),
                _ => drop(lone.run(now + 1)),
            }
        }
        assert_eq!(take(&early), take(&late), "{step}");
        assert!(!seen.contains(&take(&early)), "{step}");
        seen.push(take(&early));
    }
    let fork = early.tag.clone();
    early.field(false);
    assert_ne!(take(&early), seen[6]);
    early.tag = fork;
    assert_eq!(take(&early), seen[6]);
}

#[test]
fn events_read_as_sentences() {
    let events = [
        CardEvent::Programmed { block: 3, old: 1_250, new: 2_500 },
        CardEvent::Torn { block: 4, old: 1, new: 2, left: 3 },
        CardEvent::Rejected { why: Refusal::Password },
    ];
    assert_eq!(
        events.map(|event| event.to_string()),
        [
            "block 3 000004e2 -> 000009c4",
            "block 4 torn 00000001 -> 00000002, left 00000003",
            "burst refused: wrong password"
        ]
    );
}
