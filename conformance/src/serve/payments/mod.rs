//! `assay serve payments`: the payment platforms at real addresses, for programs that call them.

mod settings;
mod signed;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use assay_hil::payments::{Serving, ServingError, run};
use assay_sim::payments::{Backend, Plan, PlanError, Profile};
use assay_sim::time::Wall;
use thiserror::Error;

use crate::interrupt::Stop;
use crate::progress::say;

use settings::Settings;
pub use settings::SettingsError;

/// The platforms, and where they are served.
#[derive(Clone, Debug)]
pub struct PaymentsPlan {
    /// Their address for HTTP.
    pub http: SocketAddr,
    /// Their address for HTTP over TLS.
    pub https: Option<SocketAddr>,
    /// The directory with the settings, keys and certificates; made with new ones if there are none.
    pub dir: PathBuf,
    /// The plan of misbehaviour.
    pub misbehaviour: Option<PathBuf>,
    /// How many times as fast as the clock their time passes.
    pub time_scale: u32,
}

/// Platforms that cannot be served.
#[derive(Debug, Error)]
pub enum PaymentsError {
    /// The settings, keys or certificates.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The plan cannot be read.
    #[error("--plan {0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// The plan does not fit.
    #[error("--plan {0}: {1}")]
    Plan(PathBuf, PlanError),
    /// They cannot be reached where they should be.
    #[error(transparent)]
    Serving(#[from] ServingError),
}

/// Serves the platforms until it is told to stop.
///
/// Errors: [`PaymentsError`].
pub fn serve(plan: &PaymentsPlan, stop: &Stop) -> Result<(), PaymentsError> {
    let settings = Settings::at(&plan.dir)?;
    let misbehaviour = match &plan.misbehaviour {
        Some(file) => misbehaviour(file)?,
        None => Plan::default(),
    };
    let profile = Profile::load(&settings.profile)
        .map_err(|error| SettingsError::of(&plan.dir, format!("`profile`: {error}")))?;
    let mut backend = Backend::new(profile, settings.faces(&plan.dir)?, misbehaviour);
    settings.enter_payers(&mut backend);
    let https = plan.https.map(|at| settings::secured(&plan.dir).map(|keys| (at, keys))).transpose()?;
    let dir = plan.dir.clone();
    let ready = move |http: Option<SocketAddr>, https: Option<SocketAddr>| announce(&dir, http, https);
    let wall = Wall::from_us(jiff::Timestamp::now().as_microsecond());
    let http = Some(plan.http);
    run(Serving { backend, http, https, time_scale: plan.time_scale, wall }, ready, || stop.due())?;
    Ok(())
}

fn misbehaviour(file: &Path) -> Result<Plan, PaymentsError> {
    let text = fs::read_to_string(file).map_err(|error| PaymentsError::Unreadable(file.to_owned(), error))?;
    Plan::read(&text).map_err(|error| PaymentsError::Plan(file.to_owned(), error))
}

fn announce(dir: &Path, http: Option<SocketAddr>, https: Option<SocketAddr>) {
    if let Some(at) = http {
        say(&format!("http   http://{at}\ndesk   http://{at}/assay/"));
    }
    if let Some(at) = https {
        say(&format!("https  https://{at}, trusted with {}", dir.join(settings::AUTHORITY).display()));
    }
    say(&format!("keys   {}\nready", dir.join(settings::FILE).display()));
}
