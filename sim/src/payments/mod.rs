//! Payment platforms as merchants' software sees them: WeChat Pay and Alipay.

pub mod crypto;
