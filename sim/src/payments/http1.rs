//! Requests and answers as bytes of HTTP/1.1, one exchange a connection: what parties on a bench say to each other.

use super::http::{Request, Response};

/// The longest message that is waited for.
///
/// Units: bytes.
pub const MESSAGE_MAX: usize = 128 * 1024;
/// The most headers of a message.
const HEADERS_MAX: usize = 32;

/// What stands at the beginning of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan<T> {
    /// A message, and how many bytes it takes.
    Whole(T, usize),
    /// The beginning of one.
    NeedMore,
    /// Nothing that could become one.
    Junk,
}

/// The bytes of a request.
pub fn encode_request(request: &Request, host: &str) -> Vec<u8> {
    let Request { method, headers, body, .. } = request;
    let mut head = format!("{method} {} HTTP/1.1\r\nhost: {host}\r\n", request.target());
    finish(&mut head, headers, body)
}

/// The bytes of an answer.
pub fn encode_response(response: &Response) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} -\r\n", response.status);
    finish(&mut head, &response.headers, &response.body)
}

/// The length of an answer's head, whose body follows it.
pub fn head_len(response: &Response) -> usize {
    encode_response(response).len() - response.body.len()
}

fn finish(head: &mut String, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
    let mut bytes = head.as_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

/// Looks for a request.
pub fn scan_request(bytes: &[u8]) -> Scan<Request> {
    let mut room = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut room);
    let head_len = match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return too_long(bytes),
        Err(_) => return Scan::Junk,
    };
    let (Some(method), Some(target)) = (head.method, head.path) else { return Scan::Junk };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: texts(head.headers),
        ..Request::default()
    };
    with_body(bytes, head_len, &request.headers.clone(), |body| Request { body, ..request })
}

/// Looks for an answer.
pub fn scan_response(bytes: &[u8]) -> Scan<Response> {
    let mut room = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut room);
    let head_len = match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return too_long(bytes),
        Err(_) => return Scan::Junk,
    };
    let Some(status) = head.code else { return Scan::Junk };
    let headers = texts(head.headers);
    with_body(bytes, head_len, &headers.clone(), |body| Response { status, headers, body })
}

const fn too_long<T>(bytes: &[u8]) -> Scan<T> {
    if bytes.len() > MESSAGE_MAX { Scan::Junk } else { Scan::NeedMore }
}

fn texts(headers: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    let text = |header: &httparse::Header<'_>| {
        (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned())
    };
    headers.iter().map(text).collect()
}

fn with_body<T>(
    bytes: &[u8],
    head_len: usize,
    headers: &[(String, String)],
    make: impl FnOnce(Vec<u8>) -> T,
) -> Scan<T> {
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let Ok(length) = length.map_or(Ok(0), |(_, value)| value.trim().parse::<usize>()) else {
        return Scan::Junk;
    };
    if length > MESSAGE_MAX {
        return Scan::Junk;
    }
    let end = head_len + length;
    bytes.get(head_len..end).map_or(Scan::NeedMore, |body| Scan::Whole(make(body.to_vec()), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: the form of RFC 9112, written out by hand.
    const REQUEST: &[u8] = b"POST /pay/micropay?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 2\r\n\r\nok";

    #[test]
    fn messages_written_by_hand_read_and_every_beginning_asks_for_more() {
        let Scan::Whole(request, used) = scan_request(REQUEST) else { panic!("no request") };
        assert_eq!((request.method.as_str(), request.path.as_str(), used), ("POST", "/pay/micropay", 66));
        assert_eq!((request.query.as_str(), request.body.as_slice()), ("a=1", &b"abc"[..]));
        for end in 0..REQUEST.len() {
            assert_eq!(scan_request(&REQUEST[..end]), Scan::NeedMore, "{end}");
        }
        let Scan::Whole(response, used) = scan_response(RESPONSE) else { panic!("no answer") };
        assert_eq!((response.status, response.body.as_slice(), used), (200, &b"ok"[..], RESPONSE.len()));
        for end in 0..RESPONSE.len() {
            assert_eq!(scan_response(&RESPONSE[..end]), Scan::NeedMore, "{end}");
        }
    }

    #[test]
    fn what_is_written_reads_back_and_what_is_no_message_is_junk() {
        let response = Response::new(200, "text/xml", "x");
        let bytes = encode_response(&response);
        let Scan::Whole(read, used) = scan_response(&bytes) else { panic!("no answer") };
        assert_eq!((read.body, used, bytes.len() - 1), (b"x".to_vec(), bytes.len(), head_len(&response)));
        let request = Request::post("/a", "b");
        let Scan::Whole(read, _) = scan_request(&encode_request(&request, "h")) else { panic!("no request") };
        assert_eq!(read.header("host"), Some("h"));
        assert_eq!((read.path, read.body), (request.path, request.body));
        for junk in [&b"\x00\x01\x02"[..], b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n"] {
            assert_eq!(scan_request(junk), Scan::Junk);
        }
        let huge = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
        assert_eq!(scan_response(huge), Scan::Junk);
        assert_eq!(scan_response(&[b'H'; 8]), Scan::Junk);
    }
}
