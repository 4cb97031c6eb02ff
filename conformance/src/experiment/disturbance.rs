//! What disturbs the swipes of one bench: every draw is made before the run, and two settings that draw the same
//! disturbances are the same run.

use assay_sim::fault::{Fate, Fault, FaultPlan, Mishap, Moment, Site, Strike, Way};
use assay_sim::machine::Torn;
use assay_sim::seed::{Seed, Stream};
use assay_sim::time::{Instant, Span};
use assay_sim::water::plant::letter;

/// How many disturbances are drawn for a terminal for each of its swipes; an upload is repeated after each loss.
const DRAWN_A_SWIPE: usize = 4;
/// How long nothing passes on the way of a terminal whose connection died.
///
/// Why: the modem notices a dead connection after 15 s and connects again; the way must be away for longer than a
/// terminal waits, or the second connection carries the same upload before anybody has missed the answer.
pub const OUTAGE: Span = Span::s(30);
/// A dead connection, and the outage of its way.
const STRIKES_A_LOSS: usize = 2;
/// What probabilities are counted in.
pub const MILLION: u32 = 1_000_000;

/// When the power of a disturbed terminal is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cuts {
    /// Once after each lost answer: in this share of them before a design that caches has its record in the memory,
    /// in the others in the minute after that.
    ///
    /// Units: millionths.
    Window(u32),
    /// In as many swipes as lose an answer and independent of that, while the card is being dealt with.
    AtCard,
}

/// The two parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    /// How often the connection dies under a result upload, and as often under its answer.
    ///
    /// Units: millionths.
    pub leg_loss: u32,
    /// When power is cut.
    pub cuts: Cuts,
}

/// A cut of a terminal's power, together with its modem's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// Before the record is in the memory, or after.
    pub in_window: bool,
    /// How far into its span it comes.
    ///
    /// Units: millionths.
    pub place: u32,
    /// How a write under way reads afterwards.
    pub torn: TornDraw,
}

/// A draw among the outcomes of a torn write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TornDraw(u8);

impl TornDraw {
    /// The outcome.
    pub fn torn(self) -> Torn {
        Torn::ALL[usize::from(self.0) % Torn::ALL.len()]
    }
}

/// The spans in which cuts fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutSpans {
    /// From a result upload's beginning to a record in the memory, in a design that caches when no answer came.
    pub window: Span,
    /// How long after that the other cuts fall.
    pub after: Span,
    /// How long after a card goes in the cuts fall that come while it is being dealt with.
    pub at_card: Span,
}

impl Cut {
    /// When it comes, for an upload that began then and whose connection dies now.
    pub fn at(&self, began: Instant, now: Instant, spans: &CutSpans) -> Instant {
        let cached = (began + spans.window).max(now);
        if self.in_window { now + self.part(cached.since(now)) } else { cached + self.part(spans.after) }
    }

    /// When it comes, for a card that goes in now.
    pub fn after_card(&self, now: Instant, spans: &CutSpans) -> Instant {
        now + self.part(spans.at_card)
    }

    fn part(&self, span: Span) -> Span {
        Span::us(span.as_us().saturating_mul(u64::from(self.place)) / u64::from(MILLION))
    }
}

/// Everything that disturbs one bench. Equal disturbances make equal runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Disturbances {
    /// Which uploads and answers find their connection dead, and the cut that goes with each.
    losses: Vec<Loss>,
    /// The cuts that belong to a swipe, by terminal and by the swipe's place there.
    pub swipe_cuts: Vec<(usize, usize, Cut)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Loss {
    terminal: usize,
    up: bool,
    nth: u32,
    cut: Option<Cut>,
}

impl Loss {
    fn strikes(&self) -> [Strike; STRIKES_A_LOSS] {
        let link = format!("gprs-{}", letter(self.terminal));
        let site = Site {
            place: link.clone().into(),
            way: Some(if self.up { Way::AtoB } else { Way::BtoA }),
            name: if self.up { "upload" } else { "upload-answer" }.into(),
            address: None,
            nth: self.nth,
        };
        let outage = Mishap::LinkDown { link, span: OUTAGE };
        [Fault::Fate(Fate::HalfOpen), Fault::Mishap(outage)].map(|fault| Strike {
            site: site.clone(),
            moment: Moment::Before,
            fault,
        })
    }
}

/// One possible disturbance, before a setting says whether it happens.
struct Draw {
    happens: u32,
    in_window: u32,
    cut: Cut,
}

impl Draw {
    fn next(stream: &mut Stream) -> Self {
        let mut million = || u32::try_from(stream.below(u64::from(MILLION))).unwrap_or(0);
        let (happens, in_window, place) = (million(), million(), million());
        let torn = TornDraw(u8::try_from(stream.below(Torn::ALL.len() as u64)).unwrap_or(0));
        Self { happens, in_window, cut: Cut { in_window: false, place, torn } }
    }
}

