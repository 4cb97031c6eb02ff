//! Requirements: what is judged, as data.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use assay_reports::Level;
use serde::Deserialize;

/// Who has to meet a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The terminal.
    Terminal,
    /// The server.
    Server,
    /// Both together.
    System,
    /// The modem.
    Modem,
    /// Whoever drives the modem.
    Host,
}

/// A boundary that an oracle must observe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// The bytes between terminal and modem.
    Uart,
    /// The bytes at the server's end of the network.
    Net,
    /// The card's presence and content.
    Card,
    /// The content of the memory chip.
    Eeprom,
    /// The content of the terminal's flash.
    Flash,
    /// The server's books.
    Ledger,
    /// What was sold.
    Payments,
    /// The orders of the payment platform.
    Platform,
    /// What people are told.
    Panel,
    /// When supplies go and come.
    Power,
    /// The modem's control lines.
    Pins,
}

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// What everything else cites.
    pub id: String,
    /// Must or should.
    pub level: Level,
    /// Who has to meet it.
    pub side: Side,
    /// The requirement in words.
    pub text: String,
    /// Where it comes from.
    pub source: Vec<String>,
    /// What must be observed to judge it.
    pub sees: BTreeSet<Boundary>,
    /// For modems: the dialects that it applies to.
    #[serde(default)]
    pub dialects: Vec<String>,
}

/// The dialects that this version has.
const DIALECTS: [&str; 2] = ["m6311", "sim800a"];

impl Requirement {
    /// Whether a dialect that this version has can show it.
    pub fn applies(&self) -> bool {
        self.dialects.is_empty() || self.dialects.iter().any(|dialect| DIALECTS.contains(&dialect.as_str()))
    }
}

/// What a design is known to fail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFailures {
    /// The policy.
    pub name: String,
    /// The system.
    pub system: String,
    /// The requirements that it fails, no more and no fewer.
    pub fails: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementFile {
    requirement: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    policy: Vec<KnownFailures>,
}

fn requirements_in(text: &str) -> Vec<Requirement> {
    toml::from_str::<RequirementFile>(text)
        .map(|file| file.requirement)
        .expect("the built-in requirements read")
}

static ALL: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    let mut all = requirements_in(include_str!("../../fixtures/spec/water.toml"));
    all.extend(requirements_in(include_str!("../../fixtures/spec/modem.toml")));
    all.extend(requirements_in(include_str!("../../fixtures/spec/pos.toml")));
    all.extend(requirements_in(include_str!("../../fixtures/spec/payments.toml")));
    all.extend(requirements_in(include_str!("../../fixtures/spec/paymod.toml")));
    all
});

static KNOWN: LazyLock<Vec<KnownFailures>> = LazyLock::new(|| {
    toml::from_str::<PolicyFile>(include_str!("../../fixtures/spec/policies.toml"))
        .map(|file| file.policy)
        .expect("the built-in policy expectations read")
});

/// Every requirement, in the order of the files.
pub fn all() -> &'static [Requirement] {
    &ALL
}

/// The requirement of this id.
pub fn by_id(id: &str) -> Option<&'static Requirement> {
    ALL.iter().find(|requirement| requirement.id == id)
}

/// What a design is known to fail in a system; nothing if it is not listed.
pub fn known_failures(system: &str, policy: &str) -> BTreeSet<String> {
    let listed = KNOWN.iter().find(|known| known.system == system && known.name == policy);
    listed.map(|known| known.fails.clone()).unwrap_or_default()
}
