//! A real party in its seat: its process, its power switch, and what is to be said of it.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use assay_sim::tape::SeatId;
use assay_sim::time::Span;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{Instant, Sleep};

use crate::power::Switch;
use crate::process::{Process, Start};
use crate::starved::Starved;

/// How a party's process is started, as often as it has power.
pub(crate) struct Program {
    pub(crate) words: Vec<String>,
    pub(crate) keep: PathBuf,
    pub(crate) output_max: u64,
    pub(crate) ready: Option<String>,
    pub(crate) stdio: bool,
}

/// A real party.
pub(crate) struct Occupant {
    /// Its seat's name in the rig file.
    pub(crate) name: String,
    /// Its head on the bench.
    pub(crate) seat: SeatId,
    pub(crate) program: Option<Program>,
    pub(crate) switch: Switch,
    pub(crate) boot: Duration,
    speaks_first: bool,
    process: Option<Process>,
    on: bool,
    /// Whether its head has had power on this bench; before that the party is only being made ready.
    begun: bool,
    told_end: bool,
    /// How long it may still take to be at work.
    starting: Option<Pin<Box<Sleep>>>,
    cuts: Cuts,
    starved: Starved,
}

/// What a power switch has achieved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cuts {
    /// The seat whose power it is, as the rig file names it.
    pub seat: String,
    /// What the switch is called.
    pub switch: &'static str,
    /// How often it took the power.
    pub times: u64,
    /// How long that took at worst.
    pub off_worst: Span,
}

impl fmt::Display for Cuts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seat, switch, times, off_worst } = self;
        let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
        write!(f, "power of `{seat}` ({switch}) cut {times}, gone within {off_worst}")
    }
}

/// What a change of power has come to.
pub(crate) enum Switched {
    /// Nothing has changed.
    Same,
    /// There is power, and perhaps a standard input and output.
    On(Option<(ChildStdin, ChildStdout)>),
    /// There is none.
    Off,
}

impl Occupant {
    pub(crate) fn new(
        name: &str,
        seat: SeatId,
        program: Option<Program>,
        switch: Switch,
        boot: Span,
        speaks_first: bool,
    ) -> Self {
        let cuts = Cuts { seat: name.to_owned(), switch: switch.name(), times: 0, off_worst: Span::ZERO };
        Self {
            name: name.to_owned(),
            seat,
            program,
            switch,
            boot: Duration::from_micros(boot.as_us()),
            speaks_first,
            process: None,
            on: false,
            begun: false,
            told_end: false,
            starting: None,
            cuts,
            starved: Starved::default(),
        }
    }

    /// Whether it speaks first, so that what it says before the bench begins would be taken for late.
    pub(crate) fn starts_with_bench(&self) -> bool {
        self.speaks_first
    }

    /// Gives power.
    ///
    /// Errors: a sentence; the rig is at fault.
    pub(crate) fn give(&mut self) -> Result<Switched, String> {
        self.switch.set(true)?;
        self.on = true;
        self.told_end = false;
        self.starting = Some(Box::pin(tokio::time::sleep(self.boot)));
        let (Some(program), None) = (&self.program, &self.process) else { return Ok(Switched::On(None)) };
        let started = Process::start(&Start {
            words: &program.words,
            keep: &program.keep,
            output_max: program.output_max,
            ready: program.ready.as_deref(),
            stdio: program.stdio,
        });
        let mut process = started.map_err(|error| error.to_string())?;
        let stdio = process.take_stdio();
        self.process = Some(process);
        Ok(Switched::On(stdio))
    }

    /// Takes the power.
    ///
    /// Errors: a sentence; the rig is at fault.
    pub(crate) fn take(&mut self) -> Result<Switched, String> {
        let began = Instant::now();
        self.switch.set(false)?;
        if let (Switch::Process, Some(process)) = (&self.switch, &mut self.process) {
            if !process.kill() {
                return Err(format!("the process of `{}` could not be killed", self.name));
            }
            self.process = None;
        }
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.cuts.off_worst = self.cuts.off_worst.max(Span::us(took));
        self.cuts.times += 1;
        (self.on, self.starting) = (false, None);
        Ok(Switched::Off)
    }

    /// Whether its power is about to be given.
    pub(crate) const fn awaits(&self, head_on: bool) -> bool {
        head_on && !self.on && !(self.begun && matches!(self.switch, Switch::Absent))
    }

