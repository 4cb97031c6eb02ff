//! The command line with everything in it looked up: whatever is wrong with it is found here, before anything runs.

use std::path::PathBuf;
use std::time::Duration;

use assay_hil::lockstep::Lockstep;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::time::Span;
use clap_complete::Shell;
use thiserror::Error;

use super::args::{
    Cli, Command, DesignArgs, DiffArgs, ExperimentArgs, ExploreArgs, Listing, MutantsArgs, ReplayArgs,
    ReportArgs, RunArgs, ShrinkArgs, SwarmArgs, TwiceArgs,
};
use super::evidence::{KeysArgs, VerifyArgs};
use super::product;
use super::seats::{lockstep, lockstep_system, seated, startable, stepped, words_of};
use crate::campaign::{CampaignJob, CampaignPlan, Kind};
use crate::capture::CheckPlan;
use crate::case::Case;
use crate::certify::CertifyPlan;
use crate::experiment::water_cache;
use crate::experiment::{self, ExperimentPlan};
use crate::explore::Extent;
use crate::margins::MarginsPlan;
use crate::matrix::MatrixPlan;
use crate::names;
use crate::plan_file::{FileError, read_profile};
use crate::replay::Replay;
use crate::rig_bench::Bench;
use crate::run::{Batch, DRAWN, Depth, EACH, ExplorePlan, Heading, RunPlan, explores_by_itself};
use crate::serve::ServePlan;
use crate::serve::payments::PaymentsPlan;
use crate::suite;
use crate::swarm::SwarmPlan;
use crate::system::System;
use crate::trial::{Design, ProfileSource};
use crate::water;

/// A call that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unusable {
    /// Something in it is wrong.
    #[error("{0}")]
    Usage(String),
    /// A file that it names is wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// It selects nothing.
    #[error("{0}")]
    Nothing(String),
}

/// What is to be done, with all that it takes.
pub enum Job {
    /// Run cases.
    Run(Box<RunPlan>),
    /// Explore.
    Explore {
        /// What.
        plan: ExplorePlan,
        /// For how long.
        budget: Option<Duration>,
    },
    /// Do something with a campaign.
    Campaign(Box<CampaignJob>),
    /// Certify a product.
    Certify(Box<CertifyPlan>),
    /// Run a swarm.
    Swarm(SwarmPlan),
    /// List the sites that an exploration would strike.
    Sites(Vec<Batch>),
    /// Run a replay file.
    Replay(Box<ReplayPlan>),
    /// Shrink a failing run.
    Shrink {
        /// The run.
        replay: Box<Replay>,
        /// The name of its file.
        file: String,
        /// What must still be violated.
        requirement: Option<String>,
        /// Where the results go, if not beside the file.
        out: Option<PathBuf>,
    },
    /// Try mutants.
    Mutants(MatrixPlan),
    /// Find margins.
    Margins(Box<MarginsPlan>),
    /// Compare two processes, each called with these arguments.
    Twice(Vec<String>),
    /// Print what is compared.
    Tapes(Batch),
    /// Carry an experiment out.
    Experiment(ExperimentPlan),
    /// Serve a party.
    Serve(Box<ServePlan>),
    /// Serve the payment platforms.
    ServePayments(PaymentsPlan),
    /// List serial ports.
    Ports,
    /// Compare two runs.
    Diff(DiffArgs),
    /// Make reports again.
    Report(ReportArgs),
    /// Check a signed report.
    Verify(VerifyArgs),
    /// Judge a recording.
    Check(Box<CheckPlan>),
    /// Print a public key.
    Keys(KeysArgs),
    /// Print completions.
    Completions(Shell),
    /// Show what there is.
    List(Listing, Vec<System>),
}

/// A replay file to run.
pub struct ReplayPlan {
    /// What is in it.
    pub replay: Replay,
    /// Its name.
    pub file: String,
    /// The same on another bench, if that is where it is to run.
    pub elsewhere: Option<Replay>,
    /// Whether its tape is printed.
    pub tape: bool,
    /// Where a report goes, if one is wanted.
    pub out: Option<PathBuf>,
    /// For the record.
    pub heading: Heading,
}

