//! What caching results is worth: a paper's experiment with the prepaid water card, done again.
//!
//! Source: the water system's source document, which swiped 1,000 times without and 2,000 times with its cache.

use assay_sim::policy::PolicyName;
use assay_sim::profile::ProfileError;
use assay_sim::seed::Seed;
use assay_sim::water::profile::Profile;
use thiserror::Error;

use super::disturbance::{Cuts, MILLION, Setting};
use super::interval::{interval, millionths};
use super::sample::{Measured, SWIPES_A_BENCH, Sample, SampleError, Tally};
use crate::interrupt::Stop;

/// The fewest swipes: as many as the source's own.
pub const SWIPES_MIN: u64 = 1_000;
/// The most swipes.
pub const SWIPES_MAX: u64 = 10_000_000;

/// What the source saw: swipes out of step, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Out of step.
    pub count: u64,
    /// Of so many.
    pub of: u64,
}

impl Seen {
    /// The rate.
    ///
    /// Units: millionths.
    pub fn rate(self) -> u32 {
        u32::try_from(self.count * u64::from(MILLION) / self.of).unwrap_or(MILLION)
    }
}

/// Without a cache: 0.8 %.
pub const SEEN_UNCACHED: Seen = Seen { count: 8, of: 1_000 };
/// With the paper's cache: 0.1 %.
pub const SEEN_CACHED: Seen = Seen { count: 2, of: 2_000 };
/// The ends of the exact 95 % interval of what was seen with the cache.
///
/// Units: millionths, rounded; a test holds them to the interval.
pub const SEEN_CACHED_ENDS: [u32; 2] = [121, 3_608];

/// From one point of the curve to the next.
///
/// Units: millionths.
const CURVE_STEP: u32 = 50_000;
/// How exactly a crossing is found.
///
/// Units: millionths.
const CROSSING_STEP: u32 = 1_000;

/// The designs, in the order in which they are measured.
const DESIGNS: [PolicyName; 3] = [PolicyName::Uncached, PolicyName::Published, PolicyName::Hardened];
/// At how many settings they are laid side by side: no cut in the window, as many as the source's rate takes, every
/// cut in it, and cuts at the card.
const SETTINGS: usize = 4;

