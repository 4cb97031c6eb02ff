use super::*;

/// On a data line for a second and more.
fn online() -> Desk<M6311Dialect> {
    let mut desk = Desk::active(exact());
    assert_eq!(desk.ask("AT+CMMODE=1;+CMTCFG=1,8,2\r"), "\r\nOK\r\n");
    desk.ask("AT+IPSTART=\"TCP\",\"192.0.2.10\",7000\r");
    desk.input(Input::Opened { port: Port(NET_BASE), from: None });
    assert_eq!(desk.heard(), "\r\nCONNECT\r\n");
    desk.net();
    desk
}

#[test]
fn data_goes_on_when_enough_has_come_or_after_a_silence() {
    let mut desk = online();
    desk.type_in(b"0123456789");
    assert_eq!(desk.net(), ["0 sends 01234567"]);
    desk.run(Span::us(199_999));
    assert_eq!(desk.net(), [""; 0]);
    desk.run(Span::us(1));
    assert_eq!(desk.net(), ["0 sends 89"]);
    desk.net_says(0, b"\r\nOK\r\n");
    assert_eq!(desk.heard(), "\r\nOK\r\n");
}

#[test]
fn the_escape_needs_the_silence_before_it() {
    for (quiet, escapes) in [(999_999, false), (1_000_000, true)] {
        let mut desk = online();
        desk.type_in(b"x");
        desk.run(Span::us(quiet));
        desk.type_in(b"+++");
        desk.run(Span::s(2));
        assert_eq!(desk.heard(), if escapes { "\r\nOK\r\n" } else { "" }, "{quiet}");
        let expected: &[&str] = if escapes { &["0 sends x"] } else { &["0 sends x", "0 sends +++"] };
        assert_eq!(desk.net(), expected);
    }
}

#[test]
fn the_escape_needs_the_silence_after_it() {
    for (quiet, escapes) in [(999_999, false), (1_000_000, true)] {
        let mut desk = online();
        desk.run(Span::s(2));
        desk.type_in(b"+++");
        desk.run(Span::us(quiet));
        desk.type_in(b"AT\r");
        desk.run(Span::s(1));
        assert_eq!(desk.heard(), if escapes { "\r\nOK\r\n\r\nOK\r\n" } else { "" }, "{quiet}");
        let expected: &[&str] = if escapes { &[] } else { &["0 sends +++AT\\r"] };
        assert_eq!(desk.net(), expected);
    }
}

#[test]
fn the_escape_needs_its_characters_within_their_time_and_no_more_than_three() {
    for (gap, escapes) in [(999_999, true), (1_000_000, false)] {
        let mut desk = online();
        desk.run(Span::s(2));
        desk.type_in(b"+");
        desk.run(Span::us(gap));
        desk.type_in(b"++");
        desk.run(Span::s(3));
        assert_eq!(desk.heard(), if escapes { "\r\nOK\r\n" } else { "" }, "{gap}");
        assert_eq!(desk.net().concat().matches('+').count(), if escapes { 0 } else { 3 });
    }
    let mut desk = online();
    desk.run(Span::s(2));
    desk.type_in(b"++++");
    desk.run(Span::s(2));
    assert_eq!(desk.heard(), "");
    assert_eq!(desk.net(), ["0 sends ++++"]);
}

#[test]
fn after_an_escape_the_module_takes_commands_and_goes_back_or_leaves_for_good() {
    let mut desk = online();
    desk.run(Span::s(2));
    desk.type_in(b"+++");
    desk.run(Span::s(1));
    desk.heard();
    assert_eq!(desk.ask("AT+CMSTATE\r"), "\r\n+CMSTATE: CONNECT OK\r\n\r\nOK\r\n");
    assert_eq!(desk.ask("ATO\r"), "\r\nCONNECT\r\n");
    desk.type_in(b"12345678");
    assert_eq!(desk.net(), ["0 sends 12345678"]);
    desk.run(Span::s(2));
    desk.type_in(b"+++");
    desk.run(Span::s(1));
    desk.heard();
    assert_eq!(desk.ask("AT+CMMODE=0\r"), "\r\nOK\r\n");
    assert_eq!(desk.ask("ATO\r"), "\r\nERROR\r\n");
    assert_eq!(desk.ask("AT+IPSEND=1\r"), "\r\n> ");
}

#[test]
fn the_end_of_the_connection_and_of_the_context_break_into_the_stream() {
    let mut desk = online();
    desk.input(Input::Stimulus(ModemStimulus::Urc("RING".into())));
    assert_eq!(desk.heard(), "");
    desk.closed(0, Closing::Fin);
    assert_eq!(desk.heard(), "\r\nRING\r\n\r\nCONNECTION CLOSED\r\n");
    assert_eq!(desk.ask("AT\r"), "\r\nOK\r\n");
    let mut desk = online();
    desk.input(Input::Stimulus(ModemStimulus::PdpLost));
    assert_eq!(desk.heard(), "\r\n+PDP: DEACT\r\n");
    assert_eq!(desk.ask("AT\r"), "\r\nOK\r\n");
}
