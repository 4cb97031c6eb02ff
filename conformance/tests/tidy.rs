//! The house rules that a reader of the sources can check without understanding them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a file, without its tests.
const FILE_LINES: usize = 600;
/// The most lines of a function.
const FN_LINES: usize = 70;
/// The most columns of a line.
const COLUMNS: usize = 120;

/// A text file of the workspace.
struct Source {
    /// Where it is, seen from the top.
    path: String,
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }
}

/// Every text file, without what is built or not tracked.
fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let mut skipped: Vec<PathBuf> = vec![root.join(".git"), root.join("target")];
    skipped.extend(ignored.lines().filter_map(|line| line.strip_prefix('/')).map(|name| root.join(name)));
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry of a folder").path();
            if skipped.contains(&path) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Some(text) = text_of(&path) {
                let path = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.iter().any(|source| source.path == "conformance/tests/tidy.rs"));
    found
}

/// A file's text; nothing for what is no text, and for a snapshot that nobody has accepted yet.
fn text_of(path: &Path) -> Option<String> {
    let fresh = path.extension().is_some_and(|extension| extension == "new");
    let bytes = fs::read(path).ok()?;
    if fresh || bytes.contains(&0) { None } else { String::from_utf8(bytes).ok() }
}

/// Rust source with the insides of comments, texts and characters blanked out, line for line.
fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = blank_end(&chars, at).unwrap_or(at);
        if end > at {
            code.extend(chars[at..end].iter().map(|char| if *char == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            code.push(chars[at]);
            at += 1;
        }
    }
    code
}

/// Where the comment, text or character that begins here ends; `None` if none does.
fn blank_end(chars: &[char], at: usize) -> Option<usize> {
    let next = chars.get(at + 1).copied();
    let in_word = at > 0 && is_word(chars[at - 1]);
    match chars[at] {
        '/' if next == Some('/') => Some(find(chars, at, "\n").unwrap_or(chars.len())),
        '/' if next == Some('*') => Some(comment_end(chars, at)),
        '"' => Some(text_end(chars, at + 1)),
        'r' if !in_word || (at == 1 || !is_word(chars[at - 2])) && chars[at - 1] == 'b' => {
            raw_end(chars, at + 1)
        }
        '\'' if next == Some('\\') => find(chars, at + 3, "'").map(|end| end + 1),
        '\'' if chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    }
}

fn find(chars: &[char], from: usize, text: &str) -> Option<usize> {
    let text: Vec<char> = text.chars().collect();
    (from..chars.len()).find(|at| chars[*at..].starts_with(&text))
}

fn comment_end(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while at < chars.len() {
        if chars[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if chars[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn text_end(chars: &[char], from: usize) -> usize {
    let mut at = from;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// The end of a raw text whose `r` lies just before.
fn raw_end(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars[from..].iter().take_while(|char| **char == '#').count();
    if chars.get(from + hashes) != Some(&'"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    Some(find(chars, from + hashes + 1, &close).map_or(chars.len(), |end| end + close.len()))
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Where a word stands on its own, as byte offsets.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Each function with a body: its name, its first line, and how many lines it has.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let name: String = code[at + 2..].trim_start().chars().take_while(|char| is_word(*char)).collect();
        if name.is_empty() {
            continue;
        }
        let (mut nested, mut braces, mut end) = (0_i32, 0_i32, None);
        for (offset, char) in code[at..].char_indices() {
            match char {
                '(' | '[' => nested += 1,
                ')' | ']' => nested -= 1,
                ';' if nested == 0 && braces == 0 => break,
                '{' => braces += 1,
                '}' => {
                    braces -= 1;
                    if braces <= 0 {
                        end = Some(at + offset);
                        break;
                    }
                }
                _ => {}
            }
        }
        if let Some(end) = end {
            let first = line_of(code, at);
            found.push((name, first, line_of(code, end) - first + 1));
        }
    }
    found
}

/// How many lines a file has before and after its own tests.
fn lines_without_tests(text: &str) -> usize {
    let mut lines = text.lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            for line in lines.by_ref() {
                if line == "}" || line.ends_with(';') && !line.starts_with(' ') {
                    break;
                }
            }
        } else {
            count += 1;
        }
    }
    count
}

/// Whether a text names a place on somebody's machine, such as a home folder.
fn machine_path(text: &str) -> Option<&'static str> {
    let places = [concat!("/wo", "rk"), concat!("/ho", "me"), concat!("/ro", "ot"), concat!("/t", "mp")];
    places.into_iter().find(|place| {
        text.match_indices(place).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + place.len()..].chars().next();
            let relative = before.is_some_and(|char| is_word(char) || ".-/}>)".contains(char));
            !relative && !after.is_some_and(|char| is_word(char) || char == '-')
        })
    })
}

/// Collects what breaks a rule and fails with all of it.
fn check(rule: &str, breaches: impl IntoIterator<Item = String>) {
    let mut list = String::new();
    for breach in breaches {
        let _ = write!(list, "\n  {breach}");
    }
    assert!(list.is_empty(), "{rule}:{list}");
}