/// An experiment that cannot be carried out: ours.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ExperimentError {
    /// The built-in profile does not read.
    #[error("the built-in profile: {0}")]
    Profile(#[from] ProfileError),
    /// A bench could not be run.
    #[error(transparent)]
    Sample(#[from] SampleError),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// At least so many swipes for each design at each setting.
    pub swipes: u64,
    /// What decides every draw.
    pub seed: Seed,
}

impl Extent {
    /// How many swipes whole benches make of it.
    pub const fn whole_benches(&self) -> u64 {
        self.swipes.div_ceil(SWIPES_A_BENCH) * SWIPES_A_BENCH
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct WaterCache {
    /// What was to be done.
    pub extent: Extent,
    /// How long a terminal waits for an answer.
    pub answer_timeout_s: u64,
    /// How often a way of an exchange dies, once fitted.
    ///
    /// Units: millionths.
    pub leg_loss: Option<u32>,
    /// Where `published` comes to the source's rate and to the ends of its interval, once looked for.
    pub crossings: Option<Crossings>,
    /// `published` over the share of cuts in the window.
    pub curve: Vec<Measured>,
    /// Every design at the settings that are compared.
    pub rows: Vec<Measured>,
    /// How many rows and points there are when everything is done.
    pub planned: usize,
    /// Whether everything was done.
    pub complete: bool,
}

/// Shares of cuts in the window at which a curve comes to a rate; `None` where it comes to it at none.
///
/// Units: millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crossings {
    /// To the rate that the source saw with its cache.
    pub seen: Option<u32>,
    /// The first and the last share whose own interval holds that rate.
    pub seen_ends: [Option<u32>; 2],
    /// To the lower end of its interval.
    pub low: Option<u32>,
    /// To the upper end.
    pub high: Option<u32>,
}

/// Why a measurement ended early: a stop, which leaves what there is, or an error.
enum Halt {
    Stopped,
    Error(ExperimentError),
}

impl From<SampleError> for Halt {
    fn from(error: SampleError) -> Self {
        Self::Error(error.into())
    }
}

impl WaterCache {
    /// Carries the experiment out; stopped, it leaves what was measured until then.
    ///
    /// Errors: [`ExperimentError`].
    pub fn carry_out(extent: Extent, stop: &Stop) -> Result<Self, ExperimentError> {
        let profile = Profile::built_in()?;
        let shares = (0..=MILLION).step_by(CURVE_STEP as usize);
        let mut result = Self {
            extent,
            answer_timeout_s: profile.terminal.answer_timeout.as_ms() / 1_000,
            leg_loss: None,
            crossings: None,
            curve: Vec::new(),
            rows: Vec::new(),
            planned: shares.clone().count() + SETTINGS * DESIGNS.len(),
            complete: false,
        };
        let sample = |policy| Sample::new(&profile, policy, extent.seed, extent.swipes);
        let mut samples = DESIGNS.map(sample);
        match result.measure(&mut samples, shares, stop) {
            Ok(()) => result.complete = true,
            Err(Halt::Stopped) => {}
            Err(Halt::Error(error)) => return Err(error),
        }
        Ok(result)
    }

    fn measure(
        &mut self,
        samples: &mut [Sample<'_>; 3],
        shares: impl Iterator<Item = u32>,
        stop: &Stop,
    ) -> Result<(), Halt> {
        let loss = fit(&mut samples[0], stop)?;
        self.leg_loss = loss;
        let Some(leg_loss) = loss else { return Ok(()) };
        let window = |share| Setting { leg_loss, cuts: Cuts::Window(share) };
        let published = &mut samples[1];
        let mut crossing = |reached: &dyn Fn(&Tally) -> bool| {
            let what = "benches of published, for where it meets a rate";
            let measure = |share| whole(published.measure(window(share), what, stop)?);
            first_reaching([0, MILLION], CROSSING_STEP, reached, measure)
        };
        let (rate, [low, high]) = (SEEN_CACHED.rate(), SEEN_CACHED_ENDS);
        let ends = |tally: &Tally| interval(tally.out_of_step, tally.swipes);
        let crossings = Crossings {
            seen: crossing(&|tally| tally.reaches(rate))?,
            seen_ends: [
                crossing(&|tally| ends(tally).high >= millionths(rate))?,
                crossing(&|tally| ends(tally).low >= millionths(rate))?,
            ],
            low: crossing(&|tally| tally.reaches(low))?,
            high: crossing(&|tally| tally.reaches(high))?,
        };
        self.crossings = Some(crossings);
        let mut settings: Vec<Setting> =
            [Some(0), crossings.seen, Some(MILLION)].into_iter().flatten().map(window).collect();
        settings.dedup();
        settings.push(Setting { leg_loss, cuts: Cuts::AtCard });
        self.planned -= (SETTINGS - settings.len()) * samples.len();
        for sample in samples.iter_mut() {
            for setting in &settings {
                let what = format!("benches of {}", sample.policy());
                let measured = sample.measure(*setting, &what, stop)?;
                self.rows.push(measured.clone());
                whole(measured)?;
            }
        }
        for share in shares {
            let measured = samples[1].measure(window(share), "benches of published, for its curve", stop)?;
            self.curve.push(measured.clone());
            whole(measured)?;
        }
        Ok(())
    }

    /// The rows of one design.
    pub fn rows_of(&self, policy: PolicyName) -> impl Iterator<Item = &Measured> {
        self.rows.iter().filter(move |row| row.policy == policy)
    }

    /// Whether the reference design was found out of step without anybody knowing.
    pub fn reference_failed(&self) -> bool {
        self.rows_of(PolicyName::Hardened).any(|row| row.tally.out_of_step > 0)
    }
}

/// A measurement over every bench, or a stop.
fn whole(measured: Measured) -> Result<Tally, Halt> {
    if measured.complete { Ok(measured.tally) } else { Err(Halt::Stopped) }
}

/// The loss at which the design without a cache is out of step as often as the source saw; `None` if at none.
///
/// No cut falls in the window here; the design has nothing to lose there that it would not lose anyway, which its rows
/// at other shares show.
fn fit(uncached: &mut Sample<'_>, stop: &Stop) -> Result<Option<u32>, Halt> {
    let rate = SEEN_UNCACHED.rate();
    let mut measure = |leg_loss| {
        let setting = Setting { leg_loss, cuts: Cuts::Window(0) };
        whole(uncached.measure(setting, "benches of uncached, to fit the loss", stop)?)
    };
    let (mut low, mut high) = (0, rate);
    while !measure(high)?.reaches(rate) {
        if high >= MILLION {
            return Ok(None);
        }
        (low, high) = (high, high.saturating_mul(2).min(MILLION));
    }
    first_reaching([low, high], 1, &|tally| tally.reaches(rate), measure)
}

/// The least parameter between these two, to within a step, at which a rate is reached, by halving.
///
/// Why: a draw that disturbs at one parameter disturbs at every higher one, so the rate only grows.
fn first_reaching(
    [mut low, mut high]: [u32; 2],
    step: u32,
    reached: &dyn Fn(&Tally) -> bool,
    mut measure: impl FnMut(u32) -> Result<Tally, Halt>,
) -> Result<Option<u32>, Halt> {
    if low == 0 && reached(&measure(low)?) {
        return Ok(Some(low));
    }
    if !reached(&measure(high)?) {
        return Ok(None);
    }
    while high - low > step {
        let middle = (low + (high - low) / 2) / step * step;
        let middle = middle.max(low + 1);
        if reached(&measure(middle)?) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::interval::two_sided;

    #[test]
    fn the_sources_interval_is_that_of_its_counts() {
        assert_eq!((SEEN_UNCACHED.rate(), SEEN_CACHED.rate()), (8_000, 1_000));
        let interval = two_sided(SEEN_CACHED.count, SEEN_CACHED.of);
        let [low, high] = SEEN_CACHED_ENDS.map(|end| f64::from(end) / 1e6);
        assert!((interval.low - low).abs() < 5e-7 && (interval.high - high).abs() < 5e-7, "{interval:?}");
    }

    /// A made-up curve: one more of a thousand for each thousandth.
    fn line(parameter: u32) -> Result<Tally, Halt> {
        Ok(Tally { swipes: 1_000, out_of_step: u64::from(parameter / 1_000), ..Tally::default() })
    }

    #[test]
    fn a_crossing_is_the_first_step_that_reaches_the_rate() {
        let found = |bracket, step, rate| {
            first_reaching(bracket, step, &|tally: &Tally| tally.reaches(rate), line).ok().flatten()
        };
        assert_eq!(found([0, MILLION], 1, 8_000), Some(8_000));
        assert_eq!(found([0, MILLION], 1, 7_001), Some(8_000));
        assert_eq!(found([0, MILLION], 1_000, 8_000), Some(8_000));
        assert_eq!(found([0, MILLION], 1, 0), Some(0));
        assert_eq!(found([0, 7_999], 1, 8_000), None);
        assert_eq!(found([0, 8_000], 1, 8_000), Some(8_000));
    }

    #[test]
    fn swipes_come_in_whole_benches() {
        let swipes = |swipes| Extent { swipes, seed: Seed(0) }.whole_benches();
        assert_eq!((swipes(1_000), swipes(1_001)), (1_000, 1_050));
    }
}
