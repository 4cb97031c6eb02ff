//! The drive with the real clock paused: tokio moves it on when there is nothing else to do, so times are exact.

use std::time::Duration;

use assay_sim::drive::{Drive, DriveConfig, DriveError, Late};
use assay_sim::fault::{Fate, FaultPlan, Way};
use assay_sim::machine::Torn;
use assay_sim::tabletop::Tabletop;
use assay_sim::time::{Instant, Span};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::time::advance;

use crate::toy::{self, ROUNDS, SPARE, SUPPLIES, Toy, WIRE, bench, game, heard, sent};

const CONFIG: DriveConfig = DriveConfig { read_max: 64, unsent_max: 64 };
const A: [u8; 3] = [b':', b'a', 0x9E];

fn paused<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(test)
}

fn ms(ms: u64) -> Instant {
    Instant::from_us(ms * 1_000)
}

/// A drive whose wire is a pipe that holds so many bytes each way.
fn piped(bench: &Tabletop<Toy>, config: DriveConfig, pipe: usize) -> Drive<DuplexStream> {
    let mut drive = Drive::new(config);
    let (a, b) = duplex(pipe);
    drive.carry(bench, WIRE, a, b).unwrap();
    drive
}

async fn run(
    drive: &mut Drive<DuplexStream>,
    bench: &mut Tabletop<Toy>,
    until: Instant,
) -> Result<(), DriveError> {
    while drive.step(bench, until).await? {}
    assert_eq!(bench.now(), until);
    Ok(())
}

#[test]
fn a_carried_line_gives_the_tape_of_a_line_inside() {
    for plan in [
        FaultPlan::default(),
        toy::plan("wire> letter #3", Fate::LoseByte { at: 1 }),
        toy::plan("wire< letter #2", Fate::FlipBit { bit: 12 }),
        toy::plan("wire> letter #1", Fate::Split { at: 1, gap: Span::ms(20) }),
    ] {
        let mut inside = bench(10_000, &[], &plan);
        inside.run_until(ms(2_000));
        let mut led_out = bench(10_000, &[WIRE], &plan);
        paused(async {
            let mut drive = piped(&led_out, CONFIG, 64);
            run(&mut drive, &mut led_out, ms(2_000)).await.unwrap();
            assert_eq!(drive.worst_lag(), Span::ZERO);
        });
        assert!(toy::is_over(&inside));
        let tape = |bench: &Tabletop<Toy>| bench.tape().entries().cloned().collect::<Vec<_>>();
        assert_eq!(tape(&led_out), tape(&inside));
    }
}

#[test]
fn fates_strike_before_the_port() {
    let mut flipped = bench(10_000, &[WIRE], &toy::plan("wire> letter #1", Fate::FlipBit { bit: 8 }));
    let gap = Span::ms(20);
    let mut split = bench(10_000, &[WIRE], &toy::plan("wire> letter #1", Fate::Split { at: 1, gap }));
    paused(async {
        run(&mut piped(&flipped, CONFIG, 64), &mut flipped, ms(100)).await.unwrap();
        run(&mut piped(&split, CONFIG, 64), &mut split, ms(30)).await.unwrap();
    });
    assert_eq!(heard(&flipped, Way::AtoB), [(ms(3), vec![b':', 0xE1, 0x9E])]);
    assert_eq!(sent(&flipped), [(ms(0), Way::AtoB, A.to_vec())]);
    assert_eq!(heard(&split, Way::AtoB)[..2], [(ms(1), vec![b':']), (ms(23), vec![b'a', 0x9E])]);
}

#[test]
fn bench_time_is_never_ahead_of_the_real_clock_and_at_most_a_tick_behind() {
    paused(async {
        let mut bench = bench(115_200, &[WIRE], &toy::plan("wire< letter #2", Fate::Overrun { from: 0 }));
        let mut drive = piped(&bench, CONFIG, 64);
        let start = tokio::time::Instant::now();
        while drive.step(&mut bench, ms(1_500)).await.unwrap() {
            assert!(u128::from(bench.now().as_us()) <= start.elapsed().as_micros());
        }
        assert!(toy::is_over(&bench));
        assert_eq!(start.elapsed(), Duration::from_millis(1_500));
        assert!(drive.worst_lag() > Span::ZERO && drive.worst_lag() < Span::ms(1), "{}", drive.worst_lag());
    });
}

