//! What a campaign has to reach before its passing means anything: requirements in a position to fail, and branches of
//! the models.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use assay_sim::policy::PolicyName;
use serde::Deserialize;

use super::plan::CampaignPlan;

/// The branches that a campaign over a case has to reach.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseBranches {
    /// The case.
    pub case: String,
    /// The branches.
    pub branches: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    must_reach: Vec<CaseBranches>,
}

static BRANCHES: LazyLock<Vec<CaseBranches>> = LazyLock::new(|| {
    toml::from_str::<File>(include_str!("../../../fixtures/spec/branches.toml"))
        .map(|file| file.must_reach)
        .expect("the built-in branches read")
});

/// The branches listed, by case.
pub fn listed() -> &'static [CaseBranches] {
    &BRANCHES
}

/// What a campaign has to reach and has not, in words; `reached` has each mark with its kind.
///
/// Why: branches are those of the reference; another design goes other ways.
pub fn unreached(plan: &CampaignPlan, reached: &[(String, String)]) -> Vec<String> {
    let has = |kind: &str, name: &str| reached.iter().any(|(other, mark)| other == kind && mark == name);
    let shown: BTreeSet<&str> = plan.cases.iter().flat_map(|case| case.shows).copied().collect();
    let judged = shown.into_iter().filter(|id| !has("judged", id)).map(|id| format!("{id} judged"));
    let of_reference = plan.design.policy == PolicyName::Hardened && plan.design.mutant.is_none();
    let named = |list: &&CaseBranches| plan.cases.iter().any(|case| case.id == list.case);
    let branches: BTreeSet<&String> =
        listed().iter().filter(named).filter(|_| of_reference).flat_map(|list| &list.branches).collect();
    let missed = branches.into_iter().filter(|name| !has("branch", name));
    judged.chain(missed.map(|name| format!("the branch {name}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite;

    #[test]
    fn branches_are_listed_for_explored_cases_only() {
        let cases = suite::cases();
        for list in listed() {
            let case =
                cases.iter().find(|case| case.id == list.case).unwrap_or_else(|| panic!("{}", list.case));
            assert!(case.explored && !list.branches.is_empty(), "{}", list.case);
        }
    }

    #[test]
    fn what_is_not_reached_is_named() {
        let text =
            "assay-campaign = 1\nsystem = \"water\"\nkind = \"explore\"\ncases = [\"water/topup/clean\"]\n";
        let plan = CampaignPlan::kept("plan", text, "", "").unwrap();
        let listed = listed().iter().find(|list| list.case == "water/topup/clean").unwrap();
        let mut reached: Vec<(String, String)> =
            listed.branches.iter().map(|name| ("branch".to_owned(), name.clone())).collect();
        reached.extend(plan.cases[0].shows.iter().map(|id| ("judged".to_owned(), (*id).to_owned())));
        assert_eq!(unreached(&plan, &reached), Vec::<String>::new());
        let (_, judged) = reached.pop().unwrap();
        let (_, branch) = reached.remove(0);
        assert_eq!(unreached(&plan, &reached), [format!("{judged} judged"), format!("the branch {branch}")]);
    }
}
