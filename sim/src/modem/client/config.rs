//! The client's patience and limits, and the design choices on which firmware differs.

use serde::Deserialize;

use crate::time::Span;

/// The module that is fitted, whose dialect its host speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fitted {
    /// The M6311.
    #[default]
    M6311,
    /// The SIM800A.
    Sim800a,
}

impl Fitted {
    /// Whether a host presses the key before it has called: a press of that length would switch a SIM800A off that is
    /// on already.
    pub(super) const fn starts_by_key(self) -> bool {
        matches!(self, Self::M6311)
    }

    pub(super) const fn send_command(self) -> &'static str {
        match self {
            Self::M6311 => "AT+IPSEND",
            Self::Sim800a => "AT+CIPSEND",
        }
    }
}

/// The client's patience and limits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// The module that it drives; a profile says it once for all, in `[fitted]`.
    #[serde(skip)]
    pub module: Fitted,
    /// How long the reset pin is held low.
    pub reset_press: Span,
    /// How long the power key is held.
    pub key_press: Span,
    /// From one `AT` to the next until the module answers.
    pub probe_period: Span,
    /// How many `AT` a module gets to answer one before its key or reset is tried again.
    pub probe_tries: u32,
    /// How long lines are let pass unheard once the module has answered again.
    pub settle: Span,
    /// How long most commands may take.
    pub command_limit: Span,
    /// How long attaching and activating may take.
    pub attach_limit: Span,
    /// How long a connection may take to come about.
    pub connect_limit: Span,
    /// How long the prompt may take.
    pub prompt_limit: Span,
    /// How long the send result may take.
    pub send_limit: Span,
    /// How often a refused or unanswered command of the initialisation is tried.
    pub step_tries: u32,
    /// The pause before it is tried again.
    pub step_pause: Span,
    /// How often registration is asked for before the module is restarted.
    pub register_tries: u32,
    /// How often a module that went silent in the middle is called before it is restarted.
    pub resync_tries: u32,
    /// How long each of these calls may take.
    pub resync_limit: Span,
    /// The first pause before a connection is tried again; each further failure doubles it.
    pub backoff_min: Span,
    /// The longest such pause.
    pub backoff_max: Span,
    /// After how many failures in a row the module is restarted.
    pub reset_after: u32,
    /// How many messages may wait.
    pub queue_max: usize,
    /// The longest message, and the longest counted block that is believed.
    ///
    /// Units: bytes.
    pub message_max: usize,
    /// The longest line that is kept; what is longer is none of ours.
    ///
    /// Units: bytes.
    pub line_max: usize,
    /// The silence that ends a counted block before its time.
    pub gap: Span,
    /// The access point.
    pub apn: String,
    /// What the module says when it has restarted of its own accord.
    pub boot_lines: Vec<String>,
    /// What the module says when the network took the packet context away.
    pub pdp_lost: String,
    /// From one command to the next where answers are not waited for.
    pub eager_pace: Span,
}

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandTimeout {
    /// Up to the command's limit.
    Bounded,
    /// Until it comes.
    Forever,
}

/// When a lost connection is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reconnect {
    /// After a pause that doubles.
    BackOff,
    /// At once.
    Immediately,
}

/// How received data is told from lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataReading {
    /// By the announced count.
    Counted,
    /// By its look: the next line is the data, unless it reads like a result or an event.
    LineScanned,
}

/// When the next command is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pacing {
    /// After the last one's final result or time-out.
    AfterFinalResult,
    /// After a fixed pause.
    Eager,
}

/// What is made of the host's own characters when they come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EchoHandling {
    /// They are known for what they are.
    EitherWay,
    /// They are taken for a wrong answer.
    ExpectsOff,
}

/// When the end of a connection is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedHandling {
    /// At any time.
    Anywhere,
    /// Only while no command is under way.
    OnlyWhenIdle,
}

/// The design choices of an AT client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientPolicy {
    /// How long an answer is waited for.
    pub command_timeout: CommandTimeout,
    /// When a lost connection is tried again.
    pub reconnect: Reconnect,
    /// How received data is told from lines.
    pub data: DataReading,
    /// When the next command is sent.
    pub pacing: Pacing,
    /// What is made of echoed characters.
    pub echo: EchoHandling,
    /// When the end of a connection is heard.
    pub closed: ClosedHandling,
}

impl ClientPolicy {
    /// The choices that meet every requirement.
    ///
    /// Source: MDM-H1, MDM-H2, MDM-H3, MDM-H4.
    pub const fn hardened() -> Self {
        Self {
            command_timeout: CommandTimeout::Bounded,
            reconnect: Reconnect::BackOff,
            data: DataReading::Counted,
            pacing: Pacing::AfterFinalResult,
            echo: EchoHandling::EitherWay,
            closed: ClosedHandling::Anywhere,
        }
    }
}
