//! Datagrams as they enter and leave the packet paths, read as what they mean.

use assay_sim::money::Fen;
use assay_sim::pos::books::Sold;
use assay_sim::pos::frame::{DeviceMessage, Key, Malformed, ServerMessage};
use assay_sim::pos::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;

use crate::pos::scene::Scene;

/// What a datagram says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What a device sends.
    Device(DeviceMessage),
    /// What a server sends.
    Server(ServerMessage),
    /// No message of the side that it came from.
    Junk(Malformed),
}

/// Where a datagram was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Its sender let go of it.
    Sent,
    /// Its receiver got it.
    Heard,
}

/// A datagram on the way between a terminal and the server.
#[derive(Clone, Debug)]
pub struct Passed<'a> {
    /// The terminal, by its place.
    pub terminal: usize,
    /// Whether it goes to the server.
    pub up: bool,
    /// At which end it was seen.
    pub passing: Passing,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What it says.
    pub told: Told,
    /// When.
    pub at: Instant,
    /// The entry that shows it.
    pub ordinal: u64,
}

impl<'a> Passed<'a> {
    /// The datagram that an entry shows, if it shows one.
    pub fn of(entry: &'a Entry<Event>, scene: &Scene) -> Option<Self> {
        let (line, way, bytes, passing) = match &entry.what {
            Seen::Sent { line, way, bytes, .. } => (line, way, bytes, Passing::Sent),
            Seen::Heard { line, way, bytes, .. } => (line, way, bytes, Passing::Heard),
            _ => return None,
        };
        let terminal = scene.terminal_on_udp(*line)?;
        let up = *way == Scene::UP;
        let format = &scene.profile.frame;
        let told = if up {
            DeviceMessage::parse(bytes, format).map_or_else(Told::Junk, Told::Device)
        } else {
            ServerMessage::parse(bytes, format).map_or_else(Told::Junk, Told::Server)
        };
        Some(Self { terminal, up, passing, bytes, told, at: entry.at, ordinal: entry.ordinal })
    }

    /// What a device says here, at the end where the server is.
    pub fn device_at_server(&self) -> Option<&DeviceMessage> {
        match (&self.told, self.passing) {
            (Told::Device(message), Passing::Heard) => Some(message),
            _ => None,
        }
    }

    /// What the server says here, as it lets go of it.
    pub fn server_at_server(&self) -> Option<&ServerMessage> {
        match (&self.told, self.passing) {
            (Told::Server(message), Passing::Sent) => Some(message),
            _ => None,
        }
    }

    /// What a terminal says here, as it lets go of it.
    pub fn device_at_terminal(&self) -> Option<&DeviceMessage> {
        match (&self.told, self.passing) {
            (Told::Device(message), Passing::Sent) => Some(message),
            _ => None,
        }
    }

    /// What the server says here, at the end where the terminal is.
    pub fn server_at_terminal(&self) -> Option<&ServerMessage> {
        match (&self.told, self.passing) {
            (Told::Server(message), Passing::Heard) => Some(message),
            _ => None,
        }
    }
}

/// What an answer names.
pub fn key_of(sold: &Sold) -> Box<[u8]> {
    match sold {
        Sold::Money(card, _) | Sold::Count(card) => Key::Card(*card).to_bytes(),
        Sold::Code(number, ..) => Key::Code(*number).to_bytes(),
    }
}

/// Which amount an answer names: none for a count.
pub const fn amount_of(sold: &Sold) -> Fen {
    match sold {
        Sold::Money(_, amount) | Sold::Code(_, _, amount) => *amount,
        Sold::Count(_) => Fen(0),
    }
}
