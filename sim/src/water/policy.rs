//! Named designs: what a terminal, its modem driver and the server do where such systems differ.

use super::server::policy::ServerPolicy;
use super::terminal::TerminalPolicy;
use crate::modem::client::ClientPolicy;
use crate::policy::PolicyName;

/// The choices of all parties of one installation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The terminals'.
    pub terminal: TerminalPolicy,
    /// Their modem drivers'.
    pub client: ClientPolicy,
    /// The server's.
    pub server: ServerPolicy,
}

impl Policy {
    /// The choices behind a name.
    pub fn named(name: PolicyName) -> Self {
        let client = ClientPolicy::hardened();
        let (terminal, server) = match name {
            PolicyName::Hardened => (TerminalPolicy::hardened(), ServerPolicy::hardened()),
            PolicyName::Published => (TerminalPolicy::published(), ServerPolicy::published()),
            PolicyName::Uncached => (TerminalPolicy::uncached(), ServerPolicy::uncached()),
        };
        Self { terminal, client, server }
    }
}
