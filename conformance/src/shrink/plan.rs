//! The smallest plan of which something still holds, whatever that is.

use assay_sim::fault::{FaultPlan, Strike};

/// Shrinks a plan as long as `holds` says so: strikes are left out, many at a time and then one by one, until none can
/// be spared; then each that is left is put to the first of the `simpler` ones that will do, which may let others be
/// spared, and so on until nothing changes.
///
/// Why: what holds of a run is tried and never reasoned about. The result depends on the plan alone, as long as `holds`
/// does. Every replacement is one of `simpler`, which has to lead downwards, so that it comes to an end.
pub fn shrink(
    plan: &FaultPlan,
    simpler: impl Fn(&Strike) -> Vec<Strike>,
    mut holds: impl FnMut(&FaultPlan) -> bool,
) -> FaultPlan {
    let mut strikes = plan.strikes.clone();
    loop {
        spare(&mut strikes, &mut holds);
        if !simplify(&mut strikes, &simpler, &mut holds) {
            return FaultPlan { strikes };
        }
    }
}

/// Leaves out what can be spared, until no single strike can.
fn spare(strikes: &mut Vec<Strike>, holds: &mut impl FnMut(&FaultPlan) -> bool) {
    let mut size = strikes.len();
    while size > 0 {
        let (mut at, mut spared) = (0, false);
        while at < strikes.len() {
            let mut fewer = strikes.clone();
            fewer.drain(at..(at + size).min(strikes.len()));
            if holds(&FaultPlan { strikes: fewer.clone() }) {
                *strikes = fewer;
                spared = true;
            } else {
                at += size;
            }
        }
        // What is spared late may be what made something before it necessary.
        if size > 1 || !spared {
            size /= 2;
        }
    }
}

/// Puts each strike to the first simpler one that will do; whether any was.
fn simplify(
    strikes: &mut Vec<Strike>,
    simpler: &impl Fn(&Strike) -> Vec<Strike>,
    holds: &mut impl FnMut(&FaultPlan) -> bool,
) -> bool {
    let mut changed = false;
    for at in 0..strikes.len() {
        for candidate in simpler(&strikes[at]) {
            let mut other = strikes.clone();
            other[at] = candidate;
            if holds(&FaultPlan { strikes: other.clone() }) {
                *strikes = other;
                changed = true;
                break;
            }
        }
    }
    changed
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
    fn a_strike_that_only_another_makes_necessary_goes_with_it() {
        let plan = FaultPlan { strikes: vec![delay(1, 90), delay(2, 90), delay(3, 90)] };
        let has = |plan: &FaultPlan, nth| plan.strikes.iter().any(|strike| strike.site.nth == nth);
        // The first undoes what the second does.
        let matters = |plan: &FaultPlan| has(plan, 3) && (has(plan, 1) || !has(plan, 2));
        assert_eq!(shrink(&plan, |_| Vec::new(), matters).strikes, [delay(3, 90)]);
    }

    #[test]
    fn a_plan_that_does_not_matter_at_all_becomes_empty() {
        let plan = FaultPlan { strikes: vec![delay(1, 5), delay(2, 5)] };
        assert_eq!(shrink(&plan, simpler, |_| true), FaultPlan::default());
        assert_eq!(shrink(&plan, simpler, |tried| *tried == plan), plan);
    }
}
