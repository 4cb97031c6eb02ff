//! Which Assay crate may know which, what every manifest inherits, and what lies at the top of the workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use toml::{Table, Value};

/// Each crate's folder, and the folders of the crates that it may depend on.
const EDGES: [(&str, &[&str]); 6] = [
    ("sim", &[]),
    ("hil", &["sim"]),
    ("conformance", &["sim", "hil", "reports"]),
    ("reports", &[]),
    ("examples/vendor-server", &["sim", "conformance"]),
    ("examples/vendor-terminal", &["sim", "conformance"]),
];

/// What every crate takes from the workspace.
const INHERITED: [&str; 9] = [
    "version",
    "edition",
    "rust-version",
    "license",
    "authors",
    "repository",
    "homepage",
    "keywords",
    "categories",
];

/// What has to be at the top.
const REQUIRED: [&str; 6] = ["Cargo.toml", "sim", "conformance", "fixtures", "hil", "reports"];

/// What may be there too, apart from names with a dot in front, licences and what is not tracked.
const OPTIONAL: [&str; 10] = [
    "docs",
    "examples",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "clippy.toml",
    "rustfmt.toml",
    "deny.toml",
    "Cargo.lock",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(folder: &str) -> Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    text.parse().unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn table<'a>(within: &'a Table, key: &str) -> Option<&'a Table> {
    within.get(key).and_then(Value::as_table)
}

/// The folders of the Assay crates that a manifest names, whatever for, on whatever target and by whatever alias.
fn neighbours(manifest: &Table) -> BTreeSet<String> {
    let targets = table(manifest, "target").into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = std::iter::once(manifest).chain(targets);
    let dependencies =
        tables.flat_map(|part| kinds.into_iter().filter_map(|kind| table(part, kind))).flatten();
    let packages = dependencies.map(|(key, value)| {
        let package = value.get("package").and_then(Value::as_str);
        let path =
            value.get("path").and_then(Value::as_str).map(|path| path.rsplit('/').next().unwrap_or(path));
        package.map_or_else(
            || path.map_or_else(|| key.clone(), |folder| format!("assay-{folder}")),
            str::to_owned,
        )
    });
    packages.filter_map(|package| package.strip_prefix("assay-").map(str::to_owned)).collect()
}

/// What a crate's manifest does not take from the workspace though it should.
fn not_inherited(manifest: &Table) -> Vec<&'static str> {
    let inherits = |value: Option<&Value>| {
        value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    let package = table(manifest, "package");
    let mut missing: Vec<_> = INHERITED
        .into_iter()
        .filter(|key| !inherits(package.and_then(|package| package.get(*key))))
        .collect();
    let lints = manifest.get("lints");
    if !inherits(lints) {
        missing.push("lints");
    }
    let description = package.and_then(|package| package.get("description")).and_then(Value::as_str);
    if description.is_none_or(str::is_empty) {
        missing.push("description");
    }
    missing
}

#[test]
fn no_crate_knows_more_of_the_others_than_it_may() {
    for (folder, allowed) in EDGES {
        let found = neighbours(&manifest(folder));
        let extra: Vec<_> = found.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(extra.is_empty(), "{folder} may know {allowed:?}, but also names {extra:?}");
    }
}

#[test]
fn an_edge_is_found_however_it_is_written() {
    for (text, expected) in [
        ("[dependencies]\nserde.workspace = true", None),
        ("[dependencies]\nassay-sim.workspace = true", Some("sim")),
        ("[dev-dependencies]\nassay-hil = \"0.1\"", Some("hil")),
        ("[build-dependencies]\nother = { package = \"assay-reports\", version = \"0.1\" }", Some("reports")),
        ("[dependencies]\nother = { path = \"../sim\" }", Some("sim")),
        ("[target.'cfg(unix)'.dependencies]\nassay-sim = { workspace = true }", Some("sim")),
    ] {
        let found = neighbours(&text.parse().expect("a manifest"));
        assert_eq!(found.into_iter().next().as_deref(), expected, "{text}");
    }
}

