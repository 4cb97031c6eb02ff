//! The router in turmoil's network: the same code that serves on sockets, with a merchant that listens and one that is
//! hostile.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use turmoil::net::{TcpListener, TcpStream};

use super::*;
use crate::money::Fen;
use crate::payments::backend::Backend;
use crate::payments::call::House;
use crate::payments::faces::Faces;
use crate::payments::ledger::Manner;
use crate::payments::plan::Plan;
use crate::payments::profile::Profile;
use crate::payments::wechat_v2::sign::{SignType, sign};
use crate::payments::wechat_v2::{MerchantKey, WechatV2, xml};
use crate::seed::Seed;
use crate::time::Wall;

const KEY: &str = "192006250b4c09247ec02edce69f6a2d";

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> Option<TcpStream> {
        Self::accept(self).await.ok().map(|(stream, _)| stream)
    }
}

#[derive(Clone)]
struct Turmoil;

impl Dialer for Turmoil {
    type Io = TcpStream;

    async fn dial(&self, host: &str, port: u16, _over_tls: bool) -> std::io::Result<TcpStream> {
        TcpStream::connect((host, port)).await
    }
}

fn backend(plan: &str) -> Backend {
    let merchant = MerchantKey { mch_id: "10000100".into(), app_ids: vec!["wx1".into()], key: KEY.into() };
    let face = WechatV2::new([merchant], Seed(1).stream("nonces"));
    let faces = Faces { wechat_v2: Some(face), ..Faces::default() };
    let mut backend = Backend::new(Profile::built_in(), faces, Plan::read(plan).unwrap());
    backend.ledger_mut().add_payer("ada", Fen(100_000), Manner::Pays);
    backend.ledger_mut().give_strange_codes_to("ada");
    backend
}

