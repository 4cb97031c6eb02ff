//! The systems that can be on a rig: their seats, and the links that can be real.

use assay_sim::fault::LinkKind;

/// A system that can be on a rig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// The prepaid water-card system.
    Water,
    /// AT modems and their hosts, which are parties of the water system.
    Modem,
    /// The UDP POS system.
    Pos,
    /// Programs that call the payment platforms.
    Payments,
    /// The scan-to-pay system.
    Paymod,
}

/// A link that can be real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSpec {
    /// Its name; where an installation has several of a kind, each bears a letter behind a dash.
    pub name: &'static str,
    /// What it is.
    pub kind: LinkKind,
    /// The seats at its ends A and B; nothing where an end is none that can be real.
    pub ends: [Option<&'static str>; 2],
    /// Whether a real party at one of its ends is of no use without it.
    pub needed: bool,
}

const UART: LinkSpec =
    LinkSpec { name: "uart", kind: LinkKind::Serial, ends: [Some("terminal"), Some("modem")], needed: true };

const WATER_LINKS: &[LinkSpec] = &[
    UART,
    LinkSpec { name: "gprs", kind: LinkKind::Stream, ends: [Some("modem"), Some("server")], needed: true },
    LinkSpec { name: "lan", kind: LinkKind::Stream, ends: [None, Some("server")], needed: false },
    LinkSpec { name: "voice-line", kind: LinkKind::Serial, ends: [Some("terminal"), None], needed: false },
    LinkSpec { name: "display-line", kind: LinkKind::Serial, ends: [Some("terminal"), None], needed: false },
];

const POS_LINKS: &[LinkSpec] = &[
    LinkSpec {
        name: "udp",
        kind: LinkKind::Datagram,
        ends: [Some("terminal"), Some("server")],
        needed: true,
    },
    LinkSpec { name: "lan", kind: LinkKind::Stream, ends: [Some("server"), None], needed: false },
    LinkSpec { name: "panel-line", kind: LinkKind::Serial, ends: [Some("terminal"), None], needed: false },
];

const PAYMENTS_LINKS: &[LinkSpec] = &[
    LinkSpec { name: "pay", kind: LinkKind::Stream, ends: [Some("client"), None], needed: true },
    LinkSpec { name: "notify", kind: LinkKind::Stream, ends: [None, Some("client")], needed: true },
    LinkSpec { name: "till-line", kind: LinkKind::Serial, ends: [None, Some("client")], needed: true },
];

const PAYMOD_LINKS: &[LinkSpec] = &[
    LinkSpec { name: "uart", kind: LinkKind::Serial, ends: [None, Some("module")], needed: true },
    LinkSpec { name: "link", kind: LinkKind::Stream, ends: [Some("module"), Some("server")], needed: true },
    LinkSpec { name: "at", kind: LinkKind::Serial, ends: [Some("module"), None], needed: false },
    LinkSpec { name: "pay", kind: LinkKind::Stream, ends: [Some("server"), None], needed: true },
    LinkSpec { name: "notify", kind: LinkKind::Stream, ends: [None, Some("server")], needed: true },
    LinkSpec { name: "channel", kind: LinkKind::Serial, ends: [None, Some("server")], needed: true },
];

impl System {
    /// Every system, by its name.
    pub const NAMED: [(&'static str, Self); 5] = [
        ("water", Self::Water),
        ("modem", Self::Modem),
        ("pos", Self::Pos),
        ("payments", Self::Payments),
        ("paymod", Self::Paymod),
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Water => "water",
            Self::Modem => "modem",
            Self::Pos => "pos",
            Self::Payments => "payments",
            Self::Paymod => "paymod",
        }
    }

    /// Its seats.
    pub const fn seats(self) -> &'static [&'static str] {
        match self {
            Self::Water | Self::Modem => &["terminal", "modem", "server"],
            Self::Pos => &["terminal", "server", "platform"],
            Self::Payments => &["client"],
            Self::Paymod => &["module", "server"],
        }
    }

    /// Its links that can be real.
    pub const fn links(self) -> &'static [LinkSpec] {
        match self {
            Self::Water | Self::Modem => WATER_LINKS,
            Self::Pos => POS_LINKS,
            Self::Payments => PAYMENTS_LINKS,
            Self::Paymod => PAYMOD_LINKS,
        }
    }

    /// The link that text for people crosses, where people can be at the other end of a text port.
    pub const fn text_link(self) -> Option<&'static str> {
        match self {
            Self::Water | Self::Modem | Self::Paymod => Some("text"),
            Self::Pos => Some("panel-line"),
            Self::Payments => None,
        }
    }

    /// The seat of whoever has a text port, and speaks first.
    pub const fn terminal(self) -> &'static str {
        match self {
            Self::Paymod => "module",
            Self::Water | Self::Modem | Self::Pos | Self::Payments => "terminal",
        }
    }

    /// The link that does for a seat what another one would.
    pub fn instead(self, seat: &str, link: &str) -> Option<&'static str> {
        // A module has a modem on a line, or a network of its own.
        (self == Self::Paymod && seat == "module" && link == "link").then_some("at")
    }

    /// Whether a terminal asks over its text port for the parts that it tests.
    pub const fn has_parts(self) -> bool {
        matches!(self, Self::Water | Self::Modem)
    }

    /// Whether a real party can do without this link of the bench: the pins between terminal and modem, which no port
    /// has, and an antenna where there are no cards.
    pub fn can_do_without(self, link: &str, has_cards: bool) -> bool {
        let pins = ["pwrkey", "reset", "status", "dtr"];
        let has_pins = self.has_parts() || self == Self::Paymod;
        has_pins && pins.iter().any(|pin| covers(pin, link))
            || self.has_parts() && covers("rf", link) && !has_cards
    }

    /// The link that a name in a rig file means: `uart` every such line, `uart-b` that of the second terminal.
    pub fn link(self, name: &str) -> Option<LinkSpec> {
        self.links().iter().copied().find(|link| covers(link.name, name))
    }
}

/// Whether a link of this name on a bench is meant by this name in a rig file.
pub fn covers(named: &str, link: &str) -> bool {
    link == named
        || link
            .strip_prefix(named)
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|letter| !letter.is_empty() && !letter.contains('-'))
}
