//! What devices send.

use std::net::Ipv4Addr;

use super::field::{
    COMMA, CodeNumber, Fields, MachineNumber, RecordAddress, SaleTime, Seq, command, parse_amount, split,
    trimmed,
};
use super::format::FrameFormat;
use super::message::{Confirmed, Line, Malformed, Mode, Read, address, card, read, small};
use crate::card::number::CardNumber;
use crate::money::Fen;
use crate::short::Short;

/// What every message of a device begins with, and may end with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The sequence number.
    pub seq: Seq,
    /// The device's address as it prints it, which need not be where the datagram comes from.
    pub terminal: Read<Ipv4Addr>,
    /// The server's address as the device prints it.
    pub remote: Read<Ipv4Addr>,
    /// The machine.
    pub machine: MachineNumber,
    /// The hardware serial, of a newer device.
    pub serial: Option<Short>,
}

/// What a device sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceMessage {
    /// 100: it is there.
    Present {
        /// The sequence number.
        seq: Seq,
        /// Its address, mask, gateway, and the server's address, as it prints them.
        addresses: [Read<Ipv4Addr>; 4],
        /// The server's port.
        port: u16,
        /// The hardware serial.
        serial: Short,
    },
    /// 100 as a door controller of the same make words it: it is there. It bears no sequence number.
    Door {
        /// Its address, mask, gateway, and the server's address, as it prints them.
        addresses: [Read<Ipv4Addr>; 4],
        /// What a newer one says of hardware addresses.
        hardware: Option<DoorHardware>,
        /// The server's port.
        port: u16,
        /// Its number.
        number: Box<[u8]>,
        /// The hardware serial, of some newer ones.
        serial: Option<Box<[u8]>>,
    },
    /// 101: it was switched on, or was asked for its clock.
    PowerOn {
        /// The head.
        head: Head,
        /// What its clock says.
        at: Read<SaleTime>,
    },
    /// 102: a card, and nothing typed.
    Tap {
        /// The head.
        head: Head,
        /// The card.
        card: Read<CardNumber>,
    },
    /// 103: a payment by card.
    Pay {
        /// The head.
        head: Head,
        /// The card.
        card: Read<CardNumber>,
        /// How much.
        amount: Read<Fen>,
        /// When.
        at: Read<SaleTime>,
        /// A field of unknown meaning, one byte, of some devices.
        flag: Option<u8>,
    },
    /// 104: one count of a card.
    Count {
        /// The head.
        head: Head,
        /// The card.
        card: Read<CardNumber>,
        /// When.
        at: Read<SaleTime>,
        /// A field of unknown meaning, one byte, of some devices.
        flag: Option<u8>,
    },
    /// 105: a sale that was booked while the server did not answer.
    Record {
        /// The head.
        head: Head,
        /// The card.
        card: Read<CardNumber>,
        /// How much.
        amount: Read<Fen>,
        /// When.
        at: Read<SaleTime>,
        /// Of what.
        mode: Mode,
        /// Where the device keeps it.
        address: RecordAddress,
        /// How many it keeps.
        total: u32,
    },
    /// 106: keys.
    Keys {
        /// The head.
        head: Head,
        /// What was typed.
        keys: Box<[u8]>,
    },
    /// 109: an answer has come.
    Confirm {
        /// The head.
        head: Head,
        /// Which.
        what: Confirmed,
        /// What it was about; of a 009, the machine.
        key: Box<[u8]>,
    },
    /// 128: a payment by a code that was scanned.
    Scan {
        /// The head.
        head: Head,
        /// The payment's number.
        number: CodeNumber,
        /// How much.
        amount: Read<Fen>,
        /// When.
        at: Read<SaleTime>,
        /// A field of unknown meaning, where the form has it.
        flag: Option<Box<[u8]>>,
        /// What was scanned, commas included.
        code: Box<[u8]>,
    },
}

/// Hardware addresses as a newer door controller prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorHardware {
    /// The gateway's.
    pub gateway: Box<[u8]>,
    /// The server's.
    pub remote: Box<[u8]>,
    /// Which of them it goes by.
    pub flag: Box<[u8]>,
}

/// How many fields a message has up to the end of its head, the command included.
const HEAD_FIELDS: usize = 5;

/// The head of a device's message, its fields, and what stood at the end of them.
struct Body<'a, 'b> {
    head: Head,
    all: &'b [&'a [u8]],
    flag: Option<u8>,
}

