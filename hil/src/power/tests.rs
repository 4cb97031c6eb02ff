//! Power switches without the hardware that they switch.

use std::io;
use std::sync::{Arc, Mutex};

use tokio_serial::{ClearBuffer, DataBits, FlowControl, Parity, Result, SerialPort, StopBits};

use super::*;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn commands_switch_and_their_failures_are_named() {
    let power = Power::Command { on: words(&["true"]), off: words(&["false"]) };
    let mut switch = Switch::open(&power, Span::s(5)).unwrap();
    assert_eq!(switch.set(true), Ok(()));
    let error = switch.set(false).unwrap_err();
    assert!(error.starts_with("`false` ended with exit status: 1"), "{error}");
    let power = Power::Command { on: words(&["sleep", "60"]), off: words(&["no-such-program"]) };
    let mut switch = Switch::open(&power, Span::ms(20)).unwrap();
    assert_eq!(switch.set(true).unwrap_err(), "`sleep` did not end within 20 ms");
    assert!(switch.set(false).unwrap_err().starts_with("`no-such-program` could not be started: "));
}

#[cfg(unix)]
#[test]
fn a_relay_is_told_the_bytes_of_its_data_sheet() {
    use tokio::io::AsyncReadExt as _;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut far, near) = tokio_serial::SerialStream::pair().unwrap();
        let mut switch = Switch::Relay(Box::new(near));
        switch.set(false).unwrap();
        switch.set(true).unwrap();
        let mut told = [0; 8];
        far.read_exact(&mut told).await.unwrap();
        assert_eq!(told, [0xA0, 0x01, 0x00, 0xA1, 0xA0, 0x01, 0x01, 0xA2]);
    });
}

/// A port that notes what is done to its control lines, and has nothing else.
struct Lines(Arc<Mutex<Vec<(ControlLine, bool)>>>);

fn no<T>() -> Result<T> {
    Err(tokio_serial::Error::new(tokio_serial::ErrorKind::InvalidInput, "control lines only"))
}

impl io::Read for Lines {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Methods that a switch has no use for.
macro_rules! unused {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self $(, _: $argument)*) -> Result<$result> { no() })*
    };
    (mut $($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $name(&mut self $(, _: $argument)*) -> Result<$result> { no() })*
    };
}

impl SerialPort for Lines {
    fn name(&self) -> Option<String> {
        None
    }

    fn timeout(&self) -> Duration {
        Duration::ZERO
    }

    fn write_request_to_send(&mut self, level: bool) -> Result<()> {
        self.0.lock().unwrap().push((ControlLine::Rts, level));
        Ok(())
    }

    fn write_data_terminal_ready(&mut self, level: bool) -> Result<()> {
        self.0.lock().unwrap().push((ControlLine::Dtr, level));
        Ok(())
    }

    unused! {
        baud_rate() -> u32;
        data_bits() -> DataBits;
        flow_control() -> FlowControl;
        parity() -> Parity;
        stop_bits() -> StopBits;
        bytes_to_read() -> u32;
        bytes_to_write() -> u32;
        clear(ClearBuffer) -> ();
        try_clone() -> Box<dyn SerialPort>;
        set_break() -> ();
        clear_break() -> ();
    }

    unused! { mut
        set_baud_rate(u32) -> ();
        set_data_bits(DataBits) -> ();
        set_flow_control(FlowControl) -> ();
        set_parity(Parity) -> ();
        set_stop_bits(StopBits) -> ();
        set_timeout(Duration) -> ();
        read_clear_to_send() -> bool;
        read_data_set_ready() -> bool;
        read_ring_indicator() -> bool;
        read_carrier_detect() -> bool;
    }
}

#[test]
fn a_control_line_gives_power_at_its_level_and_takes_it_at_the_other() {
    for line in [ControlLine::Dtr, ControlLine::Rts] {
        for on_high in [true, false] {
            let told = Arc::default();
            let mut switch = Switch::Line { port: Box::new(Lines(Arc::clone(&told))), line, on_high };
            assert_eq!([switch.set(true), switch.set(false)], [Ok(()), Ok(())]);
            assert_eq!(*told.lock().unwrap(), [(line, on_high), (line, !on_high)]);
        }
    }
    let switch = |line| Switch::Line { port: Box::new(Lines(Arc::default())), line, on_high: true }.name();
    assert_eq!([switch(ControlLine::Dtr), switch(ControlLine::Rts)], ["DTR", "RTS"]);
}
