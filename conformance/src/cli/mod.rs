//! The command line of the tool `assay`.

mod args;
mod campaign;
mod evidence;
mod job;
mod listing;
mod margins;
mod product;
mod reports;
mod rerun;
mod seats;
mod serve;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use assay_reports::{RunRecord, exit_code};
use clap::Parser;

use crate::campaign::CampaignError;
use crate::experiment::water_cache::WaterCache;
use crate::experiment::{self, ReportError};
use crate::interrupt::Stop;
use crate::panics;
use crate::progress::{say, say_error, set_telling};
use crate::run::OutputError;
use crate::serve::ServeError;
use crate::serve::payments::{self, PaymentsError};
use crate::twice::{self, Comparison};
use crate::{certify, matrix, redact, run};

pub use args::{Cli, Command, Listing};
pub use job::{Job, Unusable};

/// The tool, from its arguments to its exit code. It reads no environment.
pub fn main() -> ExitCode {
    panics::quiet();
    let code = panics::caught(|| start(std::env::args_os().collect())).unwrap_or_else(|message| {
        say_error(&format!("this should not have happened, please report it: {message}"));
        exit_code::UNEXPECTED
    });
    ExitCode::from(code)
}

fn start(words: Vec<OsString>) -> u8 {
    let command: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let _ = io::stderr().write_all(error.render().to_string().as_bytes());
            return exit_code::USAGE;
        }
        Err(help) => {
            say(&help.render().to_string());
            return exit_code::OK;
        }
    };
    set_telling(cli.telling.into());
    let plain = cli.telling.show_card_numbers;
    // The date is read here and nowhere else.
    let started = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let job = match Job::check(cli, called(command), started) {
        Ok(job) => job,
        Err(error) => {
            error.to_string().lines().for_each(say_error);
            return match error {
                Unusable::Usage(_) | Unusable::File(_) => exit_code::USAGE,
                Unusable::Nothing(_) => exit_code::NOTHING_SELECTED,
            };
        }
    };
    redact::set_telling(evidence::card_numbers(plain, &job));
    let stop = Stop::on_ctrl_c().unwrap_or_default();
    carry_out(job, &stop)
}

/// The command line as it would be typed, whatever path the program was called by.
fn called(mut command: Vec<String>) -> Vec<String> {
    if let Some(program) = command.first_mut() {
        "assay".clone_into(program);
    }
    command
}

fn carry_out(job: Job, stop: &Stop) -> u8 {
    match job {
        Job::Run(plan) => ended(run::run(&plan, stop)),
        Job::Explore { plan, budget } => {
            let stop = budget.map_or_else(|| stop.clone(), |budget| stop.within(budget));
            ended(run::explore(&plan, &stop))
        }
        Job::Campaign(job) => job.carry_out(stop).unwrap_or_else(|error| {
            say_error(&error.to_string());
            error.exit_code()
        }),
        Job::Certify(plan) => ended(certify::certify(&plan, stop)),
        Job::Swarm(plan) => ended(crate::swarm::swarm(&plan, stop)),
        Job::Sites(batches) => {
            for batch in &batches {
                say(&listing::render_sites(batch, stop));
            }
            exit_code::OK
        }
        Job::Replay(plan) => rerun::replay(*plan, stop),
        Job::Shrink { replay, file, requirement, out } => {
            rerun::shrink(&replay, &file, requirement.as_deref(), out.as_deref(), stop)
        }
        Job::Mutants(plan) => ended(matrix::mutants(&plan, stop)),
        Job::Margins(plan) => ended(crate::margins::margins(&plan, stop)),
        Job::Twice(arguments) => compare(&arguments, stop),
        Job::Tapes(batch) => {
            let printed = twice::print_runs(&batch.cases, &batch.design, &mut io::stdout().lock(), stop);
            printed.map_or(exit_code::UNEXPECTED, |()| exit_code::OK)
        }
        Job::Experiment(plan) => conducted(experiment::conduct(&plan, stop)),
        Job::Serve(plan) => match crate::serve::serve(&plan, stop) {
            Ok(()) => exit_code::OK,
            Err(error) => {
                say_error(&error.to_string());
                if matches!(error, ServeError::Ports(_)) { exit_code::BROKEN } else { exit_code::USAGE }
            }
        },
        Job::ServePayments(plan) => match payments::serve(&plan, stop) {
            Ok(()) => exit_code::OK,
            Err(error) => {
                say_error(&error.to_string());
                if matches!(error, PaymentsError::Serving(_)) { exit_code::BROKEN } else { exit_code::USAGE }
            }
        },
        Job::Ports => ports(),
        Job::Diff(args) => reports::diff(&args),
        Job::Report(args) => reports::report(&args),
        Job::Verify(args) => evidence::check_seal(args, stop),
        Job::Check(plan) => evidence::check(&plan),
        Job::Keys(args) => evidence::keys(&args),
        Job::Completions(shell) => reports::completions(shell),
        Job::List(what, systems) => {
            say(&listing::render(what, &systems, stop));
            exit_code::OK
        }
    }
}

fn ports() -> u8 {
    match assay_hil::serial::render_ports() {
        Ok(ports) if ports.is_empty() => {
            say("This computer has no serial ports.");
            exit_code::OK
        }
        Ok(ports) => {
            say(&ports.join("\n"));
            exit_code::OK
        }
        Err(error) => {
            say_error(&error.to_string());
            exit_code::BROKEN
        }
    }
}

fn ended(result: Result<RunRecord, OutputError>) -> u8 {
    match result {
        Ok(record) => record.exit_code(),
        Err(error) => {
            say_error(&error.to_string());
            CampaignError::from(error).exit_code()
        }
    }
}

/// A design of the source may fail, which is what is measured; the reference may not.
fn conducted(result: Result<WaterCache, ReportError>) -> u8 {
    match result {
        Ok(result) if result.reference_failed() => exit_code::FAIL,
        Ok(result) if !result.complete || result.leg_loss.is_none() => exit_code::INCONCLUSIVE,
        Ok(_) => exit_code::OK,
        Err(error) => {
            say_error(&error.to_string());
            match error {
                ReportError::Experiment(_) => exit_code::BROKEN,
                ReportError::Write(_) => exit_code::USAGE,
            }
        }
    }
}

fn compare(arguments: &[String], stop: &Stop) -> u8 {
    let compared = twice::twice(arguments);
    if stop.interrupted() {
        say_error("interrupted before the two runs could be compared to their end");
        return exit_code::INCONCLUSIVE;
    }
    match compared {
        Ok(comparison) => {
            say(&twice::render(&comparison));
            match comparison {
                Comparison::Same { .. } => exit_code::OK,
                Comparison::Differs { .. } => exit_code::NOT_DETERMINISTIC,
            }
        }
        Err(error) => {
            say_error(&error.to_string());
            exit_code::UNEXPECTED
        }
    }
}
