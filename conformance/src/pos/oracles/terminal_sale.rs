//! One sale under way, as the boundary of its terminal shows it.

use assay_sim::pos::terminal::TerminalTimes;
use assay_sim::time::{Instant, Span};

use super::terminal_bits::Moment;
use super::terminal_sold::Named;

/// How far a sale has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its first round.
    Trying,
    /// It was acknowledged and not answered, or was found after a loss of power.
    Pending,
}

/// How a sale ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was answered.
    Answered,
    /// It was shown as sold off line.
    Booked,
    /// It was given up.
    GivenUp,
    /// The boundary does not tell.
    Unknown,
}

/// What must come next, and by which requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Its message once more, in the same round.
    Repeat,
    /// Word to people that nobody answers, or that it is booked.
    End,
    /// Word to people that the answer is overdue.
    Fault,
    /// Its message once more, in a new round.
    Round,
}

/// A sale under way.
#[derive(Clone, Debug)]
pub struct Sale {
    /// What it is.
    pub named: Named,
    /// Its message.
    pub bytes: Vec<u8>,
    /// How far it has come.
    pub stage: Stage,
    /// When it became pending, or its last round began.
    pub since: Instant,
    /// When its message last left, and the entry that shows it.
    pub last: (Instant, u64),
    /// How often it left in this round.
    pub sends: u8,
    /// When this round was acknowledged, or answered with "in progress".
    pub acked: Option<Instant>,
    /// Whether any round was.
    pub acked_ever: bool,
    /// When the last "in progress" came.
    pub interim: Option<Instant>,
    /// Power has come since its message last left.
    pub restarted: bool,
    /// The boundary does not tell how far it has come.
    pub doubt: bool,
}

impl Sale {
    /// A sale whose message leaves for the first time.
    pub const fn begun(named: Named, bytes: Vec<u8>, at: Instant, ordinal: u64) -> Self {
        Self {
            named,
            bytes,
            stage: Stage::Trying,
            since: at,
            last: (at, ordinal),
            sends: 1,
            acked: None,
            acked_ever: false,
            interim: None,
            restarted: false,
            doubt: false,
        }
    }

    /// Whether this round waits for `001`.
    pub const fn is_unacknowledged(&self) -> bool {
        self.acked.is_none() && self.interim.is_none()
    }

    /// A round of a pending sale begins.
    pub fn begin_round(&mut self, at: Instant) {
        self.since = at;
        self.sends = 0;
        self.acked = None;
        self.interim = None;
        self.restarted = false;
    }

    /// Its answer is overdue.
    pub fn become_pending(&mut self, at: Instant, times: &TerminalTimes) {
        self.stage = Stage::Pending;
        self.begin_round(at);
        // The first round is over; the next is a round away.
        self.sends = times.sends_max;
    }

    /// Power has come, and it must be found.
    pub fn restart(&mut self, at: Instant) {
        self.stage = Stage::Pending;
        self.begin_round(at);
        self.restarted = true;
    }

    /// What must come next: how long after when.
    pub fn next(&self, times: &TerminalTimes, ready_within: Span) -> (Next, Instant, Span) {
        let again = self.sends > 0 && self.sends < times.sends_max && self.is_unacknowledged();
        match self.stage {
            _ if again => (Next::Repeat, self.last.0, times.ack_timeout),
            Stage::Trying => match (self.interim, self.acked) {
                (Some(at), _) => (Next::Fault, at, times.interim_timeout),
                (None, Some(at)) => (Next::Fault, at, times.reply_timeout),
                (None, None) => (Next::End, self.last.0, times.ack_timeout),
            },
            Stage::Pending if self.restarted => (Next::Round, self.since, ready_within + times.round),
            Stage::Pending => {
                let mut due = self.since + times.round;
                if let Some(at) = self.acked {
                    due = due.max(at + times.reply_timeout);
                }
                if let Some(at) = self.interim {
                    due = due.max(at + times.interim_timeout + times.round);
                }
                (Next::Round, due, Span::ZERO)
            }
        }
    }

    /// Whether a message that leaves now begins a new round of a pending sale.
    pub fn is_new_round(&self, moment: &Moment<'_>) -> bool {
        let round = moment.scene.profile.terminal.round;
        self.sends == 0 || moment.at + moment.slack(round) >= self.since + round
    }

    /// Whether its last round is certainly over, and its next not about to begin.
    pub fn rests(&self, moment: &Moment<'_>) -> bool {
        let times = &moment.scene.profile.terminal;
        let over = match (self.interim, self.acked) {
            (Some(_), _) => false,
            (None, Some(at)) => at + times.reply_timeout + moment.grace() < moment.at,
            (None, None) => {
                self.sends >= times.sends_max && self.last.0 + times.ack_timeout + moment.grace() < moment.at
            }
        };
        let far = moment.at + moment.grace() + moment.grace() < self.since + times.round;
        self.stage == Stage::Pending && over && far && !self.restarted && !self.doubt
    }

    /// Whether the terminal may be about to end its first round.
    pub fn is_at_the_edge(&self, moment: &Moment<'_>) -> bool {
        let times = &moment.scene.profile.terminal;
        let edge = self.last.0 + times.ack_timeout;
        self.stage == Stage::Trying
            && self.is_unacknowledged()
            && self.sends >= times.sends_max
            && moment.at + moment.slack(times.ack_timeout) >= edge
    }
}
