//! What water costs, in integers: the flat and the tiered price table.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::money::{Fen, Volume};

/// By which price table an order is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pricing {
    /// One price for every tonne: message types 00 to 06.
    Flat,
    /// A price that rises with what the card has bought: message types 10 to 16.
    Tiered,
}

/// One step of the tiered price table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Up to how much water that a card has bought in all this price holds; the last tier has no end.
    ///
    /// Units: tonnes.
    pub up_to_tonnes: Option<u32>,
    /// The price of a tonne.
    pub fen_per_tonne: u32,
}

/// Both price tables as a profile states them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceTables {
    flat_fen_per_tonne: u32,
    tiers: Vec<Tier>,
}

/// Price tables that cannot be sold by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UnsoundTariff {
    /// A tonne that costs nothing.
    #[error("a price is zero")]
    NoPrice,
    /// Some volume has no price.
    #[error("the last tier must have no end, and there must be one")]
    TopBounded,
    /// A tier that has no end, or none above the tier before it, is followed by another.
    #[error("tier {0}, counted from one, does not end above the tier before it")]
    NotRising(usize),
}

/// Both price tables.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PriceTables")]
pub struct Tariff {
    flat: [Tier; 1],
    tiers: Vec<Tier>,
}

impl TryFrom<PriceTables> for Tariff {
    type Error = UnsoundTariff;
    fn try_from(tables: PriceTables) -> Result<Self, UnsoundTariff> {
        Self::new(tables.flat_fen_per_tonne, tables.tiers)
    }
}

impl Tariff {
    /// The tables of these prices.
    ///
    /// Errors: [`UnsoundTariff`] unless every price is above zero, and the tiers rise and the last has no end.
    pub fn new(flat_fen_per_tonne: u32, tiers: Vec<Tier>) -> Result<Self, UnsoundTariff> {
        let flat = [Tier { up_to_tonnes: None, fen_per_tonne: flat_fen_per_tonne }];
        if flat.iter().chain(&tiers).any(|tier| tier.fen_per_tonne == 0) {
            return Err(UnsoundTariff::NoPrice);
        }
        let Some((top, below)) = tiers.split_last() else {
            return Err(UnsoundTariff::TopBounded);
        };
        if top.up_to_tonnes.is_some() {
            return Err(UnsoundTariff::TopBounded);
        }
        let mut reached = 0;
        for (index, tier) in below.iter().enumerate() {
            match tier.up_to_tonnes {
                Some(end) if end > reached => reached = end,
                _ => return Err(UnsoundTariff::NotRising(index + 1)),
            }
        }
        Ok(Self { flat, tiers })
    }

    /// The steps of a table.
    pub fn tiers(&self, pricing: Pricing) -> &[Tier] {
        match pricing {
            Pricing::Flat => &self.flat,
            Pricing::Tiered => &self.tiers,
        }
    }

