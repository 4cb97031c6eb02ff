//! Datagrams of whoever likes, and discoveries.

use assay_sim::pos::frame::text::encode;
use assay_sim::time::Span;

use super::probe_server::{ProbeServer, SOON, Serves, deletion, made};
use super::records::book;
use super::{BASE, CARD, MORE_WHITE, WHITE};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-hostile/samples",
        title: "every hostile datagram of the fixture comes, and a sale is served every few of them",
        shows: &["POS-X1", "POS-A4", "POS-P3"],
        run: samples,
        ..BASE
    },
    Case {
        id: "pos/terminal-hostile/cut-answers",
        title: "with a sale and a record under way, what would end them comes cut at each byte",
        shows: &["POS-X1", "POS-A2", "POS-R1"],
        run: cut_answers,
        ..BASE
    },
    Case {
        id: "pos/terminal-hostile/at-the-limit",
        title: "texts of just as many bytes as a datagram may have, and of one more",
        shows: &["POS-X1", "POS-A4"],
        run: at_the_limit,
        ..BASE
    },
    Case {
        id: "pos/terminal-hostile/discovery",
        title: "discoveries come while it is idle, while a sale is under way, twice at once, and with too much",
        shows: &["POS-D1", "POS-X1"],
        run: discovery,
        ..BASE
    },
];

/// The fixture's datagrams; one that is cut at each byte is there once for each.
fn fixture() -> Vec<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct File {
        datagram: Vec<toml::Table>,
    }
    let text = include_str!("../../../../fixtures/frames/pos-hostile.toml");
    let File { datagram } = toml::from_str(text).expect("the built-in fixture reads");
    let mut all = Vec::new();
    for sample in datagram {
        let field = |name: &str| sample.get(name).and_then(toml::Value::as_str);
        let mut bytes = match (field("text").or(field("fill")), field("hex")) {
            (Some(text), _) => encode(text),
            (None, hex) => from_hex(hex.unwrap_or_default()),
        };
        if let Some(len) = sample.get("len").and_then(toml::Value::as_integer) {
            bytes.resize(usize::try_from(len).unwrap_or(0), b'1');
        }
        let whole = bytes.len();
        let from = if sample.contains_key("cut_each") { 0 } else { whole };
        all.extend((from..=whole).map(|len| bytes[..len].to_vec()));
    }
    all
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digit =
        |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// A card pays and is served.
fn serve_one(server: &mut ProbeServer<'_>, card: &str) -> Result<(), StageError> {
    let before = std::mem::replace(&mut server.serves, Serves::Everything);
    server.pay("5.50", card)?;
    server.serve(Span::s(4))?;
    server.serves = before;
    Ok(())
}

fn samples(stage: &mut Stage) -> Result<(), StageError> {
    const EVERY: usize = 40;
    let mut server = ProbeServer::in_service(stage)?;
    for (nth, bytes) in fixture().into_iter().enumerate() {
        server.send(&bytes)?;
        server.serve(Span::ms(100))?;
        if nth % EVERY == EVERY - 1 {
            server.serve(Span::s(9))?;
            serve_one(&mut server, if nth % (2 * EVERY) < EVERY { CARD } else { WHITE })?;
        }
    }
    server.serve(Span::s(9))?;
    serve_one(&mut server, CARD)
}

fn cut_answers(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &MORE_WHITE[..1])?;
    server.forget();
    let Some(record) = server.record(Span::s(15))? else { return Ok(()) };
    server.acknowledge(&record)?;
    let Some(sale) = server.pay("5.50", CARD)? else { return Ok(()) };
    server.acknowledge(&sale)?;
    let Some((made, deleted)) = made(&sale).zip(deletion(&record)) else { return Ok(()) };
    // An answer is whole as long as something is left of each of its fields.
    let answer = made.to_bytes();
    let whole = answer.iter().rposition(|byte| *byte == b',').map_or(0, |at| at + 1);
    let refusal = b"006,00002,8888888888,NO,20,0,".as_slice();
    let deleted = deleted.to_bytes();
    let cuts = |bytes: &[u8]| (1..=bytes.len()).map(|len| bytes[..len].to_vec()).collect::<Vec<_>>();
    let mut all = [cuts(&answer[..whole]), cuts(refusal), cuts(&deleted[..deleted.len() - 1])].concat();
    all.push([deleted.as_slice(), b","].concat());
    all.push([deleted.as_slice(), b"0"].concat());
    all.push([answer.as_slice(), b","].concat());
    all.push(answer.iter().map(|byte| byte.saturating_add(u8::from(*byte == b'8'))).collect());
    for bytes in all {
        server.send(&bytes)?;
        server.serve(Span::ms(200))?;
    }
    server.serve(Span::s(20))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(25))?;
    serve_one(&mut server, WHITE)
}

fn at_the_limit(stage: &mut Stage) -> Result<(), StageError> {
    let most = stage.scene().profile.frame.datagram_max;
    let mut server = ProbeServer::in_service(stage)?;
    let (head, tail) = (b"009,00002,".as_slice(), b",20,1,0".as_slice());
    for len in [most - 1, most, most + 1, 2 * most] {
        let filled = vec![b'W'; len - head.len() - tail.len()];
        server.send(&[head, &filled, tail].concat())?;
        server.serve(SOON)?;
        serve_one(&mut server, if len % 2 == 0 { CARD } else { WHITE })?;
    }
    for bytes in [vec![0; most], vec![0xFF; most + 1], vec![b','; most]] {
        server.send(&bytes)?;
        server.serve(Span::ms(200))?;
    }
    serve_one(&mut server, MORE_WHITE[0])
}

fn discovery(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.send(b"000")?;
    server.serve(SOON)?;
    server.send(b"000")?;
    server.send(b"000")?;
    server.serve(SOON)?;
    for not_quite in ["000\n", "0000", "00", "000,00002"] {
        server.send_text(not_quite)?;
        server.serve(SOON)?;
    }
    let Some(sale) = server.pay("5.50", CARD)? else { return Ok(()) };
    server.send(b"000")?;
    server.serve(Span::ms(500))?;
    server.acknowledge(&sale)?;
    server.make(&sale)?;
    server.serve(SOON)?;
    server.restart(Span::s(5))?;
    server.send(b"000")?;
    server.serve(SOON)
}
