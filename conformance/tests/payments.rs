//! The served payment platforms, called by programs of others and by a person's browser.

#![expect(clippy::unwrap_used, reason = "a test may end at once where something is not as it should be")]

#[path = "../../reports/tests/chromium/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod chromium;
#[path = "payments/served.rs"]
mod served;

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chromium::Browser;
use served::Served;

/// A Python in an environment of its own, with these packages; in words, why there is none.
fn python(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = dir.join("bin/python");
    let run = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said.lines().last().unwrap_or("").to_owned()) }
    };
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&dir))
            .map_err(|why| format!("no python3: {why}"))?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    run(&mut install).map_err(|why| format!("{} cannot be installed: {why}", packages.join(", ")))?;
    Ok(python)
}

fn not_run(why: &str) {
    std::io::stderr().write_all(format!("not run: {why}\n").as_bytes()).unwrap();
}

/// Lets the shop in Python do everything, and expects that it is content.
fn shop(python: &Path, served: &Served, more: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payments/wechatpy_shop.py");
    let merchant = served.setting("wechat_v2");
    let text = |name: &str| merchant[name].as_str().unwrap().to_owned();
    let output = Command::new(python)
        .arg(script)
        .args(["--desk", &served.http, "--app", merchant["app_ids"][0].as_str().unwrap()])
        .args(["--mch", &text("mch_id"), "--key", &text("key")])
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.trim() == "done", "{said}{complained}");
}

/// Source: BKD-1, with the library wechatpy.
#[test]
fn wechatpy_pays_asks_undoes_refunds_and_is_notified_plainly_and_over_tls() {
    let python = match python("wechatpy", &["wechatpy==1.8.18", "cryptography"]) {
        Ok(python) => python,
        Err(why) => return not_run(&why),
    };
    let served = Served::start("wechatpy", &["--https", "127.0.0.1:0", "--time-scale", "40"]);
    shop(&python, &served, &["--base", &served.http.clone(), "--run", "plain"]);
    let file = |name: &str| served.dir.join(name).to_str().unwrap().to_owned();
    let (ca, cert, key) = (file("ca.pem"), file("client.pem"), file("client-key.pem"));
    let (own, own_key) = (file("shop.pem"), file("shop-key.pem"));
    let tls = ["--run", "tls", "--ca", &ca, "--cert", &cert, "--cert-key", &key];
    let tls = [tls.as_slice(), &["--shop", &own, "--shop-key", &own_key]].concat();
    shop(&python, &served, &[["--base", &served.https].as_slice(), tls.as_slice()].concat());
}

#[test]
fn generated_keys_are_kept_and_nobody_else_may_read_them() {
    let first = Served::start("kept", &["--https", "127.0.0.1:0"]);
    let (dir, key) = (first.dir.clone(), first.setting("wechat_v2")["key"].clone());
    let ca = fs::read(dir.join("ca.pem")).unwrap();
    drop(first);
    #[cfg(unix)]
    for name in ["payments.toml", "server-key.pem", "client-key.pem", "shop-key.pem", "ca-key.pem"] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let again = Served::start_in(&dir, &["--https", "127.0.0.1:0"]);
    assert_eq!(again.setting("wechat_v2")["key"], key);
    assert_eq!(fs::read(dir.join("ca.pem")).unwrap(), ca);
}

#[test]
fn what_cannot_be_served_is_said_with_its_mend() {
    let dir = served::own("refused");
    let settings = |text: &str| fs::write(dir.join("payments.toml"), text).unwrap();
    let plan = dir.join("plan.toml");
    fs::write(&plan, "[[misbehave]]\ncall = 'query'\nwith = { does = 'late-success', after = '1 s' }\n")
        .unwrap();
    let at = ["--listen", "127.0.0.1:0"];
    settings("strangers = 'nobody'\n");
    let said = served::refused(&dir, &at);
    assert!(said.contains("`strangers` names the payer \"nobody\", and there is none: add it"), "{said}");
    settings("[[wechat_v2]]\nmch_id = '1'\n");
    let said = served::refused(&dir, &at);
    assert!(
        said.contains("payments.toml") && said.contains("line 1") && said.contains("missing field"),
        "{said}"
    );
    settings("[profile.payers]\npasword_after = '1 s'\n");
    let said = served::refused(&dir, &at);
    assert!(said.contains("the profile has no `payers.pasword_after`"), "{said}");
    settings("");
    let said = served::refused(&dir, &["--listen", "127.0.0.1:0", "--plan", plan.to_str().unwrap()]);
    assert!(said.contains("misbehave[0]: ") && said.contains("cannot happen to `query`"), "{said}");
    for (args, words) in [
        (vec![], "`--listen` is missing"),
        (vec!["--listen", "127.0.0.1:0", "--udp", "127.0.0.1:9"], "`--udp` means nothing to `payments`"),
    ] {
        let said = served::refused(&dir, &args);
        assert!(said.contains(words), "{said}");
    }
}

