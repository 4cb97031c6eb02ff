//! Written by `assay shrink`: passes once the design meets the requirement.

use assay_conformance::interrupt::Stop;
use assay_conformance::replay::Replay;

/// POS-I1 fails with: drop the 1st `008` from server to terminal-a. Nothing else is needed.
#[test]
fn pos_payment_answers_lost_pos_i1() {
    let replay = Replay::from_text("RUN", RUN).unwrap();
    let (_, run) = replay.run("RUN", &Stop::default()).unwrap();
    assert_eq!(run.broken, None);
    assert!(!run.violated().contains(&"POS-I1"), "{:?}", run.violated());
}

const RUN: &str = r#"# One run of Assay. `assay replay FILE` runs exactly this again.
#
# pos/payment/answers-lost: the first two acknowledgements and answers are lost, and the terminal sends its
# payment three times
# The plan:
#   1. `udp-a< 008 #1` is lost.
# POS-A5 does not hold.
#   Expected: an answer that nobody confirms 3 times in all
#   Actual:   1 times until 3.556038
# POS-A3 does not hold.
#   Expected: the same answer about 5.50 from card 9072118970 at 2024-01-02 03:04:06
#   Actual:   one in other words, as if the sale were new
# POS-I1 does not hold.
#   Expected: card 9072118970 charged 1 × 5.50
#   Actual:   card 9072118970 charged 2 × 5.50
# POS-P1 does not hold.
#   Expected: card 9072118970 charged 1 × 5.50
#   Actual:   card 9072118970 charged 2 × 5.50

assay-replay = 1
system = "pos"
case = "pos/payment/answers-lost"
bench = "tabletop"
policy = "hardened"
seed = 0
profile = "built-in"
tape_digest = "df73fed0ea4336fa8575915e905b7ed9"
violates = ["POS-A3", "POS-A5", "POS-I1", "POS-P1"]

[[strike]]
site = "udp-a< 008 #1"
moment = "before"

[strike.fault]
fate = "drop"
"#;
