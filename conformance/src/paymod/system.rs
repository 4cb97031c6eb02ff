//! Orders that go well, and orders that nobody pays.

use assay_sim::paymod::frame::{OrderNumber, Terms, status};
use assay_sim::paymod::host::HostStimulus;
use assay_sim::paymod::plant::Carrier;
use assay_sim::paymod::platform::PayerStimulus;
use assay_sim::time::Span;

use super::stage::{DRINK, ENDED, ORDER};
use super::{BASE, Case, SETUP, Setup, Stage};
use crate::stage::StageError;

/// What every order that is paid shows.
const PAID: &[&str] =
    &["PAY-I1", "PAY-I2", "PAY-L4", "PAY-O1", "PAY-O2", "PAY-O3", "PAY-O5", "PAY-R1", "PAY-U1"];
/// What every order that nobody pays shows.
const UNPAID: &[&str] = &["PAY-I1", "PAY-I2", "PAY-O1", "PAY-O2", "PAY-O5"];

const GCM: &str = "[module]\ncipher = \"gcm\"\n[server]\ncipher = \"gcm\"\n";

/// A payment that comes when the order has been cancelled.
const LATE: &str = "[[misbehave]]\ncall = 'cancel'\nwith = { does = 'late-success', after = '5 s' }";

pub(super) fn cases() -> Vec<Case> {
    [paid(), unpaid()].concat()
}

/// Orders that are paid when their link is shown.
fn paid() -> Vec<Case> {
    let modem = Setup { carrier: Carrier::Sim800a, ..SETUP };
    vec![
        Case {
            id: "paymod/order/alipay",
            title: "An order is paid with Alipay",
            shows: PAID,
            run: |stage| stage.sold(ORDER, Terms { channel: 2, ..DRINK }),
            ..BASE
        },
        Case {
            id: "paymod/order/gcm",
            title: "The link is sealed with AES-128-GCM",
            shows: PAID,
            setup: Setup { profile: GCM, ..SETUP },
            run: |stage| stage.sold(ORDER, DRINK),
            ..BASE
        },
        Case {
            id: "paymod/order/paid",
            title: "An order is paid with WeChat Pay and delivered",
            shows: PAID,
            run: |stage| stage.sold(ORDER, DRINK),
            explored: true,
            ..BASE
        },
        Case {
            id: "paymod/order/same-number",
            title: "The vending machine asks for one order again and again, and once more when it has ended",
            shows: &["PAY-I1", "PAY-R1", "PAY-U2"],
            run: repeated,
            ..BASE
        },
        Case {
            id: "paymod/order/sim800a",
            title: "The link goes through a SIM800A",
            shows: PAID,
            setup: modem,
            run: |stage| stage.sold(ORDER, DRINK),
            explored: true,
            ..BASE
        },
        Case {
            id: "paymod/order/two-on-one-relay",
            title: "Two orders for one motor are paid together, and it turns twice, one after the other",
            shows: PAID,
            run: two,
            ..BASE
        },
        Case {
            id: "paymod/order/without-relay",
            title: "An order is paid that switches nothing",
            shows: &["PAY-I2", "PAY-O1", "PAY-O2", "PAY-O3", "PAY-O5", "PAY-U1"],
            run: |stage| stage.sold(ORDER, Terms { relay: 0, pulse_ms: 0, ..DRINK }),
            ..BASE
        },
    ]
}

