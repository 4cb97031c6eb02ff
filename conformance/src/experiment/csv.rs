//! The result as numbers for other programs.

use std::fmt::Write as _;

use super::disturbance::Cuts;
use super::interval::{float, interval, millionths};
use super::sample::Measured;
use super::water_cache::{SEEN_CACHED, SEEN_UNCACHED, Seen, WaterCache};
use super::words::answer_loss;

/// The names of the columns.
///
/// Shape: rates and shares as fractions of one; a value that there is not is empty; `high95` of a count of none is
/// one-sided.
pub const HEAD: &str = "series,design,cuts,window_share,leg_loss,answer_loss,swipes,credited,no_answer,power_cuts,\
                        in_doubt,out_of_step,rate,low95,high95";

/// All rows, a line each: what the source saw, the designs side by side, and the curve.
pub(super) fn render(result: &WaterCache) -> String {
    let mut text = format!("{HEAD}\n");
    for (design, seen) in [("uncached", SEEN_UNCACHED), ("published", SEEN_CACHED)] {
        let Seen { count, of } = seen;
        let _ = writeln!(text, "source,{design},,,,,{of},,,,,{count},{}", rates(count, of));
    }
    for (series, measured) in [("designs", &result.rows), ("curve", &result.curve)] {
        for row in measured {
            let _ = writeln!(text, "{series},{}", line(row));
        }
    }
    text
}

fn line(row: &Measured) -> String {
    let (cuts, share) = match row.setting.cuts {
        Cuts::Window(share) => ("window", format!("{:.6}", millionths(share))),
        Cuts::AtCard => ("at-card", String::new()),
    };
    let (policy, leg, tally) = (row.policy, row.setting.leg_loss, &row.tally);
    format!(
        "{policy},{cuts},{share},{:.6},{:.6},{},{},{},{},{},{},{}",
        millionths(leg),
        answer_loss(leg),
        tally.swipes,
        tally.credited,
        tally.losses,
        tally.cuts,
        tally.in_doubt,
        tally.out_of_step,
        rates(tally.out_of_step, tally.swipes)
    )
}

/// The rate with its interval; nothing of no swipes.
#[expect(clippy::float_arithmetic, reason = "statistics")]
fn rates(count: u64, of: u64) -> String {
    if of == 0 {
        return ",,".to_owned();
    }
    let ends = interval(count, of);
    format!("{:.8},{:.8},{:.8}", float(count) / float(of), ends.low, ends.high)
}
