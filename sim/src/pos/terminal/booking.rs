//! What is booked off line.

use super::announce::Announcement;
use super::board::TerminalParts;
use super::config::TerminalEvent;
use super::entry::{Mark, Marks, Sale, SaleKind};
use super::firmware::Terminal;
use super::policy::{BookedCards, Booking, PendingKept, RecordTime, StoreFull};
use super::sales::Outcome;
use super::store::StoreError;
use crate::pos::frame::RecordAddress;

impl Terminal {
    /// Whether a sale may be booked off line.
    ///
    /// Source: POS-R1, POS-R7.
    pub(super) fn may_book(&self, sale: &Sale) -> bool {
        let white = self.installed.as_ref().is_some_and(|installed| installed.is_white(sale.card));
        match (self.config.policy.booked_cards, sale.kind) {
            (BookedCards::WhiteList, SaleKind::Pay | SaleKind::Count) => white,
            (BookedCards::Any, SaleKind::Pay | SaleKind::Count) | (BookedCards::AnyAndScans, _) => true,
            (BookedCards::WhiteList | BookedCards::Any, SaleKind::Scan) => false,
        }
    }

    /// How many records there are, wherever they are.
    pub(super) fn records_len(&self) -> usize {
        self.store.records_len() + self.volatile.len()
    }

    /// Books the newest sale, and shows it as paid.
    pub(super) fn book(&mut self, sale: Sale, parts: &mut TerminalParts) {
        if sale.kind == SaleKind::Scan {
            return self.show_unbooked(&sale, parts);
        }
        if self.records_len() >= self.config.store.records_max {
            self.note(TerminalEvent::Full);
            match self.config.policy.full {
                StoreFull::Refuses => return self.give_up(&sale, Announcement::MemoryFull, parts),
                StoreFull::Forgets => return self.show_unbooked(&sale, parts),
                StoreFull::Overwrites => self.overwrite_oldest(parts),
            }
        }
        let shown = Announcement::OffLine(sale.amount);
        self.remember(&sale, Outcome::Booked);
        let booked = match self.config.policy.booking {
            Booking::BeforeShown => {
                let booked = self.make_record(sale, parts);
                if booked.is_ok() {
                    self.announce(shown);
                }
                booked
            }
            Booking::AfterShown => {
                self.mark(Mark::Done, parts);
                self.announce(shown);
                self.append_record(sale, parts)
            }
            Booking::Ram => {
                self.mark(Mark::Done, parts);
                self.announce(shown);
                self.volatile.push_back(sale);
                Ok(())
            }
        };
        if booked.is_err() {
            self.announce(Announcement::MemoryFault);
        }
        self.expect_upload(parts);
    }

    /// Makes the newest sale a record: one mark, which is there or not.
    fn make_record(&mut self, sale: Sale, parts: &mut TerminalParts) -> Result<(), StoreError> {
        let policy = self.config.policy;
        if policy.pending != PendingKept::Durable || policy.record_time == RecordTime::OfTheBooking {
            self.mark(Mark::Done, parts);
            return self.append_record(sale, parts);
        }
        self.with_store(parts, |store, session| store.mark(session, Mark::Booked))?;
        self.note_booked(&sale);
        Ok(())
    }

    /// Writes a record of its own for a sale whose entry is done.
    fn append_record(&mut self, sale: Sale, parts: &mut TerminalParts) -> Result<(), StoreError> {
        let time = match self.config.policy.record_time {
            RecordTime::OfTheSale => sale.time,
            RecordTime::OfTheBooking => self.stamp_booking(parts),
        };
        let record = Sale { number: sale.number.wrapping_add(1), time, ..sale };
        let entry = record.clone();
        let marks = Marks::with(&[Mark::Booked]);
        self.with_store(parts, |store, session| store.append(session, entry, marks))?;
        self.note_booked(&record);
        Ok(())
    }

    fn stamp_booking(&self, parts: &TerminalParts) -> super::clock::Stamp {
        parts.clock.reads(self.clock_now(), self.config.policy.lost_clock)
    }

    fn note_booked(&mut self, sale: &Sale) {
        self.note(TerminalEvent::Booked(RecordAddress::new(sale.address()), Self::about(sale)));
    }

    /// Shows a sale as paid that is kept nowhere, where the design does so.
    fn show_unbooked(&mut self, sale: &Sale, parts: &mut TerminalParts) {
        self.mark(Mark::Done, parts);
        self.remember(sale, Outcome::Booked);
        self.announce(Announcement::OffLine(sale.amount));
    }

    fn overwrite_oldest(&mut self, parts: &mut TerminalParts) {
        let Some(oldest) = self.store.oldest() else {
            self.volatile.pop_front();
            return;
        };
        if self.upload.as_ref().is_some_and(|flow| flow.record.number == oldest) {
            self.upload = None;
        }
        // What fails was noted, and there is nobody to tell.
        let _noted = self.with_store(parts, |store, session| store.delete(session, oldest));
    }
}
