//! SIM and network, as a module knows them.

use crate::digest::Digest;

/// What a module knows of its SIM and its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Radio {
    /// Whether there is a SIM.
    pub sim: bool,
    /// Signal strength.
    pub rssi: u8,
    /// Bit error rate.
    pub ber: u8,
    /// Registration: 1 home, 2 searching, and so on.
    pub stat: u8,
    /// Whether changes of registration are said unasked.
    pub says_changes: bool,
    /// Whether the module is attached to packet service.
    pub attached: bool,
    /// Whether the packet context is active.
    pub active: bool,
    /// The packet context's definition, as it was given.
    pub context: Vec<u8>,
}

impl Radio {
    /// Registered at home or roaming.
    pub fn is_registered(&self) -> bool {
        self.sim && matches!(self.stat, 1 | 5)
    }

    /// Forgets what a start forgets; SIM and reception are the world's.
    pub(super) fn restart(&mut self) {
        self.stat = 2;
        self.says_changes = false;
        self.attached = false;
        self.active = false;
        self.context.clear();
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.flag(self.sim).word(self.rssi.into()).word(self.ber.into()).word(self.stat.into());
        into.flag(self.says_changes).flag(self.attached).flag(self.active).bytes(&self.context);
    }
}
