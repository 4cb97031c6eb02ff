//! What the POS server was asked, and what it said about each sale: the state that its judges share.
//!
//! A sale goes by its identity and not by its messages. Answers name a card or a number and no time, so that an answer
//! is taken for the sale that was asked for last among those that it fits.

use std::collections::BTreeMap;

use assay_sim::money::Fen;
use assay_sim::pos::books::{Device, SaleId, Sold};
use assay_sim::pos::frame::{
    Confirmed, DeviceMessage, Head, Key, MachineNumber, Read, RecordAddress, Seq, ServerMessage,
};
use assay_sim::pos::party::Event;
use assay_sim::tape::Entry;
use assay_sim::time::Instant;

use super::server_ears::{Calm, Unsound, Upset, device_of, is_variant, sale_of};
use super::server_round::{Confirm, Round};
use super::wire::{Passed, Passing, Told, amount_of, key_of};
use crate::pos::scene::Scene;

/// Everything that was heard and said.
#[derive(Default)]
pub struct Desk {
    /// What befell the server.
    pub calm: Calm,
    /// Every device that was heard.
    pub devices: BTreeMap<Device, Known>,
    /// Every sale that was heard of.
    pub sales: BTreeMap<SaleId, SaleSeen>,
    /// Payments that can never be a sale.
    pub unsound: Vec<UnsoundSeen>,
    /// Records that make no sense, each once, by what they say, with the 011 that answered it.
    pub misfits: BTreeMap<(Device, RecordAddress, Vec<u8>), Option<u64>>,
    /// Datagrams that were no messages.
    pub junk: Vec<u64>,
}

/// A device as the server hears it.
#[derive(Default)]
pub struct Known {
    /// Where it was heard last.
    pub path: usize,
    /// By which number.
    pub machine: MachineNumber,
    /// Its newest sale, and whether the server must know that.
    pub latest: Option<(SaleId, bool)>,
    /// The answer that it was sent last.
    pub round: Option<Round>,
    /// Answers before it that nobody has confirmed: a server may go on sending them.
    earlier: Vec<Round>,
    /// Whether it was heard since the server started.
    pub heard: bool,
    /// Its last tap, and whether it waits for an answer.
    tapped: (u64, bool),
    /// Its confirmations, of which it may send one several times: number, which answer, and about what.
    confirms: Vec<(Seq, Confirmed, Box<[u8]>)>,
}

/// A sale as it was told.
#[derive(Default)]
pub struct SaleSeen {
    /// By which number its device bore it last.
    pub machine: MachineNumber,
    /// Where its payment came from last.
    pub path: usize,
    /// Each 103, 104 or 128.
    pub payments: Vec<u64>,
    /// Each 105.
    pub records: Vec<u64>,
    /// Each 011 for it.
    pub deleted: Vec<u64>,
    /// Each final answer: whether it says that the sale was made, where on the tape, and its bytes behind the number of
    /// the machine.
    ///
    /// Why: that number may be damaged on the way of a repeat, whose answer then bears it.
    pub finals: Vec<(bool, u64, Vec<u8>)>,
    /// When an answer to it left last.
    pub said_at: Option<Instant>,
    /// Whether a device has confirmed its end.
    pub confirm: Confirm,
    /// Whether one of its messages had another form than those of newer devices.
    pub variant: bool,
    /// Whether its payment has come since the server started.
    pub asked_since_start: bool,
    /// Whether it waits for an answer.
    open: bool,
}

/// A payment that can never be a sale.
pub struct UnsoundSeen {
    /// Whose.
    pub device: Device,
    /// By which number.
    pub machine: MachineNumber,
    /// From where.
    pub path: usize,
    /// What an answer names.
    pub key: Box<[u8]>,
    /// Why.
    pub why: Unsound,
    /// The entry.
    pub ordinal: u64,
    /// Whether it waits for an answer.
    open: bool,
}

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A sale.
    Sale(SaleId),
    /// A payment that can never be one, by its place.
    Unsound(usize),
    /// A card that was tapped.
    Tap,
    /// Nothing that was asked.
    Nothing,
}

/// What a payment calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// An answer, for the first time.
    First,
    /// An answer, because its record has been stored before.
    AfterRecord,
    /// The same answer again.
    Again,
    /// Nothing but the acknowledgement.
    Nothing,
    /// Either is right.
    Either,
}

