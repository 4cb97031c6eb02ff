//! Load for the served payment platforms: signed micropay calls of WeChat Pay v2, and how many a second are paid.
//!
//! `cargo run --release -p assay-conformance --example payments_load -- 127.0.0.1:8080 KEY 10 32`: the platforms, the
//! key of merchant 1900000109, for how many seconds, and over how many connections. For payers that are asked for no
//! password after ten payments a day, put `payers = { password_free_a_day = 1000000000 }` below `[profile]` in the
//! settings.

use std::env;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use assay_sim::payments::wechat_v2::sign::{SignType, sign};
use assay_sim::payments::wechat_v2::xml;

/// What was asked and what came of it.
#[derive(Default)]
struct Count {
    asked: u64,
    paid: u64,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [server, key, seconds, connections] = &words[..] else {
        say("usage: payments_load SERVER KEY SECONDS CONNECTIONS");
        return ExitCode::from(2);
    };
    let (Ok(seconds), Ok(connections)) = (seconds.parse(), connections.parse()) else {
        say("SECONDS and CONNECTIONS are whole numbers");
        return ExitCode::from(2);
    };
    match load(server, key, Duration::from_secs(seconds), connections) {
        Ok(count) => {
            let each = |count: u64| count / seconds.max(1);
            say(&format!(
                "{} calls a second were answered, {} of them paid",
                each(count.asked),
                each(count.paid)
            ));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("{server}: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a rate is measured by the real clock")]
fn load(server: &str, key: &str, span: Duration, connections: usize) -> io::Result<Count> {
    let streams: io::Result<Vec<TcpStream>> = (0..connections).map(|_| TcpStream::connect(server)).collect();
    let mut streams = streams?;
    for stream in &streams {
        stream.set_nodelay(true)?;
    }
    let begun = Instant::now();
    let run = std::process::id();
    let mut count = Count::default();
    while begun.elapsed() < span {
        for stream in &mut streams {
            count.asked += 1;
            stream.write_all(request(server, key, run, count.asked).as_bytes())?;
        }
        for stream in &mut streams {
            if answer(stream)?.contains("<result_code><![CDATA[SUCCESS]]>") {
                count.paid += 1;
            }
        }
    }
    Ok(count)
}

/// The n-th call: an order and a code of its own.
fn request(server: &str, key: &str, run: u32, nth: u64) -> String {
    let (number, code) = (format!("{run}-{nth}"), format!("14{:06}{nth:010}", run % 1_000_000));
    let mut fields: xml::Fields = [
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("nonce_str", &number),
        ("body", "tea"),
        ("out_trade_no", &number),
        ("total_fee", "1"),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", &code),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let signature = sign(&fields, key, SignType::Md5);
    fields.push(("sign".to_owned(), signature));
    let body = xml::render(&fields);
    format!("POST /pay/micropay HTTP/1.1\r\nhost: {server}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// One answer, whole.
fn answer(stream: &mut TcpStream) -> io::Result<String> {
    let (mut came, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        came.extend_from_slice(&buffer[..read]);
        if came.ends_with(b"</xml>") {
            return Ok(String::from_utf8_lossy(&came).into_owned());
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn say(text: &str) {
    println!("{text}");
}
