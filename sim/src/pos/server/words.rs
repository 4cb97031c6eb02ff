//! What people are shown, as GBK.

use crate::money::Fen;
use crate::pos::books::{Account, Refusal, Sold};
use crate::pos::frame::put_amount;
use crate::pos::frame::text::encode;

/// What is left on a card, as every answer says it: 余额, and a new line.
const LEFT: &[u8] = b"\xD3\xE0\xB6\xEE\\n";

/// Why a sale was refused.
pub(super) fn refusal(why: Refusal) -> Vec<u8> {
    encode(match why {
        Refusal::BadAmount => "金额有误",
        Refusal::BadTime => "时间有误",
        Refusal::UnknownCard => "无此卡",
        Refusal::LostCard => "卡已挂失",
        Refusal::ExpiredCard => "卡已过期",
        Refusal::TooLittle => "余额不足",
        Refusal::NoCounts => "次数不足",
        Refusal::Declined => "支付失败",
    })
}

/// That a sale was made, and what was left then.
pub(super) fn made(sold: &Sold, left: i64) -> Vec<u8> {
    match sold {
        Sold::Money(..) => left_on_card(Fen(left)),
        Sold::Count(_) => encode(&format!("剩余次数\\n{{{left}}}")),
        Sold::Code(_, _, amount) => encode(&format!("支付成功\\n{{{amount}}}")),
    }
}

/// That the platform is being asked.
pub(super) fn in_progress() -> Vec<u8> {
    encode("{请稍候}")
}

/// What is on a card.
pub(super) fn balance(account: Option<Account>) -> Vec<u8> {
    match account {
        Some(Account { balance, .. }) => left_on_card(balance),
        None => encode("无此卡"),
    }
}

/// `余额\n{5.50}`.
fn left_on_card(amount: Fen) -> Vec<u8> {
    let mut text = Vec::with_capacity(32);
    text.extend_from_slice(LEFT);
    text.push(b'{');
    put_amount(amount, &mut text);
    text.push(b'}');
    text
}

/// The amount that an answer names: nothing for a count.
pub(super) const fn amount(sold: &Sold) -> Fen {
    match sold {
        Sold::Money(_, amount) | Sold::Code(_, _, amount) => *amount,
        Sold::Count(_) => Fen(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_written_in_gbk() {
        for fen in [0, 5, -1, 123_456] {
            assert_eq!(left_on_card(Fen(fen)), encode(&format!("余额\\n{{{}}}", Fen(fen))));
        }
    }
}
