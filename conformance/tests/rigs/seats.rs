//! The seats of a rig that take terminals and modems, programs in lockstep, and the moments at which a rig cuts power.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::at_work::{ASSAY, Running, has, own, rig, root};

#[test]
fn a_served_modem_does_on_a_pseudo_terminal_what_it_does_in_simulation() {
    let cases =
        ["modem/m6311/names", "modem/line/ends-and-echo", "modem/m6311/all-values", "modem/boot/by-key"];
    let started = cases.map(|case| {
        let dir = own(&case.replace('/', "-"));
        let rig = rig("modem-process.toml", &dir, |text| text);
        (case, Running::case(case, &rig, &dir))
    });
    for (case, running) in started {
        let ended = running.ended();
        if case == "modem/boot/by-key" {
            // No port leads to a power key.
            assert_eq!(ended.verdict, "inconclusive", "{ended:?}");
            assert!(ended.why.contains("power key"), "{}", ended.why);
        } else {
            assert_eq!(ended.verdict, "pass", "{case}: {ended:?}");
        }
    }
}

#[test]
fn a_host_of_others_on_a_pseudo_terminal_has_the_rig_for_its_modem() {
    if !has("python3") {
        return;
    }
    let cases = ["modem/host/boot-and-heartbeat", "modem/host/echo-never-off"];
    let started = cases.map(|case| {
        let dir = own(&case.replace('/', "-"));
        let rig = rig("modem-host-process.toml", &dir, |text| text);
        (case, Running::case(case, &rig, &dir))
    });
    for (case, running) in started {
        let ended = running.ended();
        assert_eq!(ended.verdict, "pass", "{case}: {ended:?}");
        assert!(ended.violated.is_empty(), "{case}: {ended:?}");
    }
}

/// A served POS terminal of this design, or a served POS server.
fn served_pos(file: &str, case: &str, policy: &str, dir: &Path) -> Running {
    let rig = rig(file, dir, |text| {
        let text = text.replace("\"--store\",", &format!("\"--policy\", \"{policy}\", \"--store\","));
        let text = text.replace("flash.bin\",", "flash.bin\", \"--divide-timers\", \"4\",");
        text.replace("divide_timers = 1\n", "divide_timers = 4\n")
    });
    Running::case(case, &rig, dir)
}

#[test]
fn pos_parties_as_processes_fail_over_datagrams_what_they_fail_in_simulation() {
    const TERMINAL: &str = "pos-terminal-process.toml";
    const SERVER: &str = "pos-server-process.toml";
    let rows = [
        (TERMINAL, "pos/terminal-modes/fixed"),
        (TERMINAL, "pos/terminal-answers/repeated"),
        (SERVER, "pos/server-repeats/same-answer"),
        (SERVER, "pos/server-records/after-payment"),
    ];
    let started = rows.map(|(file, case)| {
        let designs = ["hardened", "published"].map(|policy| {
            let dir = own(&format!("{}-{policy}", case.replace('/', "-")));
            let simulated = own(&format!("{}-{policy}-simulated", case.replace('/', "-")));
            let words = ["run", case, "--bench", "tabletop", "--policy", policy];
            (served_pos(file, case, policy, &dir), Running::start(&words, &simulated))
        });
        (case, designs)
    });
    for (case, [hardened, published]) in started {
        let (real, simulated) = (hardened.0.ended(), hardened.1.ended());
        assert_eq!((real.verdict.as_str(), simulated.verdict.as_str()), ("pass", "pass"), "{case}: {real:?}");
        let (real, simulated) = (published.0.ended(), published.1.ended());
        assert_eq!(real.violated, simulated.violated, "{case}: {real:?}");
    }
}

#[test]
fn a_program_in_lockstep_sits_in_a_rig_file() {
    if !has("python3") {
        return;
    }
    let defect = |text: String| text.replace("terminal.py\"]", "terminal.py\", \"--defect\", \"no-intent\"]");
    let sound = own("lockstep-sound");
    let ended = {
        let rig = rig("water-terminal-lockstep.toml", &sound, |text| text);
        Running::case("water/topup/power-cut", &rig, &sound).ended()
    };
    assert_eq!(ended.verdict, "pass", "{ended:?}");
    let bad = own("lockstep-defect");
    let rig = rig("water-terminal-lockstep.toml", &bad, defect);
    let ended = Running::case("water/topup/power-cut", &rig, &bad).ended();
    assert_eq!(ended.verdict, "fail", "{ended:?}");
    assert!(ended.violated.contains(&"WAT-C4".to_owned()), "{ended:?}");
}

