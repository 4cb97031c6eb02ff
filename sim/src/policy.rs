//! The names of designs: what parties do where such systems differ.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

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
