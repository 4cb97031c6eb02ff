//! What a datagram is called, wherever it goes and whatever has become of it.

/// The name of anything that is no message.
pub const JUNK: &str = "junk";

/// Every command that is known.
const COMMANDS: [&str; 17] = [
    "000", "001", "002", "003", "006", "008", "009", "011", "100", "101", "102", "103", "104", "105", "106",
    "109", "128",
];

/// The command at the front of a datagram, or [`JUNK`].
pub fn label(bytes: &[u8]) -> &'static str {
    let command = bytes.get(..3).filter(|_| matches!(bytes.get(3), None | Some(b',')));
    let known = COMMANDS.into_iter().find(|known| command == Some(known.as_bytes()));
    known.unwrap_or(JUNK)
}
