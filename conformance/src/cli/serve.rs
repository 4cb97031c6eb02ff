//! `assay serve`: what it is asked for, and how that is looked up.

use std::net::ToSocketAddrs as _;
use std::path::PathBuf;

use assay_hil::serve::Reach;
use clap::Args;

use super::args::DesignArgs;
use super::job::{Job, Unusable, design};
use crate::names;
use crate::plan_file::{read_plan, read_profile};
use crate::serve::payments::PaymentsPlan;
use crate::serve::{LineSpeed, Party, ServePlan};

/// `assay serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The party.
    #[arg(value_name = "PARTY")]
    pub party: String,
    /// The server's address for datagrams; for a terminal, the address that it sends them to.
    #[arg(long, value_name = "ADDRESS")]
    pub udp: Option<std::net::SocketAddr>,
    /// The message server's address for terminals, and the pay server's for modules; for a pay module, its server's.
    #[arg(long, value_name = "ADDRESS")]
    pub tcp: Option<std::net::SocketAddr>,
    /// The message server's address for the prepayment front.
    #[arg(long, value_name = "ADDRESS")]
    pub payments: Option<std::net::SocketAddr>,
    /// The payment platforms' address for HTTP, such as 127.0.0.1:8080; their desk is at /assay/.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<std::net::SocketAddr>,
    /// The payment platforms' address for HTTP over TLS, with an authority that is generated.
    #[arg(long, value_name = "ADDRESS")]
    pub https: Option<std::net::SocketAddr>,
    /// The directory with the payment platforms' merchants, payers and keys; generated if there is none.
    #[arg(long, value_name = "DIR", default_value = "assay-payments")]
    pub dir: std::path::PathBuf,
    /// How many times as fast as the clock the payment platforms' time passes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub time_scale: u32,
    /// Where the payment platform is; without it, a virtual one answers.
    #[arg(long, value_name = "ADDRESS")]
    pub platform: Option<std::net::SocketAddr>,
    /// The pay server's address for the notifications of the payment platform.
    #[arg(long, value_name = "ADDRESS")]
    pub notify: Option<std::net::SocketAddr>,
    /// The serial port of a pay module's modem; without it, the module connects to its server itself.
    #[arg(long, value_name = "PATH", conflicts_with = "tcp")]
    pub modem: Option<std::path::PathBuf>,
    /// The serial port on which a pay server's free channel comes out.
    #[arg(long, value_name = "PATH")]
    pub channel: Option<std::path::PathBuf>,
    /// Where a modem's connections go, whatever address its host names; alone, they go where the host says.
    #[arg(long, value_name = "HOST:PORT", num_args = 0..=1, default_missing_value = "", visible_alias = "server")]
    pub dial: Option<String>,
    /// Lets a modem's connections leave this computer.
    #[arg(long)]
    pub allow_any: bool,
    /// The speed of a modem's line, by which what crosses it is paced.
    ///
    /// Units: bits a second.
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(300..=4_000_000))]
    pub baud: Option<u32>,
    /// Has a modem's line carry what it is given at once.
    #[arg(long, conflicts_with = "baud")]
    pub unpaced: bool,
    /// Where the link to the pseudo-terminal of a modem, a water terminal, a pay module or its host is made.
    #[arg(long, value_name = "PATH")]
    pub pty: Option<std::path::PathBuf>,
    /// The serial port, or the pseudo-terminal of somebody else, on which such a party is.
    #[arg(long, value_name = "PATH", conflicts_with = "pty")]
    pub serial: Option<std::path::PathBuf>,
    /// The file that holds what survives a loss of power: a server's journal, a terminal's memory.
    #[arg(long, value_name = "FILE")]
    pub store: Option<std::path::PathBuf>,
    /// A water terminal's memory as the installer left it, in hexadecimal digits, for where there is no store yet.
    #[arg(long, value_name = "FILE")]
    pub eeprom: Option<std::path::PathBuf>,
    /// The accounts with which a POS server starts, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub accounts: Option<std::path::PathBuf>,
    /// The file in which a server shows its ledger, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<std::path::PathBuf>,
    /// How many peers a server can tell apart at once.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub peers: u16,
    /// Faults that strike its links, as in a replay file: a list of `[[strike]]`; for the payment platforms, a list of
    /// `[[misbehave]]`.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<String>,
    /// Print everything that passes, on standard error.
    #[arg(long)]
    pub trace: bool,
    /// By what every timer is divided.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub divide_timers: u64,
    /// What sits in our seats.
    #[command(flatten)]
    pub design: DesignArgs,
}

