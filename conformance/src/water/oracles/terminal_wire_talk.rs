//! How the talk between a terminal and its modem stands: connection, outstanding request, panel, card, power.

use assay_sim::card::content::read_rule;
use assay_sim::money::Volume;
use assay_sim::time::{Instant, Span};
use assay_sim::water::cards::issued;
use assay_sim::water::frame::{Answer, Kind, Message, RawFrame, Request};

use super::panel_words::Words;
use crate::water::scene::Scene;

/// One of the two ways to tell people something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Spoken.
    Voice,
    /// Shown.
    Display,
}

/// How an answer fits what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    /// It is the answer to the outstanding request.
    Right,
    /// It bears another machine number.
    OtherMachine,
    /// It bears another type.
    OtherKind,
    /// It is about another card, or another order.
    OtherSubject,
    /// Nothing is outstanding.
    Unasked,
    /// Its content says nothing that could be judged.
    Unclear,
}

/// One thing that happened at the terminal's boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bit {
    /// The terminal has power.
    PowerOn,
    /// It has lost it.
    PowerOff,
    /// Its voice module or display gets power, or loses it.
    PanelPower(Panel, bool),
    /// Something planned keeps the terminal from acting.
    Hung(Span),
    /// It begins to send a frame.
    Sends,
    /// A frame was delivered, or was not.
    SendEnds,
    /// The connection stands.
    Up,
    /// The connection is gone; `own` if the terminal ended it without any cause that the line shows.
    Down {
        /// See above.
        own: bool,
    },
    /// It asks for a connection with this command.
    Dials(Vec<u8>),
    /// It does something else to the modem.
    Stirs,
    /// A message leaves it.
    Asks {
        /// The frame.
        frame: RawFrame,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A negative answer leaves it.
    Refuses(RawFrame),
    /// A sound answer reaches it.
    Answered {
        /// The frame.
        frame: RawFrame,
        /// How it fits.
        fits: Fits,
        /// Whether it came right behind bytes that cannot be a frame's.
        behind_impossible: bool,
    },
    /// A sound negative answer reaches it.
    Refused(RawFrame),
    /// A frame with a wrong CRC reaches it.
    Damaged {
        /// The frame as it reads.
        frame: RawFrame,
        /// Whether the type byte was hit.
        kind_hit: bool,
    },
    /// Something reaches it of which nobody can say how it must be taken.
    Blurred,
    /// It learns its reception.
    Signal(u8),
    /// It asks voice module or display whether it is there.
    Pings(Panel),
    /// It is answered.
    Present(Panel),
    /// It tells people something.
    Tells(Panel, String),
    /// A card comes, by its place in the cast.
    CardIn(usize),
    /// The card goes.
    CardOut,
    /// A block of a card changes, in this slot or elsewhere.
    CardChanged {
        /// The card, by its place in the cast.
        card: usize,
        /// Its block.
        block: u8,
        /// What is there now.
        value: u32,
    },
    /// Something passes between antenna and card.
    Field,
    /// Its memory is read out.
    Chip(Box<[u8; 256]>),
}

/// The outstanding request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its frame.
    pub frame: RawFrame,
    /// The frame's bytes.
    pub bytes: Vec<u8>,
    /// What it asks.
    pub request: Request,
    /// The entry that shows it.
    pub ordinal: u64,
    /// The earliest time from which its answer may be waited for.
    pub from: Instant,
    /// When it left last.
    pub sent: Instant,
    /// Negative answers to it.
    pub negatives: u32,
    /// Damaged frames since.
    pub damaged: u32,
    /// Answers since that do not fit.
    pub strange: u32,
    /// Whether everybody would say that it is outstanding.
    pub certain: bool,
}

/// What the terminal has told of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// It has no power.
    Off,
    /// Nothing yet.
    Booting,
    /// Initialisation failed.
    Failed,
    /// A part failed the self test.
    PartFailed,
    /// The self test passed.
    Ready,
}