/// A clean top-up on a rig whose terminal loses its power at this site.
fn cut_at(name: &str, site: &str) -> Running {
    let dir = own(name);
    let rig = rig("water-terminal-process.toml", &dir, |text| {
        let text = text.replace("\"--divide-timers\", \"30\"", "\"--divide-timers\", \"60\"");
        text.replace("divide_timers = 30", "divide_timers = 60")
    });
    let file = dir.join("replay.toml");
    let bench = rig.display();
    let text = format!(
        "assay-replay = 1\nsystem = \"water\"\ncase = \"water/topup/clean\"\nbench = \"rig:{bench}\"\n\
         policy = \"hardened\"\nseed = 0\nprofile = \"built-in\"\ntape_digest = \"\"\nviolates = []\n\n\
         [[strike]]\nsite = \"{site}\"\n\n[strike.fault]\nmishap = \"power-cut\"\nsupply = \"mcu-a\"\n\
         off = \"500 ms\"\n"
    );
    fs::write(&file, text).unwrap();
    Running::start(&["replay", file.to_str().unwrap()], &dir)
}

#[test]
fn power_is_cut_at_the_nth_byte_either_way_and_at_a_line_of_the_text_port() {
    if !has("python3") {
        return;
    }
    let sites = ["uart-a> byte #150", "uart-a< byte #200", "text-a> line #12", "text-a< answer #4"];
    let started: Vec<_> =
        sites.iter().zip(0..).map(|(site, at)| (site, cut_at(&format!("cut-{at}"), site))).collect();
    for (site, running) in started {
        let ended = running.ended();
        assert_eq!(ended.verdict, "pass", "{site}: {ended:?}");
        // Once in the self-check, and once at the site.
        assert!(ended.why.contains("(process) cut 2 times"), "{site}: {}", ended.why);
    }
}

#[test]
fn a_message_server_shows_its_ledger() {
    let dir = own("water-ledger");
    let file = rig("water-server-tcp.toml", &dir, |text| text);
    let ended = Running::case("water/topup/clean", &file, &dir).ended();
    assert_eq!(ended.verdict, "pass", "{ended:?}");
    let ledger = fs::read_to_string(dir.join("sut/water-topup-clean/data/ledger.jsonl")).unwrap();
    assert!(ledger.contains(r#""volume":"12.5","state":"closed""#), "{ledger}");
    // Without it, balances are not judged, and the run says what is missing.
    let dir = own("water-no-ledger");
    let file = rig("water-server-tcp.toml", &dir, |text| {
        text.lines().filter(|line| !line.starts_with("observe")).map(|line| format!("{line}\n")).collect()
    });
    let ended = Running::case("water/topup/clean", &file, &dir).ended();
    assert_eq!(ended.verdict, "pass", "{ended:?}");
    assert!(
        ended.why.contains("the server's ledger: name a command or a file in `observe`"),
        "{}",
        ended.why
    );
}

/// A served modem on a pseudo-terminal at this path, at work, whose connections go to this address.
fn served_modem(party: &str, path: &Path, server: &str) -> Child {
    let words = ["serve", party, "--pty", path.to_str().unwrap(), "--dial", server];
    let mut command = Command::new(ASSAY);
    command.args(words).args(["--divide-timers", "20"]).stdout(Stdio::piped());
    let mut served = command.spawn().unwrap();
    let mut told = String::new();
    BufReader::new(served.stdout.take().unwrap()).read_line(&mut told).unwrap();
    assert_eq!(told, "ready\n");
    served
}

/// A served modem's line, as its host has it.
struct Line {
    port: fs::File,
    bytes: mpsc::Receiver<u8>,
}

impl Line {
    #[expect(
        clippy::disallowed_methods,
        reason = "a port is read by a thread of its own, so that a silence ends"
    )]
    fn open(path: &Path) -> Self {
        let raw = ["-F", path.to_str().unwrap(), "raw", "-echo"];
        assert!(Command::new("stty").args(raw).status().unwrap().success());
        let port = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
        let (sender, bytes) = mpsc::channel();
        let reader = port.try_clone().unwrap();
        thread::spawn(move || {
            for byte in BufReader::new(reader).bytes() {
                if byte.map_or(true, |byte| sender.send(byte).is_err()) {
                    return;
                }
            }
        });
        Self { port, bytes }
    }

    /// Sends this and hears out the answer; whether it comes to end like that within two seconds, and else what it is.
    fn hear(&mut self, text: &str, end: &str) -> (String, bool) {
        self.port.write_all(text.as_bytes()).unwrap();
        let mut heard = Vec::new();
        while let Ok(byte) = self.bytes.recv_timeout(Duration::from_secs(2)) {
            heard.push(byte);
            if heard.ends_with(end.as_bytes()) {
                return (String::new(), true);
            }
        }
        (String::from_utf8_lossy(&heard).into_owned(), false)
    }

    /// The same, where only the end is of interest.
    fn ask(&mut self, text: &str, end: &str) -> bool {
        self.hear(text, end).1
    }

    fn expect(&mut self, text: &str, end: &str) {
        let (heard, ends) = self.hear(text, end);
        assert!(ends, "{text:?} is answered with {heard:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the peer of a real connection runs beside its host")]
fn a_served_sim800a_carries_data_over_a_real_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (confirmed, is_confirmed) = mpsc::channel();
    let echo = thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut bytes = [0; 5];
        peer.read_exact(&mut bytes).unwrap();
        is_confirmed.recv().unwrap();
        peer.write_all(&bytes).unwrap();
    });
    let path = own("sim800a").join("modem");
    let mut served = served_modem("sim800a", &path, &address.to_string());
    let mut line = Line::open(&path);
    assert!((0..5).any(|_| line.ask("AT\r", "OK\r\n")));
    line.expect("ATE0\r", "OK\r\n");
    assert!((0..5).any(|_| line.ask("AT+CREG?\r", "+CREG: 0,1\r\n\r\nOK\r\n")));
    let open = format!("AT+CIPSTART=0,\"TCP\",\"127.0.0.1\",{}\r", address.port());
    for (text, end) in [
        ("AT+CIPMUX=1\r", "\r\nOK\r\n"),
        ("AT+CSTT=\"CMNET\";+CIICR\r", "\r\nOK\r\n"),
        ("AT+CIFSR\r", "\r\n10.0.0.7\r\n"),
        (&open, "\r\nOK\r\n\r\n0, CONNECT OK\r\n"),
        ("AT+CIPSEND=0,5\r", "\r\n> "),
        ("OK\r\n!", "\r\n0, SEND OK\r\n"),
    ] {
        line.expect(text, end);
    }
    confirmed.send(()).unwrap();
    for (text, end) in
        [("", "\r\n+RECEIVE,0,5:\r\nOK\r\n!"), ("", "\r\n0, CLOSED\r\n"), ("AT+CIPSHUT\r", "\r\nSHUT OK\r\n")]
    {
        line.expect(text, end);
    }
    echo.join().unwrap();
    Command::new("kill").args(["-INT", &served.id().to_string()]).status().unwrap();
    assert_eq!(served.wait().unwrap().code(), Some(0));
}

