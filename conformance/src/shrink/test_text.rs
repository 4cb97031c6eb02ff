//! The smallest failing run as a Rust test for whoever mends it.

use assay_reports::text::wrapped;

use super::Shrunk;

/// The text of the test.
///
/// Why: the run stands in it whole, so that it needs no file beside it.
pub(super) fn render(shrunk: &Shrunk) -> Result<String, toml::ser::Error> {
    let name = identifier(&format!("{}_{}", shrunk.replay.case.id, shrunk.requirement));
    let replay = shrunk.replay.render(&shrunk.record)?;
    let hashes = "#".repeat(longest_fence(&replay) + 1);
    let requirement = &shrunk.requirement;
    let words = wrapped("/// ", &shrunk.words).replace("\n ", "\n///");
    Ok(format!(
        "\
//! Written by `assay shrink`: passes once the design meets the requirement.

use assay_conformance::interrupt::Stop;
use assay_conformance::replay::Replay;

{words}#[test]
fn {name}() {{
    let replay = Replay::from_text(\"RUN\", RUN).unwrap();
    let (_, run) = replay.run(\"RUN\", &Stop::default()).unwrap();
    assert_eq!(run.broken, None);
    assert!(!run.violated().contains(&\"{requirement}\"), \"{{:?}}\", run.violated());
}}

const RUN: &str = r{hashes}\"{replay}\"{hashes};
"
    ))
}

/// A text as a name in Rust.
fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// The most number signs that follow a quotation mark.
fn longest_fence(text: &str) -> usize {
    text.split('"')
        .skip(1)
        .map(|rest| rest.bytes().take_while(|byte| *byte == b'#').count())
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_fences() {
        assert_eq!(identifier("water/topup/clean_WAT-C4"), "water_topup_clean_wat_c4");
        assert_eq!(
            [longest_fence("a"), longest_fence("site = \"x #1\""), longest_fence("\"##\"#")],
            [0, 0, 2]
        );
    }
}
