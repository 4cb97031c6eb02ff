//! Records that go up, and what deletes them.

use assay_sim::pos::frame::{DeviceMessage, MachineNumber, RecordAddress, SaleTime, ServerMessage};
use assay_sim::pos::plant::TerminalSpec;
use assay_sim::time::Span;

use super::probe_server::{ProbeServer, SOON, Serves, deletion, time};
use super::{BASE, MORE_WHITE, ONE, WHITE};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-records/one-at-a-time",
        title: "three records go up one by one, each acknowledged and deleted",
        shows: &["POS-A2", "POS-R1", "POS-R2", "POS-R8"],
        run: one_at_a_time,
        explored: true,
        ..BASE
    },
    Case {
        id: "pos/terminal-records/acknowledged-only",
        title: "a record is acknowledged round after round and deleted only then, with another behind it",
        shows: &["POS-A2", "POS-R1", "POS-R2"],
        run: acknowledged_only,
        ..BASE
    },
    Case {
        id: "pos/terminal-records/misnamed",
        title: "what comes deletes another address, card, amount, time and machine, and then the record",
        shows: &["POS-R2"],
        run: misnamed,
        ..BASE
    },
    Case {
        id: "pos/terminal-records/unacknowledged",
        title: "nobody acknowledges a record for three rounds",
        shows: &["POS-A2", "POS-R1"],
        run: unacknowledged,
        ..BASE
    },
    Case {
        id: "pos/terminal-records/restarted",
        title: "power is lost with three records held, twice, and again between two deletions",
        shows: &["POS-R1", "POS-R2", "POS-R7"],
        run: restarted,
        ..BASE
    },
    Case {
        id: "pos/terminal-records/deleted-twice",
        title: "the deletion of a record comes three times, also when the next is up",
        shows: &["POS-R1", "POS-R2"],
        run: deleted_twice,
        ..BASE
    },
    Case {
        id: "pos/terminal-records/old-record",
        title: "a record of older firmware, whose time there is not, is deleted by 9999 and by nothing else",
        shows: &["POS-R1", "POS-R2"],
        setup: Setup { specs: &[TerminalSpec { old_record: true, ..TerminalSpec::ORDINARY }], ..ONE },
        run: old_record,
        ..BASE
    },
    Case {
        id: "pos/terminal-records/lost-clock",
        title: "the clock has lost its time when sales are booked; only a record of an impossible time heeds 9999",
        shows: &["POS-P8", "POS-R2"],
        setup: Setup { profile: "[clock]\nholds = \"1 s\"", ..ONE },
        run: lost_clock,
        ..BASE
    },
];

/// Sales of these cards are booked off line, one after the other.
pub(super) fn book(server: &mut ProbeServer<'_>, cards: &[&str]) -> Result<(), StageError> {
    for card in cards {
        server.pay("5.50", card)?;
        server.shown("OFF LINE", Span::s(6))?;
        server.serve(Span::ms(500))?;
    }
    Ok(())
}

/// The next record, acknowledged and deleted; whether there was one.
fn take(server: &mut ProbeServer<'_>) -> Result<bool, StageError> {
    let Some(record) = server.record(Span::s(15))? else { return Ok(false) };
    server.acknowledge(&record)?;
    server.serve(Span::ms(300))?;
    server.delete(&record)?;
    Ok(true)
}

fn one_at_a_time(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &MORE_WHITE)?;
    server.forget();
    for _ in 0..3 {
        take(&mut server)?;
    }
    server.serve(Span::s(25))
}

fn acknowledged_only(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &[WHITE])?;
    server.serves = Serves::Acknowledges;
    server.serve(Span::s(30))?;
    server.serves = Serves::Notices;
    book(&mut server, &MORE_WHITE[..2])?;
    server.serves = Serves::Acknowledges;
    server.serve(Span::s(30))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(30))
}

fn old_record(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let Some(record) = server.record(Span::s(15))? else { return Ok(()) };
    server.acknowledge(&record)?;
    if let Some(ServerMessage::Delete { machine, card, amount, address, .. }) = deletion(&record) {
        // The time that it has itself, and one that there is.
        for at in ["2000-00-00 00:00:00", "2024-01-02 03:05:00", "9999-99-99 99:99:98"] {
            let at = at.as_bytes().into();
            server.say(&ServerMessage::Delete {
                machine,
                card: card.clone(),
                amount: amount.clone(),
                at,
                address,
            })?;
            server.serve(Span::ms(300))?;
        }
    }
    let Some(record) = server.record(Span::s(15))? else { return Ok(()) };
    server.acknowledge(&record)?;
    server.delete(&record)?;
    book(&mut server, &[WHITE])?;
    server.serves = Serves::Everything;
    server.serve(Span::s(40))
}

