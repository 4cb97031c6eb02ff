//! Connections: the way of the packet context up and down, and the commands that open, use and close a link.
//!
//! Source: MDM-A2, MDM-A3.

use std::net::SocketAddrV4;

use super::{CountedData, Job, Sim800aDialect, Stage};
use crate::machine::Close;
use crate::modem::config::address_of;
use crate::modem::core::Core;
use crate::modem::dialect::{DataEnd, Verdict};
use crate::modem::line::{Command, Form, parse_number};
use crate::modem::reply::Final;
use crate::modem::socket::{SOCKETS, SocketState};

/// The longest name of an access point.
///
/// Units: bytes.
const APN_MAX: usize = 50;

impl Sim800aDialect {
    pub(super) fn access_point(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        match command.form {
            Form::Read => {
                let [apn, user, password] = self.apn.each_ref().map(|part| String::from_utf8_lossy(part));
                core.info(format!("+CSTT: \"{apn}\",\"{user}\",\"{password}\"").as_bytes());
                Verdict::Done
            }
            Form::Test => {
                core.info(b"+CSTT: \"APN\",\"USER\",\"PWD\"");
                Verdict::Done
            }
            _ if self.stage != Stage::Initial => Verdict::Failed(Final::NOT_ALLOWED),
            Form::Execute => {
                self.stage = Stage::Start;
                Verdict::Done
            }
            Form::Set(_) => {
                let parts: Vec<_> = command.values().collect();
                if parts.len() > 3 || parts.iter().any(|part| part.len() > APN_MAX) {
                    return Verdict::Failed(Final::INVALID);
                }
                self.apn =
                    std::array::from_fn(|place| parts.get(place).map_or(Vec::new(), |part| part.to_vec()));
                self.stage = Stage::Start;
                Verdict::Done
            }
        }
    }

