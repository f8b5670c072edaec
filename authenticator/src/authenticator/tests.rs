//! What an owner sees beside the answers: the private reason, and the limits of what is handed in.

mod failing_store;
mod tries;

use alloc::vec;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::generation::Generation;
use crate::step::Transport;
use crate::store::MemoryStore;

const NOW: Instant = Instant::from_millis(0);
const VIA: Via = Via { transport: Transport::Usb, session: Session(1) };

fn key() -> Authenticator<MemoryStore, ChaCha20Rng> {
    key_of(Config::default())
}

fn key_of(config: Config) -> Authenticator<MemoryStore, ChaCha20Rng> {
    let rng = ChaCha20Rng::from_seed([7; 32]);
    let key = RootKey::new([1; 32]);
    Authenticator::open(MemoryStore::default(), key, rng, config, NOW).ok().unwrap()
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

/// U2F REGISTER for a party of this number.
fn register(application: u8) -> Vec<u8> {
    let header = [0, 1, 0, 0, 0, 0, 64];
    [&header[..], &[0; 32], &[application; 32]].concat()
}

const CONDITIONS_NOT_SATISFIED: [u8; 2] = [0x69, 0x85];

/// The answer to a question that has been withdrawn, or was never asked, is no presence for U2F's question.
#[test]
fn an_answer_counts_only_for_its_own_question() {
    let mut key = key();
    assert!(matches!(key.begin(NOW, VIA, &[Command::SELECTION.0]), Step::Asking(_)));
    let old = key.asking().unwrap().id;
    key.cancel(VIA);
    assert_eq!(key.begin_u2f(NOW, VIA, &register(1)), CONDITIONS_NOT_SATISFIED);
    let open = key.asking().unwrap().id;
    assert!(key.resume(NOW, Decision { ask: old, answer: Answer::Yes }).is_none());
    assert_eq!(key.asking().map(|ask| ask.id), Some(open), "it is open still");
    assert_eq!(key.begin_u2f(NOW, VIA, &register(1)), CONDITIONS_NOT_SATISFIED);
    assert!(key.resume(NOW, Decision { ask: open, answer: Answer::Yes }).is_none());
    assert!(key.begin_u2f(NOW, VIA, &register(1)).ends_with(&[0x90, 0]));
}

/// The user sees one question at a time: a request that waits withdraws that of U2F, which does not come back by
/// itself when the request is over.
#[test]
fn a_waiting_request_withdraws_the_question_of_u2f() {
    let mut key = key();
    assert_eq!(key.begin_u2f(NOW, VIA, &register(1)), CONDITIONS_NOT_SATISFIED);
    let withdrawn = key.asking().unwrap().id;
    assert!(matches!(key.begin(NOW, VIA, &[Command::SELECTION.0]), Step::Asking(_)));
    assert!(key.resume(NOW, Decision { ask: withdrawn, answer: Answer::Yes }).is_none());
    assert_eq!(status(key.cancel(VIA)), Some(0x2D));
    assert!(key.asking().is_none());
    assert_eq!(key.poll_timeout(), None);
    assert_eq!(key.begin_u2f(NOW, VIA, &register(1)), CONDITIONS_NOT_SATISFIED);
}

/// While a request waits for the user, a U2F message neither asks nor takes the touch that is meant for the request.
#[test]
fn u2f_asks_nothing_while_a_request_waits() {
    let mut key = key();
    assert!(matches!(key.begin(NOW, VIA, &[Command::SELECTION.0]), Step::Asking(_)));
    let asked = key.asking().unwrap().id;
    assert_eq!(key.begin_u2f(NOW, VIA, &register(1)), CONDITIONS_NOT_SATISFIED);
    assert_eq!(key.asking().map(|ask| ask.id), Some(asked));
    assert_eq!(status(key.cancel(VIA)), Some(0x2D));
    assert!(key.asking().is_none());
    assert_eq!(key.begin_u2f(NOW, VIA, &register(1)), CONDITIONS_NOT_SATISFIED);
}

/// Length comes before everything else, so that it does not matter which commands a generation knows.
#[test]
fn a_request_that_is_too_long_is_refused_whatever_it_asks_for() {
    let generation = Generation::Ctap20;
    let config = Config { generation, max_msg_size: 1024, max_request: 1024, ..Config::default() };
    let mut key = key_of(config);
    for command in [Command::GET_INFO, Command::CREDENTIAL_MANAGEMENT, Command(0x99)] {
        let mut request = vec![0; 1025];
        request[0] = command.0;
        assert_eq!(status(Some(key.begin(NOW, VIA, &request))), Some(0x39), "{command:?}");
    }
    assert_eq!(status(Some(key.begin(NOW, VIA, &[Command::SELECTION.0]))), Some(0x01));
}

/// What a reset leaves behind is swept in the end, which is noted: after a power cycle nothing is looked for.
#[test]
fn housekeeping_comes_to_its_end() {
    let mut key = key();
    assert!(matches!(key.begin(NOW, VIA, &[Command::RESET.0]), Step::Asking(_)));
    let ask = key.asking().unwrap().id;
    assert_eq!(status(key.resume(NOW, Decision { ask, answer: Answer::Yes })), Some(0));
    assert!((0..10).any(|_| key.sweep()), "there is an end");
    let (root_key, rng) = (RootKey::new([1; 32]), ChaCha20Rng::from_seed([8; 32]));
    let opened = Authenticator::open(key.into_store(), root_key, rng, Config::default(), NOW);
    assert!(opened.ok().unwrap().swept);
}

/// Presence that was shown for U2F is over after ten seconds, though nobody has told the authenticator of the time.
#[test]
fn presence_for_u2f_is_over_by_itself() {
    for (later, serves) in [(10_000, false), (9_999, true)] {
        let mut key = key();
        assert_eq!(key.begin_u2f(NOW, VIA, &register(1)), CONDITIONS_NOT_SATISFIED);
        let ask = key.asking().unwrap().id;
        assert!(key.resume(NOW, Decision { ask, answer: Answer::Yes }).is_none());
        let answer = key.begin_u2f(Instant::from_millis(later), VIA, &register(1));
        assert_eq!(answer.ends_with(&[0x90, 0]), serves, "after {later} ms");
    }
}
