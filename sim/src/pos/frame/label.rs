//! What a datagram is called, wherever it goes and whatever has become of it.

/// The name of anything that is no message.
pub const JUNK: &str = "junk";

/// The command at the front of a datagram, or [`JUNK`].
pub fn label(bytes: &[u8]) -> &'static str {
    let ([command @ .., b','] | command) = bytes.get(..4).unwrap_or(bytes);
    match command {
        b"000" => "000",
        b"001" => "001",
        b"002" => "002",
        b"003" => "003",
        b"006" => "006",
        b"008" => "008",
        b"009" => "009",
        b"011" => "011",
        b"100" => "100",
        b"101" => "101",
        b"102" => "102",
        b"103" => "103",
        b"104" => "104",
        b"105" => "105",
        b"106" => "106",
        b"109" => "109",
        b"128" => "128",
        _ => JUNK,
    }
}
