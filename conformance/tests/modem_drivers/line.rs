//! A host by hand, at a modem's pseudo-terminal.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long anything may take on a busy computer.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);

/// A line, as its host has it. Dropping it closes it.
pub(crate) struct Line {
    port: fs::File,
    bytes: mpsc::Receiver<Vec<u8>>,
    heard: Vec<u8>,
    over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Drop for Line {
    fn drop(&mut self) {
        // Whoever still read would take what is for the next host.
        self.over.store(true, Ordering::Relaxed);
        let _ = self.reader.take().map(JoinHandle::join);
    }
}

impl Line {
    /// Opens it anew.
    #[expect(
        clippy::disallowed_methods,
        reason = "a port is read by a thread of its own, so that a silence ends"
    )]
    pub(crate) fn open(path: &Path) -> Self {
        let raw = ["-F", path.to_str().unwrap(), "raw", "-echo"];
        assert!(Command::new("stty").args(raw).status().unwrap().success());
        // Each read ends at once, so that the reader finds out when its line is closed.
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        let port = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(i32::try_from(flags).unwrap())
            .open(path)
            .unwrap();
        let (sender, bytes) = mpsc::channel();
        let mut source = port.try_clone().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while !is_over.load(Ordering::Relaxed) {
                match source.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(len) => {
                        if sender.send(buffer[..len].to_vec()).is_err() {
                            return;
                        }
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                        // An empty message stands for a moment of silence.
                        if sender.send(Vec::new()).is_err() {
                            return;
                        }
                        thread::park_timeout(Duration::from_millis(2));
                    }
                    Err(_) => return,
                }
            }
        });
        Self { port, bytes, heard: Vec::new(), over, reader: Some(reader) }
    }

    /// Sends this, however slowly it is taken.
    pub(crate) fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.port.write(bytes) {
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    thread::park_timeout(Duration::from_millis(1));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Hears until something has come that contains this; all of it up to there. What follows is kept.
    pub(crate) fn hear(&mut self, part: &str, within: Duration) -> Result<String, String> {
        let (mut left, mut searched) = (within, 0);
        loop {
            let part = part.as_bytes();
            let found = self.heard[searched..].windows(part.len()).position(|window| window == part);
            if let Some(at) = found {
                let rest = self.heard.split_off(searched + at + part.len());
                let heard = std::mem::replace(&mut self.heard, rest);
                return Ok(String::from_utf8_lossy(&heard).into_owned());
            }
            searched = (self.heard.len() + 1).saturating_sub(part.len()).max(searched);
            match self.bytes.recv_timeout(left) {
                Ok(bytes) if bytes.is_empty() => {
                    // About two milliseconds of silence.
                    left = left.saturating_sub(Duration::from_millis(2));
                    if left.is_zero() {
                        return Err(String::from_utf8_lossy(&self.heard).into_owned());
                    }
                }
                Ok(bytes) => self.heard.extend(bytes),
                Err(_) => return Err(String::from_utf8_lossy(&self.heard).into_owned()),
            }
        }
    }

    /// Sends a line and hears out its answer, which comes to contain this.
    pub(crate) fn ask(&mut self, line: &str, part: &str) -> String {
        self.send(format!("{line}\r").as_bytes());
        self.hear(part, PATIENT).unwrap_or_else(|heard| panic!("{line:?} is answered with {heard:?}"))
    }

    /// Calls until the modem has started and is registered, and has its echo switched off.
    pub(crate) fn wake(&mut self) {
        let called = (0..200).any(|_| {
            self.send(b"AT\r");
            self.hear("OK\r\n", Duration::from_millis(100)).is_ok()
        });
        assert!(called);
        self.ask("ATE0", "OK\r\n");
        let registered = (0..200).any(|_| {
            self.send(b"AT+CREG?\r");
            self.hear("+CREG: 0,1\r\n", Duration::from_millis(100)).is_ok()
        });
        assert!(registered);
        // Answers to calls that were given up come late on a busy computer.
        while self.hear("OK\r\n", Duration::from_millis(300)).is_ok() {}
        self.heard.clear();
    }
}
