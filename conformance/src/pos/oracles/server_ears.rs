//! What can be held against the POS server: when it lost its memory, when it hung, and who asked it for which sale.
//!
//! Source: the table "One sale, however it is told" of the protocol page.

use assay_sim::fault::{Fault, Mishap};
use assay_sim::pos::books::{Device, SaleId, Sold};
use assay_sim::pos::frame::{DeviceMessage, Head, Mode};
use assay_sim::pos::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::{Instant, Span};

use super::wire::{Passed, Passing, Told};
use crate::pos::scene::Scene;

/// What the server went through.
#[derive(Clone, Debug, Default)]
pub struct Calm {
    /// How often it lost its memory.
    pub restarts: u32,
    /// Until when it takes no input.
    hung_until: Instant,
    /// By how much its calendar clock was stepped.
    pub stepped_us: i64,
    /// The first datagram that was no message since the server said anything: it may have been the end of it, and then
    /// that is all that its silence shows.
    pub mute: Option<u64>,
}

/// What befell the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upset {
    /// Nothing.
    None,
    /// It forgot what is not durable, and whatever it was about to do.
    Restarted,
    /// It did not get some of what came.
    Deaf,
}

impl Calm {
    /// Takes note of an entry; what it did to the server.
    pub fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) -> Upset {
        if let Some(passed) = Passed::of(entry, scene) {
            match (passed.told, passed.up, passed.passing) {
                (Told::Junk(_), true, Passing::Heard) => drop(self.mute.get_or_insert(passed.ordinal)),
                (_, false, Passing::Sent) => self.mute = None,
                _ => {}
            }
        }
        match &entry.what {
            Seen::Power { supply, on: false } if *supply == scene.server_supply => self.restarted(),
            Seen::Overrun { seat } if *seat == scene.server => Upset::Deaf,
            Seen::Struck { strike } => match scene.plan.strikes.get(*strike).map(|strike| &strike.fault) {
                Some(Fault::Mishap(mishap)) if mishap.victim() == "server" => self.befell(mishap, entry.at),
                _ => Upset::None,
            },
            _ => Upset::None,
        }
    }

    fn befell(&mut self, mishap: &Mishap, at: Instant) -> Upset {
        match mishap {
            Mishap::PowerCut { .. } | Mishap::Crash { .. } => self.restarted(),
            Mishap::Hang { span, .. } => {
                self.hung_until = self.hung_until.max(at + *span);
                Upset::None
            }
            Mishap::StepWallClock { by_s, .. } => {
                self.stepped_us = self.stepped_us.saturating_add(by_s.saturating_mul(1_000_000));
                Upset::None
            }
            _ => Upset::None,
        }
    }

    fn restarted(&mut self) -> Upset {
        self.restarts += 1;
        self.mute = None;
        self.hung_until = Instant::ZERO;
        Upset::Restarted
    }

    /// Until when something is due that is due a span after `at`.
    pub fn due(&self, at: Instant, within: Span) -> Instant {
        at.max(self.hung_until) + within
    }

    /// Whether the server took no input at this time.
    pub fn hung(&self, at: Instant) -> bool {
        at < self.hung_until
    }
}

/// Who sent a message: by its serial where it bears one, and else by its number.
pub fn device_of(head: &Head) -> Device {
    match &head.serial {
        Some(serial) => Device::Serial(serial.clone()),
        None => Device::Machine(head.machine),
    }
}

/// Why what was asked for can never be a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unsound {
    /// The amount is none.
    Amount,
    /// The card's number is none.
    Card,
    /// There is no such time.
    Time,
}

/// The sale that a message is about, if it is a 103, 104, 105 or 128.
pub fn sale_of(message: &DeviceMessage) -> Option<Result<SaleId, Unsound>> {
    let (head, sold, at) = match message {
        DeviceMessage::Pay { head, card, amount, at, .. } => {
            let sold = match (card, amount) {
                (_, Err(_)) => Err(Unsound::Amount),
                (Err(_), _) => Err(Unsound::Card),
                (Ok(card), Ok(amount)) => Ok(Sold::Money(*card, *amount)),
            };
            (head, sold, at)
        }
        DeviceMessage::Count { head, card, at, .. } => {
            (head, card.as_ref().map(|card| Sold::Count(*card)).map_err(|_| Unsound::Card), at)
        }
        DeviceMessage::Record { head, card, amount, at, mode, .. } => {
            let sold = match (card, amount, mode) {
                (_, Err(_), _) => Err(Unsound::Amount),
                (Err(_), ..) => Err(Unsound::Card),
                (Ok(card), Ok(amount), Mode::Money) => Ok(Sold::Money(*card, *amount)),
                (Ok(card), Ok(_), Mode::Count) => Ok(Sold::Count(*card)),
            };
            (head, sold, at)
        }
        DeviceMessage::Scan { head, number, amount, at, code, .. } => {
            let sold = amount.as_ref().map(|amount| Sold::Code(*number, code.clone(), *amount));
            (head, sold.map_err(|_| Unsound::Amount), at)
        }
        _ => return None,
    };
    Some(match (sold, at) {
        (Ok(sold), Ok(at)) => Ok(SaleId { device: device_of(head), at: *at, sold }),
        (Ok(_), Err(_)) => Err(Unsound::Time),
        (Err(why), _) => Err(why),
    })
}

/// A sale in words: `5.50 from card 8888888888 at 2024-01-02 03:05:00`.
pub fn in_words(id: &SaleId) -> String {
    match &id.sold {
        Sold::Money(card, amount) => format!("{amount} from card {card} at {}", id.at),
        Sold::Count(card) => format!("one count of card {card} at {}", id.at),
        Sold::Code(number, _, amount) => format!("{amount} by code, number {number}, at {}", id.at),
    }
}

/// Whether a message has not the form of the newer devices, which bear a serial and nothing of unknown meaning.
pub fn is_variant(message: &DeviceMessage, scene: &Scene) -> bool {
    let form = scene.profile.frame.scan;
    match message {
        DeviceMessage::Pay { head, flag, .. } | DeviceMessage::Count { head, flag, .. } => {
            head.serial.is_none() || flag.is_some()
        }
        DeviceMessage::Scan { .. } => !form.flag || !form.serial,
        other => other.head().is_some_and(|head| head.serial.is_none()),
    }
}
