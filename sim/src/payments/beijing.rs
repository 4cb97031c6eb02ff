//! Times as the platforms write them: their calendar is that of Beijing, eight hours ahead of ours.

use crate::time::{NotADate, Wall};

/// Units: microseconds by which Beijing is ahead.
const AHEAD_US: i64 = 8 * 3_600 * 1_000_000;

/// As `2026-03-01T08:00:00+08:00`.
pub(super) fn rfc3339(wall: Wall) -> String {
    let (year, [month, day, hour, minute, second]) = wall.stepped(AHEAD_US).parts();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+08:00")
}

/// As `2026-03-01 08:00:00`.
pub(super) fn plain(wall: Wall) -> String {
    rfc3339(wall)[..19].replace('T', " ")
}

/// Reads `2026-03-01 08:00:00`.
///
/// Errors: [`NotADate`] for any other form.
pub(super) fn parse_plain(text: &str) -> Result<Wall, NotADate> {
    let marks = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    let bytes = text.as_bytes();
    if bytes.len() != 19 || marks.iter().any(|(at, mark)| bytes[*at] != *mark) {
        return Err(NotADate);
    }
    let place = |at: &usize| marks.iter().all(|(mark, _)| mark != at);
    let digits: Vec<u8> = (0..19).filter(place).map(|at| bytes[at]).collect();
    Ok(Wall::parse_digits(&digits)?.stepped(-AHEAD_US))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_beijing() {
        let wall = Wall::from_us(1_772_323_200_750_000);
        assert_eq!(rfc3339(wall), "2026-03-01T08:00:00+08:00");
        assert_eq!(plain(wall), "2026-03-01 08:00:00");
        assert_eq!(parse_plain("2026-03-01 08:00:00"), Ok(Wall::from_us(1_772_323_200_000_000)));
        for bad in
            ["", "2026-03-01T08:00:00", "2026-03-01 08:00", "2026-02-30 08:00:00", "2026-03-01 08:00:0x"]
        {
            assert_eq!(parse_plain(bad), Err(NotADate), "{bad}");
        }
        for text in [Wall::from_us(i64::MIN), Wall::from_us(i64::MAX)].map(plain) {
            assert_eq!(text.len(), 19, "{text}");
        }
    }
}
