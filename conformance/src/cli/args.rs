//! The command line as it is written, before anything in it has been looked up.

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::evidence::{CheckArgs, KeysArgs, SealArgs, VerifyArgs};
use super::margins::MarginsArgs;
use super::serve::ServeArgs;
use crate::certify::JOBS_MAX;
use crate::experiment::water_cache::{SWIPES_MAX, SWIPES_MIN};
use crate::progress::{Detail, Telling};
use crate::swarm::SEED_MAX;

/// Conformance suite for payment terminals: virtual terminals, modems, cards and servers under every fault.
///
/// Exit codes: 0 passed, 2 usage, 4 nothing selected, 100 failed, 101 inconclusive, 102 broken, 103 stale waiver,
/// 105 not deterministic, 1 unexpected.
#[derive(Debug, Parser)]
#[command(name = "assay", version, color = clap::ColorChoice::Never, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How results are told.
    #[command(flatten)]
    pub telling: TellingArgs,
}

/// How results are told.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct TellingArgs {
    /// Print only what a run came to.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print every case and every failure, however many there are.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// How a run's results are printed: `json` prints its record and nothing else.
    #[arg(long, global = true, value_enum, default_value_t = Form::Text, value_name = "FORM")]
    pub format: Form,
    /// Tell card numbers and payment codes as they are, and not by pseudonyms.
    #[arg(long, global = true)]
    pub show_card_numbers: bool,
}

/// The form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// The record, as in `run.json`.
    Json,
}

