//! What is said on the links, read as documents: the facts that every judge goes by.

use std::collections::BTreeMap;

use assay_sim::fault::Way;
use assay_sim::payments::family::JUNK;
use assay_sim::payments::http::{Request, Response};
use assay_sim::payments::http1::{Scan, scan_request, scan_response};
use assay_sim::payments::party::Event;
use assay_sim::payments::wechat_v2::sign::{SignType, sign};
use assay_sim::payments::wechat_v2::xml::{self, Fields};
use assay_sim::tape::{Entry, LineId, Seen};
use assay_sim::time::Instant;

use crate::payments::scene::Scene;

/// A document, and whether its signature is good.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) fields: Fields,
    pub(super) signed: bool,
    pub(super) genuine: bool,
    /// The status that it came with; 0 for a request.
    pub(super) status: u16,
}

impl Document {
    fn of(body: &[u8], status: u16, scene: &Scene) -> Self {
        let fields = xml::read(body).unwrap_or_default();
        let document = Self { fields, status, ..Self::default() };
        let by = SignType::read(document.field("sign_type")).unwrap_or_default();
        // An answer does not say how it is signed: as its request was.
        let both = [by, SignType::HmacSha256, SignType::Md5];
        let said = document.field("sign").to_owned();
        let good = both.into_iter().any(|by| sign(&document.fields, &scene.profile.client.key, by) == said);
        Self { signed: !said.is_empty(), genuine: good, ..document }
    }

    /// A field's value; empty if there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str())
    }
}

/// A call of a client.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) name: &'static str,
    pub(super) at: Instant,
    pub(super) ordinal: u64,
    pub(super) document: Document,
}

impl Called {
    pub(super) fn number(&self) -> &str {
        self.document.field("out_trade_no")
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
        let document = response(bytes, scene)?;
        if line == scene.notify {
            return Some(Said::Receipt(conn, document));
        }
        let called = self.calls.get(&conn).filter(|_| line == scene.pay)?.clone();
        Some(Said::Answers(called, document))
    }

    fn heard(&mut self, key: (LineId, bool, u16), entry: &Entry<Event>, scene: &Scene) -> Option<Said> {
        let (line, asked, conn) = key;
        let held = self.held.get(&key)?;
        let said = match (line == scene.pay, asked) {
            (true, true) => {
                let name = self.calls.get(&conn)?.name;
                Said::Reached(called(held, name, entry, scene)?)
            }
            (true, false) => Said::Answer(self.calls.get(&conn)?.clone(), response(held, scene)?),
            (false, true) if line == scene.notify => {
                Said::Notice(conn, called(held, "notify", entry, scene)?.document)
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

fn called(bytes: &[u8], name: &'static str, entry: &Entry<Event>, scene: &Scene) -> Option<Called> {
    let Scan::Whole(Request { body, .. }, _) = scan_request(bytes) else { return None };
    let document = Document::of(&body, 0, scene);
    Some(Called { name, at: entry.at, ordinal: entry.ordinal, document })
}

fn response(bytes: &[u8], scene: &Scene) -> Option<Document> {
    let Scan::Whole(Response { status, body, .. }, _) = scan_response(bytes) else { return None };
    Some(Document::of(&body, status, scene))
}
