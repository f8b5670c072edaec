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
mod full;
mod killed;
mod orphan;
mod udp;

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use softkey::bridge::mailbox::{Measures, Press};
use softkey_ctap_hid::{Connection, ConnectionError, Status};
use softkey_tests::cbor::{Value, map, walk};
use softkey_tests::parts::{checked, sha256};
use softkey_tests::pin::{Protocol, Shared, Token, padded};
use softkey_tests::platform::{pin_token_request, set_pin_request, token_request};
use softkey_tests::request::{Request, algorithms, cm, command, cp, descriptor, mc};
use softkey_tests::status::{KEEPALIVE_CANCEL, NO_CREDENTIALS, PIN_INVALID, SUCCESS};

use board::{Board, Powered};

const RP: &str = "example.com";
const PIN: &str = "1234";
/// Permissions of tokens.
const MAKE_CREDENTIAL: i64 = 0x01;
const CREDENTIAL_MANAGEMENT: i64 = 0x04;
const LARGE_BLOB_WRITE: i64 = 0x10;

/// A client on a channel of its own; every question is answered with a touch.
struct Client<'b>(Connection<Powered<'b>>);

impl<'b> Client<'b> {
    fn of(mut powered: Powered<'b>) -> Self {
        assert!(powered.is_up());
        Self(Connection::open(powered).expect("a channel"))
    }

    fn try_send(&mut self, request: &Request) -> Result<Vec<u8>, ConnectionError<io::Error>> {
        if request.bytes() == [command::RESET] {
            self.0.transport_mut().press(Press::Hold);
        } else {
            self.0.transport_mut().press(Press::Touch);
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

    fn set_pin(&mut self) {
        let shared = self.agree();
        self.ok(&set_pin_request(&shared, &padded(PIN)));
    }

    #[track_caller]
    fn token(&mut self, permissions: i64, rp_id: Option<&str>) -> Token {
        let shared = self.agree();
        let answer = self.ok(&token_request(&shared, PIN, permissions, rp_id));
        Token::new(shared.protocol(), shared.decrypt(answer.get(2).bytes()))
    }

    #[track_caller]
    fn manage(&mut self, sub_command: u8, params: Option<Value>, token: &Token) -> Value {
        let mut request = Request::credential_management(sub_command);
        if let Some(params) = params {
            request = request.with(cm::PARAMS, params);
        }
        self.ok(&request.managed(token))
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
/// every 100 ms that the board is at work. The lamp is dark afterwards.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn keepalives_leave_while_the_board_signs() {
    let mut board = Board::new();
    let mut key = Client::of(board.power_up(None));
    key.0.transport_mut().halt_clock();
    key.0.transport_mut().press(Press::Touch);
    let (mut working, mut waiting) = (0, 0);
    let answer = key.0.cbor(&registration(1).bytes(), &mut |status| {
        match status {
            Status::Processing => working += 1,
            Status::UserNeeded => waiting += 1,
        }
        ControlFlow::Continue(())
    });
    assert_eq!(answer.unwrap()[0], SUCCESS);
    println!("heard: {working} keepalives of work, {waiting} of waiting");
    // Where reports wait for the authenticator there are two at most: before it begins, and when it is done.
    assert!(working >= 3, "{working} keepalives of work, {waiting} of waiting");
    key.0.transport_mut().turn().unwrap();
    assert!(!key.0.transport_mut().is_lit(), "the lamp is still lit when all is done");
}

/// Credential management over a power cycle: count, enumerate, rename, delete.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn accounts_are_managed() {
    let mut board = Board::new();
    let mut key = Client::of(board.power_up(None));
    key.set_pin();
    for party in [RP, "example.org"] {
        for user in 1..=2_u8 {
            let token = key.token(MAKE_CREDENTIAL, Some(party));
            key.ok(&Request::make_credential_for(party, &[user]).discoverable().authorized(&token));
        }
    }
    drop(key);

    let mut key = Client::of(board.power_up(None));
    let token = key.token(CREDENTIAL_MANAGEMENT, None);
    assert_eq!(key.manage(cm::GET_CREDS_METADATA, None, &token).get(1).uint(), 4);
    let first = key.manage(cm::ENUMERATE_RPS_BEGIN, None, &token);
    assert_eq!(first.get(5).uint(), 2);
    let next = key.ok(&Request::credential_management(cm::ENUMERATE_RPS_NEXT));
    let mut parties = [&first, &next].map(|party| party.get(3).get("id").text().to_owned());
    parties.sort();
    assert_eq!(parties, [RP, "example.org"]);

    let params = map([(1, Value::from(&sha256(RP.as_bytes())[..]))]);
    let first = key.manage(cm::ENUMERATE_CREDENTIALS_BEGIN, Some(params.clone()), &token);
    assert_eq!(first.get(9).uint(), 2);
    let second = key.ok(&Request::credential_management(cm::ENUMERATE_CREDENTIALS_NEXT));
    let id = |one: &Value| descriptor(one.get(7).get("id").bytes());
    key.manage(cm::DELETE_CREDENTIAL, Some(map([(2, id(&first))])), &token);
    let renamed = second.get(6).clone().with("name", "another name");
    let update = map([(2, id(&second)), (3, renamed.clone())]);
    key.manage(cm::UPDATE_USER_INFORMATION, Some(update), &token);
    drop(key);

    let mut key = Client::of(board.power_up(None));
    let token = key.token(CREDENTIAL_MANAGEMENT, None);
    assert_eq!(key.manage(cm::GET_CREDS_METADATA, None, &token).get(1).uint(), 3);
    let left = key.manage(cm::ENUMERATE_CREDENTIALS_BEGIN, Some(params), &token);
    assert_eq!((left.get(9).uint(), id(&left), left.get(6)), (1, id(&second), &renamed));
}

/// What the hungriest requests take of heap and stack; `cargo xtask firmware size` prints it.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn the_memory_is_enough() {
    let mut board = Board::new();
    let mut key = Client::of(board.power_up(None));
    key.set_pin();
    let info = key.ok(&Request::bare(command::GET_INFO));
    let offered = info.get(10).items().iter().map(|one| one.get("alg").int());
    for algorithm in offered.collect::<Vec<_>>() {
        for user in 0..4_u8 {
            let token = key.token(MAKE_CREDENTIAL, Some(RP));
            let account = [user, algorithm.to_le_bytes()[0]];
            let request = Request::make_credential_for(RP, &account)
                .with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[algorithm]));
            key.ok(&with_every_extension(request).discoverable().authorized(&token));
        }
    }
    let id = key.ok(&Request::get_assertion(RP)).get(1).get("id").bytes().to_vec();
    longest_list_and_blobs(&mut key, RP, &id, 4096);
    key.users();
    let token = key.token(CREDENTIAL_MANAGEMENT, None);
    let params = map([(1, Value::from(&sha256(RP.as_bytes())[..]))]);
    key.manage(cm::ENUMERATE_CREDENTIALS_BEGIN, Some(params), &token);

    memory_suffices(&mut key, "measured");
}

