//! Mutants that cases with every party kill: money, memory and cards.

use assay_sim::water::policy::Policy;
use assay_sim::water::terminal::{
    CacheWhen, CreditRule, DeleteWhen, Drain, OnFull, OnRemoval, RecordCheck, SlotUse, SoldReported,
    TornCard, Unverified, Verify,
};

use crate::suite::{Mutant, Turn};
use crate::system::System;

const fn water(name: &'static str, what: &'static str, apply: fn(&mut Policy)) -> Mutant {
    Mutant { name, what, system: System::Water, profile: "", turn: Turn::Water(apply) }
}

/// Those of money, memory and cards.
pub fn money() -> Vec<Mutant> {
    vec![
        water("terminal-never-caches", "keeps no result anywhere but in RAM", |policy| {
            policy.terminal.cache = CacheWhen::Never;
        }),
        water("terminal-caches-late", "caches a result only when it is not answered", |policy| {
            policy.terminal.cache = CacheWhen::WhenUnanswered;
        }),
        water("terminal-increments", "adds the volume to whatever the card shows", |policy| {
            policy.terminal.credit = CreditRule::Increment;
        }),
        water(
            "terminal-credits-unchecked",
            "writes base and volume without reading the card again",
            |policy| {
                policy.terminal.credit = CreditRule::AbsoluteUnchecked;
            },
        ),
        water("terminal-assumes-written", "takes a block as written without reading it back", |policy| {
            policy.terminal.verify = Verify::Assumes;
        }),
        water("terminal-says-failed", "reports a torn-away card as not written", |policy| {
            policy.terminal.removal = OnRemoval::SaysFailed;
        }),
        water("terminal-says-written", "reports a torn-away card as written", |policy| {
            policy.terminal.removal = OnRemoval::SaysWritten;
        }),
        water("terminal-believes-block-3", "believes the first volume block of a torn card", |policy| {
            policy.terminal.torn_card = TornCard::BelievesFirst;
        }),
        water("terminal-refuses-torn-cards", "refuses a torn card instead of settling it", |policy| {
            policy.terminal.torn_card = TornCard::Refuses;
        }),
        water("terminal-trusts-records", "sends a record whose CRC is wrong", |policy| {
            policy.terminal.record = RecordCheck::LengthOnly;
        }),
        water(
            "terminal-overwrites-records",
            "overwrites an undelivered record when the memory is full",
            |policy| {
                policy.terminal.full = OnFull::Overwrites;
            },
        ),
        water("terminal-deletes-when-sent", "deletes a record when the modem has taken it", |policy| {
            policy.terminal.delete = DeleteWhen::Sent;
        }),
        water("terminal-claims-unverified", "sends a record without its mark as written", |policy| {
            policy.terminal.unverified = Unverified::Written;
        }),
        water("terminal-forgets-unverified", "drops a record without its mark at boot", |policy| {
            policy.terminal.unverified = Unverified::Forgotten;
        }),
        water("terminal-one-slot", "keeps every record in the same slot", |policy| {
            policy.terminal.slots = SlotUse::FirstOnly;
        }),
        water(
            "terminal-from-byte-100",
            "keeps records from byte 100 on, beside the configuration",
            |policy| {
                policy.terminal.slots = SlotUse::FromByte100;
            },
        ),
        water("terminal-drains-at-boot", "sends waiting records at the next boot only", |policy| {
            policy.terminal.drain = Drain::AtBoot;
        }),
        water("terminal-remembers-sold", "reports the volume that it remembers of a card", |policy| {
            policy.terminal.sold = SoldReported::FromMemory;
        }),
    ]
}
