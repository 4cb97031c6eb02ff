//! Payments from the tap to the end.

use super::{BASE, CARD, WHITE};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[Case {
    id: "pos/payment/clean",
    title: "two cards pay, and a third sale is paid by code",
    shows: &["POS-I1", "POS-R6"],
    run: clean,
    explored: true,
    ..BASE
}];

fn clean(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pay(0, "5.50", CARD)?;
    stage.pay(0, "1.20", WHITE)?;
    stage.pay_by_code(0, "3.00", "134567890123456789")?;
    stage.rest()
}
