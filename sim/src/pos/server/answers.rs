//! Answers: when they leave, and how often they are sent until the device confirms them.

use std::collections::VecDeque;

use super::event::ServerEvent;
use super::firmware::{Deed, Lent, Printed, Server};
use super::policy::{Commit, ReplyTo, Resend};
use super::words;
use crate::machine::Port;
use crate::pos::books::{BookRecord, Device, Refusal, SaleId, Sold};
use crate::pos::frame::{Confirmed, Cue, Head, Key, MachineNumber, Seq, ServerMessage};
use crate::short::Short;
use crate::time::Instant;

/// The beeps and voices of the sample server's answers.
const SUCCESS: (u8, u8) = (0, 1);
const FAILURE: (u8, u8) = (0, 6);
const PLAIN: (u8, u8) = (1, 0);

/// An answer that a device has to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) what: Confirmed,
    /// What the confirmation names.
    pub(super) key: Short,
    pub(super) machine: MachineNumber,
    pub(super) bytes: Vec<u8>,
    /// How often it has left since it was asked for last.
    pub(super) sends: u8,
    /// How often it has left in all, less the confirmations of it that have come.
    pub(super) sent: u8,
    /// When it is sent again.
    pub(super) again: Instant,
    /// The sale, if it is the end of one.
    pub(super) sale: Option<SaleId>,
    /// How many confirmations may still come of another answer that they cannot be told from.
    pub(super) owed: u8,
    /// Whether it is sent no more; a confirmation that comes late still counts.
    pub(super) over: bool,
}

impl Waiting {
    /// What an answer in the same words to `sale` takes over when it takes the place of this one: how often it has left
    /// already, and how many confirmations may still come of another.
    ///
    /// Why: "in progress" is confirmed in the same words as "made", once for each time that it came, however late. An
    /// end that was given up is not counted: the device has begun another sale since, and it would never be believed
    /// again.
    fn handed_on(&self, sale: Option<&SaleId>) -> (u8, u8) {
        if self.sale.as_ref() == sale {
            return (self.sent, self.owed);
        }
        let given_up = self.over && self.sale.is_some();
        (0, self.owed.saturating_add(if given_up { 0 } else { self.sent }))
    }
}

/// A device's last confirmations since it was switched on: number, which answer, and about what.
#[derive(Clone, Debug, Default)]
pub(super) struct Confirms {
    all: VecDeque<(Seq, Confirmed, Short)>,
    /// A number for each, the same for the same: of many devices these are what it takes least to look at.
    tags: VecDeque<u32>,
}

impl Confirms {
    /// Whether a confirmation is none of the last, of which it now is one; at most so many are remembered.
    fn is_news(&mut self, confirmation: (Seq, Confirmed, Short), most: usize) -> bool {
        let (seq, what, key) = &confirmation;
        let spread = seq.spread().rotate_left(7) ^ key.spread().rotate_left(*what as u32);
        let tag = (spread ^ spread >> 32) as u32;
        let mut alike = self.tags.iter().zip(0..).filter(|(known, _)| **known == tag);
        if alike.any(|(_, place)| self.all[place] == confirmation) {
            return false;
        }
        self.all.push_back(confirmation);
        self.tags.push_back(tag);
        if self.all.len() > most {
            self.all.pop_front();
            self.tags.pop_front();
        }
        true
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.tags.clear();
    }
}

impl Server {
    /// When something may leave that rests on the books as they are.
    pub(super) fn durable(lent: &mut Lent<'_>) -> Instant {
        let synced = lent.journal.sync(lent.now.mono);
        match lent.setup.policy.commit {
            Commit::BeforeAnswer => synced,
            Commit::AfterAnswer => lent.now.mono,
        }
    }

    /// Changes the books.
    pub(super) fn enter(&mut self, lent: &mut Lent<'_>, record: BookRecord) {
        use crate::journal::Replay as _;
        lent.journal.append(lent.now.mono, record.kind(), record.clone());
        self.books.apply(&record);
        self.note(lent.now.mono, ServerEvent::Entered(record));
    }

