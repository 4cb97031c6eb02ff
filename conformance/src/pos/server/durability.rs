//! The server is killed, and what it has said holds.

use assay_sim::machine::Torn;
use assay_sim::time::Span;

use super::head::Head;
use super::{CARD, OTHER, POOR, case, quiet, rest, setup};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

/// Longer than the server is away.
const AWAY: Span = Span::s(8);

/// The plan of a case in which the server is killed at one site.
macro_rules! killed {
    ($site:literal, $moment:literal, $torn:literal) => {
        concat!(
            "[[strike]]\nsite = \"",
            $site,
            "\"\nmoment = \"",
            $moment,
            "\"\nfault = { mishap = \"crash\", party = \"server\", torn = \"",
            $torn,
            "\", off = \"5 s\" }\n"
        )
    };
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = payments();
    cases.extend(records());
    cases.extend([
        case(
            "pos/server-durability/power-cuts-between-steps",
            "The server loses its power after each step of sales of every kind",
            &["POS-A3", "POS-I2", "POS-P1", "POS-P2", "POS-R3"],
            power_cuts_between_steps,
        ),
        Case {
            setup: setup(1),
            explored: true,
            ..case(
                "pos/server-durability/payments",
                "A card pays money and a count, and a payment is made by code",
                &["POS-A1", "POS-M1", "POS-P1", "POS-P2", "POS-P6"],
                every_payment,
            )
        },
        Case {
            setup: setup(1),
            explored: true,
            ..case(
                "pos/server-durability/drain",
                "Three records are drained, one of them of a payment that the server has charged",
                &["POS-A1", "POS-P1", "POS-R3", "POS-R4", "POS-R5"],
                drain,
            )
        },
    ]);
    cases
}

/// Killed at the durable steps of a payment.
fn payments() -> Vec<Case> {
    let shows = &["POS-A3", "POS-I2", "POS-P1", "POS-P2"];
    [
        (
            "pos/server-durability/killed-at-entry",
            "The server is killed when it has entered a payment and nothing is durable",
            killed!("server journal-append@1 #1", "after", "old"),
        ),
        (
            "pos/server-durability/killed-in-sync",
            "The server is killed while a payment becomes durable, and it does",
            killed!("server journal-sync@1 #1", "after", "new"),
        ),
        (
            "pos/server-durability/killed-before-durable",
            "The server is killed just before a payment is durable, and it is lost",
            killed!("server journal-synced@1 #1", "before", "old"),
        ),
        (
            "pos/server-durability/killed-when-durable",
            "The server is killed as soon as a payment is durable",
            killed!("server journal-synced@1 #1", "after", "old"),
        ),
        (
            "pos/server-durability/killed-when-answered",
            "The server is killed when its first answer has left",
            killed!("udp-a< 008 #1", "after", "old"),
        ),
        (
            "pos/server-durability/killed-at-second-entry",
            "The server is killed just before the second payment is durable",
            killed!("server journal-append@1 #2", "after", "old"),
        ),
    ]
    .into_iter()
    .map(|(id, title, plan)| Case { plan, ..case(id, title, shows, killed_payment) })
    .collect()
}

/// Killed at the durable steps of a record.
fn records() -> Vec<Case> {
    let shows = &["POS-I2", "POS-R3"];
    [
        (
            "pos/server-durability/record-lost",
            "The server is killed just before a record is durable",
            killed!("server journal-synced@1 #1", "before", "old"),
        ),
        (
            "pos/server-durability/record-durable",
            "The server is killed as soon as a record is durable",
            killed!("server journal-synced@1 #1", "after", "old"),
        ),
        (
            "pos/server-durability/record-deleted",
            "The server is killed when it has told the device to delete a record",
            killed!("udp-a< 011 #1", "after", "old"),
        ),
        (
            "pos/server-durability/second-record-lost",
            "The server is killed when it has entered the second record",
            killed!("server journal-append@3 #2", "after", "old"),
        ),
    ]
    .into_iter()
    .map(|(id, title, plan)| Case { plan, ..case(id, title, shows, killed_record) })
    .collect()
}