/// A network in which the platforms are the host `pay`, and what runs at the host `till` is told.
fn network<F>(plan: &'static str, till: impl FnOnce(Arc<Desk>) -> F)
where
    F: Future<Output = turmoil::Result> + 'static,
{
    let mut network = turmoil::Builder::new()
        .rng_seed(1)
        .epoch(std::time::UNIX_EPOCH)
        .simulation_duration(Duration::from_secs(3_600))
        .tick_duration(Duration::from_millis(10))
        .build();
    let shared: Rc<RefCell<Option<Arc<Desk>>>> = Rc::default();
    let slot = Rc::clone(&shared);
    network.host("pay", move || {
        let slot = Rc::clone(&slot);
        async move {
            let pace = Pace::new(Wall::from_us(1_772_337_600_000_000), 1);
            let desk = Arc::new(Desk::new(backend(plan), pace));
            *slot.borrow_mut() = Some(Arc::clone(&desk));
            let listener = TcpListener::bind(SocketAddr::from(([0, 0, 0, 0], 80))).await?;
            let limits = Limits { body_within: Duration::from_secs(2), ..Limits::default() };
            tokio::spawn(deliver(Arc::clone(&desk), Turmoil));
            serve(listener, router(Arc::clone(&desk), limits), limits).await;
            Ok(())
        }
    });
    network.step().unwrap();
    let desk = shared.borrow().clone().expect("the host has begun");
    network.client("till", till(desk));
    network.run().unwrap();
}

fn signed(fields: &[(&str, &str)]) -> String {
    let mut all = vec![("appid", "wx1"), ("mch_id", "10000100"), ("nonce_str", "n")];
    all.extend(fields);
    let mut all: xml::Fields = all.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let signature = sign(&all, KEY, SignType::Md5);
    all.push(("sign".into(), signature));
    xml::render(&all)
}

fn micropay(number: &str) -> String {
    signed(&[
        ("body", "tea"),
        ("out_trade_no", number),
        ("total_fee", "888"),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", "134567890123456789"),
    ])
}

/// Sends a request and reads until the connection ends; what came, and whether it ended in order.
async fn exchange(head: &str, body: &[u8]) -> (String, bool) {
    let mut stream = TcpStream::connect(("pay", 80)).await.unwrap();
    let length = body.len();
    let head =
        format!("{head} HTTP/1.1\r\nhost: pay\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let _ = stream.write_all(body).await;
    let mut came = Vec::new();
    let ended = stream.read_to_end(&mut came).await;
    (String::from_utf8(came).unwrap(), ended.is_ok())
}

#[test]
fn a_till_pays_and_reads_a_signed_answer() {
    network("", |desk| async move {
        let (answer, _) = exchange("POST /pay/micropay", micropay("T1").as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        let fields = xml::read(body.as_bytes()).unwrap();
        let told = fields.iter().find(|(name, _)| name == "sign").unwrap().1.clone();
        assert_eq!(told, sign(&fields, KEY, SignType::Md5));
        desk.with(|backend, _| {
            assert_eq!(backend.ledger().merchant_balance(House::Wechat, "10000100"), Some(Fen(888)));
        });
        Ok(())
    });
}

#[test]
fn a_merchant_that_does_not_answer_is_told_again_after_fifteen_seconds() {
    network("", |desk| async move {
        let order = signed(&[
            ("body", "tea"),
            ("out_trade_no", "N1"),
            ("total_fee", "1"),
            ("spbill_create_ip", "127.0.0.1"),
            ("trade_type", "NATIVE"),
            ("product_id", "1"),
            ("notify_url", "http://till:8080/paid"),
        ]);
        exchange("POST /pay/unifiedorder", order.as_bytes()).await;
        let listener = TcpListener::bind(SocketAddr::from(([0, 0, 0, 0], 8080))).await?;
        desk.with(|backend, now| {
            backend.scan(now, House::Wechat, ("10000100", "N1"), "ada").unwrap();
            backend.pay(now, House::Wechat, ("10000100", "N1")).unwrap();
        });
        // The first try is read and left alone; the second comes fifteen seconds after its five seconds are over.
        let (mut first, _) = listener.accept().await?;
        let begun = tokio::time::Instant::now();
        let mut request = vec![0; 4_096];
        let read = first.read(&mut request).await?;
        let text = String::from_utf8_lossy(&request[..read]).into_owned();
        assert!(text.starts_with("POST /paid HTTP/1.1\r\nhost: till:8080\r\n"), "{text}");
        let (mut second, _) = listener.accept().await?;
        // Two hosts and a tick apart.
        let waited = begun.elapsed().as_millis();
        assert!((19_900..20_100).contains(&waited), "{waited}");
        assert!(second.read(&mut request).await? > 0);
        let taken = "<xml><return_code>SUCCESS</return_code></xml>";
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{taken}", taken.len());
        second.write_all(answer.as_bytes()).await?;
        tokio::time::sleep(Duration::from_secs(60)).await;
        desk.with(|backend, _| {
            let (_, notice) = backend.notices().iter().next().unwrap();
            assert_eq!((notice.tries, notice.trouble.clone()), (2, None));
        });
        Ok(())
    });
}

#[test]
fn a_hundred_megabytes_and_a_slow_body_are_refused_and_nothing_is_booked() {
    network("", |desk| async move {
        let mut stream = TcpStream::connect(("pay", 80)).await?;
        stream
            .write_all(b"POST /pay/micropay HTTP/1.1\r\nhost: pay\r\ncontent-length: 104857600\r\n\r\n")
            .await?;
        let mut answer = vec![0; 64];
        let read = stream.read(&mut answer).await?;
        assert!(answer[..read].starts_with(b"HTTP/1.1 413"), "{:?}", String::from_utf8_lossy(&answer));

        // Without a length it is read as far as the limit, and then no further.
        let mut endless = TcpStream::connect(("pay", 80)).await?;
        endless
            .write_all(b"POST /pay/micropay HTTP/1.1\r\nhost: pay\r\ntransfer-encoding: chunked\r\n\r\n")
            .await?;
        let chunk = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
        let mut taken = 0;
        while taken < 100 && endless.write_all(&chunk).await.is_ok() {
            taken += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!((16..40).contains(&taken), "{taken} chunks of 16 KiB were taken");

        let mut slow = TcpStream::connect(("pay", 80)).await?;
        slow.write_all(b"POST /pay/micropay HTTP/1.1\r\nhost: pay\r\ncontent-length: 1000\r\n\r\n<xml>")
            .await?;
        let begun = tokio::time::Instant::now();
        let read = slow.read(&mut answer).await?;
        assert!(answer[..read].starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&answer));
        assert!((2..4).contains(&begun.elapsed().as_secs()));

        let mut desk_slow = TcpStream::connect(("pay", 80)).await?;
        let head = "POST /assay/api/act HTTP/1.1\r\nhost: pay\r\ncontent-type: application/json\r\n";
        desk_slow.write_all(format!("{head}content-length: 1000\r\n\r\n{{").as_bytes()).await?;
        let read = desk_slow.read(&mut answer).await?;
        assert!(answer[..read].starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&answer));

        let mut mute = TcpStream::connect(("pay", 80)).await?;
        mute.write_all(b"POST /pay/micro").await?;
        let begun = tokio::time::Instant::now();
        let mut rest = Vec::new();
        let _ = mute.read_to_end(&mut rest).await;
        assert!((10..12).contains(&begun.elapsed().as_secs()));
        desk.with(|backend, _| assert!(backend.ledger().orders().is_empty() && backend.log().count() == 0));
        Ok(())
    });
}

const WICKED: &str = "
[[misbehave]]
call = 'pay'
order = 'mute'
with = { does = 'no-answer', effect = true }
[[misbehave]]
call = 'pay'
order = 'cut'
with = { does = 'reset', at = 30 }
[[misbehave]]
call = 'pay'
order = 'slow'
with = { does = 'slow', by = '7 s' }
";

#[test]
fn answers_are_late_broken_off_or_left_out_as_planned() {
    network(WICKED, |desk| async move {
        let begun = tokio::time::Instant::now();
        let (answer, _) = exchange("POST /pay/micropay", micropay("mute").as_bytes()).await;
        assert_eq!((answer.as_str(), begun.elapsed().as_secs()), ("", 60));

        let (answer, _) = exchange("POST /pay/micropay", micropay("cut").as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        assert!(length.parse::<usize>().unwrap() > 30, "{head}");
        assert_eq!(body.len(), 30);

        let begun = tokio::time::Instant::now();
        let (answer, ended) = exchange("POST /pay/micropay", micropay("slow").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200") && ended);
        assert_eq!(begun.elapsed().as_secs(), 7);
        desk.with(|backend, _| assert_eq!(backend.log().count(), 3));
        Ok(())
    });
}