impl<'a, 'b> Body<'a, 'b> {
    /// Takes a datagram apart that has so many fields without serial and flag, and that may have a flag.
    fn of(
        bytes: &'a [u8],
        all: &'b mut Fields<'a>,
        format: &FrameFormat,
        count: usize,
        flagged: bool,
    ) -> Result<Self, Malformed> {
        if !all.read(bytes) {
            return Err(Malformed::Fields);
        }
        let extra = all.len().checked_sub(count).ok_or(Malformed::Fields)?;
        // One field more is the flag if it is a single byte, and else the serial; of two, the serial is the last.
        let one_byte = all.get(count).is_some_and(|field| field.len() == 1);
        let (flag, serial) = match (extra, flagged) {
            (0, _) => (false, false),
            (1, true) if one_byte => (true, false),
            (1, _) => (false, true),
            (2, true) if one_byte => (true, true),
            _ => return Err(Malformed::Fields),
        };
        let serial = if serial { all.pop().map(Short::from) } else { None };
        let flag = if flag { all.pop().and_then(|field| field.first().copied()) } else { None };
        let all = &**all;
        let head = head(all, serial, format)?;
        Ok(Self { head, all, flag })
    }

    /// A field behind the head.
    fn field(&self, at: usize) -> &'a [u8] {
        self.all[HEAD_FIELDS + at]
    }
}

fn head(fields: &[&[u8]], serial: Option<Short>, format: &FrameFormat) -> Result<Head, Malformed> {
    let [_, seq, terminal, remote, machine, ..] = fields else { return Err(Malformed::Fields) };
    Ok(Head {
        seq: Seq::of(seq, format.seq_max).ok_or(Malformed::Seq)?,
        terminal: address(terminal),
        remote: address(remote),
        machine: MachineNumber::of(machine).ok_or(Malformed::Field)?,
        serial,
    })
}

impl DeviceMessage {
    /// Reads a datagram.
    ///
    /// Errors: [`Malformed`].
    pub fn parse(bytes: &[u8], format: &FrameFormat) -> Result<Self, Malformed> {
        if bytes.len() > format.datagram_max {
            return Err(Malformed::TooLong);
        }
        let mut fields = Fields::NONE;
        let all = &mut fields;
        match command(bytes) {
            b"100" => Self::present(bytes, format),
            b"101" => {
                let body = Body::of(bytes, all, format, 6, false)?;
                Ok(Self::PowerOn { at: read(body.field(0), SaleTime::of), head: body.head })
            }
            b"102" => {
                let body = Body::of(bytes, all, format, 6, true)?;
                Ok(Self::Tap { card: card(body.field(0)), head: body.head })
            }
            b"103" => {
                let body = Body::of(bytes, all, format, 8, true)?;
                let (amount, at) = (read(body.field(1), parse_amount), read(body.field(2), SaleTime::of));
                Ok(Self::Pay { card: card(body.field(0)), amount, at, flag: body.flag, head: body.head })
            }
            b"104" => {
                let body = Body::of(bytes, all, format, 7, true)?;
                let at = read(body.field(1), SaleTime::of);
                Ok(Self::Count { card: card(body.field(0)), at, flag: body.flag, head: body.head })
            }
            b"105" => Self::record(Body::of(bytes, all, format, 11, false)?),
            b"106" => {
                let body = Body::of(bytes, all, format, 6, false)?;
                Ok(Self::Keys { keys: body.field(0).into(), head: body.head })
            }
            b"109" => {
                let body = Body::of(bytes, all, format, 7, false)?;
                let what = Confirmed::ALL.into_iter().find(|(name, _)| *name == body.field(0));
                let (_, what) = what.ok_or(Malformed::Field)?;
                Ok(Self::Confirm { what, key: body.field(1).into(), head: body.head })
            }
            b"128" => Self::scan(bytes, format),
            _ => Err(Malformed::Command),
        }
    }

    /// The number of fields tells whose 100 it is: eight a terminal's, seven an old door controller's, ten or eleven a
    /// newer one's.
    fn present(bytes: &[u8], format: &FrameFormat) -> Result<Self, Malformed> {
        let fields = Fields::of(bytes).ok_or(Malformed::Fields)?;
        let port = |field| small(field).ok_or(Malformed::Field);
        match fields[1..] {
            [seq, terminal, mask, gateway, remote, at, serial] => Ok(Self::Present {
                seq: Seq::of(seq, format.seq_max).ok_or(Malformed::Seq)?,
                addresses: [terminal, mask, gateway, remote].map(address),
                port: port(at)?,
                serial: serial.into(),
            }),
            [door, mask, gateway, remote, at, number] => Ok(Self::Door {
                addresses: [door, mask, gateway, remote].map(address),
                hardware: None,
                port: port(at)?,
                number: number.into(),
                serial: None,
            }),
            [door, mask, gateway, near, remote, far, flag, at, number, ref serial @ ..]
                if serial.len() <= 1 =>
            {
                Ok(Self::Door {
                    addresses: [door, mask, gateway, remote].map(address),
                    hardware: Some(DoorHardware {
                        gateway: near.into(),
                        remote: far.into(),
                        flag: flag.into(),
                    }),
                    port: port(at)?,
                    number: number.into(),
                    serial: serial.first().map(|serial| (*serial).into()),
                })
            }
            _ => Err(Malformed::Fields),
        }
    }