    /// Sends a datagram to where the device's came from.
    pub(super) fn reply(&mut self, lent: &Lent<'_>, port: Port, printed: Option<Printed>, bytes: Vec<u8>) {
        if lent.setup.policy.reply == ReplyTo::Printed
            && let Some(printed) = printed
            && printed.terminal.as_ref() != lent.setup.sources.get(&port)
        {
            // It goes to an address where nobody is.
            return;
        }
        self.transmit(lent.now.mono, port, bytes);
    }

    /// Has the end of a sale told at `at`.
    pub(super) fn tell_end(
        &mut self,
        lent: &Lent<'_>,
        at: Instant,
        machine: MachineNumber,
        id: &SaleId,
        why: Option<Refusal>,
    ) {
        let key = match &id.sold {
            Sold::Money(card, _) | Sold::Count(card) => Key::Card(*card),
            Sold::Code(number, ..) => Key::Code(*number),
        };
        let message = match why {
            Some(why) => self.refusal(lent, machine, key.clone(), why),
            None => {
                let left = self.books.known(id).map_or(0, |sale| sale.left);
                ServerMessage::Done {
                    machine,
                    key: key.clone(),
                    amount: Ok(words::amount(&id.sold)),
                    text: words::made(&id.sold, left),
                    cue: cue(lent.setup.config.text_secs, SUCCESS),
                }
            }
        };
        let what = if why.is_some() { Confirmed::Refused } else { Confirmed::Done };
        self.answer(at, (&id.device, machine), (what, key.to_bytes()), message, Some(id.clone()));
    }

    pub(super) fn refusal(
        &self,
        lent: &Lent<'_>,
        machine: MachineNumber,
        key: Key,
        why: Refusal,
    ) -> ServerMessage {
        let (text, cue) = (words::refusal(why), cue(lent.setup.config.text_secs, FAILURE));
        ServerMessage::Refused { machine, key, text, cue }
    }

    /// Says that the platform is asked.
    pub(super) fn tell_progress(&mut self, lent: &Lent<'_>, machine: MachineNumber, id: &SaleId, secs: u16) {
        let Sold::Code(number, ..) = &id.sold else { return };
        let key = Key::Code(*number);
        let message = ServerMessage::Done {
            machine,
            key: key.clone(),
            amount: Ok(words::amount(&id.sold)),
            text: words::in_progress(),
            cue: cue(secs, SUCCESS),
        };
        self.answer(lent.now.mono, (&id.device, machine), (Confirmed::Done, key.to_bytes()), message, None);
    }

    /// Shows what is on a card.
    pub(super) fn tell_balance(&mut self, lent: &Lent<'_>, head: &Head, text: Vec<u8>) {
        let cue = cue(lent.setup.config.text_secs, PLAIN);
        let message = ServerMessage::Display { machine: head.machine, text, cue };
        let key = head.machine.to_string().into_bytes().into();
        let about = (&Device::of(head), head.machine);
        self.answer(lent.now.mono, about, (Confirmed::Display, key), message, None);
    }

