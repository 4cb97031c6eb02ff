//! Rig files as people write them, right and wrong.

use super::*;

const RIG: &str = r#"assay-rig = 2
system = "pos"

[link.udp]
kind = "udp"
connect = "127.0.0.1:0"

[seat.server]
is = "process"
command = ["./server", "{port.udp}", "{dir}"]
dir = "target/rig"
boot = "2 s"
output_max = 1_000
power = { by = "process" }
observe = { file = "{dir}/ledger.jsonl" }

[drive]
read_max = 64
unsent_max = 4_096
flood_max = 9_999

[self_check]
within = "500 ms"

[profile]
divide_timers = 10
tolerance = "70 ms"
set.terminal.reply_timeout = "3 s"
"#;

fn parse(text: &str) -> Result<Rig, RigError> {
    Rig::parse(text, Path::new("a.toml"))
}

/// What is said of the rig above when this part of it is written otherwise.
fn error(part: &str, otherwise: &str) -> String {
    assert_eq!(RIG.matches(part).count(), 1, "{part}");
    parse(&RIG.replace(part, otherwise)).unwrap_err().to_string()
}

#[test]
fn a_rig_file_says_what_it_says() {
    let rig = parse(RIG).unwrap();
    assert_eq!(rig.system, System::Pos);
    let to = NetConfig::Connect("127.0.0.1:0".parse().unwrap());
    assert_eq!(rig.links, BTreeMap::from([("udp".to_owned(), Carrier::Udp(to))]));
    assert_eq!(rig.seats["terminal"], Seat::Virtual);
    let [(name, real)] = rig.real_seats().collect::<Vec<_>>()[..] else { panic!("one is real") };
    assert_eq!((name, real.boot, &real.power), ("server", Span::s(2), &Power::Process));
    let Body::Process(process) = &real.body else { panic!("it is a process") };
    assert_eq!((process.command.len(), process.output_max, &process.ready), (3, 1_000, &None));
    assert_eq!(real.observe, Some(Observe::File("{dir}/ledger.jsonl".to_owned())));
    assert_eq!(rig.drive, DriveConfig { read_max: 64, unsent_max: 4_096 });
    assert_eq!((rig.flood_max, rig.self_check.within), (9_999, Span::ms(500)));
    assert_eq!((rig.profile.divide_timers, rig.profile.tolerance), (10, Some(Span::ms(70))));
    assert_eq!(rig.profile.set["terminal"]["reply_timeout"].as_str(), Some("3 s"));
}

#[test]
fn the_rigs_that_come_with_the_suite_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rigs");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let rigs: Vec<Rig> = files.iter().map(|file| Rig::load(file).unwrap_or_else(|e| panic!("{e}"))).collect();
    let real = |rig: &Rig| rig.real_seats().map(|(_, seat)| seat.power.clone()).collect::<Vec<_>>();
    let powers: Vec<Power> = rigs.iter().flat_map(real).collect();
    let has = |fits: fn(&Power) -> bool| powers.iter().any(fits);
    assert!(has(|power| matches!(power, Power::Process)));
    assert!(has(|power| matches!(power, Power::Line { line: ControlLine::Dtr, .. })));
    assert!(has(|power| matches!(power, Power::Line { line: ControlLine::Rts, .. })));
    assert!(has(|power| matches!(power, Power::Relay(_))));
    assert!(has(|power| matches!(power, Power::Command { .. })));
    assert!(has(|power| matches!(power, Power::Absent)));
    let carriers: Vec<&Carrier> = rigs.iter().flat_map(|rig| rig.links.values()).collect();
    assert!(carriers.iter().any(|carrier| matches!(carrier, Carrier::Pty(_))));
    assert!(carriers.iter().any(|carrier| matches!(carrier, Carrier::Serial(_))));
    assert!(carriers.iter().any(|carrier| matches!(carrier, Carrier::Udp(NetConfig::Listen(_)))));
    assert!(carriers.iter().any(|carrier| matches!(carrier, Carrier::Tcp(NetConfig::Connect(_)))));
}

