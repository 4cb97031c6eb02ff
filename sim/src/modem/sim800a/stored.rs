//! What `AT&W` keeps over a loss of power, and `ATZ` takes back: echo, the form of results, and the line's settings.

use super::Sim800aDialect;
use crate::digest::Digest;
use crate::modem::core::Core;
use crate::modem::reply::ReplyForm;

/// The settings that are kept.
const KEPT: [&str; 4] = ["+IPR", "+IFC", "+CSCLK", "&D"];

/// A stored profile.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    echo: bool,
    form: ReplyForm,
    values: [Vec<usize>; 4],
}

impl Stored {
    pub(super) fn digest(&self, into: &mut Digest) {
        into.flag(self.echo);
        self.form.digest(into);
        for value in self.values.iter().flatten() {
            into.word(*value as u64);
        }
    }
}

impl Sim800aDialect {
    pub(super) fn store(&mut self, core: &Core) {
        let values = KEPT.map(|name| self.settings.all(name).to_vec());
        self.stored = Some(Stored { echo: core.echo, form: core.form, values });
    }

    /// A fixed speed needs not be found out.
    pub(super) fn take_stored(&mut self, core: &mut Core) {
        let Some(stored) = &self.stored else { return };
        core.echo = stored.echo;
        core.form = stored.form;
        for (name, values) in KEPT.iter().zip(&stored.values) {
            self.settings.put(name, values);
        }
        self.baud = self.settings.get("+IPR");
        core.know_rate(self.baud > 0);
    }
}
