//! Reports by hand: messages cut and put together again straight from section 11.2.4, apart from the
//! library's own code so that a symmetrical mistake cannot hide.

pub(crate) type Report = [u8; 64];
pub(crate) type Channel = [u8; 4];

pub(crate) const BROADCAST: Channel = [0xFF; 4];
pub(crate) const RESERVED: Channel = [0; 4];

pub(crate) const PING: u8 = 0x81;
pub(crate) const MSG: u8 = 0x83;
pub(crate) const LOCK: u8 = 0x84;
pub(crate) const INIT: u8 = 0x86;
pub(crate) const WINK: u8 = 0x88;
pub(crate) const CBOR: u8 = 0x90;
pub(crate) const CANCEL: u8 = 0x91;
pub(crate) const KEEPALIVE: u8 = 0xBB;
pub(crate) const ERROR: u8 = 0xBF;

pub(crate) const INVALID_CMD: u8 = 0x01;
pub(crate) const INVALID_PAR: u8 = 0x02;
pub(crate) const INVALID_LEN: u8 = 0x03;
pub(crate) const INVALID_SEQ: u8 = 0x04;
pub(crate) const MSG_TIMEOUT: u8 = 0x05;
pub(crate) const CHANNEL_BUSY: u8 = 0x06;
pub(crate) const INVALID_CHANNEL: u8 = 0x0B;
pub(crate) const OTHER: u8 = 0x7F;

/// A starting packet that announces `length` bytes, whatever `data` holds (57 bytes at most).
pub(crate) fn start(channel: Channel, command: u8, length: u16, data: &[u8]) -> Report {
    let mut report = [0; 64];
    report[..4].copy_from_slice(&channel);
    report[4] = command;
    report[5..7].copy_from_slice(&length.to_be_bytes());
    report[7..7 + data.len()].copy_from_slice(data);
    report
}

/// A continuation packet (59 bytes at most).
pub(crate) fn go_on(channel: Channel, sequence: u8, data: &[u8]) -> Report {
    let mut report = [0; 64];
    report[..4].copy_from_slice(&channel);
    report[4] = sequence;
    report[5..5 + data.len()].copy_from_slice(data);
    report
}

/// A whole message in packets.
pub(crate) fn message(channel: Channel, command: u8, payload: &[u8]) -> Vec<Report> {
    let length = u16::try_from(payload.len()).expect("a message has a 16-bit length");
    let (first, rest) = payload.split_at(payload.len().min(57));
    let mut reports = vec![start(channel, command, length, first)];
    for (sequence, data) in (0..).zip(rest.chunks(59)) {
        reports.push(go_on(channel, sequence, data));
    }
    reports
}

/// A message of one packet that carries an error.
pub(crate) fn error(channel: Channel, code: u8) -> Report {
    start(channel, ERROR, 1, &[code])
}

/// A keepalive.
pub(crate) fn keepalive(channel: Channel, status: u8) -> Report {
    start(channel, KEEPALIVE, 1, &[status])
}

/// What is wrong with a run of reports that should be one message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    WrongChannel,
    WrongCommand,
    WrongSequence { expected: u8, found: u8 },
    WrongNumberOfReports { expected: usize, found: usize },
    PaddingNotZero,
}

/// HID-42: reads one message out of exactly these reports, checking every byte of them.
pub(crate) fn read(reports: &[Report], channel: Channel, command: u8) -> Result<Vec<u8>, Fault> {
    let (first, rest) = reports.split_first().ok_or(Fault::Nothing)?;
    if reports.iter().any(|report| report[..4] != channel) {
        return Err(Fault::WrongChannel);
    }
    if first[4] != command {
        return Err(Fault::WrongCommand);
    }
    let length = usize::from(u16::from_be_bytes([first[5], first[6]]));
    let expected = 1 + length.saturating_sub(57).div_ceil(59);
    if reports.len() != expected {
        return Err(Fault::WrongNumberOfReports { expected, found: reports.len() });
    }
    let mut payload = first[7..].to_vec();
    for (expected, report) in (0..).zip(rest) {
        if report[4] != expected {
            return Err(Fault::WrongSequence { expected, found: report[4] });
        }
        payload.extend_from_slice(&report[5..]);
    }
    if payload[length..].iter().any(|byte| *byte != 0) {
        return Err(Fault::PaddingNotZero);
    }
    payload.truncate(length);
    Ok(payload)
}