/// An answer that the server sends.
pub struct Said {
    /// To whom; nobody if nothing that was asked fits it.
    pub device: Option<Device>,
    /// About what.
    pub about: About,
    /// Of which kind.
    pub what: Confirmed,
    /// Which amount it names.
    pub amount: Option<Read<Fen>>,
    /// What people are shown.
    pub text: Vec<u8>,
    /// Whether it says that a payment is in progress.
    pub interim: bool,
    /// Where it goes.
    pub path: usize,
    /// Whether that is where the device was heard.
    pub in_place: bool,
    /// Whether it is sent for the first time.
    pub fresh: bool,
}

/// What an entry shows.
pub enum Noticed {
    /// Nothing of interest.
    Nothing,
    /// The server lost its memory, or some of its input.
    Upset,
    /// A payment came.
    Payment {
        /// Which.
        about: About,
        /// What it calls for.
        calls: Calls,
    },
    /// An answer left.
    Said(Said),
}

impl Desk {
    /// Takes note of an entry.
    pub fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) -> Noticed {
        match self.calm.observe(entry, scene) {
            Upset::None => {}
            upset => {
                self.forget(upset == Upset::Restarted);
                return Noticed::Upset;
            }
        }
        let Some(passed) = Passed::of(entry, scene) else { return Noticed::Nothing };
        match (&passed.told, passed.up, passed.passing) {
            (Told::Device(message), true, Passing::Heard) => self.hear(&passed, message, scene),
            (Told::Junk(_), true, Passing::Heard) => {
                self.junk.push(passed.ordinal);
                Noticed::Nothing
            }
            (Told::Server(message), false, Passing::Sent) => self.say(&passed, message, scene),
            _ => Noticed::Nothing,
        }
    }

    /// Whether no other device bears a device's number in the same place, so that answers can be told apart.
    pub fn is_alone(&self, device: &Device) -> bool {
        let place = |known: &Known| (known.path, known.machine);
        let Some(known) = self.devices.get(device) else { return false };
        !self.devices.iter().any(|(other, others)| other != device && place(others) == place(known))
    }

    /// Whose something is.
    pub fn owner<'a>(&'a self, about: &'a About) -> Option<&'a Device> {
        match about {
            About::Sale(id) => Some(&id.device),
            About::Unsound(place) => self.unsound.get(*place).map(|seen| &seen.device),
            About::Tap | About::Nothing => None,
        }
    }

    /// What is not durable may be gone.
    fn forget(&mut self, restarted: bool) {
        for known in self.devices.values_mut() {
            known.round = None;
            known.heard &= !restarted;
            if let Some((_, sure)) = &mut known.latest {
                *sure = false;
            }
        }
        for sale in self.sales.values_mut() {
            sale.asked_since_start &= !restarted;
            if sale.confirm == Confirm::Sure {
                sale.confirm = Confirm::Maybe;
            }
        }
    }

    fn hear(&mut self, passed: &Passed<'_>, message: &DeviceMessage, scene: &Scene) -> Noticed {
        let Some(head) = message.head() else { return Noticed::Nothing };
        let device = device_of(head);
        let (path, machine) = (passed.terminal, head.machine);
        let known = self.devices.entry(device.clone()).or_default();
        (known.path, known.machine, known.heard) = (path, machine, true);
        match message {
            DeviceMessage::Tap { .. } => {
                known.tapped = (passed.ordinal, true);
                if let Some(round) = &mut known.round {
                    round.disturbed = true;
                    round.asked += 1;
                }
                Noticed::Nothing
            }
            DeviceMessage::Confirm { what, key, .. } => {
                let confirmation = (head.seq.clone(), *what, key.clone());
                let again = known.confirms.contains(&confirmation);
                known.confirms.push(confirmation);
                self.confirmed(&device, (*what, key), again, passed.at);
                Noticed::Nothing
            }
            DeviceMessage::Record { .. } => {
                self.record(passed, head, message, scene);
                Noticed::Nothing
            }
            _ => self.payment(passed, head, message, scene),
        }
    }

    fn record(&mut self, passed: &Passed<'_>, head: &Head, message: &DeviceMessage, scene: &Scene) {
        let DeviceMessage::Record { address, .. } = message else { return };
        if let Some(Ok(id)) = sale_of(message) {
            let sale = self.sales.entry(id).or_default();
            sale.machine = head.machine;
            sale.records.push(passed.ordinal);
            sale.variant |= is_variant(message, scene);
        } else {
            let fields: Vec<&[u8]> = passed.bytes.split(|byte| *byte == b',').collect();
            let says = fields.get(5..9).map(|fields| fields.join(&b','));
            let key = (device_of(head), *address, says.unwrap_or_default());
            self.misfits.entry(key).or_default();
        }
    }

    fn payment(
        &mut self,
        passed: &Passed<'_>,
        head: &Head,
        message: &DeviceMessage,
        scene: &Scene,
    ) -> Noticed {
        let device = device_of(head);
        let id = match sale_of(message) {
            None => return Noticed::Nothing,
            Some(Ok(id)) => id,
            Some(Err(why)) => return self.unsound(passed, head, message, why),
        };
        let sale = self.sales.entry(id.clone()).or_default();
        let first = sale.payments.is_empty();
        (sale.machine, sale.path) = (head.machine, passed.terminal);
        sale.payments.push(passed.ordinal);
        sale.variant |= is_variant(message, scene);
        let (confirm, recorded) = (sale.confirm, !sale.records.is_empty());
        let Some(known) = self.devices.get_mut(&device) else { return Noticed::Nothing };
        (sale.open, sale.asked_since_start) = (true, true);
        let calls = match (&known.latest, first) {
            (None, true) if recorded => Calls::AfterRecord,
            (Some(_), true) if recorded => Calls::Either,
            (_, true) => Calls::First,
            (Some((latest, _)), false) if *latest == id => match confirm {
                Confirm::No => Calls::Again,
                Confirm::Maybe => Calls::Either,
                Confirm::Sure => Calls::Nothing,
            },
            (Some((_, true)), false) => Calls::Nothing,
            _ => Calls::Either,
        };
        if first {
            // Whether a payment whose record came before counts as the newest sale is left to the server.
            known.latest = Some((id.clone(), !recorded));
        }
        if calls != Calls::Nothing {
            // Its answer begins anew.
            known.earlier.retain(|round| round.about != About::Sale(id.clone()));
        }
        if let Some(round) = known.round.as_mut().filter(|_| calls != Calls::Nothing) {
            round.asked += 1;
            if round.about == About::Sale(id.clone()) {
                round.before = round.sends.len();
                round.anew = round.confirm == Confirm::Sure;
            } else {
                round.disturbed = true;
            }
        }
        Noticed::Payment { about: About::Sale(id), calls }
    }

    fn unsound(
        &mut self,
        passed: &Passed<'_>,
        head: &Head,
        message: &DeviceMessage,
        why: Unsound,
    ) -> Noticed {
        let key = match message {
            DeviceMessage::Pay { card, .. } | DeviceMessage::Count { card, .. } => {
                card.as_ref().map_or_else(Clone::clone, |card| Key::Card(*card).to_bytes())
            }
            DeviceMessage::Scan { number, .. } => Key::Code(*number).to_bytes(),
            _ => Box::default(),
        };
        let device = device_of(head);
        if let Some(round) = self.devices.get_mut(&device).and_then(|known| known.round.as_mut()) {
            round.asked += 1;
            round.disturbed = true;
        }
        let (machine, path, ordinal) = (head.machine, passed.terminal, passed.ordinal);
        self.unsound.push(UnsoundSeen { device, machine, path, key, why, ordinal, open: true });
        Noticed::Payment { about: About::Unsound(self.unsound.len() - 1), calls: Calls::First }
    }

    /// A 109, which if it comes again may mean an earlier answer in the same words.
    fn confirmed(&mut self, device: &Device, (what, key): (Confirmed, &[u8]), again: bool, at: Instant) {
        let Some(known) = self.devices.get_mut(device) else { return };
        let round = known.round.as_mut().filter(|round| round.what == what && *round.key == *key);
        let (about, confirm) = match round {
            Some(round) if again || round.owed > 0 => {
                round.owed = round.owed.saturating_sub(usize::from(!again));
                if round.confirm == Confirm::No {
                    round.confirm = Confirm::Maybe;
                }
                (round.about.clone(), round.confirm)
            }
            Some(round) => {
                round.confirm = Confirm::Sure;
                round.confirmed_at.get_or_insert(at);
                (round.about.clone(), if round.disturbed { Confirm::Maybe } else { Confirm::Sure })
            }
            None => (About::Nothing, Confirm::Maybe),
        };
        let ended = |sale: &SaleSeen, done: bool| sale.finals.last().is_some_and(|(made, ..)| *made == done);
        for (id, sale) in self.sales.iter_mut().filter(|(id, _)| id.device == *device) {
            if *key != *key_of(&id.sold) || !ended(sale, what == Confirmed::Done) {
                continue;
            }
            let confirm = if about == About::Sale(id.clone()) { confirm } else { Confirm::Maybe };
            if sale.confirm != Confirm::Sure {
                sale.confirm = confirm;
            }
        }
    }

    fn say(&mut self, passed: &Passed<'_>, message: &ServerMessage, scene: &Scene) -> Noticed {
        let (machine, what, key, amount, text, secs) = match message {
            ServerMessage::Refused { machine, key, text, cue } => {
                (*machine, Confirmed::Refused, key.to_bytes(), None, text, cue.secs)
            }
            ServerMessage::Done { machine, key, amount, text, cue } => {
                (*machine, Confirmed::Done, key.to_bytes(), Some(amount.clone()), text, cue.secs)
            }
            ServerMessage::Display { machine, text, cue } => {
                let key = machine.to_string().into_bytes().into();
                (*machine, Confirmed::Display, key, None, text, cue.secs)
            }
            ServerMessage::Delete { .. } => {
                self.deleted(passed, message);
                return Noticed::Nothing;
            }
            _ => return Noticed::Nothing,
        };
        let path = passed.terminal;
        let meant = |open| self.meant((path, machine), (what, &key, amount.as_ref()), open);
        // What waits for its first answer goes before what may be sent again in the same words.
        let found = meant(true).or_else(|| self.again(path, passed.bytes)).or_else(|| meant(false));
        let (device, about) = found.map_or((None, About::Nothing), |(device, about)| (Some(device), about));
        self.answered(device.as_ref(), &about);
        let by_code = matches!(&about, About::Sale(id) if matches!(id.sold, Sold::Code(..)));
        let interim = by_code && what == Confirmed::Done && secs == scene.profile.server.interim_secs;
        let in_place = device.as_ref().is_some_and(|device| self.is_at(device, &about, path));
        let mut fresh = true;
        let asked = self.asked_since_answer(&about);
        if let Some(known) = device.as_ref().and_then(|device| self.devices.get_mut(device)) {
            fresh = known.sent(about.clone(), (what, key), passed, asked);
        }
        if let About::Sale(id) = &about
            && let Some(sale) = self.sales.get_mut(id)
        {
            sale.said_at = Some(passed.at);
            if !interim {
                let words = passed.bytes.splitn(3, |byte| *byte == b',').last().unwrap_or_default();
                sale.finals.push((what == Confirmed::Done, passed.ordinal, words.to_vec()));
            }
        }
        let text = text.clone();
        Noticed::Said(Said { device, about, what, amount, text, interim, path, in_place, fresh })
    }

    /// The answer that is sent again.
    fn again(&self, path: usize, bytes: &[u8]) -> Option<(Device, About)> {
        // What came since may be answered in the same words.
        let same = |known: &Known| {
            known.round.as_ref().is_some_and(|round| round.bytes == bytes && !round.disturbed)
        };
        let of = |here: bool| {
            self.devices
                .iter()
                .filter(move |(_, known)| !here || known.path == path)
                .find(|(_, known)| same(known))
        };
        let (device, known) = of(true).or_else(|| of(false))?;
        Some((device.clone(), known.round.as_ref()?.about.clone()))
    }

    /// What an answer is about: what was asked last among all that it fits; `open` is whether that must wait for one.
    fn meant(
        &self,
        (path, machine): (usize, MachineNumber),
        (what, key, amount): (Confirmed, &[u8], Option<&Read<Fen>>),
        open: bool,
    ) -> Option<(Device, About)> {
        if what == Confirmed::Display {
            let of = |(_, known): &(&Device, &Known)| {
                let waits = known.tapped.1 && known.path == path;
                known.machine == machine && known.tapped.0 > 0 && (waits || !open)
            };
            let last =
                self.devices.iter().filter(of).max_by_key(|(_, known)| (known.path == path, known.tapped));
            return last.map(|(device, _)| (device.clone(), About::Tap));
        }
        // A device's number may have been damaged since.
        let last = |device: &Device| self.devices.get(device).is_some_and(|known| known.machine == machine);
        let of = |(id, sale): &(&SaleId, &SaleSeen)| {
            (sale.machine == machine || last(&id.device)) && *key == *key_of(&id.sold)
        };
        let sales = self.sales.iter().filter(of).filter_map(|(id, sale)| {
            let asked = *sale.payments.last()?;
            let fits = what == Confirmed::Refused || amount == Some(&Ok(amount_of(&id.sold)));
            let here = self.is_at(&id.device, &About::Sale(id.clone()), path);
            let waits = sale.open && here && fits;
            (waits || !open)
                .then(|| ((fits, here, false, asked), (id.device.clone(), About::Sale(id.clone()))))
        });
        let unsound =
            (0..).zip(&self.unsound).filter(|(_, seen)| seen.machine == machine && *seen.key == *key);
        let unsound = unsound.filter_map(|(place, seen)| {
            // What can be no sale is refused, before all that waits with it; what is made is rather one that can.
            let (fits, here) = (what == Confirmed::Refused, seen.path == path);
            let waits = seen.open && here && fits;
            let rank = (fits, here, fits && waits, seen.ordinal);
            (waits || !open).then(|| (rank, (seen.device.clone(), About::Unsound(place))))
        });
        sales.chain(unsound).max_by_key(|(rank, _)| *rank).map(|(_, meant)| meant)
    }

    /// It waits for no first answer any more.
    fn answered(&mut self, device: Option<&Device>, about: &About) {
        match about {
            About::Sale(id) => {
                if let Some(sale) = self.sales.get_mut(id) {
                    sale.open = false;
                }
            }
            About::Unsound(place) => {
                if let Some(seen) = self.unsound.get_mut(*place) {
                    seen.open = false;
                }
            }
            About::Tap => {
                if let Some(known) = device.and_then(|device| self.devices.get_mut(device)) {
                    known.tapped.1 = false;
                }
            }
            About::Nothing => {}
        }
    }

    /// Whether a path leads to where a device was heard, or to where its sale came from.
    fn is_at(&self, device: &Device, about: &About, path: usize) -> bool {
        let sale = match about {
            About::Sale(id) => self.sales.get(id).map(|sale| sale.path),
            About::Unsound(place) => self.unsound.get(*place).map(|seen| seen.path),
            About::Tap | About::Nothing => None,
        };
        sale == Some(path) || self.devices.get(device).is_some_and(|known| known.path == path)
    }

    fn deleted(&mut self, passed: &Passed<'_>, message: &ServerMessage) {
        let ServerMessage::Delete { machine, card, amount, at, address } = message else { return };
        let named = |id: &SaleId| match &id.sold {
            Sold::Money(number, fen) => **card == number.digits() && **amount == *fen.to_string().as_bytes(),
            Sold::Count(number) => **card == number.digits(),
            Sold::Code(..) => false,
        };
        let meant = |(id, sale): &(&SaleId, &mut SaleSeen)| {
            let open = sale.deleted.len() < sale.records.len();
            open && sale.machine == *machine && named(id) && **at == *id.at.to_string().as_bytes()
        };
        // It does not tell the serial number, which may have been damaged in a record that a server then forgot.
        let newest = self.sales.iter_mut().filter(meant).max_by_key(|(_, sale)| sale.records.last().copied());
        if let Some((_, sale)) = newest {
            sale.deleted.push(passed.ordinal);
            return;
        }
        let here = |device: &Device| self.devices.get(device).is_some_and(|known| known.machine == *machine);
        let says = [&card[..], &amount[..]].join(&b',');
        let named = |says_all: &[u8]| says_all.starts_with(&says);
        let found = self.misfits.iter_mut().find(|((device, place, all), answered)| {
            answered.is_none() && place == address && here(device) && named(all)
        });
        if let Some((_, answered)) = found {
            *answered = Some(passed.ordinal);
        }
    }
}

