//! The firmware of a POS terminal, from power-on to power loss.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::announce::{Announcement, Sound};
use super::board::TerminalParts;
use super::config::{About, TerminalConfig, TerminalEvent, TerminalStimulus};
use super::entry::Sale;
use super::exchange::Phase;
use super::installed::Installed;
use super::notices::Notice;
use super::port;
use super::sales::{Over, SaleFlow};
use super::store::{Session, Store, StoreError};
use super::upload::UploadFlow;
use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::machine::{Input, Output, Port, Stamped};
use crate::money::Fen;
use crate::pos::frame::{DeviceMessage, Head, Seq};
use crate::time::{Instant, Now};

/// Running firmware.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    pub(super) config: Arc<TerminalConfig>,
    /// Nothing if the flash cannot be used.
    pub(super) installed: Option<Arc<Installed>>,
    pub(super) store: Store,
    /// A datagram has stopped it.
    pub(super) stopped: bool,
    /// The next sequence number.
    pub(super) seq: u32,
    pub(super) sale: Option<SaleFlow>,
    pub(super) upload: Option<UploadFlow>,
    pub(super) notices: VecDeque<Notice>,
    /// A card was shown to the server, and its words are waited for until then.
    pub(super) asked: Option<Instant>,
    /// The amount that was typed.
    pub(super) typed: Option<Fen>,
    /// What the panel has sent of its next line.
    pub(super) line: Vec<u8>,
    /// Cards that rest, and until when.
    pub(super) quiet: Vec<(CardNumber, Instant)>,
    /// Sales that are over, newest last.
    pub(super) recent: VecDeque<Over>,
    /// Records that are not in the flash, where the design keeps any there.
    pub(super) volatile: VecDeque<Sale>,
    /// The newest sale's time, where the design keeps it here.
    pub(super) last_us: Option<i64>,
    /// The answers that were confirmed, where the design does so once.
    pub(super) confirmed: BTreeSet<Vec<u8>>,
    /// The time of the input.
    pub(super) now: Now,
    /// How far this input has run ahead on the storage bus.
    pub(super) at: Instant,
    out: VecDeque<Stamped<Output<TerminalEvent>>>,
}

impl Terminal {
    /// Power-on: reads the flash, tells the server, and takes up what it finds.
    pub(super) fn boot(config: Arc<TerminalConfig>, now: Now, parts: &mut TerminalParts) -> Self {
        let mut terminal = Self {
            config,
            installed: None,
            store: Store::default(),
            stopped: false,
            seq: 0,
            sale: None,
            upload: None,
            notices: VecDeque::new(),
            asked: None,
            typed: None,
            line: Vec::new(),
            quiet: Vec::new(),
            recent: VecDeque::new(),
            volatile: VecDeque::new(),
            last_us: None,
            confirmed: BTreeSet::new(),
            now,
            at: now.mono,
            out: VecDeque::new(),
        };
        terminal.load(parts);
        terminal
    }

    fn load(&mut self, parts: &mut TerminalParts) {
        let mut session = parts.session(self.at, &self.config);
        let loaded = Store::load(&mut session);
        self.at = session.at();
        match loaded {
            Ok((store, installed)) => {
                self.store = store;
                self.installed = Some(Arc::new(installed));
                self.note(TerminalEvent::Ready);
                self.tell_people("ready", "");
                self.take_up_sale();
                self.tell_power_on(parts);
                self.take_up_records(parts);
            }
            Err(why) => {
                self.note(TerminalEvent::StoreFailed(why));
                self.announce(Announcement::MemoryFault);
            }
        }
    }

    /// Takes one input.
    pub(super) fn handle_input(
        &mut self,
        now: Now,
        input: Input<'_, TerminalStimulus>,
        parts: &mut TerminalParts,
    ) {
        self.now = now;
        self.at = self.at.max(now.mono);
        if self.stopped || self.installed.is_none() {
            return;
        }
        match input {
            Input::Received { port: port::NET, bytes } => self.hear_server(bytes, parts),
            Input::Received { port: port::PANEL, bytes } => self.hear_people(bytes, parts),
            Input::Deadline => self.deadlines(parts),
            Input::Received { .. }
            | Input::Level { .. }
            | Input::PowerOn
            | Input::Opened { .. }
            | Input::Closed { .. }
            | Input::Acked { .. } => {}
            Input::Stimulus(never) => match never {},
        }
    }

    fn deadlines(&mut self, parts: &mut TerminalParts) {
        let now = self.now.mono;
        if self.sale.as_ref().is_some_and(|flow| flow.exchange.due() <= now) {
            self.sale_due(parts);
        }
        if self.upload.as_ref().is_some_and(|flow| flow.exchange.due() <= now) {
            self.upload_due(parts);
        }
        self.notices_due();
        if self.asked.is_some_and(|until| until <= now) {
            self.asked = None;
            self.announce(Announcement::NetworkFault);
        }
    }

