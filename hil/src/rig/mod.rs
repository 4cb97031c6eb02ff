//! Rig files: who is real and who is virtual, which links are real, and on what they run.

mod error;
mod links;
mod reader;
mod seats;
mod system;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assay_sim::drive::DriveConfig;
use assay_sim::time::Span;
use toml::de::DeTable;

use crate::lockstep::Program;

pub use error::{Fault, Place, RigError};
pub use links::{Carrier, NetConfig};
pub use seats::{Body, ControlLine, Observe, Power, ProcessConfig, RealSeat, Seat, TextPort};
pub use system::{LinkSpec, System, covers};

use reader::{Reader, Section};

/// The version of the rig file's form that is understood here.
const VERSION: i64 = 2;

/// A rig file that has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Rig {
    /// The system whose parties sit on the bench.
    pub system: System,
    /// What leads out of the bench, by its name there, and what carries it.
    pub links: BTreeMap<String, Carrier>,
    /// Who sits where; every seat of the system is named.
    pub seats: BTreeMap<String, Seat>,
    /// How ports are read and written.
    pub drive: DriveConfig,
    /// How much may come in over one link within a second of the bench.
    ///
    /// Units: bytes.
    pub flood_max: u64,
    /// What happens before the first case.
    pub self_check: SelfCheck,
    /// What differs from the system's profile.
    pub profile: ProfileChange,
    /// The conformance statement that selects cases.
    pub pics: Option<PathBuf>,
}

/// The check that every port goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfCheck {
    /// How long the test pattern may take one way, and a switch to work.
    pub within: Span,
}

/// What a rig changes in its system's profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileChange {
    /// By what every timer is divided; at least one.
    pub divide_timers: u64,
    /// The tolerance on the timers of a party under test, in place of the profile's.
    pub tolerance: Option<Span>,
    /// Values in place of the profile's, in the profile's own form; whoever reads the profile checks them.
    pub set: toml::Table,
}

