//! Experiments end to end: what they come to, in print and in numbers, whoever runs them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use assay_conformance::experiment::bench::{Bench, BenchOutcome, Outcome, TERMINALS};
use assay_conformance::experiment::disturbance::{Cuts, Disturbances, MILLION, Setting};
use assay_conformance::experiment::water_cache::{Extent, WaterCache};
use assay_conformance::experiment::{CSV_HEAD, render_csv, render_plot, render_table};
use assay_conformance::interrupt::Stop;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::water::profile::Profile;

/// As many swipes as the source made without a cache.
const SMALL: Extent = Extent { swipes: 1_000, seed: Seed(7) };

fn small() -> &'static WaterCache {
    static RESULT: OnceLock<WaterCache> = OnceLock::new();
    RESULT.get_or_init(|| WaterCache::carry_out(SMALL, &Stop::default()).unwrap())
}

/// What a design comes to on one bench with ten customers at each terminal.
fn bench(policy: PolicyName, leg_loss: u32, cuts: Cuts) -> BenchOutcome {
    let (seed, swipes) = (Seed(3), 10);
    let disturbances = Disturbances::draw(seed, TERMINALS, swipes, Setting { leg_loss, cuts });
    let profile = Profile::built_in().unwrap();
    Bench { profile: &profile, policy, seed, swipes }.run(&disturbances).unwrap()
}

fn count(outcome: &BenchOutcome, wanted: Outcome) -> usize {
    outcome.swipes.iter().filter(|swipe| swipe.outcome == wanted).count()
}

#[test]
fn the_table_says_what_was_found() {
    let table = render_table(small());
    let (_, found) = table.split_once("\n\n").unwrap();
    insta::assert_snapshot!(found, @r"
    Seen by the source without a cache: 8 of 1,000 = 0.8 % (0.346 to 1.57 %).
    Seen by the source with its cache:  2 of 2,000 = 0.1 % (0.012 to 0.361 %).

    Answer loss fitted: 0.752 % of uploads get no answer, 0.377 % lost on each way.
    `published` meets 0.1 % when 8.1 % (0 to 48.7 %) of the cuts fall in the window.
    It is within the source's interval from 8.1 % to 48.7 % of the cuts.

    design     power cuts           no answer  cuts  out of step                             in doubt
    uncached   0 % in the window           12    12  8 of 1,000 = 0.8 % (0.346 to 1.57 %)           0
    uncached   8.1 % in the window         12    12  8 of 1,000 = 0.8 % (0.346 to 1.57 %)           0
    uncached   100 % in the window         12    12  8 of 1,000 = 0.8 % (0.346 to 1.57 %)           0
    uncached   at the card                 12     9  9 of 1,000 = 0.9 % (0.412 to 1.7 %)            0
    published  0 % in the window           12    12  0 of 1,000 ≤ 0.3 %                             0
    published  8.1 % in the window         12    12  1 of 1,000 = 0.1 % (0.0025 to 0.556 %)         0
    published  100 % in the window         12    12  8 of 1,000 = 0.8 % (0.346 to 1.57 %)           0
    published  at the card                 12     9  1 of 1,000 = 0.1 % (0.0025 to 0.556 %)         0
    hardened   0 % in the window           12    12  0 of 1,000 ≤ 0.3 %                             0
    hardened   8.1 % in the window         12    12  0 of 1,000 ≤ 0.3 %                             0
    hardened   100 % in the window         12    12  0 of 1,000 ≤ 0.3 %                             0
    hardened   at the card                 12     9  0 of 1,000 ≤ 0.3 %                             0
    ");
}

#[test]
fn the_numbers_are_one_row_a_line_with_a_value_in_each_column() {
    let csv = render_csv(small());
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(csv.lines().next(), Some(CSV_HEAD));
    assert_eq!(lines[1][..2], ["source", "uncached"]);
    assert_eq!(lines[2][..2], ["source", "published"]);
    assert!(lines[2].ends_with(&["2", "0.00100000", "0.00012113", "0.00360763"]), "{:?}", lines[2]);
    let series = |name: &str| lines.iter().filter(|line| line[0] == name).count();
    assert_eq!((series("designs"), series("curve"), lines.len()), (12, 21, 36));
    for line in &lines[3..] {
        assert_eq!(line.len(), lines[0].len(), "{line:?}");
        let share_is_missing = line[2] == "at-card";
        for (at, value) in line.iter().enumerate().skip(3) {
            assert!(value.parse::<f64>().is_ok() || (at == 3 && share_is_missing), "{line:?}");
        }
        assert_eq!(line[6], "1000");
    }
}

#[test]
fn the_plot_says_what_was_assumed() {
    let plot = render_plot(small());
    for said in [
        "Answer loss: an upload gets no answer because",
        "The share in the window comes before published has",
        "seen by the source",
        "hardened: 0 of 1,000 ≤ 0.3 %",
        "prefers-color-scheme: dark",
    ] {
        assert!(plot.contains(said), "{said}");
    }
    assert!(!plot.contains("NaN") && !plot.contains("inf"));
    // Every tag is closed by itself or by its like.
    let opened = plot.matches('<').count() - plot.matches("</").count();
    assert_eq!(opened, plot.matches("/>").count() + plot.matches("</").count());
}

#[test]
fn the_result_is_the_same_on_any_number_of_cores() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("experiment-cores");
    let [swipes, seed] = [SMALL.swipes, SMALL.seed.0].map(|number| number.to_string());
    for threads in ["1", "3"] {
        let out = dir.join(threads);
        let arguments = [
            "experiment",
            "water-cache",
            "--swipes",
            &swipes,
            "--seed",
            &seed,
            "--out",
            out.to_str().unwrap(),
        ];
        let mut tool = Command::new(env!("CARGO_BIN_EXE_assay"));
        let told = tool.args(arguments).env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(told.status.success(), "{told:?}");
        let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
        assert!(read("water-cache.txt").ends_with(&render_table(small())), "{threads}");
        assert_eq!(read("water-cache.csv"), render_csv(small()), "{threads}");
        assert_eq!(read("water-cache.svg"), render_plot(small()), "{threads}");
    }
}

