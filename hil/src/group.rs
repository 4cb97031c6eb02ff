//! Processes of others in groups: how one is started so that all that it starts can be found, and how all of it is
//! killed.

use std::collections::BTreeMap;
use std::io;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The variable by which everything is known that a process has started, wherever it has hidden.
const MARK: &str = "ASSAY_RIG_MARK";

/// How often those are looked for that have left a group: one may have a child by the time it is found.
const HUNTS: usize = 8;

/// Every group that has not been killed, so that all can be ended at once.
static ALIVE: Mutex<BTreeMap<u64, Group>> = Mutex::new(BTreeMap::new());

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A process and what it has started.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    number: u64,
    leader: u32,
    mark: String,
}

impl Group {
    /// Starts a process as the leader of a group of its own.
    ///
    /// Errors: what the system says.
    pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Self)> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}-{number}", std::process::id());
        own_group(command.env(MARK, &mark));
        let child = command.spawn()?;
        let group = Self { number, leader: child.id(), mark };
        alive().insert(number, group.clone());
        Ok((child, group))
    }

    /// Kills whoever is in the group. The leader has to be waited for then.
    pub(crate) fn kill(&self) {
        kill_group(self.leader);
        alive().remove(&self.number);
    }

    /// Kills the group, and whoever has left it, where the system lets them be found.
    ///
    /// Why: they are looked for among all processes, which takes milliseconds.
    pub(crate) fn kill_and_hunt(&self) {
        self.kill();
        for _ in 0..HUNTS {
            if !kill_marked(&self.mark) {
                break;
            }
        }
    }
}

/// Ends every process that this one has started, and all that they have started.
///
/// Why: a tool that is told to end at once drops nothing.
pub(crate) fn end_all() {
    let groups = std::mem::take(&mut *alive());
    groups.into_values().for_each(|group| group.kill_and_hunt());
}

fn alive() -> MutexGuard<'static, BTreeMap<u64, Group>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(unix)]
fn kill_group(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let pid = i32::try_from(leader).ok().and_then(Pid::from_raw);
    // A group that is gone already is what is wanted.
    let _ = pid.map(|pid| kill_process_group(pid, Signal::KILL));
}

#[cfg(not(unix))]
fn kill_group(_: u32) {}

/// Kills every process that bears this mark; whether there was any.
#[cfg(target_os = "linux")]
fn kill_marked(mark: &str) -> bool {
    use rustix::process::{Pid, Signal, kill_process};
    let wanted = format!("{MARK}={mark}").into_bytes();
    let mut any = false;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let marked = environment.split(|byte| *byte == 0).any(|variable| variable == wanted);
        if let Some(pid) = Pid::from_raw(number).filter(|_| marked) {
            any |= kill_process(pid, Signal::KILL).is_ok();
        }
    }
    any
}

#[cfg(not(target_os = "linux"))]
fn kill_marked(_: &str) -> bool {
    false
}
