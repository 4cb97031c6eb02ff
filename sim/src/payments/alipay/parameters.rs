//! The parameters of a request: where they lie, in which charset, and what their signature covers.

use encoding_rs::{Encoding, GB18030, GBK, UTF_8};

use crate::payments::form::{self, FormError};
use crate::payments::http::Request;

/// All parameters, of the query and of the body, as bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(form::Fields);

impl Parameters {
    /// Reads what a request has. The first of two parameters of one name counts.
    ///
    /// Errors: [`FormError`] if a form cannot be read.
    pub(super) fn read(request: &Request) -> Result<Self, FormError> {
        let mut fields = form::read(request.query.as_bytes())?;
        if request.method == "POST" {
            fields.extend(form::read(&request.body)?);
        }
        let mut first = form::Fields::new();
        for (name, value) in fields {
            if !value.is_empty() && first.iter().all(|(one, _)| *one != name) {
                first.push((name, value));
            }
        }
        Ok(Self(first))
    }

    /// A parameter's bytes.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(one, _)| one == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    /// A parameter that is ASCII; one that is not is as good as none.
    pub(super) fn ascii(&self, name: &str) -> Option<&str> {
        self.bytes(name).filter(|value| value.is_ascii()).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// A parameter as text.
    pub(super) fn text(&self, name: &str, charset: Charset) -> Option<Result<String, NotInCharset>> {
        self.bytes(name).map(|bytes| charset.decode(bytes))
    }

    /// What the signature covers: every parameter but `sign`, sorted by name, as `name=value` with `&` between them.
    pub(super) fn message(&self) -> Vec<u8> {
        message(self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice())), &["sign"])
    }
}

/// What a signature covers: every field but those, sorted by name, as `name=value` with `&` between them.
pub(super) fn message<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>, without: &[&str]) -> Vec<u8> {
    let covered = |name: &[u8]| without.iter().all(|one| one.as_bytes() != name);
    let mut fields: Vec<_> = fields.filter(|(name, value)| covered(name) && !value.is_empty()).collect();
    fields.sort_unstable();
    let mut message = Vec::new();
    for (name, value) in fields {
        if !message.is_empty() {
            message.push(b'&');
        }
        message.extend_from_slice(name);
        message.push(b'=');
        message.extend_from_slice(value);
    }
    message
}

/// How texts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// UTF-8.
    Utf8,
    /// GBK, or GB2312, which is part of it.
    Gbk,
    /// GB18030.
    Gb18030,
}

/// Bytes that are no text in the charset that they are said to be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotInCharset;

impl Charset {
    /// The charset of this name.
    pub(super) fn read(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "gbk" | "gb2312" => Some(Self::Gbk),
            "gb18030" => Some(Self::Gb18030),
            _ => None,
        }
    }

    /// Its name, as answers write it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Gbk => "GBK",
            Self::Gb18030 => "GB18030",
        }
    }

    pub(super) fn decode(self, bytes: &[u8]) -> Result<String, NotInCharset> {
        let text = self.encoding().decode_without_bom_handling_and_without_replacement(bytes);
        text.map(std::borrow::Cow::into_owned).ok_or(NotInCharset)
    }

    /// The bytes of a text; what the charset does not have becomes a numbered reference.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        self.encoding().encode(text).0.into_owned()
    }

    const fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Gbk => GBK,
            Self::Gb18030 => GB18030,
        }
    }
}
