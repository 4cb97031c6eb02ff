//! Lines that lose, networks that break, platforms that do not know, servers that are killed, modules without power.

use assay_sim::fault::Way;
use assay_sim::machine::Torn;
use assay_sim::paymod::frame::Terms;
use assay_sim::paymod::host::HostStimulus;
use assay_sim::paymod::plant::Carrier;
use assay_sim::paymod::platform::PayerStimulus;
use assay_sim::tape::Seen;
use assay_sim::time::Span;

use super::stage::{DRINK, ENDED, ORDER};
use super::{BASE, Case, SETUP, Setup, Stage};
use crate::stage::StageError;

/// What an order shows that ends paid or refunded, whatever befalls it.
const ENDS: &[&str] = &["PAY-I1", "PAY-I2", "PAY-O1", "PAY-O2"];

type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// What is struck, and what the platforms do wrong, while an order of WeChat Pay is made and paid.
const STRUCK: [Row; 15] = [
    (
        "paymod/trouble/ack-lost",
        "The host's acknowledgement of the link is lost on the line",
        "[[strike]]\nsite = \"uart> status-ack #1\"\nfault = { fate = \"overrun\", from = 0 }",
        "",
        &["PAY-I1", "PAY-O1", "PAY-O4"],
    ),
    (
        "paymod/trouble/paid-ack-lost",
        "The host's acknowledgement that the order is paid is lost on the line",
        "[[strike]]\nsite = \"uart> status-ack #2\"\nfault = { fate = \"overrun\", from = 0 }",
        "",
        &["PAY-I1", "PAY-O1", "PAY-O4"],
    ),
    (
        "paymod/trouble/frame-cut",
        "The pay request is cut short on the line, and comes again",
        "[[strike]]\nsite = \"uart> pay #1\"\nfault = { fate = \"overrun\", from = 12 }",
        "",
        &["PAY-I1", "PAY-O1", "PAY-U3"],
    ),
    (
        "paymod/trouble/frame-damaged",
        "A bit of the amount is inverted in the pay request",
        "[[strike]]\nsite = \"uart> pay #1\"\nfault = { fate = \"flip-bit\", bit = 207 }",
        "",
        &["PAY-I1", "PAY-O1", "PAY-U1"],
    ),
    (
        "paymod/trouble/create-answer-lost",
        "The link is half open when the server answers with the pay link",
        "[[strike]]\nsite = \"link< create-answer #1\"\nfault = { fate = \"half-open\" }",
        "",
        &["PAY-I1", "PAY-L3", "PAY-O1", "PAY-O2", "PAY-O5"],
    ),
    (
        "paymod/trouble/create-lost",
        "The link is reset before the server has the order",
        "[[strike]]\nsite = \"link> create #1\"\nfault = { fate = \"reset\", at = 0 }",
        "",
        &["PAY-I1", "PAY-L3", "PAY-O1", "PAY-O5"],
    ),
    (
        "paymod/trouble/push-late",
        "What the server pushes is late, so that it comes twice",
        "[[strike]]\nsite = \"link< push #1\"\nfault = { fate = \"delay\", by = \"12 s\" }",
        "",
        &["PAY-I1", "PAY-L1", "PAY-O1", "PAY-R1"],
    ),
    (
        "paymod/trouble/create-late",
        "The order is late at the server, so that it comes twice",
        "[[strike]]\nsite = \"link> create #1\"\nfault = { fate = \"delay\", by = \"12 s\" }",
        "",
        &["PAY-I1", "PAY-L1", "PAY-O1", "PAY-O5"],
    ),
    (
        "paymod/trouble/precreate-answer-lost",
        "The platform's answer with the pay link is lost, after its effect",
        "[[strike]]\nsite = \"pay< answer #1\"\nfault = { fate = \"reset\", at = 0 }",
        "",
        &["PAY-I1", "PAY-O1", "PAY-O5"],
    ),
    (
        "paymod/trouble/precreate-errors",
        "The platform does not know, once with and once without effect",
        "",
        "[[misbehave]]\ncall = 'precreate'\nwith = { does = 'system-error', effect = true }\n\
         [[misbehave]]\ncall = 'precreate'\nnth = 2\nwith = { does = 'no-answer', effect = false }",
        &["PAY-I1", "PAY-O1", "PAY-O3", "PAY-O5"],
    ),
    (
        "paymod/trouble/notice-never",
        "No notification comes for an hour",
        "",
        "[[misbehave]]\ncall = 'notification'\ntimes = 9\nwith = { does = 'no-answer', effect = false }",
        &["PAY-I1", "PAY-O1", "PAY-O3", "PAY-O5"],
    ),
    (
        "paymod/trouble/queries-fail",
        "No query is answered for a while",
        "",
        "[[misbehave]]\ncall = 'query'\ntimes = 9\nwith = { does = 'no-answer', effect = false }",
        &["PAY-I1", "PAY-O1", "PAY-O3", "PAY-O5"],
    ),
    (
        "paymod/trouble/notice-twice",
        "The notification comes twice, a while apart",
        "",
        "[[misbehave]]\ncall = 'notification'\nwith = { does = 'twice', after = '4 s' }",
        &["PAY-I1", "PAY-O3", "PAY-R1"],
    ),
    (
        "paymod/trouble/wrong-amounts",
        "The first notification tells of another amount, and so does the first query after it",
        "",
        "[[misbehave]]\ncall = 'notification'\nwith = { does = 'wrong-amount', by_fen = -100 }\n\
         [[misbehave]]\ncall = 'query'\nwith = { does = 'wrong-amount', by_fen = 100 }",
        &["PAY-I1", "PAY-O1", "PAY-O3"],
    ),
    (
        "paymod/trouble/killed-while-asking",
        "The server is killed when it asks the platform for an order",
        "[[strike]]\nsite = \"pay> precreate #1\"\nmoment = \"after\"\n\
         fault = { mishap = \"crash\", party = \"server\", torn = \"old\", off = \"5 s\" }",
        "",
        &["PAY-I1", "PAY-O1", "PAY-O2", "PAY-O5"],
    ),
];

