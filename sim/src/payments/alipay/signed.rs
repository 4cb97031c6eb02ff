//! What signatures of the gateway cover, for both sides: fields in order, and the bytes of the object in an answer.

use super::parameters::message;

/// What a signature covers: every field with a value but those named, sorted by name, as `name=value` with `&` between.
pub fn covered<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>, without: &[&str]) -> Vec<u8> {
    message(fields, without)
}

/// The object in an answer, and its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedObject<'a> {
    /// Under which name it stands: `alipay_trade_.._response`, or `error_response`.
    pub name: &'a str,
    /// Its bytes as they came, which are what the signature covers.
    pub bytes: &'a [u8],
    /// The signature in Base64.
    pub signature: &'a str,
}

/// The object of an answer that bears a signature; nothing of one that bears none.
///
/// Shape: `{"NAME":{..},"sign":".."}`, in one piece and in this order, as the gateway writes it.
pub fn signed_object(body: &[u8]) -> Option<SignedObject<'_>> {
    let rest = body.strip_prefix(b"{\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    let (name, rest) = rest.split_at(end);
    let rest = rest.strip_prefix(b"\":")?.strip_suffix(b"\"}")?;
    let mark = b"},\"sign\":\"";
    let at = rest.windows(mark.len()).rposition(|window| window == mark)?;
    let (bytes, signature) = (&rest[..=at], &rest[at + mark.len()..]);
    let (name, signature) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(signature).ok()?);
    Some(SignedObject { name, bytes, signature })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_is_cut_out_as_it_came() {
        let body = b"{\"a_response\":{\"msg\":\"x\\/y},\\\"sign\\\":\"},\"sign\":\"QUJD\"}";
        let object = signed_object(body).unwrap();
        assert_eq!((object.name, object.signature), ("a_response", "QUJD"));
        assert_eq!(object.bytes, b"{\"msg\":\"x\\/y},\\\"sign\\\":\"}");
        let none: [&[u8]; 6] = [
            b"",
            b"{}",
            b"{\"a_response\":{\"code\":\"40002\"}}",
            b"{\"a_response\":{},\"sign\":\"QUJD\"",
            b"{\"a_response\":{},\"sign\":\"\xff\"}",
            b"<html></html>",
        ];
        for body in none {
            assert_eq!(signed_object(body), None, "{}", String::from_utf8_lossy(body));
        }
    }
}