/// The state.
#[derive(Clone, Debug)]
pub struct Talk {
    /// What it has told of itself since power came.
    pub service: Service,
    /// Since when it has had power.
    pub powered_at: Instant,
    /// Whether the connection stands.
    pub up: bool,
    /// Whether a frame is being sent.
    pub sending: bool,
    /// When the present unbroken row of sendings began, or the last one did.
    row_from: Instant,
    row_end: Instant,
    /// Until when something planned keeps it from acting.
    pub hung_until: Instant,
    /// The outstanding request.
    pub open: Option<Open>,
    /// The last request, if it was answered beyond doubt and nothing was asked since.
    pub answered: Option<Open>,
    /// The last heartbeat that left.
    pub heartbeat_at: Option<Instant>,
    /// Whether voice module and display have power.
    pub panels: [bool; 2],
    /// Its reception as it knows it.
    pub signal: Option<u8>,
    /// The card in its slot.
    pub card: Option<usize>,
    /// Blocks 1 to 6 of every card.
    blocks: Vec<[u32; 6]>,
}

/// A gap between two sendings below which the second waited for the first.
const ROW_GAP: Span = Span::ms(1);

impl Talk {
    /// Before anything has happened.
    pub fn new(scene: &Scene) -> Self {
        Self {
            blocks: scene.cards.iter().map(|card| issued(card.number, card.spec).to_blocks()).collect(),
            service: Service::Off,
            powered_at: Instant::ZERO,
            up: false,
            sending: false,
            row_from: Instant::ZERO,
            row_end: Instant::ZERO,
            hung_until: Instant::ZERO,
            open: None,
            answered: None,
            heartbeat_at: None,
            panels: [false; 2],
            signal: None,
            card: None,
        }
    }

    /// Power comes: what is left is what lies outside.
    fn restarted(&self, at: Instant) -> Self {
        Self {
            service: Service::Booting,
            powered_at: at,
            up: false,
            sending: false,
            open: None,
            answered: None,
            heartbeat_at: None,
            signal: None,
            ..self.clone()
        }
    }

    /// What a card shows as sold, by the rule for torn ones; `None` if it cannot be read.
    pub fn sold(&self, card: usize) -> Option<Volume> {
        read_rule(*self.blocks.get(card)?).ok().map(|reading| reading.content.sold)
    }

    /// Whether the terminal can be held to anything now.
    pub fn is_free(&self, at: Instant) -> bool {
        self.service != Service::Off && at >= self.hung_until
    }

    /// The outstanding request, if it is beyond doubt that its answer is still waited for.
    pub fn certain(&self, at: Instant, scene: &Scene) -> Option<&Open> {
        let times = &scene.profile.terminal;
        let open = self.open.as_ref().filter(|open| open.certain && self.is_free(at))?;
        let patience = times.answer_timeout - scene.profile.bench.tolerance;
        let asked_thrice = open.negatives >= u32::from(times.sends_max);
        (at < open.from + patience && !asked_thrice).then_some(open)
    }

    /// Whether a message is the outstanding one once more, and no new request.
    pub fn is_repeat(&self, bytes: &[u8], at: Instant, scene: &Scene) -> bool {
        let patience = scene.profile.terminal.answer_timeout - scene.profile.bench.tolerance;
        self.open.as_ref().is_some_and(|open| open.bytes == bytes && at < open.from + patience)
    }

    /// When the wait for what leaves now may have begun: it may have waited for what was sent before it.
    pub fn wanted_from(&self) -> Instant {
        self.row_from
    }

    /// How an answer fits. The machine number is the one that the terminal itself gave; whether that is its own is
    /// judged elsewhere.
    pub(super) fn fits(&self, frame: &RawFrame) -> Fits {
        let Some(open) = &self.open else { return Fits::Unasked };
        if frame.machine != open.frame.machine {
            return Fits::OtherMachine;
        }
        if frame.kind != open.frame.kind {
            return Fits::OtherKind;
        }
        let Ok(Message::Answer { answer, .. }) = Message::of(frame) else { return Fits::Unclear };
        let same = match (&open.request, answer) {
            (Request::OrderRequest { card, .. }, Answer::OrderRequest { card: other, .. }) => *card == other,
            (Request::Upload { order, .. }, Answer::Upload { order: other, .. }) => *order == other,
            _ => true,
        };
        if same { Fits::Right } else { Fits::OtherSubject }
    }

