//! `struct uhid_event` of the Linux kernel as bytes: a 32-bit type and a packed union, in the machine's
//! byte order. The kernel fills up a short write with zeros, so what is written here ends where its
//! meaning does.

use alloc::vec::Vec;

use super::Identity;
use crate::descriptor::REPORT_DESCRIPTOR;
use crate::packet::{REPORT_LEN, Report};

/// Bytes of the largest event; a read never gives more.
pub(super) const EVENT_LEN: usize = 4380;

const DESTROY: u32 = 1;
const START: u32 = 2;
const STOP: u32 = 3;
const OPEN: u32 = 4;
const CLOSE: u32 = 5;
const OUTPUT: u32 = 6;
const GET_REPORT: u32 = 9;
const GET_REPORT_REPLY: u32 = 10;
const CREATE2: u32 = 11;
const INPUT2: u32 = 12;
const SET_REPORT: u32 = 13;
const SET_REPORT_REPLY: u32 = 14;

const BUS_USB: u16 = 3;
/// `UHID_OUTPUT_REPORT`.
const OUTPUT_REPORT: u8 = 1;
/// Bytes of the data in an output event; its size and kind follow.
const DATA_MAX: usize = 4096;

/// What the kernel says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KernelEvent {
    /// The device is there. Nobody listens yet.
    Start,
    /// The device is gone.
    Stop,
    /// The first reader.
    Open,
    /// The last reader has closed.
    Close,
    /// A report from a reader.
    Output(Report),
    /// Somebody wants a report over the control pipe and waits for the reply.
    GetReport {
        /// To be repeated in the reply.
        id: u32,
    },
    /// Somebody sends a report over the control pipe and waits for the reply.
    SetReport {
        /// To be repeated in the reply.
        id: u32,
    },
}

/// Reads an event; `None` for one that does not concern a security key.
pub(super) fn decode(event: &[u8]) -> Option<KernelEvent> {
    let (kind, union) = event.split_first_chunk()?;
    Some(match u32::from_ne_bytes(*kind) {
        START => KernelEvent::Start,
        STOP => KernelEvent::Stop,
        OPEN => KernelEvent::Open,
        CLOSE => KernelEvent::Close,
        OUTPUT => KernelEvent::Output(decode_output(union)?),
        GET_REPORT => KernelEvent::GetReport { id: u32::from_ne_bytes(*union.first_chunk()?) },
        SET_REPORT => KernelEvent::SetReport { id: u32::from_ne_bytes(*union.first_chunk()?) },
        _ => return None,
    })
}

/// An output event's report. With hidraw the number of the report, 0, comes first and is no part of it.
fn decode_output(union: &[u8]) -> Option<Report> {
    let (data, rest) = union.split_at_checked(DATA_MAX)?;
    let &[low, high, kind, ..] = rest else { return None };
    if kind != OUTPUT_REPORT {
        return None;
    }
    match (usize::from(u16::from_ne_bytes([low, high])), data) {
        (REPORT_LEN, data) | (65, [0, data @ ..]) => data.first_chunk().copied(),
        _ => None,
    }
}

/// Makes the device.
pub(super) fn create2(identity: &Identity) -> Vec<u8> {
    let mut event = begin(CREATE2, 280 + REPORT_DESCRIPTOR.len());
    // The name ends with a zero byte; its field has 128 bytes, phys and uniq, empty here, 64 each.
    event.extend(identity.name.bytes().take(127));
    event.resize(4 + 256, 0);
    put_u16(&mut event, u16::try_from(REPORT_DESCRIPTOR.len()).unwrap_or_default());
    put_u16(&mut event, BUS_USB);
    for number in
        [u32::from(identity.vendor), u32::from(identity.product), u32::from(identity.version), 0]
    {
        event.extend(number.to_ne_bytes());
    }
    event.extend(REPORT_DESCRIPTOR);
    event
}

/// Ends the device.
pub(super) fn destroy() -> Vec<u8> {
    begin(DESTROY, 4)
}

/// Sends a report to the readers.
pub(super) fn input2(report: &Report) -> Vec<u8> {
    let mut event = begin(INPUT2, 4 + 2 + REPORT_LEN);
    put_u16(&mut event, u16::try_from(REPORT_LEN).unwrap_or_default());
    event.extend(report);
    event
}

/// Answers `GET_REPORT` with an error number and nothing else.
pub(super) fn get_report_reply(id: u32, error: u16) -> Vec<u8> {
    let mut event = begin(GET_REPORT_REPLY, 12);
    event.extend(id.to_ne_bytes());
    put_u16(&mut event, error);
    put_u16(&mut event, 0);
    event
}

/// Answers `SET_REPORT` with an error number.
pub(super) fn set_report_reply(id: u32, error: u16) -> Vec<u8> {
    let mut event = begin(SET_REPORT_REPLY, 10);
    event.extend(id.to_ne_bytes());
    put_u16(&mut event, error);
    event
}

fn begin(kind: u32, length: usize) -> Vec<u8> {
    let mut event = Vec::with_capacity(length);
    event.extend(kind.to_ne_bytes());
    event
}

