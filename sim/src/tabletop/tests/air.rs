//! Cards: entering, leaving in the middle of a burst, and losing the field with the reader.

use super::*;

/// A reader with its antenna at port 5 and its card switch at port 6, two cards, and a second reader.
fn field() -> (Layout<Toy>, SeatId, SeatId, SeatId) {
    let mut layout = Layout::new(epoch(), Span::us(500), 9);
    let reader = layout.seat("reader", Party::Puppet(Puppet::default()));
    let other = layout.seat("other", Party::Puppet(Puppet::default()));
    let card = layout.seat("card", Party::Puppet(Puppet::default()));
    let echo = layout.seat("echo", Party::Echo(Echo::default()));
    layout.supply("for-reader", &[reader]);
    layout.air("air", (reader, Port(5)), Some(Port(6)), Port(9), AIR, scanners());
    layout.air("far-air", (other, Port(5)), Some(Port(6)), Port(9), AIR, scanners());
    (layout, reader, card, echo)
}

const NEAR: LineId = LineId(0);
const FAR: LineId = LineId(1);

#[test]
fn a_card_is_seen_and_powered_whether_it_or_the_field_comes_first() {
    let (layout, reader, card, _) = field();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.plug(NEAR, card);
    bench.stimulate(reader, level(5, true));
    bench.run_until(us(10));
    bench.unplug(NEAR, Torn::Old);
    bench.run_until(us(20));
    bench.plug(NEAR, card);
    bench.run_until(us(30));
    assert_eq!(
        notes(&bench, reader)[1..],
        [note(0, "level 6 true"), note(10, "level 6 false"), note(20, "level 6 true")]
    );
    assert_eq!(notes(&bench, card)[1..], [note(0, "level 9 true"), note(20, "level 9 true")]);
}

#[test]
fn a_card_that_leaves_and_its_reader_hear_how_far_the_other_had_got() {
    let (layout, reader, card, _) = field();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.plug(NEAR, card);
    bench.stimulate(reader, say(5, b"wxyz"));
    bench.run_until(us(500));
    bench.stimulate(card, say(9, b"klm"));
    bench.run_until(us(2_700));
    bench.unplug(NEAR, Torn::Old);
    bench.run_until(us(9_000));
    assert_eq!(notes(&bench, card)[1..], [note(2_700, "got 9 wx")]);
    assert_eq!(notes(&bench, reader)[2..], [note(2_700, "got 5 kl"), note(2_700, "level 6 false")]);
    assert_eq!(bench.lines[0].link.sizes(), (0, 0));
}

#[test]
fn what_a_card_would_have_answered_as_it_leaves_is_not_done() {
    let (layout, reader, _, echo) = field();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.plug(NEAR, echo);
    bench.stimulate(reader, say(5, b"q1\nx"));
    bench.run_until(us(3_500));
    bench.unplug(NEAR, Torn::Old);
    bench.run_until(us(50_000));
    assert!(matches!(bench.party(echo), Party::Echo(Echo { records: 0, .. })));
    assert_eq!(sites(&bench), [(0, "air> ask #1".to_owned())]);
    assert_eq!(notes(&bench, reader)[2..], [note(3_500, "level 6 false")]);
}

#[test]
fn a_strike_pulls_the_card_in_the_middle_of_a_burst() {
    let (layout, reader, card, _) = field();
    let pull = Mishap::RemoveCard { link: "air".to_owned(), torn: Torn::Old };
    let mut bench = bench(layout, &plan([mishap("air> part #1", Moment::Midway, pull)]));
    bench.plug(NEAR, card);
    bench.stimulate(reader, say(5, b"wxyz"));
    bench.run_until(us(9_000));
    assert_eq!(notes(&bench, card)[1..], [note(2_000, "got 9 wx")]);
    assert_eq!((bench.plugged(NEAR), strikes(&bench)), (None, vec![(2_000, 0)]));
}

