//! Whether anybody has a pseudo-terminal open.
//!
//! A pseudo-terminal has no line that tells it: as long as one descriptor of its named end is kept open, so that hosts
//! may come and go, its other end hears nothing of them. Where the system tells who opens a file, it is asked.

use std::task::{Context, Poll};

/// A watch over the named end of a pseudo-terminal.
#[cfg(target_os = "linux")]
pub(crate) struct Presence {
    events: tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>,
    /// What events of the pseudo-terminal itself are told by.
    watched: i32,
    open: usize,
}

#[cfg(target_os = "linux")]
impl Presence {
    /// A watch that begins now, when nobody but the caller has it open. It has to be called within a tokio runtime.
    ///
    /// Errors: a sentence.
    #[expect(
        deprecated,
        reason = "what is asked of the caller instead, an owned descriptor keeps by its type"
    )]
    pub(crate) fn watch(path: &str) -> Result<Self, String> {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

        let wrong = |error: std::io::Error| format!("{path} cannot be watched: {error}");
        let events =
            init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(|error| wrong(error.into()))?;
        let flags = WatchFlags::OPEN | WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE;
        let watched = add_watch(&events, path, flags).map_err(|error| wrong(error.into()))?;
        // The system tells of two alike, one right behind the other, as of one. With its directory watched as well, an
        // event of that stands between any two of the pseudo-terminal.
        if let Some(directory) = std::path::Path::new(path).parent() {
            add_watch(&events, directory, flags).map_err(|error| wrong(error.into()))?;
        }
        Ok(Self { events: tokio::io::unix::AsyncFd::new(events).map_err(wrong)?, watched, open: 0 })
    }

    /// Whether somebody has it open.
    pub(crate) fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Takes in who has opened and closed it; whether that has changed whether anybody has it open.
    pub(crate) fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        use rustix::fs::inotify::{ReadFlags, Reader};

        let was_open = self.is_open();
        while let Poll::Ready(Ok(mut ready)) = self.events.poll_read_ready(cx) {
            let mut buffer = [std::mem::MaybeUninit::uninit(); 1_024];
            let mut reader = Reader::new(self.events.get_ref(), &mut buffer);
            while let Ok(event) = reader.next() {
                if event.wd() != self.watched {
                    continue;
                }
                if event.events().contains(ReadFlags::OPEN) {
                    self.open += 1;
                } else if event.events().intersects(ReadFlags::CLOSE_WRITE | ReadFlags::CLOSE_NOWRITE) {
                    self.open = self.open.saturating_sub(1);
                }
            }
            ready.clear_ready();
        }
        if self.is_open() == was_open { Poll::Pending } else { Poll::Ready(()) }
    }
}

/// A watch that sees nothing: somebody is always taken to be there.
#[cfg(not(target_os = "linux"))]
pub(crate) struct Presence;

#[cfg(not(target_os = "linux"))]
impl Presence {
    /// Watches nothing.
    ///
    /// Errors: none.
    pub(crate) fn watch(_: &str) -> Result<Self, String> {
        Ok(Self)
    }

    /// Always.
    pub(crate) fn is_open(&self) -> bool {
        true
    }

    /// Never.
    pub(crate) fn poll_change(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::pty::{Pty, PtyConfig};

    #[test]
    fn hosts_are_seen_to_come_and_go_and_what_they_missed_is_forgotten() {
        use std::io::{Read as _, Write as _};

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pty = Pty::open(&PtyConfig { baud: 115_200, exclusive: false }).unwrap();
            let mut lent = pty.lent().unwrap();
            let mut presence = Presence::watch(&lent.path).unwrap();
            assert!(!presence.is_open());
            let host = || std::fs::OpenOptions::new().read(true).write(true).open(&lent.path).unwrap();
            let first = host();
            poll_fn(|cx| presence.poll_change(cx)).await;
            assert!(presence.is_open());
            // A second one changes nothing, whichever of them goes first.
            let second = host();
            drop(first);
            let change = poll_fn(|cx| presence.poll_change(cx));
            assert!(tokio::time::timeout(std::time::Duration::from_millis(100), change).await.is_err());
            assert!(presence.is_open());
            drop(second);
            poll_fn(|cx| presence.poll_change(cx)).await;
            assert!(!presence.is_open());
            // However many come and go at once.
            let (one, other) = (host(), host());
            let another = host();
            poll_fn(|cx| presence.poll_change(cx)).await;
            assert!(presence.is_open());
            drop((one, other));
            let change = poll_fn(|cx| presence.poll_change(cx));
            assert!(tokio::time::timeout(std::time::Duration::from_millis(100), change).await.is_err());
            assert!(presence.is_open());
            drop(another);
            poll_fn(|cx| presence.poll_change(cx)).await;
            assert!(!presence.is_open());
            lent.nameless.write_all(b"nobody hears this\n").unwrap();
            lent.forget_unheard();
            let mut third = host();
            lent.nameless.write_all(b"this\n").unwrap();
            let mut heard = [0; 5];
            third.read_exact(&mut heard).unwrap();
            assert_eq!(&heard, b"this\n");
        });
    }
}
