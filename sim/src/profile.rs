//! How a profile is read: a text of sections, some of whose values may be replaced, and whose timers may be divided.

use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::time::{NotADate, Span};

/// A profile that does not read.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LoadError {
    /// Its text, with line and column.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A value in place of one that there is not.
    #[error("the profile has no `{0}`; its keys are those of the built-in one")]
    UnknownKey(String),
}

/// A profile that cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ProfileError {
    /// It does not read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A section, or a value in it, reads and makes no sense.
    #[error("[{section}]{}: {what}", key.map(|key| format!(" {key}")).unwrap_or_default())]
    Senseless {
        /// The section.
        section: &'static str,
        /// The value's key, if it is one value.
        key: Option<&'static str>,
        /// What is wrong with it.
        what: String,
        /// What to write, where that is not seen from the built-in profile.
        mend: Option<&'static str>,
    },
}

/// The epoch of a bench is no date.
impl From<NotADate> for ProfileError {
    fn from(error: NotADate) -> Self {
        let mend = Some("write it as YYYYMMDDhhmmss");
        Self::Senseless { section: "bench", key: Some("epoch"), what: error.to_string(), mend }
    }
}

/// Reads a profile. Spans in the sections `timed` are divided.
///
/// Errors: [`LoadError`].
/// Why: a profile that is taken as it is keeps the places of its values for error messages.
pub fn load<T: DeserializeOwned>(
    text: &str,
    overrides: &toml::Table,
    divisor: u64,
    timed: &[&str],
) -> Result<T, LoadError> {
    if overrides.is_empty() && divisor <= 1 {
        return Ok(toml::from_str(text)?);
    }
    let mut table: toml::Table = toml::from_str(text)?;
    for section in timed {
        if let Some(value) = table.get_mut(*section) {
            shorten(value, divisor);
        }
    }
    merge(&mut table, overrides, "")?;
    Ok(table.try_into()?)
}

fn shorten(value: &mut toml::Value, divisor: u64) {
    match value {
        toml::Value::String(text) => {
            if let Ok(span) = text.parse::<Span>() {
                *text = span.shortened(divisor).to_string();
            }
        }
        toml::Value::Array(values) => values.iter_mut().for_each(|value| shorten(value, divisor)),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| shorten(value, divisor)),
        _ => {}
    }
}

fn merge(into: &mut toml::Table, from: &toml::Table, path: &str) -> Result<(), LoadError> {
    for (key, value) in from {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (into.get_mut(key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new, &path)?,
            (Some(old), new) => *old = new.clone(),
            (None, _) => return Err(LoadError::UnknownKey(path)),
        }
    }
    Ok(())
}
