//! A rig file as it is written, and the place of each value in it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use assay_sim::time::Span;
use serde::Deserialize;
use toml::Spanned;

use super::{Place, RigError, Seat, System};

/// The version of the rig file's form that is understood here.
pub(super) const VERSION: i64 = 1;

/// A text under examination.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a Path,
}

impl Source<'_> {
    pub(super) fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, RigError> {
        toml::from_str(self.text).map_err(|mut error| {
            let place = self.place(error.span().unwrap_or_default());
            let what = error.message().to_owned();
            // Without its input, the error prints the path of the field in place of an excerpt.
            error.set_input(None);
            let printed = error.to_string();
            let path = printed.trim_end().rsplit_once("\nin `").and_then(|(_, path)| path.strip_suffix('`'));
            RigError::Malformed { place, field: path.map(str::to_owned), what }
        })
    }

    /// Checks the version, on which everything else may depend.
    pub(super) fn check_version(&self) -> Result<(), RigError> {
        let Versioned { version } = self.read()?;
        let version = version.ok_or_else(|| self.missing("assay-rig", "`assay-rig = 1` at the top"))?;
        if version.get_ref().as_integer() == Some(VERSION) {
            return Ok(());
        }
        let found = version.get_ref().to_string();
        Err(RigError::Version { place: self.place(version.span()), found })
    }

    /// Checks the system, and each link's kind, on which its other fields depend.
    pub(super) fn check_outline(&self) -> Result<System, RigError> {
        let Outline { system, link } = self.read()?;
        let system = system.ok_or_else(|| self.missing("system", "`system = \"water\"`"))?;
        if system.get_ref() != "water" {
            return Err(self.unsupported("system", &system, "`\"water\"`"));
        }
        if link.is_empty() {
            return Err(self.missing("link", "a table such as `[link.uart-a]` for each link that is real"));
        }
        for (name, link) in &link {
            let Some(kind) = &link.kind else { continue };
            let (field, mend) = (format!("link.{name}.kind"), "`\"pty\"`");
            match kind.get_ref().as_str() {
                "pty" => {}
                "serial" | "udp" | "tcp" => return Err(self.unsupported(&field, kind, mend)),
                _ => return Err(self.wrong(&field, kind, mend)),
            }
        }
        Ok(System::Water)
    }

    pub(super) fn seat(&self, field: &str, who: &Spanned<String>) -> Result<Seat, RigError> {
        match who.get_ref().as_str() {
            "virtual" => Ok(Seat::Virtual),
            _ => Err(self.unsupported(field, who, "`\"virtual\"`")),
        }
    }

    /// A number that is at least one and fits where it goes.
    pub(super) fn number<T: TryFrom<i64>>(
        &self,
        field: &str,
        number: &Spanned<i64>,
        mend: &'static str,
    ) -> Result<T, RigError> {
        let fits = Some(*number.get_ref()).filter(|number| *number >= 1).map(T::try_from);
        fits.and_then(Result::ok).ok_or_else(|| self.wrong(field, number, mend))
    }

    /// A length of time that is not zero.
    pub(super) fn span(
        &self,
        field: &str,
        span: &Spanned<Span>,
        mend: &'static str,
    ) -> Result<Span, RigError> {
        match *span.get_ref() {
            Span::ZERO => Err(self.wrong(field, span, mend)),
            span => Ok(span),
        }
    }

    fn missing(&self, field: &'static str, mend: &'static str) -> RigError {
        RigError::Missing { file: self.file.to_owned(), field, mend }
    }

    fn unsupported(&self, field: &str, found: &Spanned<String>, mend: &'static str) -> RigError {
        let place = self.place(found.span());
        let found = found.get_ref().escape_debug().to_string();
        RigError::Unsupported { place, field: field.to_owned(), found, mend }
    }

    fn wrong<T: ToString>(&self, field: &str, found: &Spanned<T>, mend: &'static str) -> RigError {
        let place = self.place(found.span());
        let found = found.get_ref().to_string().escape_debug().to_string();
        RigError::Wrong { place, field: field.to_owned(), found, mend }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
        }
    }
}

/// Of a file of any version, what says which it is.
#[derive(Deserialize)]
struct Versioned {
    #[serde(rename = "assay-rig")]
    version: Option<Spanned<toml::Value>>,
}

/// Of the whole file, what decides how the rest is to be read.
#[derive(Deserialize)]
struct Outline {
    system: Option<Spanned<String>>,
    #[serde(default)]
    link: BTreeMap<String, OutlineLink>,
}

#[derive(Deserialize)]
struct OutlineLink {
    kind: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRig {
    #[serde(rename = "assay-rig")]
    _version: i64,
    #[serde(rename = "system")]
    _system: String,
    pub(super) link: BTreeMap<String, RawLink>,
    pub(super) seat: RawSeats,
    pub(super) drive: RawDrive,
    pub(super) self_check: RawSelfCheck,
    pub(super) profile: RawProfile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLink {
    #[serde(rename = "kind")]
    _kind: String,
    pub(super) baud: Spanned<i64>,
    pub(super) exclusive: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSeats {
    pub(super) terminal: Spanned<String>,
    pub(super) modem: Spanned<String>,
    pub(super) server: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDrive {
    pub(super) read_max: Spanned<i64>,
    pub(super) unsent_max: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSelfCheck {
    pub(super) within: Spanned<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    pub(super) divide_timers: Spanned<i64>,
    #[serde(default)]
    pub(super) set: toml::Table,
}