#[test]
fn every_mistake_is_told_at_once_in_the_order_of_the_file() {
    let text = r#"assay-rig = 2
system = "pos"
colour = "red"

[link.udp]
kind = "tcp"

[link.uart-a]
kind = "pty"
baud = 0

[seat.server]
is = "process"
command = ["./server", "{port.tcp}", "{home}"]
boot = "soon"
output_max = 1_000
power = { by = "relay", port = { baud = 9_600, stop_bits = 3 } }
observe = {}

[drive]
read_max = 64
unsent_max = "many"

[self_check]
within = "0 s"

[profile]
divide_timers = 0
"#;
    let told = parse(text).unwrap_err().to_string();
    let expected = "\
a.toml:3:1: `colour` is not known here: leave it away, or write `assay-rig`, `bind_any`, `drive`, \
    `link`, `pics`, `profile`, `seat`, `self_check` or `system`
a.toml:6:8: `link.udp.kind` is `tcp`: write `udp`
a.toml:8:1: `link.uart-a` is no link of the system `pos`: write `udp`, `lan` or `panel-line`
a.toml:8:1: `link.uart-a.exclusive` is missing: write `true` or `false`
a.toml:10:8: `link.uart-a.baud` is `0`: write the line's speed in bits a second, such as 115_200
a.toml:12:1: `seat.server` has `{port.tcp}` in `seat.server.command`: write `{dir}`, or `{pty.NAME}` or \
    `{port.NAME}` with the name of a link of this file
a.toml:12:1: `seat.server` has `{home}` in `seat.server.command`: write `{dir}`, or `{pty.NAME}` or \
    `{port.NAME}` with the name of a link of this file
a.toml:12:1: `seat.server.dir` is missing: write a directory under which each case gets its own, such as \
    `\"target/rig\"`
a.toml:15:8: `seat.server.boot` is `soon`: write how long the party may take from its power to its work, \
    such as `\"5 s\"`
a.toml:17:32: `seat.server.power.port.path` is missing: write the port's path, best one of \
    `/dev/serial/by-id/`, or `usb` with a table such as `{ vendor = 0x1a86, product = 0x7523, serial = \
    \"A1\" }`
a.toml:17:60: `seat.server.power.port.stop_bits` is `3`: write `2` or `1`
a.toml:18:11: `seat.server.observe` names both or neither of `file` and `command`: write one of them
a.toml:20:1: `drive.flood_max` is missing: write how many bytes may come in over one link within a \
    second, such as 1_000_000
a.toml:22:14: `drive.unsent_max` is `many`: write how many bytes, at least 1
a.toml:25:10: `self_check.within` is `0 s`: write how long the pattern may take, such as `\"2 s\"`
a.toml:28:17: `profile.divide_timers` is `0`: write at least 1, which leaves the timers as they are";
    assert_eq!(told, expected);
}

#[test]
fn a_version_from_elsewhere_is_refused_before_anything_else() {
    let refused = |found: &str| {
        format!("a.toml:1:13: `assay-rig` is `{found}`: write 2, the version that this suite understands")
    };
    assert_eq!(error("assay-rig = 2", "assay-rig = 1"), refused("1"));
    assert_eq!(error("assay-rig = 2", "assay-rig = \"2\""), refused("2"));
    assert_eq!(parse("assay-rig = 3\nlink = \"of another form\"").unwrap_err().to_string(), refused("3"));
    let missing = "a.toml:1:1: `assay-rig` is missing: write `assay-rig = 2` at the top";
    assert_eq!(error("assay-rig = 2\n", ""), missing);
}

#[test]
fn a_seat_that_cannot_be_is_refused_with_what_can() {
    let lockstep = error("is = \"process\"", "is = \"lockstep\"");
    assert!(lockstep.contains("only a terminal of the water system can sit in lockstep"), "{lockstep}");
    let device = error("is = \"process\"", "is = \"device\"");
    assert!(device.contains("`seat.server.power.by` is `process`: write `dtr`, `rts`"), "{device}");
    let text = error("boot = \"2 s\"", "boot = \"2 s\"\ntext_port = { kind = \"stdio\" }");
    assert!(text.contains("only a terminal has a text port"), "{text}");
    let seat = error("[seat.server]", "[seat.cloud]");
    assert!(seat.contains("`seat.cloud` is not known here"), "{seat}");
}

#[test]
fn links_lead_to_real_parties_and_to_all_that_they_need() {
    let nobody = RIG.split("[seat.server]").next().unwrap().to_owned()
        + "[seat]\nserver = \"virtual\"\n"
        + &RIG[RIG.find("[drive]").unwrap()..];
    assert_eq!(
        parse(&nobody).unwrap_err().to_string(),
        "a.toml:4:1: `link.udp` has no real party at either end: seat one as `terminal` or `server`, or \
    leave it away"
    );
    let none =
        RIG.replace("[link.udp]\nkind = \"udp\"\nconnect = \"127.0.0.1:0\"\n", "").replace("{port.udp}", "");
    assert_eq!(
        parse(&none).unwrap_err().to_string(),
        "a.toml:5:1: `seat.server` has no link to the bench: write a table `[link.udp]`"
    );
}