/// Every line of every text file that breaks a rule.
fn lines_that(sources: &[Source], breaks: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let lines = sources
        .iter()
        .flat_map(|source| source.text.lines().enumerate().map(move |(at, line)| (source, at, line)));
    lines
        .filter(|(source, _, line)| breaks(source, line))
        .map(|(source, at, line)| format!("{}:{}: {}", source.path, at + 1, line.trim()))
        .collect()
}

#[test]
fn files_are_short() {
    let sources = sources();
    let rust = sources.iter().filter(|source| source.is_rust() && !source.is_test());
    let long = rust.map(|source| (&source.path, lines_without_tests(&source.text)));
    check(
        &format!("a file has at most {FILE_LINES} lines, tests apart"),
        long.filter(|(_, lines)| *lines > FILE_LINES).map(|(path, lines)| format!("{path}: {lines} lines")),
    );
}

#[test]
fn functions_are_short() {
    let sources = sources();
    let rust = sources.iter().filter(|source| source.is_rust());
    let all = rust.flat_map(|source| {
        functions(&code_of(&source.text)).into_iter().map(|found| (source.path.clone(), found))
    });
    check(
        &format!("a function has at most {FN_LINES} lines"),
        all.filter(|(_, (_, _, lines))| *lines > FN_LINES)
            .map(|(path, (name, first, lines))| format!("{path}:{first}: `{name}` has {lines} lines")),
    );
}

#[test]
fn lines_are_narrow() {
    let wide = lines_that(&sources(), |source, line| source.is_rust() && line.chars().count() > COLUMNS);
    check(&format!("a line has at most {COLUMNS} columns"), wide);
}

#[test]
fn nothing_is_allowed_left_to_do_or_left_from_debugging() {
    let sources = sources();
    let rust = sources.iter().filter(|source| source.is_rust());
    let in_code = rust.flat_map(|source| {
        let code = code_of(&source.text);
        [concat!("#[al", "low"), concat!("#![al", "low"), concat!("dbg", "!")]
            .into_iter()
            .flat_map(|word| code.match_indices(word).map(|(at, _)| line_of(&code, at)).collect::<Vec<_>>())
            .map(|line| format!("{}:{line}", source.path))
            .collect::<Vec<_>>()
    });
    check("no lint is allowed and nothing is printed for debugging", in_code);
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let marked = lines_that(&sources, |_, line| marks.iter().any(|mark| words(line, mark).next().is_some()));
    check("nothing is left to do", marked);
}

#[test]
fn the_project_stands_alone() {
    let sources = sources();
    let places = lines_that(&sources, |_, line| machine_path(line).is_some());
    check("no place on somebody's machine is named", places);
    let folder = concat!("sha", "red/");
    let named = lines_that(&sources, |_, line| {
        line.match_indices(folder).any(|(at, _)| !line[..at].chars().next_back().is_some_and(is_word))
    });
    check("no folder outside the project is named", named);
}

#[test]
fn code_is_told_from_comments_and_texts() {
    let text =
        "a(\"}\\\"{\", '{', '\\'', b'\\x7d'); // }\nlet x: &'a str = r#\"} \" {\"#; /* { /* } */ { */ }\n";
    let code = code_of(text);
    assert_eq!(code.lines().count(), text.lines().count());
    assert_eq!(code.matches(['{', '}']).count(), 1);
    assert!(code.contains("let x: &'a str = "));
    assert_eq!(code_of("br\"{\" for r in x").trim(), "b     for r in x".trim());
}

#[test]
fn a_function_is_measured_from_its_name_to_its_last_brace() {
    let text = [
        "trait T {\n    fn none(&self) -> [u8; 2];\n    fn one() {}\n}\n",
        "fn three(f: fn(u8) -> u8) -> u8\nwhere\n    u8: Copy,\n{\n",
        "    fn inner() {\n    }\n    match 1 { _ => f(1) }\n}\n",
    ];
    let found: Vec<_> =
        functions(&code_of(&text.concat())).into_iter().map(|(name, _, lines)| (name, lines)).collect();
    let name = |name: &str, lines| (name.to_owned(), lines);
    assert_eq!(found, [name("one", 1), name("three", 8), name("inner", 2)]);
}

#[test]
fn tests_do_not_count_towards_a_file() {
    let text = "//! Doc.\n#[cfg(test)]\nmod tests {\n    fn f() {\n    }\n}\nfn g() {}\n";
    assert_eq!(lines_without_tests(text), 2);
    let text = "a\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\nb\nc\n";
    assert_eq!(lines_without_tests(text), 3);
}

#[test]
fn only_places_on_a_machine_are_taken_for_such() {
    for (text, named) in [
        ("cd /wo%rk/x", true),
        ("\"/t%mp\"", true),
        ("(/ho%me/me)", true),
        (".github/wo%rkflows", false),
        ("target/t%mp", false),
        ("https://example.org/ho%me", false),
        ("/ro%oted", false),
    ] {
        assert_eq!(machine_path(&text.replace('%', "")).is_some(), named, "{text}");
    }
    assert_eq!(words("a XY, bXY XY_ XY", "XY").collect::<Vec<_>>(), [2, 14]);
}
