//! The vendor's conformance statement: what the system under test implements, and so which cases are for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use assay_hil::rig::Rig;
use assay_reports::Level;
use serde::Deserialize;

use crate::case::Case;
use crate::names::no_such;
use crate::requirement::{self, Requirement};

/// The version of the statement's form that is understood here.
const VERSION: i64 = 1;

/// A conformance statement that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The statement as it was written.
    pub written: Written,
    /// Requirements that it excludes, each with the reason.
    excluded: BTreeMap<String, String>,
}

/// A conformance statement as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The version of its form.
    #[serde(rename = "assay-pics")]
    version: i64,
    /// The system.
    pub family: String,
    /// The seat that the vendor's product takes.
    pub role: String,
    /// What the product is called.
    pub product: String,
    /// Its version.
    pub version_of_product: String,
    /// The fingerprint of the build.
    pub build: String,
    /// The profile that it was built for, in words or as a file's name.
    pub profile: String,
    /// Whether the product has an option, by the option's name.
    #[serde(default)]
    options: BTreeMap<String, bool>,
    /// Requirements that only ought to be met, and are not, each with the reason.
    #[serde(default)]
    excludes: BTreeMap<String, String>,
}

/// Something that a product may leave out, and the requirements that fall away with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductOption {
    /// Its name.
    pub name: String,
    /// The system.
    pub system: String,
    /// The seats whose party may have it.
    pub roles: BTreeSet<String>,
    /// What it is.
    pub says: String,
    /// The requirements that are about it.
    pub requirements: BTreeSet<String>,
}

/// Every option.
pub static OPTIONS: LazyLock<Vec<ProductOption>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File {
        option: Vec<ProductOption>,
    }
    toml::from_str::<File>(include_str!("../../fixtures/spec/options.toml"))
        .expect("the options that come with the suite are sound, which a test holds")
        .option
});

impl Statement {
    /// Reads a statement for a rig.
    ///
    /// Errors: a sentence for each mistake, with the file.
    pub fn load(file: &Path, rig: &Rig) -> Result<Self, String> {
        let name = file.display();
        let text = fs::read_to_string(file).map_err(|error| format!("{name}: could not be read: {error}"))?;
        let named = |error: String| {
            error.lines().map(|line| format!("{name}: {line}")).collect::<Vec<_>>().join("\n")
        };
        let statement = Self::parse(&text).map_err(named)?;
        let Written { family, role, .. } = &statement.written;
        if family != rig.system.as_str()
            || !(rig.is_real(role) || role == "terminal" && rig.lockstep().is_some())
        {
            let what = format!(
                "`family` and `role` are `{}` and `{}`: write a party that is real in the rig file",
                family.escape_debug(),
                role.escape_debug()
            );
            return Err(named(what));
        }
        Ok(statement)
    }

    /// Reads the text of a statement.
    ///
    /// Errors: a sentence for each mistake, a line each.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            format!("line {line}: {}", error.message().replace('\n', ", "))
        })?;
        let mut wrong = Vec::new();
        if written.version != VERSION {
            wrong.push(format!("`assay-pics` is {}: write {VERSION}", written.version));
        }
        let excluded = excluded(&written, &mut wrong);
        if wrong.is_empty() { Ok(Self { written, excluded }) } else { Err(wrong.join("\n")) }
    }

    /// Why a case is skipped, if it is: the statement excludes everything that it shows.
    pub fn skips(&self, case: &Case) -> Option<String> {
        let reasons: Option<Vec<&String>> = case.shows.iter().map(|id| self.excluded.get(*id)).collect();
        let mut reasons = reasons.filter(|reasons| !reasons.is_empty())?;
        reasons.dedup();
        let words: Vec<&str> = reasons.into_iter().map(String::as_str).collect();
        Some(format!("the conformance statement excludes it: {}", words.join("; ")))
    }
}

fn excluded(written: &Written, wrong: &mut Vec<String>) -> BTreeMap<String, String> {
    let mut excluded = BTreeMap::new();
    let of_family: Vec<&ProductOption> =
        OPTIONS.iter().filter(|option| option.system == written.family).collect();
    for (name, has) in &written.options {
        let Some(option) = of_family.iter().find(|option| option.name == *name) else {
            let names: Vec<&str> = of_family.iter().map(|option| option.name.as_str()).collect();
            wrong.push(format!("`options`: {}", no_such("option", name, &names)));
            continue;
        };
        if !has {
            let why = format!("it has no {}", option.says);
            excluded.extend(option.requirements.iter().map(|id| (id.clone(), why.clone())));
        }
    }
    for (id, why) in &written.excludes {
        match requirement::by_id(id) {
            None => wrong.push(format!("`excludes`: there is no requirement `{}`", id.escape_debug())),
            Some(Requirement { level: Level::Must, .. }) => wrong.push(format!(
                "`excludes`: {id} is always required: leave it away, or name an option that it belongs to"
            )),
            Some(_) => drop(excluded.insert(id.clone(), why.clone())),
        }
    }
    excluded
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"assay-pics = 1
family = "pos"
role = "server"
product = "Till server"
version_of_product = "2.1"
build = "sha256:00"
profile = "built-in"

[options]
codes = false
"#;

    fn case(shows: &'static [&'static str]) -> Case {
        Case { shows, ..crate::suite::cases()[0] }
    }

    #[test]
    fn a_case_that_shows_nothing_else_is_skipped_with_the_reason() {
        let statement = Statement::parse(TEXT).unwrap();
        let why = statement.skips(&case(&["POS-P6"])).unwrap();
        assert_eq!(why, "the conformance statement excludes it: it has no payments by scanned code");
        assert_eq!(statement.skips(&case(&["POS-P6", "POS-P1"])), None);
        assert_eq!(statement.skips(&case(&[])), None);
        let has = Statement::parse(&TEXT.replace("false", "true")).unwrap();
        assert_eq!(has.skips(&case(&["POS-P6"])), None);
    }

    #[test]
    fn what_is_always_required_stays_and_every_mistake_is_told() {
        let text = TEXT.replace("codes = false", "cods = false")
            + "[excludes]\nPOS-P1 = \"we do not care\"\nPOS-P99 = \"\"\n";
        let told = Statement::parse(&text).unwrap_err();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 3, "{told}");
        assert!(lines[0].contains("there is no option `cods`") && lines[0].contains("`codes`"), "{told}");
        assert!(lines[1].contains("POS-P1 is always required"), "{told}");
        assert!(lines[2].contains("there is no requirement `POS-P99`"), "{told}");
        let unknown = Statement::parse(&TEXT.replace("build", "built")).unwrap_err();
        assert!(unknown.starts_with("line 6: unknown field `built`"), "{unknown}");
        assert_eq!(
            Statement::parse(&TEXT.replace("= 1\n", "= 2\n")).unwrap_err(),
            "`assay-pics` is 2: write 1"
        );
    }

    #[test]
    fn options_name_requirements_that_there_are() {
        for option in OPTIONS.iter() {
            for id in &option.requirements {
                assert!(requirement::by_id(id).is_some(), "{}: {id}", option.name);
            }
        }
    }
}
