//! The client's rules (`Host`) in bytes: what it sends, what it believes, when it gives up.

use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{
    Capabilities, ChannelId, Command, DeviceInfo, HidError, Host, HostConfig, HostError, HostEvent,
    Status,
};

use crate::wire::{
    self, BROADCAST, CANCEL, CBOR, CHANNEL_BUSY, INIT, INVALID_CHANNEL, INVALID_CMD, MSG, PING,
    RESERVED, Report, error, go_on, keepalive, message, start,
};

const NONCE: [u8; 8] = [0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7];
const CHANNEL: wire::Channel = [0x11, 0x22, 0x33, 0x44];
const OTHER: wire::Channel = [0x11, 0x22, 0x33, 0x45];

struct Client {
    host: Host,
    now: Instant,
}

impl Client {
    fn new() -> Self {
        Self { host: Host::new(HostConfig::default()), now: Instant::from_millis(50_000) }
    }

    fn opened() -> Self {
        let mut client = Self::new();
        client.host.open(client.now, NONCE);
        client.sent();
        client.hear(&[init_answer(BROADCAST, NONCE, CHANNEL)]);
        assert!(matches!(client.events().as_slice(), [HostEvent::Opened(_)]));
        client
    }

    /// A client whose request has left whole.
    fn asking(command: Command, payload: &[u8]) -> Self {
        let mut client = Self::opened();
        client.host.request(client.now, command, payload).unwrap();
        client.sent();
        client
    }

    fn sent(&mut self) -> Vec<Report> {
        std::iter::from_fn(|| self.host.poll_report()).collect()
    }

    fn events(&mut self) -> Vec<HostEvent> {
        std::iter::from_fn(|| self.host.poll_event()).collect()
    }

    fn hear(&mut self, reports: &[Report]) {
        for report in reports {
            self.host.handle_report(self.now, report);
        }
    }

    /// What follows from these reports.
    fn after(&mut self, reports: &[Report]) -> Vec<HostEvent> {
        self.hear(reports);
        self.events()
    }

    /// Sleeps until the host's next deadline; how long that was.
    fn sleep(&mut self) -> u128 {
        let wake = self.host.poll_timeout().expect("something in progress");
        let slept = wake.duration_since(self.now);
        self.now = wake;
        self.host.handle_timeout(self.now);
        slept.as_millis()
    }
}

fn init_answer(on: wire::Channel, nonce: [u8; 8], channel: wire::Channel) -> Report {
    let mut payload = nonce.to_vec();
    payload.extend(channel);
    payload.extend([2, 5, 6, 7, 0x0D]);
    start(on, INIT, 17, &payload)
}

fn failed(error: HostError) -> [HostEvent; 1] {
    [HostEvent::Failed(error)]
}

/// Section 11.2.9.1.3.
#[test]
fn opening_sends_init_on_broadcast_and_takes_the_answer_with_its_nonce() {
    let mut client = Client::new();
    assert_eq!(client.sent(), [[0; 64]; 0]);
    client.host.open(client.now, NONCE);
    assert_eq!(client.sent(), [start(BROADCAST, INIT, 8, &NONCE)]);
    assert_eq!(client.after(&[init_answer(BROADCAST, [1; 8], OTHER)]), []);
    assert_eq!(client.after(&[init_answer(OTHER, NONCE, OTHER)]), []);
    let opened = DeviceInfo {
        channel: ChannelId::from_u32(0x1122_3344),
        protocol_version: 2,
        version: [5, 6, 7],
        capabilities: Capabilities(0x0D),
    };
    assert_eq!(
        client.after(&[init_answer(BROADCAST, NONCE, CHANNEL)]),
        [HostEvent::Opened(opened)]
    );
    assert_eq!(client.host.device(), Some(&opened));
    assert!(opened.capabilities.wink() && opened.capabilities.cbor() && !opened.capabilities.msg());
    assert_eq!(client.host.poll_timeout(), None);
}

/// Clients ignore bytes beyond the seventeenth, and refuse fewer or an impossible channel.
#[test]
fn an_init_answer_is_checked() {
    let long = start(BROADCAST, INIT, 30, &init_answer(BROADCAST, NONCE, CHANNEL)[7..40]);
    let mut client = Client::new();
    client.host.open(client.now, NONCE);
    assert!(matches!(client.after(&[long]).as_slice(), [HostEvent::Opened(_)]));

    let mut short = init_answer(BROADCAST, NONCE, CHANNEL);
    short[6] = 16;
    for bad in
        [short, init_answer(BROADCAST, NONCE, RESERVED), init_answer(BROADCAST, NONCE, BROADCAST)]
    {
        let mut client = Client::new();
        client.host.open(client.now, NONCE);
        assert_eq!(client.after(&[bad]), failed(HostError::MalformedInit));
        assert_eq!(client.host.device(), None);
    }
}