impl Job {
    /// Looks everything up.
    ///
    /// Errors: [`Unusable`].
    pub fn check(cli: Cli, command: Vec<String>, started: String) -> Result<Self, Unusable> {
        let heading = |seed: u64| Heading { started: started.clone(), command: command.clone(), seed };
        match cli.command {
            Command::Run(args) => run(&args, heading(args.design.seed)),
            Command::Explore(args) => explore(&args, heading(args.design.seed)),
            Command::Campaign(args) => super::campaign::checked(args.act, heading(0)),
            Command::Certify(args) => product::certify(&args, heading(args.design.seed)),
            Command::Swarm(args) => swarm(&args, heading(0)),
            Command::Replay(args) => replay(args, heading),
            Command::Shrink(ShrinkArgs { file, requirement, out }) => {
                let replay = Box::new(Replay::read(&file)?);
                if let Some(lockstep) = &replay.design.lockstep {
                    startable(lockstep)?;
                }
                Ok(Self::Shrink { replay, file, requirement, out: out.map(PathBuf::from) })
            }
            Command::Mutants(args) => mutants(&args, heading(args.seed)),
            Command::Margins(args) => super::margins::checked(&args, heading(args.design.seed)),
            Command::Twice(args) => {
                let TwiceArgs { system, seed, terminal } = args;
                let system = system.map(|name| named_system(&name)).transpose()?;
                lockstep_system(lockstep(&terminal)?.as_ref(), system)?;
                let words = ["tapes".to_owned(), "--seed".to_owned(), seed.to_string()].into_iter();
                let words = words.chain(words_of(&terminal));
                Ok(Self::Twice(words.chain(system.map(|system| system.as_str().to_owned())).collect()))
            }
            Command::Tapes(args) => {
                let systems = systems(args.system.as_deref())?;
                let mut design = Design::new(PolicyName::Hardened, Seed(args.seed));
                let mut cases = cases_of(&systems);
                // Every turn is asked of two processes, so that it is the program that is named and not a tape.
                if let Some(lockstep) = lockstep(&args.terminal)?.map(Lockstep::twinned) {
                    design = design.with_lockstep(lockstep);
                    cases.retain(water::seats_terminals);
                }
                Ok(Self::Tapes(Batch { design, cases, explored: Vec::new() }))
            }
            Command::Experiment(args) => experiment(&args),
            Command::Serve(args) => super::serve::checked(*args),
            Command::Ports => Ok(Self::Ports),
            Command::Diff(args) => Ok(Self::Diff(args)),
            Command::Report(args) => Ok(Self::Report(args)),
            Command::Verify(args) => Ok(Self::Verify(args)),
            Command::Check(args) => args.checked(heading(0)),
            Command::Keys(args) => Ok(Self::Keys(args)),
            Command::Completions { shell } => Ok(Self::Completions(shell)),
            Command::List(args) => Ok(Self::List(args.what, systems(args.system.as_deref())?)),
        }
    }
}

pub(super) fn named_system(name: &str) -> Result<System, Unusable> {
    names::system(name).map_err(Unusable::Usage)
}

fn systems(name: Option<&str>) -> Result<Vec<System>, Unusable> {
    name.map_or_else(|| Ok(System::ALL.to_vec()), |name| Ok(vec![named_system(name)?]))
}

/// The cases of these systems, in the order of their ids.
pub(super) fn cases_of(systems: &[System]) -> Vec<Case> {
    let mut cases = suite::cases();
    cases.retain(|case| systems.contains(&case.system));
    cases.sort_by_key(|case| (case.system, case.id));
    cases
}

/// The design, and the systems that it is one of.
pub(super) fn design(args: &DesignArgs, system: Option<System>) -> Result<(Design, Vec<System>), Unusable> {
    let policy = names::policy(&args.policy, system).map_err(Unusable::Usage)?;
    // A policy belongs to the systems that know it, and so does a profile.
    let fits = |known: &System| {
        system.is_none_or(|system| system == *known) && names::policies(*known).contains(&policy)
    };
    let systems: Vec<System> = System::ALL.into_iter().filter(fits).collect();
    let (profile, systems) = match &args.profile {
        Some(file) => read_profile(file, &systems)?,
        None => (ProfileSource::default(), systems),
    };
    Ok((Design { profile, ..Design::new(policy, Seed(args.seed)) }, systems))
}

