//! `assay certify`: the rig, the product in it, and the cases that are for the product.

use std::path::PathBuf;

use super::args::CertifyArgs;
use super::job::{Job, Unusable, cases_of, design, named_system, nothing, span};
use super::seats::seated;
use crate::certify::CertifyPlan;
use crate::names;
use crate::rig_bench::Bench;
use crate::run::Heading;
use crate::water;

/// Looks everything up.
///
/// Errors: [`Unusable`].
pub(super) fn certify(args: &CertifyArgs, heading: Heading) -> Result<Job, Unusable> {
    let bench = Bench::named(&format!("rig:{}", args.rig)).map_err(Unusable::Usage)?;
    let rig = bench.rig().filter(|rig| rig.is_real() || bench.lockstep().is_some()).ok_or_else(|| {
        let what =
            "every party in it is the suite's own: seat the product as a `process`, a `device` or in `lockstep`";
        Unusable::Usage(format!("{}: {what}", args.rig))
    })?;
    let system = named_system(rig.rig().system.as_str())?;
    let (mut design, systems) = design(&args.design, Some(system))?;
    let mut cases = names::select(&cases_of(&systems), &args.cases).map_err(Unusable::Usage)?;
    match seated(None, std::slice::from_ref(&bench))? {
        Some(lockstep) => {
            design = design.with_lockstep(lockstep);
            cases.retain(water::seats_terminals);
        }
        None => cases.retain(|case| bench.takes(case)),
    }
    if cases.is_empty() {
        return Err(nothing(&args.cases, &systems, false));
    }
    design.profile = bench.profile(design.profile, system).map_err(Unusable::Usage)?;
    let spans = [span("--explore-budget", &args.explore_budget)?, span("--soak", &args.soak)?];
    let out = PathBuf::from(&args.out.out);
    let seal = args.seal.seal(&out, &design, &[system], Some(rig))?;
    Ok(Job::Certify(Box::new(CertifyPlan {
        cases,
        design,
        rig: rig.clone(),
        campaign: args.cases.is_empty(),
        explore: spans[0],
        soak: spans[1],
        replays: args.replays,
        jobs: usize::from(args.jobs),
        out,
        heading,
        seal,
    })))
}
