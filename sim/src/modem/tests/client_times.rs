use super::*;
use crate::modem::client::{Client, ClientOutput, DownWhy, SendFailure};

/// A client with a hand in place of its module.
#[derive(Clone)]
struct Hand {
    client: Client,
    now: Instant,
    log: Vec<String>,
}

impl Hand {
    fn new() -> Self {
        let mut hand =
            Self { client: Client::new(profile().host, server()), now: Instant::ZERO, log: Vec::new() };
        hand.client.start(hand.now);
        hand.drain();
        hand
    }

    /// Where the connection stands.
    fn up() -> Self {
        let mut hand = Self::new();
        hand.run(Span::s(3));
        for answer in ["OK", "OK", "+CPIN: READY|OK", "+CSQ: 18,0|OK", "+CREG: 0,1|OK"] {
            hand.says(answer);
            hand.run(Span::ms(200));
        }
        for _ in 0..7 {
            hand.says("OK");
        }
        hand.says("CONNECT OK");
        assert!(hand.client.is_up(), "{:?}", hand.log);
        hand.log.clear();
        hand
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            let text = match output {
                ClientOutput::Transmit(bytes) => bytes.escape_ascii().to_string(),
                ClientOutput::PowerKey(high) => format!("key {}", if high { "high" } else { "low" }),
                ClientOutput::Reset(high) => format!("reset {}", if high { "high" } else { "low" }),
                other => format!("{other:?}"),
            };
            self.log.push(format!("{:>8} {text}", self.now.as_us() / 1000));
        }
    }

    /// Lines of the module, with `|` between two.
    fn says(&mut self, lines: &str) {
        for line in lines.split('|') {
            self.client.handle_bytes(self.now, format!("\r\n{line}\r\n").as_bytes());
            self.drain();
        }
    }

    fn hears(&mut self, bytes: &[u8]) {
        self.client.handle_bytes(self.now, bytes);
        self.drain();
    }

    fn run(&mut self, span: Span) {
        let end = self.now + span;
        while let Some(due) = self.client.poll_timeout().filter(|due| *due <= end) {
            self.now = due;
            self.client.handle_deadline(due);
            self.drain();
        }
        self.now = end;
    }

    /// What happens, and only, at the end of this span.
    fn exactly_after(&mut self, span: Span) -> Vec<String> {
        self.log.clear();
        self.run(span - Span::us(1));
        assert_eq!(self.log, [""; 0], "before {span}");
        self.run(Span::us(1));
        self.log.iter().map(|line| line[9..].to_owned()).collect()
    }

    fn digest(&self) -> u128 {
        let mut digest = Digest::new(self.now);
        self.client.digest(&mut digest);
        digest.finish()
    }
}

#[test]
fn a_module_that_never_answers_is_called_and_restarted_at_growing_pauses() {
    let mut hand = Hand::new();
    hand.run(Span::s(50));
    let log: Vec<&str> =
        hand.log.iter().map(String::as_str).filter(|line| !line.ends_with(" AT\\r")).collect();
    assert_eq!(
        log,
        [
            "       0 reset low",
            "       0 key low",
            "     200 reset high",
            "    3000 key high",
            "   13000 GaveUp { step: \"AT\" }",
            "   14000 reset low",
            "   14000 key low",
            "   14200 reset high",
            "   17000 key high",
            "   27000 GaveUp { step: \"AT\" }",
            "   29000 reset low",
            "   29000 key low",
            "   29200 reset high",
            "   32000 key high",
            "   42000 GaveUp { step: \"AT\" }",
            "   46000 reset low",
            "   46000 key low",
            "   46200 reset high",
            "   49000 key high",
        ]
    );
    let calls: Vec<&str> =
        hand.log.iter().filter_map(|line| line.strip_suffix(" AT\\r")).map(str::trim).take(11).collect();
    assert_eq!(
        calls,
        ["3000", "4000", "5000", "6000", "7000", "8000", "9000", "10000", "11000", "12000", "17000"]
    );
}

#[test]
fn a_module_that_answers_is_let_finish_before_it_is_asked() {
    let mut hand = Hand::new();
    hand.run(Span::s(3));
    hand.says("OK");
    assert_eq!(hand.client.timer_name(), Some("client-pause"));
    assert_eq!(hand.exactly_after(Span::ms(200)), ["ATE0\\r"]);
    assert_eq!(hand.client.timer_name(), Some("client-command"));
}

#[test]
fn a_refused_command_is_tried_again_after_a_pause_and_at_last_given_up() {
    let mut hand = Hand::new();
    hand.run(Span::s(3));
    hand.says("OK");
    hand.run(Span::ms(200));
    hand.says("OK");
    for _ in 0..2 {
        hand.says("+CME ERROR: 10");
        assert_eq!(hand.exactly_after(Span::s(1)), ["AT+CPIN?\\r"]);
    }
    hand.log.clear();
    // An answer without its information line is none.
    hand.says("OK");
    assert!(hand.log[0].ends_with("GaveUp { step: \"AT+CPIN?\" }"));
    // The module has answered before, so its key is left alone.
    assert_eq!(hand.exactly_after(Span::s(1)), ["reset low"]);
}