fn with_every_extension(request: Request) -> Request {
    request
        .extension("credProtect", 1_u64)
        .extension("credBlob", &[7; 32][..])
        .extension("hmac-secret", true)
        .extension("largeBlobKey", true)
}

/// Signs in by the longest list that the key takes, as long as a message may be, and writes a large-blob array of this
/// length.
fn longest_list_and_blobs(key: &mut Client<'_>, rp_id: &str, id: &[u8], length: usize) {
    let long = vec![0xA5; 255];
    let mut list: Vec<&[u8]> = vec![&long; 15];
    list.push(id);
    key.ok(&Request::get_assertion(rp_id).listing(&list));
    let blobs = checked(&vec![0x5A; length - 16]);
    let token = key.token(LARGE_BLOB_WRITE, None);
    let write = Request::write_blobs(0, &blobs, Some(blobs.len())).blob_authorized(&token);
    key.ok(&write);
    assert_eq!(key.ok(&Request::read_blobs(0, 4096)).get(1).bytes(), blobs);
}

/// Prints what was taken of heap and stack since the power came; a tenth is left for what no test has thought of.
fn memory_suffices(key: &mut Client<'_>, named: &str) {
    let Measures { heap, stack } = key.0.transport_mut().measures();
    println!("{named}: heap {} of {}, stack {} of {}", heap.0, heap.1, stack.0, stack.1);
    let within = |(peak, all): (u32, u32)| peak < all / 10 * 9;
    assert!(within(heap) && within(stack));
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
    key.0.transport_mut().press(Press::Touch);
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
    /// Rounds at least, and at most: until more accounts than rounds were answered, however busy this machine is.
    const ROUNDS: (u64, u64) = (12, 60);
    let mut board = Board::new();
    let mut answered = 0;
    for round in 0.. {
        if round >= ROUNDS.0 && u64::from(answered) > ROUNDS.0 {
            break;
        }
        assert!(round < ROUNDS.1, "only {answered} accounts");
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
