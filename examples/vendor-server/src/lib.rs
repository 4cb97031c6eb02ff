//! A vendor's own message server for the water-card system: tokio, a task a connection, a journal on a disk.
//!
//! Nothing here knows of the suite that tests it. It is written against two small traits, as servers often are so that
//! they can be tested: where connections come from, and where the journal goes.

pub mod books;
pub mod frame;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use books::{Books, Offer, Prices, hundredths, tonnes};
use frame::{Frame, Front, MESSAGE, NEGATIVE, POSITIVE, front};

/// Where connections come from.
pub trait Listener: 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + 'static;

    /// The next connection.
    ///
    /// Errors: none will come any more.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Io>>;
}

impl Listener for tokio::net::TcpListener {
    type Io = tokio::net::TcpStream;

    async fn accept(&mut self) -> io::Result<Self::Io> {
        Self::accept(self).await.map(|(stream, _)| stream)
    }
}

/// Where the journal goes.
pub trait Disk: 'static {
    /// All that is there.
    ///
    /// Errors: it cannot be read.
    fn read(&mut self) -> io::Result<Vec<u8>>;
    /// Adds to the end.
    ///
    /// Errors: it cannot be written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was added last.
    ///
    /// Errors: it may not last.
    fn sync(&mut self) -> impl Future<Output = io::Result<()>>;
}

/// A journal in a file.
pub struct FileDisk(File);

impl FileDisk {
    /// Opens the file, and makes it if there is none.
    ///
    /// Errors: the system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).append(true).create(true).open(path).map(Self)
    }
}

impl Disk for FileDisk {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        self.0.read_to_end(&mut all).map(|_| all)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    async fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// When the journal is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Before the answer that relies on it: the release that is sold.
    V2,
    /// A second after, in the background, which was faster: the release that was called back.
    V1,
}

/// What the installer sets.
#[derive(Clone)]
pub struct Config {
    /// The release.
    pub release: Release,
    /// The prices.
    pub prices: Prices,
    /// What terminals are told: the heartbeat period in seconds, and the address and port of this server.
    pub parameters: (u32, String),
    /// The calendar, as `YYYYMMDDhhmmss`.
    pub calendar: Rc<dyn Fn() -> String>,
}

/// How long half a frame waits for its rest.
const FRAME_GAP: Duration = Duration::from_millis(500);
/// How many negative answers one connection gets in a while.
const NEGATIVES: (usize, Duration) = (3, Duration::from_secs(20));
/// How late the old release syncs.
const LAZY_SYNC: Duration = Duration::from_secs(1);
/// The longest line from the payment front.
const LINE_MAX: usize = 80;

/// What all connections share.
struct Shared<D> {
    books: Books,
    disk: D,
}

type Store<D> = Rc<Mutex<Shared<D>>>;

/// Serves terminals and the payment front for ever. Runs on a [`tokio::task::LocalSet`].
///
/// Errors: the journal cannot be read or written, or no connections come any more.
pub async fn serve<L: Listener, P: Listener, D: Disk>(
    mut terminals: L,
    mut payments: P,
    mut disk: D,
    config: Config,
) -> io::Result<()> {
    let books = Books::from_journal(&disk.read()?);
    let store = Rc::new(Mutex::new(Shared { books, disk }));
    let (paid_store, paid_config) = (Rc::clone(&store), config.clone());
    tokio::task::spawn_local(async move {
        while let Ok(stream) = payments.accept().await {
            let (store, config) = (Rc::clone(&paid_store), paid_config.clone());
            tokio::task::spawn_local(async move { serve_payments(stream, store, config).await });
        }
    });
    loop {
        let stream = terminals.accept().await?;
        let (store, config) = (Rc::clone(&store), config.clone());
        tokio::task::spawn_local(async move { serve_terminal(stream, store, config).await });
    }
}

/// Makes a change to the books that an answer relies on.
async fn change<D: Disk, T>(
    store: &Store<D>,
    config: &Config,
    work: impl FnOnce(&mut Books, &mut String) -> T,
) -> io::Result<T> {
    let mut shared = store.lock().await;
    let mut journal = String::new();
    let told = work(&mut shared.books, &mut journal);
    if journal.is_empty() {
        return Ok(told);
    }
    shared.disk.append(journal.as_bytes())?;
    match config.release {
        Release::V2 => shared.disk.sync().await?,
        Release::V1 => {
            let store = Rc::clone(store);
            tokio::task::spawn_local(async move {
                tokio::time::sleep(LAZY_SYNC).await;
                store.lock().await.disk.sync().await
            });
        }
    }
    Ok(told)
}

/// One terminal's connection.
struct Terminal<D> {
    store: Store<D>,
    config: Config,
    last_answer: Option<Vec<u8>>,
    negatives: VecDeque<Instant>,
}

async fn serve_terminal<S, D>(mut stream: S, store: Store<D>, config: Config) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Disk,
{
    let mut terminal = Terminal { store, config, last_answer: None, negatives: VecDeque::new() };
    let mut held = Vec::new();
    loop {
        let lost = if held.is_empty() {
            some(stream.read_buf(&mut held).await?)?;
            false
        } else {
            match timeout(FRAME_GAP, stream.read_buf(&mut held)).await {
                Ok(read) => {
                    some(read?)?;
                    false
                }
                Err(_) => true,
            }
        };
        while !held.is_empty() {
            match front(&held) {
                Front::Whole(frame, len) => {
                    held.drain(..len);
                    if let Some(bytes) = terminal.answer(&frame).await? {
                        stream.write_all(&bytes).await?;
                    }
                }
                Front::Damaged { kind, machine } => {
                    held.drain(..1);
                    if let Some(bytes) = terminal.negative(kind, machine) {
                        stream.write_all(&bytes).await?;
                    }
                }
                Front::Junk => drop(held.drain(..1)),
                Front::Short if lost => drop(held.drain(..1)),
                Front::Short => break,
            }
        }
    }
}