    fn record(body: Body<'_, '_>) -> Result<Self, Malformed> {
        let mode = match body.field(3) {
            b"0" => Mode::Money,
            b"1" => Mode::Count,
            _ => return Err(Malformed::Field),
        };
        Ok(Self::Record {
            card: card(body.field(0)),
            amount: read(body.field(1), parse_amount),
            at: read(body.field(2), SaleTime::of),
            mode,
            address: RecordAddress::of(body.field(4)).ok_or(Malformed::Field)?,
            total: small(body.field(5)).ok_or(Malformed::Field)?,
            head: body.head,
        })
    }

    /// What was scanned is everything between, commas and blanks included.
    fn scan(bytes: &[u8], format: &FrameFormat) -> Result<Self, Malformed> {
        let fields: Vec<&[u8]> = split(bytes).collect();
        let first = if format.scan.flag { 9 } else { 8 };
        let last = fields.len() - usize::from(format.scan.serial);
        if last <= first {
            return Err(Malformed::Fields);
        }
        let serial = fields.get(last).map(|field| trimmed(field).into());
        let front: Vec<&[u8]> = fields[..first].iter().map(|field| trimmed(field)).collect();
        Ok(Self::Scan {
            head: head(&front, serial, format)?,
            number: CodeNumber::of(front[5]).ok_or(Malformed::Field)?,
            amount: read(front[6], parse_amount),
            at: read(front[7], SaleTime::of),
            flag: front.get(8).map(|field| (*field).into()),
            code: fields[first..last].join(&COMMA).into(),
        })
    }

    /// The head, of a message that has one.
    pub const fn head(&self) -> Option<&Head> {
        match self {
            Self::Present { .. } | Self::Door { .. } => None,
            Self::PowerOn { head, .. }
            | Self::Tap { head, .. }
            | Self::Pay { head, .. }
            | Self::Count { head, .. }
            | Self::Record { head, .. }
            | Self::Keys { head, .. }
            | Self::Confirm { head, .. }
            | Self::Scan { head, .. } => Some(head),
        }
    }

    /// The same, to be changed.
    pub const fn head_mut(&mut self) -> Option<&mut Head> {
        match self {
            Self::Present { .. } | Self::Door { .. } => None,
            Self::PowerOn { head, .. }
            | Self::Tap { head, .. }
            | Self::Pay { head, .. }
            | Self::Count { head, .. }
            | Self::Record { head, .. }
            | Self::Keys { head, .. }
            | Self::Confirm { head, .. }
            | Self::Scan { head, .. } => Some(head),
        }
    }

    /// The datagram.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut line = Line::default();
        let put_head = |line: &mut Line, command: &str, head: &Head| {
            line.text(command).bytes(head.seq.as_bytes()).read(&head.terminal).read(&head.remote);
            line.shown(head.machine);
        };
        match self {
            Self::Present { seq, addresses, port, serial } => {
                line.text("100").bytes(seq.as_bytes());
                for address in addresses {
                    line.read(address);
                }
                line.shown(*port).bytes(serial);
            }
            Self::Door { addresses: [door, mask, gateway, remote], hardware, port, number, serial } => {
                line.text("100").read(door).read(mask).read(gateway);
                match hardware {
                    None => line.read(remote),
                    Some(DoorHardware { gateway, remote: far, flag }) => {
                        line.bytes(gateway).read(remote).bytes(far).bytes(flag)
                    }
                };
                line.shown(*port).bytes(number);
                if let Some(serial) = serial {
                    line.bytes(serial);
                }
            }
            Self::PowerOn { head, at } => {
                put_head(&mut line, "101", head);
                line.read(at);
            }
            Self::Tap { head, card } => {
                put_head(&mut line, "102", head);
                line.read(card);
            }
            Self::Pay { head, card, amount, at, flag } => {
                put_head(&mut line, "103", head);
                line.read(card).read(amount).read(at).flag(*flag);
            }
            Self::Count { head, card, at, flag } => {
                put_head(&mut line, "104", head);
                line.read(card).read(at).flag(*flag);
            }
            Self::Record { head, card, amount, at, mode, address, total } => {
                put_head(&mut line, "105", head);
                line.read(card).read(amount).read(at).shown(*mode as u8).shown(*address).shown(*total);
            }
            Self::Keys { head, keys } => {
                put_head(&mut line, "106", head);
                line.bytes(keys);
            }
            Self::Confirm { head, what, key } => {
                put_head(&mut line, "109", head);
                let name = Confirmed::ALL.into_iter().find(|(_, known)| known == what);
                line.bytes(name.map_or(b"", |(name, _)| name)).bytes(key);
            }
            Self::Scan { head, number, amount, at, flag, code } => {
                put_head(&mut line, "128", head);
                line.shown(*number).read(amount).read(at);
                if let Some(flag) = flag {
                    line.bytes(flag);
                }
                line.bytes(code);
            }
        }
        if let Some(serial) = self.head().and_then(|head| head.serial.as_ref()) {
            line.bytes(serial);
        }
        line.0
    }
}
