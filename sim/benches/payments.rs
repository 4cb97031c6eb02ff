//! What the payment platforms cost: operations of the ledger, whole calls with signatures both ways, the signatures by
//! themselves, and calls over loopback with a client that signs them. An element is an operation or a call.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use assay_sim::money::Fen;
use assay_sim::payments::bench_profile::BenchProfile;
use assay_sim::payments::call::{Call, House, Operation, OrderRef, Platform, RefundTerms, Terms};
use assay_sim::payments::crypto::KeyStream;
use assay_sim::payments::ledger::{Ledger, Manner};
use assay_sim::payments::plant::KEYS;
use assay_sim::payments::served::{Desk, Limits, Listener, Pace, router, serve};
use assay_sim::payments::wechat_v2::sign::{SignType, sign};
use assay_sim::payments::wechat_v2::{MerchantKey, WechatV2, xml};
use assay_sim::payments::wechat_v3::{self, Mode, PlatformKeys, SCHEME, WechatV3};
use assay_sim::payments::{Answer, Backend, Faces, Plan, Profile, Request};
use assay_sim::seed::Seed;
use assay_sim::time::{Instant, Now, Span, Wall};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const KEY: &str = "192006250b4c09247ec02edce69f6a2d";
const APP: &str = "wx1";
const MERCHANT: &str = "10000100";

/// Payers that are asked for no password, and as many orders as a served platform keeps.
fn profile() -> Profile {
    let more = toml::toml! { payers = { password_free_a_day = 4000000000u32 } };
    Profile::load(&more).expect("the profile has such a value")
}

fn now(us: u64) -> Now {
    let wall = Wall::from_us(1_772_337_600_000_000 + i64::try_from(us).expect("a short run"));
    Now { mono: Instant::ZERO + Span::us(us), wall }
}

/// A sale as it goes most often, over and over: charged, asked about, refunded, and the refund asked about.
fn ledger(criterion: &mut Criterion) {
    let mut ledger = Ledger::new(profile());
    ledger.add_merchant(House::Wechat, MERCHANT);
    ledger.add_payer("ada", Fen(1_000_000_000), Manner::Pays);
    ledger.give_strange_codes_to("ada");
    let mut count: u64 = 0;
    let mut group = criterion.benchmark_group("payments");
    group.throughput(Throughput::Elements(4));
    group.bench_function("ledger: pay, query, refund, refund query", |bencher| {
        bencher.iter(|| {
            count += 1;
            let (number, code) = (format!("T{count}"), format!("13{count:016}"));
            let order = || OrderRef::Number(number.clone());
            let terms = Terms { number: number.clone(), amount: Fen(5), ..Terms::default() };
            let refund = RefundTerms {
                order: order(),
                number: Some(format!("R{count}")),
                amount: Fen(5),
                total: Some(Fen(5)),
                reason: String::new(),
            };
            let query = Operation::RefundQuery { order: Some(order()), refund: None, refund_id: None };
            let all =
                [Operation::Pay { terms, code }, Operation::Query(order()), Operation::Refund(refund), query];
            for operation in all {
                let call = Call {
                    platform: Platform::WechatV2,
                    merchant: MERCHANT.to_owned(),
                    operation,
                    echo: BTreeMap::new(),
                };
                let outcome = ledger.handle_call(now(count), &call);
                assert_eq!(outcome.result, Ok(()));
                black_box(outcome);
            }
        });
    });
    group.finish();
}

fn backend(faces: Faces) -> Backend {
    let mut backend = Backend::new(profile(), faces, Plan::default());
    backend.ledger_mut().add_payer("ada", Fen(1_000_000_000), Manner::Pays);
    backend.ledger_mut().give_strange_codes_to("ada");
    backend
}

fn paid(backend: &mut Backend, now: Now, request: &Request) {
    let reply = backend.handle_request(now, request);
    let Answer::Whole(response) = reply.answer else { panic!("no answer") };
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    black_box(response);
}

