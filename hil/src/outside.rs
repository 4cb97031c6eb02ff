//! Everything real beside a bench: the parties, and the outlets of the links that lead to them.
//!
//! In a real party's seat on the bench sits a test head. What reaches the head leaves through an outlet, and what comes
//! in there the head sends, so that all of it crosses the bench's own links and meets its fate there.

mod flow;

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use assay_sim::bench::DONE_BY_HAND;
use assay_sim::drive::{Beside, Hands, RealClock};
use assay_sim::fault::Way;
use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::tape::{LineId, SeatId, Seen};
use assay_sim::time::{Instant, Span};

use crate::alarm::Alarm;
use crate::occupant::{Cuts, Occupant, Switched};
use crate::outlet::{Came, Deed, Limits, Outlet};
use crate::overhead::Overhead;
use crate::reserved::ReservedPort;
use crate::rig::covers;

/// How often it is looked whether a process has ended.
const LOOK: Span = Span::ms(20);

/// How many things are said of real parties at most.
const TROUBLES_MAX: usize = 16;

/// How often a party is greeted before it counts as silent.
const GREETINGS: u32 = 3;

/// How long it has to be silent after its answer.
const QUIET: Duration = Duration::from_millis(50);

/// What each datagram counts for beside its bytes, so that a flood of empty ones is one, too.
const EACH: u64 = 32;

/// Everything real beside a bench.
pub(crate) struct Outside<F: Family> {
    hands: Hands<F>,
    limits: Limits,
    flood_max: u64,
    /// Whether nothing is read that would only wait on the bench's line.
    holds_back: bool,
    outlets: Vec<At>,
    occupants: Vec<Occupant>,
    came: VecDeque<Came>,
    /// The next entry of the tape that has not been looked at.
    cursor: u64,
    looked: Instant,
    /// How long a process may have to wait for a processor, if that is looked at.
    lag_max: Option<Span>,
    /// The second of the bench in which bytes are counted.
    second: u64,
    troubles: Vec<String>,
    broken: Option<String>,
    found: Vec<String>,
    /// Ports that parties have been told.
    reserved: Vec<ReservedPort>,
    /// The real clock, where it is measured how long transmissions are held up.
    clock: Option<RealClock>,
    alarm: Alarm,
    overhead: Overhead,
    /// When the first of what waits for the bench was read.
    read_at: Option<Instant>,
    /// When what has just been queued had reached its head.
    leaving: Vec<Instant>,
}

/// A greeting that a party under test has to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The seat, as a rig file names it.
    pub seat: &'static str,
    /// Over which kind of link.
    pub link: &'static str,
    /// What is sent.
    pub bytes: Vec<u8>,
    /// The same in words.
    pub words: &'static str,
}

/// An outlet, and what came in over it within the second.
struct At {
    name: String,
    outlet: Outlet,
    taken: u64,
    shut: bool,
    wants: bool,
    /// How long what came in last waited for the bench.
    late: Span,
    /// Datagrams for a party that has power and is not at work yet.
    held: VecDeque<(usize, Vec<u8>)>,
    held_len: usize,
    /// Whether it is not read for now.
    stalled: bool,
}

impl At {
    fn new(name: String, outlet: Outlet) -> Self {
        let (held, late) = (VecDeque::new(), Span::ZERO);
        Self { name, outlet, taken: 0, shut: false, wants: false, late, held, held_len: 0, stalled: false }
    }

    /// Keeps a datagram for a party that is not at work yet; false if it is to go out at once.
    ///
    /// Why: what the network loses while a party starts looks like a party that does not answer.
    fn hold(&mut self, wire: usize, bytes: &[u8], limits: &Limits) -> bool {
        if !matches!(self.outlet, Outlet::Packets(_)) || self.held_len + bytes.len() > limits.unsent_max {
            return false;
        }
        self.held_len += bytes.len();
        self.held.push_back((wire, bytes.to_vec()));
        true
    }

    fn let_go(&mut self, limits: &Limits) {
        self.held_len = 0;
        for (wire, bytes) in std::mem::take(&mut self.held) {
            self.outlet.heard(wire, 0, &bytes, limits);
        }
    }
}