    /// Takes in what happened.
    pub fn apply(&mut self, bit: &Bit, at: Instant, ordinal: u64, scene: &Scene) {
        match bit {
            Bit::PowerOn => {
                *self = self.restarted(at);
            }
            Bit::PowerOff => {
                self.service = Service::Off;
                self.up = false;
                self.open = None;
                self.answered = None;
            }
            Bit::PanelPower(panel, on) => self.panels[*panel as usize] = *on,
            Bit::Hung(span) => {
                self.hung_until = self.hung_until.max(at + *span + scene.profile.bench.tolerance);
                self.doubt();
            }
            Bit::Sends => {
                if at.since(self.row_end) > ROW_GAP {
                    self.row_from = at;
                }
                self.sending = true;
            }
            Bit::SendEnds => {
                self.sending = false;
                self.row_end = at;
            }
            Bit::Up | Bit::Down { .. } => {
                self.up = *bit == Bit::Up;
                self.sending = false;
                self.answered = None;
                self.doubt();
            }
            Bit::Asks { frame, bytes } => self.asks(frame, bytes, at, ordinal, scene),
            Bit::Answered { fits: Fits::Right, .. } => {
                let certain = self.certain(at, scene).is_some();
                self.answered = self.open.take().filter(|_| certain);
            }
            Bit::Answered { fits, .. } => {
                if let Some(open) = self.open.as_mut().filter(|_| *fits != Fits::Unclear) {
                    open.strange += 1;
                }
            }
            Bit::Refused(frame) => match &mut self.open {
                Some(open) if open.frame.kind == frame.kind => open.negatives += 1,
                Some(open) => open.certain = false,
                None => {}
            },
            Bit::Damaged { .. } => {
                if let Some(open) = &mut self.open {
                    open.damaged += 1;
                }
            }
            Bit::Blurred => {
                self.answered = None;
                self.doubt();
            }
            Bit::Signal(signal) => self.signal = Some(*signal),
            Bit::Tells(_, text) => self.tells(text),
            Bit::CardChanged { card, block, value } => self.card_changed(*card, *block, *value),
            Bit::CardIn(card) => self.card = Some(*card),
            Bit::CardOut => {
                self.card = None;
                self.doubt_question();
            }
            _ => {}
        }
    }

    fn card_changed(&mut self, card: usize, block: u8, value: u32) {
        let place = usize::from(block).checked_sub(1);
        let blocks = self.blocks.get_mut(card);
        if let Some(held) = blocks.zip(place).and_then(|(blocks, place)| blocks.get_mut(place)) {
            *held = value;
        }
    }

    fn doubt(&mut self) {
        if let Some(open) = &mut self.open {
            open.certain = false;
        }
    }

    fn doubt_question(&mut self) {
        if let Some(open) = &mut self.open
            && open.request.kind() == Kind::OrderRequest
        {
            open.certain = false;
        }
    }

    fn asks(&mut self, frame: &RawFrame, bytes: &[u8], at: Instant, ordinal: u64, scene: &Scene) {
        self.answered = None;
        if frame.kind & 0x0F == Kind::Heartbeat as u8 {
            self.heartbeat_at = Some(at);
        }
        if self.is_repeat(bytes, at, scene) {
            if let Some(open) = &mut self.open {
                open.sent = at;
            }
            return;
        }
        let Ok(Message::Request { request, .. }) = Message::of(frame) else {
            self.open = None;
            return;
        };
        self.open = Some(Open {
            frame: frame.clone(),
            bytes: bytes.to_vec(),
            request,
            ordinal,
            from: self.row_from,
            sent: at,
            negatives: 0,
            damaged: 0,
            strange: 0,
            certain: self.up,
        });
    }

    fn tells(&mut self, text: &str) {
        self.service = match Words::of(text) {
            Words::InitFailed => Service::Failed,
            Words::SelfTestPassed => Service::Ready,
            Words::PartFailed => Service::PartFailed,
            Words::Result { .. } => {
                self.doubt_question();
                return;
            }
        };
    }
}