impl Rig {
    /// Reads a rig file.
    ///
    /// Errors: every mistake in it, each with its place and what to write instead.
    pub fn load(file: &Path) -> Result<Self, RigError> {
        let text = fs::read_to_string(file)
            .map_err(|source| RigError::Unreadable { file: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    /// Reads the text of a rig file; `file` is what errors call it.
    ///
    /// Errors: every mistake in it, each with its place and what to write instead.
    pub fn parse(text: &str, file: &Path) -> Result<Self, RigError> {
        let reader = Reader::new(text, file);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            reader.fault(error.span().unwrap_or_default().start, error.message().to_owned());
        }
        let rig = if errors.is_empty() { read(&Section::root(&reader, table.get_ref()), text) } else { None };
        let faults = reader.into_faults();
        rig.filter(|_| faults.is_empty()).ok_or(RigError::Faulty(faults))
    }

    /// The real parties, by their seats.
    pub fn real_seats(&self) -> impl Iterator<Item = (&str, &RealSeat)> {
        self.seats.iter().filter_map(|(name, seat)| match seat {
            Seat::Real(real) => Some((name.as_str(), &**real)),
            Seat::Virtual | Seat::Absent | Seat::Lockstep(_) => None,
        })
    }

    /// The program in a terminal's seat that is stepped in the bench's own time.
    pub fn lockstep(&self) -> Option<&Program> {
        self.seats.values().find_map(|seat| match seat {
            Seat::Lockstep(program) => Some(program),
            Seat::Virtual | Seat::Absent | Seat::Real(_) => None,
        })
    }

    /// Whether somebody real sits in this seat.
    pub fn is_real(&self, seat: &str) -> bool {
        matches!(self.seats.get(seat), Some(Seat::Real(_)))
    }

    /// At which of a link's ends a real party sits, if one does.
    pub fn real_end(&self, link: LinkSpec) -> Option<(usize, &'static str)> {
        let ends = link.ends.into_iter().enumerate();
        ends.filter_map(|(at, seat)| Some((at, seat?))).find(|(_, seat)| self.is_real(seat))
    }
}

fn read(root: &Section<'_, '_>, text: &str) -> Option<Rig> {
    let version: Option<i64> = root.need(
        "assay-rig",
        root.number("assay-rig", i64::MIN, "2, the version that this suite understands"),
        "`assay-rig = 2` at the top",
    );
    if version? != VERSION {
        // What another version means by its fields is not known here.
        root.wrong("assay-rig", "2, the version that this suite understands");
        return None;
    }
    let system = root.need("system", root.choice("system", &System::NAMED), "`system = \"pos\"`");
    let bind_any = root.flag("bind_any").unwrap_or(false);
    let pics = root.text("pics", "the path of the conformance statement").map(PathBuf::from);
    let links = links(root, system, bind_any);
    let names: Vec<String> = links.iter().flat_map(BTreeMap::keys).cloned().collect();
    let seats = seats(root, system, &names);
    let drive = drive(root);
    let self_check = self_check(root);
    let profile = profile(root, text);
    root.end();
    let (drive, flood_max) = drive?;
    let rig = Rig {
        system: system?,
        links: links?,
        seats: seats?,
        drive,
        flood_max,
        self_check: self_check?,
        profile: profile?,
        pics,
    };
    check_links(root, &rig);
    Some(rig)
}

const LINK: &str = "a table such as `[link.udp]` for each link that is real";

fn links(
    root: &Section<'_, '_>,
    system: Option<System>,
    bind_any: bool,
) -> Option<BTreeMap<String, Carrier>> {
    if !root.has("link") {
        root.section("link", LINK);
        return Some(BTreeMap::new());
    }
    let section = root.section("link", LINK)?;
    let mut links = BTreeMap::new();
    let mut sound = true;
    for (name, link) in section.sections("a table") {
        let spec = system.and_then(|system| system.link(&name));
        if let (Some(system), None) = (system, spec) {
            let known = reader::one_of(system.links().iter().map(|link| link.name));
            link.amiss(&format!("is no link of the system `{}`: write {known}", system.as_str()));
        }
        match links::carrier(&link, spec, bind_any) {
            Some(carrier) => drop(links.insert(name, carrier)),
            None => sound = false,
        }
    }
    sound.then_some(links)
}

fn seats(root: &Section<'_, '_>, system: Option<System>, links: &[String]) -> Option<BTreeMap<String, Seat>> {
    let mend = "a table such as `[seat.server]` for each party that is real";
    let section = root.need("seat", root.section("seat", mend), mend)?;
    let system = system?;
    let mut seats = BTreeMap::new();
    for name in system.seats() {
        let terminal = *name == system.terminal();
        let may = seats::May {
            text: terminal && system.text_link().is_some(),
            hand: system != System::Paymod,
            parts: terminal && system.has_parts(),
            step: terminal && system == System::Water,
        };
        let seat = if !section.has(name) {
            section.section(name, "");
            Some(Seat::Virtual)
        } else if section.is_table(name) {
            section.section(name, mend).and_then(|seat| seats::seat(&seat, may, links))
        } else {
            seats::word(&section, name)
        };
        seats.extend(seat.map(|seat| ((*name).to_owned(), seat)));
    }
    section.end();
    (seats.len() == system.seats().len()).then_some(seats)
}

fn drive(root: &Section<'_, '_>) -> Option<(DriveConfig, u64)> {
    let mend = "a table `[drive]` with `read_max`, `unsent_max` and `flood_max`";
    let section = root.need("drive", root.section("drive", mend), mend)?;
    let bytes = "how many bytes, at least 1";
    let read_max = section.need("read_max", section.number("read_max", 1, bytes), bytes);
    let unsent_max = section.need("unsent_max", section.number("unsent_max", 1, bytes), bytes);
    let flood = "how many bytes may come in over one link within a second, such as 1_000_000";
    let flood_max = section.need("flood_max", section.number("flood_max", 1, flood), flood);
    section.end();
    Some((DriveConfig { read_max: read_max?, unsent_max: unsent_max? }, flood_max?))
}

fn self_check(root: &Section<'_, '_>) -> Option<SelfCheck> {
    let mend = "a table `[self_check]` with `within`";
    let section = root.need("self_check", root.section("self_check", mend), mend)?;
    let patience = "how long the pattern may take, such as `\"2 s\"`";
    let within = section.need("within", section.span("within", false, patience), patience);
    section.end();
    Some(SelfCheck { within: within? })
}

fn profile(root: &Section<'_, '_>, text: &str) -> Option<ProfileChange> {
    let mend = "a table `[profile]` with `divide_timers`";
    let section = root.need("profile", root.section("profile", mend), mend)?;
    let divisor = "at least 1, which leaves the timers as they are";
    let divide_timers = section.need("divide_timers", section.number("divide_timers", 1, divisor), divisor);
    let tolerance = section.span("tolerance", true, "a span such as `\"50 ms\"`");
    section.leave("set", "a table in the profile's own form");
    section.end();
    let whole: toml::Table = toml::from_str(text).ok()?;
    let set = whole.get("profile").and_then(|profile| profile.get("set")).and_then(toml::Value::as_table);
    Some(ProfileChange { divide_timers: divide_timers?, tolerance, set: set.cloned().unwrap_or_default() })
}

/// Whether each link leads to somebody, and each real party is reached by what it needs.
fn check_links(root: &Section<'_, '_>, rig: &Rig) {
    if rig.lockstep().is_some() {
        check_lockstep(root, rig);
    }
    let Some(links) = root.section("link", LINK) else { return check_seats(root, rig) };
    for (name, link) in links.sections("a table") {
        let Some(spec) = rig.system.link(&name) else { continue };
        let between_ours = matches!(rig.links.get(&name), Some(Carrier::Pty(_)));
        if rig.real_end(spec).is_none() && !between_ours {
            let ends = reader::one_of(spec.ends.into_iter().flatten());
            link.amiss(&format!("has no real party at either end: seat one as {ends}, or leave it away"));
        }
        let real = spec.ends.iter().flatten().filter(|seat| rig.is_real(seat)).count();
        if real > 1 {
            link.amiss(
                "has real parties at both ends, so that nothing of it passes the bench: leave it away",
            );
        }
    }
    check_seats(root, rig);
}

/// A program in lockstep has no use for a clock, so that nothing else can be real.
fn check_lockstep(root: &Section<'_, '_>, rig: &Rig) {
    let Some(seats) = root.section("seat", "a table") else { return };
    for (name, _) in rig.real_seats() {
        if let Some(seat) = seats.section(name, "a table") {
            seat.amiss("is real, and the terminal sits in lockstep, whose time no real party keeps: seat one of them");
        }
    }
    if let Some(name) = rig.links.keys().next()
        && let Some(link) = root.section("link", LINK).and_then(|links| links.section(name, "a table"))
    {
        link.amiss("is real, and the terminal sits in lockstep, whose time no port keeps: leave it away");
    }
}

fn check_seats(root: &Section<'_, '_>, rig: &Rig) {
    let Some(seats) = root.section("seat", "a table") else { return };
    for (name, _) in rig.real_seats() {
        let Some(seat) = seats.section(name, "a table") else { continue };
        for link in rig.system.links().iter().filter(|link| link.needed) {
            let both = link.ends.into_iter().flatten().all(|end| rig.is_real(end));
            let here = link.ends.contains(&Some(name));
            let has = |link: &str| rig.links.keys().any(|known| covers(link, known));
            let instead = rig.system.instead(name, link.name);
            if here && !both && !has(link.name) && !instead.is_some_and(has) {
                let or = instead.map(|other| format!(" or `[link.{other}]`")).unwrap_or_default();
                let what = format!("has no link to the bench: write a table `[link.{}]`{or}", link.name);
                seat.amiss(&what);
            }
        }
    }
}
