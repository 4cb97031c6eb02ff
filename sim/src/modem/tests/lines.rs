use super::*;
use crate::modem::config::UnaskedLines;

#[test]
fn echo_results_and_errors_take_the_form_that_was_asked_for() {
    let mut desk = Desk::ready(exact());
    assert_eq!(desk.ask("AT\r"), "\r\nOK\r\n");
    assert_eq!(desk.ask("ATE1\r"), "\r\nOK\r\n");
    assert_eq!(desk.ask("AT\r\n"), "AT\r\r\nOK\r\n");
    assert_eq!(desk.ask("AT\n"), "AT\n\r\nOK\r\n");
    assert_eq!(desk.ask("ATV0\r"), "ATV0\r0\r");
    assert_eq!(desk.ask("AT+CSQ\r"), "AT+CSQ\r+CSQ: 18,0\r\n0\r");
    assert_eq!(desk.ask("AT+NONE\r"), "AT+NONE\r4\r");
    desk.type_in(b"ATE0V1\r");
    desk.run(Span::ms(100));
    assert_eq!(desk.heard(), "ATE0V1\r\r\nOK\r\n");
    assert_eq!(desk.ask("AT+IPCLOSE\r"), "\r\nERROR\r\n");
    desk.ask("AT+CMEE=1\r");
    assert_eq!(desk.ask("AT+IPCLOSE\r"), "\r\n+CME ERROR: 3\r\n");
    assert_eq!(desk.ask("AT+NONE\r"), "\r\nERROR\r\n");
    desk.ask("AT+CMEE=2\r");
    assert_eq!(desk.ask("AT+IPCLOSE\r"), "\r\n+CME ERROR: operation not allowed\r\n");
    assert_eq!(desk.ask("AT+CMEE=3\r"), "\r\n+CME ERROR: invalid input value\r\n");
    assert_eq!(desk.ask("ATZ\r"), "\r\nOK\r\n");
    assert_eq!(desk.ask("AT+CMEE?\r"), "AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n");
}

#[test]
fn an_answer_comes_after_its_latency_and_not_a_tick_before() {
    let mut desk = Desk::ready(exact());
    desk.type_in(b"AT+CSQ\r");
    desk.run(Span::us(49_999));
    assert_eq!(desk.heard(), "");
    desk.run(Span::us(1));
    assert_eq!(desk.heard(), "\r\n+CSQ: 18,0\r\n");
    desk.run(Span::us(1_999));
    assert_eq!(desk.heard(), "");
    desk.run(Span::us(1));
    assert_eq!(desk.heard(), "\r\nOK\r\n");
}

#[test]
fn chained_commands_end_in_one_result_and_stop_at_the_first_error() {
    let mut desk = Desk::ready(exact());
    assert_eq!(desk.ask("at + csq ; + creg? ; e0\r"), "\r\n+CSQ: 18,0\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n");
    assert_eq!(desk.ask("AT+CSQ;+NONE;+CREG?\r"), "\r\n+CSQ: 18,0\r\n\r\nERROR\r\n");
    assert_eq!(desk.ask("A/;;"), "\r\n+CSQ: 18,0\r\n\r\nERROR\r\n");
}

#[test]
fn a_line_too_long_is_an_error_and_nothing_of_it_is_done() {
    let mut desk = Desk::ready(exact());
    let line = |blanks: usize| format!("ATE1{}\r", " ".repeat(blanks));
    assert_eq!(desk.ask(&line(555)), "\r\nERROR\r\n");
    assert_eq!(desk.ask("AT\r"), "\r\nOK\r\n");
    assert_eq!(desk.ask(&line(554)), "\r\nOK\r\n");
    assert_eq!(desk.ask("AT\r"), "AT\r\r\nOK\r\n");
}

#[test]
fn a_line_that_comes_before_the_final_result_is_swallowed() {
    let mut desk = Desk::ready(exact());
    desk.type_in(b"AT+CSQ\rAT+CREG?\r");
    assert_eq!(desk.ask(""), "\r\n+CSQ: 18,0\r\n\r\nOK\r\n");
    assert!(desk.events.contains(&ModemEvent::Swallowed));
    // A line whose beginning came too early is lost to its end.
    desk.type_in(b"AT+CSQ\rAT+CR");
    desk.run(Span::ms(100));
    assert_eq!(desk.heard(), "\r\n+CSQ: 18,0\r\n\r\nOK\r\n");
    assert_eq!(desk.ask("EG?\r"), "");
    assert_eq!(desk.ask("AT\r"), "\r\nOK\r\n");
}

#[test]
fn noise_without_at_is_not_answered_and_noise_before_it_is_dropped() {
    let mut desk = Desk::ready(exact());
    assert_eq!(desk.ask("BT+CSQ\r"), "");
    assert_eq!(desk.ask("\0zAT\r"), "\r\nOK\r\n");
    assert_eq!(desk.ask("\r\r\n"), "");
}