/// Orders that nobody pays, or not in time, or that cannot be made.
fn unpaid() -> Vec<Case> {
    vec![
        Case {
            id: "paymod/order/cancelled",
            title: "An order of WeChat Pay is cancelled at the vending machine, and closed when the platform says so",
            shows: UNPAID,
            run: |stage| cancelled(stage, 1),
            ..BASE
        },
        Case {
            id: "paymod/order/cancelled-and-paid",
            title: "A customer pays an order of WeChat Pay that has just been cancelled and cannot be closed yet",
            shows: PAID,
            run: |stage| {
                if stage.offered(ORDER, DRINK)? {
                    stage.wait(Span::s(2))?;
                    stage.payer(PayerStimulus::Scan)?;
                    stage.host(HostStimulus::Cancel(ORDER))?;
                    stage.wait(Span::s(4))?;
                    stage.payer(PayerStimulus::Pay)?;
                    stage.shown(ORDER, ENDED, Span::s(200))?;
                }
                stage.rest()
            },
            ..BASE
        },
        Case {
            id: "paymod/order/cancelled-and-paid-late",
            title: "An order of Alipay is cancelled, is paid all the same, and the money goes back",
            shows: UNPAID,
            setup: Setup { misbehaviour: LATE, ..SETUP },
            run: |stage| cancelled(stage, 2),
            ..BASE
        },
        Case {
            id: "paymod/order/over-the-limit",
            title: "An order is larger than the server takes, and the platform is not asked for it",
            shows: &["PAY-I2", "PAY-L2", "PAY-O1"],
            run: too_large,
            ..BASE
        },
        Case {
            id: "paymod/order/unpaid",
            title: "Nobody pays an order of WeChat Pay",
            shows: UNPAID,
            run: |stage| left(stage, DRINK),
            ..BASE
        },
        Case {
            id: "paymod/order/unpaid-alipay",
            title: "Somebody scans an order of Alipay and does not pay",
            shows: UNPAID,
            run: |stage| left(stage, Terms { channel: 2, ..DRINK }),
            explored: true,
            ..BASE
        },
    ]
}

fn cancelled(stage: &mut Stage, channel: u8) -> Result<(), StageError> {
    if stage.offered(ORDER, Terms { channel, ..DRINK })? {
        stage.wait(Span::s(2))?;
        stage.payer(PayerStimulus::Scan)?;
        stage.wait(Span::s(2))?;
        stage.host(HostStimulus::Cancel(ORDER))?;
        stage.shown(ORDER, ENDED, Span::s(200))?;
    }
    stage.rest()
}

fn too_large(stage: &mut Stage) -> Result<(), StageError> {
    stage.offered(ORDER, Terms { amount: 100_001, ..DRINK })?;
    stage.rest()
}

fn repeated(stage: &mut Stage) -> Result<(), StageError> {
    if stage.offered(ORDER, DRINK)? {
        stage.host(HostStimulus::Pay(ORDER, DRINK))?;
        stage.wait(Span::s(2))?;
        stage.payer(PayerStimulus::ScanAndPay)?;
        stage.wait(Span::ms(100))?;
        stage.host(HostStimulus::Pay(ORDER, DRINK))?;
        stage.wait(Span::s(20))?;
        stage.host(HostStimulus::Pay(ORDER, DRINK))?;
        stage.host(HostStimulus::Query(ORDER))?;
        stage.wait(Span::s(20))?;
    }
    stage.rest()
}

fn two(stage: &mut Stage) -> Result<(), StageError> {
    let other = OrderNumber::of(1_043);
    let long = Terms { pulse_ms: 4_000, ..DRINK };
    if stage.offered(ORDER, long)? {
        stage.host(HostStimulus::Pay(other, Terms { amount: 990, ..long }))?;
        stage.shown(other, &[status::LINK_READY], Span::s(30))?;
        stage.payer(PayerStimulus::ScanAndPay)?;
        stage.payer(PayerStimulus::ScanAndPay)?;
        stage.shown(other, ENDED, Span::s(60))?;
    }
    stage.rest()
}

fn left(stage: &mut Stage, terms: Terms) -> Result<(), StageError> {
    if stage.offered(ORDER, terms)? && terms.channel == 2 {
        stage.wait(Span::s(2))?;
        stage.payer(PayerStimulus::Scan)?;
    }
    stage.shown(ORDER, ENDED, Span::s(300))?;
    stage.rest()
}
