//! The parties that can be served: who is around each of them, and what each keeps.

mod kept;
mod paymod;
mod pos;
mod water;

use assay_hil::serial::SerialSettings;
use assay_hil::serve::Port;

pub(super) use paymod::{pay_host, pay_module, pay_server};
pub(super) use pos::{pos_server, pos_terminal};
pub(super) use water::{message_server, water_plant, water_terminal};

use super::{LineSpeed, Party, ServeError, ServePlan};
use crate::system::Suited;

/// The speed that a program is told of a pseudo-terminal.
const BAUD: u32 = 115_200;

/// The option that a modem needs, and how to write it.
const DIAL: (&str, &str) = (
    "--dial",
    "the address to which its connections go, such as 127.0.0.1:5000, or nothing if they go where its host says",
);

/// The option that whoever is on a line needs, if it has no serial port, and how to write it.
const PTY: (&str, &str) = ("--pty", "where the link to its pseudo-terminal is made, such as ./modem");

/// The option that a module needs, if it has no modem, and how to write it.
const SERVER: (&str, &str) =
    ("--tcp", "the server's address, such as 127.0.0.1:9000, or `--modem` with the serial port of its modem");

/// Checks that each option is there that a party needs, and none that means nothing to it.
///
/// Errors: [`ServeError::Missing`], [`ServeError::Surplus`].
pub(super) fn check(plan: &ServePlan) -> Result<(), ServeError> {
    let given = [
        ("--udp", plan.udp.is_some()),
        ("--tcp", plan.tcp.is_some()),
        ("--payments", plan.payments.is_some()),
        ("--platform", plan.platform.is_some()),
        ("--notify", plan.notify.is_some()),
        ("--modem", plan.modem.is_some()),
        ("--channel", plan.channel.is_some()),
        ("--dial", plan.dial.is_some()),
        ("--allow-any", plan.allow_any),
        ("--baud", matches!(plan.line, Some(LineSpeed::Baud(_)))),
        ("--unpaced", plan.line == Some(LineSpeed::Unpaced)),
        ("--pty", plan.pty.is_some()),
        ("--serial", plan.serial.is_some()),
        ("--store", plan.store.is_some()),
        ("--eeprom", plan.eeprom.is_some()),
        ("--accounts", plan.accounts.is_some()),
        ("--ledger", plan.ledger.is_some()),
    ];
    let (needs, takes): (&[_], &[&str]) = match plan.party {
        Party::PosServer => (
            &[("--udp", "the address for datagrams, such as 127.0.0.1:39192")],
            &["--udp", "--platform", "--store", "--accounts", "--ledger"],
        ),
        Party::PosTerminal => {
            (&[("--udp", "the server's address, such as 127.0.0.1:39192")], &["--udp", "--store"])
        }
        Party::MessageServer => (
            &[("--tcp", "the address for terminals, such as 127.0.0.1:5000")],
            &["--tcp", "--payments", "--store", "--ledger"],
        ),
        Party::WaterTerminal if plan.serial.is_some() => (&[], &["--serial", "--store", "--eeprom"]),
        Party::WaterTerminal => (&[PTY], &["--pty", "--store", "--eeprom"]),
        Party::PayServer if plan.platform.is_some() => (
            &[
                ("--tcp", "the address for modules, such as 127.0.0.1:9000"),
                ("--notify", "the address for the platform's notifications, such as 127.0.0.1:9001"),
            ],
            &["--tcp", "--platform", "--notify", "--channel", "--store", "--ledger"],
        ),
        Party::PayServer => (
            &[("--tcp", "the address for modules, such as 127.0.0.1:9000")],
            &["--tcp", "--channel", "--store", "--ledger"],
        ),
        Party::PayModule => {
            let line = if plan.serial.is_some() { "--serial" } else { "--pty" };
            match (line, plan.modem.is_some()) {
                ("--serial", true) => (&[], &["--serial", "--modem", "--store"]),
                ("--serial", false) => (&[SERVER], &["--serial", "--tcp", "--store"]),
                (_, true) => (&[PTY], &["--pty", "--modem", "--store"]),
                (_, false) => (&[PTY, SERVER], &["--pty", "--tcp", "--store"]),
            }
        }
        Party::PayHost if plan.serial.is_some() => (&[], &["--serial"]),
        Party::PayHost => (&[PTY], &["--pty"]),
        Party::M6311 | Party::Sim800a if plan.serial.is_some() => {
            (&[DIAL], &["--serial", "--dial", "--allow-any", "--baud"])
        }
        Party::M6311 | Party::Sim800a => {
            (&[PTY, DIAL], &["--pty", "--dial", "--allow-any", "--baud", "--unpaced"])
        }
    };
    let is_given = |wanted: &str| given.iter().any(|(name, given)| *name == wanted && *given);
    if let Some((name, mend)) = needs.iter().find(|(name, _)| !is_given(name)) {
        return Err(ServeError::Missing(name, mend));
    }
    let surplus = given.iter().find(|(name, given)| *given && !takes.contains(name));
    surplus.map_or(Ok(()), |(name, _)| Err(ServeError::Surplus(name)))
}

/// The profile as a served party needs it: real networks have latencies of their own, and clocks show the time of day.
fn profile<F: Suited>(plan: &ServePlan, paths: &[&str], own: &str) -> Result<F::Profile, ServeError> {
    let mut source = plan.design.profile.clone();
    let now = jiff::Zoned::now().strftime("%Y%m%d%H%M%S");
    let mut text = format!("[bench]\nepoch = \"{now}\"\n{own}");
    for path in paths {
        text += &format!("[{path}]\nlatency_min = \"0 us\"\nlatency_max = \"0 us\"\n");
    }
    source.overrides = text.parse().map_err(|error: toml::de::Error| ServeError::Plant(error.to_string()))?;
    source.profile::<F>("").map_err(ServeError::Plant)
}

/// The serial port, or the pseudo-terminal, at which a party is.
fn line(plan: &ServePlan) -> Port {
    match &plan.serial {
        Some(path) => Port::Serial(SerialSettings::plain(path, BAUD)),
        None => Port::Pty { at: needed(plan.pty.clone()), baud: BAUD, dtr: None },
    }
}

/// What a plant cannot be built with.
fn plant(error: impl std::fmt::Display) -> ServeError {
    ServeError::Plant(error.to_string())
}

/// An option that [`check`] has found to be there.
pub(super) fn needed<T>(option: Option<T>) -> T {
    option.expect("the options that a party needs have been checked")
}
