//! Whether two ports are the two ends of one line that lets every byte through.

use std::time::Duration;

use assay_sim::time::Span;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Sends every byte there is from A to B, back, and once more from A to B, each time in another order.
///
/// Why: a line that is not raw gives itself away by what a terminal driver turns or swallows, and by the echo that
/// an end finds when it is read after it has sent.
///
/// Errors: what went wrong, in words.
pub(crate) async fn self_check<P>(a: &mut P, b: &mut P, within: Span) -> Result<(), String>
where
    P: AsyncRead + AsyncWrite + Unpin,
{
    let from_a = |what| format!("self-check from end A to end B: {what}");
    let from_b = |what| format!("self-check from end B to end A: {what}");
    cross(a, b, 0x00, within).await.map_err(from_a)?;
    cross(b, a, 0x55, within).await.map_err(from_b)?;
    cross(a, b, 0xAA, within).await.map_err(from_a)
}

/// Whether a short sleep ends when it should, or at least within the time given; and how well it did.
///
/// Errors: what went wrong, in words.
pub(crate) async fn wakes_in_time(within: Span) -> Result<String, String> {
    const SHORT: Duration = Duration::from_millis(20);
    let before = tokio::time::Instant::now();
    tokio::time::sleep(SHORT).await;
    let took = before.elapsed();
    if took >= SHORT && took <= SHORT + Duration::from_micros(within.as_us()) {
        return Ok(format!("the clock wakes within {} µs of a deadline", (took - SHORT).as_micros()));
    }
    Err(format!("a sleep of {} ms took {} ms", SHORT.as_millis(), took.as_millis()))
}

async fn cross<P>(from: &mut P, to: &mut P, first: u8, within: Span) -> Result<(), String>
where
    P: AsyncRead + AsyncWrite + Unpin,
{
    let sent: Vec<u8> = (0..=u8::MAX).map(|byte| byte.wrapping_add(first)).collect();
    let mut got = Vec::with_capacity(sent.len());
    let crossing = async {
        from.write_all(&sent).await.map_err(|error| format!("could not write: {error}"))?;
        while got.len() < sent.len() {
            match to.read_buf(&mut got).await {
                Ok(0) => return Err("the port was closed".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("could not read: {error}")),
            }
        }
        Ok(())
    };
    let in_time = timeout(Duration::from_micros(within.as_us()), crossing).await;
    if let Some((at, (sent, got))) = sent.iter().zip(&got).enumerate().find(|(_, (sent, got))| sent != got) {
        return Err(format!("byte {at} was sent as 0x{sent:02X} and arrived as 0x{got:02X}"));
    }
    let too_few = || format!("only {} of {} bytes arrived within {within}", got.len(), sent.len());
    in_time.unwrap_or_else(|_| Err(too_few()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    const WITHIN: Span = Span::ms(200);

    /// Runs the check over two ends, with something in between that turns what it reads from one into what it
    /// writes to the other, or back to where it came from.
    fn check(turn: fn(u8) -> Option<u8>, echo: bool) -> Result<(), String> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (mut a, mut far_a) = duplex(4_096);
            let (mut b, mut far_b) = duplex(4_096);
            let between = tokio::spawn(async move {
                loop {
                    tokio::task::yield_now().await;
                    relay(&mut far_a, &mut far_b, turn, false).await;
                    relay(&mut far_b, &mut far_a, turn, echo).await;
                }
            });
            let verdict = self_check(&mut a, &mut b, WITHIN).await;
            between.abort();
            verdict
        })
    }

    async fn relay(from: &mut DuplexStream, to: &mut DuplexStream, turn: fn(u8) -> Option<u8>, echo: bool) {
        let mut bytes = Vec::new();
        if timeout(Duration::from_millis(1), from.read_buf(&mut bytes)).await.is_ok() {
            if echo {
                from.write_all(&bytes).await.unwrap();
            }
            let turned: Vec<u8> = bytes.into_iter().filter_map(turn).collect();
            to.write_all(&turned).await.unwrap();
        }
    }

    #[test]
    fn a_line_that_lets_every_byte_through_passes() {
        assert_eq!(check(Some, false), Ok(()));
    }

    #[test]
    fn a_line_that_turns_swallows_or_echoes_is_found_out() {
        let error = |turn, echo| check(turn, echo).unwrap_err();
        assert_eq!(
            error(|byte| Some(if byte == b'\r' { b'\n' } else { byte }), false),
            "self-check from end A to end B: byte 13 was sent as 0x0D and arrived as 0x0A"
        );
        assert_eq!(
            error(|byte| (byte != 0x13).then_some(byte), false),
            "self-check from end A to end B: byte 19 was sent as 0x13 and arrived as 0x14"
        );
        assert_eq!(
            error(|byte| (byte != 0xFF).then_some(byte), false),
            "self-check from end A to end B: only 255 of 256 bytes arrived within 200 ms"
        );
        assert_eq!(
            error(Some, true),
            "self-check from end A to end B: byte 0 was sent as 0xAA and arrived as 0x55"
        );
    }

    #[test]
    fn a_dead_or_closed_line_is_found_out() {
        assert_eq!(
            check(|_| None, false).unwrap_err(),
            "self-check from end A to end B: only 0 of 256 bytes arrived within 200 ms"
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let closed = runtime.block_on(async {
            let (mut a, _far_a) = duplex(4_096);
            let (mut b, _) = duplex(4_096);
            self_check(&mut a, &mut b, WITHIN).await
        });
        assert_eq!(closed.unwrap_err(), "self-check from end A to end B: the port was closed");
    }
}