impl From<TellingArgs> for Telling {
    fn from(TellingArgs { quiet, verbose, format, show_card_numbers: _ }: TellingArgs) -> Self {
        let detail = match (quiet, verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Normal,
        };
        Self { detail, json: format == Form::Json }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run cases and write a report.
    ///
    /// Without arguments every case of every system runs against the reference design, on the tabletop and in the
    /// world, and a drawn sample of faults strikes in the world. A design with flaws is explored as well: a few faults
    /// of every kind strike at every place that an explored case goes through.
    Run(RunArgs),
    /// Strike every fault at every site, one a run.
    Explore(ExploreArgs),
    /// Make very many runs, shared out and kept in a store, so that any batch system can make them.
    Campaign(CampaignArgs),
    /// Put a product through everything that a rig can do with it, and leave a certificate.
    ///
    /// The rig checks itself; every case that is for the product runs; single faults strike what crosses its real
    /// links; ordinary traffic soaks it. A failure is run again with the same plan, its rate is told, and it stays a
    /// failure.
    Certify(CertifyArgs),
    /// Make runs each of which is drawn from one seed: its case, every draw in it, and the faults that strike.
    Swarm(SwarmArgs),
    /// Run a replay file again, exactly.
    Replay(ReplayArgs),
    /// Make the smallest run of a failing one that still fails the same requirement.
    ///
    /// It is left beside the replay file, as `NAME.shrunk.toml` and as a Rust test, `NAME.shrunk.rs`.
    Shrink(ShrinkArgs),
    /// Try every mutant: a design with one choice turned bad, which some case must notice.
    Mutants(MutantsArgs),
    /// Find how late, or how often lost, each message may be before a design comes to something else.
    ///
    /// Each kind of message of each explored case is held up longer and longer, and lost ever more often; what people
    /// are shown, what the books say in the end and what the requirements say is compared with the undisturbed run. For
    /// each such edge it is found which timers and counts of the profile move it.
    Margins(MarginsArgs),
    /// Run everything in two processes and compare what they did, line by line.
    Twice(TwiceArgs),
    /// Carry an experiment out: what designs do over many swipes, as a table, a CSV and a plot.
    Experiment(ExperimentArgs),
    /// Put one virtual party on real ports: `pos-server`, `pos-terminal`, `message-server`, `m6311`, `sim800a`, or
    /// `payments`, which is WeChat Pay and Alipay.
    ///
    /// It runs until Ctrl-C. Once it can be reached it says `ready` on its standard output; a terminal's standard input
    /// and output are its text port.
    Serve(Box<ServeArgs>),
    /// List the serial ports of this computer, with what their USB devices say of themselves.
    Ports,
    /// Show what there is.
    List(ListArgs),
    /// Compare two runs: what fails newly, passes newly, takes longer or has vanished.
    ///
    /// Ends with 100 if a case fails newly, is worse or has vanished, if a mutant is not killed any more or a
    /// requirement not judged any more; with 0 otherwise.
    Diff(DiffArgs),
    /// Make the reports of a directory again from its `run.json` and traces.
    Report(ReportArgs),
    /// Check a signed report: its signature, the hash of every file, and a sample of its simulated runs.
    ///
    /// Ends with 0 if the certificate holds, with 100 if anything was changed, added or taken away, and with 105 if a
    /// run comes to something else than before.
    Verify(VerifyArgs),
    /// Judge a recording made in the field, and say what it shows and what it cannot show.
    ///
    /// It takes pcap and pcapng captures made beside a POS server (UDP) or a message server of the water system (TCP),
    /// and the `.trace.jsonl` that this tool leaves.
    Check(CheckArgs),
    /// Print the public key of the key that signs reports, which is made if it is not there.
    Keys(KeysArgs),
    /// Print what completes this tool's commands in a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the tapes that `twice` compares.
    #[command(hide = true)]
    Tapes(TwiceArgs),
}

/// What sits in our seats.
#[derive(Debug, Args)]
pub struct DesignArgs {
    /// The design of our own parties: `hardened` is the reference.
    #[arg(long, value_name = "POLICY", default_value = "hardened")]
    pub policy: String,
    /// The number that decides every draw.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    pub seed: u64,
    /// A profile in place of the built-in one, which `assay list profile --system SYSTEM` prints.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<String>,
}

/// What sits in the seats of the water system's terminals, if not our own.
#[derive(Debug, Default, Args)]
pub struct TerminalArgs {
    /// A program in a lockstep seat, with its arguments as a shell takes them; cases that put terminals to the test.
    #[arg(long, value_name = "COMMAND")]
    pub terminal: Option<String>,
    /// The program takes `start` for power-on, so that one process serves for many runs.
    #[arg(long, requires = "terminal")]
    pub restart_in_place: bool,
    /// How much real time a turn of the program may take, such as 5s.
    #[arg(long, value_name = "SPAN", requires = "terminal")]
    pub turn_limit: Option<String>,
}

/// Where the report goes.
#[derive(Debug, Args)]
pub struct OutArgs {
    /// The directory for the report.
    #[arg(long, value_name = "DIR", default_value = "assay-report")]
    pub out: String,
}

/// `assay run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Ids of cases, or patterns over them such as 'water/topup/*'; all cases if there is none.
    #[arg(value_name = "CASES")]
    pub cases: Vec<String>,
    /// Only cases of this system.
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<String>,
    /// The bench: `tabletop`, `world` for a simulated network, or `rig:FILE` for real ports in real time; tabletop and
    /// world if none is named.
    #[arg(long, value_name = "BENCH")]
    pub bench: Option<String>,
    /// Explore as well, a few faults of every kind at every place, as is done for designs with flaws.
    #[arg(long)]
    pub explore: bool,
    /// What sits in our seats.
    #[command(flatten)]
    pub design: DesignArgs,
    /// Where the report goes.
    #[command(flatten)]
    pub out: OutArgs,
    /// What sits in the terminals' seats.
    #[command(flatten)]
    pub terminal: TerminalArgs,
    /// Whether the report is signed.
    #[command(flatten)]
    pub seal: SealArgs,
}

