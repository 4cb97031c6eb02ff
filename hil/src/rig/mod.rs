//! Rig files: which links of a bench are real, and on what they run.

mod error;
mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assay_sim::drive::DriveConfig;
use assay_sim::time::Span;

use crate::pty::PtyConfig;

pub use error::{Place, RigError};

use source::{RawLink, RawRig, Source};

/// A rig file that has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Rig {
    /// The system whose parties sit on the bench.
    pub system: System,
    /// The links that lead out of the bench, by their names on it, and what carries each.
    pub links: BTreeMap<String, PtyConfig>,
    /// Who sits where.
    pub seats: Seats,
    /// How ports are read and written.
    pub drive: DriveConfig,
    /// What happens before the first case.
    pub self_check: SelfCheck,
    /// What differs from the system's profile.
    pub profile: ProfileChange,
}

/// A system that can be on a rig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// The prepaid water-card system.
    Water,
}

/// The seats of the water system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seats {
    /// The terminal's.
    pub terminal: Seat,
    /// The modem's.
    pub modem: Seat,
    /// The message server's.
    pub server: Seat,
}

/// Who sits in a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// The suite's own party.
    Virtual,
}

/// The check that every port goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfCheck {
    /// How long the test pattern may take one way.
    pub within: Span,
}

/// What a rig changes in its system's profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileChange {
    /// By what every timer is divided; at least one.
    pub divide_timers: u64,
    /// Values in place of the profile's, in the profile's own form; whoever reads the profile checks them.
    pub set: toml::Table,
}

