//! Checks that many tests share: what a refusal must leave as it was.

use crate::cbor::Value;
use crate::key::Key;
use crate::request::{Request, mc};
use crate::status::SUCCESS;

/// Sends bytes that must be refused with exactly this status, before any touch and without a write, and
/// checks the silent second half: getInfo and the PIN retries answer as before, and a normal registration and
/// sign-in work.
#[track_caller]
pub fn refused_and_unharmed(key: &mut Key, request: &[u8], status: u8) {
    refused_before_touch(key, request, status);
    if key.is_worth_a_proof() {
        still_works(key);
    }
}

/// The same without the registration and sign-in, which would spend a pinUvAuthToken that the test goes on
/// with. What the test does next with the token is the normal request then.
#[track_caller]
pub fn refused_and_token_kept(key: &mut Key, request: &Request, status: u8) {
    refused_before_touch(key, &request.bytes(), status);
}

#[track_caller]
fn refused_before_touch(key: &mut Key, request: &[u8], status: u8) {
    let before = snapshot(key);
    let (prompts, commits) = (key.prompts(), key.commits());
    let answer = key.send(request);
    assert_eq!(answer, [status], "to {}", crate::parts::hex(request));
    assert_eq!(key.prompts(), prompts, "a refusal before the touch asks for none");
    assert_eq!(key.commits(), commits, "a refused request writes nothing");
    assert!(snapshot(key) == before, "getInfo or the retries changed after {status:#04x}");
}

/// [`refused_and_unharmed`] for a request that was refused after the user had been asked.
#[track_caller]
pub fn refused_after_prompt_and_unharmed(key: &mut Key, request: &Request, status: u8) {
    let before = snapshot(key);
    let (prompts, commits) = (key.prompts(), key.commits());
    assert_eq!(key.status(request), status, "to {request:?}");
    assert_eq!(key.prompts(), prompts + 1, "the user is asked once");
    assert_eq!(key.commits(), commits, "a refused request writes nothing");
    assert!(snapshot(key) == before, "getInfo or the retries changed after {status:#04x}");
    if key.is_worth_a_proof() {
        still_works(key);
    }
}

/// [`refused_and_unharmed`] for a request.
#[track_caller]
pub fn refused(key: &mut Key, request: &Request, status: u8) {
    refused_and_unharmed(key, &request.bytes(), status);
}

/// A normal registration and a sign-in with it work, on a channel of their own so that nothing that belongs
/// to the one in use is disturbed, with a user who approves.
#[track_caller]
pub fn still_works(key: &mut Key) {
    let (channel, user) = (key.channel(), key.current_user());
    let side = key.side_channel();
    key.switch_to(side);
    key.user(crate::User::Approves);
    let request = Request::make_credential_for("still-works.example", &[1]);
    let made = key.make(&request);
    key.assertion_by(&made, &made.get());
    key.switch_to(channel);
    key.user(user);
}

/// What a refusal must not change: getInfo without the members that change by themselves, and the retries.
#[track_caller]
pub fn snapshot(key: &mut Key) -> (Value, Value) {
    let channel = key.channel();
    let side = key.side_channel();
    key.switch_to(side);
    let info = stable_info(key);
    let retries = key.ok(&Request::client_pin(crate::request::cp::GET_PIN_RETRIES));
    key.switch_to(channel);
    (info, retries)
}

/// getInfo without uvCountSinceLastPinEntry, encIdentifier and encCredStoreState.
#[track_caller]
pub fn stable_info(key: &mut Key) -> Value {
    let mut members = key.info().0.entries().to_vec();
    members.retain(|(member, _)| ![0x17, 0x19, 0x1E].map(Value::from).contains(member));
    Value::Map(members)
}

/// No account of this party can be found: nothing discoverable was left behind.
#[track_caller]
pub fn no_account(key: &mut Key, rp_id: &str) {
    assert_eq!(key.status(&Request::get_assertion(rp_id)), crate::status::NO_CREDENTIALS);
}

/// Three discoverable accounts for one party, oldest first, with user ids 1, 2 and 3 and names.
#[track_caller]
pub fn three_accounts(key: &mut Key, rp_id: &str) -> Vec<crate::platform::Made> {
    let account = |id: u8| {
        let request = Request::make_credential_for(rp_id, &[id]).discoverable();
        let user = request.member(mc::USER).clone();
        let user = user.with("name", format!("user{id}")).with("displayName", format!("User {id}"));
        request.with(mc::USER, user)
    };
    (1..=3).map(|id| key.make(&account(id))).collect()
}

/// Asserts success without looking at the body.
#[track_caller]
pub fn succeeds(key: &mut Key, request: &Request) {
    assert_eq!(key.status(request), SUCCESS, "to {request:?}");
}