/// `assay explore`.
#[derive(Debug, Args)]
pub struct ExploreArgs {
    /// The system.
    #[arg(value_name = "SYSTEM")]
    pub system: String,
    /// Only explored cases whose ids fit this pattern.
    #[arg(long = "case", value_name = "PATTERN")]
    pub cases: Vec<String>,
    /// The bench: `tabletop`, or `world` for a simulated network.
    #[arg(long, value_name = "BENCH", default_value = "tabletop")]
    pub bench: String,
    /// How many faults strike in one run: 1, or 2 for a second one after the first, on the tabletop.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub faults: u32,
    /// With two faults a run, strike schedules that lead to the same state each by itself, too.
    #[arg(long)]
    pub no_merge: bool,
    /// Stop cleanly after this much real time, such as 60s or 10min.
    #[arg(long, value_name = "SPAN")]
    pub budget: Option<String>,
    /// Go on where an exploration with the same options and the same --out was stopped.
    #[arg(long, conflicts_with_all = ["sample", "terminal"])]
    pub resume: bool,
    /// Only the I-th fault of every N.
    #[arg(long, value_name = "I/N")]
    pub sample: Option<String>,
    /// Only list the sites, with how many faults apply at each.
    #[arg(long)]
    pub list_sites: bool,
    /// What sits in our seats.
    #[command(flatten)]
    pub design: DesignArgs,
    /// Where the report goes.
    #[command(flatten)]
    pub out: OutArgs,
    /// What sits in the terminals' seats.
    #[command(flatten)]
    pub terminal: TerminalArgs,
}

/// `assay campaign`.
#[derive(Debug, Args)]
pub struct CampaignArgs {
    /// What to do.
    #[command(subcommand)]
    pub act: CampaignAct,
}

/// What `assay campaign` does.
#[derive(Debug, Subcommand)]
pub enum CampaignAct {
    /// Begin the campaign of a plan, or go on with it if the store is there.
    Run {
        /// The plan.
        #[arg(value_name = "PLAN")]
        plan: String,
        /// The store.
        #[command(flatten)]
        store: StoreArgs,
        /// The share.
        #[command(flatten)]
        share: ShareArgs,
    },
    /// Go on with the campaign in a store.
    Resume {
        /// The store.
        #[command(flatten)]
        store: StoreArgs,
        /// The share.
        #[command(flatten)]
        share: ShareArgs,
    },
    /// Say how far a campaign is and what it came to.
    Status {
        /// The store.
        #[command(flatten)]
        store: StoreArgs,
        /// Show every hole.
        #[arg(long)]
        holes: bool,
        /// Show the branches of the models that were reached.
        #[arg(long)]
        branches: bool,
    },
    /// Take over what other stores of the same campaign hold; the store is begun if it is not there.
    Merge {
        /// The store.
        #[command(flatten)]
        store: StoreArgs,
        /// The stores that are taken over.
        #[arg(value_name = "STORE", required = true)]
        packs: Vec<std::path::PathBuf>,
    },
    /// Make every run of a store again and compare all tapes.
    Repeat {
        /// The store.
        #[command(flatten)]
        store: StoreArgs,
        /// The share.
        #[command(flatten)]
        share: ShareArgs,
        /// Where the replay file goes of the first run that differs.
        #[command(flatten)]
        out: OutArgs,
    },
    /// Write the report of a campaign, with replay files of its failures and a list of all runs.
    Export {
        /// The store.
        #[command(flatten)]
        store: StoreArgs,
        /// Where the report goes.
        #[command(flatten)]
        out: OutArgs,
    },
}

/// The store of a campaign.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The file in which every run is kept.
    #[arg(long, value_name = "FILE")]
    pub store: std::path::PathBuf,
}

/// How much of a campaign one worker makes.
#[derive(Debug, Args)]
pub struct ShareArgs {
    /// Only share I of N: a pure function of the plan, whoever makes the others.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub shard: String,
    /// Stop cleanly after this much real time, such as 60s or 10min.
    #[arg(long, value_name = "SPAN")]
    pub budget: Option<String>,
}

/// `assay certify`.
#[derive(Debug, Args)]
pub struct CertifyArgs {
    /// The rig file.
    #[arg(long, value_name = "FILE")]
    pub rig: String,
    /// Ids of cases, or patterns over them; all that are for the rig if there is none.
    #[arg(value_name = "CASES")]
    pub cases: Vec<String>,
    /// How long single faults are struck, such as 60s or 10min; 0s for not at all.
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    pub explore_budget: String,
    /// How long the soak takes; 0s for none.
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    pub soak: String,
    /// How often a failure is run again with the same plan.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(..=100))]
    pub replays: u32,
    /// How many instances of the rig work at once, where its seats allow more than one.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(JOBS_MAX))
    )]
    pub jobs: u16,
    /// What sits in our seats.
    #[command(flatten)]
    pub design: DesignArgs,
    /// Where the report goes.
    #[command(flatten)]
    pub out: OutArgs,
    /// How the report is signed: with `assay-key.pem` of this directory if no key is named.
    #[command(flatten)]
    pub seal: SealArgs,
}