fn urc(text: &str) -> Input<'static, ModemStimulus> {
    Input::Stimulus(ModemStimulus::Urc(text.to_owned()))
}

#[test]
fn an_unsolicited_line_comes_at_the_four_places_and_nowhere_else() {
    let mut desk = Desk::connected(exact());
    desk.ask("ATE1\r");
    // Between commands.
    desk.input(urc("^X: 1"));
    assert_eq!(desk.heard(), "\r\n^X: 1\r\n");
    // Not inside the echo; after it, before the answer.
    desk.type_in(b"AT+C");
    desk.input(urc("^X: 2"));
    assert_eq!(desk.heard(), "AT+C");
    desk.type_in(b"SQ\r");
    assert_eq!(desk.heard(), "SQ\r\r\n^X: 2\r\n");
    // Between an information line and the final result.
    desk.run(Span::ms(51));
    desk.input(urc("^X: 3"));
    desk.run(Span::ms(1));
    assert_eq!(desk.heard(), "\r\n+CSQ: 18,0\r\n\r\n^X: 3\r\n\r\nOK\r\n");
    // Held while the prompt is open; between the data and the send result.
    assert_eq!(desk.ask("AT+IPSEND=2\r"), "AT+IPSEND=2\r\r\n> ");
    desk.input(urc("^X: 4"));
    desk.type_in(b"a");
    desk.net_says(0, b"hi");
    assert_eq!(desk.heard(), "a");
    desk.type_in(b"b");
    assert_eq!(desk.heard(), "b\r\n^X: 4\r\n\r\n+IPDATA: 2\r\nhi");
    desk.input(urc("^X: 5"));
    desk.acked(0, 2);
    assert_eq!(desk.heard(), "\r\n^X: 5\r\n\r\nSEND OK\r\n");
    // With reports off, planned lines of this kind are not said.
    desk.ask("AT^CURC=0\r");
    desk.input(urc("^X: 6"));
    desk.input(urc("RING"));
    assert_eq!(desk.heard(), "\r\nRING\r\n");
}

#[test]
fn a_module_that_does_not_mind_speaks_into_echoes_or_into_prompts() {
    let with = |unasked_lines| {
        let mut config = exact();
        config.module.unasked_lines = unasked_lines;
        let mut desk = Desk::connected(config);
        desk.ask("ATE1\r");
        desk.type_in(b"AT");
        desk.input(urc("RING"));
        let echo = desk.heard();
        desk.ask("\r");
        desk.ask("AT+IPSEND=1\r");
        desk.input(urc("RING"));
        (echo, desk.heard())
    };
    let told = "\r\nRING\r\n".to_owned();
    assert_eq!(with(UnaskedLines::AtTheirPlaces), ("AT".to_owned(), String::new()));
    assert_eq!(with(UnaskedLines::InsideEchoes), (format!("AT{told}"), String::new()));
    assert_eq!(with(UnaskedLines::AtPrompts), ("AT".to_owned(), told));
}

#[test]
fn a_bare_lf_means_nothing_to_a_module_that_knows_only_cr() {
    let mut config = exact();
    config.module.bare_lf_ends = false;
    let mut desk = Desk::ready(config);
    assert_eq!(desk.ask("AT\n"), "");
    assert_eq!(desk.ask("E1\r\n"), "\r\nOK\r\n");
    assert_eq!(desk.ask("AT\r\n"), "AT\r\r\nOK\r\n");
}

#[test]
fn what_waits_unsaid_is_bounded() {
    let mut desk = Desk::connected(exact());
    desk.ask("AT+IPSEND=1\r");
    for _ in 0..20 {
        desk.net_says(0, &[b'x'; 1000]);
    }
    desk.type_in(b"a");
    assert!(desk.heard_bytes().len() <= 8192);
    assert_eq!(desk.events.iter().filter(|event| matches!(event, ModemEvent::Overrun { .. })).count(), 12);
}

#[test]
fn counted_data_takes_all_256_values() {
    let mut desk = Desk::connected(exact());
    assert_eq!(desk.ask("AT+IPSEND=256\r"), "\r\n> ");
    let all: Vec<u8> = (0..=255).collect();
    desk.type_in(&all[..100]);
    assert_eq!(desk.net(), [""; 0]);
    desk.type_in(&all[100..]);
    assert_eq!(desk.net(), [format!("0 sends {}", all.escape_ascii())]);
    desk.acked(0, 255);
    assert_eq!(desk.heard(), "");
    desk.acked(0, 1);
    assert_eq!(desk.heard(), "\r\nSEND OK\r\n");
    desk.net_says(0, &all);
    assert_eq!(desk.heard_bytes(), [b"\r\n+IPDATA: 256\r\n".as_slice(), &all].concat());
}
