//! Named designs of modules and servers.

use super::module::ModulePolicy;
use super::server::ServerPolicy;
use crate::policy::PolicyName;

/// The choices of all parties of one installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The module's.
    pub module: ModulePolicy,
    /// The server's.
    pub server: ServerPolicy,
}

impl Policy {
    /// The choices behind a name; nothing if the system has no design of that name.
    pub const fn named(name: PolicyName) -> Option<Self> {
        match name {
            PolicyName::Hardened => {
                Some(Self { module: ModulePolicy::hardened(), server: ServerPolicy::hardened() })
            }
            PolicyName::Published => {
                Some(Self { module: ModulePolicy::published(), server: ServerPolicy::published() })
            }
            PolicyName::Uncached => None,
        }
    }
}