/// An answer overdue by a second.
#[test]
fn opening_gives_up_after_a_second_of_silence() {
    let mut client = Client::new();
    client.host.open(client.now, NONCE);
    client.sent();
    assert_eq!(client.sleep(), 1_000);
    assert_eq!(client.events(), failed(HostError::Timeout));
    assert_eq!(client.host.request(client.now, Command::PING, &[]), Err(HostError::NotOpen));
}

/// On broadcast everybody hears everybody's errors: one counts only if no answer follows.
#[test]
fn an_error_on_broadcast_counts_only_without_an_answer() {
    let mut client = Client::new();
    client.host.open(client.now, NONCE);
    assert_eq!(client.after(&[error(BROADCAST, INVALID_CHANNEL)]), []);
    assert!(matches!(
        client.after(&[init_answer(BROADCAST, NONCE, CHANNEL)])[..],
        [HostEvent::Opened(_)]
    ));

    client.host.open(client.now, NONCE);
    assert_eq!(client.after(&[error(BROADCAST, INVALID_CMD)]), []);
    client.sleep();
    assert_eq!(client.events(), failed(HostError::Device(HidError::INVALID_CMD)));
}

/// Busy: again each 100 ms, for some seconds, then an error; the answer to an earlier try still counts.
#[test]
fn a_busy_device_is_tried_again_until_patience_ends() {
    let mut client = Client::new();
    client.host.open(client.now, NONCE);
    let mut tries = 0;
    let failure = loop {
        assert_eq!(client.sent(), [start(BROADCAST, INIT, 8, &NONCE)]);
        tries += 1;
        if let [failure] = client.after(&[error(BROADCAST, CHANNEL_BUSY)]).as_slice() {
            break failure.clone();
        }
        assert_eq!(client.sent(), [[0; 64]; 0]);
        assert_eq!(client.sleep(), 100);
    };
    assert_eq!(failure, HostEvent::Failed(HostError::Busy));
    assert_eq!(tries, 51);

    client.host.open(client.now, NONCE);
    client.after(&[error(BROADCAST, CHANNEL_BUSY)]);
    assert!(matches!(
        client.after(&[init_answer(BROADCAST, NONCE, CHANNEL)])[..],
        [HostEvent::Opened(_)]
    ));
}

/// The same for requests: sent again whole, and an answer ends it.
#[test]
fn a_request_refused_busy_is_sent_again_from_its_first_packet() {
    let payload = [7; 200];
    let mut client = Client::opened();
    client.host.request(client.now, Command::CBOR, &payload).unwrap();
    let first = client.host.poll_report().unwrap();
    assert_eq!(client.after(&[error(CHANNEL, CHANNEL_BUSY)]), []);
    assert_eq!(client.sent(), [[0; 64]; 0], "the rest of a refused message stays");
    assert_eq!(client.sleep(), 100);
    let again = client.sent();
    assert_eq!(again, message(CHANNEL, CBOR, &payload));
    assert_eq!(again[0], first);
    assert_eq!(client.after(&message(CHANNEL, CBOR, &[0])), [HostEvent::Answer(vec![0])]);
}

/// HID-42 from the other end: requests are cut as the standard says.
#[test]
fn requests_of_every_length_leave_whole() {
    for length in [0, 1, 57, 58, 116, 117, 1024, 7609] {
        let payload: Vec<u8> = (1..=251).cycle().take(length).collect();
        let mut client = Client::opened();
        client.host.request(client.now, Command::PING, &payload).unwrap();
        let sent = client.sent();
        assert_eq!(wire::read(&sent, CHANNEL, PING).as_ref(), Ok(&payload));
        assert_eq!(client.after(&sent), [HostEvent::Answer(payload)]);
    }
}

/// Reports of others, stray packets of our own before a request, and padding.
#[test]
fn foreign_reports_are_dropped_and_padding_is_cut_off() {
    let mut client = Client::opened();
    assert_eq!(client.after(&message(CHANNEL, PING, b"stale")), []);
    client.host.request(client.now, Command::PING, b"abc").unwrap();
    client.sent();
    let foreign = [
        message(OTHER, PING, b"xyz")[0],
        error(OTHER, CHANNEL_BUSY),
        keepalive(OTHER, 1),
        go_on(OTHER, 0, &[1; 59]),
        init_answer(BROADCAST, [1; 8], OTHER),
        error(BROADCAST, CHANNEL_BUSY),
    ];
    assert_eq!(client.after(&foreign), []);
    let answer = start(CHANNEL, PING, 3, &[0x61; 57]);
    assert_eq!(client.after(&[answer]), [HostEvent::Answer(vec![0x61; 3])]);
}

