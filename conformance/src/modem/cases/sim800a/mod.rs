//! The SIM800A's own table: what it is asked, how its connections come about, carry data and end, and its ten states.

mod data;
mod line;
mod links;
mod states;

use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::water::Case;

pub(super) const A2: &str = "MDM-A2";
pub(super) const A3: &str = "MDM-A3";
pub(super) const A6: &str = "MDM-A6";

pub(super) fn cases() -> Vec<Case> {
    [links::cases(), line::cases(), data::cases(), states::cases()].concat()
}

/// Started, registered, without echo: the way to a connection has not begun.
fn begin(desk: &mut Desk<'_>) -> Done {
    desk.start()?;
    desk.echo_off()?;
    desk.wait(desk.module().register.max + desk.profile.bench.tolerance)
}

/// An answer to a command that takes no longer than most.
fn plain(desk: &mut Desk<'_>, requirement: &'static str, command: &str, lines: &[&str]) -> Done {
    desk.ask(requirement, command, lines, desk.limit(desk.module().plain))
}

/// A command that is none of this moment.
fn refused(desk: &mut Desk<'_>, command: &str) -> Done {
    plain(desk, A3, command, &["ERROR"])
}

fn start(desk: &mut Desk<'_>, lines: &[&str]) -> Done {
    let command = format!("AT+CIPSTART={}", desk.server());
    desk.opens();
    desk.ask(A2, &command, lines, desk.limit(desk.module().plain) + desk.round_trip())
}

/// The prompt for so much data, or for data that a control-Z ends.
fn prompt(desk: &mut Desk<'_>, requirement: &'static str, command: &str) -> Done {
    let line = format!("{command}\r");
    desk.exchange(requirement, line.as_bytes(), "\r\n> ", desk.limit(desk.module().prompt))
}

/// The data of a send, of which the server gets this.
fn give(desk: &mut Desk<'_>, requirement: &'static str, typed: &[u8], sent: &[u8], result: &str) -> Done {
    desk.expect(&Expectation::server(requirement, sent));
    desk.exchange(requirement, typed, &format!("\r\n{result}\r\n"), desk.round_trip())
}

/// Data from the server, and how the modem delivers it.
fn receive(desk: &mut Desk<'_>, nth: u16, data: &[u8], delivered: &Expectation) -> Done {
    desk.expect(delivered);
    desk.server_sends_on(nth, data)?;
    desk.wait(desk.net_limit() + desk.profile.uart.time(data.len()))?;
    desk.due();
    Ok(())
}

/// The end of the connection that was opened as the `nth`, and what the modem says of it.
fn closed(desk: &mut Desk<'_>, nth: u16, line: &str) -> Done {
    desk.expect(&Expectation::modem(A2, &format!("\r\n{line}\r\n")));
    desk.server_closes_on(nth)?;
    desk.wait(desk.net_limit())?;
    desk.due();
    Ok(())
}

fn shut(desk: &mut Desk<'_>) -> Done {
    let within = desk.limit(desk.profile.sim800a.dialect.shut);
    desk.ask(A2, "AT+CIPSHUT", &["SHUT OK"], within)
}

/// The state, which follows its OK.
fn state_is(desk: &mut Desk<'_>, name: &str) -> Done {
    plain(desk, A3, "AT+CIPSTATUS", &["OK", &format!("STATE: {name}")])
}