#[test]
fn an_unanswered_command_has_the_module_called_first() {
    let mut hand = Hand::new();
    hand.run(Span::s(3));
    hand.says("OK");
    hand.run(Span::ms(200));
    assert_eq!(hand.exactly_after(Span::ms(5_200)), ["AT\\r"]);
    // An answer may be the command's, late, and then the module is still at the call: its time is waited for.
    let mut twice = hand.clone();
    hand.says("OK");
    assert_eq!(hand.exactly_after(Span::s(1)), ["ATE0\\r"]);
    // With the second one nothing is owed any more.
    twice.says("OK|OK");
    assert_eq!(twice.exactly_after(Span::ms(200)), ["ATE0\\r"]);
}

#[test]
fn an_answer_to_a_call_that_was_given_up_does_not_end_the_next_one() {
    let mut hand = Hand::new();
    hand.run(Span::s(4));
    // Both were away: the first call's time ran out, and its answer reaches the host behind the second call.
    hand.says("OK");
    let mut silent = hand.clone();
    assert_eq!(silent.exactly_after(Span::s(1)), ["ATE0\\r"]);
    hand.run(Span::ms(999));
    hand.says("OK");
    assert_eq!(hand.exactly_after(Span::ms(200)), ["ATE0\\r"]);
    // Where no time has run out, one answer is enough.
    let mut prompt = Hand::new();
    prompt.run(Span::s(3));
    prompt.says("OK");
    assert_eq!(prompt.exactly_after(Span::ms(200)), ["ATE0\\r"]);
}

#[test]
fn a_restart_forgets_all_but_one_of_the_answers_that_may_still_come() {
    let mut hand = Hand::new();
    hand.run(Span::s(17));
    hand.says("OK");
    let mut late = hand.clone();
    assert_eq!(late.exactly_after(Span::s(1)), ["ATE0\\r"]);
    hand.says("OK");
    assert_eq!(hand.exactly_after(Span::ms(200)), ["ATE0\\r"]);
}

#[test]
fn a_send_waits_for_its_prompt_and_its_result_up_to_their_limits() {
    let mut hand = Hand::up();
    hand.client.send(hand.now, b"hello").unwrap();
    let lost = [
        format!("{:?}", ClientOutput::SendFailed { why: SendFailure::TimedOut }),
        format!("{:?}", ClientOutput::Down { why: DownWhy::Silent }),
        "\\r\\r\\r\\r\\r".to_owned(),
    ];
    let mut asked = hand.clone();
    asked.drain();
    assert_eq!(asked.exactly_after(Span::s(10)), lost);
    assert_eq!(asked.exactly_after(Span::ms(200)), ["AT\\r"]);
    for _ in 0..3 {
        assert_eq!(asked.exactly_after(Span::s(1)), ["AT\\r"]);
    }
    assert_eq!(asked.exactly_after(Span::s(1)), ["GaveUp { step: \"AT\" }"]);
    hand.hears(b"\r\n> ");
    assert_eq!(hand.exactly_after(Span::s(16)), lost);
}

#[test]
fn a_connection_is_waited_for_up_to_its_limit() {
    let mut hand = Hand::up();
    hand.says("CONNECTION CLOSED");
    assert_eq!(hand.exactly_after(Span::s(1)), ["AT+IPSTART=\\\"TCP\\\",\\\"192.0.2.10\\\",7000\\r"]);
    hand.says("OK");
    let mut late = hand.clone();
    // 25 s for the connection, then the second pause.
    assert_eq!(late.exactly_after(Span::s(27)), ["AT+IPCLOSE\\r"]);
    hand.run(Span::us(24_999_999));
    hand.says("CONNECT OK");
    assert!(hand.client.is_up());
}

#[test]
fn attaching_may_take_longer_than_other_commands() {
    let mut hand = Hand::new();
    hand.run(Span::s(3));
    hand.says("OK");
    hand.run(Span::ms(200));
    for answer in ["OK", "+CPIN: READY|OK", "+CSQ: 18,0|OK"] {
        hand.says(answer);
    }
    hand.says("+CREG: 0,2|OK");
    assert_eq!(hand.exactly_after(Span::s(1)), ["AT+CREG?\\r"]);
    hand.says("+CREG: 0,5|OK");
    assert_eq!(hand.exactly_after(Span::ms(30_200)), ["AT\\r"]);
}

#[test]
fn a_restart_that_the_module_tells_of_is_believed_at_once() {
    let mut hand = Hand::up();
    hand.client.send(hand.now, b"hello").unwrap();
    hand.drain();
    hand.log.clear();
    hand.says("RDY");
    let said: Vec<&str> = hand.log.iter().map(|line| &line[9..]).collect();
    assert_eq!(said, ["SendFailed { why: LinkLost }", "Down { why: Rebooted }"]);
    assert_eq!(hand.exactly_after(Span::s(1)), ["reset low"]);
}

#[test]
fn an_idle_client_has_one_digest_and_a_byte_changes_it() {
    let early = Hand::up();
    let mut idle = early.clone();
    idle.run(Span::s(100));
    assert_eq!(early.digest(), idle.digest());
    idle.hears(b"\r\nO");
    assert_ne!(early.digest(), idle.digest());
}
