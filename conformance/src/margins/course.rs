//! What is disturbed: one kind of message on its way along one link.

use std::collections::BTreeSet;

use assay_sim::fault::{Fate, Fault, FaultPlan, LinkKind, Moment, Site, Strike};
use assay_sim::tabletop::{SiteKind, Visit};
use assay_sim::time::Span;

use crate::explore::{Role, Wiring};

/// How many messages of a kind are held up, from the first on.
///
/// Why: every retry of an exchange is held up alike; a run that sends more of them than this has other troubles.
const HELD_UP: u32 = 64;

/// One kind of message on one way along one link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Course {
    /// The site of the first of them.
    first: Site,
    loss: Loss,
    /// Whether the link can hold one up.
    pub(super) delays: bool,
}

/// How a link loses a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    /// The packet is lost.
    Packet,
    /// The connection on which it was sent carries nothing more.
    Connection,
    /// Nobody accepts the connection.
    Connect,
    /// The receiver gets none of its bytes.
    Bytes,
}

impl Course {
    /// Every course that a run went along, in the order in which it came to them.
    pub(super) fn all(visits: &[Visit], wiring: &Wiring) -> Vec<Self> {
        let mut known = BTreeSet::new();
        let mut found = Vec::new();
        for visit in visits {
            let (loss, delays) = match visit.kind {
                SiteKind::Unit { link: LinkKind::Datagram, .. } => (Loss::Packet, true),
                SiteKind::Unit { link: LinkKind::Stream, .. } => (Loss::Connection, true),
                SiteKind::Unit { link: LinkKind::Serial, .. } => (Loss::Bytes, false),
                SiteKind::Signal { link: LinkKind::Stream } if visit.site.name == "connect" => {
                    (Loss::Connect, true)
                }
                _ => continue,
            };
            let first = Site { nth: 1, address: None, ..visit.site.clone() };
            // What people do and are shown is not on its way anywhere.
            let shown = wiring.at_ends(&first.place).into_iter().any(|party| wiring.shows(party));
            if shown || wiring.reaches(&first.place, Role::People) || !known.insert(first.clone()) {
                continue;
            }
            found.push(Self { first, loss, delays });
        }
        found
    }

    /// The link, with the sign of the way.
    pub(super) fn link(&self) -> String {
        let sign = self.first.way.map(|way| way.sign().to_string()).unwrap_or_default();
        format!("{}{sign}", self.first.place)
    }

    /// The kind of message.
    pub(super) fn message(&self) -> &str {
        &self.first.name
    }

    /// A plan by which every such message is late.
    pub(super) fn late(&self, by: Span, own: &FaultPlan) -> FaultPlan {
        self.plan(HELD_UP, &Fate::Delay { by }, own)
    }

    /// A plan by which the first so many are lost.
    pub(super) fn lost(&self, count: u32, own: &FaultPlan) -> FaultPlan {
        let fate = match self.loss {
            Loss::Packet => Fate::Drop,
            Loss::Connection => Fate::HalfOpen,
            Loss::Connect => Fate::Refuse,
            Loss::Bytes => Fate::Overrun { from: 0 },
        };
        self.plan(count, &fate, own)
    }

    fn plan(&self, count: u32, fate: &Fate, own: &FaultPlan) -> FaultPlan {
        let strikes = (1..=count).map(|nth| Strike {
            site: Site { nth, ..self.first.clone() },
            moment: Moment::Before,
            fault: Fault::Fate(fate.clone()),
        });
        FaultPlan { strikes: own.strikes.iter().cloned().chain(strikes).collect() }
    }
}