/// An order as a till makes it, by hand.
fn native(served: &Served, number: &str, subject: &str) -> String {
    use assay_sim::payments::wechat_v2::sign::{SignType, sign};
    use assay_sim::payments::wechat_v2::xml;

    let merchant = served.setting("wechat_v2");
    let mut fields: xml::Fields = [
        ("appid", merchant["app_ids"][0].as_str().unwrap()),
        ("mch_id", merchant["mch_id"].as_str().unwrap()),
        ("nonce_str", "n"),
        ("body", subject),
        ("out_trade_no", number),
        ("total_fee", "250"),
        ("spbill_create_ip", "127.0.0.1"),
        ("trade_type", "NATIVE"),
        ("product_id", "1"),
        ("notify_url", "http://127.0.0.1:9/paid"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let signature = sign(&fields, merchant["key"].as_str().unwrap(), SignType::Md5);
    fields.push(("sign".to_owned(), signature));
    xml::render(&fields)
}

/// What is shown of it was written by a stranger.
fn order(served: &Served, number: &str, subject: &str) {
    let answer = served.post("/pay/unifiedorder", "text/xml", &native(served, number, subject));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("weixin://"), "{answer}");
}

/// Source: BKD-3.
#[test]
fn a_planned_reset_resets_the_connection_within_the_body() {
    let plan = served::own("reset-plan").join("plan.toml");
    fs::write(&plan, "[[misbehave]]\ncall = 'precreate'\nwith = { does = 'reset', at = 30 }\n").unwrap();
    let served = Served::start("reset", &["--plan", plan.to_str().unwrap()]);
    let (answer, end) = served.exchange("/pay/unifiedorder", "text/xml", &native(&served, "N1", "tea"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && body.len() == 30, "{answer}");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    // The next one is whole, and its connection ends in good order.
    order(&served, "N1", "tea");
}

/// A person at the desk: lists orders, lets a payer scan, pay and refuse, and sees what requests were worth.
#[test]
fn a_person_at_the_desk_makes_payers_scan_pay_and_refuse() {
    let served = Served::start("desk", &[]);
    let hostile = "</td><img src=x onerror=document.title='owned'>";
    order(&served, "N1", hostile);
    order(&served, "N2", "tea");
    served.post("/pay/micropay", "text/xml", "<xml><script>document.title='owned'</script></xml>");
    let url = format!("{}/assay/", served.http);
    let ready = "document.querySelectorAll('#orders tbody tr button').length === 2";
    let Some(mut browser) = Browser::open(&served.dir, &url, ready) else { return chromium::say_none() };
    let cell = |row: u8, column: u8| {
        format!(
            "document.querySelector('#orders tbody tr:nth-child({row}) td:nth-child({column})').textContent"
        )
    };
    // The newest stands first.
    assert_eq!([browser.text(&cell(1, 4)), browser.text(&cell(2, 4))], ["N2", "N1"]);
    assert_eq!((browser.text(&cell(2, 5)).as_str(), browser.text(&cell(2, 6)).as_str()), (hostile, "2.50"));
    browser.click("#orders tbody tr:nth-child(2) button[data-act=scan]");
    browser.wait(&format!("{} === 'waiting'", cell(2, 7)));
    browser.click("#orders tbody tr:nth-child(2) button[data-act=pay]");
    browser.wait(&format!("{} === 'paid'", cell(2, 7)));
    assert_eq!(browser.text(&cell(2, 8)), "anybody");
    browser.click("#orders tbody tr:nth-child(1) button[data-act=scan]");
    browser.wait("document.querySelector('#orders tbody tr:nth-child(1) button[data-act=refuse]') !== null");
    browser.click("#orders tbody tr:nth-child(1) button[data-act=refuse]");
    let trail = r#"{"house":"wechat","merchant":"1900000109","order":"N2"}"#;
    let look = format!(
        "fetch('api/trail', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, body: {trail:?} }})\
         .then((answer) => answer.text())"
    );
    while !browser.text(&look).contains("failed: PayerRefused") {}
    let verdicts =
        "Array.from(document.querySelectorAll('#log tbody td:nth-child(5)'), (td) => td.textContent).join()";
    assert_eq!(browser.text(verdicts), "unchecked,good,good");
    assert_eq!(browser.text("document.title"), "Assay: payments");
    assert_eq!(browser.eval("document.images.length"), serde_json::json!(0));
    assert_eq!(browser.complaints, [""; 0]);
}

/// Nobody's page elsewhere can act here: acts are JSON, which a form cannot send.
#[test]
fn the_desk_takes_json_alone_and_says_what_it_cannot_do() {
    let served = Served::start("json", &[]);
    order(&served, "N1", "tea");
    let scan = r#"{"act":"scan","house":"wechat","merchant":"1900000109","order":"N1","payer":"anybody"}"#;
    for (kind, body, status, words) in [
        ("text/plain", scan.to_owned(), 415, "Content-Type"),
        ("application/json", scan.replace("N1", "N9"), 404, "has no order"),
        ("application/json", scan.replace("anybody", "who"), 404, "there is no payer"),
        ("application/json", scan.replace("\"scan\"", "\"pay\""), 409, "is unscanned"),
        ("application/json", scan.replace("payer", "prayer"), 422, "unknown field"),
        ("application/json", scan.to_owned(), 200, "true"),
    ] {
        let answer = served.post("/assay/api/act", kind, &body);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(words),
            "{body}: {answer}"
        );
    }
}