/// Each keepalive starts the wait again; those nobody looked at are one.
#[test]
fn keepalives_are_told_and_prolong_the_wait() {
    for command in [Command::CBOR, Command::MSG] {
        let mut client = Client::asking(command, &[1]);
        client.now += Duration::from_millis(2_900);
        assert_eq!(
            client.after(&[keepalive(CHANNEL, 1)]),
            [HostEvent::Keepalive(Status::Processing)]
        );
        let two = [keepalive(CHANNEL, 1), keepalive(CHANNEL, 2)];
        assert_eq!(client.after(&two), [HostEvent::Keepalive(Status::UserNeeded)]);
        assert_eq!(client.sleep(), 3_000);
        assert_eq!(client.events(), failed(HostError::Timeout));
    }
}

/// Silence in the middle of an answer counts like silence before it.
#[test]
fn an_answer_that_stops_half_way_times_out() {
    let mut client = Client::asking(Command::PING, &[1; 100]);
    client.hear(&message(CHANNEL, PING, &[1; 100])[..1]);
    assert_eq!(client.sleep(), 3_000);
    assert_eq!(client.events(), failed(HostError::Timeout));
}

/// After a timeout or a broken answer late packets may come: nothing goes out before INIT.
#[test]
fn a_channel_out_of_step_must_be_resynchronised() {
    let mut client = Client::asking(Command::CBOR, &[1]);
    client.sleep();
    assert_eq!(client.events(), failed(HostError::Timeout));
    assert!(!client.host.is_in_step());
    assert_eq!(client.host.request(client.now, Command::PING, &[]), Err(HostError::OutOfStep));
    client.host.resynchronise(client.now, NONCE).unwrap();
    assert_eq!(client.sent(), [start(CHANNEL, INIT, 8, &NONCE)]);
    let late =
        [message(CHANNEL, CBOR, &[0; 100]), vec![init_answer(CHANNEL, NONCE, CHANNEL)]].concat();
    assert!(matches!(client.after(&late).as_slice(), [HostEvent::Opened(_)]));
    client.host.request(client.now, Command::PING, b"x").unwrap();
}

/// A resynchronisation that fails leaves the channel out of step; one that names another channel fails.
#[test]
fn a_failed_resynchronisation_changes_nothing() {
    let mut client = Client::asking(Command::CBOR, &[1]);
    client.host.resynchronise(client.now, NONCE).unwrap();
    assert_eq!(
        client.after(&[init_answer(CHANNEL, NONCE, OTHER)]),
        failed(HostError::MalformedInit)
    );
    assert!(!client.host.is_in_step());
    client.host.resynchronise(client.now, NONCE).unwrap();
    assert_eq!(client.sleep(), 1_000);
    assert_eq!(client.events(), failed(HostError::Timeout));
    assert!(!client.host.is_in_step() && client.host.device().is_some());
    assert_eq!(Client::new().host.resynchronise(client.now, NONCE), Err(HostError::NotOpen));
}

/// Everything that cannot be part of the answer.
#[test]
fn a_packet_out_of_place_is_a_protocol_error() {
    let whole = message(CHANNEL, PING, &[1; 200]);
    let cases: [(&[Report], HostError); 7] = [
        (&[go_on(CHANNEL, 0, &[1; 59])], HostError::UnexpectedPacket),
        (&[message(CHANNEL, MSG, b"x")[0]], HostError::UnexpectedPacket),
        (&[whole[0], whole[2]], HostError::UnexpectedPacket),
        (&[whole[0], whole[1], whole[1]], HostError::UnexpectedPacket),
        (&[whole[0], whole[0]], HostError::UnexpectedPacket),
        (&[whole[0], keepalive(CHANNEL, 1)], HostError::UnexpectedPacket),
        (&[start(CHANNEL, PING, 7_610, &[1; 57])], HostError::AnswerTooLong),
    ];
    for (reports, error) in cases {
        let mut client = Client::asking(Command::PING, &[1; 200]);
        assert_eq!(client.after(reports), failed(error));
        assert!(!client.host.is_in_step());
    }
}

