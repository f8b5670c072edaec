//! The firmware's ARM code in QEMU, spoken to as a key: `cargo xtask firmware test`.
//!
//! These tests are about real processes and run on the wall clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too"
)]

mod board;

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use softkey_ctap_hid::{Connection, ConnectionError, Status};
use softkey_tests::cbor::{Value, walk};
use softkey_tests::pin::{Protocol, Shared, padded};
use softkey_tests::platform::{pin_token_request, set_pin_request};
use softkey_tests::request::{Request, command, cp};
use softkey_tests::status::{KEEPALIVE_CANCEL, NO_CREDENTIALS, PIN_INVALID, SUCCESS};

use board::{Board, Powered};

const RP: &str = "example.com";

/// A client on a channel of its own; every question is answered with a touch.
struct Client<'b>(Connection<Powered<'b>>);

impl<'b> Client<'b> {
    fn of(mut powered: Powered<'b>) -> Self {
        assert!(powered.is_up());
        Self(Connection::open(powered).expect("a channel"))
    }

    fn try_send(&mut self, request: &Request) -> Result<Vec<u8>, ConnectionError<io::Error>> {
        if request.bytes() == [command::RESET] {
            self.0.transport_mut().hold();
        } else {
            self.0.transport_mut().touch();
        }
        self.0.cbor(&request.bytes(), &mut |_| ControlFlow::Continue(()))
    }

    fn status(&mut self, request: &Request) -> u8 {
        self.try_send(request).unwrap()[0]
    }

    #[track_caller]
    fn ok(&mut self, request: &Request) -> Value {
        let answer = self.try_send(request).unwrap();
        assert_eq!(answer[0], SUCCESS, "{request:?}");
        if answer.len() == 1 { Value::Map(Vec::new()) } else { walk(&answer[1..]).unwrap() }
    }

    fn agree(&mut self) -> Shared {
        let ask = Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, 2);
        Shared::agree(Protocol::Two, self.ok(&ask).get(1), &[3; 32])
    }

    /// The user ids of all accounts, newest first.
    fn users(&mut self) -> Vec<Vec<u8>> {
        let answer = self.try_send(&Request::get_assertion(RP)).unwrap();
        if answer == [NO_CREDENTIALS] {
            return Vec::new();
        }
        let first = walk(&answer[1..]).unwrap();
        let more = first.at(5).map_or(1, Value::uint);
        let mut assertions = vec![first];
        for _ in 1..more {
            assertions.push(self.ok(&Request::bare(command::GET_NEXT_ASSERTION)));
        }
        assertions.iter().map(|one| one.get(4).get("id").bytes().to_vec()).collect()
    }
}

fn registration(user: u32) -> Request {
    Request::make_credential_for(RP, &user.to_be_bytes()).discoverable()
}

fn pin_is_set(info: &Value) -> bool {
    info.get(4).get("clientPin") == &Value::Bool(true)
}

/// Registration, sign-in, a PIN and its tries, over power cycles, and a reset: all on one flash image.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn a_life_of_the_board() {
    let mut board = Board::new();
    let mut key = Client::of(board.power_up(None));
    assert!(!pin_is_set(&key.ok(&Request::bare(command::GET_INFO))));
    assert_eq!(key.users(), [[0; 0]; 0]);
    for user in 1..=3 {
        key.ok(&registration(user));
    }
    let users = [3_u32, 2, 1].map(|user| user.to_be_bytes().to_vec());
    assert_eq!(key.users(), users);
    let shared = key.agree();
    key.ok(&set_pin_request(&shared, &padded("1234")));
    drop(key);

    let mut key = Client::of(board.power_up(None));
    assert!(pin_is_set(&key.ok(&Request::bare(command::GET_INFO))));
    assert_eq!(key.users(), users);
    let shared = key.agree();
    assert_eq!(key.status(&pin_token_request(&shared, "4321")), PIN_INVALID);
    let tries = key.ok(&Request::client_pin(cp::GET_PIN_RETRIES));
    assert_eq!(tries.get(3).uint(), 7);
    drop(key);

    let mut key = Client::of(board.power_up(None));
    let shared = key.agree();
    assert_eq!(key.status(&pin_token_request(&shared, "1234")), SUCCESS);
    drop(key);

    let mut key = Client::of(board.power_up(None));
    key.ok(&Request::bare(command::RESET));
    assert!(!pin_is_set(&key.ok(&Request::bare(command::GET_INFO))));
    assert_eq!(key.users(), [[0; 0]; 0]);
    key.ok(&registration(9));
    drop(key);
    let mut key = Client::of(board.power_up(None));
    assert_eq!(key.users(), [9_u32.to_be_bytes()]);
}

/// HID-40. The reports are another interrupt's business than the signature: however slow the processor is, the host hears
/// every 100 ms that the board is at work, and the lamp is lit.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn keepalives_leave_while_the_board_signs() {
    let mut board = Board::new();
    let mut key = Client::of(board.power_up(None));
    key.0.transport_mut().hurry(10);
    let (mut working, mut waiting, mut lit) = (0, 0, false);
    key.0.transport_mut().touch();
    let answer = key.0.cbor(&registration(1).bytes(), &mut |status| {
        match status {
            Status::Processing => working += 1,
            _ => waiting += 1,
        }
        ControlFlow::Continue(())
    });
    assert_eq!(answer.unwrap()[0], SUCCESS);
    assert!(working >= 3, "{working} keepalives of work, {waiting} of waiting");
    key.0.transport_mut().turn().unwrap();
    lit |= key.0.transport_mut().is_lit();
    assert!(!lit, "the lamp is still lit when all is done");
}

/// A reset takes five seconds of the button: a touch is not enough.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn a_touch_resets_nothing() {
    let mut board = Board::new();
    let mut key = Client::of(board.power_up(None));
    key.ok(&registration(1));
    drop(key);
    let mut key = Client::of(board.power_up(None));
    key.0.transport_mut().touch();
    let mut asked = 0;
    let answer = key.0.cbor(&[command::RESET], &mut |_| {
        asked += 1;
        if asked < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!(answer.unwrap(), [KEEPALIVE_CANCEL]);
    assert_eq!(key.users(), [1_u32.to_be_bytes()]);
}

/// ST-01. Killed at any moment of its work the board has the accounts that it answered, or the one in work too.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn a_killed_board_keeps_every_registration_that_it_answered() {
    let mut board = Board::new();
    let mut answered = 0;
    for round in 0..12_u64 {
        let lasts = Duration::from_millis(400 + round * 7919 % 900);
        answered = register_until_killed(board.power_up(Some(lasts)), answered);
        let mut key = Client::of(board.power_up(None));
        let found = key.users();
        let count = u32::try_from(found.len()).unwrap();
        assert!(count == answered || count == answered + 1, "round {round}: {count}, {answered}");
        let expected: Vec<_> = (1..=count).rev().map(|user| user.to_be_bytes().to_vec()).collect();
        assert_eq!(found, expected, "round {round}");
        answered = count;
    }
    assert!(answered > 12, "only {answered} accounts");
}

/// Registers accounts until the power goes, and gives the number of the last one that was answered.
fn register_until_killed(mut powered: Powered<'_>, mut answered: u32) -> u32 {
    if !powered.is_up() {
        return answered;
    }
    let Ok(connection) = Connection::open(powered) else { return answered };
    let mut key = Client(connection);
    while let Ok(answer) = key.try_send(&registration(answered + 1)) {
        assert_eq!(answer[0], SUCCESS);
        answered += 1;
    }
    answered
}
