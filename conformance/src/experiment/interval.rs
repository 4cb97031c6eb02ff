//! What a count of rare events says about their rate: exact intervals after Clopper and Pearson.

#![expect(clippy::float_arithmetic, reason = "statistics")]

use statrs::function::beta::beta_reg;

use super::disturbance::MILLION;

/// The confidence of every interval.
const CONFIDENCE: f64 = 0.95;
/// How often a bracket is halved: enough for every digit that a float has.
const HALVINGS: u32 = 80;

/// Where a rate lies, with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its least value.
    pub low: f64,
    /// Its greatest.
    pub high: f64,
}

/// The exact interval of a rate of which `count` of `of` trials were seen; one-sided if there was none.
///
/// Why: without an event there is no lower end to share the doubt with; 0 of n then reads as the rule of three, 3 / n.
pub fn interval(count: u64, of: u64) -> Interval {
    if count == 0 {
        return Interval { low: 0.0, high: upper(0, of, 1.0 - CONFIDENCE) };
    }
    two_sided(count, of)
}

/// The two-sided interval, also of a count of none.
pub fn two_sided(count: u64, of: u64) -> Interval {
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Interval { low: lower(count, of, tail), high: upper(count, of, tail) }
}

/// The rate at which `count` or more are seen with this probability.
fn lower(count: u64, of: u64, tail: f64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let (a, b) = (float(count), float(of - count) + 1.0);
    solve(|rate| beta_reg(a, b, rate) < tail)
}

/// The rate at which `count` or fewer are seen with this probability.
fn upper(count: u64, of: u64, tail: f64) -> f64 {
    if count >= of {
        return 1.0;
    }
    let (a, b) = (float(count) + 1.0, float(of - count));
    solve(|rate| beta_reg(a, b, rate) < 1.0 - tail)
}

/// The greatest rate of which this holds, if it holds of all below.
fn solve(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// A count as a float.
///
/// Why: counts here are far below 2^53, so none loses a digit.
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// Millionths as a fraction of one.
pub fn millionths(part: u32) -> f64 {
    f64::from(part) / f64::from(MILLION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_near(is: f64, meant: f64) {
        assert!((is - meant).abs() <= 1e-9_f64.max(meant * 1e-6), "{is} is not {meant}");
    }

    /// From sums of binomial terms in exact rational arithmetic, halved to 15 digits.
    #[test]
    fn intervals_are_those_of_exact_sums() {
        for (count, of, low, high) in [
            (8, 1_000, 3.459976165e-3, 1.570204918e-2),
            (2, 2_000, 1.211275906e-4, 3.607628570e-3),
            (0, 100_000, 0.0, 3.688811416e-5),
            (800, 100_000, 7.457167960e-3, 8.571652143e-3),
            (5, 10, 1.870860284e-1, 8.129139716e-1),
        ] {
            let found = two_sided(count, of);
            assert_near(found.low, low);
            assert_near(found.high, high);
        }
    }

    #[test]
    fn none_seen_has_the_bound_of_the_rule_of_three() {
        // 1 - 0.05^(1/n).
        assert_near(interval(0, 100_000).high, 2.995_687_4e-5);
        assert_near(interval(0, 1_000).high, 2.991_249_5e-3);
        assert_near(interval(0, 1).high, 0.95);
        assert_near(interval(0, 100_000).low, 0.0);
    }

    #[test]
    fn all_seen_ends_at_one() {
        assert_near(interval(10, 10).high, 1.0);
        // 0.025^(1/10).
        assert_near(interval(10, 10).low, 0.691_502_9);
    }
}
