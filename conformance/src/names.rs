//! Names that a user gives: looked up, and where there is no such name, what was probably meant.

use assay_sim::policy::PolicyName;

use crate::case::Case;
use crate::suite::{self, Mutant};
use crate::system::System;

/// How alike two names must be for one to be taken as a slip of the other.
///
/// Units: hundredths.
const ALIKE_MIN: u32 = 60;

/// The policies of a system.
pub const fn policies(system: System) -> &'static [PolicyName] {
    match system {
        System::Water => &PolicyName::ALL,
        System::Modem => &[PolicyName::Hardened],
        System::Pos | System::Payments | System::Paymod => &[PolicyName::Hardened, PolicyName::Published],
    }
}

/// What a policy is, in a sentence.
pub const fn policy_words(policy: PolicyName) -> &'static str {
    match policy {
        PolicyName::Hardened => "the reference: meets every requirement",
        PolicyName::Published => "the source document's design, with its flaws",
        PolicyName::Uncached => "the source document's baseline, without a cache",
    }
}

/// The system of this name.
///
/// Errors: a sentence with what there is.
pub fn system(name: &str) -> Result<System, String> {
    let found = System::ALL.into_iter().find(|system| system.as_str() == name);
    found.ok_or_else(|| no_such("system", name, &System::ALL.map(System::as_str)))
}

/// The policy of this name in a system, or in any if none is given.
///
/// Errors: a sentence with what there is.
pub fn policy(name: &str, system: Option<System>) -> Result<PolicyName, String> {
    let (known, what) = match system {
        Some(system) => (policies(system), format!("policy of the {} system", system.as_str())),
        None => (&PolicyName::ALL[..], "policy".to_owned()),
    };
    let names: Vec<&str> = known.iter().map(|policy| policy.as_str()).collect();
    known.iter().copied().find(|policy| policy.as_str() == name).ok_or_else(|| no_such(&what, name, &names))
}

/// The case of this id.
///
/// Errors: a sentence with what was probably meant.
pub fn case(id: &str) -> Result<Case, String> {
    let cases = suite::cases();
    let ids: Vec<&str> = cases.iter().map(|case| case.id).collect();
    cases.iter().copied().find(|case| case.id == id).ok_or_else(|| no_such_case(id, &ids))
}

/// The mutant of this name in a system, or in any if none is given.
///
/// Errors: a sentence with what was probably meant.
pub fn mutant(name: &str, system: Option<System>) -> Result<Mutant, String> {
    let mut mutants = suite::mutants();
    mutants.retain(|mutant| system.is_none_or(|system| mutant.system == system));
    let names: Vec<&str> = mutants.iter().map(|mutant| mutant.name).collect();
    mutants.iter().copied().find(|mutant| mutant.name == name).ok_or_else(|| no_such("mutant", name, &names))
}

/// The cases that these patterns select, in the order of the suite; every case if there is no pattern.
///
/// Errors: a sentence about the first pattern without a star that is no case's id.
pub fn select(cases: &[Case], patterns: &[String]) -> Result<Vec<Case>, String> {
    let ids: Vec<&str> = cases.iter().map(|case| case.id).collect();
    for pattern in patterns {
        let literal = !pattern.contains(['*', '?']);
        if literal && !ids.contains(&pattern.as_str()) {
            return Err(no_such_case(pattern, &ids));
        }
    }
    let chosen =
        |case: &&Case| patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, case.id));
    Ok(cases.iter().filter(chosen).copied().collect())
}

fn no_such_case(id: &str, ids: &[&str]) -> String {
    let meant = closest(id, ids).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    format!("there is no case `{}`{meant}; `assay list cases` shows all {}", id.escape_debug(), ids.len())
}

/// That there is no such name, what there is, and which was probably meant.
pub fn no_such(what: &str, name: &str, known: &[&str]) -> String {
    let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let there =
        if list.is_empty() { "there is none".to_owned() } else { format!("there are {}", list.join(", ")) };
    let meant = closest(name, known).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    format!("there is no {what} `{}`; {there}{meant}", name.escape_debug())
}

fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let alike = |other: &str| {
        let length = name.chars().count().max(other.chars().count()).max(1);
        let steps = strsim::damerau_levenshtein(name, other);
        u32::try_from(length.saturating_sub(steps) * 100 / length).unwrap_or(0)
    };
    let best = known
        .iter()
        .copied()
        .map(|other| (alike(other), other))
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.filter(|(alike, _)| *alike >= ALIKE_MIN).map(|(_, other)| other)
}

/// Whether a name fits a pattern: `*` stands for any text, slashes included, and `?` for one character.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while here < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(sign) if *sign == '?' || *sign == name[here] => {
                at += 1;
                here += 1;
            }
            // The last star takes one more character.
            _ => match star {
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    at = back + 1;
                    here = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|sign| *sign == '*')
}

/// An argument as a shell needs it.
pub fn shell_word(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name) in [
            ("water/topup/*", "water/topup/clean"),
            ("*", "water/topup/clean"),
            ("*clean", "water/topup/clean"),
            ("w*t?p*n", "water/topup/clean"),
            ("**", ""),
            ("water", "water"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("water/topup", "water/topup/clean"), ("?", ""), ("*x", "water"), ("w*x*r", "water"), ("", "w")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["hardened", "published", "uncached"];
        assert_eq!(closest("hardend", &known), Some("hardened"));
        assert_eq!(closest("unchached", &known), Some("uncached"));
        assert_eq!(closest("zzz", &known), None);
        assert_eq!(
            no_such("policy", "publishd", &known),
            "there is no policy `publishd`; there are `hardened`, `published`, `uncached`; did you mean `published`?"
        );
        assert_eq!(no_such("mutant", "x\n", &[]), "there is no mutant `x\\n`; there is none");
    }

    #[test]
    fn words_are_quoted_only_where_a_shell_would_see_more_in_them() {
        assert_eq!(shell_word("out/replay/a-1.toml"), "out/replay/a-1.toml");
        assert_eq!(shell_word("water/topup/*"), "'water/topup/*'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
