//! The path for connections, with literal times.

use super::*;
use crate::seed::Seed;

const LATE: Instant = Instant::from_us(10_000_000_000);

fn path() -> Stream {
    let config = StreamConfig {
        latency_min: Span::ms(100),
        latency_max: Span::ms(100),
        connect_timeout: Span::s(20),
        user_timeout: Span::s(600),
    };
    Stream::new(config, Seed(1), "test")
}

fn connected() -> Stream {
    let mut path = path();
    path.handle_open(Instant::ZERO, 1, true, None);
    assert_eq!(all(&mut path), vec![(100, Way::AtoB, Arrival::Opened), (200, Way::BtoA, Arrival::Opened)]);
    path
}

fn all(path: &mut Stream) -> Vec<(u64, Way, Arrival)> {
    std::iter::from_fn(|| path.poll(LATE))
        .map(|delivery| (delivery.at.as_us() / 1_000, delivery.way, delivery.what))
        .collect()
}

fn ms(ms: u64) -> Instant {
    Instant::ZERO + Span::ms(ms)
}

#[test]
fn bytes_arrive_and_are_acknowledged() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1, 2], None);
    assert_eq!(
        all(&mut path),
        vec![(400, Way::AtoB, Arrival::Bytes(vec![1, 2])), (500, Way::BtoA, Arrival::Acked(2))]
    );
}

#[test]
fn a_delayed_piece_holds_back_what_follows() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], Some(&Fate::Delay { by: Span::s(5) }));
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![2], None);
    let bytes: Vec<_> = all(&mut path).into_iter().filter(|(_, way, _)| *way == Way::AtoB).collect();
    assert_eq!(
        bytes,
        vec![(5_400, Way::AtoB, Arrival::Bytes(vec![1])), (5_400, Way::AtoB, Arrival::Bytes(vec![2]))]
    );
}

#[test]
fn an_outage_holds_bytes_and_delivers_them_in_order() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], None);
    path.handle_outage(ms(350), Span::s(10));
    path.handle_bytes(ms(1_000), Way::AtoB, 1, vec![2], None);
    let bytes: Vec<_> = all(&mut path).into_iter().filter(|(_, way, _)| *way == Way::AtoB).collect();
    assert_eq!(
        bytes,
        vec![(10_350, Way::AtoB, Arrival::Bytes(vec![1])), (10_450, Way::AtoB, Arrival::Bytes(vec![2]))]
    );
}

#[test]
fn connecting_is_refused_times_out_or_waits_for_the_outage() {
    let mut path = path();
    path.handle_open(Instant::ZERO, 1, false, None);
    path.handle_open(Instant::ZERO, 2, true, Some(&Fate::HalfOpen));
    path.handle_outage(Instant::ZERO, Span::s(30));
    path.handle_open(ms(1_000), 3, true, None);
    path.handle_open(ms(25_000), 4, true, None);
    let closed = |why| Arrival::Closed(why);
    assert_eq!(
        all(&mut path),
        vec![
            // A stack's patience goes on while the path is down.
            (20_000, Way::BtoA, closed(Closing::TimedOut)),
            (20_000, Way::BtoA, closed(Closing::TimedOut)),
            (21_000, Way::BtoA, closed(Closing::TimedOut)),
            (30_100, Way::AtoB, Arrival::Opened),
            (30_200, Way::BtoA, Arrival::Opened),
        ]
    );
}

#[test]
fn a_lost_end_leaves_the_peer_half_open_until_it_sends_to_the_end_that_is_back() {
    let mut path = connected();
    path.handle_end_lost(ms(300), Way::AtoB);
    assert_eq!(all(&mut path), vec![]);
    path.handle_end_back(ms(5_000), Way::AtoB);
    assert_eq!(all(&mut path), vec![]);
    path.handle_bytes(ms(6_000), Way::BtoA, 1, vec![7], None);
    assert_eq!(all(&mut path), vec![(6_200, Way::AtoB, Arrival::Closed(Closing::Reset))]);
}

#[test]
fn bytes_retried_towards_a_lost_end_are_reset_when_it_is_back() {
    let mut path = connected();
    path.handle_end_lost(ms(300), Way::AtoB);
    path.handle_bytes(ms(400), Way::BtoA, 1, vec![7], None);
    path.handle_end_back(ms(5_000), Way::AtoB);
    assert_eq!(all(&mut path), vec![(5_100, Way::AtoB, Arrival::Closed(Closing::Reset))]);
}

#[test]
fn half_open_tells_nobody_until_the_stack_gives_up() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], Some(&Fate::HalfOpen));
    assert_eq!(all(&mut path), vec![(600_300, Way::BtoA, Arrival::Closed(Closing::TimedOut))]);
}

