//! What arrives over a connection: pushed to the host with or without a mark, or kept until the host reads it.

use std::fmt::Write as _;

use super::Sim800aDialect;
use crate::modem::core::Core;
use crate::modem::dialect::Verdict;
use crate::modem::line::{Command, parse_number};
use crate::modem::reply::Final;
use crate::modem::socket::SOCKETS;

/// The most bytes of one reading in hexadecimal.
const HEX_MAX: usize = 730;
/// The most bytes of one reading.
const READ_MAX: usize = 1460;

impl Sim800aDialect {
    pub(super) fn received(&self, core: &mut Core, id: usize, bytes: &[u8]) {
        if core.is_online() {
            core.pass_up(bytes);
        } else if self.settings.is_on("+CIPRXGET") {
            let was_empty = core.sockets[id].held.is_empty();
            core.hold(id, bytes);
            if was_empty {
                let text = if self.is_multi() { format!("1,{id}") } else { "1".to_owned() };
                core.say(format!("+CIPRXGET: {text}").as_bytes());
            }
        } else {
            self.push(core, id, bytes);
        }
    }

    fn push(&self, core: &mut Core, id: usize, bytes: &[u8]) {
        let mut block = Vec::with_capacity(bytes.len() + 64);
        if let Some(peer) = self.peers[id].filter(|_| self.settings.is_on("+CIPSRIP")) {
            core.form.line(format!("RECV FROM:{peer}").as_bytes(), &mut block);
        }
        let len = bytes.len();
        if self.is_multi() {
            core.form.line(format!("+RECEIVE,{id},{len}:").as_bytes(), &mut block);
        } else if self.settings.is_on("+CIPHEAD") {
            let protocol = if self.settings.is_on("+CIPSHOWTP") { ",TCP" } else { "" };
            block.extend_from_slice(format!("\r\n+IPD,{len}{protocol}:").as_bytes());
        }
        block.extend_from_slice(bytes);
        core.say_raw(block);
    }

    /// `AT+CIPRXGET=2`, `3` and `4`: reads what is kept, reads it in hexadecimal, or tells how much there is.
    pub(super) fn read(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let Some(values) = command.values().map(parse_number).collect::<Option<Vec<_>>>() else {
            return Verdict::Failed(Final::INVALID);
        };
        let (mode, id, len) = match (self.is_multi(), values.as_slice()) {
            (false, [4]) => (4, 0, 0),
            (true, [4, id]) => (4, *id, 0),
            (false, [mode, len]) => (*mode, 0, *len),
            (true, [mode, id, len]) => (*mode, *id, *len),
            _ => return Verdict::Failed(Final::INVALID),
        };
        let most = if mode == 3 { HEX_MAX } else { READ_MAX };
        if id >= SOCKETS || mode != 4 && !(1..=most).contains(&len) {
            return Verdict::Failed(Final::INVALID);
        }
        if !self.settings.is_on("+CIPRXGET") {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        let place = if self.is_multi() { format!("{mode},{id}") } else { mode.to_string() };
        let held = &mut core.sockets[id].held;
        if mode == 4 {
            let line = format!("+CIPRXGET: {place},{}", held.len());
            core.info(line.as_bytes());
            return Verdict::Done;
        }
        let len = len.min(held.len());
        let bytes: Vec<u8> = held.drain(..len).collect();
        let line = format!("+CIPRXGET: {place},{len},{}", held.len());
        core.info(line.as_bytes());
        if mode == 3 {
            let mut text = String::with_capacity(2 * len);
            for byte in &bytes {
                let _ = write!(text, "{byte:02X}");
            }
            core.raw_info(text.as_bytes());
        } else {
            core.raw_info(&bytes);
        }
        Verdict::Done
    }
}
