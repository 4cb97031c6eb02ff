//! Power switches: how a rig takes the power of a real party and gives it back.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use assay_sim::time::Span;

use crate::rig::{ControlLine, Power};
use crate::serial::SerialSettings;

/// What opens the relay of a serial relay board, and with it takes the power.
const RELAY_OFF: [u8; 4] = [0xA0, 0x01, 0x00, 0xA1];
/// What closes it.
const RELAY_ON: [u8; 4] = [0xA0, 0x01, 0x01, 0xA2];

/// A switch that is ready for use.
pub(crate) enum Switch {
    /// The process is the switch.
    Process,
    /// A control line.
    Line { port: Box<dyn tokio_serial::SerialPort>, line: ControlLine, on_high: bool },
    /// A relay.
    Relay(Box<dyn tokio_serial::SerialPort>),
    /// Two commands.
    Command { on: Vec<String>, off: Vec<String>, within: Duration },
    /// None.
    Absent,
}

impl Switch {
    /// Opens the switch; `within` is how long a command may take.
    ///
    /// Errors: a sentence.
    pub(crate) fn open(power: &Power, within: Span) -> Result<Self, String> {
        let within = Duration::from_micros(within.as_us());
        Ok(match power {
            Power::Process => Self::Process,
            Power::Absent => Self::Absent,
            Power::Relay(port) => Self::Relay(blocking(port, within)?),
            Power::Line { line, port, on_high } => {
                Self::Line { port: blocking(port, within)?, line: *line, on_high: *on_high }
            }
            Power::Command { on, off } => Self::Command { on: on.clone(), off: off.clone(), within },
        })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Line { line: ControlLine::Dtr, .. } => "DTR",
            Self::Line { line: ControlLine::Rts, .. } => "RTS",
            Self::Relay(_) => "relay",
            Self::Command { .. } => "command",
            Self::Absent => "none",
        }
    }

    /// Gives power or takes it. A process is switched by whoever has it.
    ///
    /// Errors: a sentence.
    pub(crate) fn set(&mut self, on: bool) -> Result<(), String> {
        match self {
            Self::Process | Self::Absent => Ok(()),
            Self::Line { port, line, on_high } => {
                let level = on == *on_high;
                let written = match line {
                    ControlLine::Dtr => port.write_data_terminal_ready(level),
                    ControlLine::Rts => port.write_request_to_send(level),
                };
                written.map_err(|error| format!("the control line could not be set: {error}"))
            }
            Self::Relay(port) => {
                let told = port.write_all(if on { &RELAY_ON } else { &RELAY_OFF });
                let told = told.and_then(|()| port.flush());
                told.map_err(|error| format!("the relay could not be told: {error}"))
            }
            Self::Command { on: give, off: take, within } => run(if on { give } else { take }, *within),
        }
    }
}

fn blocking(
    settings: &SerialSettings,
    within: Duration,
) -> Result<Box<dyn tokio_serial::SerialPort>, String> {
    let path = settings.find.path().map_err(|error| error.to_string())?;
    let builder = tokio_serial::new(&path, settings.baud)
        .data_bits(settings.data_bits)
        .parity(settings.parity)
        .stop_bits(settings.stop_bits)
        .timeout(within);
    builder.open().map_err(|error| format!("{path} could not be opened: {error}"))
}

/// Runs a switch's command to its end.
fn run(words: &[String], within: Duration) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("the command line is empty")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("`{program}` could not be started: {error}"))?;
    let step = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("`{program}` ended with {status}")),
            Ok(None) if waited < within => {
                std::thread::sleep(step);
                waited += step;
            }
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`{program}` did not end within {} ms", within.as_millis()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
