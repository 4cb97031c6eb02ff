//! Modems that are served: on a pseudo-terminal or a serial port, with real connections.

use std::net::{Ipv4Addr, SocketAddr};

use assay_hil::serial::SerialSettings;
use assay_hil::serve::{Door, Keeps, Port};
use assay_sim::fault::Way;
use assay_sim::modem::config::ANY_NAME;
use assay_sim::modem::sim800a::{self, Sim800a};
use assay_sim::tabletop::{Layout, Tabletop};
use assay_sim::water::family::Water;
use assay_sim::water::party::Party as WaterParty;
use assay_sim::water::plant::Seating as WaterSeating;
use assay_sim::water::terminal::port::DTR;

use super::parties::{needed, water_plant};
use super::{LineSpeed, Ready, ServeError, ServePlan};
use crate::trial::ProfileSource;

/// The usual speed of a modem's line.
const BAUD: u32 = 115_200;

/// A modem that keeps nothing.
struct KeepsNothing;

impl Keeps<Water> for KeepsNothing {
    fn keep(&mut self, _bench: &Tabletop<Water>) -> Result<(), String> {
        Ok(())
    }
}

/// A modem, with test heads for its host and for whoever its connections go to.
pub(super) fn m6311(plan: &ServePlan) -> Result<Ready<Water>, ServeError> {
    let layout = layout(plan, "m6311")?;
    Ok(at_its_ports(plan, layout, None))
}

/// A SIM800A in the same place. The profile that is given is the module's own.
pub(super) fn sim800a(plan: &ServePlan) -> Result<Ready<Water>, ServeError> {
    let source = &plan.design.profile;
    let wrong = |error: assay_sim::profile::LoadError| ServeError::Plant(error.to_string());
    let text = source.text.as_deref().unwrap_or(sim800a::BUILT_IN);
    let mut config = sim800a::load(text, &source.overrides, source.divisor).map_err(wrong)?;
    config.module.auto_on = true;
    config.dialect.resolver.extend([names(plan)]);
    let mut surroundings = plan.clone();
    surroundings.design.profile = ProfileSource { divisor: source.divisor, ..ProfileSource::default() };
    let mut layout = layout(&surroundings, "sim800a")?;
    let modem = Sim800a::new(config, plan.design.seed.stream("modem-a"));
    layout.reseat("modem-a", WaterParty::Sim800a(Box::new(modem)));
    Ok(at_its_ports(plan, layout, Some(DTR)))
}

/// The names that a modem's network knows besides those of its profile: this computer, and where all connections go to
/// one place, every name.
fn names(plan: &ServePlan) -> (String, Ipv4Addr) {
    match plan.dial.and_then(|reach| reach.all_to) {
        None => ("localhost".to_owned(), Ipv4Addr::LOCALHOST),
        Some(SocketAddr::V4(to)) => (ANY_NAME.to_owned(), *to.ip()),
        Some(SocketAddr::V6(_)) => (ANY_NAME.to_owned(), Ipv4Addr::LOCALHOST),
    }
}

fn layout(plan: &ServePlan, module: &str) -> Result<Layout<Water>, ServeError> {
    // Nobody presses a key that a pseudo-terminal has not. The network of a real computer has its own patience, and the
    // modem one that is shorter.
    let mut own = format!(
        "[fitted]\nmodule = \"{module}\"\n[modem.module]\nauto_on = true\n\
         [gprs]\nconnect_timeout = \"600 s\"\nuser_timeout = \"3600 s\"\n\
         latency_min = \"0 us\"\nlatency_max = \"0 us\"\n[uart]\nbaud = {}\n",
        baud(plan)
    );
    if plan.line == Some(LineSpeed::Unpaced) {
        own += "bits_a_byte = 0\n";
    }
    let mut plant = water_plant(plan, WaterSeating::ProbeEnds, 1, &["lan"], &own)?;
    plant.profile.modem.dialect.resolver.extend([names(plan)]);
    plant.layout().map_err(|error| ServeError::Plant(error.to_string()))
}

fn baud(plan: &ServePlan) -> u32 {
    match plan.line {
        Some(LineSpeed::Baud(baud)) => baud,
        Some(LineSpeed::Unpaced) | None => BAUD,
    }
}

fn at_its_ports(
    plan: &ServePlan,
    mut layout: Layout<Water>,
    dtr: Option<assay_sim::machine::Port>,
) -> Ready<Water> {
    layout.ask_outside("gprs-a");
    let uart = match &plan.serial {
        Some(path) => Port::Serial(SerialSettings::plain(path, baud(plan))),
        None => Port::Pty { at: needed(plan.pty.clone()), baud: baud(plan), dtr },
    };
    let doors = vec![
        Door { link: "uart", way: Way::AtoB, to: uart },
        Door { link: "gprs", way: Way::BtoA, to: Port::TcpFrom(needed(plan.dial)) },
    ];
    Ready { layout, doors, keeps: Box::new(KeepsNothing) }
}
