//! The world: the bench whose network is simulated by turmoil.
//!
//! Every site of a layout is a bench of its own that runs as a task of a host; what leaves it goes over the host's
//! simulated sockets, behind the near half of our own link, which suffers the planned faults. Time passes in ticks, and
//! what happens on a site and what crosses the network is exact all the same, unless it is quicker than a tick.

pub mod disk;
pub mod guest;
mod net;
mod post;
mod site;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use turmoil::Sim;

use crate::bench::{Bench, BenchError, Lent, Names, Remains};
use crate::fault::{FaultPlan, LinkKind};
use crate::machine::Torn;
use crate::seed::Seed;
use crate::tabletop::{Family, Layout, PlanError, Tabletop};
use crate::tape::{Keep, LineId, SeatId, Seen, SupplyId, Tape};
use crate::time::{Instant, Span, Wall};

use guest::Seated;
use net::Exchange;
use site::Site;

/// The calendar clock of the host on which it is called.
pub fn calendar() -> Wall {
    let since = turmoil::since_epoch().unwrap_or_default();
    Wall::from_us(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How long a tick is; every latency of the simulated network is one.
pub const TICK: Span = Span::ms(10);

/// The most hosts that sites are spread over; every host makes every other one dearer.
pub const HOSTS_MAX: usize = 8;

/// The most segments, packets and connections that wait for a socket.
const CAPACITY: usize = 4_096;

/// A world under way.
pub struct World<F: Family> {
    sim: Sim<'static>,
    /// The same layout on a tabletop that never runs: it knows every name, and its tape is the world's.
    table: Tabletop<F>,
    sites: Vec<Rc<Site<F>>>,
    hosts: Vec<Host>,
    seats: Places,
    lines: Places,
    supplies: Places,
    /// What waits to be put on the tape in order.
    remarks: Vec<(Instant, Seen<F::Event>)>,
    /// What the case takes for now: at most a tick after what the hosts have come to.
    now: Instant,
    /// What the hosts have come to.
    clock: Instant,
    recording: bool,
}

/// A host of the simulated network.
struct Host {
    address: IpAddr,
    /// The sites that run there.
    sites: Vec<usize>,
    crashed: bool,
}

/// On which sites something is, by its number in the whole layout, and its number there.
#[derive(Clone, Default)]
struct Places(Vec<Vec<(usize, u16)>>);

impl Places {
    fn new<Id: Copy>(len: usize, sites: &[&[Id]], number: impl Fn(Id) -> u16) -> Self {
        let mut places = vec![Vec::new(); len];
        for (site, ids) in sites.iter().enumerate() {
            for (id, local) in ids.iter().zip(0..) {
                if let Some(known) = places.get_mut(usize::from(number(*id))) {
                    known.push((site, local));
                }
            }
        }
        Self(places)
    }

    fn of(&self, number: u16) -> &[(usize, u16)] {
        self.0.get(usize::from(number)).map_or(&[], Vec::as_slice)
    }

    /// The place that counts is the first.
    fn home(&self, number: u16) -> Option<(usize, u16)> {
        self.of(number).first().copied()
    }
}

impl<F: Family> World<F> {
    /// Sets up a world with its fault plan, all supplies off. Nothing happens before it is switched on.
    ///
    /// Errors: the plan does not fit the layout.
    pub fn new(layout: Layout<F>, plan: &FaultPlan, keep: Keep, seed: Seed) -> Result<Self, PlanError> {
        Self::with_guests(layout, plan, keep, seed, &[])
    }

    /// The same, with asynchronous code in some listeners' seats.
    ///
    /// Errors: the plan does not fit the layout.
    pub fn with_guests(
        layout: Layout<F>,
        plan: &FaultPlan,
        keep: Keep,
        seed: Seed,
        guests: &[Seated<F>],
    ) -> Result<Self, PlanError> {
        let parts = layout.parts(TICK);
        let epoch = layout.epoch();
        let table = Tabletop::new(layout, plan, keep)?;
        let exchange = Rc::new(Exchange::default());
        let sites: Vec<Rc<Site<F>>> =
            parts.into_iter().map(|part| Rc::new(Site::new(part, plan, &exchange, guests))).collect();
        let (seat_names, line_names, supply_names) = table.names();
        let of = |pick: fn(&Site<F>) -> &[SeatId]| sites.iter().map(|site| pick(site)).collect::<Vec<_>>();
        let seats = Places::new(seat_names.len(), &of(|site| &site.seats), |id| id.0);
        let lines: Vec<&[LineId]> = sites.iter().map(|site| site.lines.as_slice()).collect();
        let lines = Places::new(line_names.len(), &lines, |id| id.0);
        let supplies: Vec<&[SupplyId]> = sites.iter().map(|site| site.supplies.as_slice()).collect();
        let supplies = Places::new(supply_names.len(), &supplies, |id| id.0);
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed.0)
            .epoch(SystemTime::UNIX_EPOCH + Duration::from_micros(epoch.as_us().unsigned_abs()))
            .tick_duration(duration(TICK))
            .min_message_latency(duration(TICK))
            .max_message_latency(duration(TICK))
            .simulation_duration(Duration::MAX)
            .tcp_capacity(CAPACITY)
            .udp_capacity(CAPACITY)
            .build();
        let hosts = settle_in(&mut sim, &sites);
        for host in &hosts {
            for at in &host.sites {
                sites[*at].move_in(host.address, *at);
            }
        }
        Ok(Self {
            sim,
            table,
            sites,
            hosts,
            seats,
            lines,
            supplies,
            remarks: Vec::new(),
            now: Instant::ZERO,
            clock: Instant::ZERO,
            recording: false,
        })
    }

    /// How many hosts the simulated network has.
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// The host on which a party's site runs is down.
    pub fn is_crashed(&self, seat: SeatId) -> bool {
        let site = self.seats.home(seat.0).map(|(site, _)| site);
        self.hosts.iter().any(|host| host.crashed && site.is_some_and(|site| host.sites.contains(&site)))
    }

    /// One tick of everything.
    fn tick(&mut self) -> Result<(), BenchError> {
        let ahead = self.clock + TICK;
        for host in &mut self.hosts {
            let wakes = |site: &usize| {
                self.sites[*site]
                    .look(|bench| !bench.is_dark() || bench.next_at().is_some_and(|at| at < ahead))
            };
            if host.crashed && host.sites.iter().any(wakes) {
                host.crashed = false;
                self.sim.bounce(host.address);
            }
        }
        self.sim.step().map_err(|error| BenchError(error.to_string()))?;
        self.clock = ahead;
        self.now = self.now.max(ahead);
        self.run_errands();
        for host in &mut self.hosts {
            let dark = |site: &usize| self.sites[*site].look(Tabletop::is_dark);
            if !host.crashed && host.sites.iter().all(dark) {
                host.crashed = true;
                self.sim.crash(host.address);
            }
        }
        self.collect(self.clock);
        Ok(())
    }

    /// What a strike on one site has brought about on others befalls them.
    fn run_errands(&self) {
        for from in 0..self.sites.len() {
            for mishap in self.sites[from].errands() {
                for (at, site) in self.sites.iter().enumerate() {
                    if at != from {
                        site.act(self.now, |bench| bench.suffer(mishap.clone()));
                    }
                }
            }
        }
    }

    /// Puts on the tape what all sites have seen before `until`, in the order of time.
    fn collect(&mut self, until: Instant) {
        let remarks = std::mem::take(&mut self.remarks).into_iter();
        let (mut all, later): (Vec<_>, Vec<_>) = remarks.partition(|(at, _)| *at < until);
        self.remarks = later;
        for site in &self.sites {
            site.collect(until, |at, what| all.push((at, what)));
        }
        all.sort_by_key(|(at, _)| *at);
        for (at, what) in all {
            self.table.tape_mut().push(at, what);
        }
    }

    fn at_supply(&self, supply: SupplyId, work: impl Fn(&mut Tabletop<F>, SupplyId)) {
        for (site, local) in self.supplies.of(supply.0) {
            self.sites[*site].act(self.now, |bench| work(bench, SupplyId(*local)));
        }
    }

    /// Brings a card to a reader's site from where it is.
    fn carry(&mut self, card: SeatId, to: usize) {
        let Some((from, there)) = self.seats.home(card.0) else { return };
        let Some(at) = self.seats.of(card.0).iter().position(|(site, _)| *site == to) else { return };
        if from == to {
            return;
        }
        let here = SeatId(self.seats.of(card.0)[at].1);
        let luggage = self.sites[from].act(self.now, |bench| {
            bench.take_out(SeatId(there));
            bench.hand_over_seat(SeatId(there))
        });
        self.sites[to].act(self.now, |bench| bench.take_in_seat(here, luggage));
        self.seats.0[usize::from(card.0)].swap(0, at);
    }
}

/// Spreads the sites over hosts: those that listen at one address share its host, and the others share the rest.
fn settle_in<F: Family>(sim: &mut Sim<'static>, sites: &[Rc<Site<F>>]) -> Vec<Host> {
    let mut listening: BTreeMap<Ipv4Addr, Vec<usize>> = BTreeMap::new();
    let mut others = Vec::new();
    for (at, site) in sites.iter().enumerate() {
        match site.look(Tabletop::addresses).first().map(SocketAddrV4::ip) {
            Some(ip) => listening.entry(*ip).or_default().push(at),
            None => others.push(at),
        }
    }
    let rest = HOSTS_MAX.saturating_sub(listening.len()).max(1).min(others.len());
    let mut groups = vec![Vec::new(); rest];
    for (turn, at) in others.into_iter().enumerate() {
        groups[turn % rest].push(at);
    }
    let mut hosts = Vec::new();
    for (ip, members) in listening {
        hosts.push(Host { address: IpAddr::V4(ip), sites: members, crashed: false });
    }
    for (number, members) in groups.into_iter().enumerate() {
        let address = sim.lookup(format!("site-{}", number + 1).as_str());
        hosts.push(Host { address, sites: members, crashed: false });
    }
    for host in &hosts {
        let members: Vec<Rc<Site<F>>> = host.sites.iter().map(|at| Rc::clone(&sites[*at])).collect();
        sim.host(host.address, move || run(members.clone()));
    }
    hosts
}

/// Runs the sites of one host, each as a task of its own; the panic of any ends the run.
async fn run<F: Family>(sites: Vec<Rc<Site<F>>>) -> turmoil::Result {
    let tasks: Vec<_> = sites.into_iter().map(|site| tokio::task::spawn_local(site.run())).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn duration(span: Span) -> Duration {
    Duration::from_micros(span.as_us())
}

impl<F: Family> Bench<F> for World<F> {
    fn now(&self) -> Instant {
        self.now
    }

    /// Lets one tick pass, if it ends by `until`. What is done after that is done at `until`, on a site that then runs
    /// ahead of its host by less than a tick.
    fn step(&mut self, until: Instant) -> Result<bool, BenchError> {
        if self.clock + TICK > until {
            self.now = self.now.max(until);
            return Ok(false);
        }
        self.tick()?;
        Ok(true)
    }

    fn tape(&self) -> &Tape<F::Event> {
        self.table.tape()
    }

    fn party(&self, seat: SeatId) -> Lent<'_, F::Party> {
        match self.seats.home(seat.0) {
            Some((site, local)) => {
                let bench = self.sites[site].bench();
                Lent::Shared(std::cell::Ref::map(bench, |bench| bench.party(SeatId(local))))
            }
            None => Lent::Plain(self.table.party(seat)),
        }
    }

    fn names(&self) -> Names {
        Names::of(&self.table)
    }

    fn seat_named(&self, name: &str) -> Option<SeatId> {
        self.table.seat_named(name)
    }

    fn line_named(&self, name: &str) -> Option<LineId> {
        self.table.line_named(name)
    }

    fn supply_named(&self, name: &str) -> Option<SupplyId> {
        self.table.supply_named(name)
    }

    fn link_kind(&self, line: LineId) -> LinkKind {
        self.table.link_kind(line)
    }

    fn record_visits(&mut self) {
        self.recording = true;
        for site in &self.sites {
            site.act(self.now, Tabletop::record_visits);
        }
    }

    /// A world has no margin: it is what the margin is about.
    fn record_margin(&mut self) {}

    fn switch_on(&mut self) {
        for site in &self.sites {
            site.act(self.now, Tabletop::switch_on);
        }
    }

    fn stimulate(&mut self, seat: SeatId, stimulus: F::Stimulus) {
        if let Some((site, local)) = self.seats.home(seat.0) {
            self.sites[site].act(self.now, |bench| bench.stimulate(SeatId(local), stimulus));
        }
    }

    fn cut(&mut self, supply: SupplyId, torn: Torn) {
        self.at_supply(supply, |bench, local| bench.cut(local, torn));
    }

    fn restore(&mut self, supply: SupplyId) {
        self.at_supply(supply, Tabletop::restore);
    }

    fn plug(&mut self, line: LineId, card: SeatId) {
        let Some((site, local)) = self.lines.home(line.0) else { return };
        self.carry(card, site);
        if let Some((_, seat)) = self.seats.home(card.0).filter(|(home, _)| *home == site) {
            self.sites[site].act(self.now, |bench| bench.plug(LineId(local), SeatId(seat)));
        }
    }

    fn unplug(&mut self, line: LineId, torn: Torn) {
        if let Some((site, local)) = self.lines.home(line.0) {
            self.sites[site].act(self.now, |bench| bench.unplug(LineId(local), torn));
        }
    }

    fn note(&mut self, seat: SeatId, event: F::Event) {
        self.remarks.push((self.now, Seen::Noted { seat, event }));
    }

    fn remark(&mut self, text: String) {
        self.remarks.push((self.now, Seen::Case(text)));
    }

    /// The fingerprint of all sites and of everything observed; what is under way between hosts is in the latter.
    fn digest(&self) -> u128 {
        let mut into = crate::digest::Digest::new(self.now);
        for site in &self.sites {
            into.bytes(&site.look(Tabletop::digest).to_le_bytes());
        }
        into.bytes(&self.table.tape().digest().to_le_bytes());
        into.finish()
    }

    fn remains(mut self: Box<Self>) -> Remains<F> {
        self.collect(Instant::from_us(u64::MAX));
        let nowhere = |strike: &usize| {
            self.sites.iter().all(|site| site.look(|bench| bench.not_reached().contains(strike)))
        };
        let not_reached = self.table.not_reached().into_iter().filter(nowhere).collect();
        let mut visits = Vec::new();
        if self.recording {
            for site in &self.sites {
                site.look(|bench| visits.extend_from_slice(bench.visits()));
            }
            visits.sort_by_key(|visit| visit.at);
        }
        let Self { table, now, .. } = *self;
        Remains { now, visits, not_reached, ..Remains::of(table) }
    }
}
