//! How often a key makes the disk write: the price of a request, apart from the processor's.

use softkey::vault::RedbStore;
use softkey_ctap::Secret;
use softkey_tests::persistence::disk::{Disk, Event};
use softkey_tests::persistence::registrar::KeyOn;
use softkey_tests::pin::{Protocol, Shared, padded};
use softkey_tests::platform::{pin_token_request, set_pin_request};
use softkey_tests::request::{Request, command, cp};
use softkey_tests::status::{MISSING_PARAMETER, NO_CREDENTIALS, PIN_INVALID, SUCCESS};

use crate::new_store;

/// A key on a disk that counts.
struct Counted {
    disk: Disk,
    key: KeyOn<RedbStore, getrandom::SysRng>,
}

impl Counted {
    fn new() -> Self {
        let disk = Disk::default();
        let root_key = Secret::new([7; 32]);
        let key = KeyOn::open(new_store(&disk), &root_key, getrandom::SysRng);
        Self { disk, key }
    }

    /// Sends a request, and gives its status with the syncs that it cost.
    fn send(&mut self, request: &Request) -> (u8, usize) {
        let before = self.disk.event_count();
        let status = self.key.send(&request.bytes())[0];
        let events = self.disk.events();
        let syncs = events[before..].iter().filter(|event| **event == Event::Sync).count();
        assert_eq!(syncs == 0, events.len() == before, "what is written is synced");
        (status, syncs)
    }

    fn agree(&mut self) -> Shared {
        let ask = Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, 2);
        Shared::agree(Protocol::Two, self.key.ok(&ask).get(1), &[3; 32])
    }
}

/// A registration costs one sync, of a discoverable credential or another, new or in the place of one.
#[test]
fn a_registration_costs_one_sync() {
    let mut key = Counted::new();
    for user in [1, 2, 1] {
        let request = Request::make_credential_for("example.com", &[user]);
        assert_eq!(key.send(&request.clone().discoverable()), (SUCCESS, 1));
        let (status, syncs) = key.send(&request);
        assert!(status == SUCCESS && syncs <= 1, "{status:#04x}, {syncs} syncs");
    }
}

/// Of 32 sign-ins with one credential, one costs a sync.
#[test]
fn thirty_two_sign_ins_cost_one_sync() {
    let mut key = Counted::new();
    key.send(&Request::make_credential_for("example.com", &[1]).discoverable());
    let syncs: Vec<_> =
        (0..160).map(|_| key.send(&Request::get_assertion("example.com"))).collect();
    assert!(syncs.iter().all(|(status, syncs)| *status == SUCCESS && *syncs <= 1));
    let at: Vec<_> =
        syncs.iter().enumerate().filter(|(_, sent)| sent.1 == 1).map(|(at, _)| at).collect();
    assert!(at.len() >= 4, "{at:?}");
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] == 32), "{at:?}");
}

/// What is refused, and what only asks, costs none.
#[test]
fn a_refused_request_costs_no_sync() {
    let mut key = Counted::new();
    assert_eq!(key.send(&Request::get_assertion("example.com")), (NO_CREDENTIALS, 0));
    let twice = Request::make_credential_for("example.com", &[1]).discoverable();
    assert_eq!(key.send(&twice), (SUCCESS, 1));
    assert_eq!(key.send(&Request::bare(command::GET_INFO)), (SUCCESS, 0));
    assert_eq!(key.send(&Request::client_pin(cp::GET_PIN_RETRIES)), (SUCCESS, 0));
    let malformed = Request::make_credential().without(1);
    assert_eq!(key.send(&malformed), (MISSING_PARAMETER, 0));
}

/// A wrong PIN costs one sync: the retry is gone before the comparison is made.
#[test]
fn a_wrong_pin_costs_one_sync() {
    let mut key = Counted::new();
    let shared = key.agree();
    assert_eq!(key.send(&set_pin_request(&shared, &padded("1234"))), (SUCCESS, 1));
    let shared = key.agree();
    assert_eq!(key.send(&pin_token_request(&shared, "4321")), (PIN_INVALID, 1));
}
