//! The one form of document that the platform has: fields in a root, none within another.
//!
//! Whatever a stranger sends is read within stated bounds, and nothing in it is ever expanded: a document type is
//! refused, and so is every entity but the five that XML has of itself.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use thiserror::Error;

/// The longest document that is read.
///
/// Units: bytes.
pub const DOCUMENT_MAX: usize = 64 * 1024;

/// The most fields of a document.
pub const FIELDS_MAX: usize = 100;

/// Fields by name, in the order of the document.
pub type Fields = Vec<(String, String)>;

/// A document that is none of the platform's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum XmlError {
    /// Too long.
    #[error("the document is longer than {DOCUMENT_MAX} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// Not XML, or not of this form.
    #[error("the document is not one root with fields of text in it")]
    Form,
    /// A document type or an entity of one's own.
    #[error("the document declares or uses entities of its own")]
    Entity,
    /// Too many fields.
    #[error("the document has more than {FIELDS_MAX} fields")]
    TooMany,
    /// A field twice.
    #[error("the document has a field twice")]
    Twice,
}

/// Reads a document. The root may have any name.
///
/// Errors: [`XmlError`].
pub fn read(bytes: &[u8]) -> Result<Fields, XmlError> {
    if bytes.len() > DOCUMENT_MAX {
        return Err(XmlError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut document = Document::default();
    while !document.handle_event(&reader.read_event().map_err(|_| XmlError::Form)?)? {}
    Ok(document.fields)
}

/// A document that is being read.
#[derive(Default)]
struct Document {
    fields: Fields,
    /// The field that is open.
    open: Option<(String, String)>,
    in_root: bool,
    ended: bool,
}

impl Document {
    /// Takes the next part; true at the end.
    fn handle_event(&mut self, event: &Event<'_>) -> Result<bool, XmlError> {
        match event {
            Event::Start(start) => self.start(start.name().as_ref())?,
            Event::Empty(start) => {
                self.start(start.name().as_ref())?;
                self.end()?;
            }
            Event::End(_) => self.end()?,
            Event::Text(text) => self.text(&text.decode().map_err(|_| XmlError::NotUtf8)?)?,
            Event::CData(text) => self.cdata(&text.decode().map_err(|_| XmlError::NotUtf8)?)?,
            Event::GeneralRef(name) => self.cdata(resolve(name)?.encode_utf8(&mut [0; 4]))?,
            Event::DocType(_) => return Err(XmlError::Entity),
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().and_then(Result::ok);
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case(b"utf-8")) {
                    return Err(XmlError::NotUtf8);
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if self.ended => return Ok(true),
            Event::Eof => return Err(XmlError::Form),
        }
        Ok(false)
    }

    fn start(&mut self, name: &[u8]) -> Result<(), XmlError> {
        if self.ended || self.open.is_some() {
            return Err(XmlError::Form);
        }
        if !self.in_root {
            self.in_root = true;
            return Ok(());
        }
        let name = String::from_utf8(name.to_vec()).map_err(|_| XmlError::NotUtf8)?;
        if self.fields.iter().any(|(one, _)| *one == name) {
            return Err(XmlError::Twice);
        }
        self.open = Some((name, String::new()));
        Ok(())
    }

    fn end(&mut self) -> Result<(), XmlError> {
        match self.open.take() {
            Some(_) if self.fields.len() == FIELDS_MAX => Err(XmlError::TooMany),
            Some(field) => {
                self.fields.push(field);
                Ok(())
            }
            None if self.in_root && !self.ended => {
                self.ended = true;
                Ok(())
            }
            None => Err(XmlError::Form),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match &mut self.open {
            Some((_, value)) => value.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::Form),
        }
        Ok(())
    }

    fn cdata(&mut self, text: &str) -> Result<(), XmlError> {
        let (_, value) = self.open.as_mut().ok_or(XmlError::Form)?;
        value.push_str(text);
        Ok(())
    }
}

/// What a reference stands for: one of XML's own five, or a character by its number.
fn resolve(name: &BytesRef<'_>) -> Result<char, XmlError> {
    if let Some(char) = name.resolve_char_ref().map_err(|_| XmlError::Form)? {
        return Ok(char);
    }
    match name.decode().map_err(|_| XmlError::NotUtf8)?.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(XmlError::Entity),
    }
}

/// Writes a document as the platform does, every value as character data.
pub fn render(fields: &[(String, String)]) -> String {
    let mut text = String::from("<xml>");
    for (name, value) in fields {
        // The end of character data cannot stand within it, so it is shared out between two.
        let value = value.replace("]]>", "]]]]><![CDATA[>");
        let _ = writeln!(text, "<{name}><![CDATA[{value}]]></{name}>");
    }
    text.push_str("</xml>");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(fields: &Fields) -> Vec<(&str, &str)> {
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn fields_read_whether_as_text_or_as_character_data() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml>\n  <a>1 &amp; 2</a><b><![CDATA[<x>&amp;]]></b>\n\
                    <c/><d>&#20013;<![CDATA[文]]></d><!-- no --></xml>\n";
        let fields = read(text.as_bytes()).unwrap();
        assert_eq!(pairs(&fields), [("a", "1 & 2"), ("b", "<x>&amp;"), ("c", ""), ("d", "中文")]);
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        let long = format!("<xml><a>{}</a></xml>", "x".repeat(DOCUMENT_MAX));
        let many: String = (0..=FIELDS_MAX).map(|number| format!("<f{number}>1</f{number}>")).collect();
        let many = format!("<xml>{many}</xml>");
        let deep = format!("<xml>{}{}</xml>", "<a>".repeat(9_000), "</a>".repeat(9_000));
        for (text, error) in [
            ("", XmlError::Form),
            ("not xml", XmlError::Form),
            ("<xml><a>1</a>", XmlError::Form),
            ("<xml><a>1</b></xml>", XmlError::Form),
            ("<xml><a><b>1</b></a></xml>", XmlError::Form),
            ("<xml>loose<a>1</a></xml>", XmlError::Form),
            ("<xml><a>1</a></xml><xml/>", XmlError::Form),
            ("<xml><a>1</a></xml>tail", XmlError::Form),
            ("<xml><a>1</a><a>2</a></xml>", XmlError::Twice),
            ("<xml><a>&b;</a></xml>", XmlError::Entity),
            ("<!DOCTYPE xml [<!ENTITY b \"c\">]><xml><a>&b;</a></xml>", XmlError::Entity),
            ("<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml><a>1</a></xml>", XmlError::Entity),
            ("<?xml version=\"1.0\" encoding=\"GBK\"?><xml><a>1</a></xml>", XmlError::NotUtf8),
            (long.as_str(), XmlError::TooLong),
            (many.as_str(), XmlError::TooMany),
            (deep.as_str(), XmlError::Form),
        ] {
            assert_eq!(read(text.as_bytes()), Err(error), "{}", &text[..text.len().min(80)]);
        }
        assert_eq!(read(b"<xml><a>\xd6\xd0</a></xml>"), Err(XmlError::NotUtf8));
    }

    #[test]
    fn a_bomb_of_entities_is_refused_before_anything_is_expanded() {
        let mut bomb = String::from("<!DOCTYPE lolz [<!ENTITY a0 \"lol\">");
        for level in 1..10 {
            let many = format!("&a{};", level - 1).repeat(10);
            let _ = write!(bomb, "<!ENTITY a{level} \"{many}\">");
        }
        bomb.push_str("]><xml><a>&a9;</a></xml>");
        assert_eq!(read(bomb.as_bytes()), Err(XmlError::Entity));
    }

    #[test]
    fn what_is_written_reads_back_even_what_ends_character_data() {
        let fields = vec![("a".to_owned(), "x]]>y<z>&".to_owned()), ("b".to_owned(), "中".to_owned())];
        assert_eq!(read(render(&fields).as_bytes()), Ok(fields));
    }
}