#[test]
fn the_simulation_needs_nothing_asynchronous() {
    let manifest = manifest("sim");
    let tokio = table(&manifest, "dependencies").and_then(|all| all.get("tokio"));
    let optional = tokio.is_none_or(|tokio| tokio.get("optional").and_then(Value::as_bool) == Some(true));
    assert!(optional, "tokio has to be optional in sim");
    let default = table(&manifest, "features").and_then(|features| features.get("default"));
    assert!(
        default.and_then(Value::as_array).is_none_or(Vec::is_empty),
        "sim has to have no default features"
    );
}

#[test]
fn every_crate_inherits_lints_and_what_is_said_of_all() {
    let workspace = manifest("");
    let workspace = table(&workspace, "workspace").expect("a workspace");
    let members = workspace.get("members").and_then(Value::as_array).expect("members");
    let members: BTreeSet<_> = members.iter().filter_map(Value::as_str).collect();
    assert_eq!(members, EDGES.into_iter().map(|(folder, _)| folder).collect());
    for (folder, _) in EDGES {
        let manifest = manifest(folder);
        assert_eq!(not_inherited(&manifest), Vec::<&str>::new(), "{folder}");
        let name =
            table(&manifest, "package").and_then(|package| package.get("name")).and_then(Value::as_str);
        // An example is somebody else's crate, and is called as he likes.
        let own = format!("assay-{folder}");
        assert_eq!(name, Some(folder.strip_prefix("examples/").unwrap_or(&own)));
    }
}

#[test]
fn a_manifest_that_goes_its_own_way_is_found() {
    let good = INHERITED.map(|key| format!("{key}.workspace = true\n")).concat();
    let good = format!("[package]\ndescription = \"What it is\"\n{good}[lints]\nworkspace = true\n");
    assert_eq!(not_inherited(&good.parse().expect("a manifest")), Vec::<&str>::new());
    for (from, to, missing) in [
        ("edition.workspace = true", "edition = \"2021\"", "edition"),
        ("[lints]\nworkspace = true", "[lints.rust]\nunsafe_code = \"deny\"", "lints"),
        ("\"What it is\"", "\"\"", "description"),
    ] {
        let text = good.replace(from, to);
        assert_eq!(not_inherited(&text.parse().expect("a manifest")), [missing]);
    }
}

/// Whether something may lie at the top of the workspace; `untracked` is what its `.gitignore` names.
fn belongs_at_the_top(name: &str, untracked: &str) -> bool {
    REQUIRED.contains(&name)
        || OPTIONAL.contains(&name)
        || name.starts_with('.')
        || name.starts_with("LICENSE-")
        || untracked.lines().any(|line| line.trim_matches('/') == name)
}

#[test]
fn the_top_of_the_workspace_holds_what_it_should_and_no_more() {
    let entries = fs::read_dir(root()).expect("the workspace");
    let names: BTreeSet<String> = entries
        .map(|entry| entry.expect("an entry of the workspace").file_name().to_string_lossy().into_owned())
        .collect();
    let untracked = fs::read_to_string(root().join(".gitignore")).unwrap_or_default();
    let extra: Vec<_> = names.iter().filter(|name| !belongs_at_the_top(name, &untracked)).collect();
    let missing: Vec<_> = REQUIRED.into_iter().filter(|name| !names.contains(*name)).collect();
    assert!(extra.is_empty() && missing.is_empty(), "too many: {extra:?}, too few: {missing:?}");
}

#[test]
fn what_does_not_belong_at_the_top_is_found() {
    for (name, belongs) in [
        ("sim", true),
        ("LICENSE-MIT", true),
        (".config", true),
        ("target", true),
        ("notes.md", false),
        ("src", false),
        ("targets", false),
    ] {
        assert_eq!(belongs_at_the_top(name, "/target\n*.new\n"), belongs, "{name}");
    }
}