#[test]
fn a_reset_delivers_the_bytes_before_it_to_both_ends_knowledge() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1, 2, 3], Some(&Fate::Reset { at: 2 }));
    assert_eq!(
        all(&mut path),
        vec![
            (400, Way::AtoB, Arrival::Bytes(vec![1, 2])),
            (400, Way::AtoB, Arrival::Closed(Closing::Reset)),
            (500, Way::BtoA, Arrival::Closed(Closing::Reset)),
        ]
    );
}

#[test]
fn a_close_follows_what_was_sent() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], Some(&Fate::Delay { by: Span::s(1) }));
    path.handle_close(ms(300), Way::AtoB, 1, Close::Fin, None);
    assert_eq!(
        all(&mut path),
        vec![(1_400, Way::AtoB, Arrival::Bytes(vec![1])), (1_400, Way::AtoB, Arrival::Closed(Closing::Fin))]
    );
}

fn told(path: &mut Stream, way: Way) -> Vec<(u64, Arrival)> {
    all(path).into_iter().filter(|told| told.1 == way).map(|(at, _, what)| (at, what)).collect()
}

const GIVEN_UP: Arrival = Arrival::Closed(Closing::TimedOut);
const RESET: Arrival = Arrival::Closed(Closing::Reset);

#[test]
fn an_outage_longer_than_the_senders_patience_ends_the_connection() {
    for (span_ms, a, b) in [
        // Sent at 0.3 s, so given up at 600.3 s; the path is back at 600.299 s or at 600.301 s.
        (599_949, vec![(600_299, Arrival::Acked(1))], vec![(600_299, Arrival::Bytes(vec![1]))]),
        (599_951, vec![(600_300, GIVEN_UP)], vec![]),
    ] {
        let mut path = connected();
        path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], None);
        path.handle_outage(ms(350), Span::ms(span_ms));
        assert_eq!((told(&mut path.clone(), Way::BtoA), told(&mut path, Way::AtoB)), (a, b));
    }
}

#[test]
fn who_sends_to_a_stack_that_has_given_up_is_reset() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], None);
    path.handle_outage(ms(350), Span::s(700));
    // While A's stack still tries; it gives up at 600.3 s, and B's bytes come after the outage.
    path.handle_bytes(ms(200_000), Way::BtoA, 1, vec![2], None);
    assert_eq!(told(&mut path.clone(), Way::AtoB), vec![(700_550, RESET)]);
    assert_eq!(told(&mut path, Way::BtoA), vec![(600_300, GIVEN_UP)]);
    assert_eq!(path.conns_len(), 0);
}

#[test]
fn bytes_and_their_acknowledgement_share_their_fate() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::BtoA, 1, vec![1], None);
    path.handle_bytes(ms(350), Way::BtoA, 1, vec![2], None);
    // A closes when the first has arrived and the second has not.
    assert_eq!(path.poll(ms(400)).map(|next| next.what), Some(Arrival::Bytes(vec![1])));
    path.handle_close(ms(420), Way::AtoB, 1, Close::Fin, None);
    assert_eq!(
        all(&mut path),
        vec![(500, Way::AtoB, Arrival::Acked(1)), (520, Way::AtoB, Arrival::Closed(Closing::Fin))]
    );
    assert!(path.holds(Way::BtoA, 1) || path.conns_len() == 0);
}

#[test]
fn bytes_that_cross_a_close_do_not_outrun_it() {
    let mut path = connected();
    path.handle_close(ms(300), Way::AtoB, 1, Close::Fin, None);
    path.handle_bytes(ms(310), Way::BtoA, 1, vec![7], None);
    assert_eq!(all(&mut path), vec![(400, Way::AtoB, Arrival::Closed(Closing::Fin))]);
    path.handle_bytes(ms(450), Way::BtoA, 1, vec![8], None);
    path.handle_close(ms(460), Way::BtoA, 1, Close::Fin, None);
    assert_eq!((all(&mut path), path.conns_len()), (vec![], 0));
}

#[test]
fn a_stack_tells_once_that_it_has_given_up() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], Some(&Fate::HalfOpen));
    path.handle_bytes(ms(900), Way::AtoB, 1, vec![2], None);
    assert_eq!(all(&mut path), vec![(600_300, Way::BtoA, GIVEN_UP)]);
    path.handle_bytes(ms(700_000), Way::AtoB, 1, vec![3], None);
    assert_eq!(all(&mut path), vec![]);
}

