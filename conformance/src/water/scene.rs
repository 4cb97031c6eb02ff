//! Who is who in a run: the cast that oracles and cases refer to.

use std::collections::BTreeSet;

use assay_sim::bench::Bench;
use assay_sim::card::number::CardNumber;
use assay_sim::fault::{FaultPlan, Way};
use assay_sim::tape::{LineId, SeatId, SupplyId};
use assay_sim::water::cards::CardSpec;
use assay_sim::water::family::Water;
use assay_sim::water::frame::{MachineNumber, RawFrame, Scanned, crc16_xmodem};
use assay_sim::water::plant::{Plant, Seating, card_name, letter};
use assay_sim::water::profile::Profile;

use crate::redact::Kind;
use crate::system::{Cast, Sut};

/// One terminal and what is around it.
#[derive(Clone, Debug)]
pub struct TerminalCast {
    /// Its letter.
    pub letter: String,
    /// The terminal.
    pub terminal: SeatId,
    /// Its modem.
    pub modem: SeatId,
    /// The line between the two; the terminal is at end A.
    pub uart: LineId,
    /// The modem's way to the server; the modem is at end A.
    pub gprs: LineId,
    /// The antenna; the terminal is at end A.
    pub rf: LineId,
    /// The line to the voice module; the terminal is at end A.
    pub voice: LineId,
    /// The line to the display; the terminal is at end A.
    pub display: LineId,
    /// The pins to the modem; the terminal is at end A.
    pub pwrkey: LineId,
    /// The modem's reset; the terminal is at end A.
    pub reset: LineId,
    /// What feeds it.
    pub supplies: Supplies,
    /// Its number.
    pub machine: MachineNumber,
}

impl TerminalCast {
    /// A terminal of which a recording has nothing: what is not in one is on a link that it does not have.
    fn unrecorded(letter: String) -> Self {
        let (nowhere, nothing) = (LineId(u16::MAX), SupplyId(u16::MAX));
        Self {
            letter,
            terminal: SeatId(u16::MAX),
            modem: SeatId(u16::MAX),
            uart: nowhere,
            gprs: nowhere,
            rf: nowhere,
            voice: nowhere,
            display: nowhere,
            pwrkey: nowhere,
            reset: nowhere,
            supplies: Supplies {
                strip: nothing,
                mcu: nothing,
                modem: nothing,
                voice: nothing,
                display: nothing,
            },
            machine: MachineNumber::from(0),
        }
    }
}

/// The supplies of one terminal and of what is around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supplies {
    /// Of terminal and modem together.
    pub strip: SupplyId,
    /// Of the terminal alone.
    pub mcu: SupplyId,
    /// Of the modem alone.
    pub modem: SupplyId,
    /// Of the voice module.
    pub voice: SupplyId,
    /// Of the display.
    pub display: SupplyId,
}

/// One card.
#[derive(Clone, Debug)]
pub struct CardCast {
    /// The card.
    pub seat: SeatId,
    /// Its number.
    pub number: CardNumber,
    /// What it was when the run started.
    pub spec: CardSpec,
}

/// The cast of a run.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Who is under test.
    pub sut: Sut,
    /// Who sits where.
    pub seating: Seating,
    /// Every open value of the installation.
    pub profile: Profile,
    /// The terminals.
    pub terminals: Vec<TerminalCast>,
    /// The cards.
    pub cards: Vec<CardCast>,
    /// The server, or the test head in its place.
    pub server: SeatId,
    /// The way from the prepayment front to the server, if both are there.
    pub lan: Option<LineId>,
    /// What is planned to strike.
    pub plan: FaultPlan,
}

impl Scene {
    /// The cast of a bench built from this plant; `None` if the two do not belong together.
    pub fn new(plant: &Plant, sut: Sut, bench: &dyn Bench<Water>) -> Option<Self> {
        let mut terminals = Vec::new();
        for place in 0..plant.terminals {
            let letter = letter(place);
            let line = |name: &str| bench.line_named(&format!("{name}-{letter}"));
            let supply = |name: &str| bench.supply_named(&format!("{name}-{letter}"));
            terminals.push(TerminalCast {
                terminal: bench.seat_named(&format!("terminal-{letter}"))?,
                modem: bench.seat_named(&format!("modem-{letter}"))?,
                uart: line("uart")?,
                gprs: line("gprs")?,
                rf: line("rf")?,
                voice: line("voice-line")?,
                display: line("display-line")?,
                pwrkey: line("pwrkey")?,
                reset: line("reset")?,
                supplies: Supplies {
                    strip: supply("strip")?,
                    mcu: supply("mcu")?,
                    modem: supply("modem")?,
                    voice: supply("voice")?,
                    display: supply("display")?,
                },
                machine: plant.profile.install.machine_at(place as u64)?,
                letter,
            });
        }
        let mut cards = Vec::new();
        for (place, spec) in plant.cards.iter().enumerate() {
            let seat = bench.seat_named(&card_name(place))?;
            cards.push(CardCast { seat, number: plant.card_number(place).ok()?, spec: *spec });
        }
        Some(Self {
            sut,
            seating: plant.seating,
            profile: plant.profile.clone(),
            terminals,
            cards,
            server: bench.seat_named("server")?,
            lan: bench.line_named("lan"),
            plan: FaultPlan::default(),
        })
    }

