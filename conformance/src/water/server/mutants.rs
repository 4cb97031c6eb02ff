//! Servers with one choice turned bad.

use assay_sim::water::policy::Policy;
use assay_sim::water::server::policy::{
    AfterClose, Commit, Damaged, Doubt, Framing, NegativeBound, NegativeType, OfferOrder, Reconcile,
    Remainder, Repeats, TierChoice, UnknownSold,
};

use crate::suite::{Mutant, Turn};
use crate::system::System;

const fn mutant(name: &'static str, what: &'static str, apply: fn(&mut Policy)) -> Mutant {
    Mutant { name, what, system: System::Water, profile: "", turn: Turn::Water(apply) }
}

/// Every bad choice of a server.
pub fn mutants() -> Vec<Mutant> {
    vec![
        mutant("server-reconciles-by-result", "it knows of credits by uploads alone", |policy| {
            policy.server.reconcile = Reconcile::ByResult;
        }),
        mutant("server-closes-again", "a repeated upload counts its volume twice", |policy| {
            policy.server.repeats = Repeats::CloseAgain;
        }),
        mutant("server-reopens", "a late result 0 opens a closed order again", |policy| {
            policy.server.after_close = AfterClose::Reopens;
        }),
        mutant("server-offers-newest-first", "it offers the newest order that is not closed", |policy| {
            policy.server.offer = OfferOrder::NewestFirst;
        }),
        mutant("server-skips-open", "it passes over an order that is out and offers the next", |policy| {
            policy.server.offer = OfferOrder::SkipsOpen;
        }),
        mutant("server-answers-before-sync", "its answers leave before what they say is durable", |policy| {
            policy.server.commit = Commit::AfterAnswer;
        }),
        mutant("server-silent-on-damage", "it gives damaged frames no answer", |policy| {
            policy.server.damaged = Damaged::Silent;
        }),
        mutant("server-acts-on-damage", "it acts upon damaged frames as they read", |policy| {
            policy.server.damaged = Damaged::ActsAnyway;
        }),
        mutant("server-negative-type-zero", "its negative answers are always of type 00", |policy| {
            policy.server.negative_type = NegativeType::Zero;
        }),
        mutant("server-negatives-unbounded", "it sends any number of negative answers", |policy| {
            policy.server.negative_bound = NegativeBound::Unbounded;
        }),
        mutant("server-doubt-closes", "an upload that says in doubt closes the order", |policy| {
            policy.server.doubt = Doubt::Closes;
        }),
        mutant("server-always-flat", "it sells every order by the flat price", |policy| {
            policy.server.tier = TierChoice::AlwaysFlat;
        }),
        mutant("server-drops-remainder", "money that buys no whole hundredth is lost", |policy| {
            policy.server.remainder = Remainder::Dropped;
        }),
        mutant(
            "server-offers-on-any-sold",
            "it offers an order on a sold volume it cannot explain",
            |policy| {
                policy.server.unknown_sold = UnknownSold::OffersAnyway;
            },
        ),
        mutant("server-waits-for-rest", "it waits for the rest of a frame for ever", |policy| {
            policy.server.framing = Framing::WaitsForRest;
        }),
        mutant("server-drops-all", "it throws away all that it holds with the first junk", |policy| {
            policy.server.framing = Framing::DropsAll;
        }),
        mutant("server-believes-length", "it waits for as many bytes as a length field says", |policy| {
            policy.server.framing = Framing::BelievesLength;
        }),
    ]
}