#[test]
fn what_is_under_way_when_the_link_goes_half_open_is_missed_by_its_sender() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], None);
    path.handle_close(ms(310), Way::BtoA, 1, Close::Fin, None);
    path.handle_half_open();
    assert_eq!(all(&mut path), vec![(600_300, Way::BtoA, GIVEN_UP)]);

    let mut path = self::path();
    path.handle_open(ms(1_000), 1, true, None);
    path.handle_half_open();
    assert_eq!(all(&mut path), vec![(21_000, Way::BtoA, GIVEN_UP)]);
    assert_eq!(path.conns_len(), 0);
}

#[test]
fn a_request_to_a_listener_without_power_is_repeated_while_patience_lasts() {
    for (back_ms, expected) in [
        (20_800, vec![(20_900, Way::AtoB, Arrival::Opened), (21_000, Way::BtoA, Arrival::Opened)]),
        (20_801, vec![(21_000, Way::BtoA, GIVEN_UP)]),
        (30_000, vec![(21_000, Way::BtoA, GIVEN_UP)]),
    ] {
        // It has lost its power before the request, or while that is under way.
        for lost_ms in [900, 1_050] {
            let mut path = path();
            if lost_ms < 1_000 {
                path.handle_end_lost(ms(lost_ms), Way::BtoA);
            }
            path.handle_open(ms(1_000), 1, true, None);
            if lost_ms > 1_000 {
                path.handle_end_lost(ms(lost_ms), Way::BtoA);
            }
            let early: Vec<_> = std::iter::from_fn(|| path.poll(ms(back_ms))).collect();
            assert_eq!(early.is_empty(), back_ms < 21_000);
            assert_eq!(path.conns_len(), usize::from(back_ms < 21_000));
            path.handle_end_back(ms(back_ms), Way::BtoA);
            let late = all(&mut path).into_iter();
            let early = early.into_iter().map(|next| (next.at.as_us() / 1_000, next.way, next.what));
            assert_eq!(early.chain(late).collect::<Vec<_>>(), expected, "{lost_ms} {back_ms}");
        }
    }
}

#[test]
fn a_listener_hears_nothing_of_a_request_whose_sender_is_gone() {
    let mut path = path();
    path.handle_open(ms(1_000), 1, true, None);
    path.handle_end_lost(ms(1_050), Way::AtoB);
    assert_eq!((all(&mut path), path.conns_len()), (vec![], 0));
    // Once it has heard, it holds half a connection.
    path.handle_end_back(ms(2_000), Way::AtoB);
    path.handle_open(ms(3_000), 2, true, None);
    assert_eq!(path.poll(ms(3_100)).map(|next| next.what), Some(Arrival::Opened));
    path.handle_end_lost(ms(3_150), Way::AtoB);
    assert_eq!(all(&mut path), vec![]);
    assert!(path.is_open(Way::BtoA, 2) && !path.holds(Way::AtoB, 2));
}

#[test]
fn an_outage_with_a_request_under_way_delays_it_or_ends_it() {
    for (span_ms, expected) in [
        (19_950, vec![(21_000, Way::AtoB, Arrival::Opened), (21_000, Way::BtoA, Arrival::Opened)]),
        (19_951, vec![(21_000, Way::BtoA, GIVEN_UP)]),
    ] {
        let mut path = path();
        path.handle_open(ms(1_000), 1, true, None);
        path.handle_outage(ms(1_050), Span::ms(span_ms));
        assert_eq!(all(&mut path), expected);
    }
}

#[test]
fn a_request_that_is_taken_back_is_not_answered() {
    let mut path = path();
    path.handle_open(ms(1_000), 1, false, None);
    path.handle_close(ms(1_050), Way::AtoB, 1, Close::Reset, None);
    path.handle_open(ms(1_000), 2, true, Some(&Fate::HalfOpen));
    path.handle_close(ms(1_050), Way::AtoB, 2, Close::Reset, None);
    assert_eq!((all(&mut path), path.conns_len()), (vec![], 0));
}

#[test]
fn bytes_lost_with_a_receiver_that_stays_away_are_given_up() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::BtoA, 1, vec![7], None);
    path.handle_end_lost(ms(350), Way::AtoB);
    assert_eq!(all(&mut path), vec![(600_300, Way::AtoB, GIVEN_UP)]);
    assert_eq!(path.conns_len(), 0);
}

#[test]
fn an_acknowledgement_that_has_left_a_dying_end_arrives() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::BtoA, 1, vec![7], None);
    assert_eq!(path.poll(ms(400)).map(|next| next.what), Some(Arrival::Bytes(vec![7])));
    path.handle_end_lost(ms(450), Way::AtoB);
    assert_eq!(all(&mut path), vec![(500, Way::AtoB, Arrival::Acked(1))]);
}

