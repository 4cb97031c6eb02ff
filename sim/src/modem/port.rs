//! A module's ports.

use crate::machine::Port;
use crate::modem::socket::SERVICE;

/// The host's serial line.
pub const UART: Port = Port(0);
/// The power key: an input, low while the key is held.
pub const PWRKEY: Port = Port(1);
/// The reset pin: an input, active low.
pub const RESET: Port = Port(2);
/// The status pin: an output, high while the module is switched on.
pub const STATUS: Port = Port(3);
/// The host's readiness: an input, high while the host lets the module sleep.
pub const DTR: Port = Port(4);
/// The port of connection 0; connection n is that many ports on.
pub const NET_BASE: u16 = 16;

/// The port of a connection.
pub fn net_port(id: usize) -> Port {
    Port(NET_BASE + u16::try_from(id).unwrap_or(u16::MAX - NET_BASE))
}

/// The connection behind a port.
pub(super) fn net_id(port: Port) -> Option<usize> {
    let id = usize::from(port.0.checked_sub(NET_BASE)?);
    (id <= SERVICE).then_some(id)
}