    /// Follows the power of its head on the bench by one step; `cut` says that it was away in between.
    ///
    /// Errors: a sentence, and whether it tells of the party and not of the rig.
    pub(crate) fn follow(&mut self, head_on: bool, cut: bool) -> Result<Switched, (bool, String)> {
        if !self.begun {
            self.begun = head_on;
            return if head_on && !self.on {
                self.give().map_err(|error| (false, error))
            } else {
                Ok(Switched::Same)
            };
        }
        let change = self.on != head_on || self.on && cut;
        if !change {
            return Ok(Switched::Same);
        }
        if matches!(self.switch, Switch::Absent) {
            let what = format!(
                "the power of `{}` was to be cut, and the rig has no switch for it: name one in its `power`",
                self.name
            );
            self.on = head_on;
            return if head_on { Ok(Switched::Same) } else { Err((true, what)) };
        }
        let switched = if self.on { self.take() } else { self.give() };
        switched.map_err(|error| (false, error))
    }

    /// Takes in what its process prints.
    pub(crate) fn poll_output(&mut self, cx: &mut Context<'_>) {
        if let Some(process) = &mut self.process {
            process.poll_output(cx);
        }
    }

    /// How its process has ended by itself, once.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.process.as_mut()?.ended()?;
        let fresh = self.on && !std::mem::replace(&mut self.told_end, true);
        fresh.then(|| format!("the process of `{}` has ended by itself: {status}", self.name))
    }

    /// Looks whether its process gets a processor; `most` is how long it may have to wait for one.
    pub(crate) fn look(&mut self, now: assay_sim::time::Instant, most: Span) {
        match &self.process {
            // What it waits for while it starts makes nothing late that it does at work.
            _ if self.starting.is_some() => self.starved.forget(),
            Some(process) => self.starved.look(now, process.id(), most),
            None => {}
        }
    }

    /// Since when its process had to wait for a processor for longer than is tolerated, and that in words.
    pub(crate) fn late(&self) -> Option<(assay_sim::time::Instant, String)> {
        let (since, worst) = self.starved.since()?;
        let name = &self.name;
        Some((
            since,
            format!("from {since} on the process of `{name}` had to wait for a processor, up to {worst}"),
        ))
    }

    /// Whether it has power, and is not at work yet.
    pub(crate) const fn starts(&self) -> bool {
        self.starting.is_some()
    }

    /// Whether it has just come to be at work, or ought to have; otherwise asks to be woken.
    pub(crate) fn poll_start(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(patience) = &mut self.starting else { return false };
        let announces = self.program.as_ref().is_some_and(|program| program.ready.is_some());
        let ready = announces && self.process.as_ref().is_some_and(Process::is_ready);
        let over = ready || patience.as_mut().poll(cx).is_ready();
        if over {
            self.starting = None;
        }
        over
    }

    /// Waits until it is at work.
    ///
    /// Errors: a sentence; the party is at fault.
    pub(crate) async fn wait_ready(&mut self) -> Result<(), String> {
        let until = Instant::now() + self.boot;
        let step = Duration::from_millis(5);
        let announces = self.program.as_ref().is_some_and(|program| program.ready.is_some());
        loop {
            std::future::poll_fn(|cx| {
                self.poll_output(cx);
                Poll::Ready(())
            })
            .await;
            if let Some(ended) = self.ended() {
                return Err(ended);
            }
            let ready = announces && self.process.as_ref().is_some_and(Process::is_ready);
            if ready || !announces && Instant::now() >= until {
                self.starting = None;
                return Ok(());
            }
            if Instant::now() >= until {
                let words = self.program.as_ref().and_then(|program| program.ready.as_deref());
                let words = words.unwrap_or_default().escape_debug().to_string();
                let within = self.boot.as_millis();
                let name = &self.name;
                return Err(format!("the process of `{name}` has not said `{words}` within {within} ms"));
            }
            tokio::time::sleep(step).await;
        }
    }

    /// What its switch has achieved, if it was used.
    pub(crate) fn cuts(&self) -> Option<&Cuts> {
        (self.cuts.times > 0).then_some(&self.cuts)
    }

    /// What its check has found, now that its power was taken.
    pub(crate) fn checked(&self) -> Vec<String> {
        let Cuts { seat, switch, off_worst, .. } = &self.cuts;
        match self.switch {
            Switch::Absent => vec![format!("`{seat}` is at work; nothing switches its power")],
            _ => vec![format!(
                "power of `{seat}` ({switch}) was given, taken within {off_worst}, and given again"
            )],
        }
    }
}