impl Rig {
    /// Reads a rig file.
    ///
    /// Errors: the first fault, with its place and what to write instead.
    pub fn load(file: &Path) -> Result<Self, RigError> {
        let text = fs::read_to_string(file)
            .map_err(|source| RigError::Unreadable { file: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    /// Reads the text of a rig file; `file` is what errors call it.
    ///
    /// Errors: the first fault, with its place and what to write instead.
    pub fn parse(text: &str, file: &Path) -> Result<Self, RigError> {
        let source = Source { text, file };
        source.check_version()?;
        let system = source.check_outline()?;
        let RawRig { link, seat, drive, self_check, profile, .. } = source.read()?;
        let mut links = BTreeMap::new();
        for (name, RawLink { baud, exclusive, .. }) in link {
            let field = format!("link.{name}.baud");
            let baud = source.number(&field, &baud, "the line's speed in bits a second, such as 115_200")?;
            links.insert(name, PtyConfig { baud, exclusive });
        }
        let seats = Seats {
            terminal: source.seat("seat.terminal", &seat.terminal)?,
            modem: source.seat("seat.modem", &seat.modem)?,
            server: source.seat("seat.server", &seat.server)?,
        };
        let bytes = "how many bytes, at least 1";
        let drive = DriveConfig {
            read_max: source.number("drive.read_max", &drive.read_max, bytes)?,
            unsent_max: source.number("drive.unsent_max", &drive.unsent_max, bytes)?,
        };
        let patience = "how long the pattern may take, such as `\"2 s\"`";
        let self_check =
            SelfCheck { within: source.span("self_check.within", &self_check.within, patience)? };
        let divisor = "at least 1, which leaves the timers as they are";
        let profile = ProfileChange {
            divide_timers: source.number("profile.divide_timers", &profile.divide_timers, divisor)?,
            set: profile.set,
        };
        Ok(Self { system, links, seats, drive, self_check, profile })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIG: &str = r#"assay-rig = 1
system = "water"

[link.uart-a]
kind = "pty"
baud = 9_600
exclusive = true

[seat]
terminal = "virtual"
modem = "virtual"
server = "virtual"

[drive]
read_max = 64
unsent_max = 4_096

[self_check]
within = "500 ms"

[profile]
divide_timers = 10
set.terminal.answer_timeout = "3 s"
"#;

    fn parse(text: &str) -> Result<Rig, RigError> {
        Rig::parse(text, Path::new("a.toml"))
    }

    /// What is said of the rig above when this part of it is written otherwise.
    fn error(part: &str, otherwise: &str) -> String {
        assert_eq!(RIG.matches(part).count(), 1, "{part}");
        parse(&RIG.replace(part, otherwise)).unwrap_err().to_string()
    }

    #[test]
    fn a_rig_file_says_what_it_says() {
        let rig = parse(RIG).unwrap();
        let links = [("uart-a".to_owned(), PtyConfig { baud: 9_600, exclusive: true })];
        assert_eq!(rig.system, System::Water);
        assert_eq!(rig.links, BTreeMap::from(links));
        let Seats { terminal, modem, server } = rig.seats;
        assert_eq!([terminal, modem, server], [Seat::Virtual; 3]);
        assert_eq!(rig.drive, DriveConfig { read_max: 64, unsent_max: 4_096 });
        assert_eq!(rig.self_check, SelfCheck { within: Span::ms(500) });
        assert_eq!(rig.profile.divide_timers, 10);
        assert_eq!(rig.profile.set["terminal"]["answer_timeout"].as_str(), Some("3 s"));
    }

    #[test]
    fn the_profile_need_not_be_overridden() {
        let rig = parse(&RIG.replace("set.terminal.answer_timeout = \"3 s\"\n", "")).unwrap();
        assert!(rig.profile.set.is_empty());
    }

    #[test]
    fn the_rig_that_comes_with_the_suite_is_sound() {
        let text = include_str!("../../../fixtures/rigs/water-pty.toml");
        let rig = Rig::parse(text, Path::new("fixtures/rigs/water-pty.toml")).unwrap();
        assert_eq!(rig.links.keys().collect::<Vec<_>>(), ["uart-a"]);
    }

    #[test]
    fn a_version_from_elsewhere_is_refused_before_anything_else() {
        let understood = "this version of the suite understands 1";
        let refused = |found: &str| format!("a.toml:1:13: `assay-rig` is {found}: {understood}");
        assert_eq!(error("assay-rig = 1", "assay-rig = 2"), refused("2"));
        assert_eq!(error("assay-rig = 1", "assay-rig = \"1\""), refused("\"1\""));
        assert_eq!(parse("assay-rig = 2\nlink = \"of another form\"").unwrap_err().to_string(), refused("2"));
        assert_eq!(
            error("assay-rig = 1\n", ""),
            "a.toml: `assay-rig` is missing: write `assay-rig = 1` at the top"
        );
    }

    #[test]
    fn what_is_planned_but_not_built_is_called_unsupported() {
        for kind in ["serial", "udp", "tcp"] {
            assert_eq!(
                error("kind = \"pty\"\nbaud = 9_600", &format!("kind = \"{kind}\"\nof_its_own = 3")),
                format!(
                    "a.toml:5:8: `link.uart-a.kind` is `{kind}`, which this version of the suite does not \
                     support: write `\"pty\"`"
                )
            );
        }
        assert_eq!(
            error("modem = \"virtual\"", "modem = \"process\""),
            "a.toml:11:9: `seat.modem` is `process`, which this version of the suite does not support: write \
             `\"virtual\"`"
        );
        assert_eq!(
            error("system = \"water\"", "system = \"pos\""),
            "a.toml:2:10: `system` is `pos`, which this version of the suite does not support: write \
             `\"water\"`"
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place_and_what_to_write() {
        let speed = "write the line's speed in bits a second, such as 115_200";
        let baud = |found: &str| format!("a.toml:6:8: `link.uart-a.baud` is `{found}`: {speed}");
        assert_eq!(error("9_600", "0"), baud("0"));
        assert_eq!(error("9_600", "-1"), baud("-1"));
        assert_eq!(error("9_600", "4_294_967_296"), baud("4294967296"));
        assert_eq!(
            error("\"pty\"", "\"pipe\\u001b\""),
            "a.toml:5:8: `link.uart-a.kind` is `pipe\\u{1b}`: write `\"pty\"`"
        );
        assert_eq!(
            error("64", "0"),
            "a.toml:15:12: `drive.read_max` is `0`: write how many bytes, at least 1"
        );
        assert_eq!(
            error("500 ms", "0 ms"),
            "a.toml:19:10: `self_check.within` is `0 s`: write how long the pattern may take, such as `\"2 s\"`"
        );
        assert_eq!(
            error("divide_timers = 10", "divide_timers = 0"),
            "a.toml:22:17: `profile.divide_timers` is `0`: write at least 1, which leaves the timers as they are"
        );
    }

    #[test]
    fn a_file_of_another_form_is_refused_with_what_was_expected() {
        assert_eq!(
            error("baud = 9_600", "speed = 9_600"),
            "a.toml:6:1: `link.uart-a`: unknown field `speed`, expected one of `kind`, `baud`, `exclusive`"
        );
        assert_eq!(error("baud = 9_600\n", ""), "a.toml:4:1: `link.uart-a`: missing field `baud`");
        assert_eq!(error("kind = \"pty\"\n", ""), "a.toml:4:1: `link.uart-a`: missing field `kind`");
        assert_eq!(
            error("9_600", "\"fast\""),
            "a.toml:6:8: `link.uart-a.baud`: invalid type: string \"fast\", expected i64"
        );
        assert_eq!(
            error("\"500 ms\"", "\"soon\""),
            "a.toml:19:10: `self_check.within`: not a span of time: write a whole number and its unit, such as \
             \"20 s\", \"31 ms\" or \"256 us\""
        );
        assert_eq!(error("[seat]", "[seat"), "a.toml:9:6: unclosed table, expected `]`");
        assert_eq!(
            error("[link.uart-a]\nkind = \"pty\"\nbaud = 9_600\nexclusive = true\n", ""),
            "a.toml: `link` is missing: write a table such as `[link.uart-a]` for each link that is real"
        );
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(
            error("[link.uart-a]\n", "[link]\n\"ü\" = { kind = \"pipe\" }\n[link.uart-a]\n"),
            "a.toml:5:16: `link.ü.kind` is `pipe`: write `\"pty\"`"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Rig::load(Path::new("no-such-folder/rig.toml")).unwrap_err().to_string();
        assert!(error.starts_with("no-such-folder/rig.toml: could not be read: "), "{error}");
    }
}
