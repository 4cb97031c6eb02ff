//! How fields are written: the same text as shown to people, without the detour over formatting.

use std::io::Write as _;
use std::net::Ipv4Addr;

use super::field::{CodeNumber, MachineNumber, RecordAddress, SaleTime};
use crate::card::number::CardNumber;
use crate::money::Fen;

/// A value that is a field of a datagram.
pub(super) trait Field {
    /// Adds its text.
    fn put(&self, into: &mut Vec<u8>);
}

/// The most digits that a number has.
const DIGITS_MAX: usize = 20;

/// A number in digits, with zeros before it if it has fewer than `least`.
fn digits(mut number: u64, least: usize, into: &mut Vec<u8>) {
    let mut text = [b'0'; DIGITS_MAX];
    let mut from = DIGITS_MAX;
    while number > 0 && from > 0 {
        from -= 1;
        text[from] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    into.extend_from_slice(&text[from.min(DIGITS_MAX - least)..]);
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Field for $number {
            fn put(&self, into: &mut Vec<u8>) {
                digits(u64::from(*self), 1, into);
            }
        })*
    };
}

macro_rules! padded {
    ($($number:ty),*) => {
        $(impl Field for $number {
            fn put(&self, into: &mut Vec<u8>) {
                digits(u64::from(self.get()), Self::DIGITS, into);
            }
        })*
    };
}

numbers!(u8, u16, u32);
padded!(MachineNumber, CodeNumber, RecordAddress);

impl Field for Fen {
    fn put(&self, into: &mut Vec<u8>) {
        if self.0 < 0 {
            into.push(b'-');
        }
        digits(self.0.unsigned_abs() / 100, 1, into);
        into.push(b'.');
        digits(self.0.unsigned_abs() % 100, 2, into);
    }
}

impl Field for CardNumber {
    fn put(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.digits());
    }
}

impl Field for Ipv4Addr {
    fn put(&self, into: &mut Vec<u8>) {
        for (place, part) in self.octets().into_iter().enumerate() {
            if place > 0 {
                into.push(b'.');
            }
            part.put(into);
        }
    }
}

impl Field for SaleTime {
    fn put(&self, into: &mut Vec<u8>) {
        let (year, parts) = self.wall().parts();
        let Ok(year) = u64::try_from(year) else {
            // Nothing that is written to memory fails.
            let _done = write!(into, "{self}");
            return;
        };
        digits(year, 4, into);
        for (separator, part) in [b'-', b'-', b' ', b':', b':'].into_iter().zip(parts) {
            into.push(separator);
            digits(u64::from(part.unsigned_abs()), 2, into);
        }
    }
}

/// An amount as a text for people shows it, which is how a field shows it.
pub(in crate::pos) fn put_amount(amount: Fen, into: &mut Vec<u8>) {
    amount.put(into);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Wall;

    fn written(field: &impl Field) -> String {
        let mut bytes = Vec::new();
        field.put(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn fields_are_written_as_they_are_shown(
            fen in prop_oneof![any::<i64>(), -300..300_i64],
            number in any::<u32>(),
            small in any::<u16>(),
            us in prop_oneof![any::<i64>(), 0..4_102_444_800_000_000_i64],
            bcd in any::<[u8; 5]>(),
        ) {
            prop_assert_eq!(written(&Fen(fen)), Fen(fen).to_string());
            prop_assert_eq!(written(&number), number.to_string());
            prop_assert_eq!(written(&small), small.to_string());
            prop_assert_eq!(written(&MachineNumber::new(number)), MachineNumber::new(number).to_string());
            prop_assert_eq!(written(&CodeNumber::new(number)), CodeNumber::new(number).to_string());
            prop_assert_eq!(written(&RecordAddress::new(number)), RecordAddress::new(number).to_string());
            let address = Ipv4Addr::from(number);
            prop_assert_eq!(written(&address), address.to_string());
            let time = SaleTime::at(Wall::from_us(us));
            prop_assert_eq!(written(&time), time.to_string());
            if let Ok(card) = CardNumber::from_bcd(bcd) {
                prop_assert_eq!(written(&card), card.to_string());
            }
        }
    }
}