fn micropay(count: u64) -> Request {
    let mut fields: xml::Fields = [
        ("appid", APP.to_owned()),
        ("mch_id", MERCHANT.to_owned()),
        ("nonce_str", format!("{count}")),
        ("body", "tea".to_owned()),
        ("out_trade_no", format!("T{count}")),
        ("total_fee", "1".to_owned()),
        ("spbill_create_ip", "127.0.0.1".to_owned()),
        ("auth_code", format!("13{count:016}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let signature = sign(&fields, KEY, SignType::Md5);
    fields.push(("sign".to_owned(), signature));
    Request::post("/pay/micropay", xml::render(&fields))
}

/// A call, without what it costs the client to make it.
fn wechat_v2(criterion: &mut Criterion) {
    let merchant = MerchantKey { mch_id: MERCHANT.into(), app_ids: vec![APP.into()], key: KEY.into() };
    let face = WechatV2::new([merchant], Seed(1).stream("nonces"));
    let mut backend = backend(Faces { wechat_v2: Some(face), ..Faces::default() });
    let mut count = 0;
    let mut group = criterion.benchmark_group("payments");
    group.throughput(Throughput::Elements(1));
    group.bench_function("WeChat Pay v2: micropay", |bencher| {
        bencher.iter_batched(
            || {
                count += 1;
                (now(count), micropay(count))
            },
            |(now, request)| paid(&mut backend, now, &request),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn codepay(count: u64, now: Now, serial: &str) -> Request {
    let body = format!(
        "{{\"appid\":\"{APP}\",\"mchid\":\"{MERCHANT}\",\"description\":\"tea\",\"out_trade_no\":\"T{count}\",\
         \"amount\":{{\"total\":1}},\"payer\":{{\"auth_code\":\"13{count:016}\"}},\"scene_info\":{{}}}}"
    );
    let (path, stamp) = ("/v3/pay/transactions/codepay", now.wall.as_us() / 1_000_000);
    let signature = KEYS.merchant.sign(format!("POST\n{path}\n{stamp}\n{count}\n{body}\n").as_bytes());
    let told = format!(
        "{SCHEME} mchid=\"{MERCHANT}\",nonce_str=\"{count}\",signature=\"{signature}\",timestamp=\"{stamp}\",\
         serial_no=\"{serial}\""
    );
    let headers = [("accept", "*/*"), ("user-agent", "bench"), ("content-type", "application/json")];
    let mut headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    headers.push(("authorization".to_owned(), told));
    Request { headers, ..Request::post(path, body) }
}

fn wechat_v3(criterion: &mut Criterion) {
    let client = BenchProfile::built_in().expect("the built-in profile reads").client;
    let merchant = wechat_v3::MerchantKey {
        mchid: MERCHANT.into(),
        app_ids: vec![APP.into()],
        serial: client.serial.clone(),
        public: KEYS.merchant.public().clone(),
        api_v3_key: client.api_v3_key,
        mode: Mode::PublicKey,
    };
    let keys = PlatformKeys {
        signing: KEYS.platform.clone(),
        certificate: KEYS.certificate.clone(),
        public_mode: KEYS.platform.clone(),
        public_key_id: client.platform_key_id,
    };
    let face = WechatV3::new([merchant], keys, KeyStream::of_seed(Seed(1), "nonces"), 400);
    let mut backend = backend(Faces { wechat_v3: Some(face), ..Faces::default() });
    let mut count = 0;
    let mut group = criterion.benchmark_group("payments");
    group.throughput(Throughput::Elements(1));
    group.sample_size(20);
    group.bench_function("WeChat Pay v3: codepay", |bencher| {
        bencher.iter_batched(
            || {
                count += 1;
                (now(count), codepay(count, now(count), &client.serial))
            },
            |(now, request)| paid(&mut backend, now, &request),
            criterion::BatchSize::SmallInput,
        );
    });
    let message = vec![b'x'; 400];
    let signature = KEYS.merchant.sign(&message);
    group.bench_function("RSA 2048: a signature", |bencher| bencher.iter(|| KEYS.platform.sign(&message)));
    group.bench_function("RSA 2048: a verification", |bencher| {
        bencher.iter(|| KEYS.merchant.public().verify(&message, &signature).expect("it is genuine"));
    });
    group.finish();
}

/// The platforms on loopback, on a thread of their own.
struct Door(tokio::net::TcpListener);

impl Listener for Door {
    type Io = tokio::net::TcpStream;

    async fn accept(&mut self) -> Option<Self::Io> {
        let (stream, _) = self.0.accept().await.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(stream)
    }
}

#[expect(clippy::disallowed_methods, reason = "the server must not wait for the client that measures it")]
fn serve_beside() -> std::io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let at = listener.local_addr()?;
    let merchant = MerchantKey { mch_id: MERCHANT.into(), app_ids: vec![APP.into()], key: KEY.into() };
    let face = WechatV2::new([merchant], Seed(1).stream("nonces"));
    let backend = backend(Faces { wechat_v2: Some(face), ..Faces::default() });
    std::thread::spawn(move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let desk = Arc::new(Desk::new(backend, Pace::new(now(0).wall, 1)));
            let limits = Limits::default();
            serve(Door(tokio::net::TcpListener::from_std(listener)?), router(desk, limits), limits).await;
            Ok(())
        })
    });
    Ok(at)
}

/// How many calls are on their way at once.
const AT_ONCE: usize = 32;

fn answer(stream: &mut TcpStream, came: &mut Vec<u8>) -> std::io::Result<()> {
    let mut buffer = [0; 4_096];
    came.clear();
    while !came.ends_with(b"</xml>") {
        let read = stream.read(&mut buffer)?;
        assert!(read > 0, "the server hangs up");
        came.extend_from_slice(&buffer[..read]);
    }
    Ok(())
}

fn loopback(criterion: &mut Criterion) {
    let at = serve_beside().expect("a port of this computer's");
    let connect = |_| {
        let stream = TcpStream::connect(at).expect("the server listens");
        stream.set_nodelay(true).expect("it is a connection");
        stream
    };
    let mut streams: Vec<TcpStream> = (0..AT_ONCE).map(connect).collect();
    let (mut count, mut came) = (0, Vec::new());
    let mut group = criterion.benchmark_group("payments");
    group.throughput(Throughput::Elements(AT_ONCE as u64));
    group.bench_function("WeChat Pay v2: signed micropays over loopback", |bencher| {
        bencher.iter(|| {
            for stream in &mut streams {
                count += 1;
                let body = micropay(count).body;
                let head = format!(
                    "POST /pay/micropay HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(&[head.as_bytes(), &body].concat()).expect("the server reads");
            }
            for stream in &mut streams {
                answer(stream, &mut came).expect("the server answers");
                assert!(came.windows(16).any(|window| window == b"CDATA[SUCCESS]]>"), "it is not paid");
            }
        });
    });
    group.finish();
}

criterion_group!(benches, ledger, wechat_v2, wechat_v3, loopback);
criterion_main!(benches);
