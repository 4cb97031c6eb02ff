//! Signed reports: whatever is changed in one is named, whoever checks it, by the tool itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CERTIFICATE: &str = "certificate.intoto.json";

/// A directory of this test's own.
fn own(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verify").join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Exit code, and everything that was printed.
fn call(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).current_dir(dir).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(printed).unwrap())
}

/// A signed report in `out`, of two runs of this policy, and its public key in `pub.pem`.
fn signed(name: &str, policy: &str) -> PathBuf {
    let dir = own(name);
    let (code, printed) = call(
        &dir,
        &[
            "run",
            "pos/payment/clean",
            "pos/payment/answers-lost",
            "--bench",
            "tabletop",
            "--policy",
            policy,
            "--out",
            "out",
            "--key",
            "key.pem",
        ],
    );
    assert_eq!(code, if policy == "published" { 100 } else { 0 }, "{printed}");
    assert!(printed.contains("signed with key.pem, which was made for it"), "{printed}");
    let (code, public) = call(&dir, &["keys", "--key", "key.pem"]);
    assert!(code == 0 && public.starts_with("-----BEGIN PUBLIC KEY-----"), "{public}");
    fs::write(dir.join("pub.pem"), public).unwrap();
    dir
}

fn verified(dir: &Path, more: &[&str]) -> (i32, String) {
    call(dir, &[&["verify", "out"], more].concat())
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn an_untouched_report_holds_by_its_key_and_its_runs_come_back() {
    let dir = signed("holds", "hardened");
    let (code, words) = verified(&dir, &["--key", "pub.pem", "--replay", "50"]);
    assert_eq!(code, 0, "{words}");
    assert!(words.starts_with("out: the certificate holds.\nSigned by     the key of pub.pem\n"), "{words}");
    assert!(words.contains("2 of 2 simulated runs, drawn by seed 0: 2 with the same tape"), "{words}");
    assert!(words.contains("Verdict       pass (exit code 0)"), "{words}");
    let (code, words) = verified(&dir, &[]);
    assert_eq!(code, 0, "{words}");
    assert!(words.contains("--key PUBLIC_KEY checks that it is one that you trust"), "{words}");
    // Neither the key nor a part of it is in the report.
    let key = fs::read_to_string(dir.join("key.pem")).unwrap();
    let secret = key.lines().nth(1).unwrap().as_bytes().to_vec();
    for file in files(&dir.join("out")) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", file.display());
        assert!(!bytes.windows(7).any(|window| window == b"PRIVATE"), "{}", file.display());
    }
}

#[test]
fn whatever_is_changed_in_a_file_is_named() {
    let dir = signed("changed", "published");
    let out = dir.join("out");
    let all = files(&out);
    // One of each kind: every class of file and, in each, its first, a middle and its last byte.
    let endings = [".html", ".json", ".xml", ".md", ".pem", ".toml", ".tape", ".jsonl", ".pcapng"];
    for ending in endings {
        let of_kind =
            |file: &&PathBuf| file.to_str().unwrap().ends_with(ending) && !file.ends_with(CERTIFICATE);
        let file = all.iter().find(of_kind).unwrap_or_else(|| panic!("{ending}: {all:?}"));
        let whole = fs::read(file).unwrap();
        let name = file.strip_prefix(&out).unwrap().to_str().unwrap().to_owned();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            flip(file, at);
            let (code, words) = verified(&dir, &["--key", "pub.pem", "--replay", "1"]);
            assert_eq!(code, 100, "{words}");
            assert!(words.contains(&format!("  {name}: changed\n")), "{name} at {at}: {words}");
            assert!(!words.contains("Replayed"), "what is not as it was is not run: {words}");
        }
        fs::write(file, &whole[1..]).unwrap();
        assert!(verified(&dir, &["--key", "pub.pem"]).1.contains(&format!("  {name}: changed\n")));
        fs::write(file, whole).unwrap();
    }
    assert_eq!(verified(&dir, &["--key", "pub.pem"]).0, 0);
}

