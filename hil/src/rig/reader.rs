//! A rig file as it is written: every value with its place, and every mistake noted without an end to the reading.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;

use assay_sim::time::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Fault, Place};

/// A file under examination, and the mistakes found so far.
pub(super) struct Reader<'a> {
    text: &'a str,
    file: &'a Path,
    faults: RefCell<Vec<(usize, Fault)>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, file: &'a Path) -> Self {
        Self { text, file, faults: RefCell::new(Vec::new()) }
    }

    /// Notes a mistake at this place.
    pub(super) fn fault(&self, at: usize, what: String) {
        let fault = Fault { place: self.place(at), what };
        self.faults.borrow_mut().push((at, fault));
    }

    /// The mistakes in the order of the file.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|(at, _)| *at);
        faults.into_iter().map(|(_, fault)| fault).collect()
    }

    fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
        }
    }
}

/// A table of the file, and which of its keys somebody has asked for.
pub(super) struct Section<'r, 'a> {
    reader: &'r Reader<'a>,
    path: String,
    at: usize,
    table: &'r DeTable<'a>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'r, 'a> Section<'r, 'a> {
    pub(super) fn root(reader: &'r Reader<'a>, table: &'r DeTable<'a>) -> Self {
        Self { reader, path: String::new(), at: 0, table, asked: RefCell::default() }
    }

    /// What a field of this name is called in messages.
    pub(super) fn field(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    pub(super) fn is_table(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| matches!(value.get_ref(), DeValue::Table(_)))
    }

    /// Notes that a field is wrong as a whole.
    pub(super) fn wrong(&self, key: &str, mend: &str) {
        let (at, found) = self.table.get(key).map_or((self.at, String::new()), |value| {
            (value.span().start, found(value.get_ref()).escape_debug().to_string())
        });
        self.reader.fault(at, format!("`{}` is `{found}`: write {mend}", self.field(key)));
    }

    /// Notes that something about the table itself is wrong.
    pub(super) fn amiss(&self, what: &str) {
        self.reader.fault(self.at, format!("`{}` {what}", self.path));
    }

    /// Notes a field that is needed and not there.
    pub(super) fn need<T>(&self, key: &str, value: Option<T>, mend: &str) -> Option<T> {
        if !self.has(key) {
            self.asked.borrow_mut().insert(key.to_owned());
            self.reader.fault(self.at, format!("`{}` is missing: write {mend}", self.field(key)));
        }
        value
    }

    fn value(&self, key: &str) -> Option<&'r Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.table.get(key)
    }

    pub(super) fn text(&self, key: &str, mend: &str) -> Option<String> {
        match self.value(key)?.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.to_string()),
            _ => {
                self.wrong(key, mend);
                None
            }
        }
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)?.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => {
                self.wrong(key, "`true` or `false`");
                None
            }
        }
    }

    /// A whole number of at least `least` that fits where it goes.
    pub(super) fn number<T: TryFrom<i64>>(&self, key: &str, least: i64, mend: &str) -> Option<T> {
        let number = match self.value(key)?.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let fits = number.filter(|number| *number >= least).and_then(|number| T::try_from(number).ok());
        if fits.is_none() {
            self.wrong(key, mend);
        }
        fits
    }

    /// A length of time; one of zero only where that makes sense.
    pub(super) fn span(&self, key: &str, zero: bool, mend: &str) -> Option<Span> {
        let span = match self.value(key)?.get_ref() {
            DeValue::String(text) => text.parse::<Span>().ok(),
            _ => None,
        };
        let fits = span.filter(|span| zero || *span != Span::ZERO);
        if fits.is_none() {
            self.wrong(key, mend);
        }
        fits
    }

    /// One of a few words.
    pub(super) fn choice<T: Clone>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = match self.value(key)?.get_ref() {
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        let chosen = words.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
        if chosen.is_none() {
            self.wrong(key, &one_of(words.iter().map(|(word, _)| *word)));
        }
        chosen
    }

    /// Words of a command line.
    pub(super) fn words(&self, key: &str, mend: &str) -> Option<Vec<String>> {
        let words = match self.value(key)?.get_ref() {
            DeValue::Array(values) => values
                .iter()
                .map(|value| match value.get_ref() {
                    DeValue::String(word) => Some(word.to_string()),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let words = words.filter(|words| words.first().is_some_and(|program| !program.is_empty()));
        if words.is_none() {
            self.wrong(key, mend);
        }
        words
    }

    pub(super) fn address(&self, key: &str, mend: &str) -> Option<SocketAddr> {
        let address = match self.value(key)?.get_ref() {
            DeValue::String(text) => text.parse::<SocketAddr>().ok(),
            _ => None,
        };
        if address.is_none() {
            self.wrong(key, mend);
        }
        address
    }

    /// A table within this one.
    pub(super) fn section(&self, key: &str, mend: &str) -> Option<Section<'r, 'a>> {
        let value = self.value(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(self.within(key, value.span(), table));
        }
        self.wrong(key, mend);
        None
    }

    /// A table that is taken as it is, elsewhere.
    pub(super) fn leave(&self, key: &str, mend: &str) {
        if let Some(value) = self.value(key)
            && !matches!(value.get_ref(), DeValue::Table(_))
        {
            self.wrong(key, mend);
        }
    }

    /// Every table within this one, by its name.
    pub(super) fn sections(&self, mend: &str) -> Vec<(String, Section<'r, 'a>)> {
        let keys: Vec<String> = self.table.keys().map(|key| key.get_ref().to_string()).collect();
        keys.into_iter().filter_map(|key| Some((key.clone(), self.section(&key, mend)?))).collect()
    }

    fn within(&self, key: &str, span: Range<usize>, table: &'r DeTable<'a>) -> Section<'r, 'a> {
        let path = self.field(key);
        Section { reader: self.reader, path, at: span.start, table, asked: RefCell::default() }
    }

    /// Notes every key that nobody has asked for.
    pub(super) fn end(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys().filter(|key| !asked.contains(key.get_ref().as_ref())) {
            let field = self.field(key.get_ref()).escape_debug().to_string();
            let known = one_of(asked.iter().map(String::as_str));
            let what = format!("`{field}` is not known here: leave it away, or write {known}");
            self.reader.fault(key.span().start, what);
        }
    }
}

/// What stands in a file, as a person would read it out.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "[…]".to_owned(),
        DeValue::Table(_) => "{…}".to_owned(),
    }
}

/// Words of which one is to be written.
pub(super) fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}
