//! Settings that are numbers: what each takes, and what it is after a start.

use crate::digest::Digest;
use crate::modem::core::Core;
use crate::modem::dialect::Verdict;
use crate::modem::line::{Command, Form, parse_number};
use crate::modem::reply::Final;

/// When a setting may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// At any time.
    Always,
    /// In `IP INITIAL`.
    Initial,
    /// While no connection stands.
    Unconnected,
}

/// One setting.
struct Setting {
    name: &'static str,
    /// The least and the most of each value.
    ranges: &'static [(usize, usize)],
    initial: &'static [usize],
    /// How many of the values must be given.
    needed: usize,
    when: When,
}

const fn switch(name: &'static str, when: When) -> Setting {
    Setting { name, ranges: &[(0, 1)], initial: &[0], needed: 1, when }
}

const fn setting(
    name: &'static str,
    ranges: &'static [(usize, usize)],
    initial: &'static [usize],
    needed: usize,
) -> Setting {
    Setting { name, ranges, initial, needed, when: When::Always }
}

const SETTINGS: [Setting; 25] = [
    switch("+CIPMUX", When::Initial),
    switch("+CIPMODE", When::Initial),
    switch("+CIPRXGET", When::Unconnected),
    switch("+CIPQSEND", When::Always),
    switch("+CIPHEAD", When::Always),
    switch("+CIPSRIP", When::Always),
    switch("+CIPSHOWTP", When::Always),
    switch("+CBATCHK", When::Always),
    switch("+CLTS", When::Always),
    switch("+CIURC", When::Always),
    switch("+CMGF", When::Always),
    setting("+CIPSPRT", &[(0, 2)], &[1], 1),
    // Tries, silence in steps of 100 ms, bytes at a time, whether `+++` leaves. It always does here.
    setting("+CIPCCFG", &[(3, 8), (2, 10), (1, 1460), (1, 1)], &[5, 2, 1024, 1], 3),
    setting("+CIPTKA", &[(0, 1), (30, 7200), (30, 600), (1, 9)], &[1, 7200, 75, 9], 1),
    setting("+IFC", &[(0, 2), (0, 2)], &[0, 0], 1),
    // There is no encryption to be switched on.
    setting("+CIPSSL", &[(0, 0)], &[0], 1),
    setting("+CLIP", &[(0, 1)], &[0], 1),
    // Taken and kept, as console tools send them; nothing follows from them here.
    setting("&C", &[(0, 1)], &[1], 1),
    setting("Q", &[(0, 0)], &[0], 1),
    setting("X", &[(0, 4)], &[4], 1),
    setting("S0", &[(0, 255)], &[0], 1),
    // What the module makes of a host that drops DTR while data flows: nothing, it escapes, it hangs up.
    setting("&D", &[(0, 2)], &[0], 1),
    setting("+CSCLK", &[(0, 2)], &[0], 1),
    setting("+CNMI", &[(0, 3), (0, 3), (0, 3), (0, 2), (0, 1)], &[2, 1, 0, 0, 0], 1),
    setting("+IPR", &[(0, 115_200)], &[0], 1),
];

/// The bauds that `AT+IPR` takes; 0 is the automatic one.
const BAUDS: [usize; 9] = [0, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200];

/// Whether the module can find out this speed by itself.
pub(super) fn is_baud(baud: u32) -> bool {
    baud > 0 && usize::try_from(baud).is_ok_and(|baud| BAUDS.contains(&baud))
}

/// The values of all settings.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    values: Vec<Vec<usize>>,
}

impl Default for Settings {
    fn default() -> Self {
        let mut values: Vec<_> = SETTINGS.iter().map(|setting| setting.initial.to_vec()).collect();
        // The one switch that is on from the factory.
        values[place("+CIURC")] = vec![1];
        Self { values }
    }
}

fn place(name: &str) -> usize {
    SETTINGS
        .iter()
        .position(|setting| setting.name == name)
        .expect("each setting that is asked for is listed")
}

impl Settings {
    /// The first value of a setting.
    pub(super) fn get(&self, name: &str) -> usize {
        self.all(name)[0]
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name) == 1
    }

    /// All values of a setting.
    pub(super) fn all(&self, name: &str) -> &[usize] {
        &self.values[place(name)]
    }

    /// Sets all values of a setting, as they were told before.
    pub(super) fn put(&mut self, name: &str, values: &[usize]) {
        self.values[place(name)] = values.to_vec();
    }

    /// Carries out a command if it names a setting; `may` tells whether one of that kind may be changed now.
    pub(super) fn execute(
        &mut self,
        core: &mut Core,
        command: &Command<'_>,
        may: impl FnOnce(When) -> bool,
    ) -> Verdict {
        let Some(at) = SETTINGS.iter().position(|setting| setting.name.as_bytes() == command.name) else {
            return Verdict::Unknown;
        };
        let setting = &SETTINGS[at];
        match command.form {
            Form::Read => {
                let line = format!("{}: {}", setting.name, joined(&self.values[at]));
                core.info(line.as_bytes());
            }
            Form::Test => {
                let ranges: Vec<_> = setting.ranges.iter().map(range).collect();
                core.info(format!("{}: {}", setting.name, ranges.join(",")).as_bytes());
            }
            Form::Set(_) => {
                let Some(values) = parse(setting, command) else { return Verdict::Failed(Final::INVALID) };
                if !may(setting.when) {
                    return Verdict::Failed(Final::NOT_ALLOWED);
                }
                self.values[at][..values.len()].copy_from_slice(&values);
            }
            // A basic command without its number means 0.
            Form::Execute if !setting.name.starts_with('+') => self.values[at][0] = 0,
            Form::Execute => return Verdict::Failed(Final::Error),
        }
        Verdict::Done
    }

    /// The factory's values, for the kind of connections only while there are none.
    pub(super) fn reset(&mut self, with_links: bool) {
        let factory = Self::default();
        for ((value, fresh), setting) in self.values.iter_mut().zip(factory.values).zip(&SETTINGS) {
            if with_links || setting.when == When::Always {
                *value = fresh;
            }
        }
    }

    /// Adds the values.
    pub(super) fn digest(&self, into: &mut Digest) {
        for value in self.values.iter().flatten() {
            into.word(*value as u64);
        }
    }
}

fn range((least, most): &(usize, usize)) -> String {
    if most == least {
        format!("({least})")
    } else if most - least == 1 {
        format!("({least},{most})")
    } else {
        format!("({least}-{most})")
    }
}

fn joined(values: &[usize]) -> String {
    let values: Vec<_> = values.iter().map(usize::to_string).collect();
    values.join(",")
}

fn parse(setting: &Setting, command: &Command<'_>) -> Option<Vec<usize>> {
    let values: Vec<_> = command.values().map(parse_number).collect::<Option<_>>()?;
    let fits = |(value, (least, most)): (&usize, &(usize, usize))| (least..=most).contains(&value);
    let is_baud = setting.name != "+IPR" || values.iter().all(|baud| BAUDS.contains(baud));
    let counts = (setting.needed..=setting.ranges.len()).contains(&values.len());
    (counts && is_baud && values.iter().zip(setting.ranges).all(fits)).then_some(values)
}
