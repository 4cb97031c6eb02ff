//! Hardware, as far as a computer without any can stand for it: pseudo-terminals of others in the place of serial
//! ports, commands that switch power, text ports on a serial port and on a connection.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::at_work::{ASSAY, Running, commanded, has, own, rig};

fn script(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A served modem as a device: commands give it power and take it, and each time that it has power it is found at
/// another path, to which one path always leads, as in /dev/serial/by-id.
fn modem_device(dir: &Path) -> PathBuf {
    let (at, port) = (dir.display(), free_port());
    let on = format!(
        "[ -e {at}/pid ] && kill -9 $(cat {at}/pid)\necho on >> {at}/starts\nn=$(wc -l < {at}/starts)\n\
         {ASSAY} serve m6311 --pty {at}/modem-$n --server 127.0.0.1:{port} --divide-timers 10 > {at}/said 2>&1 &\n\
         echo $! > {at}/pid\nfor i in $(seq 600); do\n  grep -q ready {at}/said && break\n  sleep 0.05\ndone\n\
         ln -sfn {at}/modem-$n {at}/by-id\n"
    );
    let (on, off) =
        (script(dir, "on", &on), script(dir, "off", &format!("kill -9 $(cat {at}/pid)\nrm {at}/by-id\n")));
    rig("modem-serial.toml", dir, |text| {
        let (before, rest) = text.split_once("[seat.modem.power]").unwrap();
        let (_, after) = rest.split_once("[drive]").unwrap();
        let power = format!(
            "[seat.modem.power]\nby = \"command\"\non = [\"sh\", \"{on}\"]\noff = [\"sh\", \"{off}\"]\n\n[drive]"
        );
        let text = format!("{before}{power}{after}");
        text.replace("/dev/serial/by-id/usb-Silicon_Labs_CP2102_0001-if00-port0", &format!("{at}/by-id"))
            .replace("127.0.0.1:5000", &format!("127.0.0.1:{port}"))
            .replace("flow = \"hardware\"", "flow = \"none\"")
            .replace("boot = \"15 s\"", "boot = \"300 ms\"")
            .replace("within = \"5 s\"", "within = \"60 s\"")
            .replace("divide_timers = 1\ntolerance = \"200 ms\"", "divide_timers = 10\ntolerance = \"10 s\"")
    })
}

#[test]
fn a_device_on_a_serial_port_is_certified_though_it_is_somewhere_else_after_each_cut() {
    let dir = own("modem-device");
    let file = modem_device(&dir);
    let words = ["certify", "--rig", file.to_str().unwrap(), "--soak", "0s", "--explore-budget", "1s"];
    let output = Command::new(ASSAY)
        .args(words)
        .args(["--out", dir.join("out").to_str().unwrap(), "modem/m6311/names"])
        .current_dir(&dir)
        .output()
        .unwrap();
    let pid = fs::read_to_string(dir.join("pid")).unwrap();
    let _ = Command::new("kill").args(["-9", pid.trim()]).status();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let certificate = fs::read_to_string(dir.join("out/certificate.txt")).unwrap_or_default();
    for text in
        ["`modem` answers `AT` over `uart` within ", "power of `modem` (command) was given, taken within "]
    {
        assert!(certificate.contains(text), "{text}\n{told}");
    }
    assert!(certificate.contains("Cases         1 case: 1 pass.\n"), "{told}");
    // Once for the check, once for what follows it, and once for the case.
    assert!(fs::read_to_string(dir.join("starts")).unwrap().lines().count() >= 3, "{told}");
}

/// Leads the standard input and output of a command to a connection, or to a pseudo-terminal to whose path a link
/// leads.
const BRIDGE: &str = "import os, pty, socket, subprocess, sys, threading, tty
kind, at, command = sys.argv[1], sys.argv[2], sys.argv[3:]
if kind == 'tcp':
    port = socket.create_server(('127.0.0.1', int(at))).accept()[0].detach()
else:
    port, far = pty.openpty()
    tty.setraw(far)
    os.symlink(os.ttyname(far), at + '.new')
    os.rename(at + '.new', at)
child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def lead(source, sink):
    while data := os.read(source, 4096):
        while data:
            data = data[os.write(sink, data):]
for ends in ((port, child.stdin.fileno()), (child.stdout.fileno(), port)):
    threading.Thread(target=lead, args=ends, daemon=True).start()
child.wait()
";

/// A served water terminal whose text port is at the end of a bridge.
fn bridged(name: &str, kind: &str, at: &str, port: &str) -> Running {
    let dir = own(name);
    let rig = rig("water-terminal-served.toml", &dir, |text| {
        let words =
            ["python3", "-c", BRIDGE, kind, at, ASSAY, "serve", "water-terminal", "--serial", "{pty.uart}"];
        let kept = ["--eeprom", "{dir}/eeprom.hex", "--store", "{dir}/eeprom.bin", "--divide-timers", "30"];
        commanded(&text, &[&words[..], &kept[..]].concat()).replace("kind = \"stdio\"", port)
    });
    Running::case("water/topup/power-cut", &rig, &dir)
}

#[test]
fn a_text_port_is_on_a_connection_or_on_a_serial_port() {
    if !has("python3") {
        return;
    }
    let port = free_port();
    let link = own("text-links").join("text");
    let tcp = format!("kind = \"tcp\", connect = \"127.0.0.1:{port}\"");
    let serial =
        format!("kind = \"serial\", path = \"{}\", baud = 115_200, exclusive = false", link.display());
    let running = [
        bridged("text-tcp", "tcp", &port.to_string(), &tcp),
        bridged("text-serial", "pty", link.to_str().unwrap(), &serial),
    ];
    for running in running {
        let ended = running.ended();
        assert_eq!(ended.verdict, "pass", "{ended:?}");
    }
}

#[test]
fn a_late_answer_is_judged_late_with_the_time_that_was_measured() {
    let dir = own("late");
    let plan = script(
        &dir,
        "plan.toml",
        "[[strike]]\nsite = \"udp-a< 001 #3\"\nfault = { fate = \"delay\", by = \"4 s\" }\n",
    );
    let rig = rig("pos-server-process.toml", &dir, |text| {
        text.replace("\"--store\",", &format!("\"--plan\", \"{plan}\", \"--store\","))
    });
    let ended = Running::case("pos/server-acks/same-number-again", &rig, &dir).ended();
    assert!(ended.violated.contains(&"POS-A1".to_owned()), "{ended:?}");
    let record: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.join("report/run.json")).unwrap()).unwrap();
    let told = record["cases"][0]["violations"].as_array().unwrap().iter();
    let told: Vec<&str> = told.filter_map(|violation| violation["actual"].as_str()).collect();
    let measured_us = |actual: &&str| actual.split_once(" µs after the ")?.0.parse::<u64>().ok();
    let measured = told.iter().filter_map(measured_us).any(|late_us| late_us >= 3_000_000);
    assert!(measured, "{told:?}");
}
