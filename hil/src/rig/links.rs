//! What carries a link: a pseudo-terminal, a serial port, a datagram socket, connections.

use std::net::SocketAddr;
use std::path::PathBuf;

use assay_sim::fault::LinkKind;
use assay_sim::time::Span;

use super::reader::Section;
use super::system::LinkSpec;
use crate::pty::PtyConfig;
use crate::serial::{DataBits, Find, Flow, Parity, SerialSettings, StopBits};

/// What carries a link that is real.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A pseudo-terminal that the rig makes; its path is `{pty.NAME}` in a command.
    Pty(PtyConfig),
    /// A serial port of this computer.
    Serial(SerialSettings),
    /// Datagrams.
    Udp(NetConfig),
    /// Connections, or one connection where the link is a line.
    Tcp(NetConfig),
}

/// Which side of a network path the rig takes; the port is `{port.NAME}` in a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetConfig {
    /// It goes to this address; port 0 has the rig choose a free one and tell it to the party's command.
    Connect(SocketAddr),
    /// It is at this address; port 0 has the system choose.
    Listen(SocketAddr),
}

impl NetConfig {
    /// The address in the file.
    pub const fn address(self) -> SocketAddr {
        match self {
            Self::Connect(address) | Self::Listen(address) => address,
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Pty,
    Serial,
    Udp,
    Tcp,
}

const KINDS: [(&str, Kind); 4] =
    [("pty", Kind::Pty), ("serial", Kind::Serial), ("udp", Kind::Udp), ("tcp", Kind::Tcp)];

/// Reads a link's table.
pub(super) fn carrier(section: &Section<'_, '_>, spec: Option<LinkSpec>, bind_any: bool) -> Option<Carrier> {
    let fits = |kind: Kind| match (spec.map(|spec| spec.kind), kind) {
        (None, _) | (Some(LinkKind::Serial), Kind::Pty | Kind::Serial | Kind::Tcp) => true,
        (Some(LinkKind::Datagram), Kind::Udp) | (Some(LinkKind::Stream), Kind::Tcp) => true,
        (Some(_), _) => false,
    };
    let kinds: Vec<(&str, Kind)> = KINDS.into_iter().filter(|(_, kind)| fits(*kind)).collect();
    let words: Vec<&str> = kinds.iter().map(|(word, _)| *word).collect();
    let mend = super::reader::one_of(words.into_iter());
    let kind = section.need("kind", section.choice("kind", &kinds), &mend);
    let carrier = match kind {
        // What else belongs into the table depends on the kind.
        None => return None,
        Some(Kind::Pty) => pty(section).map(Carrier::Pty),
        Some(Kind::Serial) => serial(section).map(Carrier::Serial),
        Some(Kind::Udp) => net(section, bind_any).map(Carrier::Udp),
        Some(Kind::Tcp) => net(section, bind_any).map(Carrier::Tcp),
    };
    let line = spec.is_some_and(|spec| spec.kind == LinkKind::Serial);
    if line && matches!(carrier, Some(Carrier::Tcp(NetConfig::Listen(_)))) {
        section.wrong("listen", "`connect` instead: a line has one party at its far end");
    }
    section.end();
    carrier
}

const BAUD: &str = "the line's speed in bits a second, such as 115_200";

fn pty(section: &Section<'_, '_>) -> Option<PtyConfig> {
    let baud = section.need("baud", section.number("baud", 1, BAUD), BAUD);
    let exclusive = section.need("exclusive", section.flag("exclusive"), "`true` or `false`");
    Some(PtyConfig { baud: baud?, exclusive: exclusive? })
}

/// Reads the settings of a serial port.
pub(super) fn serial(section: &Section<'_, '_>) -> Option<SerialSettings> {
    let find = find(section);
    let baud = section.need("baud", section.number("baud", 1, BAUD), BAUD);
    let data_bits = choice_or(
        section,
        "data_bits",
        &[(5, DataBits::Five), (6, DataBits::Six)],
        &[(7, DataBits::Seven), (8, DataBits::Eight)],
    );
    let parities = [("none", Parity::None), ("odd", Parity::Odd), ("even", Parity::Even)];
    let parity = or(section, "parity", Parity::None, |key| section.choice(key, &parities));
    let stop_bits = choice_or(section, "stop_bits", &[(2, StopBits::Two)], &[(1, StopBits::One)]);
    let flows = [("none", Flow::None), ("software", Flow::Software), ("hardware", Flow::Hardware)];
    let flow = or(section, "flow", Flow::None, |key| section.choice(key, &flows));
    let gap = "a pause such as `\"200 us\"`, or `\"0 us\"` for none";
    let byte_gap = or(section, "byte_gap", Span::ZERO, |key| section.span(key, true, gap));
    let burst_gap = or(section, "burst_gap", Span::ZERO, |key| section.span(key, true, gap));
    let exclusive = or(section, "exclusive", true, |key| section.flag(key));
    Some(SerialSettings {
        find: find?,
        baud: baud?,
        data_bits: data_bits?,
        parity: parity?,
        stop_bits: stop_bits?,
        flow: flow?,
        byte_gap: byte_gap?,
        burst_gap: burst_gap?,
        exclusive: exclusive?,
    })
}

/// A field that may be left out.
fn or<T>(section: &Section<'_, '_>, key: &str, otherwise: T, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let value = read(key);
    if section.has(key) { value } else { Some(otherwise) }
}

/// A choice among numbers, the last of them where nothing is written.
fn choice_or<T: Copy>(
    section: &Section<'_, '_>,
    key: &str,
    others: &[(i64, T)],
    last: &[(i64, T)],
) -> Option<T> {
    let all: Vec<(i64, T)> = others.iter().chain(last).copied().collect();
    let words: Vec<String> = all.iter().map(|(number, _)| number.to_string()).collect();
    let mend = super::reader::one_of(words.iter().map(String::as_str));
    let otherwise = all.last().map(|(_, value)| *value);
    let number: Option<i64> = section.number(key, 0, &mend);
    if !section.has(key) {
        return otherwise;
    }
    let chosen = all.iter().find(|(known, _)| Some(*known) == number).map(|(_, value)| *value);
    if number.is_some() && chosen.is_none() {
        section.wrong(key, &mend);
    }
    chosen
}

fn find(section: &Section<'_, '_>) -> Option<Find> {
    let path_mend = "the port's path, best one of `/dev/serial/by-id/`";
    let usb_mend = "a table such as `{ vendor = 0x1a86, product = 0x7523, serial = \"A1\" }`";
    let path = section.text("path", path_mend);
    let usb = section.section("usb", usb_mend).map(|usb| {
        let id = "a number up to 0xFFFF, as `assay ports` shows it";
        let vendor: Option<u16> = usb.need("vendor", usb.number("vendor", 0, id), id);
        let product: Option<u16> = usb.need("product", usb.number("product", 0, id), id);
        let serial = usb.text("serial", "the serial number that `assay ports` shows");
        usb.end();
        Some(Find::Usb { vendor: vendor?, product: product?, serial })
    });
    match (section.has("path"), section.has("usb")) {
        (true, true) => {
            section.wrong("usb", "either `path` or `usb`, and not both");
            None
        }
        (false, false) => {
            section.need("path", None::<()>, &format!("{path_mend}, or `usb` with {usb_mend}"));
            None
        }
        _ => usb.unwrap_or_else(|| path.map(|path| Find::Path(PathBuf::from(path)))),
    }
}

fn net(section: &Section<'_, '_>, bind_any: bool) -> Option<NetConfig> {
    let mend = "an address and a port such as `\"127.0.0.1:0\"`; port 0 has a free one chosen";
    let connect = section.address("connect", mend).map(NetConfig::Connect);
    let listen = section.address("listen", mend).map(NetConfig::Listen);
    match (section.has("connect"), section.has("listen")) {
        (true, true) => {
            section.wrong("listen", "either `connect` or `listen`, and not both");
            return None;
        }
        (false, false) => {
            let both = format!("{mend}, or `listen` with one where the party comes to the rig");
            section.need("connect", None::<()>, &both);
        }
        _ => {}
    }
    if let Some(NetConfig::Listen(address)) = listen
        && !address.ip().is_loopback()
        && !bind_any
    {
        section.wrong(
            "listen",
            "an address of the loopback, or `bind_any = true` at the top if others may come in",
        );
        return None;
    }
    connect.or(listen)
}
