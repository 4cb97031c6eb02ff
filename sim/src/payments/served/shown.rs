//! The state of a backend as JSON, for the page and for programs at the desk.

use serde_json::{Value, json};

use crate::payments::backend::Backend;
use crate::payments::ledger::{Order, OrderId};
use crate::payments::log::Logged;
use crate::payments::notice::{Notice, Standing};
use crate::payments::watch::Finding;
use crate::time::{Now, Wall};

/// How many orders are shown, the newest first.
const ORDERS_SHOWN: usize = 200;

/// How many requests are shown, the newest first.
const REQUESTS_SHOWN: usize = 100;

/// Everything that there is to see, the newest first.
pub(super) fn state(backend: &Backend, now: Now) -> Value {
    let ledger = backend.ledger();
    let orders = ledger.orders().iter().rev().take(ORDERS_SHOWN);
    let payers = ledger
        .payers()
        .map(|payer| json!({ "id": payer.id, "balance_fen": payer.balance.0, "manner": payer.manner }));
    let unreached = backend.plan().unreached().map(|strike| {
        json!({ "call": strike.call.as_str(), "nth": strike.nth, "seen": strike.seen, "with": strike.with.to_string() })
    });
    json!({
        "now_us": now.mono.as_us(),
        "requests": backend.log().count(),
        "orders": orders.map(order_shown).collect::<Vec<_>>(),
        "payers": payers.collect::<Vec<_>>(),
        "log": backend.log().iter().rev().take(REQUESTS_SHOWN).map(logged_shown).collect::<Vec<_>>(),
        "findings": backend.watch().findings().rev().map(finding_shown).collect::<Vec<_>>(),
        "notices": backend.notices().iter().rev()
            .map(|(_, notice)| notice_shown(notice, ledger.order(notice.order))).collect::<Vec<_>>(),
        "unreached": unreached.collect::<Vec<_>>(),
    })
}

/// One order's trail, the oldest first.
pub(super) fn trail(backend: &Backend, id: OrderId) -> Value {
    let entries = backend.ledger().trail().iter().filter(|entry| entry.order == id);
    entries.map(|entry| json!({ "at_us": entry.at.as_us(), "deed": entry.deed.to_string() })).collect()
}

fn order_shown(order: &Order) -> Value {
    json!({
        "platform": order.platform.as_str(),
        "house": order.house(),
        "merchant": order.merchant,
        "number": order.terms.number,
        "transaction": order.transaction,
        "amount_fen": order.terms.amount.0,
        "refunded_fen": order.refunded.0,
        "subject": order.terms.subject,
        "state": order.state.as_str(),
        "scanned": order.is_scanned(),
        "payer": order.payer,
        "made": stamp(order.made_wall),
    })
}

fn logged_shown(logged: &Logged) -> Value {
    json!({
        "ordinal": logged.ordinal,
        "at": stamp(logged.wall),
        "target": logged.target,
        "platform": logged.platform.map(|platform| platform.as_str()),
        "call": logged.kind.map(|kind| kind.as_str()),
        "merchant": logged.merchant,
        "order": logged.order,
        "signature": logged.signature.as_str(),
        "why": logged.why,
        "status": logged.status,
        "request": logged.request,
        "answer": logged.answer,
    })
}

fn finding_shown(finding: &Finding) -> Value {
    json!({
        "requirement": "BKD-6",
        "what": finding.what.as_str(),
        "platform": finding.platform.as_str(),
        "merchant": finding.merchant,
        "order": finding.order,
        "amount_fen": finding.amount.map(|amount| amount.0),
        "words": finding.words,
        "at_us": finding.at.as_us(),
    })
}

fn notice_shown(notice: &Notice, order: &Order) -> Value {
    let standing = match notice.standing {
        Standing::Due(at) => format!("due at {at}"),
        Standing::UnderWay(_) => "under way".to_owned(),
        Standing::Taken => "taken".to_owned(),
        Standing::GivenUp => "given up".to_owned(),
    };
    json!({
        "id": notice.id,
        "order": order.terms.number,
        "merchant": order.merchant,
        "url": notice.url,
        "tries": notice.tries,
        "standing": standing,
        "trouble": notice.trouble,
    })
}

/// A point of the calendar as the page shows it, in Beijing's time as the platforms' own pages do.
fn stamp(wall: Wall) -> String {
    let digits = wall.stepped(8 * 3_600_000_000).digits();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("00");
    format!("{}-{}-{} {}:{}:{}", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
}