impl Known {
    /// An answer leaves for it that was asked for so often; whether for the first time.
    fn sent(
        &mut self,
        about: About,
        (what, key): (Confirmed, Box<[u8]>),
        passed: &Passed<'_>,
        asked: usize,
    ) -> bool {
        const EARLIER_MAX: usize = 8;
        let send = (passed.ordinal, passed.at);
        let same = |round: &&mut Round| round.bytes == passed.bytes && round.about == about && !round.anew;
        if let Some(round) = self.round.as_mut().filter(same) {
            round.sends.push(send);
            return false;
        }
        if let Some(round) = self.earlier.iter_mut().find(same) {
            round.sends.push(send);
            return false;
        }
        let alike = |round: &&Round| round.what == what && round.key == key && round.confirm != Confirm::Sure;
        let mut owed = self.round.as_ref().filter(alike).map_or(0, |round| round.owed + round.sends.len());
        // Each sending of "in progress" may be confirmed by itself, and only one of them has been for certain.
        let interim = |round: &&Round| {
            round.confirm == Confirm::Sure && round.about == about && (round.what, &round.key) == (what, &key)
        };
        owed += self.round.as_ref().filter(interim).map_or(0, |round| round.owed + round.sends.len() - 1);
        self.earlier.retain(|round| round.bytes != passed.bytes);
        self.earlier.drain(..self.earlier.len().saturating_sub(EARLIER_MAX));
        self.earlier.extend(self.round.take().filter(|round| round.confirm != Confirm::Sure));
        self.round = Some(Round {
            about,
            what,
            key,
            bytes: passed.bytes.to_vec(),
            sends: vec![send],
            before: 0,
            asked,
            anew: false,
            owed,
            confirm: Confirm::No,
            confirmed_at: None,
            disturbed: false,
            judged: false,
        });
        true
    }
}
