//! An alarm that rings to the microsecond, where the system has one: a runtime's own timers are only good to the
//! millisecond, and links on a rig have latencies of less.

use std::task::{Context, Poll};

use assay_sim::time::Span;

#[cfg(target_os = "linux")]
use linux::Timer;

/// An alarm. Where the system has none it never rings, and the runtime's timers do with what they can.
pub(crate) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<Timer>,
}

impl Alarm {
    /// One that is not set. It has to be made within a tokio runtime.
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            timer: Timer::new().ok(),
        }
    }

    /// Has it ring when this much time has passed from now, instead of when it was to ring before.
    pub(crate) fn set(&mut self, span: Span) {
        #[cfg(target_os = "linux")]
        if self.timer.as_ref().is_some_and(|timer| timer.set(span).is_err()) {
            self.timer = None;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = span;
    }

    /// Whether it has rung; otherwise asks to be woken.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer {
            return timer.poll(cx);
        }
        let _ = cx;
        Poll::Pending
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll, ready};

    use assay_sim::time::Span;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[expect(
            deprecated,
            reason = "what is asked of the caller instead, an owned descriptor keeps by its type"
        )]
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
        }

        pub(super) fn set(&self, span: Span) -> io::Result<()> {
            let us = span.as_us().max(1);
            let it_value = Timespec {
                tv_sec: i64::try_from(us / 1_000_000).unwrap_or(i64::MAX),
                tv_nsec: i64::try_from(us % 1_000_000 * 1_000).unwrap_or_default(),
            };
            let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            let spec = Itimerspec { it_interval, it_value };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &spec)?;
            Ok(())
        }

        pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
            loop {
                let Ok(mut guard) = ready!(self.0.poll_read_ready(cx)) else { return Poll::Pending };
                let mut count = [0; 8];
                match guard.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut count)?)) {
                    Ok(_) => return Poll::Ready(()),
                    // It was set anew in the meantime.
                    Err(_) => continue,
                }
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn it_rings_once_when_it_was_set_last_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut alarm = Alarm::new();
            alarm.set(Span::s(60));
            let began = tokio::time::Instant::now();
            alarm.set(Span::us(300));
            poll_fn(|cx| alarm.poll(cx)).await;
            let took = began.elapsed();
            assert!(took.as_micros() >= 300 && took.as_secs() < 30, "{took:?}");
            let within = std::time::Duration::from_millis(5);
            assert!(tokio::time::timeout(within, poll_fn(|cx| alarm.poll(cx))).await.is_err());
        });
    }
}
