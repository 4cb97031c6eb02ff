//! What a campaign is: stated in full before its first run, so that any worker knows all of it.

use std::ops::Range;
use std::sync::Arc;

use assay_reports::text::{counted, grouped};
use assay_sim::digest::Digest;
use assay_sim::seed::Seed;
use assay_sim::time::Instant;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::case::Case;
use crate::names;
use crate::plan_file::{FileError, Source, read_profile, read_text};
use crate::rig_bench::Bench;
use crate::suite;
use crate::swarm;
use crate::system::System;
use crate::trial::{Design, ProfileSource, Trial};

/// The version of the plan's form.
pub const VERSION: u32 = 1;

/// How many seeds a campaign has at most: the numbers of those that are to be made are held in memory.
const SEEDS_MAX: u64 = 100_000_000;

/// What the plan calls the profile that comes with the tool.
const BUILT_IN: &str = "built-in";

/// Which runs a campaign has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every fault at every site of each case, one a run.
    Explore,
    /// A second fault after the first.
    Pairs {
        /// Whether schedules that lead to the same state are struck once.
        merge: bool,
    },
    /// Runs drawn from seeds.
    Swarm {
        /// The seeds.
        seeds: Range<u64>,
    },
}

/// A campaign, with all that it takes.
#[derive(Clone)]
pub struct CampaignPlan {
    /// Which runs.
    pub kind: Kind,
    /// The system.
    pub system: System,
    /// The cases that are explored or drawn from.
    pub cases: Vec<Case>,
    /// On which bench.
    pub bench: Bench,
    /// On which design.
    pub design: Design,
    text: String,
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Stated<'a> {
    assay_campaign: u32,
    suite: &'a str,
    system: &'a str,
    kind: &'a str,
    cases: Vec<&'a str>,
    bench: &'a str,
    policy: &'a str,
    seed: u64,
    profile: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seeds: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "assay-campaign")]
    version: Spanned<u32>,
    suite: Option<Spanned<String>>,
    system: Spanned<String>,
    kind: Spanned<String>,
    #[serde(default)]
    cases: Vec<Spanned<String>>,
    bench: Option<Spanned<String>>,
    policy: Option<Spanned<String>>,
    #[serde(default)]
    seed: u64,
    profile: Option<Spanned<String>>,
    merge: Option<Spanned<bool>>,
    seeds: Option<Spanned<String>>,
}

impl CampaignPlan {
    /// A plan of these parts.
    pub fn new(kind: Kind, system: System, cases: Vec<Case>, bench: Bench, design: Design) -> Self {
        let mut plan = Self { kind, system, cases, bench, design, text: String::new(), id: String::new() };
        plan.text = plan.state();
        let mut id = Digest::new(Instant::ZERO);
        id.text(&plan.text).text(plan.design.profile.text.as_deref().unwrap_or_default());
        plan.id = format!("{:032x}", id.finish());
        plan
    }

    fn state(&self) -> String {
        let (kind, merge, seeds) = match &self.kind {
            Kind::Explore => ("explore", None, None),
            Kind::Pairs { merge } => ("pairs", Some(*merge), None),
            Kind::Swarm { seeds } => ("swarm", None, Some(format!("{}..{}", seeds.start, seeds.end))),
        };
        let stated = Stated {
            assay_campaign: VERSION,
            suite: env!("CARGO_PKG_VERSION"),
            system: self.system.as_str(),
            kind,
            cases: self.cases.iter().map(|case| case.id).collect(),
            bench: self.bench.name(),
            policy: self.design.policy.as_str(),
            seed: self.design.seed.0,
            // Where the file lies is no part of the campaign; what is in it is.
            profile: if self.design.profile.text.is_some() { "given" } else { BUILT_IN },
            merge,
            seeds,
        };
        toml::to_string(&stated).expect("texts and numbers can be written")
    }

    /// Reads a plan and looks up everything that it names.
    ///
    /// Errors: [`FileError`].
    pub fn read(file: &str) -> Result<Self, FileError> {
        let text = read_text(file)?;
        Self::parse(Source { file, text: &text }, None)
    }

    /// Reads the plan that a store has, with the text of its profile.
    ///
    /// Errors: [`FileError`].
    pub fn kept(file: &str, text: &str, profile: &str, profile_file: &str) -> Result<Self, FileError> {
        let source = (!profile.is_empty()).then(|| ProfileSource {
            file: Some(profile_file.to_owned()),
            text: Some(Arc::from(profile)),
            ..ProfileSource::default()
        });
        Self::parse(Source { file, text }, Some(source.unwrap_or_default()))
    }

