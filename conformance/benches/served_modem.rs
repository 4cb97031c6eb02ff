//! How much passes through a SIM800A that is served on a pseudo-terminal: over a transparent connection to a server
//! that sends everything back, so that each byte crosses the modem twice.

#![expect(clippy::unwrap_used, reason = "what is missing ends the measurement right there")]

#[cfg(unix)]
#[path = "../tests/modem_drivers/line.rs"]
mod line;
#[cfg(unix)]
#[path = "../tests/modem_drivers/served.rs"]
mod served;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[cfg(unix)]
fn through(criterion: &mut Criterion) {
    let server = served::echo_server();
    let mut group = criterion.benchmark_group("served-modem");
    group.sample_size(10);
    for (name, speed, len) in
        [("unpaced", &["--unpaced"][..], 1_000_000_usize), ("115200 baud", &["--baud", "115200"], 11_520)]
    {
        let dir = served::own(&format!("bench-{}", name.replace(' ', "-")));
        let modem = served::Served::start("sim800a", &dir, &[&["--dial"], speed].concat());
        let mut line = line::Line::open(&modem.path);
        line.wake();
        line.ask("AT+CIPMODE=1", "OK\r\n");
        line.ask("AT+CIPCCFG=5,2,1460,1", "OK\r\n");
        line.ask(&format!("AT+CIPSTART=\"TCP\",\"127.0.0.1\",{}", server.port()), "CONNECT\r\n");
        let data = [vec![b'x'; len - 1], vec![b'\n']].concat();
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                line.send(&data);
                line.hear("\n", line::PATIENT).unwrap();
            });
        });
        drop(line);
        modem.end();
    }
    group.finish();
}

#[cfg(not(unix))]
fn through(_: &mut Criterion) {}

criterion_group!(benches, through);
criterion_main!(benches);
