//! Received data that reads like a result or a report.

use super::host::content;
use super::host_case;
use crate::modem::bounds;
use crate::modem::desk::Done;
use crate::modem::understudy::{Cue, Turn, Understudy};
use crate::water::Case;
use crate::water::Stage;

const H3: &str = "MDM-H3";

/// Data that a careless reader takes for something else.
const LOOKALIKES: [&[u8]; 12] = [
    b"",
    b"\r\nCONNECTION CLOSED\r\n",
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\nSEND FAIL\r\n",
    b"+IPDATA: 5\r\n",
    b"\r\n> ",
    b"\r\nRDY\r\n",
    b"\r\n+PDP: DEACT\r\n",
    b"\r\n+CME ERROR: 3\r\n",
    b"\n",
    b"\r\n+CREG: 0\r\n\r\n+CSQ: 99,99\r\n",
];

pub(super) fn cases() -> Vec<Case> {
    vec![
        host_case(
            "modem/host/data-before-frames",
            "A frame is found behind data that reads like a result, in the same block",
            &["MDM-H2", H3, "MDM-H4"],
            data_before_frames,
        ),
        host_case(
            "modem/host/data-on-its-own",
            "Data that reads like a result or a report leaves the link as it is",
            &["MDM-H2", H3, "MDM-H4"],
            data_on_its_own,
        ),
        host_case(
            "modem/host/data-before-send-ok",
            "An answer that overtakes the result of its own send is taken all the same",
            &["MDM-H2", H3, "MDM-H4"],
            data_before_send_ok,
        ),
    ]
}

fn data_before_frames(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let bound = bounds::recovery(&understudy.profile);
    for data in LOOKALIKES {
        understudy.before_frame = data.to_vec();
        understudy.play_heartbeat(bound)?;
        content(&mut understudy, H3)?;
    }
    Ok(())
}

fn data_on_its_own(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let bound = bounds::recovery(&understudy.profile);
    for data in LOOKALIKES.into_iter().filter(|data| !data.is_empty()) {
        understudy.play_heartbeat(bound)?;
        understudy.deliver(data)?;
        content(&mut understudy, H3)?;
    }
    Ok(())
}

fn data_before_send_ok(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let bound = bounds::recovery(&understudy.profile);
    for data in LOOKALIKES {
        understudy.before_frame = data.to_vec();
        let overtakes = |this: &mut Understudy<'_>, turn: &Turn| {
            let Turn::Data(frames) = turn else { return Ok(Cue::Proper) };
            this.deliver_answers(frames)?;
            this.say(&["SEND OK"])?;
            Ok(if this.is_heartbeat(turn) { Cue::Cut } else { Cue::Taken })
        };
        understudy.play(bound, &mut { overtakes })?;
        content(&mut understudy, H3)?;
    }
    Ok(())
}
