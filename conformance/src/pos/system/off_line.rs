//! Sales that are booked off line, and how they are drained.

use assay_sim::machine::Torn;
use assay_sim::pos::plant::{CardSpec, TerminalSpec};
use assay_sim::time::Span;

use super::{BASE, ONE, WHITE};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// Cards that may pay off line, enough of them for each to rest between two sales.
const MANY: &[CardSpec] = &[
    CardSpec::good("7777777770", 5_000_000, 0).white(),
    CardSpec::good("7777777771", 5_000_000, 0).white(),
    CardSpec::good("7777777772", 5_000_000, 0).white(),
    CardSpec::good("7777777773", 5_000_000, 0).white(),
    CardSpec::good("7777777774", 5_000_000, 0).white(),
];

const FIXED: Setup = Setup { specs: &[TerminalSpec::FIXED], cards: MANY, ..ONE };

/// A card that may pay off line, and has not enough for it.
const POOR: &[CardSpec] = &[CardSpec::good(WHITE, 100, 0).white()];

/// How far apart two sales off line are at least: three sendings, and a little.
const APART: Span = Span::ms(3_200);

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/off-line/booked-and-drained",
        title: "two sales are booked while nothing gets through, and drained afterwards",
        setup: FIXED,
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            fault = { mishap = "link-down", link = "udp-a", span = "12 s" }
        "#,
        run: two_sales,
        explored: true,
        ..BASE
    },
    Case {
        id: "pos/off-line/charged-all-the-same",
        title: "the server hears a sale and charges it, and the terminal, which hears nothing, books it",
        setup: FIXED,
        plan: r#"
            [[strike]]
            site = "udp-a< 001 #2"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 001 #3"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 001 #4"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 008 #1"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 008 #2"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 008 #3"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 008 #4"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 008 #5"
            fault = { fate = "drop" }
        "#,
        run: one_sale,
        ..BASE
    },
    Case {
        id: "pos/off-line/refused-and-booked",
        title: "the server refuses a sale that the terminal, which hears nothing, books: it is charged into overdraft",
        setup: Setup { cards: POOR, ..FIXED },
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            moment = "after"
            fault = { mishap = "hang", party = "terminal-a", span = "1 us" }
            [[strike]]
            site = "udp-a< 001 #2"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 001 #3"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 001 #4"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 006 #1"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 006 #2"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 006 #3"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 006 #4"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 006 #5"
            fault = { fate = "drop" }
        "#,
        run: one_poor_sale,
        ..BASE
    },
    Case {
        id: "pos/off-line/cut-while-draining",
        title: "the power of the terminal goes while its records go up, and while it is away the server is killed",
        setup: FIXED,
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            fault = { mishap = "link-down", link = "udp-a", span = "20 s" }
            [[strike]]
            site = "udp-a< 011 #2"
            moment = "midway"
            fault = { mishap = "power-cut", supply = "mcu-a", off = "5 s" }
            [[strike]]
            site = "udp-a> 105 #3"
            moment = "after"
            fault = { mishap = "crash", party = "server", torn = "new", off = "5 s" }
        "#,
        run: four_sales,
        ..BASE
    },
    Case {
        id: "pos/off-line/full",
        title: "the store is full after three sales, the fourth is refused, and three are drained",
        setup: Setup { profile: "[store]\nrecords_max = 3\n", ..FIXED },
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            fault = { mishap = "link-down", link = "udp-a", span = "25 s" }
        "#,
        run: four_sales,
        ..BASE
    },
    Case {
        id: "pos/off-line/restart",
        title: "records wait through a night without power, and are drained in the morning",
        setup: FIXED,
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            fault = { mishap = "link-down", link = "udp-a", span = "20 s" }
        "#,
        run: over_night,
        tabletop_only: true,
        ..BASE
    },
    Case {
        id: "pos/off-line/fifty-in-a-storm",
        title: "fifty records are drained while three of ten datagrams are lost",
        setup: Setup { records: 60, ..FIXED },
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            fault = { mishap = "link-down", link = "udp-a", span = "170 s" }
            [[storm]]
            link = "udp-a"
            way = "up"
            names = ["105"]
            first = 50
            percent = 30
            seed = 1
            [[storm]]
            link = "udp-a"
            way = "down"
            names = ["001", "011"]
            first = 35
            percent = 30
            seed = 1
        "#,
        run: |stage| many_sales(stage, 50),
        ..BASE
    },
    Case {
        id: "pos/off-line/full-house-in-a-storm",
        title: "five thousand records are drained while three of ten datagrams are lost",
        setup: Setup {
            records: 6_000,
            profile: "[store]\nsale_sectors = 50\nrecords_max = 5_000\n[flash]\nsectors = 51\n",
            ..FIXED
        },
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            fault = { mishap = "link-down", link = "udp-a", span = "16500 s" }
            [[storm]]
            link = "udp-a"
            way = "up"
            names = ["105"]
            first = 5000
            percent = 30
            seed = 1
            [[storm]]
            link = "udp-a"
            way = "down"
            names = ["001", "011"]
            first = 3500
            percent = 30
            seed = 1
        "#,
        run: |stage| many_sales(stage, 5_000),
        tabletop_only: true,
        ..BASE
    },
];

fn one_sale(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pause(Span::s(1))?;
    stage.tap(0, MANY[0].number)?;
    stage.rest()
}

fn one_poor_sale(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pause(Span::s(1))?;
    stage.tap(0, WHITE)?;
    stage.rest()
}

fn two_sales(stage: &mut Stage) -> Result<(), StageError> {
    many_sales(stage, 2)
}

fn four_sales(stage: &mut Stage) -> Result<(), StageError> {
    many_sales(stage, 4)
}

fn over_night(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pause(Span::s(1))?;
    for card in &MANY[..3] {
        stage.tap(0, card.number)?;
    }
    stage.cut_for("mcu-a", Torn::Neither, Span::s(8 * 3_600))?;
    stage.rest()
}

fn many_sales(stage: &mut Stage, sales: usize) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pause(Span::s(1))?;
    for sale in 0..sales {
        stage.act(0, format!("tap {}", MANY[sale % MANY.len()].number))?;
        stage.pause(APART)?;
    }
    stage.rest()
}
