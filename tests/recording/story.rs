//! A client that does everything with a key that is secret: PINs, tokens, credentials with hmac-secret, large blobs, U2F.

use softkey_tests::Request;
use softkey_tests::auth_data::AuthData;
use softkey_tests::cbor::{Value, map};
use softkey_tests::parts::checked;
use softkey_tests::pin::{Shared, Token, padded, pin_hash};
use softkey_tests::platform::permission::{GA, LBW, MC};
use softkey_tests::platform::{change_pin_request, set_pin_request, token_request};
use softkey_tests::request::command;
use softkey_tests::status::PIN_INVALID;
use softkey_tests::u2f;

use crate::session::Session;

const FIRST_PIN: &str = "correct-horse-1";
pub(crate) const PIN: &str = "battery-staple-2";
const WRONG_PIN: &str = "wrong-staple-3";
const SALTS: [[u8; 32]; 2] = [[0x6B; 32], [0x3D; 32]];
/// What a program keeps on the key, before its checksum.
const BLOB: &[u8] = b"\x81a serialized array with words in it, long enough to be found";
pub(crate) const APPLICATION: [u8; 32] = [0xA7; 32];
const CHALLENGE: [u8; 32] = [0xC4; 32];

/// What must not be found in the clear, by name.
pub(crate) type Secrets = Vec<(&'static str, Vec<u8>)>;

/// A token with these permissions.
pub(crate) fn token(session: &mut Session, permissions: i64) -> Token {
    let shared = session.agree();
    let request = token_request(&shared, PIN, permissions, Some("example.com"));
    let encrypted = session.ok(&request).get(2).bytes().to_vec();
    Token::new(shared.protocol(), shared.decrypt(&encrypted))
}

/// Sets a PIN that was never set.
pub(crate) fn set_pin(session: &mut Session, pin: &str) {
    let shared = session.agree();
    session.ok(&set_pin_request(&shared, &padded(pin)));
}

/// Has the whole session; gives what both ends alone know.
pub(crate) fn all(session: &mut Session) -> Secrets {
    session.ok(&Request::bare(command::GET_INFO));
    set_pin(session, FIRST_PIN);
    let shared = session.agree();
    session.ok(&change_pin_request(&shared, FIRST_PIN, &padded(PIN)));
    let shared = session.agree();
    let refused = session.send(&token_request(&shared, WRONG_PIN, MC, Some("example.com")).bytes());
    assert_eq!(refused, [PIN_INVALID]);
    let mut secrets = Secrets::new();
    for (name, pin) in [("the first PIN", FIRST_PIN), ("the PIN", PIN), ("a wrong PIN", WRONG_PIN)]
    {
        secrets.push((name, pin.as_bytes().to_vec()));
        secrets.push(("a PIN's hash", pin_hash(pin)));
    }
    let tokens = [token(session, MC), token(session, GA), token(session, LBW)];
    secrets.extend(tokens.iter().map(|token| ("a token", token.bytes().to_vec())));
    // A token ends with the next one, so each is got anew.
    let id = register(session);
    secrets.push(("what hmac-secret gives", evaluate(session, &id)));
    secrets.extend(SALTS.map(|salt| ("a salt", salt.to_vec())));
    let token = token(session, LBW);
    let blob = checked(BLOB);
    session.ok(&Request::write_blobs(0, &blob, Some(blob.len())).blob_authorized(&token));
    let read = session.ok(&Request::read_blobs(0, 900));
    assert_eq!(read.get(1).bytes(), blob);
    secrets.push(("a token", token.bytes().to_vec()));
    let registered = session.u2f(&u2f::register(&APPLICATION, &CHALLENGE));
    let made = u2f::Registration::parse(&registered, &APPLICATION, &CHALLENGE);
    let request = u2f::authenticate(u2f::ENFORCE, &APPLICATION, &CHALLENGE, &made.handle);
    let _ = u2f::authentication(&session.u2f(&request), &APPLICATION, &CHALLENGE, &made.public_key);
    session.power_cycle();
    session.ok(&Request::bare(command::RESET));
    secrets
}

/// A discoverable credential with all extensions that keep something; its identifier.
fn register(session: &mut Session) -> Vec<u8> {
    let token = token(session, MC);
    let request = Request::make_credential()
        .discoverable()
        .extension("hmac-secret", true)
        .extension("credBlob", Value::from(b"kept beside the credential".as_slice()))
        .extension("largeBlobKey", true)
        .authorized(&token);
    let made = session.ok(&request);
    AuthData::parse(made.get(2).bytes()).attested.unwrap().id
}

/// What this credential gives for the salts.
fn evaluate(session: &mut Session, id: &[u8]) -> Vec<u8> {
    let token = token(session, GA);
    let shared: Shared = session.agree();
    let salt_enc = shared.encrypt(&SALTS.concat());
    let input = map([
        (1, shared.platform_key.clone()),
        (2, Value::from(salt_enc.as_slice())),
        (3, shared.authenticate(&salt_enc).into()),
        (4, shared.protocol().number().into()),
    ]);
    let request = Request::get_assertion("example.com")
        .listing(&[id])
        .extension("hmac-secret", input)
        .extension("credBlob", true)
        .authorized(&token);
    let signed = session.ok(&request);
    let auth_data = AuthData::parse(signed.get(2).bytes());
    let outputs = shared.decrypt(auth_data.extension("hmac-secret").unwrap().bytes());
    assert_eq!(outputs.len(), 64);
    assert_ne!(outputs[..32], outputs[32..]);
    outputs
}