fn run(args: &RunArgs, heading: Heading) -> Result<Job, Unusable> {
    let named = match &args.bench {
        Some(name) => vec![Bench::named(name).map_err(Unusable::Usage)?],
        None if args.terminal.terminal.is_some() => vec![Bench::Tabletop],
        None => vec![Bench::Tabletop, Bench::World],
    };
    let lockstep = seated(lockstep(&args.terminal)?, &named)?;
    let benches: Vec<Bench> = named.iter().map(stepped).collect();
    let repeats = benches.iter().all(Bench::repeats);
    let system = args.system.as_deref().map(named_system).transpose()?;
    let system = lockstep_system(lockstep.as_ref(), system)?;
    let (mut design, systems) = design(&args.design, system)?;
    let mut cases = names::select(&cases_of(&systems), &args.cases).map_err(Unusable::Usage)?;
    let whole = args.cases.is_empty() && repeats && lockstep.is_none();
    if let Some(lockstep) = lockstep {
        if !repeats {
            let what = "--terminal: a program in lockstep has no use for a rig's clock; leave --bench away";
            return Err(Unusable::Usage(what.to_owned()));
        }
        design = design.with_lockstep(lockstep);
        cases.retain(water::seats_terminals);
    }
    cases.retain(|case| benches.iter().any(|bench| bench.takes(case)));
    if cases.is_empty() {
        return Err(nothing(&args.cases, &systems, repeats));
    }
    for bench in &named {
        design.profile = bench.profile(design.profile, cases[0].system).map_err(Unusable::Usage)?;
    }
    if args.explore && !repeats {
        return Err(Unusable::Usage(
            "--explore: exploration is for simulated benches; leave --bench away".to_owned(),
        ));
    }
    let wide = args.explore || explores_by_itself(&design);
    let extent_on = |bench: &Bench| match bench {
        Bench::Tabletop => wide.then_some(Extent::Each(EACH)),
        Bench::World => Some(Extent::Drawn { seed: design.seed, count: DRAWN }),
        Bench::Rig(_) => None,
    };
    let explored = benches.iter().filter_map(|bench| Some((bench.clone(), extent_on(bench)?))).collect();
    let out = PathBuf::from(&args.out.out);
    let seal = args.seal.seal_if_named(&out, &design, &systems, named.iter().find_map(Bench::rig))?;
    Ok(Job::Run(Box::new(RunPlan {
        batches: vec![Batch { design, cases, explored }],
        campaign: whole,
        benches,
        out,
        heading,
        seal,
    })))
}

pub(super) fn nothing(patterns: &[String], systems: &[System], repeats: bool) -> Unusable {
    let systems: Vec<&str> = systems.iter().map(|system| system.as_str()).collect();
    let of = systems.join(" and ");
    let fit =
        if patterns.is_empty() { String::new() } else { format!(" that fits `{}`", patterns.join("` or `")) };
    let fit = if repeats { fit } else { format!("{fit} and can run on a rig") };
    Unusable::Nothing(format!(
        "there is no case of the system {of}{fit}; `assay list cases` shows what there is"
    ))
}

