//! Carries an experiment out and leaves its report: a table, numbers, and a picture.

use std::path::PathBuf;

use assay_reports::text::grouped;
use assay_reports::{WriteError, write_files};
use thiserror::Error;

use super::water_cache::{ExperimentError, Extent, WaterCache};
use super::{csv, plot, table};
use crate::interrupt::Stop;
use crate::progress::say;

/// The name of the table in a report directory.
const TABLE: &str = "water-cache.txt";
/// The name of the numbers.
const CSV: &str = "water-cache.csv";
/// The name of the picture.
const SVG: &str = "water-cache.svg";

/// An experiment that is decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimentPlan {
    /// How much of it.
    pub extent: Extent,
    /// Where the report goes.
    pub out: PathBuf,
}

/// An experiment without a report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// It could not be carried out.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The report could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Carries the experiment out, prints its table and writes the report, also of what was done before a stop.
///
/// Errors: [`ReportError`].
pub fn conduct(plan: &ExperimentPlan, stop: &Stop) -> Result<WaterCache, ReportError> {
    say(&heading(plan.extent));
    let result = WaterCache::carry_out(plan.extent, stop)?;
    let text = render_table(&result);
    say(&text);
    let text = format!("{}\n{text}", heading(plan.extent));
    let files = [(TABLE, text), (CSV, render_csv(&result)), (SVG, render_plot(&result))];
    write_files(&plan.out, &files)?;
    say(&format!("\nThe report is in {}.", plan.out.display()));
    Ok(result)
}

fn heading(extent: Extent) -> String {
    let (swipes, seed) = (grouped(extent.whole_benches()), extent.seed.0);
    format!("Experiment water-cache, {swipes} swipes for each line and point, seed {seed}")
}

/// The table, as it is printed below its heading.
pub fn render_table(result: &WaterCache) -> String {
    table::render(result)
}

/// The numbers, as comma-separated values.
pub fn render_csv(result: &WaterCache) -> String {
    csv::render(result)
}

/// The picture, as SVG.
pub fn render_plot(result: &WaterCache) -> String {
    plot::render(result)
}