/// A disk that takes longer than the way to the platform and back.
const SLOW_DISK: &str = "[journal]\nsync = \"700 ms\"\n";

const KILLED_PUSHING: &str = "[[strike]]\nsite = \"link< push #1\"\nmoment = \"after\"\n\
    fault = { mishap = \"crash\", party = \"server\", torn = \"old\", off = \"5 s\" }";

const KILLED_ASKING: &str = "[[strike]]\nsite = \"pay> precreate #1\"\nmoment = \"after\"\n\
    fault = { mishap = \"crash\", party = \"server\", torn = \"old\", off = \"5 s\" }";

/// Nobody answers a query, so that what is forgotten stays so.
const NO_QUERY: &str =
    "[[misbehave]]\ncall = 'query'\ntimes = 99\nwith = { does = 'no-answer', effect = false }";

const CANCEL_ERRORS: &str = "[[misbehave]]\ncall = 'cancel'\nwith = { does = 'system-error', effect = false }\n\
     [[misbehave]]\ncall = 'cancel'\nnth = 2\nwith = { does = 'no-answer', effect = true }";

const REFUND_ERRORS: &str = "[[misbehave]]\ncall = 'refund'\nwith = { does = 'system-error', effect = true }\n\
     [[misbehave]]\ncall = 'refund'\nnth = 2\nwith = { does = 'no-answer', effect = false }";

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = STRUCK
        .into_iter()
        .map(|(id, title, plan, misbehaviour, shows)| {
            let setup = Setup { misbehaviour, ..SETUP };
            Case { id, title, plan, shows, setup, run: |stage| stage.sold(ORDER, DRINK), ..BASE }
        })
        .collect();
    cases.extend(without_power());
    cases.extend(on_a_slow_disk());
    cases.extend([
        Case {
            id: "paymod/trouble/cancel-errors",
            title: "Nobody pays an order of Alipay, and cancelling it fails at first",
            shows: ENDS,
            setup: Setup { misbehaviour: CANCEL_ERRORS, ..SETUP },
            run: |stage| {
                stage.offered(ORDER, Terms { channel: 2, ..DRINK })?;
                stage.shown(ORDER, ENDED, Span::s(300))?;
                stage.rest()
            },
            ..BASE
        },
        Case {
            id: "paymod/trouble/paid-at-the-end",
            title: "An order is paid in the last second before it is given up, and nobody is notified",
            shows: &["PAY-I1", "PAY-O1", "PAY-O5", "PAY-R1"],
            setup: Setup {
                misbehaviour: "[[misbehave]]\ncall = 'notification'\ntimes = 9\n\
                               with = { does = 'no-answer', effect = false }",
                ..SETUP
            },
            run: |stage| {
                if stage.offered(ORDER, DRINK)? {
                    stage.pause(Span::s(118))?;
                    stage.payer(PayerStimulus::ScanAndPay)?;
                    stage.shown(ORDER, ENDED, Span::s(300))?;
                }
                stage.rest()
            },
            ..BASE
        },
    ]);
    cases
}