    fn parse(source: Source<'_>, kept: Option<ProfileSource>) -> Result<Self, FileError> {
        let raw: File = toml::from_str(source.text)
            .map_err(|error| source.toml_error(&error, "docs/campaigns.md has the form of a plan"))?;
        if *raw.version.get_ref() != VERSION {
            let what = format!("version {} is not one that this tool knows", raw.version.get_ref());
            return Err(source.error(Some(raw.version.span()), what, format!("it reads version {VERSION}")));
        }
        let suite = env!("CARGO_PKG_VERSION");
        if let Some(other) = raw.suite.as_ref().filter(|other| other.get_ref() != suite) {
            let what = format!(
                "the campaign is of suite {} and this tool is {suite}",
                other.get_ref().escape_debug()
            );
            return Err(source.error(Some(other.span()), what, "go on with the tool that began it"));
        }
        let wrong = |name: &Spanned<String>| {
            let span = name.span();
            move |what: String| source.error(Some(span), what, "correct the name")
        };
        let system = names::system(raw.system.get_ref()).map_err(wrong(&raw.system))?;
        let kind = kind(source, &raw)?;
        let policy = match &raw.policy {
            Some(name) => names::policy(name.get_ref(), Some(system)).map_err(wrong(name))?,
            None => assay_sim::policy::PolicyName::Hardened,
        };
        let bench = match &raw.bench {
            Some(name) => Bench::named(name.get_ref()).map_err(wrong(name))?,
            None => Bench::Tabletop,
        };
        let unfit = match kind {
            Kind::Pairs { .. } => !matches!(bench, Bench::Tabletop),
            Kind::Explore | Kind::Swarm { .. } => !bench.repeats(),
        };
        if let Some(name) = raw.bench.as_ref().filter(|_| unfit) {
            let what = "this campaign cannot be made there";
            return Err(source.error(
                Some(name.span()),
                what,
                "name `tabletop`, or `world` unless it is of pairs",
            ));
        }
        let profile = match (kept, &raw.profile) {
            (Some(kept), _) => kept,
            (None, Some(name)) if name.get_ref() != BUILT_IN => {
                read_profile(name.get_ref(), &[system]).map(|(profile, _)| profile).map_err(|error| {
                    source.error(Some(name.span()), error.to_string(), "or correct `profile`")
                })?
            }
            _ => ProfileSource::default(),
        };
        let cases = cases(source, &raw, system, &bench)?;
        let design = Design { profile, ..Design::new(policy, Seed(raw.seed)) };
        let plan = Self::new(kind, system, cases, bench, design);
        plan.trials().map_err(|what| source.error(None, what, "correct the profile or the cases"))?;
        Ok(plan)
    }

    /// Its cases, ready to run.
    ///
    /// Errors: a sentence about the first that cannot be made ready.
    pub fn trials(&self) -> Result<Vec<Trial>, String> {
        let ready =
            |case: &Case| Trial::new(*case, &self.design).map_err(|error| format!("{}: {error}", case.id));
        self.cases.iter().map(ready).collect()
    }

    /// What tells it from every other campaign.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The plan as it is kept, every value in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a store has to know.
    pub fn about(&self) -> [(&str, &str); 3] {
        let profile = &self.design.profile;
        let text = profile.text.as_deref().unwrap_or_default();
        [
            ("plan", &self.text),
            ("profile", text),
            ("profile-file", profile.file.as_deref().unwrap_or_default()),
        ]
    }

    /// What it is, in a few words.
    pub fn words(&self) -> String {
        let (system, bench, policy) = (self.system.as_str(), self.bench.name(), self.design.policy);
        let what = match &self.kind {
            Kind::Explore => "every fault at every site".to_owned(),
            Kind::Pairs { .. } => "pairs of faults".to_owned(),
            Kind::Swarm { seeds } => format!("a swarm of the seeds {}..{}", seeds.start, seeds.end),
        };
        let cases = counted(self.cases.len() as u64, "case");
        format!("{system}, {what}, {cases}, policy {policy}, on {bench}")
    }
}

fn kind(source: Source<'_>, raw: &File) -> Result<Kind, FileError> {
    let misplaced = |span: Range<usize>, key: &str, kind: &str| {
        Err(source.error(Some(span), format!("`{key}` goes with the kind `{kind}`"), "leave it away"))
    };
    let name = raw.kind.get_ref().as_str();
    match (&raw.merge, &raw.seeds) {
        (Some(merge), _) if name != "pairs" => return misplaced(merge.span(), "merge", "pairs"),
        (_, Some(seeds)) if name != "swarm" => return misplaced(seeds.span(), "seeds", "swarm"),
        _ => {}
    }
    match name {
        "explore" => Ok(Kind::Explore),
        "pairs" => Ok(Kind::Pairs { merge: raw.merge.as_ref().is_none_or(|merge| *merge.get_ref()) }),
        "swarm" => match &raw.seeds {
            Some(text) => match swarm::seeds(text.get_ref()) {
                Some(seeds) if seeds.end - seeds.start > SEEDS_MAX => Err(source.error(
                    Some(text.span()),
                    format!("are {}", counted(seeds.end - seeds.start, "seed")),
                    format!("make several campaigns of at most {} each", grouped(SEEDS_MAX)),
                )),
                Some(seeds) => Ok(Kind::Swarm { seeds }),
                None => Err(source.error(
                    Some(text.span()),
                    "is no range of seeds",
                    "write it as A..B with A < B, such as \"0..500\"",
                )),
            },
            None => Err(source.error(
                Some(raw.kind.span()),
                "a swarm has seeds",
                "add a line such as seeds = \"0..500\"",
            )),
        },
        other => {
            let what = names::no_such("kind of campaign", other, &["explore", "pairs", "swarm"]);
            Err(source.error(Some(raw.kind.span()), what, "correct the name"))
        }
    }
}

