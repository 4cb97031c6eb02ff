//! Everything real beside a bench: the parties, and the outlets of the links that lead to them.
//!
//! In a real party's seat on the bench sits a test head. What reaches the head leaves through an outlet, and what comes
//! in there the head sends, so that all of it crosses the bench's own links and meets its fate there.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use assay_sim::drive::{Beside, Hands};
use assay_sim::fault::Way;
use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::tape::{LineId, SeatId, Seen};
use assay_sim::time::{Instant, Span};

use crate::occupant::{Occupant, Switched};
use crate::outlet::{Came, Deed, Limits, Outlet};

/// How often it is looked whether a process has ended.
const LOOK: Span = Span::ms(20);

/// How many things are said of real parties at most.
const TROUBLES_MAX: usize = 16;

/// What each datagram counts for beside its bytes, so that a flood of empty ones is one, too.
const EACH: u64 = 32;

/// Everything real beside a bench.
pub(crate) struct Outside<F: Family> {
    hands: Hands<F>,
    limits: Limits,
    flood_max: u64,
    outlets: Vec<At>,
    occupants: Vec<Occupant>,
    came: VecDeque<Came>,
    /// The next entry of the tape that has not been looked at.
    cursor: u64,
    looked: Instant,
    /// The second of the bench in which bytes are counted.
    second: u64,
    troubles: Vec<String>,
    broken: Option<String>,
}

/// An outlet, and what came in over it within the second.
struct At {
    name: String,
    outlet: Outlet,
    taken: u64,
    shut: bool,
    wants: bool,
}

impl<F: Family> Outside<F> {
    pub(crate) fn new(hands: Hands<F>, limits: Limits, flood_max: u64) -> Self {
        Self {
            hands,
            limits,
            flood_max,
            outlets: Vec::new(),
            occupants: Vec::new(),
            came: VecDeque::new(),
            cursor: 0,
            looked: Instant::ZERO,
            second: 0,
            troubles: Vec::new(),
            broken: None,
        }
    }

    pub(crate) fn lead(&mut self, name: &str, outlet: Outlet) {
        let name = name.to_owned();
        self.outlets.push(At { name, outlet, taken: 0, shut: false, wants: false });
    }

    pub(crate) fn seat(&mut self, occupant: Occupant) {
        self.occupants.push(occupant);
    }

    /// Makes every outlet ready that belongs to no real party of the rig's own.
    pub(crate) fn open_all(&mut self) {
        for at in &mut self.outlets {
            at.outlet.back(&mut None);
        }
    }

    /// Gives every party power, and waits until each is at work. With `check`, it is taken once in between.
    /// A terminal is given its own when its head on the bench is: whatever it says from then on is part of the run.
    ///
    /// Errors: a sentence, and whether it tells of a party and not of the rig.
    pub(crate) async fn make_ready(&mut self, check: bool) -> Result<(), (bool, String)> {
        let ours = |error| (false, error);
        for at in 0..self.occupants.len() {
            for round in 0..=u8::from(check) {
                let occupant = &mut self.occupants[at];
                if occupant.starts_with_bench() && round == u8::from(check) {
                    break;
                }
                let given = occupant.give().map_err(ours)?;
                let seat = occupant.seat;
                self.switched(seat, given);
                let ready = self.occupants[at].wait_ready().await;
                ready.map_err(|error| (true, error))?;
                let occupant = &mut self.occupants[at];
                if check && round == 0 {
                    let taken = occupant.take().map_err(ours)?;
                    self.switched(seat, taken);
                }
            }
        }
        Ok(())
    }

    /// What is wrong with the rig, if anything is.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// What was noticed about real parties, and takes nothing back that their judges say.
    pub(crate) fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// What switches have achieved.
    pub(crate) fn achieved(&self) -> Vec<String> {
        self.occupants.iter().filter_map(Occupant::achieved).collect()
    }

    fn trouble(&mut self, bench: &mut Tabletop<F>, what: String) {
        if self.troubles.len() < TROUBLES_MAX && !self.troubles.contains(&what) {
            bench.remark(what.clone());
            self.troubles.push(what);
        }
    }

    /// The outlets of a party follow its power.
    fn switched(&mut self, seat: SeatId, switched: Switched) {
        let mut stdio = None;
        let on = match switched {
            Switched::Same => return,
            Switched::On(given) => {
                stdio = given;
                true
            }
            Switched::Off => false,
        };
        for at in &mut self.outlets {
            if at.outlet.wires().iter().any(|wire| wire.seat == seat) {
                if on {
                    at.outlet.back(&mut stdio);
                } else {
                    at.outlet.lost();
                }
            }
        }
        self.came.retain(|came| on || came.seat != seat);
    }