#[test]
fn a_step_stops_at_its_end_and_not_a_tick_later() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = piped(&bench, CONFIG, 64);
        run(&mut drive, &mut bench, Instant::from_us(2_999)).await.unwrap();
        assert_eq!(heard(&bench, Way::AtoB), []);
        assert_eq!(bench.next_at(), Some(ms(3)));
        run(&mut drive, &mut bench, ms(3)).await.unwrap();
        assert_ne!(bench.next_at(), Some(ms(3)));
        assert!(!drive.step(&mut bench, ms(3)).await.unwrap());
        assert_eq!(heard(&bench, Way::AtoB), [], "the bytes are in the port");
        run(&mut drive, &mut bench, ms(4)).await.unwrap();
        assert_eq!(heard(&bench, Way::AtoB).len(), 1);
    });
}

#[test]
fn a_bench_woken_late_catches_up_in_its_own_order() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = piped(&bench, CONFIG, 64);
        run(&mut drive, &mut bench, ms(3)).await.unwrap();
        advance(Duration::from_millis(1_000)).await;
        run(&mut drive, &mut bench, ms(1_004)).await.unwrap();
        assert_eq!(heard(&bench, Way::AtoB), [(ms(1_003), [A, A, A].concat())]);
        let asked = sent(&bench).into_iter().filter(|(_, way, _)| *way == Way::AtoB);
        assert_eq!(asked.map(|(at, ..)| at).collect::<Vec<_>>(), [ms(0), ms(400), ms(800)]);
        assert_eq!(drive.worst_lag(), Span::ms(603));
    });
}

#[test]
fn a_bench_that_does_not_keep_time_tells_since_when_and_by_how_much() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = piped(&bench, CONFIG, 64);
        drive.tolerate(Span::ms(999));
        run(&mut drive, &mut bench, ms(3)).await.unwrap();
        advance(Duration::from_millis(999)).await;
        run(&mut drive, &mut bench, ms(1_010)).await.unwrap();
        assert_eq!(drive.late(), None, "as late as is tolerated");
        advance(Duration::from_millis(1_000)).await;
        run(&mut drive, &mut bench, ms(2_020)).await.unwrap();
        // Bytes may have lain in the ports since they were last looked at.
        assert_eq!(drive.late(), Some(Late { since: ms(1_010), worst: Span::ms(1_000) }));
    });
}

#[test]
fn what_has_arrived_counts_although_the_time_is_over_by_now() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = piped(&bench, CONFIG, 64);
        run(&mut drive, &mut bench, ms(3)).await.unwrap();
        advance(Duration::from_millis(100)).await;
        run(&mut drive, &mut bench, ms(50)).await.unwrap();
        assert_eq!(heard(&bench, Way::AtoB), [(ms(50), A.to_vec())]);
    });
}

#[test]
fn what_others_do_with_the_bytes_meanwhile_is_noticed_before_the_time_is_over() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = Drive::new(CONFIG);
        let [(a, mut far_a), (b, mut far_b)] = std::array::from_fn(|_| duplex(64));
        drive.carry(&bench, WIRE, a, b).unwrap();
        tokio::spawn(async move { tokio::io::copy(&mut far_a, &mut far_b).await });
        run(&mut drive, &mut bench, ms(2)).await.unwrap();
        advance(Duration::from_millis(100)).await;
        run(&mut drive, &mut bench, ms(50)).await.unwrap();
        assert_eq!(heard(&bench, Way::AtoB), [(ms(50), A.to_vec())]);
    });
}

#[test]
fn narrow_ports_only_cut_the_stream_into_smaller_pieces() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = piped(&bench, DriveConfig { read_max: 2, ..CONFIG }, 1);
        run(&mut drive, &mut bench, ms(300)).await.unwrap();
        assert_eq!(game(&bench), "aAbBcCdDeEfF");
        let pieces = heard(&bench, Way::AtoB);
        assert_eq!(pieces.len(), usize::from(ROUNDS) * 3);
        assert_eq!(pieces[..3].iter().map(|(_, bytes)| bytes[0]).collect::<Vec<_>>(), A);
    });
}