#[test]
fn nobody_from_outside_comes_in_unless_the_file_says_so() {
    let open = |any: &str| {
        RIG.replace("connect = \"127.0.0.1:0\"", "listen = \"0.0.0.0:7000\"").replace("\n\n[link", any)
    };
    let refused = parse(&open("\n\n[link")).unwrap_err().to_string();
    assert!(refused.contains("or `bind_any = true` at the top"), "{refused}");
    assert!(parse(&open("\nbind_any = true\n\n[link")).is_ok());
}

#[test]
fn a_file_of_another_form_is_refused_where_it_goes_wrong() {
    assert_eq!(error("[seat.server]", "[seat.server"), "a.toml:8:13: unclosed table, expected `]`");
    let wrong = error("connect = \"127.0.0.1:0\"", "connect = \"localhost\"\n\"\\u001b\" = 1");
    assert!(wrong.starts_with("a.toml:6:11: `link.udp.connect` is `localhost`: write an address"), "{wrong}");
    assert!(wrong.contains("a.toml:7:1: `link.udp.\\u{1b}` is not known here"), "{wrong}");
}

#[test]
fn columns_count_characters() {
    let wrong = error("[link.udp]\n", "[link]\n\"ü\" = { kind = \"pipe\" }\n[link.udp]\n");
    assert!(wrong.contains("a.toml:5:16: `link.ü.kind` is `pipe`: write "), "{wrong}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Rig::load(Path::new("no-such-folder/rig.toml")).unwrap_err().to_string();
    assert!(error.starts_with("no-such-folder/rig.toml: could not be read: "), "{error}");
}

#[test]
fn a_program_in_lockstep_has_nothing_real_beside_it() {
    let text = include_str!("../../../fixtures/rigs/water-terminal-lockstep.toml");
    let rig = parse(text).unwrap();
    let program = rig.lockstep().unwrap();
    assert_eq!(program.words, ["python3", "examples/lockstep/water_terminal.py"]);
    assert!(program.restart_in_place && rig.real_seats().next().is_none());
    let link = "[link.uart]\nkind = \"pty\"\nbaud = 9_600\nexclusive = false\n\n[drive]";
    let refused = parse(&text.replace("[drive]", link)).unwrap_err().to_string();
    assert!(refused.contains("`link.uart` is real, and the terminal sits in lockstep"), "{refused}");
}

#[test]
fn an_operator_has_a_stated_time() {
    let text = include_str!("../../../fixtures/rigs/water-terminal-operator.toml");
    let rig = parse(text).unwrap();
    let Some(Seat::Real(terminal)) = rig.seats.get("terminal") else { panic!("{rig:?}") };
    assert_eq!(terminal.text_port, Some(TextPort::Operator { within: Span::s(60) }));
    let refused = parse(&text.replace(", within = \"60 s\"", "")).unwrap_err().to_string();
    let missing = "`seat.terminal.text_port.within` is missing: write how long an operator may take";
    assert!(refused.contains(missing), "{refused}");
}

const MODULE: &str = r#"assay-rig = 2
system = "paymod"

[link.uart]
kind = "pty"
baud = 115_200
exclusive = false

[link.at]
kind = "pty"
baud = 115_200
exclusive = false

[seat.module]
is = "process"
command = ["./module", "{pty.uart}", "{pty.at}"]
dir = "target/rig"
boot = "2 s"
output_max = 1_000
power = { by = "process" }
text_port = { kind = "stdio" }

[drive]
read_max = 64
unsent_max = 4_096
flood_max = 9_999

[self_check]
within = "500 ms"

[profile]
divide_timers = 10
"#;

#[test]
fn a_pay_module_has_a_modem_or_a_network_and_nobody_types_for_its_relays() {
    let rig = parse(MODULE).unwrap();
    assert_eq!((rig.system, rig.system.terminal()), (System::Paymod, "module"));
    assert_eq!(rig.seats["server"], Seat::Virtual);
    let net = "[link.link]\nkind = \"tcp\"\nlisten = \"127.0.0.1:0\"\n";
    let (before, rest) = MODULE.split_once("[link.at]").unwrap();
    let (_, after) = rest.split_once("[seat.module]").unwrap();
    let after = after.replace(", \"{pty.at}\"", "");
    parse(&format!("{before}{net}[seat.module]{after}")).unwrap();
    let neither = parse(&format!("{before}[seat.module]{after}")).unwrap_err().to_string();
    assert!(neither.contains("write a table `[link.link]` or `[link.at]`"), "{neither}");
    let typed = MODULE.replace("kind = \"stdio\"", "kind = \"operator\", within = \"60 s\"");
    let typed = parse(&typed).unwrap_err().to_string();
    assert!(typed.contains("nobody types as fast as a relay is switched"), "{typed}");
}
