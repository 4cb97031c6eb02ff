//! How field pulses and tag edges travel as bytes, and how long they take.
//!
//! Two forms, one for each way. A **burst** goes to the card: durations that alternate *gap, field on, gap, …*, one
//! byte each, beginning with a gap. **Edges** go to the terminal: one byte for the first level (0 or 1), then the
//! lengths of the runs, one byte each, the level alternating from run to run.

use crate::time::Span;

/// One period of the 125 kHz field, the unit of every duration on the air.
pub const FIELD_CLOCK: Span = Span::us(8);

/// Which way something goes through the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AirWay {
    /// A burst of field pulses, from the terminal.
    ToCard,
    /// Edges of the tag's modulation, from the card.
    ToTerminal,
}

/// A number of field clocks as a span.
pub const fn in_field_clocks(clocks: u64) -> Span {
    Span::us(clocks.saturating_mul(FIELD_CLOCK.as_us()))
}

/// How long these bytes take on the air.
pub fn air_time(way: AirWay, bytes: &[u8]) -> Span {
    match way {
        AirWay::ToCard => burst_time(bytes),
        AirWay::ToTerminal => edges_time(bytes),
    }
}

/// How long a burst takes.
pub fn burst_time(burst: &[u8]) -> Span {
    in_field_clocks(burst.iter().map(|clocks| u64::from(*clocks)).sum())
}

/// How long a delivery of edges takes; its level byte takes no time.
pub fn edges_time(edges: &[u8]) -> Span {
    burst_time(edges.get(1..).unwrap_or_default())
}

/// How many bytes of a burst had passed completely after `elapsed`.
pub fn burst_prefix(burst: &[u8], elapsed: Span) -> usize {
    let mut passed = Span::ZERO;
    burst
        .iter()
        .take_while(|clocks| {
            passed = passed + in_field_clocks(u64::from(**clocks));
            passed <= elapsed
        })
        .count()
}

/// How many bytes of a delivery of edges had passed completely after `elapsed`: none, or the level byte and at least
/// one run.
pub fn edges_prefix(edges: &[u8], elapsed: Span) -> usize {
    match burst_prefix(edges.get(1..).unwrap_or_default(), elapsed) {
        0 => 0,
        runs => runs + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_eight_microseconds_a_clock_and_the_level_is_free() {
        assert_eq!(burst_time(&[30, 54, 20]), Span::us(832));
        assert_eq!(edges_time(&[1, 32, 64, 32]), Span::us(1_024));
        assert_eq!(air_time(AirWay::ToCard, &[255, 1]), Span::us(2_048));
        assert_eq!(air_time(AirWay::ToTerminal, &[255, 1]), Span::us(8));
        assert_eq!(edges_time(&[]), Span::ZERO);
        assert_eq!(edges_time(&[1]), Span::ZERO);
    }

    #[test]
    fn a_prefix_holds_what_has_passed_to_the_microsecond() {
        let burst = [30, 54, 20];
        for (elapsed_us, bytes) in
            [(0, 0), (239, 0), (240, 1), (671, 1), (672, 2), (831, 2), (832, 3), (9_999, 3)]
        {
            assert_eq!(burst_prefix(&burst, Span::us(elapsed_us)), bytes, "{elapsed_us}");
        }
        let edges = [0, 32, 64];
        for (elapsed_us, bytes) in [(0, 0), (255, 0), (256, 2), (767, 2), (768, 3), (9_999, 3)] {
            assert_eq!(edges_prefix(&edges, Span::us(elapsed_us)), bytes, "{elapsed_us}");
        }
        assert_eq!(edges_prefix(&[], Span::s(1)), 0);
    }
}
