//! Named designs: what a terminal, its modem driver and the server do where such systems differ.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::server::policy::ServerPolicy;
use super::terminal::TerminalPolicy;
use crate::modem::client::ClientPolicy;

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

/// A design that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyName {
    /// The reference: meets every requirement.
    Hardened,
    /// The source document's design.
    Published,
    /// The source document's baseline without a cache.
    Uncached,
}

impl PolicyName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hardened, Self::Published, Self::Uncached];

    /// The choices behind the name.
    pub fn policy(self) -> Policy {
        let client = ClientPolicy::hardened();
        let (terminal, server) = match self {
            Self::Hardened => (TerminalPolicy::hardened(), ServerPolicy::hardened()),
            Self::Published => (TerminalPolicy::published(), ServerPolicy::published()),
            Self::Uncached => (TerminalPolicy::uncached(), ServerPolicy::uncached()),
        };
        Policy { terminal, client, server }
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hardened => "hardened",
            Self::Published => "published",
            Self::Uncached => "uncached",
        }
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no design has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no policy `{0}`; there are `hardened`, `published` and `uncached`")]
pub struct NoSuchPolicy(pub String);

impl FromStr for PolicyName {
    type Err = NoSuchPolicy;
    fn from_str(text: &str) -> Result<Self, NoSuchPolicy> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| NoSuchPolicy(text.to_owned()))
    }
}