/// Looks everything up.
///
/// Errors: [`Unusable`].
pub(super) fn checked(mut args: ServeArgs) -> Result<Job, Unusable> {
    if args.party == PAYMENTS {
        return serve_payments(args);
    }
    if args.listen.is_some() || args.https.is_some() || args.time_scale != 1 {
        let what = "`--listen`, `--https` and `--time-scale` are for `payments` only: leave them away";
        return Err(Unusable::Usage(what.to_owned()));
    }
    let named = Party::NAMED.iter().find(|(name, _)| *name == args.party);
    let Some((_, party)) = named else {
        let mut parties = Party::NAMED.map(|(name, _)| name).to_vec();
        parties.push(PAYMENTS);
        return Err(Unusable::Usage(names::no_such("party", &args.party, &parties)));
    };
    // The profile of a SIM800A is the module's own and none of a system's.
    let own = if *party == Party::Sim800a { args.design.profile.take() } else { None };
    let (mut design, _) = design(&args.design, Some(party.system()))?;
    if let Some(file) = own {
        (design.profile, _) = read_profile(&file, &[])?;
    }
    design.profile.divisor = args.divide_timers;
    let faults = args.plan.as_deref().map(read_plan).transpose()?.unwrap_or_default();
    let ServeArgs {
        udp,
        tcp,
        payments,
        platform,
        notify,
        modem,
        channel,
        dial,
        allow_any,
        baud,
        unpaced,
        pty,
        serial,
        store,
        eeprom,
        accounts,
        ledger,
        trace,
        ..
    } = args;
    let dial = dial.map(|to| reach(&to, allow_any)).transpose()?;
    let line = if unpaced { Some(LineSpeed::Unpaced) } else { baud.map(LineSpeed::Baud) };
    Ok(Job::Serve(Box::new(ServePlan {
        party: *party,
        design,
        faults,
        trace,
        peers: usize::from(args.peers),
        udp,
        tcp,
        payments,
        platform,
        notify,
        modem,
        channel,
        dial,
        allow_any,
        line,
        pty,
        serial,
        store,
        eeprom,
        accounts,
        ledger,
    })))
}

/// Whom a modem's connections reach: everybody where none is named.
fn reach(to: &str, anywhere: bool) -> Result<Reach, Unusable> {
    if to.is_empty() {
        return Ok(Reach { all_to: None, anywhere });
    }
    let wrong = |why: String| Unusable::Usage(format!("`--dial {to}`: {why}"));
    let found = to.to_socket_addrs().map_err(|error| {
        wrong(format!("{error}: write a host and a port, such as 127.0.0.1:5000, or nothing at all"))
    })?;
    let found: Vec<_> = found.collect();
    let all_to = found.iter().find(|at| at.is_ipv4()).or(found.first()).copied();
    match all_to {
        Some(at) if !anywhere && !at.ip().is_loopback() => {
            let why = format!("{at} is not this computer: `--allow-any` lets connections leave it");
            Err(wrong(why))
        }
        Some(_) => Ok(Reach { all_to, anywhere }),
        None => Err(wrong("nobody has this name".to_owned())),
    }
}

/// The party that is no party of a bench: the payment platforms.
const PAYMENTS: &str = "payments";

fn serve_payments(args: ServeArgs) -> Result<Job, Unusable> {
    let foreign = [
        ("--udp", args.udp.is_some()),
        ("--tcp", args.tcp.is_some()),
        ("--payments", args.payments.is_some()),
        ("--platform", args.platform.is_some()),
        ("--notify", args.notify.is_some()),
        ("--modem", args.modem.is_some()),
        ("--channel", args.channel.is_some()),
        ("--dial", args.dial.is_some()),
        ("--allow-any", args.allow_any),
        ("--baud", args.baud.is_some()),
        ("--unpaced", args.unpaced),
        ("--pty", args.pty.is_some()),
        ("--serial", args.serial.is_some()),
        ("--store", args.store.is_some()),
        ("--eeprom", args.eeprom.is_some()),
        ("--accounts", args.accounts.is_some()),
        ("--ledger", args.ledger.is_some()),
        ("--trace", args.trace),
        ("--divide-timers", args.divide_timers != 1),
    ];
    if let Some((option, _)) = foreign.iter().find(|(_, given)| *given) {
        return Err(Unusable::Usage(format!("`{option}` means nothing to `payments`: leave it away")));
    }
    let Some(http) = args.listen else {
        let what = "`--listen` is missing: say where the platforms are reached, such as 127.0.0.1:8080";
        return Err(Unusable::Usage(what.to_owned()));
    };
    Ok(Job::ServePayments(PaymentsPlan {
        http,
        https: args.https,
        dir: args.dir,
        misbehaviour: args.plan.map(PathBuf::from),
        time_scale: args.time_scale,
    }))
}