fn without_power() -> Vec<Case> {
    let modem = Setup { carrier: Carrier::Sim800a, ..SETUP };
    vec![
        Case {
            id: "paymod/trouble/cut-in-the-pulse",
            title: "The module loses its power while the motor turns",
            shows: &["PAY-I1", "PAY-I2", "PAY-O1", "PAY-R1"],
            run: |stage| cut_when(stage, Moment::Pulse),
            ..BASE
        },
        Case {
            id: "paymod/trouble/cut-in-the-pulse-refund-errors",
            title: "The same, and giving the money back fails at first",
            shows: &["PAY-I1", "PAY-I2", "PAY-O1", "PAY-R1"],
            setup: Setup { misbehaviour: REFUND_ERRORS, ..SETUP },
            run: |stage| cut_when(stage, Moment::Pulse),
            ..BASE
        },
        Case {
            id: "paymod/trouble/cut-after-the-pulse",
            title: "The module loses its power when the motor has turned, before anybody knows",
            shows: &["PAY-I1", "PAY-O1", "PAY-R1"],
            run: |stage| cut_when(stage, Moment::AfterPulse),
            ..BASE
        },
        Case {
            id: "paymod/trouble/cut-when-accepted",
            title: "The module loses its power when it has just answered that it has an order",
            shows: &["PAY-O2"],
            run: |stage| cut_when(stage, Moment::Accepted),
            ..BASE
        },
        Case {
            id: "paymod/trouble/cut-while-waiting",
            title: "The module has no power while its order is paid",
            shows: ENDS,
            run: |stage| cut_when(stage, Moment::Waiting),
            ..BASE
        },
        Case {
            id: "paymod/trouble/cut-while-waiting-sim800a",
            title: "The same with a modem, which goes on",
            shows: ENDS,
            setup: modem,
            run: |stage| cut_when(stage, Moment::Waiting),
            ..BASE
        },
        Case {
            id: "paymod/trouble/server-away",
            title: "The server has no power for three minutes, in which the module gives the order up",
            shows: &["PAY-I1", "PAY-L3", "PAY-O1"],
            run: server_away,
            ..BASE
        },
    ]
}

fn on_a_slow_disk() -> Vec<Case> {
    let slow = Setup { profile: SLOW_DISK, ..SETUP };
    vec![
        Case {
            id: "paymod/trouble/slow-disk-asking",
            title: "The server is killed when it asks the platform for an order, and its disk is slow",
            plan: KILLED_ASKING,
            shows: &["PAY-I1", "PAY-O1", "PAY-O2", "PAY-O5"],
            setup: slow,
            run: |stage| stage.sold(ORDER, DRINK),
            ..BASE
        },
        Case {
            id: "paymod/trouble/slow-disk-pushing",
            title: "The server is killed when it has told of a payment, its disk is slow, and no query helps",
            plan: KILLED_PUSHING,
            shows: &["PAY-O2"],
            setup: Setup { misbehaviour: NO_QUERY, ..slow },
            run: |stage| stage.sold(ORDER, DRINK),
            ..BASE
        },
    ]
}

/// When the module loses its power.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Accepted,
    Waiting,
    Pulse,
    AfterPulse,
}

fn cut_when(stage: &mut Stage, moment: Moment) -> Result<(), StageError> {
    let off = Span::s(5);
    if moment == Moment::Accepted {
        stage.pause(Span::s(60))?;
        stage.host(HostStimulus::Pay(ORDER, DRINK))?;
        let uart = stage.scene().uart;
        let answered = stage.wait_for(Span::s(1), &|entry| match entry.what {
            Seen::Sent { line, way: Way::BtoA, name, .. } => line == uart && name == "pay-answer",
            _ => false,
        })?;
        if answered {
            stage.cut_for("module", Torn::Old, off)?;
        }
    } else if stage.offered(ORDER, DRINK)? {
        stage.wait(Span::s(2))?;
        if moment == Moment::Waiting {
            stage.cut("module", Torn::Neither)?;
            stage.payer(PayerStimulus::ScanAndPay)?;
            stage.wait(off)?;
            stage.restore("module")?;
        } else {
            stage.payer(PayerStimulus::ScanAndPay)?;
            let (relay, level) = (stage.scene().relays[1], moment == Moment::Pulse);
            let turned = stage.wait_for(
                Span::s(30),
                &|entry| matches!(entry.what, Seen::Level { line, high: true, .. } if line == relay),
            )?;
            if turned {
                let over = if level { Span::ms(200) } else { DRINK_PULSE };
                stage.wait(over)?;
                stage.cut_for("module", Torn::Old, off)?;
            }
        }
    }
    stage.shown(ORDER, ENDED, Span::s(300))?;
    stage.rest()
}

/// As long as the motor turns, and no longer.
const DRINK_PULSE: Span = Span::ms(500);

fn server_away(stage: &mut Stage) -> Result<(), StageError> {
    if stage.offered(ORDER, DRINK)? {
        stage.cut("server", Torn::Neither)?;
        stage.pause(Span::s(180))?;
        stage.restore("server")?;
        stage.shown(ORDER, ENDED, Span::s(400))?;
    }
    stage.rest()
}