/// Errors of the device are raised as they are, and leave the channel idle and usable.
#[test]
fn a_device_error_ends_the_request() {
    for code in [0x01, 0x02, 0x03, 0x04, 0x05, 0x0A, 0x7F, 0x42] {
        let mut client = Client::asking(Command::CBOR, &[1; 100]);
        assert_eq!(
            client.after(&[error(CHANNEL, code)]),
            failed(HostError::Device(HidError(code)))
        );
        client.host.request(client.now, Command::PING, b"x").unwrap();
    }
    let mut client = Client::asking(Command::CBOR, &[1]);
    let lost = HostError::Device(HidError::INVALID_CHANNEL);
    assert_eq!(client.after(&[error(CHANNEL, INVALID_CHANNEL)]), failed(lost));
    assert_eq!(client.host.device(), None);
    assert_eq!(client.host.request(client.now, Command::PING, b"x"), Err(HostError::NotOpen));
}

/// CANCEL leaves after the whole request, once, and the answer is awaited: 0x2D or a late success.
#[test]
fn cancelling_sends_cancel_and_awaits_the_answer() {
    for answer in [vec![0x2D], vec![0; 100]] {
        let mut client = Client::asking(Command::CBOR, &[1]);
        client.host.cancel();
        client.host.cancel();
        assert_eq!(client.sent(), [start(CHANNEL, CANCEL, 0, &[])]);
        client.host.cancel();
        assert_eq!(client.sent(), [[0; 64]; 0]);
        assert_eq!(client.after(&message(CHANNEL, CBOR, &answer)), [HostEvent::Answer(answer)]);
    }
}

/// In the middle of the request the rest leaves first: a device ignores CANCEL there.
#[test]
fn cancelling_in_mid_request_waits_for_its_last_packet() {
    let mut client = Client::opened();
    client.host.request(client.now, Command::CBOR, &[1; 100]).unwrap();
    let mut sent = vec![client.host.poll_report().unwrap()];
    client.host.cancel();
    sent.extend(client.sent());
    assert_eq!(sent.pop(), Some(start(CHANNEL, CANCEL, 0, &[])));
    assert_eq!(sent, message(CHANNEL, CBOR, &[1; 100]));
}

/// A request the device never took needs no CANCEL.
#[test]
fn cancelling_before_the_device_took_the_request_ends_it_at_once() {
    let mut unsent = Client::opened();
    unsent.host.request(unsent.now, Command::CBOR, &[1]).unwrap();
    unsent.host.cancel();
    assert_eq!(unsent.events(), failed(HostError::Cancelled));

    let mut pausing = Client::asking(Command::CBOR, &[1]);
    pausing.hear(&[error(CHANNEL, CHANNEL_BUSY)]);
    pausing.host.cancel();
    assert_eq!(pausing.events(), failed(HostError::Cancelled));

    let mut refused = Client::asking(Command::CBOR, &[1]);
    refused.host.cancel();
    refused.sent();
    assert_eq!(refused.after(&[error(CHANNEL, CHANNEL_BUSY)]), failed(HostError::Cancelled));
    for client in [&mut unsent, &mut pausing, &mut refused] {
        assert_eq!(client.sent(), [[0; 64]; 0]);
        client.host.request(client.now, Command::PING, b"x").unwrap();
    }
}

/// CANCEL is for CBOR alone.
#[test]
fn cancelling_anything_else_does_nothing() {
    let mut client = Client::asking(Command::MSG, &[0, 3, 0, 0]);
    client.host.cancel();
    assert_eq!(client.sent(), [[0; 64]; 0]);
    assert_eq!(
        client.after(&message(CHANNEL, MSG, &[0x90, 0])),
        [HostEvent::Answer(vec![0x90, 0])]
    );
    client.host.cancel();
    assert_eq!(client.events(), []);
}

/// What is refused before anything leaves.
#[test]
fn impossible_requests_are_refused_unsent() {
    let mut client = Client::opened();
    for command in [Command::INIT, Command::CANCEL, Command::KEEPALIVE, Command::ERROR] {
        assert_eq!(client.host.request(client.now, command, &[]), Err(HostError::NotARequest));
    }
    let long = vec![0; 7_610];
    assert_eq!(
        client.host.request(client.now, Command::PING, &long),
        Err(HostError::RequestTooLong)
    );
    assert_eq!(client.sent(), [[0; 64]; 0]);
    client.host.request(client.now, Command::PING, &[]).unwrap();
    assert_eq!(client.host.request(client.now, Command::PING, &[]), Err(HostError::InProgress));
}
