//! Payments from the tap to the end.

use assay_sim::pos::books::Standing;
use assay_sim::pos::party::Stimulus;
use assay_sim::pos::plant::{CardSpec, TerminalSpec};
use assay_sim::pos::server::ServerStimulus;
use assay_sim::time::Span;

use super::{BASE, CARD, ONE, WHITE};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// A code as a payer's telephone shows it.
const CODE: &str = "134567890123456789";

/// One card whose balance is enough for one payment of 5.50.
const POOR: &[CardSpec] = &[CardSpec::good(CARD, 600, 0)];

/// Cards that cannot pay, and one that can.
const REFUSED: &[CardSpec] = &[
    CardSpec::good("0000000001", 10_000, 10).standing(Standing::Lost),
    CardSpec::good("0000000002", 10_000, 10).standing(Standing::Expired),
    CardSpec::good("0000000003", 549, 0),
    CardSpec::good(CARD, 10_000, 10),
];

/// A device of each age: without serial, with the unexplained field, with both, with neither.
const AGES: &[TerminalSpec] = &[
    TerminalSpec { tells_serial: false, ..TerminalSpec::ORDINARY },
    TerminalSpec { flag: Some(b'2'), ..TerminalSpec::ORDINARY },
    TerminalSpec { tells_serial: false, flag: Some(b'2'), ..TerminalSpec::ORDINARY },
    TerminalSpec::ORDINARY,
    // Its number is that of the fourth.
    TerminalSpec { number_of: Some(3), ..TerminalSpec::ORDINARY },
];

/// One whose clock is wrong, and one that takes counts.
const TALKATIVE: &[TerminalSpec] =
    &[TerminalSpec { clock_wrong_s: -3_600, ..TerminalSpec::ORDINARY }, TerminalSpec::COUNTING];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/payment/clean",
        title: "two cards pay, and a third sale is paid by code",
        run: clean,
        explored: true,
        ..BASE
    },
    Case {
        id: "pos/payment/every-message",
        title: "a discovery, clocks asked for and set, a card shown, keys, a refusal, a count, and a payment by code",
        shows: &["POS-A1", "POS-A2", "POS-A4", "POS-D1", "POS-I1", "POS-K1", "POS-P4", "POS-P7", "POS-R6"],
        setup: Setup { terminals: 2, specs: TALKATIVE, cards: REFUSED, ..ONE },
        run: every_message,
        explored: true,
        ..BASE
    },
    Case {
        id: "pos/payment/answers-lost",
        title: "the first two acknowledgements and answers are lost, and the terminal sends its payment three times",
        plan: r#"
            [[storm]]
            link = "udp-a"
            way = "down"
            names = ["001"]
            first = 4
            percent = 100
            seed = 1
            [[storm]]
            link = "udp-a"
            way = "down"
            names = ["008"]
            first = 2
            percent = 100
            seed = 1
        "#,
        run: one_payment,
        ..BASE
    },
    Case {
        id: "pos/payment/no-answer",
        title: "every answer of the first round is lost behind its acknowledgement, and the sale waits",
        plan: r#"
            [[storm]]
            link = "udp-a"
            way = "down"
            names = ["008"]
            first = 3
            percent = 100
            seed = 1
        "#,
        run: one_payment,
        ..BASE
    },
    Case {
        id: "pos/payment/doubled-and-late",
        title: "the payment is doubled on its way, and its acknowledgement and answer are late",
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            fault = { fate = "twice", gap = "2 s" }
            [[strike]]
            site = "udp-a< 001 #2"
            fault = { fate = "delay", by = "2 s" }
            [[strike]]
            site = "udp-a< 008 #1"
            fault = { fate = "delay", by = "2500 ms" }
        "#,
        run: one_payment,
        ..BASE
    },
    Case {
        id: "pos/payment/charged-late",
        title: "the answer comes when the terminal has given the payment up, and people are told that it is charged",
        plan: r#"
            [[storm]]
            link = "udp-a"
            way = "down"
            names = ["001"]
            first = 6
            percent = 100
            seed = 1
            [[storm]]
            link = "udp-a"
            way = "down"
            names = ["008"]
            first = 4
            percent = 100
            seed = 1
        "#,
        run: one_payment,
        ..BASE
    },
    Case {
        id: "pos/payment/refused-and-charged",
        title: "a repeat is damaged and refused, the late first copy is charged, and people are told so",
        plan: r#"
            [[strike]]
            site = "udp-a> 128 #1"
            fault = { fate = "delay", by = "2500 ms" }
            [[strike]]
            # The point in the amount.
            site = "udp-a> 128 #2"
            fault = { fate = "flip-bit", bit = 361 }
        "#,
        run: one_payment_by_code,
        ..BASE
    },
    Case {
        id: "pos/payment/same-card-again",
        title: "an answer is doubled, and the card is tapped again before the second of it comes",
        plan: r#"
            [[strike]]
            site = "udp-a< 008 #1"
            fault = { fate = "twice", gap = "2 s" }
            [[strike]]
            site = "udp-a> 103 #2"
            fault = { fate = "drop" }
        "#,
        run: same_card_again,
        ..BASE
    },
    Case {
        id: "pos/payment/server-killed",
        title: "the server is killed while the charge is being made durable",
        plan: r#"
            [[strike]]
            site = "server journal-sync@1 #1"
            fault = { mishap = "crash", party = "server", torn = "old", off = "2 s" }
        "#,
        run: one_payment,
        ..BASE
    },
    Case {
        id: "pos/payment/terminal-cut",
        title: "the power of the terminal goes just after the payment has left, and comes back",
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            moment = "after"
            fault = { mishap = "power-cut", supply = "mcu-a", off = "5 s" }
        "#,
        run: one_payment,
        ..BASE
    },
    Case {
        id: "pos/payment/every-mode",
        title: "four terminals take a typed amount, a fixed one, counts, and codes",
        setup: Setup {
            terminals: 3,
            specs: &[TerminalSpec::ORDINARY, TerminalSpec::FIXED, TerminalSpec::COUNTING],
            ..ONE
        },
        run: every_mode,
        ..BASE
    },
    Case {
        id: "pos/payment/code-with-commas",
        title: "a code with commas is paid, another is declined, and the platform is lost while a third is asked",
        plan: r#"
            [[strike]]
            site = "lan< answer #3"
            fault = { fate = "half-open" }
        "#,
        run: codes,
        ..BASE
    },
    Case {
        id: "pos/payment/one-balance-two-terminals",
        title: "a balance that is enough for one of two payments is charged once",
        setup: Setup { terminals: 2, specs: &[TerminalSpec::FIXED], cards: POOR, ..ONE },
        run: at_once,
        ..BASE
    },
    Case {
        id: "pos/payment/refused",
        title: "lost, expired, overdrawn and unknown cards are refused, and a good one pays",
        setup: Setup { cards: REFUSED, ..ONE },
        run: refused,
        ..BASE
    },
    Case {
        id: "pos/payment/every-age",
        title: "devices with and without serial and unexplained field pay, two of them under one number",
        setup: Setup { terminals: 5, specs: AGES, ..ONE },
        run: every_terminal_pays,
        ..BASE
    },
    Case {
        id: "pos/payment/leap-day",
        title: "payments go on across midnight of a leap day, with clocks that are wrong by minutes and years",
        setup: Setup {
            terminals: 3,
            specs: &[
                TerminalSpec::ORDINARY,
                TerminalSpec { clock_wrong_s: -3_600, ..TerminalSpec::ORDINARY },
                TerminalSpec { clock_wrong_s: 31_536_000, ..TerminalSpec::ORDINARY },
            ],
            profile: "[bench]\nepoch = \"20240228235955\"\n",
            ..ONE
        },
        run: every_terminal_pays,
        ..BASE
    },
];

