//! What the water system writes on its cards beyond what any T5557 content has.

use crate::card::CardNumber;
use crate::card::content::CardContent;
use crate::money::Volume;
use crate::water::frame::OrderNumber;
use crate::water::tariff::Pricing;

/// The settings in block 0: RF/64, Manchester, blocks 1 to 6, no password.
const SETTINGS: u32 = 0x0014_80C0;
/// The kind of a card whose owner pays by tiers.
const TIERED: u8 = 1;
/// The kind of a card whose owner pays a flat price.
const FLAT: u8 = 0;

/// A card as it is when it is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardSpec {
    /// What it shows as sold; the ledger starts from nothing.
    pub sold: Volume,
    /// By which prices its owner buys.
    pub pricing: Pricing,
}

/// What the office writes on a card when it issues it.
pub fn issued(card: CardNumber, spec: CardSpec) -> CardContent {
    let kind = match spec.pricing {
        Pricing::Flat => FLAT,
        Pricing::Tiered => TIERED,
    };
    CardContent { card, area: 0, kind, sold: spec.sold, counter: 0, order_low: 0 }
}

/// The same card's blocks 0 to 7.
pub fn issued_blocks(card: CardNumber, spec: CardSpec) -> [u32; 8] {
    issued(card, spec).issue(SETTINGS, 0)
}

/// By which prices a card's owner buys.
pub const fn pricing(content: &CardContent) -> Pricing {
    if content.kind == TIERED { Pricing::Tiered } else { Pricing::Flat }
}

/// The content after an order was credited.
pub fn credited(content: &CardContent, sold: Volume, order: OrderNumber) -> CardContent {
    let low = u16::try_from(order.value() & 0xFFFF).unwrap_or(0);
    CardContent { sold, counter: content.counter.wrapping_add(1), order_low: low, ..*content }
}
