//! `assay campaign` with everything in its call looked up.

use std::path::PathBuf;

use super::args::{CampaignAct, OutArgs, ShareArgs};
use super::job::{Job, Unusable, span};
use crate::campaign::shard::NotAShard;
use crate::campaign::{Act, CampaignJob, CampaignPlan};
use crate::run::Heading;

/// What an act of a campaign comes to.
///
/// Errors: [`Unusable`]; its plan does not read, or a value is none.
pub(super) fn checked(act: CampaignAct, heading: Heading) -> Result<Job, Unusable> {
    let (report, all) =
        (OutArgs { out: "assay-report".to_owned() }, ShareArgs { shard: "1/1".to_owned(), budget: None });
    let (act, store, share, out) = match act {
        CampaignAct::Run { plan, store, share } => {
            (Act::Run(Box::new(CampaignPlan::read(&plan)?)), store, share, report)
        }
        CampaignAct::Resume { store, share } => (Act::Resume, store, share, report),
        CampaignAct::Status { store, holes, branches } => {
            (Act::Status { holes, branches }, store, all, report)
        }
        CampaignAct::Merge { store, packs } => (Act::Merge(packs), store, all, report),
        CampaignAct::Repeat { store, share, out } => (Act::Repeat, store, share, out),
        CampaignAct::Export { store, out } => (Act::Export, store, all, out),
    };
    let bad =
        |error: NotAShard| Unusable::Usage(format!("--shard `{}`: {error}", share.shard.escape_debug()));
    Ok(Job::Campaign(Box::new(CampaignJob {
        act,
        store: store.store,
        shard: share.shard.parse().map_err(bad)?,
        budget: share.budget.as_deref().map(|text| span("--budget", text)).transpose()?,
        out: PathBuf::from(out.out),
        heading,
    })))
}
