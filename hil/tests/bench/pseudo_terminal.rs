//! The same bench over a real pseudo-terminal, by the real clock.

use std::path::Path;

use assay_hil::pty::{Pty, PtyConfig};
use assay_hil::real_time::RealTime;
use assay_hil::rig::{Carrier, Rig};
use assay_sim::fault::{Fate, FaultPlan, Way};
use assay_sim::tabletop::Tabletop;
use assay_sim::time::{Instant, Span};
use tokio_serial::{SerialPort, SerialPortBuilderExt};

use crate::toy::{self, SPARE, Toy, WIRE, bench, game, heard};

const UNTIL: Instant = Instant::from_us(10_000_000);

/// A rig with a pseudo-terminal in each of these links.
fn rig(links: &[&str], unsent_max: usize) -> Rig {
    let text = format!(
        "assay-rig = 2\nsystem = 'water'\n[seat]\nterminal = 'virtual'\n\
         [drive]\nread_max = 4_096\nunsent_max = {unsent_max}\nflood_max = 1_000_000\n\
         [self_check]\nwithin = '5 s'\n\
         [profile]\ndivide_timers = 1\n"
    );
    let mut rig = Rig::parse(&text, Path::new("toy.toml")).unwrap();
    let pty = || Carrier::Pty(PtyConfig { baud: 9_600, exclusive: true });
    rig.links = links.iter().map(|link| ((*link).to_owned(), pty())).collect();
    rig
}

fn real_time(bench: &Tabletop<Toy>) -> RealTime<Toy> {
    RealTime::new(&rig(&["wire"], 4_096), bench).unwrap()
}

/// Runs until this is so.
fn wait_for(bench: &mut Tabletop<Toy>, what: impl Fn(&Tabletop<Toy>) -> bool) {
    let mut real_time = real_time(bench);
    while !what(bench) {
        assert!(real_time.step(bench, UNTIL).unwrap(), "it has not come");
    }
}

#[test]
fn a_game_over_a_pseudo_terminal_is_the_game_of_the_tabletop() {
    let plan = toy::plan("wire> letter #3", Fate::LoseByte { at: 1 });
    let mut inside = bench(115_200, &[], &plan);
    inside.run_until(UNTIL);
    let mut led_out = bench(115_200, &[WIRE], &plan);
    wait_for(&mut led_out, toy::is_over);
    assert_eq!(game(&inside), "aAbBccCdDeEfF");
    assert_eq!(game(&led_out), game(&inside));
    for way in Way::BOTH {
        let stream = |bench| heard(bench, way).into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<_>>();
        assert_eq!(stream(&led_out), stream(&inside));
    }
}

#[test]
fn a_flipped_bit_arrives_flipped() {
    let mut bench = bench(115_200, &[WIRE], &toy::plan("wire> letter #1", Fate::FlipBit { bit: 8 }));
    let came = |bench: &Tabletop<Toy>| heard(bench, Way::AtoB).into_iter().flat_map(|(_, bytes)| bytes);
    wait_for(&mut bench, |bench| came(bench).count() >= 3);
    assert_eq!(came(&bench).collect::<Vec<_>>(), [b':', 0xE1, 0x9E]);
}

#[test]
fn a_split_burst_arrives_in_two_pieces_with_the_gap_between() {
    // The tail takes 67 ms on the line, which keeps a busy computer from eating into the gap.
    let gap = Span::ms(100);
    let mut bench = bench(300, &[WIRE], &toy::plan("wire> letter #1", Fate::Split { at: 1, gap }));
    wait_for(&mut bench, |bench| heard(bench, Way::AtoB).len() >= 2);
    let pieces = heard(&bench, Way::AtoB);
    assert_eq!([&pieces[0].1[..], &pieces[1].1[..]], [&b":"[..], &[b'a', 0x9E]]);
    assert!(pieces[1].0 - pieces[0].0 >= gap, "{} and {}", pieces[0].0, pieces[1].0);
}

#[test]
fn a_rig_has_to_fit_its_bench() {
    let bench = bench(115_200, &[WIRE], &FaultPlan::default());
    let error = |links: &[&str]| RealTime::new(&rig(links, 64), &bench).unwrap_err().to_string();
    assert_eq!(
        error(&["wire", "uart-a"]),
        "the rig has a port for link `uart-a`, and the bench has no such link; it has `wire`, `spare`"
    );
    assert_eq!(
        error(&["spare", "wire"]),
        "the rig has a port for link `spare`, which does not lead out of the bench"
    );
    let both = toy::bench(115_200, &[WIRE, SPARE], &FaultPlan::default());
    assert_eq!(
        RealTime::new(&rig(&["wire"], 64), &both).unwrap_err().to_string(),
        "link `spare` leads out of the bench, and the rig has no port for it"
    );
    assert!(RealTime::new(&rig(&["spare", "wire"], 64), &both).is_ok());
}

#[test]
fn the_first_breakage_stays_the_answer() {
    let mut bench = bench(115_200, &[WIRE], &FaultPlan::default());
    let mut real_time = RealTime::new(&rig(&["wire"], 2), &bench).unwrap();
    assert_eq!(real_time.broken(), None);
    let mut step = |bench: &mut Tabletop<Toy>| loop {
        match real_time.step(bench, UNTIL) {
            Ok(more) => assert!(more),
            Err(error) => return error.to_string(),
        }
    };
    let why = "link `wire` is broken: the port at end A takes nothing, and more than 2 bytes wait for it";
    assert_eq!(step(&mut bench), why);
    let stopped_at = bench.now();
    assert_eq!(step(&mut bench), why);
    assert_eq!(bench.now(), stopped_at);
    assert_eq!(real_time.broken().map(ToString::to_string).as_deref(), Some(why));
}

#[test]
fn a_pseudo_terminal_has_its_speed_and_its_lock() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for exclusive in [true, false] {
            let pty = Pty::open(&PtyConfig { baud: 19_200, exclusive }).unwrap();
            assert_eq!(pty.named.baud_rate().unwrap(), 19_200);
            let second = tokio_serial::new(&pty.path, 19_200).exclusive(false).open_native_async();
            assert_eq!(second.is_err(), exclusive);
        }
    });
}