    pub(super) fn bring_up(&mut self, core: &mut Core) -> Verdict {
        if self.stage != Stage::Start {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        if !activate(core) {
            return Verdict::Failed(Final::NO_SERVICE);
        }
        self.stage = Stage::GprsAct;
        Verdict::Done
    }

    /// The address stands alone: there is no final result.
    pub(super) fn local_address(&mut self, core: &mut Core) -> Verdict {
        if !matches!(self.stage, Stage::GprsAct | Stage::Status) {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        self.stage = Stage::Status;
        core.info(self.config.address.to_string().as_bytes());
        Verdict::Said
    }

    pub(super) fn start(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let mut values = command.values();
        let id = if self.is_multi() {
            match values.next().and_then(parse_number) {
                Some(id) if id < SOCKETS => id,
                _ => return Verdict::Failed(Final::INVALID),
            }
        } else {
            0
        };
        let (kind, host, port) = (values.next(), values.next(), values.next().and_then(parse_number));
        let (Some(kind), Some(host), Some(port), None) = (kind, host, port, values.next()) else {
            return Verdict::Failed(Final::INVALID);
        };
        let Some(port) = u16::try_from(port).ok().filter(|port| *port > 0) else {
            return Verdict::Failed(Final::INVALID);
        };
        if !kind.eq_ignore_ascii_case(b"TCP") || host.is_empty() {
            return Verdict::Failed(Final::INVALID);
        }
        if core.sockets[id].is_open() {
            let text = self.numbered(id, "ALREADY CONNECT");
            return self.config.already_connect.answer(core, &text);
        }
        let to = address_of(&self.config.resolver, host).map(|address| SocketAddrV4::new(address, port));
        let was_closed = core.sockets[id].state == SocketState::Closed;
        match self.stage {
            Stage::Initial if !self.is_multi() => {
                self.stage = Stage::Config;
                let latency = core.config.activate;
                self.later(core, latency, Job::Connect(id, to));
            }
            Stage::Status if self.is_multi() || !was_closed || self.config.reopens => {
                let latency = core.config.resolve;
                match to {
                    Some(_) => self.connect(core, id, to),
                    None => self.later(core, latency, Job::Connect(id, None)),
                }
            }
            _ => return Verdict::Failed(Final::NOT_ALLOWED),
        }
        Verdict::Done
    }

    /// Opens a link, after the context where that is still to come.
    pub(super) fn connect(&mut self, core: &mut Core, id: usize, to: Option<SocketAddrV4>) {
        if self.stage == Stage::Config {
            if !activate(core) {
                self.stage = Stage::Deactivated;
                self.say_failed(core, id);
                return;
            }
            self.stage = Stage::Status;
        }
        self.peers[id] = to;
        self.sent[id] = 0;
        let limit = if self.is_multi() { self.config.connect_limit_multi } else { core.config.connect_limit };
        match to {
            Some(to) => core.open(id, to, limit),
            None => {
                core.link(id, SocketState::Closed);
                self.say_failed(core, id);
            }
        }
    }

    pub(super) fn say_failed(&self, core: &mut Core, id: usize) {
        if self.is_multi() {
            return self.say(core, id, "CONNECT FAIL");
        }
        let mut lines = Vec::new();
        core.form.line(format!("STATE: {}", self.state(core)).as_bytes(), &mut lines);
        core.form.line(b"CONNECT FAIL", &mut lines);
        core.say_raw(lines);
    }

    pub(super) fn send(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let most = core.config.send_max;
        let (id, until) = match (self.is_multi(), command.form, command.numbers(), command.numbers()) {
            (_, Form::Read, ..) => return self.send_sizes(core),
            (false, Form::Execute, ..) => (0, DataEnd::ControlZ(most)),
            (false, _, Some([len]), _) => (0, DataEnd::Count(len)),
            (true, _, Some([id]), _) => (id, DataEnd::ControlZ(most)),
            (true, _, _, Some([id, len])) => (id, DataEnd::Count(len)),
            _ => return Verdict::Failed(Final::INVALID),
        };
        let until = match (until, self.config.counted) {
            (DataEnd::Count(len), CountedData::EndsAtControlZ) if (1..=most).contains(&len) => {
                DataEnd::CountOrControlZ(len)
            }
            (until, _) => until,
        };
        let fits = match until {
            DataEnd::CountOrControlZ(_) => true,
            DataEnd::Count(len) => (1..=most).contains(&len),
            DataEnd::ControlZ(_) => true,
        };
        if id >= SOCKETS || !fits {
            return Verdict::Failed(Final::INVALID);
        }
        let is_transparent = self.settings.is_on("+CIPMODE");
        if core.sockets[id].state != SocketState::Connected || is_transparent {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        Verdict::Prompt { id, until, shown: self.settings.is_on("+CIPSPRT") }
    }

    fn send_sizes(&self, core: &mut Core) -> Verdict {
        let most = core.config.send_max;
        let size = |core: &Core, id: usize| {
            if core.sockets[id].state == SocketState::Connected { most } else { 0 }
        };
        if self.is_multi() {
            for id in 0..SOCKETS {
                let line = format!("+CIPSEND: {id},{}", size(core, id));
                core.info(line.as_bytes());
            }
        } else {
            let line = format!("+CIPSEND: {}", size(core, 0));
            core.info(line.as_bytes());
        }
        Verdict::Done
    }

    pub(super) fn acknowledged(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let id = match (self.is_multi(), command.form, command.choice(SOCKETS - 1)) {
            (false, Form::Execute, _) => 0,
            (true, Form::Set(_), Some(id)) => id,
            _ => return Verdict::Failed(Final::INVALID),
        };
        if core.sockets[id].state != SocketState::Connected {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        let (sent, unacked) = (self.sent[id], core.sockets[id].unacked);
        let line = format!("+CIPACK: {sent},{},{unacked}", sent.saturating_sub(unacked));
        core.info(line.as_bytes());
        Verdict::Done
    }

    /// `CLOSE OK` stands in the place of `OK`. A second number, for a quick close, is taken.
    pub(super) fn close(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let (id, quick) = match (self.is_multi(), command.form, command.numbers(), command.numbers()) {
            (false, Form::Execute, ..) => (0, 0),
            (false, _, Some([quick]), _) => (0, quick),
            (true, _, Some([id]), _) => (id, 0),
            (true, _, _, Some([id, quick])) => (id, quick),
            _ => return Verdict::Failed(Final::INVALID),
        };
        if id >= SOCKETS || quick > 1 {
            return Verdict::Failed(Final::INVALID);
        }
        if !core.sockets[id].is_open() {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        core.close(id, if quick == 1 { Close::Reset } else { Close::Fin });
        core.leave_online();
        core.info(self.numbered(id, "CLOSE OK").as_bytes());
        Verdict::Said
    }

    /// `SHUT OK` stands in the place of `OK`.
    pub(super) fn shut(&mut self, core: &mut Core) -> Verdict {
        self.jobs.retain(|(_, job)| !matches!(job, Job::Connect(..)));
        self.plan(core);
        core.close_links(Close::Fin);
        core.leave_online();
        for id in 0..SOCKETS {
            core.sockets[id].held.clear();
            core.link(id, SocketState::Initial);
        }
        core.radio.active = self.bearer;
        self.peers = Default::default();
        self.stage = Stage::Initial;
        core.info(b"SHUT OK");
        Verdict::Said
    }

    /// The final result comes first, and the state after it.
    pub(super) fn status(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        match (command.form, command.choice(SOCKETS - 1)) {
            (Form::Execute, _) => {}
            (Form::Set(_), Some(id)) if self.is_multi() => {
                core.info(format!("+CIPSTATUS: {}", self.link_line(core, id)).as_bytes());
                return Verdict::Done;
            }
            _ => return Verdict::Failed(Final::INVALID),
        }
        core.result(Final::Ok);
        core.info(format!("STATE: {}", self.state(core)).as_bytes());
        if self.is_multi() {
            core.raw_info(b"\r\n");
            for id in 0..SOCKETS {
                core.raw_info(format!("C: {}\r\n", self.link_line(core, id)).as_bytes());
            }
        }
        Verdict::Said
    }

    fn link_line(&self, core: &Core, id: usize) -> String {
        let state = match core.sockets[id].state {
            SocketState::Initial => "INITIAL",
            SocketState::Connecting => "CONNECTING",
            SocketState::Connected => "CONNECTED",
            SocketState::Closed => "CLOSED",
        };
        match self.peers[id] {
            Some(peer) => format!("{id},0,\"TCP\",\"{}\",\"{}\",\"{state}\"", peer.ip(), peer.port()),
            None => format!("{id},,\"\",\"\",\"\",\"{state}\""),
        }
    }

    /// `OK` comes at once, and the address when the network has told it.
    pub(super) fn resolve(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let mut values = command.values();
        let (Some(name), None) = (values.next().filter(|name| !name.is_empty()), values.next()) else {
            return Verdict::Failed(Final::INVALID);
        };
        if !matches!(self.stage, Stage::GprsAct | Stage::Status) {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        let latency = core.config.resolve;
        self.later(core, latency, Job::Resolve(name.to_vec()));
        Verdict::Done
    }

    pub(super) fn resolved(&self, core: &mut Core, name: &[u8]) {
        let has_network = matches!(self.stage, Stage::GprsAct | Stage::Status);
        match address_of(&self.config.resolver, name).filter(|_| has_network) {
            Some(address) => {
                let head = [b"+CDNSGIP: 1,\"".as_slice(), name].concat();
                core.say(&[&head, format!("\",\"{address}\"").as_bytes()].concat());
            }
            None if has_network => core.say(b"+CDNSGIP: 0,8"),
            None => core.say(b"+CDNSGIP: 0,3"),
        }
    }
}

/// Attaches the module and brings its context up. Whether the network lets it.
fn activate(core: &mut Core) -> bool {
    let lets = core.radio.is_registered();
    if lets {
        core.radio.attached = true;
        core.radio.active = true;
    }
    lets
}