    /// Borrows the flash from where this input has got to, and takes over how far the work ran ahead.
    pub(super) fn with_store<T>(
        &mut self,
        parts: &mut TerminalParts,
        work: impl FnOnce(&mut Store, &mut Session<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut session = parts.session(self.at, &self.config);
        let done = work(&mut self.store, &mut session);
        self.at = session.at();
        if let Err(why) = &done {
            self.note(TerminalEvent::StoreFailed(*why));
        }
        done
    }

    /// The wall clock as far as this input has run ahead.
    pub(super) fn clock_now(&self) -> Now {
        let ahead_us = self.at.since(self.now.mono).as_us().cast_signed();
        Now { mono: self.at, wall: self.now.wall.stepped(ahead_us) }
    }

    /// A new sequence number; that of a pending sale is passed over.
    pub(super) fn next_seq(&mut self) -> u32 {
        let taken = self.sale.as_ref().map(|flow| flow.exchange.seq);
        if taken == Some(self.seq) {
            self.seq = (self.seq + 1) % 100_000;
        }
        let seq = self.seq;
        self.seq = (self.seq + 1) % 100_000;
        seq
    }

    pub(super) fn head(&self, seq: u32) -> Head {
        let addresses = &self.config.addresses;
        Head {
            seq: Seq::counted(seq),
            terminal: Ok(addresses.terminal),
            remote: Ok(addresses.server),
            machine: self.installed.as_ref().map(|installed| installed.machine).unwrap_or_default(),
            serial: self.config.tells_serial.then(|| self.config.serial.clone()),
        }
    }

    pub(super) fn emit(&mut self, what: Output<TerminalEvent>) {
        self.out.push_back(Stamped { at: self.at, what });
    }

    pub(super) fn note(&mut self, event: TerminalEvent) {
        self.emit(Output::Event(event));
    }

    pub(super) fn transmit(&mut self, port: Port, bytes: Vec<u8>) {
        self.emit(Output::Transmit { port, bytes });
    }

    pub(super) fn send(&mut self, message: &DeviceMessage) {
        self.transmit(port::NET, message.to_bytes());
    }

    /// A line to the panel.
    pub(super) fn tell_people(&mut self, what: &str, rest: &str) {
        let blank = if rest.is_empty() { "" } else { " " };
        self.transmit(port::PANEL, format!("{what}{blank}{rest}\n").into_bytes());
    }

    /// Shows a text and makes it heard.
    pub(super) fn show(&mut self, text: &str, sound: Sound) {
        self.tell_people("show", text);
        if sound.beep != 0 {
            self.tell_people("beep", &sound.beep.to_string());
        }
        if sound.voice != 0 {
            self.tell_people("say", &sound.voice.to_string());
        }
    }

    pub(super) fn announce(&mut self, what: Announcement) {
        self.show(&what.to_string(), what.sound());
    }

    pub(super) fn about(sale: &Sale) -> About {
        About { card: sale.card, amount: sale.amount, time: sale.time }
    }

    pub(super) fn poll_output(&mut self) -> Option<Stamped<Output<TerminalEvent>>> {
        self.out.pop_front()
    }

    pub(super) fn busy_until(&self) -> Instant {
        self.at
    }

    /// Every deadline and the name of its timer.
    fn timers(&self) -> impl Iterator<Item = (Instant, &'static str)> + '_ {
        let sale = self.sale.as_ref().map(|flow| &flow.exchange).map(|exchange| {
            let name = match exchange.phase {
                Phase::Sent(_) => "timer:sale-ack",
                Phase::Acknowledged(_) => "timer:reply",
                Phase::Resting(_) => "timer:sale-round",
            };
            (exchange.due(), name)
        });
        let upload = self.upload.as_ref().map(|flow| &flow.exchange).map(|exchange| {
            (exchange.due(), if exchange.is_sent() { "timer:record-ack" } else { "timer:record-round" })
        });
        let notices = self.notices.iter().map(|notice| (notice.exchange.due(), "timer:notice-ack"));
        let asked = self.asked.map(|until| (until, "timer:question"));
        let all = sale.into_iter().chain(upload).chain(notices).chain(asked);
        all.filter(|_| !self.stopped)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers().map(|(at, _)| at).min()
    }

    pub(super) fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.timers().for_each(|(at, _)| tell(at));
    }

    pub(super) fn timer_name(&self) -> Option<&'static str> {
        self.timers().min_by_key(|(at, _)| *at).map(|(_, name)| name)
    }

    pub(super) fn digest(&self, now: Instant, into: &mut Digest) {
        self.store.digest(into);
        into.flag(self.installed.is_some()).flag(self.stopped).word(u64::from(self.seq));
        into.flag(self.sale.is_some()).flag(self.upload.is_some()).word(self.notices.len() as u64);
        if let Some(flow) = &self.sale {
            flow.digest(into);
        }
        if let Some(flow) = &self.upload {
            flow.digest(into);
        }
        for notice in &self.notices {
            notice.digest(into);
        }
        into.deadline(self.asked).flag(self.typed.is_some());
        into.word(self.typed.unwrap_or_default().0.cast_unsigned()).bytes(&self.line);
        // What rests no longer makes no difference.
        for (card, until) in self.quiet.iter().filter(|(_, until)| *until > now) {
            into.flag(true).bytes(&card.bcd()).instant(*until);
        }
        into.flag(false).word(self.recent.len() as u64);
        for over in &self.recent {
            over.digest(into);
        }
        into.word(self.volatile.len() as u64);
        for sale in &self.volatile {
            sale.digest(into);
        }
        into.flag(self.last_us.is_some()).word(self.last_us.unwrap_or_default().cast_unsigned());
        for answer in &self.confirmed {
            into.bytes(answer);
        }
        into.instant(self.at).word(self.out.len() as u64);
    }
}
