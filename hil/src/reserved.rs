//! Ports that the rig has named to a party which has not taken them yet.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often another free port is asked for before the rig gives up.
const TRIES: usize = 64;

static RESERVED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that no other rig of this process names or takes while this lives.
#[derive(Debug)]
pub(crate) struct ReservedPort(u16);

impl ReservedPort {
    /// Reserves a port that `free` finds.
    ///
    /// Errors: none is found.
    pub(crate) fn find(free: impl Fn() -> io::Result<u16>) -> io::Result<Self> {
        for _ in 0..TRIES {
            let port = free()?;
            if reserved().insert(port) {
                return Ok(Self(port));
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    pub(crate) const fn port(&self) -> u16 {
        self.0
    }
}

impl Drop for ReservedPort {
    fn drop(&mut self) {
        reserved().remove(&self.0);
    }
}

/// Opens something at a free port of the system's choice that is not reserved.
///
/// Errors: nothing can be opened.
pub(crate) fn beside_reserved<T>(
    open: impl Fn() -> io::Result<T>,
    port: impl Fn(&T) -> io::Result<u16>,
) -> io::Result<T> {
    // Those that cannot be had are kept open meanwhile, so that the system does not offer them again.
    let mut refused = Vec::new();
    for _ in 0..TRIES {
        let opened = open()?;
        let at = port(&opened)?;
        if !reserved().contains(&at) {
            return Ok(opened);
        }
        refused.push(opened);
    }
    Err(io::ErrorKind::AddrInUse.into())
}

fn reserved() -> MutexGuard<'static, BTreeSet<u16>> {
    RESERVED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_port_is_named_once_while_it_is_reserved() {
        let next = Cell::new(1);
        let free = || Ok(next.replace(next.get() + 1) / 2 + 1);
        let first = ReservedPort::find(free).unwrap();
        let second = ReservedPort::find(free).unwrap();
        assert_eq!((first.port(), second.port()), (1, 2));
        let offered = Cell::new(0);
        let open = || Ok(offered.replace(offered.get() + 1));
        assert_eq!(beside_reserved(open, |port| Ok(*port + 1)).unwrap(), 2);
        assert!(ReservedPort::find(|| Ok(1)).is_err());
        drop(first);
        assert_eq!(ReservedPort::find(|| Ok(1)).unwrap().port(), 1);
    }
}