/// Turns what an 011 names: its machine, its address, and its card, amount and time.
type Misnaming = dyn Fn(&mut MachineNumber, &mut RecordAddress, [&mut Box<[u8]>; 3]);

/// What would delete a record if its terminal did not look at all that it names.
fn misnamings(record: &DeviceMessage) -> Vec<ServerMessage> {
    let Some(right) = deletion(record) else { return Vec::new() };
    let turned = |turn: &Misnaming| {
        let mut wrong = right.clone();
        if let ServerMessage::Delete { machine, card, amount, at, address } = &mut wrong {
            turn(machine, address, [card, amount, at]);
        }
        wrong
    };
    vec![
        turned(&|machine, _, _| *machine = MachineNumber::new(machine.get() + 1)),
        turned(&|_, address, _| *address = RecordAddress::new(address.get() + 1)),
        turned(&|_, _, [card, ..]| *card = MORE_WHITE[2].as_bytes().into()),
        turned(&|_, _, [card, ..]| *card = b"0".as_slice().into()),
        turned(&|_, _, [_, amount, _]| *amount = b"5.51".as_slice().into()),
        turned(&|_, _, [_, amount, _]| *amount = b"5.5".as_slice().into()),
        turned(&|_, _, [.., at]| *at = b"2024-01-02 00:00:00".as_slice().into()),
        turned(&|_, _, [.., at]| *at = SaleTime::IMPOSSIBLE.into()),
        turned(&|_, address, [card, amount, at]| {
            *address = RecordAddress::new(0);
            (*card, *amount, *at) = (b"".as_slice().into(), b"".as_slice().into(), b"".as_slice().into());
        }),
    ]
}

fn misnamed(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &MORE_WHITE[..2])?;
    server.forget();
    let mut nth = 0;
    loop {
        let Some(record) = server.record(Span::s(15))? else { return Ok(()) };
        server.acknowledge(&record)?;
        let Some(wrong) = misnamings(&record).into_iter().nth(nth) else { break };
        server.say(&wrong)?;
        server.serve(Span::s(3))?;
        nth += 1;
    }
    server.serves = Serves::Everything;
    server.serve(Span::s(25))
}

fn unacknowledged(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &[WHITE])?;
    server.serve(Span::s(35))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(25))
}

fn restarted(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &MORE_WHITE)?;
    server.serve(Span::s(3))?;
    server.restart(Span::s(5))?;
    server.serve(Span::s(25))?;
    server.restart(Span::s(5))?;
    take(&mut server)?;
    server.serve(Span::s(3))?;
    server.restart(Span::s(5))?;
    // The white list is what it was.
    book(&mut server, &[WHITE])?;
    server.serves = Serves::Everything;
    server.serve(Span::s(40))
}

fn deleted_twice(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &MORE_WHITE[..2])?;
    server.forget();
    let Some(first) = server.record(Span::s(15))? else { return Ok(()) };
    server.acknowledge(&first)?;
    for _ in 0..3 {
        server.delete(&first)?;
        server.serve(Span::s(1))?;
    }
    server.serve(Span::s(25))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(15))
}

fn lost_clock(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &[WHITE])?;
    server.serves = Serves::Everything;
    server.serve(Span::s(20))?;
    server.restart(Span::s(5))?;
    server.serves = Serves::Notices;
    book(&mut server, &MORE_WHITE[..1])?;
    server.forget();
    let Some(record) = server.record(Span::s(15))? else { return Ok(()) };
    server.acknowledge(&record)?;
    if let Some(ServerMessage::Delete { machine, card, amount, address, .. }) = deletion(&record) {
        // First the time that does not delete: 9999 for one that is possible, its own for one that is not.
        let at = match time(&record) {
            Some(Err(own)) => own,
            _ => SaleTime::IMPOSSIBLE.into(),
        };
        server.say(&ServerMessage::Delete { machine, card, amount, at, address })?;
    }
    server.serve(SOON)?;
    server.serves = Serves::Everything;
    server.serve(Span::s(25))
}