fn put_u16(event: &mut Vec<u8>, number: u16) {
    event.extend(number.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel_event(kind: u32, fields: &[(usize, &[u8])]) -> Vec<u8> {
        let mut event = alloc::vec![0; EVENT_LEN];
        event[..4].copy_from_slice(&kind.to_ne_bytes());
        for (offset, bytes) in fields {
            event[4 + offset..][..bytes.len()].copy_from_slice(bytes);
        }
        event
    }

    /// Each field of create2 at the kernel's offset.
    #[test]
    fn create2_has_the_kernels_layout() {
        let identity = Identity { name: "softkey", vendor: 0x1209, product: 1, version: 0x0203 };
        let event = create2(&identity);
        let union = &event[4..];
        assert_eq!(event[..4], 11_u32.to_ne_bytes());
        assert_eq!(union[..8], *b"softkey\0");
        assert!(union[8..256].iter().all(|byte| *byte == 0), "phys and uniq are empty");
        assert_eq!(union[256..258], 34_u16.to_ne_bytes());
        assert_eq!(union[258..260], 3_u16.to_ne_bytes());
        assert_eq!(union[260..264], 0x1209_u32.to_ne_bytes());
        assert_eq!(union[264..268], 1_u32.to_ne_bytes());
        assert_eq!(union[268..272], 0x0203_u32.to_ne_bytes());
        assert_eq!(union[272..276], [0; 4]);
        assert_eq!(union[276..], REPORT_DESCRIPTOR);
        assert!(event.len() <= EVENT_LEN);
    }

    #[test]
    fn a_long_name_is_cut_before_its_closing_zero() {
        let name = "n".repeat(300);
        let event = create2(&Identity { name: &name, vendor: 0, product: 0, version: 0 });
        assert_eq!(event[4 + 126], b'n');
        assert_eq!(event[4 + 127], 0);
        assert_eq!(event[4 + 256..4 + 258], 34_u16.to_ne_bytes());
    }

    #[test]
    fn input2_is_size_and_report() {
        let event = input2(&[0xAB; 64]);
        assert_eq!(event[..4], 12_u32.to_ne_bytes());
        assert_eq!(event[4..6], 64_u16.to_ne_bytes());
        assert_eq!(event[6..], [0xAB; 64]);
    }

    #[test]
    fn replies_repeat_the_id() {
        let id = 0x0102_0304_u32;
        let reply = get_report_reply(id, 5);
        assert_eq!(reply[..4], 10_u32.to_ne_bytes());
        assert_eq!(reply[4..8], id.to_ne_bytes());
        assert_eq!(reply[8..10], 5_u16.to_ne_bytes());
        assert_eq!(reply[10..], [0, 0]);
        let reply = set_report_reply(id, 5);
        assert_eq!(reply[..4], 14_u32.to_ne_bytes());
        assert_eq!(reply[4..8], id.to_ne_bytes());
        assert_eq!(reply[8..], 5_u16.to_ne_bytes());
        assert_eq!(destroy(), 1_u32.to_ne_bytes());
    }

    #[test]
    fn events_of_the_kernel_are_read_at_their_offsets() {
        let decode = |kind, fields: &[(usize, &[u8])]| decode(&kernel_event(kind, fields));
        assert_eq!(decode(2, &[]), Some(KernelEvent::Start));
        assert_eq!(decode(3, &[]), Some(KernelEvent::Stop));
        assert_eq!(decode(4, &[]), Some(KernelEvent::Open));
        assert_eq!(decode(5, &[]), Some(KernelEvent::Close));
        let id = [7, 0, 0, 1];
        let expected = u32::from_ne_bytes(id);
        assert_eq!(decode(9, &[(0, &id)]), Some(KernelEvent::GetReport { id: expected }));
        assert_eq!(decode(13, &[(0, &id)]), Some(KernelEvent::SetReport { id: expected }));
        for unknown in [0, 1, 7, 8, 10, 11, 12, 14, 15, u32::MAX] {
            assert_eq!(decode(unknown, &[]), None);
        }
    }

    /// 65 bytes with report number 0 in front, as hidraw sends them, or 64 without; nothing else.
    #[test]
    fn an_output_report_comes_with_or_without_its_number() {
        let output = |data: &[u8], size: u16, kind: u8| {
            decode(&kernel_event(6, &[(0, data), (4096, &size.to_ne_bytes()), (4098, &[kind])]))
        };
        let mut numbered = [0x11; 65];
        numbered[0] = 0;
        assert_eq!(output(&numbered, 65, 1), Some(KernelEvent::Output([0x11; 64])));
        assert_eq!(output(&[0x11; 64], 64, 1), Some(KernelEvent::Output([0x11; 64])));
        assert_eq!(output(&[0x11; 65], 65, 1), None, "another report number");
        for size in [0, 1, 63, 66, 4096, u16::MAX] {
            assert_eq!(output(&numbered, size, 1), None);
        }
        for kind in [0, 2] {
            assert_eq!(output(&numbered, 65, kind), None, "not an output report");
        }
    }

    #[test]
    fn a_truncated_event_is_no_event() {
        let event = kernel_event(6, &[(4096, &64_u16.to_ne_bytes()), (4098, &[1])]);
        for length in 0..4 + 4099 {
            assert_eq!(decode(&event[..length]), None, "{length} bytes");
        }
        assert_eq!(decode(&9_u32.to_ne_bytes()), None);
    }
}