    /// The cast of a recording at a server, by the places that connections come from.
    pub fn of_recording(profile: Profile, places: usize, server: SeatId) -> Self {
        let terminal = |place: usize| {
            let number = u16::try_from(place).unwrap_or(u16::MAX);
            TerminalCast {
                terminal: SeatId(number.saturating_add(1)),
                gprs: LineId(number),
                ..TerminalCast::unrecorded(letter(place))
            }
        };
        Self {
            sut: Sut::Server,
            seating: Seating::ProbeTerminals,
            profile,
            terminals: (0..places).map(terminal).collect(),
            cards: Vec::new(),
            server,
            lan: None,
            plan: FaultPlan::default(),
        }
    }

    /// The cast of a recording of the line between a host and its modem, which is the only link.
    pub fn of_serial_recording(profile: Profile, host: SeatId, modem: SeatId) -> Self {
        let host =
            TerminalCast { terminal: host, modem, uart: LineId(0), ..TerminalCast::unrecorded(letter(0)) };
        Self { sut: Sut::Terminal, terminals: vec![host], ..Self::of_recording(profile, 0, SeatId(u16::MAX)) }
    }

    /// The same where the host is a water terminal of this number.
    pub fn of_terminal_recording(profile: Profile, seats: [SeatId; 2], machine: MachineNumber) -> Self {
        let [host, modem] = seats;
        let mut scene = Self::of_serial_recording(profile, host, modem);
        scene.terminals.iter_mut().for_each(|cast| cast.machine = machine);
        scene
    }

    /// The card in this seat.
    pub fn card_at(&self, seat: SeatId) -> Option<&CardCast> {
        self.cards.iter().find(|card| card.seat == seat)
    }

    /// The card of this number.
    pub fn card_numbered(&self, number: CardNumber) -> Option<&CardCast> {
        self.cards.iter().find(|card| card.number == number)
    }

    /// The terminal that owns this link, whichever of its links it is.
    pub fn terminal_on(&self, line: LineId) -> Option<usize> {
        self.terminals.iter().position(|cast| {
            [cast.uart, cast.gprs, cast.rf, cast.voice, cast.display, cast.pwrkey, cast.reset].contains(&line)
        })
    }

    /// The terminal whose way to the server this is.
    pub fn terminal_on_gprs(&self, line: LineId) -> Option<usize> {
        self.terminals.iter().position(|cast| cast.gprs == line)
    }

    /// The way from a terminal or modem towards the server, on every link of the cast.
    pub const UP: Way = Way::AtoB;
    /// The way back.
    pub const DOWN: Way = Way::BtoA;
}

impl Cast<Water> for Scene {
    fn is_claim(&self, seat: SeatId) -> bool {
        let terminal = self.terminals.iter().any(|cast| cast.terminal == seat);
        let modem = self.terminals.iter().any(|cast| cast.modem == seat);
        match self.sut {
            Sut::Terminal => terminal,
            Sut::Server => seat == self.server,
            Sut::Modem => modem,
            Sut::System => terminal || seat == self.server,
        }
    }

    fn card_kind(&self) -> Kind {
        Kind::WaterCard
    }

    fn card_numbers(&self) -> Vec<CardNumber> {
        self.cards.iter().map(|card| card.number).collect()
    }

    fn devices(&self) -> BTreeSet<Vec<u8>> {
        self.terminals.iter().map(|cast| cast.machine.to_string().into_bytes()).collect()
    }

    fn reseal(&self, before: &[u8], after: &mut [u8]) {
        let mut at = 0;
        while at < before.len() {
            match RawFrame::scan_detailed(&self.profile.frame, &before[at..]) {
                Scanned::Frame { used, .. } => {
                    let (body, check) = after[at..at + used].split_at_mut(used - 2);
                    check.copy_from_slice(&crc16_xmodem(body).to_be_bytes());
                    at += used;
                }
                Scanned::Junk { used, .. } => at += used,
                Scanned::BadCrc { .. } | Scanned::NeedMore => at += 1,
            }
        }
    }
}
