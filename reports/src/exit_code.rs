//! The exit codes of the tool.
//!
//! The codes from 100 up are findings of a run that was carried out; those below are about the call itself.

use crate::verdict::Verdict;

/// The worst verdict is pass, skipped or waived.
pub const OK: u8 = 0;
/// Something happened that no other code names.
pub const UNEXPECTED: u8 = 1;
/// The command line or an input file is wrong.
pub const USAGE: u8 = 2;
/// The selection holds nothing that could be run.
pub const NOTHING_SELECTED: u8 = 4;
/// The system under test broke a requirement, or a mutant survived.
pub const FAIL: u8 = 100;
/// A requirement could not be judged, or the run was interrupted.
pub const INCONCLUSIVE: u8 = 101;
/// The suite or the rig is at fault.
pub const BROKEN: u8 = 102;
/// A waiver is past its date or waives nothing any more.
pub const STALE_WAIVER: u8 = 103;
/// Two runs of one seed and plan differ.
pub const NOT_DETERMINISTIC: u8 = 105;

/// The exit code of a run whose worst verdict this is.
pub const fn of(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::Skipped | Verdict::Waived => OK,
        Verdict::Inconclusive => INCONCLUSIVE,
        Verdict::Fail => FAIL,
        Verdict::Broken => BROKEN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_as_documented() {
        let codes = Verdict::ALL.map(of);
        assert_eq!(codes, [0, 0, 0, 101, 100, 102]);
        assert_eq!([OK, UNEXPECTED, USAGE, NOTHING_SELECTED], [0, 1, 2, 4]);
        assert_eq!([STALE_WAIVER, NOT_DETERMINISTIC], [103, 105]);
    }
}
