//! Two processes of the tool do the same, and a third with another seed does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

fn output(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    let output = command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR")).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn two_processes_make_the_same_tapes() {
    let (exit, told) = output(&["twice"]);
    assert_eq!(exit, 0, "{told}");
    let lines = told.strip_prefix("Two processes printed the same ").and_then(|rest| rest.split(' ').next());
    let lines: u64 = lines.unwrap().replace(',', "").parse().unwrap();
    assert!(lines > 10_000, "{told}");
}

#[test]
fn what_is_compared_depends_on_the_seed() {
    let (exit, one) = output(&["tapes", "water", "--seed", "1"]);
    let (other_exit, other) = output(&["tapes", "water", "--seed", "2"]);
    assert_eq!((exit, other_exit), (0, 0));
    let found = assay_conformance::twice::compare(one.as_bytes(), other.as_bytes()).unwrap();
    assert!(matches!(found, assay_conformance::twice::Comparison::Differs { .. }), "{found:?}");
    let struck = one.lines().filter(|line| line.contains(" with a fault: ")).count();
    let most = assay_conformance::twice::STRUCK + assay_conformance::twice::STRUCK_IN_WORLD;
    assert!((100..=most).contains(&struck), "{struck}");
    assert!(one.lines().any(|line| line.contains(" on world with a fault: ")));
}