#[test]
fn bytes_in_the_port_survive_their_sender_and_are_lost_on_a_dead_receiver() {
    for (supply, arrives) in SUPPLIES.into_iter().zip([true, false]) {
        paused(async {
            let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
            let mut drive = piped(&bench, CONFIG, 64);
            run(&mut drive, &mut bench, ms(3)).await.unwrap();
            bench.cut(supply, Torn::Old);
            run(&mut drive, &mut bench, ms(100)).await.unwrap();
            assert_eq!(heard(&bench, Way::AtoB).len(), usize::from(arrives));
            bench.restore(supply);
            run(&mut drive, &mut bench, ms(1_000)).await.unwrap();
            assert_eq!(game(&bench), if arrives { "aAaAbBcCdDeEfF" } else { "aaAbBcCdDeEfF" });
        });
    }
}

#[test]
fn a_port_that_floods_the_bench_does_not_starve_another() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE, SPARE], &FaultPlan::default());
        let mut drive = Drive::new(DriveConfig { read_max: 1, ..CONFIG });
        let [(a, mut flood_a), (b, mut flood_b), (c, mut far_c), (d, _far_d)] =
            std::array::from_fn(|_| duplex(64));
        drive.carry(&bench, WIRE, a, b).unwrap();
        drive.carry(&bench, SPARE, c, d).unwrap();
        flood_a.write_all(&[b'?'; 64]).await.unwrap();
        flood_b.write_all(&[b'?'; 64]).await.unwrap();
        far_c.write_all(b"!").await.unwrap();
        let before = bench.tape().len();
        for _ in 0..3 {
            assert!(drive.step(&mut bench, ms(1)).await.unwrap());
        }
        assert_eq!(bench.tape().len() - before, 3);
        assert_eq!(heard(&bench, Way::AtoB).len(), 1);
        assert_eq!(heard(&bench, Way::BtoA).len(), 1);
    });
}

#[test]
fn a_port_that_takes_nothing_stops_the_bench_at_the_stated_limit() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = Drive::new(DriveConfig { unsent_max: 4, ..CONFIG });
        let [(a, _far_a), (b, _far_b)] = std::array::from_fn(|_| duplex(2));
        drive.carry(&bench, WIRE, a, b).unwrap();
        run(&mut drive, &mut bench, ms(802)).await.unwrap();
        let error = run(&mut drive, &mut bench, ms(803)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "link `wire`: the port at end A takes nothing, and more than 4 bytes wait for it"
        );
    });
}

#[test]
fn a_closed_port_is_named_by_its_link_and_end() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = Drive::new(CONFIG);
        let [(a, far_a), (b, far_b)] = std::array::from_fn(|_| duplex(64));
        drive.carry(&bench, WIRE, a, b).unwrap();
        drop(far_b);
        let error = run(&mut drive, &mut bench, ms(2)).await.unwrap_err();
        assert_eq!(error.to_string(), "link `wire`: the port at end B was closed");

        // Its other end went with the ports that these replace.
        let (b, _far_b) = duplex(64);
        drive.carry(&bench, WIRE, far_a, b).unwrap();
        let error = run(&mut drive, &mut bench, ms(2)).await.unwrap_err();
        assert_eq!(error.to_string(), "link `wire`: the port at end A was closed");

        advance(Duration::from_millis(3)).await;
        let error = run(&mut drive, &mut bench, ms(3)).await.unwrap_err();
        assert_eq!(error.to_string(), "link `wire`: the port at end A could not be written: broken pipe");
    });
}

#[test]
fn only_what_leads_out_is_carried_and_all_of_it() {
    paused(async {
        let mut bench = bench(10_000, &[WIRE], &FaultPlan::default());
        let mut drive = Drive::new(CONFIG);
        let (a, b) = duplex(64);
        let error = drive.carry(&bench, SPARE, a, b).unwrap_err();
        assert_eq!(
            error.to_string(),
            "link `spare`: it does not lead out of the bench, so no port can carry it"
        );
        let error = run(&mut drive, &mut bench, ms(3)).await.unwrap_err();
        assert_eq!(error.to_string(), "link `wire`: it leads out of the bench, and no port carries it");
    });
}
