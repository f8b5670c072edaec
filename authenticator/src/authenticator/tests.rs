//! What an owner sees beside the answers: the private reason, and the limits of what is handed in.

use alloc::vec;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::step::Transport;
use crate::store::MemoryStore;

const NOW: Instant = Instant::from_millis(0);
const VIA: Via = Via { transport: Transport::Usb, session: Session(1) };

fn key() -> Authenticator<MemoryStore, ChaCha20Rng> {
    let rng = ChaCha20Rng::from_seed([7; 32]);
    let key = RootKey::new([1; 32]);
    Authenticator::open(MemoryStore::default(), key, rng, Config::default(), NOW).ok().unwrap()
}

fn status(step: Option<Step>) -> Option<u8> {
    match step? {
        Step::Reply(answer) => answer.first().copied(),
        Step::Asking(_) => None,
    }
}

/// The reason stays until the next request, which has its own or none.
#[test]
fn the_reason_is_of_the_last_request() {
    let mut key = key();
    assert_eq!(key.refusal(), None);
    assert_eq!(status(Some(key.begin(NOW, VIA, &[0x99]))), Some(0x01));
    assert_eq!(key.refusal(), Some(Refusal::UnknownCommand));
    assert_eq!(status(Some(key.begin(NOW, VIA, &[Command::GET_INFO.0]))), Some(0));
    assert_eq!(key.refusal(), None);
    assert!(matches!(key.begin(NOW, VIA, &[Command::SELECTION.0]), Step::Asking(_)));
    assert_eq!(key.refusal(), None);
    assert_eq!(status(key.cancel(VIA)), Some(0x2D));
    assert_eq!(key.refusal(), Some(Refusal::Cancelled));
}

/// A transport that carries more than maxMsgSize does not bring it in here.
#[test]
fn a_request_that_is_too_long_is_refused_unread() {
    let mut request = vec![0; MAX_MSG_SIZE];
    request[0] = Command::GET_INFO.0;
    let mut key = key();
    assert_eq!(status(Some(key.begin(NOW, VIA, &request))), Some(0));
    request.push(0);
    assert_eq!(status(Some(key.begin(NOW, VIA, &request))), Some(0x39));
    assert_eq!(key.refusal(), Some(Refusal::TooLarge));
}

/// A session that ends takes nobody else's request with it, and its own without an answer.
#[test]
fn a_session_ends_for_itself_alone() {
    let mut key = key();
    assert!(matches!(key.begin(NOW, VIA, &[Command::SELECTION.0]), Step::Asking(_)));
    key.session_ended(Session(2));
    assert!(key.asking().is_some());
    assert_eq!(status(Some(key.begin(NOW, VIA, &[Command::GET_INFO.0]))), Some(0x06));
    key.session_ended(Session(1));
    assert!(key.asking().is_none());
    assert_eq!(key.poll_timeout(), None);
}
