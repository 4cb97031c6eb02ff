//! Cards pulled away in the middle, put back, and exchanged.

use super::*;

/// A card that has been read and whose block 3 is being written from now on.
fn writing<'a>() -> Air<'a> {
    let mut air = Air::new(CARD);
    air.read().unwrap();
    air.begin_write(3, 0x0000_09C4);
    air
}

/// Every instant worth a removal: each border of the burst and its neighbours, and steps through all that follows.
fn instants() -> Vec<u64> {
    let air = writing();
    let (began, burst) = air.to_card.as_ref().unwrap();
    let mut borders = vec![0];
    for len in 1..=burst.len() {
        let border = burst_time(&burst[..len]).as_us();
        borders.extend([border - 1, border, border + 1]);
    }
    assert_eq!(*began, air.now);
    let end = burst_time(burst).as_us();
    borders.extend([511, 512, 513, 3_312, 6_111, 6_112, 6_113, 20_000, 38_879].map(|after| end + after));
    borders
}

/// How block 3 is left when the card goes this long after the first pulse.
fn left_at(after_us: u64, torn: Torn) -> u32 {
    // 38 bits: 10, 0, thirty-two with five ones, 011: eight ones in all.
    let end = 8 * (30 + 38 * 20 + 54 * 8 + 24 * 30);
    if after_us < end + 512 {
        0x0000_04E2
    } else if after_us >= end + 512 + 5_600 {
        0x0000_09C4
    } else {
        match torn {
            Torn::Old => 0x0000_04E2,
            Torn::New => 0x0000_09C4,
            Torn::Neither => 0x5A5A_01E6,
        }
    }
}

#[test]
fn a_card_that_stays_away_is_reported_without_a_read_back() {
    for after_us in instants() {
        for torn in Torn::ALL {
            let mut air = writing();
            air.tag.as_mut().unwrap().set_torn(torn);
            let began = air.now;
            air.run_until(began + Span::us(after_us));
            let tag = air.remove().unwrap();
            assert_eq!(tag.blocks()[3], left_at(after_us, torn), "{after_us} {torn:?}");
            assert_eq!(tag.blocks()[4..8], CARD[4..]);
            let outcome = WriteOutcome::NoReadBack;
            assert_eq!(air.report(), ReaderOutput::Written { block: 3, begun: true, outcome });
            // The burst, the read-back's time, and three attempts with their resets.
            assert!(air.now.since(began) <= Span::ms(16 + 1 + 60 + 3 * 260));
            assert_eq!(air.write(3, 0x0000_09C4), (false, outcome), "it must be read first");
        }
    }
}

#[test]
fn a_card_that_is_put_back_at_once_is_brought_to_the_value() {
    for after_us in instants() {
        for torn in Torn::ALL {
            let mut air = writing();
            air.tag.as_mut().unwrap().set_torn(torn);
            air.run_until(air.now + Span::us(after_us));
            let tag = air.remove().unwrap();
            air.run_until(air.now + Span::ms(40));
            air.present(tag);
            let outcome = WriteOutcome::Verified;
            assert_eq!(air.report(), ReaderOutput::Written { block: 3, begun: true, outcome });
            assert_eq!(air.blocks()[2], 0x0000_09C4);
        }
    }
}

#[test]
fn another_card_is_never_written() {
    let mut other = CARD;
    other[2] = 0x7901_0203;
    for after_us in instants() {
        let mut air = writing();
        air.run_until(air.now + Span::us(after_us));
        air.remove();
        air.run_until(air.now + Span::us(1));
        air.present(T5557::issue(tag_config(), other));
        let outcome = WriteOutcome::NoReadBack;
        assert_eq!(air.report(), ReaderOutput::Written { block: 3, begun: true, outcome }, "{after_us}");
        assert_eq!(air.blocks(), shown(other));
    }
}

#[test]
fn a_value_that_is_neither_is_reported_when_it_stays() {
    // The second burst is cut short, so that nothing can help.
    let mut air = Air::new(CARD).spoiled_bursts(|nth, burst| {
        if nth == 1 {
            burst.truncate(10);
        }
    });
    air.read().unwrap();
    air.begin_write(3, 0x0000_09C4);
    let (_, burst) = air.to_card.clone().unwrap();
    air.run_until(air.now + burst_time(&burst) + Span::us(1_000));
    let tag = air.remove().unwrap();
    air.present(tag);
    let outcome = WriteOutcome::ReadBack(0x5A5A_01E6);
    assert_eq!(air.report(), ReaderOutput::Written { block: 3, begun: true, outcome });
    assert_eq!(air.bursts, 2);
    assert_eq!(air.write(3, 0x0000_09C4), (true, WriteOutcome::Verified));
}

#[test]
fn a_card_pulled_away_at_any_time_of_a_reading_gives_none() {
    for after_us in (0..199_608).step_by(1_337).chain([199_607]) {
        let mut air = Air::new(CARD);
        air.reader.read_card(air.now);
        air.drain();
        air.run_until(air.now + Span::us(after_us));
        air.remove();
        let why = if after_us < 3_256 { ReadFailure::Silent } else { ReadFailure::Unreadable };
        assert_eq!(air.report(), ReaderOutput::Read(Err(why)), "{after_us}");
    }
}