/// A head that hears nothing and goes on asking, as a terminal does for a pending sale.
fn killed_payment(stage: &mut Stage) -> Result<(), StageError> {
    for (second, head) in [(0, Head(0)), (1, Head(1))] {
        let fields = format!("{CARD},5.50,2024-01-02 03:05:0{second}");
        for _ in 0..2 {
            head.tell(stage, "103", "00001", &fields)?;
            stage.pause(Span::s(1))?;
        }
        stage.pause(AWAY)?;
        head.tell(stage, "103", "00001", &fields)?;
        quiet(stage)?;
        head.tell(stage, "103", "00001", &fields)?;
        quiet(stage)?;
    }
    Head(0).sell(stage, "103", &format!("{OTHER},1.00,2024-01-02 03:06:00"))?;
    rest(stage)
}

fn killed_record(stage: &mut Stage) -> Result<(), StageError> {
    // What a device was told to delete is never sent again.
    for (address, card) in [(1, CARD), (2, OTHER), (3, POOR)] {
        let fields = format!("{card},5.50,2024-01-02 03:02:0{address},0,{address:08},1");
        Head(0).drain(stage, &fields)?;
        stage.pause(AWAY)?;
    }
    rest(stage)
}

fn power_cuts_between_steps(stage: &mut Stage) -> Result<(), StageError> {
    let off = stage.scene().profile.faults.off.first().copied().unwrap_or(AWAY);
    let cut = |stage: &mut Stage| stage.cut_for("server", Torn::Neither, off);
    let (a, b) = (Head(0), Head(1));
    let pay = format!("{CARD},5.50,2024-01-02 03:05:00");
    a.tell(stage, "103", "00001", &pay)?;
    quiet(stage)?;
    cut(stage)?;
    a.tell(stage, "103", "00001", &pay)?;
    quiet(stage)?;
    a.ask(stage, "109", &format!("008,{CARD}"))?;
    stage.pause(Span::s(2))?;
    cut(stage)?;
    a.tell(stage, "103", "00001", &pay)?;
    b.drain(stage, &format!("{OTHER},5.50,2024-01-02 03:02:00,0,00000001,1"))?;
    cut(stage)?;
    b.drain(stage, &format!("{OTHER},5.50,2024-01-02 03:02:00,0,00000001,1"))?;
    b.tell(stage, "103", "00002", &format!("{POOR},6.01,2024-01-02 03:05:20"))?;
    quiet(stage)?;
    cut(stage)?;
    b.tell(stage, "103", "00002", &format!("{POOR},6.01,2024-01-02 03:05:20"))?;
    quiet(stage)?;
    b.sell(stage, "128", "00001,3.00,2024-01-02 03:05:30,2,13,0001")?;
    cut(stage)?;
    b.tell(stage, "128", "00003", "00001,3.00,2024-01-02 03:05:30,2,13,0001")?;
    quiet(stage)?;
    b.sell(stage, "128", "00002,3.00,2024-01-02 03:05:50,2,13,0002")?;
    rest(stage)
}

/// Short, because exploration strikes every one of its sites. What is said follows from what came, as at a terminal.
fn every_payment(stage: &mut Stage) -> Result<(), StageError> {
    let head = Head(0);
    head.sell(stage, "103", &format!("{CARD},5.50,2024-01-02 03:05:00"))?;
    head.sell(stage, "104", &format!("{OTHER},2024-01-02 03:05:10"))?;
    head.sell(stage, "128", "00001,3.00,2024-01-02 03:05:20,2,13,0001")?;
    stage.pause(Span::s(4))?;
    stage.rest()
}

fn drain(stage: &mut Stage) -> Result<(), StageError> {
    let head = Head(0);
    head.sell(stage, "103", &format!("{CARD},5.50,2024-01-02 03:02:00"))?;
    head.drain(stage, &format!("{CARD},5.50,2024-01-02 03:02:00,0,00000001,3"))?;
    head.drain(stage, &format!("{OTHER},1.20,2024-01-02 03:02:10,0,00000002,2"))?;
    head.drain(stage, &format!("{POOR},1.20,2024-02-30 03:02:10,0,00000003,1"))?;
    stage.pause(Span::s(4))?;
    stage.rest()
}