impl Disturbances {
    /// What this setting makes of a bench's draws.
    ///
    /// Why: a draw is the same at every setting, so what disturbs at a lower one disturbs at a higher one too, and
    /// settings and designs are compared on the same swipes.
    pub fn draw(seed: Seed, terminals: usize, swipes: usize, setting: Setting) -> Self {
        let mut disturbances = Self::default();
        for terminal in 0..terminals {
            let letter = letter(terminal);
            for (way, up) in [("up", true), ("down", false)] {
                let mut stream = seed.stream(&format!("experiment-{way}-{letter}"));
                for nth in (1..).take(swipes * DRAWN_A_SWIPE) {
                    let draw = Draw::next(&mut stream);
                    if draw.happens < setting.leg_loss {
                        let cut = match setting.cuts {
                            Cuts::Window(share) => {
                                Some(Cut { in_window: draw.in_window < share, ..draw.cut })
                            }
                            Cuts::AtCard => None,
                        };
                        disturbances.losses.push(Loss { terminal, up, nth, cut });
                    }
                }
            }
            let mut stream = seed.stream(&format!("experiment-cuts-{letter}"));
            for swipe in 0..swipes {
                let draw = Draw::next(&mut stream);
                if setting.cuts == Cuts::AtCard && draw.happens < setting.leg_loss.saturating_mul(2) {
                    disturbances.swipe_cuts.push((terminal, swipe, draw.cut));
                }
            }
        }
        disturbances
    }

    /// The losses as a plan.
    ///
    /// Why: TCP loses no bytes, so an answer is lost when the connection goes dead under it, nobody is told, and no
    /// other can be made for a while.
    pub fn plan(&self) -> FaultPlan {
        FaultPlan { strikes: self.losses.iter().flat_map(Loss::strikes).collect() }
    }

    /// The part of it on one terminal's way to the server.
    pub fn plan_of(&self, terminal: usize) -> FaultPlan {
        let losses = self.losses.iter().filter(|loss| loss.terminal == terminal);
        FaultPlan { strikes: losses.flat_map(Loss::strikes).collect() }
    }

    /// The same with every cut at the beginning of its span.
    #[cfg(test)]
    pub(super) fn at_once(mut self) -> Self {
        self.losses.iter_mut().filter_map(|loss| loss.cut.as_mut()).for_each(|cut| cut.place = 0);
        self
    }

    /// The terminal that a strike of the plan hits, and the cut that goes with it.
    pub fn loss(&self, strike: usize) -> Option<(usize, Option<Cut>)> {
        let loss =
            self.losses.get(strike / STRIKES_A_LOSS).filter(|_| strike.is_multiple_of(STRIKES_A_LOSS))?;
        Some((loss.terminal, loss.cut))
    }

    /// The cut that belongs to a swipe.
    pub fn swipe_cut(&self, terminal: usize, swipe: usize) -> Option<Cut> {
        let found = self.swipe_cuts.iter().find(|(at, place, _)| (*at, *place) == (terminal, swipe));
        found.map(|(_, _, cut)| *cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPANS: CutSpans = CutSpans { window: Span::s(20), after: Span::s(60), at_card: Span::s(5) };

    fn draw(leg_loss: u32, share: u32) -> Disturbances {
        Disturbances::draw(Seed(1), 2, 50, Setting { leg_loss, cuts: Cuts::Window(share) })
    }

    #[test]
    fn what_disturbs_at_a_low_setting_disturbs_at_a_higher_one() {
        let (few, many) = (draw(20_000, 0), draw(200_000, 0));
        assert!(few.losses.len() > 2 && many.losses.len() > few.losses.len());
        assert!(few.losses.iter().all(|loss| many.losses.contains(loss)));
        let inside = |share| -> Vec<Loss> {
            draw(200_000, share)
                .losses
                .into_iter()
                .filter(|loss| loss.cut.is_some_and(|cut| cut.in_window))
                .collect()
        };
        let (few, many) = (inside(300_000), inside(600_000));
        assert!(!few.is_empty() && many.len() > few.len() && few.iter().all(|loss| many.contains(loss)));
        assert_eq!(inside(0), Vec::new());
        assert_eq!(inside(MILLION).len(), draw(200_000, 0).losses.len());
    }

    #[test]
    fn a_loss_is_two_strikes_and_one_cut() {
        let drawn = draw(50_000, 0);
        let plan = drawn.plan();
        assert_eq!(plan.strikes.len(), drawn.losses.len() * 2);
        assert_eq!(drawn.loss(0), Some((drawn.losses[0].terminal, drawn.losses[0].cut)));
        assert_eq!(drawn.loss(1), None);
        assert_eq!(drawn.loss(plan.strikes.len()), None);
        let parts = drawn.plan_of(0).strikes.len() + drawn.plan_of(1).strikes.len();
        assert_eq!(parts, plan.strikes.len());
    }

    #[test]
    fn cuts_fall_in_their_spans() {
        let began = Instant::ZERO + Span::s(100);
        let now = began + Span::s(1);
        let at = |in_window, place| {
            Cut { in_window, place, torn: TornDraw(0) }.at(began, now, &SPANS).since(Instant::ZERO)
        };
        assert_eq!([at(true, 0), at(true, MILLION / 2)], [Span::s(101), Span::ms(110_500)]);
        assert_eq!(at(true, MILLION - 1), Span::us(119_999_981));
        assert_eq!([at(false, 0), at(false, MILLION / 2)], [Span::s(120), Span::s(150)]);
        let cut = Cut { in_window: false, place: MILLION / 2, torn: TornDraw(0) };
        assert_eq!(cut.after_card(began, &SPANS).since(began), Span::ms(2_500));
    }
}
