//! `atat`, a public crate for AT commands: its client and its digester drive a served SIM800A through one connection.

use std::fs;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use atat::atat_derive::{AtatCmd, AtatResp, AtatUrc};
use atat::blocking::{AtatClient as _, Client};
use atat::heapless;
use atat::{
    AtatCmd, AtatIngress as _, Config, DefaultDigester, Error, Ingress, InternalError, ResponseSlot,
    UrcChannel,
};

use crate::served::{Served, echo_server, own};

#[derive(Clone, AtatResp)]
struct Nothing;

#[derive(Clone, AtatCmd)]
#[at_cmd("", Nothing, timeout_ms = 500)]
struct Call;

#[derive(Clone, AtatCmd)]
#[at_cmd("E0", Nothing, timeout_ms = 10_000, value_sep = false)]
struct EchoOff;

#[derive(Clone, AtatResp)]
struct Signal {
    rssi: u8,
    ber: u8,
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CSQ", Signal, timeout_ms = 10_000)]
struct AskSignal;

#[derive(Clone, AtatResp)]
struct Registration {
    _reports: u8,
    stat: u8,
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CREG?", Registration, timeout_ms = 10_000)]
struct AskRegistration;

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPRXGET", Nothing, timeout_ms = 10_000)]
struct Buffered {
    mode: u8,
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPSTART", Nothing, timeout_ms = 30_000)]
struct Start<'a> {
    kind: &'a str,
    host: &'a str,
    port: u16,
}

/// Ends in the prompt.
#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPSEND", Nothing, timeout_ms = 10_000)]
struct Send {
    len: usize,
}

/// What follows the prompt.
struct Data<'a>(&'a [u8]);

impl AtatCmd for Data<'_> {
    type Response = Nothing;
    const EXPECTS_RESPONSE_CODE: bool = false;

    fn write(&self, buffer: &mut [u8]) -> usize {
        buffer[..self.0.len()].copy_from_slice(self.0);
        self.0.len()
    }

    fn parse(&self, answer: Result<&[u8], InternalError<'_>>) -> Result<Nothing, Error> {
        answer.map(|_| Nothing).map_err(Error::from)
    }
}

#[derive(Clone, AtatResp)]
struct Bytes {
    data: heapless::Vec<u8, 64>,
}

/// Reads what is buffered.
struct Read;

impl AtatCmd for Read {
    type Response = Bytes;
    const MAX_TIMEOUT_MS: u32 = 10_000;

    fn write(&self, buffer: &mut [u8]) -> usize {
        let line = b"AT+CIPRXGET=2,64\r";
        buffer[..line.len()].copy_from_slice(line);
        line.len()
    }

    fn parse(&self, answer: Result<&[u8], InternalError<'_>>) -> Result<Bytes, Error> {
        // The announcement of the data may stand before it, which the crate takes for a part of the answer.
        let answer = answer.map_err(Error::from)?;
        let head = b"+CIPRXGET: 2,";
        let start = answer.windows(head.len()).position(|part| part == head).ok_or(Error::Parse)?;
        let end = answer[start..].iter().position(|byte| *byte == b'\n').ok_or(Error::Parse)?;
        let data = heapless::Vec::from_slice(&answer[start + end + 1..]).map_err(|_| Error::Parse)?;
        Ok(Bytes { data })
    }
}

#[derive(Clone, PartialEq, Debug, AtatUrc)]
enum Urc {
    #[at_urc("CONNECT OK")]
    ConnectOk,
    #[at_urc("CONNECT FAIL")]
    ConnectFail,
    #[at_urc("SEND OK")]
    SendOk,
    #[at_urc("CLOSED")]
    Closed,
    #[at_urc("CLOSE OK")]
    CloseOk,
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPCLOSE", Nothing, timeout_ms = 200)]
struct Close;

/// A port as the crate writes to it.
struct Port(fs::File);

impl embedded_io::ErrorType for Port {
    type Error = std::io::Error;
}

impl embedded_io::Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, std::io::Error> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Result<(), std::io::Error> {
        self.0.flush()
    }
}

static ANSWERS: ResponseSlot<512> = ResponseSlot::new();
static REPORTS: UrcChannel<Urc, 16, 1> = UrcChannel::new();

#[test]
#[expect(clippy::disallowed_methods, reason = "the crate is fed from a thread of its own, as it asks for")]
fn a_client_of_the_crate_atat_opens_uses_and_closes_a_connection() {
    let dir = own("atat");
    let server = echo_server();
    let served = Served::start("sim800a", &dir, &["--dial"]);
    let raw = ["-F", served.path.to_str().unwrap(), "raw", "-echo", "min", "0", "time", "1"];
    assert!(std::process::Command::new("stty").args(raw).status().unwrap().success());
    let port = fs::OpenOptions::new().read(true).write(true).open(&served.path).unwrap();
    let mut reports = REPORTS.subscribe().unwrap();
    let mut reader = port.try_clone().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let feeding = thread::spawn(move || {
        let mut held = [0; 512];
        let mut ingress = Ingress::new(DefaultDigester::<Urc>::default(), &mut held, &ANSWERS, &REPORTS);
        let mut buffer = [0; 256];
        while !is_over.load(Ordering::Relaxed) {
            let len = reader.read(&mut buffer).unwrap();
            ingress.try_write(&buffer[..len]).unwrap();
        }
    });
    let mut expect = |wanted: Urc| {
        for _ in 0..3_000 {
            match reports.try_next_message_pure() {
                Some(urc) => return assert_eq!(urc, wanted),
                None => thread::park_timeout(Duration::from_millis(10)),
            }
        }
        panic!("{wanted:?} has not come");
    };
    let mut buffer = [0; 256];
    let mut client = Client::new(Port(port), &ANSWERS, &mut buffer, Config::default());
    assert!((0..60).any(|_| client.send(&Call).is_ok()));
    client.send(&EchoOff).unwrap();
    let signal = client.send(&AskSignal).unwrap();
    assert_eq!((signal.rssi, signal.ber), (18, 0));
    assert!((0..100).any(|_| client.send(&AskRegistration).unwrap().stat == 1));
    client.send(&Buffered { mode: 1 }).unwrap();
    client.send(&Start { kind: "TCP", host: "127.0.0.1", port: server.port() }).unwrap();
    expect(Urc::ConnectOk);
    client.send(&Send { len: 15 }).unwrap();
    client.send(&Data(b"the tap is open")).unwrap();
    expect(Urc::SendOk);
    let mut read = || client.send(&Read).unwrap().data;
    let data = (0..300).map(|_| read()).find(|data| !data.is_empty());
    assert_eq!(data.unwrap().as_slice(), b"the tap is open");
    // There is no OK behind it, for which the crate waits in vain.
    assert!(client.send(&Close).is_err());
    expect(Urc::CloseOk);
    over.store(true, Ordering::Relaxed);
    feeding.join().unwrap();
    served.end();
}
