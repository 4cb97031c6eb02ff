//! The same server on the operating system's sockets and a real file.

use std::path::Path;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use vendor_server::books::Prices;
use vendor_server::frame::{Front, POSITIVE, front};
use vendor_server::{Config, FileDisk, Release, serve};

fn config() -> Config {
    Config {
        release: Release::V2,
        prices: Prices { flat: 350, tiers: vec![(None, 900)] },
        parameters: (60, "127.0.0.1:7000".to_owned()),
        calendar: Rc::new(|| "20240102030405".to_owned()),
    }
}

async fn asked(stream: &mut TcpStream, question: &[u8]) -> Vec<u8> {
    stream.write_all(question).await.expect("the loopback and the temporary folder work");
    let mut answer = vec![0; 256];
    let len = stream.read(&mut answer).await.expect("the loopback and the temporary folder work");
    answer.truncate(len);
    answer
}

/// Starts the server on two free ports, has `work` done with connections to them, and ends it.
fn with_server<F: Future<Output = ()>>(journal: &Path, work: impl FnOnce(TcpStream, TcpStream) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the loopback and the temporary folder work");
    runtime.block_on(LocalSet::new().run_until(async {
        let terminals =
            TcpListener::bind("127.0.0.1:0").await.expect("the loopback and the temporary folder work");
        let payments =
            TcpListener::bind("127.0.0.1:0").await.expect("the loopback and the temporary folder work");
        let at = [
            terminals.local_addr().expect("the loopback and the temporary folder work"),
            payments.local_addr().expect("the loopback and the temporary folder work"),
        ];
        let disk = FileDisk::open(journal).expect("the loopback and the temporary folder work");
        tokio::task::spawn_local(async move { serve(terminals, payments, disk, config()).await });
        let streams = (
            TcpStream::connect(at[0]).await.expect("the loopback and the temporary folder work"),
            TcpStream::connect(at[1]).await.expect("the loopback and the temporary folder work"),
        );
        work(streams.0, streams.1).await;
    }));
}

#[test]
fn an_order_outlives_the_process_that_took_it() {
    let journal = std::env::temp_dir().join(format!("vendor-server-{}.journal", std::process::id()));
    let _ = std::fs::remove_file(&journal);
    with_server(&journal, async |_, mut payments| {
        let paid = asked(&mut payments, b"PAY 0012345678 1001 4375 flat\n").await;
        assert_eq!(paid, b"PAID 1001 12.5\n");
    });
    with_server(&journal, async |mut terminals, _| {
        let request = b"\xAA\x55\x00\x01\x01\x00\x18\x20\x18\x01\x09\x250012345678%0";
        let crc = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM).checksum(request).to_be_bytes();
        let answer = asked(&mut terminals, &[&request[..], &crc].concat()).await;
        let Front::Whole(frame, _) = front(&answer) else { panic!("{answer:?}") };
        assert_eq!((frame.word, &frame.content[..]), (POSITIVE, &b"0012345678%1001%1%12.5%0"[..]));
    });
    std::fs::remove_file(&journal).expect("the loopback and the temporary folder work");
}