/// `assay swarm`.
#[derive(Debug, Args)]
pub struct SwarmArgs {
    /// The system.
    #[arg(value_name = "SYSTEM")]
    pub system: String,
    /// The seeds, from the first up to and without the last, such as 0..500.
    #[arg(long, value_name = "A..B")]
    pub seeds: String,
    /// The bench: `tabletop`, or `world` for a simulated network; both if none is named.
    #[arg(long, value_name = "BENCH")]
    pub bench: Option<String>,
    /// The design of our own parties: `hardened` is the reference.
    #[arg(long, value_name = "POLICY", default_value = "hardened")]
    pub policy: String,
    /// Where the report goes.
    #[command(flatten)]
    pub out: OutArgs,
    /// What sits in the terminals' seats.
    #[command(flatten)]
    pub terminal: TerminalArgs,
}

/// `assay replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The replay file.
    #[arg(value_name = "FILE")]
    pub file: String,
    /// Run it on this bench and not on its own: `tabletop`, `world`, or `rig:FILE`.
    #[arg(long, value_name = "BENCH")]
    pub bench: Option<String>,
    /// Print the whole tape first.
    #[arg(long)]
    pub tape: bool,
    /// Also write a report into this directory.
    #[arg(long, value_name = "DIR")]
    pub out: Option<String>,
    /// What sits in the terminals' seats.
    #[command(flatten)]
    pub terminal: TerminalArgs,
}

/// `assay shrink`.
#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// The replay file.
    #[arg(value_name = "FILE")]
    pub file: String,
    /// The requirement that must still be violated; the first that is, if none is named.
    #[arg(long, value_name = "ID")]
    pub requirement: Option<String>,
    /// Write the results into this directory.
    #[arg(long, value_name = "DIR")]
    pub out: Option<String>,
}

/// `assay mutants`.
#[derive(Debug, Args)]
pub struct MutantsArgs {
    /// The system; all of them if none is named.
    #[arg(value_name = "SYSTEM")]
    pub system: Option<String>,
    /// Only this mutant.
    #[arg(long = "mutant", value_name = "NAME")]
    pub mutants: Vec<String>,
    /// Run every case on every mutant, and not only until one kills it.
    #[arg(long)]
    pub all: bool,
    /// The number that decides every draw.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    pub seed: u64,
    /// Where the report goes.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `assay twice`.
#[derive(Debug, Args)]
pub struct TwiceArgs {
    /// The system; all of them if none is named.
    #[arg(value_name = "SYSTEM")]
    pub system: Option<String>,
    /// The number that decides every draw.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    pub seed: u64,
    /// What sits in the terminals' seats.
    #[command(flatten)]
    pub terminal: TerminalArgs,
}

/// `assay experiment`.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    /// The experiment: `water-cache` compares terminals with and without a cache for results.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// How many swipes each design makes at each setting, rounded up to whole benches of 50.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100_000,
        value_parser = clap::value_parser!(u64).range(SWIPES_MIN..=SWIPES_MAX)
    )]
    pub swipes: u64,
    /// The number that decides every draw.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    pub seed: u64,
    /// Where the report goes.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `assay diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The run before: a `run.json`, or the directory of a report.
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The run after.
    #[arg(value_name = "AFTER")]
    pub after: String,
}

/// `assay report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The directory of the report.
    #[arg(value_name = "DIR")]
    pub dir: String,
}

/// `assay list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to show.
    #[arg(value_enum, default_value_t = Listing::Cases)]
    pub what: Listing,
    /// Only of this system.
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<String>,
}

/// What there is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    /// The cases, each with what it shows.
    Cases,
    /// The requirements, each with the cases that show it.
    Requirements,
    /// The mutants.
    Mutants,
    /// The designs that have a name.
    Policies,
    /// The sites of the explored cases, each with how many faults apply there.
    Sites,
    /// The built-in profile.
    Profile,
}
