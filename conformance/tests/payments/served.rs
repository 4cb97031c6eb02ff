//! The tool serving the payment platforms, started for a test and ended with it.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The platforms at addresses of their own.
pub(crate) struct Served {
    process: Child,
    /// Where, plainly.
    pub(crate) http: String,
    /// Where, over TLS; empty if nowhere.
    pub(crate) https: String,
    /// Their directory.
    pub(crate) dir: PathBuf,
}

/// An empty directory of this name.
pub(crate) fn own(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("payments-{name}"));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn tool(dir: &Path, args: &[&str]) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_assay"));
    tool.args(["serve", "payments", "--dir", dir.to_str().unwrap()]).args(args).stdin(Stdio::null());
    tool
}

/// What the tool says of what it cannot serve.
pub(crate) fn refused(dir: &Path, args: &[&str]) -> String {
    let output = tool(dir, args).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

impl Served {
    /// Starts them with new keys.
    pub(crate) fn start(name: &str, args: &[&str]) -> Self {
        Self::start_in(&own(name), args)
    }

    /// Starts them in a directory.
    pub(crate) fn start_in(dir: &Path, args: &[&str]) -> Self {
        let all = [["--listen", "127.0.0.1:0"].as_slice(), args].concat();
        let mut process = tool(dir, &all).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let (mut http, mut https) = (String::new(), String::new());
        loop {
            let line = lines.next().expect("it says `ready`");
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["http", at] => (*at).clone_into(&mut http),
                ["https", at, ..] => at.trim_end_matches(',').clone_into(&mut https),
                ["ready"] => break,
                _ => {}
            }
        }
        Self { process, http, https, dir: dir.to_owned() }
    }

    /// Posts a body, and reads the whole answer.
    pub(crate) fn post(&self, path: &str, kind: &str, body: &str) -> String {
        let (answer, end) = self.exchange(path, kind, body);
        end.unwrap();
        answer
    }

    /// Posts a body; what came, and how the connection ended.
    pub(crate) fn exchange(&self, path: &str, kind: &str, body: &str) -> (String, io::Result<()>) {
        let mut stream = TcpStream::connect(self.http.trim_start_matches("http://")).unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\ncontent-type: {kind}");
        let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).unwrap();
        let mut came = Vec::new();
        let end = stream.read_to_end(&mut came);
        (String::from_utf8(came).unwrap(), end.map(drop))
    }

    /// The first entry of a list of the settings.
    pub(crate) fn setting(&self, list: &str) -> toml::Table {
        let text = fs::read_to_string(self.dir.join("payments.toml")).unwrap();
        let all: toml::Table = text.parse().unwrap();
        all[list][0].as_table().unwrap().clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
