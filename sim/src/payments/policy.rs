//! Named designs of clients.

use super::client::ClientPolicy;
use crate::policy::PolicyName;

/// The choices of all parties of one installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The client's.
    pub client: ClientPolicy,
}

impl Policy {
    /// The choices behind a name; nothing if the system has no design of that name.
    pub const fn named(name: PolicyName) -> Option<Self> {
        match name {
            PolicyName::Hardened => Some(Self { client: ClientPolicy::hardened() }),
            PolicyName::Published => Some(Self { client: ClientPolicy::published() }),
            PolicyName::Uncached => None,
        }
    }
}
