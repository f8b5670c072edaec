//! The asynchronous driver with scripted keys and a clock that is set.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::task::{Context, Waker};

use ciborium::Value as Cbor;
use serde_json::json;
use softkey_ctap::StatusCode;

use super::*;
use crate::call::CredentialCreationOptions;
use crate::cause::Cause;
use crate::options::CreationOptions;
use crate::page::Page;
use crate::profile::{Profile, TimeoutRange};
use crate::script::{CTAP2, attested, auth_data, entropy, info, ok};

const FAST: KeyId = KeyId(0);
const SLOW: KeyId = KeyId(1);

/// How a scripted key takes a makeCredential.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// It answers when the clock stands so.
    At(u64),
    /// Only once it is cancelled, with this status or a success.
    Cancelled(u8),
    /// It is pulled out.
    Pulled,
}

#[derive(Default)]
struct Shared {
    now: Mutex<u64>,
    cancelled: Mutex<Vec<KeyId>>,
}

struct Desk {
    shared: std::sync::Arc<Shared>,
    keys: BTreeMap<KeyId, Manner>,
    gives_up_at: u64,
}

impl Desk {
    fn new(keys: &[(KeyId, Manner)]) -> Self {
        let keys = keys.iter().copied().collect();
        Self { shared: <_>::default(), keys, gives_up_at: u64::MAX }
    }

    fn run(&self) -> Settlement {
        let options = CreationOptions::from_value(json!({
            "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
            "challenge": "AAEC", "pubKeyCredParams": [], "timeout": 5000,
            "authenticatorSelection": {"userVerification": "discouraged"},
        }));
        let options: CredentialCreationOptions = options.unwrap().into();
        let profile = Profile::new();
        profile.set(|settings| settings.timeout = TimeoutRange::literal());
        let mut page = Page::new(&profile, "https://example.org");
        let request = page.credentials().create(self.now(), options, entropy());
        let keys: Vec<_> = self.keys.keys().map(|key| (*key, CTAP2)).collect();
        let mut work = Box::pin(settle(request, keys, self));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(settlement) = work.as_mut().poll(&mut context) {
                return settlement;
            }
            *self.shared.now.lock().unwrap() += 10;
            assert!(*self.shared.now.lock().unwrap() < 100_000, "it waits without end");
        }
    }

    fn cancelled(&self) -> Vec<KeyId> {
        self.shared.cancelled.lock().unwrap().clone()
    }
}

fn success() -> Vec<u8> {
    let data = auth_data("example.org", 0x41, &attested(5, b"id"));
    ok(vec![(1, "none".into()), (2, Cbor::Bytes(data)), (3, Cbor::Map(vec![]))])
}

impl Surroundings for Desk {
    fn now(&self) -> Instant {
        Instant::from_millis(*self.shared.now.lock().unwrap())
    }

    fn sleep_until(&self, at: Instant) -> Work<()> {
        let shared = self.shared.clone();
        Box::pin(poll_fn(move |_| {
            let now = Instant::from_millis(*shared.now.lock().unwrap());
            if now >= at { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    fn exchange(&self, key: KeyId, message: Message) -> Work<Option<Vec<u8>>> {
        let shared = self.shared.clone();
        let manner = self.keys[&key];
        let answers = match message {
            Message::Cbor(bytes) if bytes == [4] => Some(info(&[("makeCredUvNotRqd", true)])),
            _ => None,
        };
        Box::pin(poll_fn(move |_| {
            if let Some(answer) = &answers {
                return Poll::Ready(Some(answer.clone()));
            }
            let cancelled = shared.cancelled.lock().unwrap().contains(&key);
            match manner {
                Manner::Pulled => Poll::Ready(None),
                Manner::At(at) if *shared.now.lock().unwrap() >= at => Poll::Ready(Some(success())),
                Manner::Cancelled(0) if cancelled => Poll::Ready(Some(success())),
                Manner::Cancelled(status) if cancelled => Poll::Ready(Some(vec![status])),
                Manner::At(_) if cancelled => Poll::Ready(Some(vec![0x2d])),
                _ => Poll::Pending,
            }
        }))
    }

    fn cancel(&self, key: KeyId) {
        self.shared.cancelled.lock().unwrap().push(key);
    }

    fn pin(&self, _: PinNeed) -> Work<Option<Zeroizing<String>>> {
        Box::pin(std::future::ready(None))
    }

    fn account(&self, _: Vec<Account>) -> Work<Option<usize>> {
        Box::pin(std::future::ready(None))
    }

    fn gave_up(&self) -> bool {
        *self.shared.now.lock().unwrap() >= self.gives_up_at
    }
}

#[test]
fn the_first_key_wins_and_the_other_is_cancelled() {
    let desk = Desk::new(&[(FAST, Manner::At(1000)), (SLOW, Manner::Cancelled(0x2d))]);
    let settlement = desk.run();
    assert!(settlement.promise.unwrap().is_ok());
    assert!(settlement.late.is_empty());
    assert_eq!(desk.cancelled(), [SLOW]);
    assert!(desk.now().as_millis() <= 1200, "within 200 ms");
}

#[test]
fn a_late_success_is_reported() {
    let desk = Desk::new(&[(FAST, Manner::At(1000)), (SLOW, Manner::Cancelled(0))]);
    let settlement = desk.run();
    assert!(settlement.promise.unwrap().is_ok());
    assert_eq!(settlement.late[0].0, SLOW);
}

#[test]
fn a_key_that_is_pulled_out_changes_nothing_for_the_other() {
    let desk = Desk::new(&[(FAST, Manner::Pulled), (SLOW, Manner::At(2000))]);
    assert!(desk.run().promise.unwrap().is_ok());
    let desk = Desk::new(&[(FAST, Manner::Pulled)]);
    assert_eq!(desk.run().promise.unwrap().unwrap_err().cause, Cause::KeyGone);
}

#[test]
fn the_time_of_the_page_ends_it() {
    let desk = Desk::new(&[(SLOW, Manner::Cancelled(0x2d))]);
    assert_eq!(desk.run().promise.unwrap().unwrap_err().cause, Cause::Timeout);
    assert_eq!(desk.now().as_millis(), 5000);
}

#[test]
fn a_person_who_gives_up_is_heard() {
    let mut desk = Desk::new(&[(SLOW, Manner::Cancelled(StatusCode::KEEPALIVE_CANCEL.0))]);
    desk.gives_up_at = 300;
    assert_eq!(desk.run().promise.unwrap().unwrap_err().cause, Cause::Cancelled);
    assert!(desk.now().as_millis() <= 400);
    assert_eq!(desk.cancelled(), [SLOW]);
}