fn explore(args: &ExploreArgs, heading: Heading) -> Result<Job, Unusable> {
    let usage = |what: String| Unusable::Usage(what);
    let system = named_system(&args.system)?;
    let depth = depth(args).map_err(usage)?;
    let (mut design, _) = design(&args.design, Some(system))?;
    let budget = args.budget.as_deref().map(|text| span("--budget", text)).transpose()?;
    let extent = args.sample.as_deref().map(sample).transpose()?.unwrap_or(Extent::Whole);
    let mut cases = names::select(&cases_of(&[system]), &args.cases).map_err(usage)?;
    cases.retain(|case| case.explored);
    let named = Bench::named(&args.bench).map_err(usage)?;
    if let Some(lockstep) = seated(lockstep(&args.terminal)?, std::slice::from_ref(&named))? {
        lockstep_system(Some(&lockstep), Some(system))?;
        design = design.with_lockstep(lockstep);
        cases.retain(water::seats_terminals);
    }
    some_explored(&cases, system)?;
    let bench = stepped(&named);
    design.profile = named.profile(design.profile, system).map_err(Unusable::Usage)?;
    if !bench.repeats() {
        return Err(usage("--bench: exploration is for simulated benches: `tabletop` or `world`".to_owned()));
    }
    let kept = (extent == Extent::Whole && design.lockstep.is_none()).then(|| {
        let kind = match depth {
            Depth::Single => Kind::Explore,
            Depth::Pairs { merge } => Kind::Pairs { merge },
        };
        Box::new(CampaignPlan::new(kind, system, cases.clone(), bench.clone(), design.clone()))
    });
    let batches = vec![Batch { design, cases, explored: vec![(bench, extent)] }];
    if args.list_sites {
        return Ok(Job::Sites(batches));
    }
    let (out, resume) = (PathBuf::from(&args.out.out), args.resume);
    Ok(Job::Explore { plan: ExplorePlan { batches, depth, out, heading, kept, resume }, budget })
}

/// Refuses to go on without any explored case.
pub(super) fn some_explored(cases: &[Case], system: System) -> Result<(), Unusable> {
    if !cases.is_empty() {
        return Ok(());
    }
    let all = suite::cases();
    let explored = all.iter().filter(|case| case.system == system && case.explored);
    let explored: Vec<&str> = explored.map(|case| case.id).collect();
    let what =
        format!("no explored case is selected; the {} system has {}", system.as_str(), list(&explored));
    Err(Unusable::Nothing(what))
}

fn depth(args: &ExploreArgs) -> Result<Depth, String> {
    let pairs = match args.faults {
        1 => false,
        2 => true,
        other => return Err(format!("--faults {other}: 1 or 2 faults can strike in a run")),
    };
    match pairs {
        false if args.no_merge => Err("--no-merge: it goes with --faults 2".to_owned()),
        true if args.bench != Bench::Tabletop.name() => {
            Err("--bench: two faults a run are for the tabletop; leave the option away".to_owned())
        }
        true if args.sample.is_some() => {
            Err("--sample: it goes with one fault a run; a --budget ends an exploration of pairs".to_owned())
        }
        true => Ok(Depth::Pairs { merge: !args.no_merge }),
        false => Ok(Depth::Single),
    }
}

fn replay(args: ReplayArgs, heading: impl Fn(u64) -> Heading) -> Result<Job, Unusable> {
    let mut replay = Replay::read(&args.file)?;
    if let Some(lockstep) = lockstep(&args.terminal)? {
        replay.design = replay.design.with_lockstep(lockstep);
    } else if let Some(lockstep) = &replay.design.lockstep {
        startable(lockstep)?;
    }
    let elsewhere = match &args.bench {
        Some(name) if *name != replay.bench.name() => {
            let bench = Bench::named(name).map_err(Unusable::Usage)?;
            Some(replay.on(bench).map_err(|why| Unusable::Usage(format!("--bench {name}: {why}")))?)
        }
        _ => None,
    };
    let heading = heading(replay.design.seed.0);
    let ReplayArgs { file, tape, out, .. } = args;
    Ok(Job::Replay(Box::new(ReplayPlan {
        replay,
        file,
        elsewhere,
        tape,
        out: out.map(PathBuf::from),
        heading,
    })))
}