#[test]
fn a_file_that_is_missing_or_was_added_is_named() {
    let dir = signed("missing", "hardened");
    fs::rename(dir.join("out/junit.xml"), dir.join("out/replay/junit.xml")).unwrap();
    let (code, words) = verified(&dir, &["--key", "pub.pem"]);
    assert_eq!(code, 100, "{words}");
    assert!(words.contains("  junit.xml: missing\n"), "{words}");
    assert!(words.contains("  replay/junit.xml: added, nothing is stated of it\n"), "{words}");
}

/// One byte of each part of the certificate: braces and blanks, keys, the type, the payload, the hint, the signature.
#[test]
fn whatever_is_changed_in_the_certificate_is_named() {
    let dir = signed("certificate", "hardened");
    let file = dir.join("out").join(CERTIFICATE);
    let whole = fs::read(&file).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let after = |part: &str, more: usize| text.find(part).unwrap() + part.len() + more;
    let places = [
        0,
        1,
        after("\"payload", 0),
        after("vnd.in-", 0),
        after("\"payload\": \"", 0),
        after("\"payload\": \"", 1_000),
        after("\"keyid\": \"", 3),
        after("\"sig\": \"", 0),
        after("\"sig\": \"", 86),
        text.len() - 1,
    ];
    for at in places {
        flip(&file, at);
        let (code, words) = verified(&dir, &["--key", "pub.pem"]);
        assert_eq!(code, 100, "byte {at}: {words}");
        assert!(words.contains(&format!("  {CERTIFICATE}: ")), "byte {at}: {words}");
        fs::write(&file, &whole).unwrap();
    }
    fs::write(&file, [b" ".as_slice(), &whole].concat()).unwrap();
    let (code, words) = verified(&dir, &["--key", "pub.pem"]);
    assert_eq!(code, 100);
    assert!(words.contains("changed beside what is signed"), "{words}");
    fs::remove_file(&file).unwrap();
    let (code, words) = verified(&dir, &["--key", "pub.pem"]);
    assert_eq!(code, 2);
    assert!(
        words.contains("give the directory that `assay certify` or `assay run --key` has left"),
        "{words}"
    );
}

