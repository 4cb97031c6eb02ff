//! The kill matrix in plain text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::record::MutantRecord;
use crate::text::{self, counted, escape, grouped, shown, wrapped};

/// How many cases one block of the matrix has room for.
const CASES_A_BLOCK: usize = 20;

/// The widest name of a mutant in the matrix.
///
/// Units: columns.
const NAME_MAX: usize = 40;

/// Which case kills which mutant: a row a mutant, a column a case, the requirements that were broken beside it.
///
/// Shape: blocks of at most 20 cases, each followed by what its numbers mean; only cases that kill anything.
pub fn render_mutants(mutants: &[MutantRecord]) -> String {
    let cases: BTreeSet<&str> =
        mutants.iter().flat_map(|mutant| &mutant.by).map(|kill| &*kill.case).collect();
    let cases: Vec<&str> = cases.into_iter().collect();
    let mut out = String::new();
    for (block, cases) in cases.chunks(CASES_A_BLOCK).enumerate() {
        push_block(&mut out, mutants, cases, block * CASES_A_BLOCK + 1);
        out.push('\n');
    }
    for mutant in mutants.iter().filter(|mutant| !mutant.killed) {
        out += &wrapped("", &format!("{} survived: {}", shown(&mutant.name), shown(&mutant.what)));
    }
    out += &wrapped("", &tally(mutants));
    out
}

/// How many mutants were killed.
pub(crate) fn tally(mutants: &[MutantRecord]) -> String {
    let killed = mutants.iter().filter(|mutant| mutant.killed).count();
    format!("{} of {} killed.", grouped(killed as u64), counted(mutants.len() as u64, "mutant"))
}

/// The requirements that a mutant broke, each once.
pub(crate) fn requirements_broken(mutant: &MutantRecord) -> String {
    let requirements: BTreeSet<&str> = mutant.by.iter().map(|kill| kill.requirement.as_str()).collect();
    escape(&requirements.into_iter().collect::<Vec<_>>().join(", "))
}

fn push_block(out: &mut String, mutants: &[MutantRecord], cases: &[&str], first: usize) {
    let names: Vec<String> =
        mutants.iter().map(|mutant| text::fitted(&shown(&mutant.name), NAME_MAX)).collect();
    let width = names.iter().map(|name| text::columns(name)).max().unwrap_or(0).max("mutant".len());
    let cell = (first + cases.len() - 1).to_string().len() + 1;
    let row = |name: &str, cells: &mut dyn Iterator<Item = String>, broken: &str| {
        let padding = " ".repeat(width - text::columns(name));
        let cells: String = cells.map(|mark| format!("{mark:>cell$}")).collect();
        wrapped(&format!("{name}{padding} {cells}  "), broken)
    };
    *out += &row("mutant", &mut (first..first + cases.len()).map(|number| number.to_string()), "breaks");
    for (mutant, name) in mutants.iter().zip(&names) {
        let killers: BTreeSet<&str> = mutant.by.iter().map(|kill| kill.case.as_str()).collect();
        let mark = |case: &&str| if killers.contains(case) { "x".to_owned() } else { ".".to_owned() };
        let broken =
            if mutant.killed { requirements_broken(mutant) } else { "nothing: it survived".to_owned() };
        *out += &row(name, &mut cases.iter().map(mark), &broken);
    }
    for (offset, case) in cases.iter().enumerate() {
        let _ = writeln!(out, "{:>cell$}  {}", first + offset, shown(case));
    }
}
