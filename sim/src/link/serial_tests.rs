//! The line, with literal times: a millisecond a byte.

use super::*;

fn line() -> Serial {
    Serial::new(SerialConfig { baud: 10_000, bits_a_byte: 10, byte_gap: Span::ZERO, burst_gap: Span::ZERO })
}

fn arrivals(line: &mut Serial, until: Instant) -> Vec<(u64, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(Delivery { at, what: Arrival::Bytes(bytes), .. }) = line.pending.poll(until) {
        all.push((at.as_us(), bytes));
    }
    all
}

const LATE: Instant = Instant::from_us(1_000_000);

#[test]
fn bursts_follow_one_another_at_the_speed_of_the_line() {
    let mut line = line();
    line.handle_bytes(Instant::from_us(500), Way::AtoB, vec![1, 2], None);
    line.handle_bytes(Instant::from_us(500), Way::AtoB, vec![3], None);
    line.handle_bytes(Instant::from_us(500), Way::BtoA, vec![4], None);
    assert_eq!(arrivals(&mut line, Instant::from_us(1_499)), vec![]);
    assert_eq!(arrivals(&mut line, LATE), vec![(1_500, vec![4]), (2_500, vec![1, 2]), (3_500, vec![3])]);
}

#[test]
fn each_fate_does_what_its_name_says() {
    let sent = vec![0x10, 0x20, 0x30];
    for (fate, arrived) in [
        (Fate::FlipBit { bit: 8 }, vec![(3_000, vec![0x10, 0xA0, 0x30])]),
        (Fate::LoseByte { at: 1 }, vec![(3_000, vec![0x10, 0x30])]),
        (Fate::JunkByte { at: 3, value: 7 }, vec![(3_000, vec![0x10, 0x20, 0x30, 7])]),
        (Fate::Break { at: 1 }, vec![(3_000, vec![0x10, 0])]),
        (Fate::Overrun { from: 2 }, vec![(3_000, vec![0x10, 0x20])]),
        (Fate::Overrun { from: 0 }, vec![]),
        (Fate::Split { at: 1, gap: Span::ms(5) }, vec![(1_000, vec![0x10]), (8_000, vec![0x20, 0x30])]),
        (Fate::Join { within: Span::ms(5) }, vec![(8_000, vec![0x10, 0x20, 0x30])]),
    ] {
        let mut line = line();
        line.handle_bytes(Instant::ZERO, Way::AtoB, sent.clone(), Some(&fate));
        assert_eq!(arrivals(&mut line, LATE), arrived, "{fate}");
    }
}

#[test]
fn a_joined_burst_arrives_once_with_its_successor() {
    let mut line = line();
    line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1], Some(&Fate::Join { within: Span::ms(5) }));
    line.handle_bytes(Instant::from_us(2_000), Way::AtoB, vec![2], None);
    assert_eq!(arrivals(&mut line, LATE), vec![(3_000, vec![1, 2])]);
}

#[test]
fn power_lost_in_a_burst_leaves_its_whole_bytes() {
    for (cut_us, arrived) in
        [(999, vec![]), (1_000, vec![(1_000, vec![1])]), (2_999, vec![(2_999, vec![1, 2])])]
    {
        let mut line = line();
        line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2, 3], None);
        line.handle_bytes(Instant::ZERO, Way::AtoB, vec![4], None);
        line.handle_end_lost(Instant::from_us(cut_us), Way::AtoB);
        assert_eq!(arrivals(&mut line, LATE), arrived);
    }
}

#[test]
fn a_cut_in_the_second_of_two_joined_bursts_leaves_the_first_whole() {
    let mut line = line();
    line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2], Some(&Fate::Join { within: Span::ms(5) }));
    line.handle_bytes(Instant::from_us(4_000), Way::AtoB, vec![3, 4, 5], None);
    line.handle_end_lost(Instant::from_us(5_000), Way::AtoB);
    assert_eq!(arrivals(&mut line, LATE), vec![(5_000, vec![1, 2, 3])]);
}

#[test]
fn a_fate_strikes_the_second_of_two_joined_bursts_and_not_the_first() {
    for (fate, arrived) in [
        (Fate::LoseByte { at: 0 }, vec![(5_000, vec![1, 2, 4])]),
        (Fate::Split { at: 1, gap: Span::ms(2) }, vec![(4_000, vec![1, 2, 3]), (7_000, vec![4])]),
    ] {
        let mut line = line();
        line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2], Some(&Fate::Join { within: Span::ms(5) }));
        line.handle_bytes(Instant::from_us(3_000), Way::AtoB, vec![3, 4], Some(&fate));
        assert_eq!(arrivals(&mut line, LATE), arrived, "{fate}");
    }
}

#[test]
fn a_cut_in_the_silence_of_a_split_burst_takes_its_second_piece() {
    let mut line = line();
    let fate = Fate::Split { at: 1, gap: Span::ms(5) };
    line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2, 3], Some(&fate));
    line.handle_end_lost(Instant::from_us(6_000), Way::AtoB);
    assert_eq!(arrivals(&mut line, LATE), vec![(1_000, vec![1])]);
}

#[test]
fn an_outage_takes_what_crosses_meanwhile_and_nothing_else() {
    let mut line = line();
    line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2, 3, 4], Some(&Fate::Join { within: Span::ms(90) }));
    line.handle_bytes(Instant::ZERO, Way::BtoA, vec![5, 6, 7, 8], None);
    line.handle_bytes(Instant::ZERO, Way::BtoA, vec![9; 6], None);
    line.handle_bytes(Instant::ZERO, Way::BtoA, vec![10], None);
    // Down from 2.5 ms to 10 ms: the first pair is broken off, the third burst begins at 4 ms, the fourth at 10 ms.
    line.handle_outage(Instant::from_us(2_500), Span::us(7_500));
    line.handle_bytes(Instant::from_us(12_000), Way::AtoB, vec![11], None);
    let mut arrived = arrivals(&mut line, LATE);
    arrived.sort();
    assert_eq!(
        arrived,
        vec![(2_500, vec![1, 2]), (2_500, vec![5, 6]), (11_000, vec![10]), (13_000, vec![11])]
    );
}

#[test]
fn an_end_that_comes_back_in_a_burst_hears_the_next() {
    let mut line = line();
    line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2, 3], None);
    line.handle_bytes(Instant::ZERO, Way::AtoB, vec![4], None);
    line.handle_end_lost(Instant::from_us(500), Way::BtoA);
    line.handle_end_back(Instant::from_us(1_500), Way::BtoA);
    assert_eq!(arrivals(&mut line, LATE), vec![(4_000, vec![4])]);
}

#[test]
fn the_silence_between_bursts_is_not_part_of_one() {
    let mut line = Serial::new(SerialConfig { burst_gap: Span::ms(7), ..line().config });
    line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2], None);
    assert_eq!((line.sent_at(Way::AtoB).as_us(), line.free_at(Way::AtoB).as_us()), (2_000, 9_000));
    line.handle_bytes(Instant::ZERO, Way::AtoB, vec![], None);
    assert_eq!(line.free_at(Way::AtoB).as_us(), 9_000);
}
