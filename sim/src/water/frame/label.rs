//! Names for frames, so that a fault can be planned at *the first upload* and not at a byte count.

use crate::water::frame::format::FrameFormat;
use crate::water::frame::message::Kind;
use crate::water::frame::raw::{RawFrame, word};
use crate::wire::{Scan, Wire};

/// What a frame is called when nothing else is known of it.
const UNKNOWN: &str = "unknown";

/// Each kind's name as a message, as an answer, and as an answer that a modem delivers.
const NAMES: [(Kind, [&str; 3]); 7] = [
    (Kind::Heartbeat, ["heartbeat", "heartbeat-answer", "+IPDATA/heartbeat-answer"]),
    (Kind::OrderRequest, ["order-request", "order-request-answer", "+IPDATA/order-request-answer"]),
    (Kind::Upload, ["upload", "upload-answer", "+IPDATA/upload-answer"]),
    (Kind::Clock, ["clock", "clock-answer", "+IPDATA/clock-answer"]),
    (Kind::Parameters, ["parameters", "parameters-answer", "+IPDATA/parameters-answer"]),
    (Kind::CardQuery, ["card-query", "card-query-answer", "+IPDATA/card-query-answer"]),
    (Kind::FaultReport, ["fault-report", "fault-report-answer", "+IPDATA/fault-report-answer"]),
];

/// The name of the sound frame at the front of some bytes, and how many bytes it takes. Flat and tiered types share
/// their names.
pub fn payload_label(format: &FrameFormat, bytes: &[u8]) -> Option<(usize, &'static str)> {
    let Scan::Frame { frame, used } = RawFrame::scan(format, bytes) else {
        return None;
    };
    Some((used, frame_label(&frame)))
}

/// The name of the frame at the front of what a modem delivers behind its `+IPDATA` line.
pub fn ipdata_label(format: &FrameFormat, bytes: &[u8]) -> Option<(usize, &'static str)> {
    let (used, label) = payload_label(format, bytes)?;
    let prefixed = match label {
        "negative" => "+IPDATA/negative",
        UNKNOWN => "+IPDATA/unknown",
        _ => NAMES
            .iter()
            .find(|(_, [_, answer, _])| *answer == label)
            .map_or("+IPDATA/message", |(_, [_, _, prefixed])| prefixed),
    };
    Some((used, prefixed))
}

fn frame_label(frame: &RawFrame) -> &'static str {
    let column = match frame.answer {
        word::NEGATIVE => return "negative",
        word::MESSAGE => 0,
        word::POSITIVE => 1,
        _ => return UNKNOWN,
    };
    Kind::split(frame.kind)
        .and_then(|(_, kind)| NAMES.iter().find(|(named, _)| *named == kind))
        .map_or(UNKNOWN, |(_, names)| names[column])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::water::frame::MachineNumber;
    use crate::water::frame::format::tests::profile_format;

    fn labels(answer: u8, kind: u8) -> (&'static str, &'static str) {
        let format = profile_format();
        let frame = RawFrame { answer, kind, version: 1, machine: MachineNumber::from(7), content: vec![] };
        let mut bytes = frame.to_bytes(&format);
        bytes.extend_from_slice(b"more");
        let (used, label) = payload_label(&format, &bytes).unwrap();
        assert_eq!(used, 14);
        (label, ipdata_label(&format, &bytes).unwrap().1)
    }

    #[test]
    fn every_frame_has_its_name() {
        assert_eq!(labels(0x00, 0x00).0, "heartbeat");
        assert_eq!(labels(0x00, 0x11).0, "order-request");
        assert_eq!(labels(0x00, 0x02).0, "upload");
        assert_eq!(labels(0x00, 0x13).0, "clock");
        assert_eq!(labels(0x00, 0x04).0, "parameters");
        assert_eq!(labels(0x00, 0x05).0, "card-query");
        assert_eq!(labels(0x00, 0x06), ("fault-report", "+IPDATA/message"));
        assert_eq!(labels(0x11, 0x00), ("heartbeat-answer", "+IPDATA/heartbeat-answer"));
        assert_eq!(labels(0x11, 0x12), ("upload-answer", "+IPDATA/upload-answer"));
        assert_eq!(labels(0x10, 0x77), ("negative", "+IPDATA/negative"));
        assert_eq!(labels(0x11, 0x07), ("unknown", "+IPDATA/unknown"));
        assert_eq!(labels(0x12, 0x00), ("unknown", "+IPDATA/unknown"));
    }

    #[test]
    fn damaged_and_incomplete_frames_have_no_name() {
        let heartbeat = *b"\xAA\x55\x00\x00\x01\x00\x0C\x20\x18\x01\x09\x25\x62\x2A";
        assert_eq!(payload_label(&profile_format(), &heartbeat), Some((14, "heartbeat")));
        assert_eq!(payload_label(&profile_format(), &heartbeat[..13]), None);
        let mut damaged = heartbeat;
        damaged[13] ^= 1;
        assert_eq!(payload_label(&profile_format(), &damaged), None);
        assert_eq!(ipdata_label(&profile_format(), &damaged), None);
    }
}
