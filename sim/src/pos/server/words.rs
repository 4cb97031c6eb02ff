//! What people are shown, as GBK.

use crate::money::Fen;
use crate::pos::books::{Account, Refusal, Sold};
use crate::pos::frame::text::encode;

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
    encode(&match sold {
        Sold::Money(..) => format!("余额\\n{{{}}}", Fen(left)),
        Sold::Count(_) => format!("剩余次数\\n{{{left}}}"),
        Sold::Code(_, _, amount) => format!("支付成功\\n{{{amount}}}"),
    })
}

/// That the platform is being asked.
pub(super) fn in_progress() -> Vec<u8> {
    encode("{请稍候}")
}

/// What is on a card.
pub(super) fn balance(account: Option<Account>) -> Vec<u8> {
    encode(&match account {
        Some(Account { balance, .. }) => format!("余额\\n{{{balance}}}"),
        None => "无此卡".to_owned(),
    })
}

/// The amount that an answer names: nothing for a count.
pub(super) const fn amount(sold: &Sold) -> Fen {
    match sold {
        Sold::Money(_, amount) | Sold::Code(_, _, amount) => *amount,
        Sold::Count(_) => Fen(0),
    }
}