fn swarm(args: &SwarmArgs, mut heading: Heading) -> Result<Job, Unusable> {
    let system = named_system(&args.system)?;
    let policy = names::policy(&args.policy, Some(system)).map_err(Unusable::Usage)?;
    let seeds = seeds(&args.seeds)?;
    let benches = match &args.bench {
        Some(name) => vec![Bench::named(name).map_err(Unusable::Usage)?],
        None => vec![Bench::Tabletop, Bench::World],
    };
    if !benches.iter().all(Bench::repeats) {
        let what = "--bench: a swarm is for simulated benches: `tabletop` or `world`";
        return Err(Unusable::Usage(what.to_owned()));
    }
    let mut cases = cases_of(&[system]);
    cases.retain(|case| case.explored);
    heading.seed = seeds.start;
    let mut design = Design::new(policy, Seed(seeds.start));
    if let Some(lockstep) = lockstep(&args.terminal)? {
        lockstep_system(Some(&lockstep), Some(system))?;
        design = design.with_lockstep(lockstep);
        cases.retain(water::seats_terminals);
    }
    Ok(Job::Swarm(SwarmPlan { cases, benches, design, seeds, out: PathBuf::from(&args.out.out), heading }))
}

fn seeds(text: &str) -> Result<std::ops::Range<u64>, Unusable> {
    let bad = || {
        let text = text.escape_debug();
        Unusable::Usage(format!("--seeds `{text}`: write it as A..B with A < B, such as 0..500"))
    };
    crate::swarm::seeds(text).ok_or_else(bad)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

pub(super) fn span(option: &str, text: &str) -> Result<Duration, Unusable> {
    let span: Span = text
        .parse()
        .map_err(|error| Unusable::Usage(format!("{option} `{}`: {error}", text.escape_debug())))?;
    Ok(Duration::from_micros(span.as_us()))
}

fn sample(text: &str) -> Result<Extent, Unusable> {
    let bad = || {
        let text = text.escape_debug();
        Unusable::Usage(format!("--sample `{text}`: write it as I/N with 1 <= I <= N, such as 1/10"))
    };
    let (first, apart) = text.split_once('/').ok_or_else(bad)?;
    let (first, apart): (u64, u64) = (first.parse().map_err(|_| bad())?, apart.parse().map_err(|_| bad())?);
    if first == 0 || first > apart {
        return Err(bad());
    }
    Ok(Extent::Sample { first, apart })
}

fn experiment(args: &ExperimentArgs) -> Result<Job, Unusable> {
    if !experiment::NAMES.contains(&args.name.as_str()) {
        return Err(Unusable::Usage(names::no_such("experiment", &args.name, &experiment::NAMES)));
    }
    let extent = water_cache::Extent { swipes: args.swipes, seed: Seed(args.seed) };
    Ok(Job::Experiment(ExperimentPlan { extent, out: PathBuf::from(&args.out.out) }))
}

fn mutants(args: &MutantsArgs, heading: Heading) -> Result<Job, Unusable> {
    let systems = match &args.system {
        Some(name) => vec![named_system(name)?],
        None => System::ALL.to_vec(),
    };
    let system = args.system.is_some().then(|| systems[0]);
    let mut mutants = suite::mutants();
    mutants.retain(|mutant| systems.contains(&mutant.system));
    if !args.mutants.is_empty() {
        mutants = args
            .mutants
            .iter()
            .map(|name| names::mutant(name, system).map_err(Unusable::Usage))
            .collect::<Result<_, _>>()?;
    }
    if mutants.is_empty() {
        let names: Vec<&str> = systems.iter().map(|system| system.as_str()).collect();
        return Err(Unusable::Nothing(format!("the system {} has no mutants", names.join(" and "))));
    }
    let design = Design::new(PolicyName::Hardened, Seed(args.seed));
    Ok(Job::Mutants(MatrixPlan {
        mutants,
        cases: cases_of(&systems),
        design,
        all: args.all,
        out: PathBuf::from(&args.out.out),
        heading,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_budgets_are_read_or_refused() {
        assert_eq!(sample("2/10"), Ok(Extent::Sample { first: 2, apart: 10 }));
        assert_eq!(span("--soak", "60s"), Ok(Duration::from_secs(60)));
        assert_eq!(span("--soak", "10 min"), Ok(Duration::from_secs(600)));
        for bad in ["", "1", "0/4", "5/4", "a/b", "1/2/3", "-1/2"] {
            assert!(matches!(sample(bad), Err(Unusable::Usage(_))), "{bad}");
        }
        for bad in ["", "60", "soon", "-1s"] {
            assert!(matches!(span("--soak", bad), Err(Unusable::Usage(_))), "{bad}");
        }
    }
}