impl<F: Family> Outside<F> {
    pub(crate) fn new(hands: Hands<F>, limits: Limits, flood_max: u64) -> Self {
        Self {
            hands,
            limits,
            flood_max,
            holds_back: false,
            outlets: Vec::new(),
            occupants: Vec::new(),
            came: VecDeque::new(),
            cursor: 0,
            looked: Instant::ZERO,
            lag_max: None,
            second: 0,
            troubles: Vec::new(),
            broken: None,
            found: Vec::new(),
            reserved: Vec::new(),
            clock: None,
            alarm: Alarm::new(),
            overhead: Overhead::default(),
            read_at: None,
            leaving: Vec::new(),
        }
    }

    /// Leaves unread what would wait on the bench for longer than a moment: whoever sends it is held up, as a full
    /// buffer of a real port would hold it up.
    pub(crate) fn hold_back(&mut self) {
        self.holds_back = true;
    }

    pub(crate) fn lead(&mut self, name: &str, outlet: Outlet) {
        let name = name.to_owned();
        self.outlets.push(At::new(name, outlet));
    }

    pub(crate) fn reserve(&mut self, ports: Vec<ReservedPort>) {
        self.reserved.extend(ports);
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

    /// Gives every party power, and waits until each is at work. With `check`, each is greeted before, and its power is
    /// taken again. A terminal is given its own when its head on the bench is: whatever it says from then on is part of
    /// the run.
    ///
    /// Errors: a sentence, and whether it tells of a party and not of the rig.
    pub(crate) async fn make_ready(
        &mut self,
        check: Option<(&[Greeting], Duration)>,
    ) -> Result<(), (bool, String)> {
        for at in 0..self.occupants.len() {
            if let Some((greetings, within)) = check {
                self.start(at).await?;
                self.check(at, greetings, within).await.map_err(|why| (false, why))?;
            }
            if !self.occupants[at].starts_with_bench() {
                self.start(at).await?;
            }
        }
        Ok(())
    }

    async fn start(&mut self, at: usize) -> Result<(), (bool, String)> {
        let occupant = &mut self.occupants[at];
        let given = occupant.give().map_err(|why| (false, why))?;
        let seat = occupant.seat;
        self.switched(seat, given);
        self.occupants[at].wait_ready().await.map_err(|why| (true, why))
    }

    /// Greets a party that is at work, and takes its power.
    async fn check(&mut self, at: usize, greetings: &[Greeting], within: Duration) -> Result<(), String> {
        let name = self.occupants[at].name.clone();
        for greeting in greetings.iter().filter(|greeting| greeting.seat == name) {
            self.greet(&name, greeting, within).await?;
        }
        let occupant = &mut self.occupants[at];
        let taken = occupant.take()?;
        self.found.extend(occupant.checked());
        let seat = occupant.seat;
        self.switched(seat, taken);
        Ok(())
    }

    /// Sends a greeting, three times at most, until anything comes back.
    async fn greet(&mut self, name: &str, greeting: &Greeting, within: Duration) -> Result<(), String> {
        let limits = self.limits;
        let leads = |at: &At| covers(greeting.link, &at.name) || covers(&at.name, greeting.link);
        let Some(place) = self.outlets.iter().position(leads) else { return Ok(()) };
        let began = tokio::time::Instant::now();
        for _ in 0..GREETINGS {
            self.outlets[place].outlet.heard(0, 0, &greeting.bytes, &limits);
            if self.hears(place, within / GREETINGS).await {
                let took = began.elapsed().as_micros();
                let (words, link) = (greeting.words, &self.outlets[place].name);
                self.found.push(format!("`{name}` answers {words} over `{link}` within {took} µs"));
                // Whatever else it says to it is no part of a case; whoever goes on for ever is found out in one.
                let until = tokio::time::Instant::now() + within;
                while self.hears(place, QUIET).await && tokio::time::Instant::now() < until {}
                return Ok(());
            }
        }
        let (words, link) = (greeting.words, &self.outlets[place].name);
        Err(format!("`{name}` does not answer {words} over `{link}` within {} ms", within.as_millis()))
    }

    /// Whether anything comes in over an outlet; what it is, is forgotten.
    async fn hears(&mut self, place: usize, within: Duration) -> bool {
        let Self { outlets, occupants, limits, .. } = self;
        let mut came = VecDeque::new();
        let hears = std::future::poll_fn(|cx| {
            occupants.iter_mut().for_each(|occupant| occupant.poll_output(cx));
            let polled = outlets[place].outlet.poll(cx, limits, false, &mut came);
            if came.is_empty() && polled.is_ok() { Poll::Pending } else { Poll::Ready(!came.is_empty()) }
        });
        tokio::time::timeout(within, hears).await.unwrap_or_default()
    }

    /// What the check has found in order.
    pub(crate) fn found(&self) -> &[String] {
        &self.found
    }

    /// How long transmissions were held up.
    pub(crate) fn overhead(&self) -> &Overhead {
        &self.overhead
    }

    /// Every power switch that was used.
    pub(crate) fn cuts(&self) -> impl Iterator<Item = &Cuts> {
        self.occupants.iter().filter_map(Occupant::cuts)
    }

    /// What is wrong with the rig, if anything is.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// What was noticed about real parties, and takes nothing back that their judges say.
    pub(crate) fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// Asks an operator for something to be done at the party before which this seat is; how long that may take.
    pub(crate) fn ask(&mut self, bench: &Tabletop<F>, seat: SeatId, what: &str) -> Option<Span> {
        self.outlets.iter_mut().find_map(|at| match &mut at.outlet {
            Outlet::Bytes(outlet)
                if outlet.wires().iter().any(|wire| bench.ends(wire.line).contains(&Some(seat))) =>
            {
                outlet.ask(what)
            }
            _ => None,
        })
    }

    /// Has it looked whether processes have to wait for a processor for longer than that.
    pub(crate) const fn tolerate(&mut self, lag_max: Span) {
        self.lag_max = Some(lag_max);
    }

    /// Since when the process of a party had to wait for longer, and that in words.
    pub(crate) fn late(&self) -> Option<(Instant, String)> {
        self.occupants.iter().filter_map(Occupant::late).min()
    }

    /// What switches have achieved.
    pub(crate) fn achieved(&self) -> Vec<String> {
        self.cuts().map(ToString::to_string).collect()
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
                    (at.held_len, at.held) = (0, VecDeque::new());
                }
            }
        }
        self.came.retain(|came| on || came.seat != seat);
    }

    /// Has a party's power follow that of its head, which was away in between if it was `cut`.
    fn follow(&mut self, bench: &mut Tabletop<F>, at: usize, mut cut: bool) {
        loop {
            let occupant = &mut self.occupants[at];
            let (seat, name, on) = (occupant.seat, occupant.name.clone(), bench.is_on(occupant.seat));
            if occupant.awaits(on) {
                // What was said before, by a party that nothing switches or over a slow way, is no part of the run.
                self.switched(seat, Switched::Off);
            }
            match self.occupants[at].follow(on, std::mem::take(&mut cut)) {
                Ok(Switched::Same) => return,
                Ok(switched) => self.switched(seat, switched),
                Err((true, what)) => return self.trouble(bench, what),
                Err((false, what)) => {
                    self.broken.get_or_insert(format!("power of `{name}`: {what}"));
                    return;
                }
            }
        }
    }

    /// What has reached heads leaves; which parties were without power in between.
    fn take_in(&mut self, bench: &Tabletop<F>) -> (Vec<SeatId>, Vec<String>) {
        let (mut cut, mut clogged) = (Vec::new(), Vec::new());
        for entry in bench.tape().since(self.cursor) {
            self.cursor = entry.ordinal + 1;
            match &entry.what {
                Seen::Heard { line, way, conn, bytes } => {
                    let limits = self.limits;
                    let real = self.clock.map(RealClock::bench_time);
                    let Some((at, wire)) = find(&mut self.outlets, *line, *way) else {
                        // What a real party has sent has reached one of ours.
                        let at = real.and_then(|_| from(&self.outlets, *line, *way));
                        if let (Some(real), Some(at)) = (real, at) {
                            self.overhead.add(real.since(entry.at) + at.late);
                        }
                        continue;
                    };
                    let seat = at.outlet.wires()[wire].seat;
                    let starts =
                        self.occupants.iter().any(|occupant| occupant.seat == seat && occupant.starts());
                    if at.shut || starts && at.hold(wire, bytes, &limits) {
                        continue;
                    }
                    self.leaving.extend(real.map(|_| entry.at));
                    if !at.outlet.heard(wire, *conn, bytes, &limits) {
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

/// The outlet at whose head something began that goes this way.
fn from(outlets: &[At], line: LineId, way: Way) -> Option<&At> {
    outlets.iter().find(|at| at.outlet.wires().iter().any(|wire| wire.line == line && wire.way == way))
}

impl<F: Family> Beside<F> for Outside<F> {
    fn tie(&mut self, clock: RealClock) {
        self.clock = Some(clock);
    }

    fn wake_after(&mut self, span: Span) {
        self.alarm.set(span);
    }

    fn observe(&mut self, bench: &mut Tabletop<F>) {
        let (cut, clogged) = self.take_in(bench);
        if self.holds_back {
            self.stall(bench);
        }
        for request in bench.take_requests() {
            let leads = |at: &&mut At| at.outlet.wires().iter().any(|wire| wire.line == request.line);
            let refused = self.outlets.iter_mut().find(leads).map(|at| at.outlet.request(request));
            if let Some(Err(what)) = refused {
                self.trouble(bench, what);
            }
        }
        for name in clogged {
            let max = self.limits.unsent_max;
            self.trouble(
                bench,
                format!("more than {max} bytes wait on `{name}` for a party that does not read"),
            );
        }
        for at in 0..self.occupants.len() {
            let seat = self.occupants[at].seat;
            self.follow(bench, at, cut.contains(&seat));
        }
        if bench.now() >= self.looked + LOOK {
            self.looked = bench.now();
            if let Some(most) = self.lag_max {
                self.occupants.iter_mut().for_each(|occupant| occupant.look(bench.now(), most));
            }
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
            if occupant.poll_start(cx) {
                let seat = occupant.seat;
                let of = |at: &&mut At| at.outlet.wires().iter().any(|wire| wire.seat == seat);
                self.outlets.iter_mut().filter(of).for_each(|at| at.let_go(&self.limits));
            }
        }
        let mut ready = !self.came.is_empty() || self.alarm.poll(cx).is_ready();
        for at in self.outlets.iter_mut().filter(|at| !at.shut) {
            match at.outlet.poll(cx, &self.limits, at.stalled, &mut self.came) {
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
        if let Some(real) = self.clock.map(RealClock::bench_time) {
            for reached in self.leaving.drain(..) {
                self.overhead.add(real.since(reached));
            }
            if !self.came.is_empty() {
                self.read_at.get_or_insert(real);
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
        let read_at = self.read_at.take();
        let late = read_at.zip(self.clock).map(|(read, clock)| clock.bench_time().since(read));
        for Came { seat, line, deed } in std::mem::take(&mut self.came) {
            let named =
                self.outlets.iter_mut().find(|at| at.outlet.wires().iter().any(|wire| wire.line == line));
            let Some(at) = named.filter(|at| !at.shut) else { continue };
            if let Deed::Send(_, bytes) = &deed {
                at.taken += bytes.len() as u64 + EACH;
                at.late = late.unwrap_or_default();
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
                    Deed::Confirm => {
                        bench.remark(DONE_BY_HAND.to_owned());
                        continue;
                    }
                    Deed::Send(port, bytes) => (self.hands.send)(port, bytes),
                    Deed::Open(port, to) => (self.hands.open)(port, to),
                    Deed::Close(port, how) => (self.hands.close)(port, how),
                    Deed::Level(port, high) => (self.hands.level)(port, high),
                };
                bench.stimulate(seat, stimulus);
            }
        }
    }
}