#[test]
fn another_seed_is_another_sample() {
    let other = WaterCache::carry_out(Extent { seed: Seed(8), ..SMALL }, &Stop::default()).unwrap();
    assert_ne!(render_csv(&other), render_csv(small()));
}

#[test]
fn a_stop_leaves_what_was_measured() {
    let stop = Stop::default();
    stop.interrupt();
    let result = WaterCache::carry_out(SMALL, &stop).unwrap();
    assert!(!result.complete && result.leg_loss.is_none() && result.rows.is_empty());
    let note = "Stopped before the loss was fitted: nothing else was measured.";
    assert!(render_table(&result).ends_with(&format!("{note}\n")));
    assert_eq!(render_csv(&result).lines().count(), 3);
    assert!(render_plot(&result).contains(note));
}

/// A lost answer costs `uncached` the result wherever power is cut, and `published` only if that is in its window.
#[test]
fn the_window_is_where_published_has_nothing_in_its_memory() {
    let out = |policy, share| count(&bench(policy, MILLION / 5, Cuts::Window(share)), Outcome::OutOfStep);
    let [outside, inside] = [0, MILLION].map(|share| out(PolicyName::Uncached, share));
    assert!(outside > 3, "{outside}");
    assert_eq!(inside, outside);
    assert_eq!(out(PolicyName::Published, 0), 0);
    // Repeats shift which upload meets which draw, and a cut can come in the instant after the record.
    let cached = out(PolicyName::Published, MILLION);
    assert!(cached.abs_diff(outside) <= 2, "{cached} for {outside}");
}

#[test]
fn without_disturbance_every_design_is_in_step() {
    for policy in PolicyName::ALL {
        let outcome = bench(policy, 0, Cuts::AtCard);
        assert_eq!((outcome.losses, outcome.cuts), (0, 0));
        let swipes = &outcome.swipes;
        assert_eq!(swipes.len(), 50);
        assert!(swipes.iter().all(|swipe| swipe.credited && swipe.outcome == Outcome::InStep));
    }
}

/// Every other customer meets a cut or a lost answer: nothing is out of step unless the ledger says so itself.
#[test]
fn the_reference_is_in_step_or_in_doubt_under_any_load() {
    for cuts in [Cuts::Window(MILLION / 2), Cuts::AtCard] {
        let outcome = bench(PolicyName::Hardened, MILLION / 4, cuts);
        assert!(outcome.cuts > 10 && outcome.losses > 10, "{outcome:?}");
        assert_eq!(count(&outcome, Outcome::OutOfStep), 0, "{cuts:?}");
    }
    let outcome = bench(PolicyName::Hardened, MILLION / 2, Cuts::AtCard);
    assert!(count(&outcome, Outcome::InDoubt) > 0);
}
