//! A modem that is served, and what is at the other end of its connections.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

/// The tool.
pub(crate) const ASSAY: &str = env!("CARGO_BIN_EXE_assay");

/// A directory of the test's own.
pub(crate) fn own(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drivers").join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// A modem at its pseudo-terminal.
pub(crate) struct Served {
    child: Child,
    /// Where the pseudo-terminal is.
    pub(crate) path: PathBuf,
}

impl Served {
    /// A modem that has started and is registered within a fraction of a second, with these options besides.
    pub(crate) fn start(party: &str, dir: &Path, words: &[&str]) -> Self {
        let path = dir.join("modem");
        let mut command = Command::new(ASSAY);
        command.args(["serve", party, "--pty", path.to_str().unwrap(), "--divide-timers", "50"]);
        let mut child = command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
        assert_eq!(told, "ready\n");
        Self { child, path }
    }

    /// Ends it in good order; what it said on its standard error.
    pub(crate) fn end(mut self) -> String {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        said
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended long since, unless a test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that sends back whatever it is sent, to any number of callers, one after the other and at once.
#[expect(clippy::disallowed_methods, reason = "the peers of real connections run beside their host")]
pub(crate) fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut peer, _)) = listener.accept() {
            thread::spawn(move || {
                let mut buffer = [0; 16_384];
                while let Ok(len @ 1..) = peer.read(&mut buffer) {
                    if peer.write_all(&buffer[..len]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}
