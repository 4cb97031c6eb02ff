//! Asynchronous code in the listener's seat.

use std::cell::{Cell, RefCell};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::drive::Hands;
use crate::world::guest::{Door, Guest, Seated, Stream, Working};

/// Answers every line with how often it has been started, after a while; `end` makes it return, `panic` panic, and
/// `drop` drop the connection.
#[derive(Default)]
struct Echo {
    starts: Cell<u32>,
    crashes: RefCell<Vec<Torn>>,
}

async fn serve(mut stream: Stream, start: u32) {
    let mut line = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        line.push(byte);
        if byte == b'\n' {
            if line == b"drop\n" {
                return;
            }
            assert_ne!(line, b"panic\n");
            tokio::time::sleep(Duration::from_millis(30)).await;
            let answer = format!("start {start}: {}", String::from_utf8_lossy(&std::mem::take(&mut line)));
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

impl Guest for Echo {
    fn start(&self, mut doors: Vec<Door>) -> Working {
        self.starts.set(self.starts.get() + 1);
        let start = self.starts.get();
        Box::pin(async move {
            let mut door = doors.remove(0);
            loop {
                let (stream, _) = door.accept().await;
                tokio::task::spawn_local(serve(stream, start));
            }
        })
    }

    fn crash(&self, torn: Torn) {
        self.crashes.borrow_mut().push(torn);
    }
}

fn hosted(plan: &FaultPlan, guest: &Rc<dyn Guest>) -> World<Toy> {
    let hands = Hands::<Toy> {
        send: |port, bytes| Cue::Do(0, Output::Transmit { port, bytes }),
        open: |port, to| Cue::Do(0, Output::Open { port, to }),
        close: |port, how| Cue::Do(0, Output::Close { port, how }),
        level: |port, high| Cue::Do(0, Output::Level { port, high }),
    };
    let seated = Seated { seat: B, guest: Rc::clone(guest), hands };
    World::with_guests(layout(path()), plan, Keep::All, Seed(1), &[seated]).unwrap()
}

fn words(remains: &Remains<Toy>, seat: SeatId) -> Vec<String> {
    notes(remains, seat).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_guest_serves_connections_with_timers_of_its_own() {
    let guest: Rc<dyn Guest> = Rc::new(Echo::default());
    let world = hosted(&FaultPlan::default(), &guest);
    let script = [
        tell(0, A, open(1)),
        tell(0, A, open(2)),
        tell(500, A, say(1, b"one\n")),
        tell(500, A, say(2, b"two\n")),
    ];
    let remains = perform(Box::new(world), &script, 2_000);
    let noted = notes(&remains, A);
    for (port, text) in [(1, "one"), (2, "two")] {
        let got = format!("got {port} start 1: {text}\\n");
        // There and back, and the guest's own thirty milliseconds.
        assert!(noted.iter().any(|(at, note)| *note == got && (730..=751).contains(at)), "{noted:?}");
    }
}

#[test]
fn a_guest_that_loses_its_power_is_gone_without_a_word_and_is_started_anew() {
    let crash = Mishap::Crash { party: "b".to_owned(), torn: Torn::New, off: Span::ms(700) };
    let echo = Rc::new(Echo::default());
    let guest: Rc<dyn Guest> = Rc::<Echo>::clone(&echo);
    let world = hosted(&mishap("path< other #1", Moment::Before, crash), &guest);
    let script = [
        tell(0, A, open(1)),
        tell(500, A, say(1, b"q\n")),
        tell(2_000, A, say(1, b"q\n")),
        tell(3_000, A, open(2)),
        tell(3_500, A, say(2, b"q\n")),
    ];
    let remains = perform(Box::new(world), &script, 5_000);
    // The first question is acknowledged by the stack; the second finds a stack that knows nothing of it.
    assert_eq!(
        words(&remains, A),
        ["on", "open 1", "acked 1 2", "closed 1 Reset", "open 2", "acked 2 2", "got 2 start 2: q\\n"]
    );
    assert_eq!((echo.starts.get(), echo.crashes.borrow().clone()), (2, vec![Torn::New]));
}

#[test]
fn a_connection_task_that_ends_or_panics_closes_its_connection_alone() {
    for word in ["drop\n", "panic\n"] {
        let guest: Rc<dyn Guest> = Rc::new(Echo::default());
        let script = [
            tell(0, A, open(1)),
            tell(0, A, open(2)),
            tell(500, A, say(1, word.as_bytes())),
            tell(1_000, A, say(2, b"q\n")),
        ];
        let remains = perform(Box::new(hosted(&FaultPlan::default(), &guest)), &script, 2_000);
        let noted = words(&remains, A);
        assert!(noted.contains(&"closed 1 Fin".to_owned()), "{noted:?}");
        assert!(noted.contains(&"got 2 start 1: q\\n".to_owned()), "{noted:?}");
    }
}

/// Comes to its end when the first connection comes.
struct Short;

impl Guest for Short {
    fn start(&self, mut doors: Vec<Door>) -> Working {
        Box::pin(async move {
            let _ = doors[0].accept().await;
            Err("the disk is full".to_owned())
        })
    }

    fn crash(&self, _torn: Torn) {}
}

#[test]
fn a_guest_that_ends_resets_its_connections_and_the_tape_tells_why() {
    let guest: Rc<dyn Guest> = Rc::new(Short);
    let script = [tell(0, A, open(1)), tell(1_000, A, open(2))];
    let remains = perform(Box::new(hosted(&FaultPlan::default(), &guest)), &script, 2_000);
    let noted = words(&remains, A);
    assert!(noted.iter().any(|note| note.starts_with("closed 1 ")), "{noted:?}");
    assert!(noted.contains(&"closed 2 Reset".to_owned()), "{noted:?}");
    let told = remains.tape.entries().any(|entry| match &entry.what {
        Seen::Case(text) => text.ends_with("has come to its end: the disk is full"),
        _ => false,
    });
    assert!(told);
}
