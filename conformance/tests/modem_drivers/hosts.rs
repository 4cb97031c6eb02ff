//! A served modem and its hosts: they come and go, open several connections, are refused, and fill the line.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use crate::line::{Line, PATIENT};
use crate::served::{ASSAY, Served, echo_server, own};

/// A context for the connections of a SIM800A.
fn bring_up(line: &mut Line, multi: bool) {
    line.ask(if multi { "AT+CIPMUX=1" } else { "AT+CIPMUX=0" }, "OK\r\n");
    line.ask("AT+CSTT=\"CMNET\"", "OK\r\n");
    line.ask("AT+CIICR", "OK\r\n");
    line.ask("AT+CIFSR", "10.0.0.7\r\n");
}

/// An address of this computer at which nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_connection_goes_where_its_host_says_and_a_refused_one_is_told_as_refused() {
    let (server, nobody) = (echo_server(), nobody());
    let served = Served::start("sim800a", &own("refused"), &["--dial"]);
    let mut line = Line::open(&served.path);
    line.wake();
    bring_up(&mut line, false);
    let told = line.ask(&format!("AT+CIPSTART=\"TCP\",\"127.0.0.1\",{}", nobody.port()), "CONNECT FAIL\r\n");
    assert!(told.ends_with("\r\nOK\r\n\r\nSTATE: TCP CLOSED\r\n\r\nCONNECT FAIL\r\n"), "{told:?}");
    assert!(!told.contains("CONNECT OK"), "{told:?}");
    line.ask("AT+CIPSHUT", "SHUT OK\r\n");
    bring_up(&mut line, false);
    // No connection leaves this computer unless that was allowed.
    line.ask("AT+CIPSTART=\"TCP\",\"192.0.2.10\",7000", "CONNECT FAIL\r\n");
    line.ask("AT+CIPSHUT", "SHUT OK\r\n");
    bring_up(&mut line, false);
    line.ask(&format!("AT+CIPSTART=\"TCP\",\"localhost\",{}", server.port()), "CONNECT OK\r\n");
    line.ask("AT+CIPSEND=5", "> ");
    line.send(b"hello");
    line.hear("SEND OK\r\n", PATIENT).unwrap();
    line.hear("hello", PATIENT).unwrap();
    let said = served.end();
    assert!(said.contains("192.0.2.10:7000") && said.contains("--allow-any"), "{said}");
}

#[test]
fn an_m6311_tells_a_refused_connection_in_its_own_words() {
    let (server, nobody) = (echo_server(), nobody());
    let served = Served::start("m6311", &own("refused-m6311"), &["--dial"]);
    let mut line = Line::open(&served.path);
    line.wake();
    for command in ["AT+CGATT=1", "AT+CGDCONT=1,\"IP\",\"CMNET\"", "AT+CGACT=1,1", "AT+CMHEAD=1"] {
        line.ask(command, "OK\r\n");
    }
    let told = line.ask(&format!("AT+IPSTART=\"TCP\",\"127.0.0.1\",{}", nobody.port()), "CONNECT FAIL\r\n");
    assert!(!told.contains("CONNECT OK"), "{told:?}");
    line.ask(&format!("AT+IPSTART=\"TCP\",\"127.0.0.1\",{}", server.port()), "CONNECT OK\r\n");
    line.ask("AT+IPSEND=2", "> ");
    line.send(b"hi");
    line.hear("SEND OK\r\n", PATIENT).unwrap();
    line.hear("+IPDATA: 2\r\nhi", PATIENT).unwrap();
    served.end();
}

#[test]
fn six_connections_stand_at_once_and_outlive_a_host_that_closes_its_port() {
    let server = echo_server();
    let to = server.to_string();
    let served = Served::start("sim800a", &own("several"), &["--dial", &to]);
    let mut line = Line::open(&served.path);
    line.wake();
    bring_up(&mut line, true);
    for id in 0..6 {
        // All of them lead to the server, whoever the host names.
        let told = line.ask(&format!("AT+CIPSTART={id},\"TCP\",\"water.example\",7000"), "CONNECT OK\r\n");
        assert!(told.ends_with(&format!("{id}, CONNECT OK\r\n")), "{told:?}");
    }
    for round in 0..4 {
        // Another host opens the port: nothing of what was said before is for it.
        drop(line);
        line = Line::open(&served.path);
        for id in 0..6 {
            let data = format!("round {round} of {id}");
            line.ask(&format!("AT+CIPSEND={id},{}", data.len()), "> ");
            line.send(data.as_bytes());
            line.hear(&format!("+RECEIVE,{id},{}:\r\n{data}", data.len()), PATIENT).unwrap();
        }
    }
    let told = line.ask("AT+CIPSTATUS", "C: 5,0,\"TCP\",\"192.0.2.10\",\"7000\",\"CONNECTED\"\r\n");
    assert_eq!(told.matches("\"CONNECTED\"").count(), 6, "{told:?}");
    served.end();
}

/// Data both ways through a transparent connection: sends so much and hears it again.
fn pass(served: &Served, server: SocketAddr, len: usize) {
    let mut line = Line::open(&served.path);
    line.wake();
    line.ask("AT+CIPMODE=1", "OK\r\n");
    line.ask("AT+CIPCCFG=5,2,1460,1", "OK\r\n");
    line.ask(&format!("AT+CIPSTART=\"TCP\",\"127.0.0.1\",{}", server.port()), "CONNECT\r\n");
    let data: Vec<u8> = (0..len).map(|at| b'a' + u8::try_from(at % 23).unwrap()).collect();
    let marked = [data.as_slice(), b"the end\n"].concat();
    // Each part comes back before too much of it waits on the way.
    for part in marked.chunks(32_768) {
        line.send(part);
    }
    let heard = line.hear("the end\n", PATIENT * 4).unwrap();
    assert_eq!(heard.len(), marked.len());
    assert!(heard.as_bytes() == marked.as_slice());
}

#[test]
fn nothing_is_lost_of_a_megabyte_that_an_unpaced_line_carries_both_ways() {
    let server = echo_server();
    let served = Served::start("sim800a", &own("unpaced"), &["--dial", "--unpaced"]);
    pass(&served, server, 1_000_000);
    served.end();
}

#[test]
fn nothing_is_lost_of_what_a_paced_line_carries_both_ways() {
    let server = echo_server();
    let served = Served::start("sim800a", &own("paced"), &["--dial", "--baud", "921600"]);
    pass(&served, server, 60_000);
    served.end();
}

fn refused(words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(ASSAY).arg("serve").args(words).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn options_that_cannot_be_meant_are_refused_with_a_mend() {
    let modem = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drivers/never");
    let base = ["sim800a", "--pty", modem.to_str().unwrap()];
    for (words, part) in [
        (&["--dial", "192.0.2.10:7000"][..], "`--allow-any` lets connections leave it"),
        (&["--dial", "somewhere"], "write a host and a port, such as 127.0.0.1:5000"),
        (&[], "`--dial` is missing: "),
        (&["--dial", "--baud", "9600", "--unpaced"], "cannot be used with"),
    ] {
        let (code, told) = refused(&[&base[..], words].concat());
        assert!(code == Some(2) && told.contains(part), "{words:?}: {told}");
    }
    let (code, told) = refused(&["pos-server", "--udp", "127.0.0.1:0", "--unpaced"]);
    assert!(code == Some(2) && told.starts_with("error: `--unpaced` means nothing to this party"), "{told}");
}
