use super::*;
use crate::modem::port::{PWRKEY, RESET};

fn key(desk: &mut Desk<M6311Dialect>, held: bool) {
    desk.input(Input::Level { port: PWRKEY, high: !held });
}

fn reset(desk: &mut Desk<M6311Dialect>, low: bool) {
    desk.input(Input::Level { port: RESET, high: !low });
}

fn keyed() -> M6311ModemConfig {
    let mut config = exact();
    config.module.auto_on = false;
    config
}

#[test]
fn nothing_is_said_before_the_start_is_over_and_nothing_of_the_start_before_the_speed_is_known() {
    let mut desk = Desk::new(exact());
    desk.type_in(b"AT\r");
    desk.input(Input::PowerOn);
    assert_eq!(desk.status, Some(true));
    desk.run(Span::us(2_999_999));
    desk.type_in(b"AT\r");
    desk.run(Span::us(1));
    assert!(desk.events.contains(&ModemEvent::Booted));
    assert_eq!(desk.heard(), "");
    desk.run(Span::ms(600));
    assert_eq!(desk.heard(), "");
    assert_eq!(desk.ask("AT\r"), "AT\r\r\nOK\r\n");
    desk.run(Span::s(1));
    assert_eq!(desk.heard(), "\r\n+CPIN: READY\r\n");
}

#[test]
fn with_a_fixed_speed_the_start_is_told_at_its_times() {
    let mut config = exact();
    config.module.fixed_rate = true;
    let mut desk = Desk::new(config);
    desk.input(Input::PowerOn);
    desk.run(Span::us(2_999_999));
    assert_eq!(desk.heard(), "");
    desk.run(Span::us(1));
    assert_eq!(desk.heard(), "\r\nRDY\r\n");
    desk.run(Span::us(499_999));
    assert_eq!(desk.heard(), "");
    desk.run(Span::us(1));
    assert_eq!(desk.heard(), "\r\n+CFUN: 1\r\n");
    desk.run(Span::s(5));
    assert_eq!(desk.heard(), "\r\n+CPIN: READY\r\n");
}

#[test]
fn the_key_starts_the_module_after_its_time_and_not_a_tick_before() {
    let mut desk = Desk::new(keyed());
    desk.input(Input::PowerOn);
    assert_eq!(desk.status, Some(false));
    key(&mut desk, true);
    desk.run(Span::us(1_999_999));
    key(&mut desk, false);
    desk.run(Span::s(10));
    assert_eq!(desk.ask("AT\r"), "");
    assert_eq!(desk.status, Some(false));
    key(&mut desk, true);
    desk.run(Span::us(2_000_000));
    assert_eq!(desk.status, Some(true));
    // Held on, one press does one thing.
    desk.run(Span::s(60));
    key(&mut desk, false);
    assert_eq!(desk.ask("AT\r"), "AT\r\r\nOK\r\n");
}

#[test]
fn the_key_stops_the_module_after_its_time_and_not_a_tick_before() {
    let mut desk = Desk::connected(exact());
    key(&mut desk, true);
    desk.run(Span::us(5_999_999));
    key(&mut desk, false);
    assert_eq!(desk.ask("AT\r"), "\r\nOK\r\n");
    key(&mut desk, true);
    desk.run(Span::us(6_000_000));
    assert_eq!(desk.status, Some(false));
    assert_eq!(desk.net(), ["0 closes"]);
    assert_eq!(desk.ask("AT\r"), "");
}

#[test]
fn the_reset_pin_restarts_the_module_after_its_time_and_not_a_tick_before() {
    let mut desk = Desk::connected(exact());
    reset(&mut desk, true);
    desk.run(Span::us(99_999));
    reset(&mut desk, false);
    assert_eq!(desk.ask("AT\r"), "\r\nOK\r\n");
    reset(&mut desk, true);
    desk.run(Span::us(100_000));
    assert_eq!(desk.net(), ["0 drops"]);
    desk.run(Span::s(10));
    assert_eq!(desk.ask("AT\r"), "");
    reset(&mut desk, false);
    desk.run(Span::s(3));
    assert_eq!(desk.ask("AT+CMSTATE\r"), "AT+CMSTATE\r\r\n+CMSTATE: IP INITIAL\r\n\r\nOK\r\n");
}

#[test]
fn the_reset_pin_does_not_start_a_module_that_is_off() {
    let mut desk = Desk::new(keyed());
    desk.input(Input::PowerOn);
    reset(&mut desk, true);
    desk.run(Span::s(1));
    reset(&mut desk, false);
    desk.run(Span::s(10));
    assert_eq!(desk.ask("AT\r"), "");
}

#[test]
fn a_power_cut_forgets_everything_and_the_pins_are_the_hosts() {
    let mut desk = Desk::connected(exact());
    desk.type_in(b"AT+IPSEND=4\r");
    desk.run(Span::ms(50));
    key(&mut desk, true);
    desk.cut();
    assert!(!desk.modem.is_on());
    assert_eq!(desk.modem.poll_timeout(), None);
    desk.heard();
    desk.type_in(b"AT\r");
    desk.input(Input::PowerOn);
    desk.run(Span::s(3));
    assert_eq!(desk.ask("AT+CGATT?\r"), "AT+CGATT?\r\r\n+CGATT: 0\r\n\r\nOK\r\n");

    // A key that was held through the cut counts from the return of power.
    let mut desk = Desk::new(keyed());
    key(&mut desk, true);
    desk.input(Input::PowerOn);
    desk.run(Span::us(1_999_999));
    assert_eq!(desk.status, Some(false));
    desk.run(Span::us(1));
    assert_eq!(desk.status, Some(true));
}

#[test]
fn equal_histories_at_different_times_have_one_digest_and_a_setting_changes_it() {
    let run = |idle: Span| {
        let mut desk = Desk::new(exact());
        desk.run(idle);
        desk.input(Input::PowerOn);
        desk.run(Span::s(9));
        desk.ask("ATE0\r");
        desk.type_in(b"AT+CS");
        desk
    };
    let early = run(Span::ZERO);
    assert_eq!(early.digest(), run(Span::s(7)).digest());
    let mut other = early.clone();
    other.type_in(b"Q");
    assert_ne!(early.digest(), other.digest());
}