#[test]
fn a_reader_that_loses_its_power_takes_the_field_with_it() {
    let (layout, reader, card, _) = field();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.plug(NEAR, card);
    bench.stimulate(reader, level(5, true));
    bench.stimulate(reader, say(5, b"wxyz"));
    bench.stimulate(card, say(9, b"klm"));
    bench.run_until(us(1_100));
    bench.cut(SupplyId(0), Torn::Old);
    bench.restore(SupplyId(0));
    bench.run_until(us(9_000));
    assert_eq!(notes(&bench, card)[1..], [note(0, "level 9 true"), note(1_100, "got 9 w")]);
    assert!(matches!(bench.party(card), Party::Puppet(Puppet { cuts: 1, .. })));
    assert_eq!(notes(&bench, reader)[2..], [note(1_100, "on"), note(1_100, "level 6 true")]);
}

#[test]
fn a_card_is_in_one_field_at_a_time() {
    let (layout, _, card, echo) = field();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.plug(NEAR, card);
    bench.plug(FAR, card);
    assert_eq!((bench.plugged(NEAR), bench.plugged(FAR)), (None, Some(card)));
    bench.plug(FAR, echo);
    assert_eq!((bench.plugged(NEAR), bench.plugged(FAR)), (None, Some(echo)));
    assert!(bench.seats[2].routes.is_empty());
}

#[test]
fn a_card_is_not_heard_after_it_has_left() {
    for pulled in [true, false] {
        let (layout, reader, card, _) = field();
        let mut bench = bench(layout, &FaultPlan::default());
        bench.plug(NEAR, card);
        bench.stimulate(card, Cue::Answer(b"k"));
        bench.stimulate(reader, say(5, b"wxyz"));
        bench.run_until(us(1_000));
        if pulled {
            bench.unplug(NEAR, Torn::Old);
        }
        bench.run_until(us(9_000));
        assert_eq!(notes(&bench, card).len(), 2);
        let heard = notes(&bench, reader).contains(&note(5_000, "got 5 k"));
        assert_eq!((heard, notes(&bench, reader).len()), (!pulled, 3));
    }
}

#[test]
fn a_card_that_is_pulled_while_it_is_being_pulled_leaves_once() {
    let (layout, reader, card, _) = field();
    let pull = Mishap::RemoveCard { link: "air".to_owned(), torn: Torn::Old };
    let mut bench = bench(layout, &plan([mishap("air< part #1", Moment::Before, pull)]));
    bench.plug(NEAR, card);
    bench.stimulate(card, Cue::Answer(b"k"));
    bench.stimulate(reader, say(5, b"wxyz"));
    bench.run_until(us(1_000));
    bench.unplug(NEAR, Torn::Old);
    bench.run_until(us(9_000));
    assert_eq!(strikes(&bench), [(1_000, 0)]);
    assert_eq!(notes(&bench, reader)[2..], [note(1_000, "level 6 false")]);
    assert!(matches!(bench.party(card), Party::Puppet(Puppet { cuts: 1, .. })));
}

#[test]
fn what_the_loss_of_the_field_did_to_a_card_is_noted_and_nothing_is_sent() {
    let (layout, reader, card, _) = field();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.plug(NEAR, card);
    bench.stimulate(reader, level(5, true));
    bench.stimulate(card, say(9, b"k"));
    bench.stimulate(card, Cue::Last("torn", b"lm"));
    // An answer that is not due yet is lost with the field.
    bench.run_until(us(2_000));
    bench.stimulate(card, say_in(5_000, 9, b"n"));
    bench.run_until(us(3_000));
    bench.unplug(NEAR, Torn::Old);
    bench.run_until(us(9_000));
    assert_eq!(notes(&bench, card)[1..], [note(0, "level 9 true"), note(3_000, "torn")]);
    assert_eq!(notes(&bench, reader)[2..], [note(1_000, "got 5 k"), note(3_000, "level 6 false")]);
}
