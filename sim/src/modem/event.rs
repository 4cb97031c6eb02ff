//! What happens to a module from outside its ports, and what may be noted of it.

use crate::modem::socket::SocketState;

/// What happens to a module from outside its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModemStimulus {
    /// The module has this to say, at the next place where it may.
    Urc(String),
    /// Reception changed.
    Signal {
        /// 0 to 31, or 99 when unknown.
        rssi: u8,
        /// 0 to 7, or 99 when unknown.
        ber: u8,
    },
    /// The supply is so high now.
    Supply {
        /// Units: mV.
        millivolts: u16,
    },
    /// The host sends and hears at this speed from now on.
    HostBaud(u32),
    /// The network took the packet context away, and every connection with it.
    PdpLost,
    /// The SIM was put in or taken out.
    Sim {
        /// Whether it is there.
        present: bool,
    },
    /// The network's mind about the module changed: 0 idle, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming.
    Registration(u8),
}

/// What an observer may note of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModemEvent {
    /// It was switched on and is starting.
    SwitchedOn,
    /// Its UART works.
    Booted,
    /// It was switched off.
    SwitchedOff,
    /// It takes up a line whose first command has this name.
    Command(&'static str),
    /// It knows no such command, or not in this form.
    Unknown(&'static str),
    /// A line came before the last one's final result and is lost.
    Swallowed,
    /// A line was longer than a line may be.
    TooLong,
    /// A connection changed.
    Link {
        /// Which.
        id: usize,
        /// Where it stands now.
        state: SocketState,
    },
    /// Something waited to be said or read and there was no room for it.
    Overrun {
        /// How much was lost, in bytes.
        len: usize,
    },
}