    /// Plans an answer; the one that a device had before is no longer waited for. Of two that have not left yet the one
    /// that leaves first leaves once.
    pub(super) fn answer(
        &mut self,
        at: Instant,
        (device, machine): (&Device, MachineNumber),
        (what, key): (Confirmed, Box<[u8]>),
        message: ServerMessage,
        sale: Option<SaleId>,
    ) {
        let bytes = message.to_bytes();
        let mut waiting = Waiting {
            what,
            key: Short::from(&*key),
            machine,
            bytes,
            sends: 0,
            sent: 0,
            again: at,
            sale,
            owed: 0,
            over: false,
        };
        if let Some(known) = self.devices.get_mut(device) {
            let (port, printed) = (known.port, known.printed);
            let unsent = |old: &&Waiting| old.sends == 0 && !old.over && old.bytes != waiting.bytes;
            let unsent = known.waiting.as_ref().filter(unsent);
            if unsent.is_some_and(|old| old.again > at) {
                let once = Deed::SendOnce(port, printed, waiting.bytes);
                return self.plan(at, once);
            }
            let unsent = unsent.map(|old| (old.again, Deed::SendOnce(port, printed, old.bytes.clone())));
            let alike = |old: &&Waiting| old.what == waiting.what && old.key == waiting.key;
            if let Some(old) = known.waiting.as_ref().filter(alike) {
                (waiting.sent, waiting.owed) = old.handed_on(waiting.sale.as_ref());
            }
            let bytes = unsent.is_some().then(|| waiting.bytes.clone());
            known.waiting = Some(waiting);
            if let (Some((at, deed)), Some(bytes)) = (unsent, bytes) {
                // What was planned to leave once is sent as often as any other if it is asked for again.
                let again =
                    |other: &Deed| matches!(other, Deed::SendOnce(to, _, of) if (*to, of) == (port, &bytes));
                self.pending.retain(|_, other| !again(other));
                self.plan(at, deed);
            }
            self.plan(at, Deed::Send(device.clone()));
        }
    }

    /// An answer leaves for the first time, or again.
    pub(super) fn send_answer(&mut self, lent: &Lent<'_>, device: Device) {
        let config = &lent.setup.config;
        let now = lent.now.mono;
        let Some(known) = self.devices.get_mut(&device) else { return };
        let due = |waiting: &&mut Waiting| waiting.again <= now && !waiting.over;
        let Some(waiting) = known.waiting.as_mut().filter(due) else { return };
        let most = match lent.setup.policy.resend {
            Resend::UntilConfirmed => config.sends_max,
            Resend::Never => 1,
        };
        if waiting.sends >= most {
            waiting.over = true;
            let machine = waiting.machine;
            self.note(now, ServerEvent::Unconfirmed(machine));
            return;
        }
        waiting.sends += 1;
        waiting.sent = waiting.sent.saturating_add(1);
        waiting.again = now + config.confirm_timeout;
        let (again, bytes, port, printed) = (waiting.again, waiting.bytes.clone(), known.port, known.printed);
        self.plan(again, Deed::Send(device));
        self.reply(lent, port, printed, bytes);
    }

    /// A device says that an answer has come.
    ///
    /// Why: a device that gets no 001 says so again, perhaps when another answer in the same words is on its way; and
    /// what has not left yet cannot have come.
    pub(super) fn confirmed(&mut self, lent: &mut Lent<'_>, head: &Head, what: Confirmed, key: &[u8]) {
        let device = Device::of(head);
        let Some(known) = self.devices.get_mut(&device) else { return };
        let confirmation = (head.seq.clone(), what, Short::from(key));
        if !known.confirms.is_news(confirmation, lent.setup.config.confirms_max) {
            return;
        }
        let named = |waiting: &&mut Waiting| {
            waiting.what == what && *waiting.key == *key && (waiting.sends > 0 || waiting.owed > 0)
        };
        let Some(waiting) = known.waiting.as_mut().filter(named) else { return };
        if waiting.owed > 0 {
            waiting.owed -= 1;
            return;
        }
        // Each sending of "in progress" may be confirmed by itself, in the words by which "made" will be.
        let further = waiting.sent.saturating_sub(1);
        if waiting.sale.is_none() && further > 0 {
            (waiting.over, waiting.sent, waiting.sends) = (true, further, 0);
            return;
        }
        let Some(waiting) = known.waiting.take() else { return };
        if let Some(id) = waiting.sale {
            self.enter(lent, BookRecord::Confirmed { id });
            lent.journal.sync(lent.now.mono);
        }
    }
}

const fn cue(secs: u16, (beep, voice): (u8, u8)) -> Cue {
    Cue { secs, beep, voice }
}
