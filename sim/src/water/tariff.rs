//! What water costs, in integers: the flat and the tiered price table.

use serde::{Deserialize, Serialize};

/// By which price table an order is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pricing {
    /// One price for every tonne: message types 00 to 06.
    Flat,
    /// A price that rises with what the card has bought: message types 10 to 16.
    Tiered,
}
