//! The judges of the modem system. Those of a modem stand at the host's end of the line, and so do those of a host:
//! what the one hears and the other sends is the same bytes.

mod conversation;
mod pace;
mod promises;
mod prompt;
mod reconnects;
mod transcript;

pub use conversation::{Conversation, Turn};
pub use pace::Pace;
pub use promises::Promises;
pub use prompt::Prompt;
pub use reconnects::Reconnects;
pub use transcript::Transcript;