    /// What some money buys for a card that has bought `bought` before, and what is left of the money; `None` if no
    /// card could ever show that much water.
    ///
    /// The volume is rounded down to a hundredth of a tonne. What it costs is rounded up to a whole fen, so that cost
    /// and remainder are together exactly the money.
    ///
    /// Source: WAT-P1. Why `bought`: a tier's place is decided by all that the ledger ever sold to the card.
    pub fn volume_for(&self, pricing: Pricing, money: Fen, bought: Volume) -> Option<(Volume, Fen)> {
        let tiers = self.tiers(pricing);
        // A hundredth of a tonne costs a hundredth of the price, so hundredths of a fen come out even.
        let budget = u128::try_from(money.0).unwrap_or(0) * 100;
        let start = u128::from(bought.0);
        let (mut left, mut reached) = (budget, start);
        for tier in tiers {
            let price = u128::from(tier.fen_per_tonne);
            let affordable = left / price;
            let room = tier.up_to_tonnes.map(|end| (u128::from(end) * 100).saturating_sub(reached));
            let taken = room.map_or(affordable, |room| room.min(affordable));
            left -= taken * price;
            reached += taken;
            if room.is_none_or(|room| taken < room) {
                break;
            }
        }
        let spent_fen = (budget - left).div_ceil(100);
        let volume = Volume(u32::try_from(reached - start).ok()?);
        Some((volume, Fen(money.0 - i64::try_from(spent_fen).ok()?)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tables of the built-in profile: flat 3.50, tiers 3.00 to 15 t, 4.50 to 25 t, 9.00 above.
    pub(crate) fn profile_tariff() -> Tariff {
        #[derive(Deserialize)]
        struct Profile {
            tariff: Tariff,
        }
        let profile: Profile = toml::from_str(include_str!("../../../fixtures/profiles/water.toml")).unwrap();
        profile.tariff
    }

    fn bought(pricing: Pricing, money_fen: i64, before: u32) -> (u32, i64) {
        let (volume, left) = profile_tariff().volume_for(pricing, Fen(money_fen), Volume(before)).unwrap();
        (volume.0, left.0)
    }

    #[test]
    fn the_flat_price_rounds_volume_down_and_keeps_the_rest() {
        assert_eq!(bought(Pricing::Flat, 350, 0), (100, 0));
        // 12.50 t cost 43.75 yuan.
        assert_eq!(bought(Pricing::Flat, 4_375, 9_999), (1_250, 0));
        assert_eq!(bought(Pricing::Flat, 4_374, 0), (1_249, 2));
        assert_eq!(bought(Pricing::Flat, 4_376, 0), (1_250, 1));
        // A hundredth of a tonne costs 3.5 fen: three buy nothing, four buy one and nothing is left.
        assert_eq!(bought(Pricing::Flat, 3, 0), (0, 3));
        assert_eq!(bought(Pricing::Flat, 4, 0), (1, 0));
        assert_eq!(bought(Pricing::Flat, 7, 0), (2, 0));
        assert_eq!(bought(Pricing::Flat, 0, 0), (0, 0));
    }

    #[test]
    fn tiers_go_by_what_the_card_bought_before() {
        assert_eq!(bought(Pricing::Tiered, 300, 0), (100, 0));
        // 15 t at 3.00 are 45.00; the next tonne costs 4.50.
        assert_eq!(bought(Pricing::Tiered, 4_500, 0), (1_500, 0));
        assert_eq!(bought(Pricing::Tiered, 4_950, 0), (1_600, 0));
        assert_eq!(bought(Pricing::Tiered, 450, 1_500), (100, 0));
        assert_eq!(bought(Pricing::Tiered, 300, 1_499), (67, 0));
        // 15 t and 10 t and 1 t: 45.00 + 45.00 + 9.00.
        assert_eq!(bought(Pricing::Tiered, 9_900, 0), (2_600, 0));
        assert_eq!(bought(Pricing::Tiered, 9_908, 0), (2_600, 8));
        assert_eq!(bought(Pricing::Tiered, 900, 100_000), (100, 0));
        // 0.01 t at 3.00 and 0.65 t at 4.50 come to 295.5 fen, of which 296 are charged; 0.66 t would be 300.
        assert_eq!(bought(Pricing::Tiered, 299, 1_499), (66, 3));
    }

    #[test]
    fn what_no_card_can_show_is_not_sold() {
        let tariff = profile_tariff();
        // u32::MAX hundredths cost 15,032,385,532.5 fen.
        let most = Fen(15_032_385_533);
        assert_eq!(tariff.volume_for(Pricing::Flat, most, Volume(0)), Some((Volume(u32::MAX), Fen(0))));
        assert_eq!(tariff.volume_for(Pricing::Flat, Fen(15_032_385_536), Volume(0)), None);
        assert_eq!(tariff.volume_for(Pricing::Tiered, Fen(i64::MAX), Volume(0)), None);
        assert_eq!(tariff.volume_for(Pricing::Flat, Fen(-5), Volume(0)), Some((Volume(0), Fen(-5))));
    }

    #[test]
    fn unsound_tables_are_refused() {
        let tier = |up_to_tonnes, fen_per_tonne| Tier { up_to_tonnes, fen_per_tonne };
        let new = |tiers: &[Tier]| Tariff::new(350, tiers.to_vec()).map(|_| ());
        assert_eq!(new(&[tier(Some(5), 1), tier(Some(6), 1), tier(None, 1)]), Ok(()));
        assert_eq!(new(&[]), Err(UnsoundTariff::TopBounded));
        assert_eq!(new(&[tier(Some(5), 1)]), Err(UnsoundTariff::TopBounded));
        assert_eq!(
            new(&[tier(Some(5), 1), tier(Some(5), 1), tier(None, 1)]),
            Err(UnsoundTariff::NotRising(2))
        );
        assert_eq!(new(&[tier(None, 1), tier(None, 1)]), Err(UnsoundTariff::NotRising(1)));
        assert_eq!(new(&[tier(Some(5), 0), tier(None, 1)]), Err(UnsoundTariff::NoPrice));
        assert_eq!(Tariff::new(0, vec![tier(None, 1)]), Err(UnsoundTariff::NoPrice));
    }

    proptest! {
        #[test]
        fn no_fen_is_lost_and_no_hundredth_more_was_affordable(money in 0_i64..2_000_000, before in 0_u32..4_000) {
            for pricing in [Pricing::Flat, Pricing::Tiered] {
                let (volume, left) = bought(pricing, money, before);
                prop_assert!((0..9).contains(&left), "{}", left);
                let (less, _) = bought(pricing, money - left, before);
                prop_assert_eq!(less, volume);
            }
        }
    }
}