#[test]
fn joined_pieces_arrive_as_one_and_a_split_never_gives_an_empty_one() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], Some(&Fate::Join { within: Span::ms(50) }));
    path.handle_bytes(ms(350), Way::AtoB, 1, vec![2], None);
    path.handle_bytes(ms(351), Way::AtoB, 1, vec![3], Some(&Fate::Split { at: 0, gap: Span::ms(9) }));
    assert_eq!(
        told(&mut path, Way::AtoB),
        vec![(450, Arrival::Bytes(vec![1, 2])), (460, Arrival::Bytes(vec![3]))]
    );
}

#[test]
fn an_evicted_connection_is_reset_at_both_ends() {
    let mut path = connected();
    path.handle_evicted(ms(300), 1);
    assert_eq!(all(&mut path), vec![(300, Way::AtoB, RESET), (400, Way::BtoA, RESET)]);
    assert_eq!(path.conns_len(), 0);
}

#[test]
fn nothing_is_sent_before_the_connection_stands() {
    let mut path = path();
    path.handle_open(ms(0), 1, true, None);
    path.handle_bytes(ms(150), Way::AtoB, 1, vec![1], None);
    assert_eq!(all(&mut path).len(), 2);
}

#[test]
fn bytes_held_for_a_stack_that_gives_up_meanwhile_are_answered_by_a_reset() {
    let mut path = connected();
    path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], None);
    path.handle_outage(ms(350), Span::s(500));
    path.handle_bytes(ms(200_000), Way::BtoA, 1, vec![2], None);
    // The path does not come back at 500.35 s after all; A gives up before it does, B would not.
    path.handle_outage(ms(400_000), Span::s(300));
    assert_eq!(all(&mut path), vec![(600_300, Way::BtoA, GIVEN_UP), (700_000, Way::AtoB, RESET)]);
}

#[test]
fn patience_that_ends_in_an_outage_ends_before_what_the_outage_holds() {
    let mut path = connected();
    path.handle_open(ms(300), 2, true, Some(&Fate::HalfOpen));
    path.handle_bytes(ms(20_100), Way::AtoB, 1, vec![1], None);
    path.handle_outage(ms(20_150), Span::s(5));
    let polled = path.poll(ms(20_300)).map(|next| (next.conn, next.at, next.what));
    assert_eq!(polled, Some((2, ms(20_300), GIVEN_UP)));
}

#[test]
fn a_request_that_is_asked_about_stands_or_is_refused_from_its_answer_on() {
    for (accepts, told) in [
        (true, vec![(5_100, Way::AtoB, Arrival::Opened), (5_200, Way::BtoA, Arrival::Opened)]),
        (false, vec![(5_200, Way::BtoA, Arrival::Closed(Closing::Refused))]),
    ] {
        let mut path = path();
        path.handle_asked(Instant::ZERO, 1);
        assert_eq!(path.poll(ms(5_000)), None);
        path.handle_answer(ms(5_000), 1, accepts);
        // A second answer changes nothing.
        path.handle_answer(ms(5_000), 1, !accepts);
        assert_eq!(all(&mut path), told);
    }
    let mut unanswered = path();
    unanswered.handle_asked(Instant::ZERO, 1);
    assert_eq!(all(&mut unanswered), vec![(20_000, Way::BtoA, GIVEN_UP)]);
    let mut withdrawn = path();
    withdrawn.handle_asked(Instant::ZERO, 1);
    withdrawn.handle_close(ms(1_000), Way::AtoB, 1, Close::Fin, None);
    assert!(!withdrawn.knows(1));
    withdrawn.handle_answer(ms(2_000), 1, true);
    assert_eq!(all(&mut withdrawn), vec![]);
}

#[test]
fn a_keep_alive_probe_is_answered_by_a_living_peer_reset_by_one_that_forgot_and_lost_on_a_dead_path() {
    let mut living = connected();
    living.handle_keep_alive(ms(1_000), Way::AtoB, 1);
    assert_eq!(all(&mut living), vec![(1_200, Way::BtoA, Arrival::Acked(0))]);
    let mut forgot = connected();
    forgot.handle_end_lost(ms(300), Way::BtoA);
    forgot.handle_keep_alive(ms(1_000), Way::AtoB, 1);
    assert_eq!(all(&mut forgot), vec![]);
    forgot.handle_end_back(ms(2_000), Way::BtoA);
    forgot.handle_keep_alive(ms(3_000), Way::AtoB, 1);
    assert_eq!(all(&mut forgot), vec![(3_200, Way::BtoA, RESET)]);
    let mut dead = connected();
    dead.handle_half_open();
    dead.handle_keep_alive(ms(1_000), Way::AtoB, 1);
    assert_eq!(all(&mut dead), vec![]);
}