    /// What has reached heads leaves; which parties were without power in between.
    fn take_in(&mut self, bench: &Tabletop<F>) -> (Vec<SeatId>, Vec<String>) {
        let (mut cut, mut clogged) = (Vec::new(), Vec::new());
        for entry in bench.tape().since(self.cursor) {
            self.cursor = entry.ordinal + 1;
            match &entry.what {
                Seen::Heard { line, way, conn, bytes } => {
                    let limits = self.limits;
                    if let Some((at, wire)) = find(&mut self.outlets, *line, *way)
                        && !at.shut
                        && !at.outlet.heard(wire, *conn, bytes, &limits)
                    {
                        at.shut = matches!(at.outlet, Outlet::Bytes(_));
                        clogged.push(at.name.clone());
                    }
                }
                Seen::Opened { line, way, conn } => {
                    if let (Some((at, wire)), Some(port)) =
                        (find(&mut self.outlets, *line, *way), bench.port_of(*line, *way, *conn))
                    {
                        at.outlet.opened(wire, port, *conn);
                    }
                }
                Seen::Closed { line, way, conn, why } => {
                    if let Some((at, wire)) = find(&mut self.outlets, *line, *way) {
                        at.outlet.closed(wire, bench.port_of(*line, *way, *conn), *conn, *why);
                    }
                }
                Seen::Power { supply, on: false } => cut.extend_from_slice(bench.feeds(*supply)),
                _ => {}
            }
        }
        (cut, clogged)
    }
}

/// The outlet at whose head something arrives that goes this way.
fn find(outlets: &mut [At], line: LineId, way: Way) -> Option<(&mut At, usize)> {
    outlets.iter_mut().find_map(|at| {
        let fits = at.outlet.wires().iter().position(|wire| wire.line == line && wire.way == way.back())?;
        Some((at, fits))
    })
}

impl<F: Family> Beside<F> for Outside<F> {
    fn observe(&mut self, bench: &mut Tabletop<F>) {
        let (cut, clogged) = self.take_in(bench);
        for name in clogged {
            let max = self.limits.unsent_max;
            self.trouble(
                bench,
                format!("more than {max} bytes wait on `{name}` for a party that does not read"),
            );
        }
        for at in 0..self.occupants.len() {
            let occupant = &mut self.occupants[at];
            let (seat, name) = (occupant.seat, occupant.name.clone());
            match occupant.follow(bench.is_on(seat), cut.contains(&seat)) {
                Ok(switched) => self.switched(seat, switched),
                Err((true, what)) => self.trouble(bench, what),
                Err((false, what)) => {
                    self.broken.get_or_insert(format!("power of `{name}`: {what}"));
                }
            }
        }
        if bench.now() >= self.looked + LOOK {
            self.looked = bench.now();
            for at in 0..self.occupants.len() {
                if let Some(what) = self.occupants[at].ended() {
                    self.trouble(bench, what);
                }
            }
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for occupant in &mut self.occupants {
            occupant.poll_output(cx);
        }
        let mut ready = !self.came.is_empty();
        for at in self.outlets.iter_mut().filter(|at| !at.shut) {
            match at.outlet.poll(cx, &self.limits, &mut self.came) {
                Ok(more) => {
                    at.wants |= more;
                    ready |= more;
                }
                Err(why) => {
                    // Whether that is the party's doing is seen from its process and its power.
                    if self.troubles.len() < TROUBLES_MAX {
                        self.troubles.push(format!("the port of `{}` {why}", at.name));
                    }
                }
            }
        }
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }

    fn hand_in(&mut self, bench: &mut Tabletop<F>) {
        for at in &mut self.outlets {
            if std::mem::take(&mut at.wants) {
                at.outlet.ask(bench, &mut self.came);
            }
        }
        let second = bench.now().as_us() / 1_000_000;
        if self.second != second {
            self.second = second;
            self.outlets.iter_mut().for_each(|at| at.taken = 0);
        }
        for Came { seat, line, deed } in std::mem::take(&mut self.came) {
            let named =
                self.outlets.iter_mut().find(|at| at.outlet.wires().iter().any(|wire| wire.line == line));
            let Some(at) = named.filter(|at| !at.shut) else { continue };
            if let Deed::Send(_, bytes) = &deed {
                at.taken += bytes.len() as u64 + EACH;
            }
            if at.taken > self.flood_max {
                at.shut = true;
                at.outlet.lost();
                let (max, name) = (self.flood_max, at.name.clone());
                self.trouble(bench, format!("more than {max} bytes came in over `{name}` within a second"));
                continue;
            }
            // What comes from a party without power was on its way when it went.
            if bench.is_on(seat) {
                let stimulus = match deed {
                    Deed::Send(port, bytes) => (self.hands.send)(port, bytes),
                    Deed::Open(port, to) => (self.hands.open)(port, to),
                    Deed::Close(port, how) => (self.hands.close)(port, how),
                };
                bench.stimulate(seat, stimulus);
            }
        }
    }
}
