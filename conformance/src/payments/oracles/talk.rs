//! What is said on the links, read as documents: the facts that every judge goes by.

use std::collections::BTreeMap;

use assay_sim::fault::Way;
use assay_sim::payments::call::CallKind;
use assay_sim::payments::family::JUNK;
use assay_sim::payments::http1::{Scan, scan_request, scan_response};
use assay_sim::payments::party::Event;
use assay_sim::tape::{Entry, LineId, Seen};
use assay_sim::time::Instant;

use super::documents::Document;
use crate::payments::scene::Scene;

/// A call of a client.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) kind: CallKind,
    pub(super) at: Instant,
    pub(super) ordinal: u64,
    pub(super) document: Document,
}

impl Called {
    pub(super) fn number(&self) -> &str {
        &self.document.number
    }
}

/// Something that was said.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// The client calls the platform.
    Call(Called),
    /// A call is whole at the platform.
    Reached(Called),
    /// The platform answers a call.
    Answers(Called, Document),
    /// The client has the answer to a call.
    Answer(Called, Document),
    /// The client has a notification, on this connection.
    Notice(u16, Document),
    /// The client answers it.
    Receipt(u16, Document),
    /// A line of the till has reached the client.
    Till(String),
    /// A word has reached the till.
    Word(String),
}

/// What is heard on the links.
#[derive(Clone, Debug, Default)]
pub(super) struct Talk {
    held: BTreeMap<(LineId, bool, u16), Vec<u8>>,
    calls: BTreeMap<u16, Called>,
    /// Whether anything has been struck that was planned.
    pub(super) struck: bool,
}

impl Talk {
    /// What an entry says.
    pub(super) fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) -> Vec<Said> {
        match &entry.what {
            Seen::Struck { .. } => self.struck = true,
            Seen::Opened { line, conn, .. } => {
                for up in [false, true] {
                    self.held.remove(&(*line, up, *conn));
                }
            }
            Seen::Sent { line, way, conn, name, bytes, .. } if *name != JUNK => {
                return self.sent(entry, (*line, *way, *conn), name, bytes, scene).into_iter().collect();
            }
            Seen::Heard { line, way, conn, bytes } => {
                let key = (*line, *way == Way::AtoB, *conn);
                self.held.entry(key).or_default().extend_from_slice(bytes);
                if *line == scene.till {
                    return self.lines(key);
                }
                return self.heard(key, entry, scene).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn sent(
        &mut self,
        entry: &Entry<Event>,
        (line, way, conn): (LineId, Way, u16),
        name: &'static str,
        bytes: &[u8],
        scene: &Scene,
    ) -> Option<Said> {
        if way == Scene::ASKED {
            let called = called(bytes, name, entry, scene).filter(|_| line == scene.pay)?;
            self.calls.insert(conn, called.clone());
            return Some(Said::Call(called));
        }
        let Scan::Whole(response, _) = scan_response(bytes) else { return None };
        if line == scene.notify {
            return Some(Said::Receipt(conn, Document::receipt(&response, scene)));
        }
        let called = self.calls.get(&conn).filter(|_| line == scene.pay)?.clone();
        let document = Document::answer(called.kind, &response, scene);
        Some(Said::Answers(called, document))
    }

    fn heard(&mut self, key: (LineId, bool, u16), entry: &Entry<Event>, scene: &Scene) -> Option<Said> {
        let (line, asked, conn) = key;
        let held = self.held.get(&key)?;
        let said = match (line == scene.pay, asked) {
            (true, true) => {
                let name = self.calls.get(&conn)?.kind.as_str();
                Said::Reached(called(held, name, entry, scene)?)
            }
            (true, false) => {
                let called = self.calls.get(&conn)?.clone();
                let Scan::Whole(response, _) = scan_response(held) else { return None };
                let document = Document::answer(called.kind, &response, scene);
                Said::Answer(called, document)
            }
            (false, true) if line == scene.notify => {
                let Scan::Whole(request, _) = scan_request(held) else { return None };
                Said::Notice(conn, Document::notice(&request, scene))
            }
            (false, _) => return None,
        };
        self.held.remove(&key);
        Some(said)
    }

    fn lines(&mut self, key: (LineId, bool, u16)) -> Vec<Said> {
        let mut said = Vec::new();
        let Some(held) = self.held.get_mut(&key) else { return said };
        while let Some(end) = held.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            said.push(if key.1 { Said::Till(line) } else { Said::Word(line) });
        }
        said
    }
}

fn called(bytes: &[u8], name: &str, entry: &Entry<Event>, scene: &Scene) -> Option<Called> {
    let kind = kind_named(name)?;
    let Scan::Whole(request, _) = scan_request(bytes) else { return None };
    Some(Called { kind, at: entry.at, ordinal: entry.ordinal, document: Document::call(&request, scene) })
}

/// The kind of call that a unit is, by its name.
fn kind_named(name: &str) -> Option<CallKind> {
    let kinds = [
        CallKind::Pay,
        CallKind::Precreate,
        CallKind::Query,
        CallKind::Cancel,
        CallKind::Close,
        CallKind::Refund,
        CallKind::RefundQuery,
    ];
    kinds.into_iter().find(|kind| kind.as_str() == name)
}