#[test]
fn the_key_of_somebody_else_does_not_do() {
    let dir = signed("wrong-key", "hardened");
    let (_, other) = call(&dir, &["keys", "--key", "other.pem"]);
    let other = other
        .lines()
        .filter(|line| !line.starts_with("note: made the key other.pem"))
        .collect::<Vec<_>>()
        .join("\n");
    fs::write(dir.join("other.pub.pem"), other).unwrap();
    let (code, words) = verified(&dir, &["--key", "other.pub.pem"]);
    assert_eq!(code, 100, "{words}");
    assert!(words.contains("no signature in it is by this key over what it holds"), "{words}");
    // A private key is no public one.
    let (code, words) = verified(&dir, &["--key", "key.pem"]);
    assert_eq!(code, 2, "{words}");
    assert!(words.contains("it is not an Ed25519 public key in PEM form"), "{words}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_or_that_would_go_out_with_the_report_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = own("refused");
    let run = |key: &str| {
        call(&dir, &["run", "pos/payment/clean", "--bench", "tabletop", "--out", "out", "--key", key])
    };
    assert_eq!(run("key.pem").0, 0);
    let mode = fs::metadata(dir.join("key.pem")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
    let (code, words) = run("key.pem");
    assert_eq!(code, 2);
    assert!(words.contains("replay is there from before") && words.lines().count() == 1, "{words}");
    fs::remove_dir_all(dir.join("out")).unwrap();
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(dir.join("key.pem"), fs::Permissions::from_mode(mode)).unwrap();
        let (code, words) = run("key.pem");
        assert_eq!(code, 2);
        let what = format!(
            "error: the key key.pem: others than its owner may use it (mode {mode:04o}); \
             `chmod 600 key.pem` puts it right\n"
        );
        assert_eq!(words, what);
    }
    fs::create_dir(dir.join("out")).unwrap();
    let (code, words) = run("out/key.pem");
    assert_eq!(code, 2);
    assert!(words.contains("it lies in the directory of the report"), "{words}");
    assert!(!dir.join("out/key.pem").exists());
}

#[test]
fn the_kill_score_is_that_of_a_report_of_mutants() {
    let dir = own("kill-score");
    let mutant = ["mutants", "pos", "--mutant", "server-charges-repeats", "--out", "m"];
    let (code, words) = call(&dir, &mutant);
    assert_eq!(code, 0, "{words}");
    let run = |mutants: &str| {
        let words = ["run", "pos/payment/clean", "--bench", "tabletop", "--out", "out", "--key", "key.pem"];
        call(&dir, &[words.as_slice(), &["--mutants", mutants]].concat())
    };
    assert_eq!(run("m").0, 0);
    let (code, words) = verified(&dir, &[]);
    assert_eq!(code, 0, "{words}");
    assert!(words.contains("Kill score    1 of 1 mutant, by mutants.json"), "{words}");
    flip(&dir.join("out/mutants.json"), 40);
    assert!(verified(&dir, &[]).1.contains("  mutants.json: changed\n"));
    fs::remove_dir_all(dir.join("out")).unwrap();
    let (code, words) = run("not-there");
    assert!(code == 2 && words.contains("give the report of `assay mutants`"), "{words}");
}

/// The signature as other software checks it: OpenSSL, over the bytes that the DSSE document says are signed.
#[test]
fn other_software_finds_the_signature_good() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("there is no openssl here, so only our own code has checked the signature");
        return;
    }
    let dir = signed("openssl", "hardened");
    let text = fs::read_to_string(dir.join("out").join(CERTIFICATE)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let decode = |name: &str, value: &serde_json::Value| {
        let (from, to) = (dir.join("base64"), dir.join(name));
        fs::write(&from, value.as_str().unwrap()).unwrap();
        let [from, to] = [&from, &to].map(|path| path.to_str().unwrap());
        let done = Command::new("openssl").args(["base64", "-d", "-A", "-in", from, "-out", to]).status();
        assert!(done.unwrap().success());
        fs::read(to).unwrap()
    };
    let payload = decode("payload", &json["payload"]);
    decode("sig", &json["signatures"][0]["sig"]);
    let head = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len());
    let check = |signed: &[u8]| {
        fs::write(dir.join("signed"), signed).unwrap();
        let words = "pkeyutl -verify -pubin -rawin -inkey pub.pem -sigfile sig -in signed";
        Command::new("openssl").args(words.split(' ')).current_dir(&dir).output().unwrap().status.success()
    };
    let signed = [head.as_bytes(), &payload].concat();
    assert!(check(&signed));
    assert!(!check(&[signed.as_slice(), b" "].concat()));
    let key = Command::new("openssl").args(["pkey", "-in", "key.pem", "-noout"]).current_dir(&dir).status();
    assert!(key.unwrap().success(), "the key that was made is one that others read");
    // What is signed has the form that in-toto gives it.
    let statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    let predicate = &statement["predicate"];
    assert_eq!(predicate["result"], "PASSED");
    assert_eq!(predicate["passedTests"].as_array().unwrap().len(), 2, "{}", predicate["passedTests"]);
    let cases = &predicate["https://github.com/assay-hil/assay/certificate/v1"]["cases"];
    assert_eq!(cases.as_array().unwrap().len(), 2);
}

#[test]
fn runs_under_explored_faults_are_made_again() {
    let dir = signed("explored", "published");
    let list = fs::read_to_string(dir.join("out/replay/pos-payment-clean-0.explored.jsonl")).unwrap();
    let passed = list.lines().filter(|line| line.ends_with("\"violates\":[]}")).count();
    assert!(passed > 50, "{passed} of {}", list.lines().count());
    let (code, words) = verified(&dir, &["--key", "pub.pem", "--replay", "60", "--seed", "3"]);
    assert_eq!(code, 0, "{words}");
    assert!(words.contains(" simulated runs, drawn by seed 3: 60 with the same tape"), "{words}");
}
