//! `assay margins`: what it is asked for, looked up.

use std::path::PathBuf;

use clap::Args;

use super::args::{DesignArgs, OutArgs};
use super::job::{Job, Unusable, cases_of, design, named_system, some_explored};
use crate::margins::MarginsPlan;
use crate::names;
use crate::run::Heading;

/// `assay margins`.
#[derive(Debug, Args)]
pub struct MarginsArgs {
    /// The system.
    #[arg(value_name = "SYSTEM")]
    pub system: String,
    /// These cases of it, in place of those that are explored; `*` stands for any text.
    #[arg(value_name = "CASES")]
    pub cases: Vec<String>,
    /// What sits in our seats.
    #[command(flatten)]
    pub design: DesignArgs,
    /// Where the report goes.
    #[command(flatten)]
    pub out: OutArgs,
}

/// Looks everything up.
///
/// Errors: [`Unusable`].
pub(super) fn checked(args: &MarginsArgs, heading: Heading) -> Result<Job, Unusable> {
    let system = named_system(&args.system)?;
    let (design, _) = design(&args.design, Some(system))?;
    let mut cases = names::select(&cases_of(&[system]), &args.cases).map_err(Unusable::Usage)?;
    cases.retain(|case| case.explored || !args.cases.is_empty());
    some_explored(&cases, system)?;
    let out = PathBuf::from(&args.out.out);
    Ok(Job::Margins(Box::new(MarginsPlan { system, cases, design, out, heading })))
}