/// The requirements that are seen in a terminal's memory, which no rig can show.
fn unseen() -> Vec<String> {
    let text = fs::read_to_string(root().join("fixtures/spec/water.toml")).unwrap();
    let spec: toml::Table = text.parse().unwrap();
    let requirements = spec["requirement"].as_array().unwrap().iter();
    let hidden =
        |it: &&toml::Value| it["sees"].as_array().unwrap().iter().any(|it| it.as_str() == Some("eeprom"));
    requirements.filter(hidden).map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_water_terminal_as_a_process_fails_on_a_line_what_it_fails_in_simulation() {
    let rows = ["water/topup/power-cut", "water/topup/removed-in-block-4", "water/topup/removed-in-block-3"];
    let started = rows.map(|case| {
        let designs = ["hardened", "published"].map(|policy| {
            let name = format!("{}-served-{policy}", case.replace('/', "-"));
            let (dir, simulated) = (own(&name), own(&format!("{name}-simulated")));
            let rig = rig("water-terminal-served.toml", &dir, |text| {
                text.replace(
                    "\"--divide-timers\",",
                    &format!("\"--policy\", \"{policy}\", \"--divide-timers\","),
                )
            });
            let run = |bench: &str, dir: &Path| {
                Running::start(&["run", case, "--bench", bench, "--policy", policy], dir)
            };
            (run(&format!("rig:{}", rig.display()), &dir), run("tabletop", &simulated))
        });
        (case, designs)
    });
    let unseen = unseen();
    for (case, [hardened, published]) in started {
        let (real, simulated) = (hardened.0.ended(), hardened.1.ended());
        assert_eq!((real.verdict.as_str(), simulated.verdict.as_str()), ("pass", "pass"), "{case}: {real:?}");
        let (real, mut simulated) = (published.0.ended(), published.1.ended());
        assert_eq!(simulated.violated.is_empty(), case.ends_with("block-3"), "{simulated:?}");
        simulated.violated.retain(|id| !unseen.contains(id));
        assert_eq!(real.violated, simulated.violated, "{case}: {real:?}");
    }
}