/// Something was read, or the peer is gone.
fn some(len: usize) -> io::Result<()> {
    if len == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

impl<D: Disk> Terminal<D> {
    fn negative(&mut self, kind: u8, machine: [u8; 5]) -> Option<Vec<u8>> {
        let now = Instant::now();
        self.negatives.retain(|then| now.duration_since(*then) < NEGATIVES.1);
        if self.negatives.len() >= NEGATIVES.0 {
            return None;
        }
        self.negatives.push_back(now);
        Some(Frame { word: NEGATIVE, kind, machine, content: Vec::new() }.bytes())
    }

    async fn answer(&mut self, frame: &Frame) -> io::Result<Option<Vec<u8>>> {
        match frame.word {
            MESSAGE => {}
            NEGATIVE if frame.content.is_empty() => return Ok(self.last_answer.clone()),
            _ => return Ok(None),
        }
        let Some(content) = self.content(frame).await? else { return Ok(None) };
        let answer = Frame { word: POSITIVE, content: content.into_bytes(), ..frame.clone() };
        self.last_answer = Some(answer.bytes());
        Ok(self.last_answer.clone())
    }

    /// What a message is answered; nothing if it makes no sense.
    async fn content(&self, frame: &Frame) -> io::Result<Option<String>> {
        let Ok(text) = std::str::from_utf8(&frame.content) else { return Ok(None) };
        let fields: Vec<&str> = text.split('%').collect();
        let tiered = match frame.kind >> 4 {
            0 => false,
            1 => true,
            _ => return Ok(None),
        };
        Ok(match (frame.kind & 15, &fields[..]) {
            (0 | 3, [""]) => Some((self.config.calendar)()),
            (1, [card, sold]) => match (is_card(card), hundredths(sold)) {
                (true, Some(sold)) => Some(self.order(card, tiered, sold).await?),
                _ => None,
            },
            (2, [card, order, result, sold]) => self.upload(card, order, result, sold).await?,
            (4, [""]) => {
                let (heartbeat_s, address) = &self.config.parameters;
                Some(format!("{heartbeat_s}%{}", address.replace(':', "%")))
            }
            (5, [card, sold]) if is_card(card) && hundredths(sold).is_some() => {
                let (last, open) = self.store.lock().await.books.account(card);
                Some(format!("{card}%{}%{open}", tonnes(last)))
            }
            (6, [part, code]) if is_number(part) && is_number(code) => Some("ok".to_owned()),
            _ => None,
        })
    }

    async fn order(&self, card: &str, tiered: bool, sold: u32) -> io::Result<String> {
        let (offer, base) =
            change(&self.store, &self.config, |books, journal| books.request(card, tiered, sold, journal))
                .await?;
        let base = tonnes(base);
        Ok(match offer {
            Offer::Nothing => format!("{card}%0%0%0%{base}"),
            Offer::Paid(order, volume) => format!("{card}%{order}%1%{}%{base}", tonnes(volume)),
            Offer::Done(order, volume) => format!("{card}%{order}%2%{}%{base}", tonnes(volume)),
            Offer::SeeOffice => format!("{card}%0%3%0%{base}"),
        })
    }

    async fn upload(&self, card: &str, order: &str, result: &str, sold: &str) -> io::Result<Option<String>> {
        let result = match result {
            "0" => 0,
            "1" => 1,
            "2" => 2,
            _ => return Ok(None),
        };
        let (Some(number), Some(sold)) = (order_number(order), hundredths(sold)) else { return Ok(None) };
        if !is_card(card) {
            return Ok(None);
        }
        let state = change(&self.store, &self.config, |books, journal| {
            books.upload(card, number, result, sold, journal)
        })
        .await?;
        Ok(Some(format!("{order}%{state}")))
    }
}

fn is_card(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn order_number(text: &str) -> Option<u128> {
    ((1..=20).contains(&text.len()) && is_number(text)).then(|| text.parse().ok()).flatten()
}

async fn serve_payments<S, D>(mut stream: S, store: Store<D>, config: Config) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Disk,
{
    let mut held = Vec::new();
    loop {
        some(stream.read_buf(&mut held).await?)?;
        loop {
            let line: Vec<u8> = match held.iter().take(LINE_MAX).position(|byte| *byte == b'\n') {
                Some(end) => held.drain(..=end).collect(),
                None if held.len() >= LINE_MAX => held.drain(..LINE_MAX).collect(),
                None => break,
            };
            let answer = paid(&String::from_utf8_lossy(&line), &store, &config).await?;
            stream.write_all(answer.as_bytes()).await?;
        }
    }
}

async fn paid<D: Disk>(line: &str, store: &Store<D>, config: &Config) -> io::Result<String> {
    let words: Vec<&str> = line.strip_suffix('\n').unwrap_or(line).split(' ').collect();
    let ["PAY", card, order, fen, pricing @ ("flat" | "tiered")] = words[..] else {
        return Ok("REFUSED 0 malformed\n".to_owned());
    };
    let fen = fen.parse::<u64>().ok().filter(|_| is_number(fen) && fen.len() <= 15);
    let (true, Some(number), Some(fen)) = (is_card(card), order_number(order), fen) else {
        return Ok("REFUSED 0 malformed\n".to_owned());
    };
    let tiered = pricing == "tiered";
    let bought =
        change(store, config, |books, journal| books.pay(&config.prices, card, number, tiered, fen, journal))
            .await?;
    Ok(match bought {
        Ok(volume) => format!("PAID {order} {}\n", tonnes(volume)),
        Err(why) => format!("REFUSED {order} {why}\n"),
    })
}
