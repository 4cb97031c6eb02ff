//! Named designs of the POS system.

use super::server::ServerPolicy;
use super::terminal::TerminalPolicy;
use crate::policy::PolicyName;

/// The choices of all parties of one installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The server's.
    pub server: ServerPolicy,
    /// The terminals'.
    pub terminal: TerminalPolicy,
}

impl Policy {
    /// The choices behind a name; nothing if the system has no design of that name.
    pub fn named(name: PolicyName) -> Option<Self> {
        match name {
            PolicyName::Hardened => {
                Some(Self { server: ServerPolicy::hardened(), terminal: TerminalPolicy::hardened() })
            }
            PolicyName::Published => {
                Some(Self { server: ServerPolicy::published(), terminal: TerminalPolicy::published() })
            }
            PolicyName::Uncached => None,
        }
    }
}