fn clean(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pause(Span::s(1))?;
    stage.pay(0, "5.50", CARD)?;
    stage.pay(0, "1.20", WHITE)?;
    stage.pay_by_code(0, "3.00", CODE)?;
    stage.rest()
}

fn every_message(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.ready(1)?;
    stage.pause(Span::s(1))?;
    stage.stimulate("server", Stimulus::Server(ServerStimulus::Discover))?;
    stage.pause(Span::s(1))?;
    let machine = stage.terminal(0)?.machine;
    stage.stimulate("server", Stimulus::Server(ServerStimulus::AskClock(machine)))?;
    stage.pause(Span::s(1))?;
    stage.tap(0, CARD)?;
    stage.act(0, "keys #7")?;
    stage.pause(Span::s(1))?;
    stage.pay(0, "5.50", "0000000001")?;
    stage.tap(1, CARD)?;
    stage.pay_by_code(0, "3.00", CODE)?;
    stage.rest()
}

fn one_payment(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pay(0, "5.50", CARD)?;
    stage.rest()
}

fn one_payment_by_code(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pay_by_code(0, "3.00", CODE)?;
    stage.rest()
}

fn same_card_again(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pay(0, "5.50", CARD)?;
    stage.pay(0, "5.50", CARD)?;
    stage.pause(Span::s(4))?;
    stage.pay(0, "5.50", CARD)?;
    stage.rest()
}

fn every_mode(stage: &mut Stage) -> Result<(), StageError> {
    for terminal in 0..3 {
        stage.ready(terminal)?;
    }
    stage.pay(0, "5.50", CARD)?;
    stage.tap(1, WHITE)?;
    stage.tap(2, CARD)?;
    stage.tap(2, WHITE)?;
    stage.pay_by_code(0, "0.01", CODE)?;
    // A card without an amount is only shown.
    stage.tap(0, CARD)?;
    stage.rest()
}

fn codes(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.pay_by_code(0, "3.00", "weixin,pay,,1")?;
    stage.pay_by_code(0, "4.00", "991234567890123456")?;
    stage.pay_by_code(0, "5.00", CODE)?;
    stage.rest()
}

fn at_once(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.ready(1)?;
    stage.pause(Span::s(1))?;
    stage.act(0, format!("tap {CARD}"))?;
    stage.act(1, format!("tap {CARD}"))?;
    stage.rest()
}

fn refused(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    for card in ["0000000001", "0000000002", "0000000003", "0000000004", CARD] {
        stage.pay(0, "5.50", card)?;
    }
    stage.rest()
}

fn every_terminal_pays(stage: &mut Stage) -> Result<(), StageError> {
    let terminals = stage.scene().terminals.len();
    for terminal in 0..terminals {
        stage.ready(terminal)?;
    }
    stage.pause(Span::s(1))?;
    for round in 0..2 {
        for terminal in 0..terminals {
            stage.pay(terminal, "2.50", if round == 0 { CARD } else { WHITE })?;
        }
        stage.pause(Span::s(4))?;
    }
    stage.rest()
}
