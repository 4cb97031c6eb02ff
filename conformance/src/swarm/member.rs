//! One run of a swarm, as its seed decides it.

use std::collections::BTreeSet;

use assay_sim::fault::FaultPlan;
use assay_sim::seed::{Seed, Stream};

use super::weather::{Weather, section};
use super::{FAULTS_MAX, ranges};
use crate::case::Case;
use crate::explore::Space;
use crate::interrupt::Stop;
use crate::trial::{Design, Trial, TrialError};

/// One run of a swarm.
pub struct Member {
    /// The design, with the seed and the values drawn.
    pub design: Design,
    /// The case.
    pub trial: Trial,
    /// The faults: the case's own, those of the links, those drawn one by one.
    pub plan: FaultPlan,
    /// How many were drawn one by one.
    pub drawn: u64,
    /// What else was drawn, in words; nothing if all is as declared.
    pub words: Vec<String>,
}

impl Member {
    /// What a seed decides: the case among these, every draw in it, further terminals, values of the profile, what it
    /// is like on each link, how many faults strike one by one, and which.
    ///
    /// Errors: the case cannot be made ready.
    pub fn of(seed: u64, cases: &[Case], design: &Design, stop: &Stop) -> Result<Self, TrialError> {
        let mut design = Design { seed: Seed(seed), ..design.clone() };
        let mut draws = Seed(seed).stream("swarm");
        let mut pick = |len: usize| usize::try_from(draws.below(len as u64)).unwrap_or_default();
        let case = cases[pick(cases.len())];
        let drawn = pick(usize::try_from(FAULTS_MAX + 1).unwrap_or(1));
        let mut words = terminals(&case, &mut design)?;
        // A program of others is built with what is declared.
        if design.lockstep.is_none() {
            let over = &mut design.profile.overrides;
            let needs = case.needs();
            words.extend(ranges::draw(case.system, &needs, &mut Seed(seed).stream("swarm values"), over));
        }
        let weather = weather(&case, &mut design)?;
        let trial = Trial::new(case, &design)?;
        let mut plan = trial.own.clone();
        if drawn > 0 || !weather.is_empty() {
            let space = Space::of(&trial, stop);
            let longest = trial.domain().delays.iter().copied().max();
            for (section, name, weather) in weather {
                let mut draws = Seed(seed).stream(&format!("swarm links {section}"));
                let strikes = weather.within(longest).strikes(&section, &space.visits, &mut draws);
                words.push(format!("{name} on {section} with {} faults", strikes.len()));
                plan.strikes.extend(strikes);
            }
            let one = |_| space.strikes.get(pick(space.strikes.len())).cloned();
            plan.strikes.extend((0..drawn).filter_map(one));
        }
        Ok(Self { design, trial, plan, drawn: drawn as u64, words })
    }
}

/// Draws whether there are more terminals than the case asks for.
fn terminals(case: &Case, design: &mut Design) -> Result<Vec<String>, TrialError> {
    let more = design.seed.stream("swarm terminals").below(8);
    // In one run of four there are one or two more.
    if !(1..=2).contains(&more) || design.terminals.is_some() {
        return Ok(Vec::new());
    }
    let all = Trial::new(*case, design)?.terminals() + usize::try_from(more).unwrap_or(0);
    design.terminals = Some(all);
    Ok(vec![format!("{all} terminals")])
}

/// Draws what it is like on the links of each section, and puts what that changes over the profile.
fn weather(case: &Case, design: &mut Design) -> Result<Vec<(String, &'static str, Weather)>, TrialError> {
    let wiring = Trial::new(*case, design)?.wiring().unwrap_or_default();
    let sections: BTreeSet<&str> = wiring.links.keys().map(|link| section(link)).collect();
    let (profile, _) = case.declared(&design.profile);
    let mut found = Vec::new();
    for name in sections {
        let mut draws: Stream = design.seed.stream(&format!("swarm weather {name}"));
        let fitting =
            Weather::all().iter().filter(|(_, weather)| weather.lies_on.iter().any(|on| on == name));
        let mut fitting: Vec<(&'static str, Weather)> = fitting.cloned().collect();
        // In half of the runs it is as declared.
        let at = usize::try_from(draws.below(2 * fitting.len().max(1) as u64)).unwrap_or(0);
        if at < fitting.len() {
            let (called, weather) = fitting.swap_remove(at);
            weather.put_over(name, &profile, &mut design.profile.overrides);
            found.push((name.to_owned(), called, weather));
        }
    }
    Ok(found)
}