fn cases(source: Source<'_>, raw: &File, system: System, bench: &Bench) -> Result<Vec<Case>, FileError> {
    let mut all = suite::cases();
    all.retain(|case| case.system == system);
    all.sort_by_key(|case| case.id);
    let patterns: Vec<String> = raw.cases.iter().map(|pattern| pattern.get_ref().clone()).collect();
    let span = raw.cases.first().map_or_else(|| raw.system.span(), Spanned::span);
    let mut cases = names::select(&all, &patterns)
        .map_err(|what| source.error(Some(span.clone()), what, "correct the pattern"))?;
    cases.retain(|case| case.explored && bench.takes(case));
    if cases.is_empty() {
        return Err(source.error(
            Some(span),
            "no explored case is selected",
            "`assay list cases` marks them",
        ));
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Result<CampaignPlan, String> {
        CampaignPlan::parse(Source { file: "plan.toml", text }, None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plan_is_stated_in_full_and_read_back_as_the_same() {
        for text in [
            "assay-campaign = 1\nsystem = \"water\"\nkind = \"explore\"\n",
            "assay-campaign = 1\nsystem = \"pos\"\nkind = \"pairs\"\nmerge = false\ncases = [\"pos/payment/*\"]\n",
            "assay-campaign = 1\nsystem = \"modem\"\nkind = \"swarm\"\nseeds = \"3..9\"\nbench = \"world\"\nseed = 7\n",
        ] {
            let first = plan(text).unwrap();
            let again = CampaignPlan::kept("store", first.text(), "", "").unwrap();
            assert_eq!((first.text(), first.id()), (again.text(), again.id()));
            assert!(first.text().contains(&format!("suite = \"{}\"", env!("CARGO_PKG_VERSION"))));
        }
    }

    #[test]
    fn campaigns_that_differ_in_anything_have_different_ids() {
        let base = "assay-campaign = 1\nsystem = \"water\"\nkind = \"swarm\"\nseeds = \"0..9\"\n";
        let others = [
            "seed = 1\n",
            "policy = \"published\"\n",
            "bench = \"world\"\n",
            "cases = [\"water/topup/*\"]\n",
        ];
        let mut ids: Vec<String> =
            others.iter().map(|other| plan(&format!("{base}{other}")).unwrap().id().to_owned()).collect();
        ids.push(plan(base).unwrap().id().to_owned());
        ids.push(plan(&base.replace("0..9", "0..8")).unwrap().id().to_owned());
        let different: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
    }

    #[test]
    fn what_is_wrong_in_a_plan_is_named_with_its_line() {
        let head = "assay-campaign = 1\nsystem = \"water\"\n";
        for (text, error) in [
            (
                "kind = \"explor\"",
                "3: `kind`: there is no kind of campaign `explor`; there are `explore`, `pairs`, `swarm`; did you \
                 mean `explore`?; correct the name",
            ),
            ("kind = \"swarm\"", "3: `kind`: a swarm has seeds; add a line such as seeds = \"0..500\""),
            (
                "kind = \"swarm\"\nseeds = \"9..3\"",
                "4: `seeds`: is no range of seeds; write it as A..B with A < B, such as \"0..500\"",
            ),
            (
                "kind = \"swarm\"\nseeds = \"0..100000001\"",
                "4: `seeds`: are 100,000,001 seeds; make several campaigns of at most 100,000,000 each",
            ),
            (
                "kind = \"explore\"\nseeds = \"0..3\"",
                "4: `seeds`: `seeds` goes with the kind `swarm`; leave it away",
            ),
            (
                "kind = \"pairs\"\nbench = \"world\"",
                "4: `bench`: this campaign cannot be made there; name `tabletop`, or `world` unless it is of pairs",
            ),
            (
                "kind = \"explore\"\nsuite = \"0.0.9\"",
                "4: `suite`: the campaign is of suite 0.0.9 and this tool is HERE; go on with the tool that began it",
            ),
        ] {
            let found = plan(&format!("{head}{text}\n")).err().unwrap();
            let error = error.replace("HERE", env!("CARGO_PKG_VERSION"));
            assert_eq!(found, format!("plan.toml:{error}"));
        }
        assert!(plan("assay-campaign = 2\nsystem = \"water\"\nkind = \"explore\"\n").is_err());
        assert!(plan(&format!("{head}kind = \"explore\"\nspeed = 1\n")).is_err());
    }
}
