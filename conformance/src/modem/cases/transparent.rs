//! The way out of transparent mode: three characters, with silence before and after.

use assay_sim::modem::client::Fitted;
use assay_sim::time::Span;

use super::modem_case;
use crate::modem::TICK;
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::water::Case;
use crate::water::Stage;

const A7: &str = "MDM-A7";
const LEFT: &str = "\r\nOK\r\n";

pub(super) fn cases() -> Vec<Case> {
    vec![
        modem_case(
            "modem/transparent/silence-before",
            "The escape counts after the silence before it, and is data when it comes a tick too early",
            &[A7],
            silence_before,
        ),
        modem_case(
            "modem/transparent/silence-after",
            "The escape counts after the silence behind it, and is data when that is broken a tick too early",
            &[A7],
            silence_after,
        ),
        modem_case(
            "modem/transparent/characters-in-time",
            "The three characters of the escape come within their time, and are data when they are a tick too late",
            &[A7],
            characters_in_time,
        ),
        modem_case(
            "modem/transparent/other-pluses",
            "Four of the characters, or three of them inside other data, are data",
            &[A7],
            other_pluses,
        ),
    ]
}

/// A desk whose modem passes data, with a silence behind it.
struct Line<'a> {
    desk: Desk<'a>,
    /// Line time of one, two and three bytes.
    bytes: [Span; 3],
}

impl<'a> Line<'a> {
    fn online(stage: &'a mut Stage) -> Done<Self> {
        let mut desk = Desk::set_up(stage);
        let bytes = [1, 2, 3].map(|bytes| desk.profile.uart.time(bytes));
        desk.activate_transparent()?;
        desk.connect()?;
        let mut line = Self { desk, bytes };
        line.rest()?;
        Ok(line)
    }

    /// A silence longer than any guard time.
    fn rest(&mut self) -> Done {
        let module = self.desk.module();
        let span = module.guard_before.max(module.guard_after) + module.escape_span;
        self.desk.wait(span)
    }

    /// Passing data again, whatever has become of the escape.
    fn again(&mut self) -> Done {
        self.rest()?;
        self.desk.type_in(b"+++")?;
        self.rest()?;
        self.desk.free()?;
        self.desk.connect()?;
        self.rest()
    }

    fn expect(&mut self, modem: &str, server: &[u8]) {
        self.desk.expect(&Expectation::modem(A7, modem));
        self.desk.expect(&Expectation::server(A7, server));
    }

    fn due(&mut self) -> Done {
        let profile = &self.desk.profile;
        let dialect = &profile.modem.dialect;
        let waits = match profile.fitted.module {
            Fitted::M6311 => dialect.transparent_step * dialect.transparent_wait,
            // As it is without AT+CIPCCFG.
            Fitted::Sim800a => Span::ms(200),
        };
        let passed_on = waits + self.desk.net_limit();
        self.rest()?;
        self.rest()?;
        self.desk.wait(passed_on)?;
        self.desk.due();
        Ok(())
    }
}

fn silence_before(stage: &mut Stage) -> Done {
    let mut line = Line::online(stage)?;
    let guard = line.desk.module().guard_before;
    let [_, two, three] = line.bytes;
    // A line's bytes are told apart by its bursts, so the early one comes a tick early to its very end.
    line.expect("", b"x\r+++");
    line.desk.type_in(b"x\r")?;
    line.desk.wait(two + guard - three - TICK)?;
    line.desk.type_in(b"+++")?;
    line.due()?;
    line.again()?;
    line.expect(LEFT, b"x\r");
    line.desk.type_in(b"x\r")?;
    line.desk.wait(two + guard)?;
    line.desk.type_in(b"+++")?;
    line.due()
}

fn silence_after(stage: &mut Stage) -> Done {
    let mut line = Line::online(stage)?;
    let guard = line.desk.module().guard_after;
    let [.., three] = line.bytes;
    line.expect("", b"+++AT\r");
    line.desk.type_in(b"+++")?;
    line.desk.wait(guard - TICK)?;
    line.desk.type_in(b"AT\r")?;
    line.due()?;
    line.again()?;
    line.expect("\r\nOK\r\n\r\nOK\r\n", b"");
    line.desk.type_in(b"+++")?;
    line.desk.wait(three + guard)?;
    line.desk.type_in(b"AT\r")?;
    line.due()
}

fn characters_in_time(stage: &mut Stage) -> Done {
    let mut line = Line::online(stage)?;
    let span = line.desk.module().escape_span;
    let [one, two, _] = line.bytes;
    line.expect(LEFT, b"");
    line.desk.type_in(b"+")?;
    line.desk.wait(span - two - TICK)?;
    line.desk.type_in(b"++")?;
    line.due()?;
    line.again()?;
    line.expect("", b"+++");
    line.desk.type_in(b"+")?;
    line.desk.wait(span + one - two + TICK)?;
    line.desk.type_in(b"++")?;
    line.due()
}

fn other_pluses(stage: &mut Stage) -> Done {
    let mut line = Line::online(stage)?;
    for data in [b"++++".as_slice(), b"a+++b\r", b"+++a\r", b"a+++"] {
        line.expect("", data);
        line.desk.type_in(data)?;
        line.due()?;
        line.again()?;
    }
    Ok(())
}
