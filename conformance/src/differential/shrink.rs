//! The smallest plan on which two benches still disagree.

use assay_sim::fault::{FaultPlan, Strike};

/// Shrinks a plan as long as `disagrees` says so: first strikes are left out, many at a time and then one by one, then
/// each that is left is put to the first of the `simpler` ones that still does.
///
/// Why: what disagrees is a run, so a smaller plan is tried and never reasoned about. The result depends on the plan
/// alone, as long as `disagrees` does.
pub fn shrink(
    plan: &FaultPlan,
    simpler: impl Fn(&Strike) -> Vec<Strike>,
    mut disagrees: impl FnMut(&FaultPlan) -> bool,
) -> FaultPlan {
    let mut strikes = plan.strikes.clone();
    let mut size = strikes.len();
    while size > 0 {
        let mut at = 0;
        while at < strikes.len() {
            let mut fewer = strikes.clone();
            fewer.drain(at..(at + size).min(strikes.len()));
            if disagrees(&FaultPlan { strikes: fewer.clone() }) {
                strikes = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    for at in 0..strikes.len() {
        for candidate in simpler(&strikes[at]) {
            let mut other = strikes.clone();
            other[at] = candidate;
            if disagrees(&FaultPlan { strikes: other.clone() }) {
                strikes = other;
                break;
            }
        }
    }
    FaultPlan { strikes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_sim::fault::{Fate, Fault, Moment};
    use assay_sim::time::Span;

    fn delay(nth: u32, s: u64) -> Strike {
        Strike {
            site: format!("gprs-a> upload #{nth}").parse().unwrap(),
            moment: Moment::Before,
            fault: Fault::Fate(Fate::Delay { by: Span::s(s) }),
        }
    }

    fn simpler(strike: &Strike) -> Vec<Strike> {
        [5, 19, 21, 90]
            .into_iter()
            .map(|s| delay(strike.site.nth, s))
            .filter(|other| other.span() < strike.span())
            .collect()
    }

    #[test]
    fn strikes_that_do_not_matter_go_and_values_become_the_least_that_do() {
        let plan = FaultPlan { strikes: (1..=7).map(|nth| delay(nth, 90)).collect() };
        let matters = |plan: &FaultPlan| {
            let has = |nth: u32, s: u64| {
                plan.strikes.iter().any(|strike| strike.site.nth == nth && strike.span() >= Span::s(s))
            };
            has(3, 20) && has(6, 1)
        };
        let shrunk = shrink(&plan, simpler, matters);
        assert_eq!(shrunk.strikes, [delay(3, 21), delay(6, 5)]);
    }

    #[test]
    fn a_plan_that_does_not_matter_at_all_becomes_empty() {
        let plan = FaultPlan { strikes: vec![delay(1, 5), delay(2, 5)] };
        assert_eq!(shrink(&plan, simpler, |_| true), FaultPlan::default());
        assert_eq!(shrink(&plan, simpler, |tried| *tried == plan), plan);
    }
}
