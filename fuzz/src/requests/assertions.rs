//! authenticatorGetAssertion and authenticatorGetNextAssertion.

use std::time::Duration;

use softkey_tests::auth_data::{AuthData, UP, UV};
use softkey_tests::cbor::Value;
use softkey_tests::request::{CLIENT_DATA_HASH, Request, command};
use softkey_tests::status::{
    INVALID_OPTION, NO_CREDENTIALS, NOT_ALLOWED, PIN_AUTH_INVALID, PIN_NOT_SET, PUAT_REQUIRED,
    SUCCESS,
};
use softkey_tests::verify::signature_verifies;

use super::desk::{By, Desk, Outcome};
use super::model::{GA, PARTIES, Walk};
use crate::Tape;

/// A sign-in that is asked for.
struct Wanted {
    party: &'static str,
    allowed: Vec<usize>,
    /// The options `up` and `uv`.
    up: bool,
    uv: bool,
    by: By,
}

/// What an assertion must show.
struct Expected {
    /// The credential by its number.
    credential: usize,
    verified: bool,
    present: bool,
    /// Out of how many accounts, with the first only.
    count: Option<u64>,
    among_several: bool,
}

impl Desk {
    pub(super) fn get_assertion(&mut self, tape: &mut Tape<'_>) {
        let bits = tape.byte();
        let allowed: Vec<usize> = (0..tape.below(4)).map(|_| usize::from(tape.byte())).collect();
        let wanted = Wanted {
            party: PARTIES[usize::from(bits & 3) % PARTIES.len()],
            allowed: self.listed(&allowed),
            up: bits & 0x0C != 0x0C,
            uv: bits & 0x70 == 0x70,
            by: self.by(tape),
        };
        let request = self.assertion_request(&wanted);
        self.begins();
        let verified = matches!(wanted.by, By::Token(_));
        let found = self.find(&wanted);
        let status = match found {
            Ok(_) if wanted.up => self.asked(),
            Ok(_) => SUCCESS,
            Err(status) => status,
        };
        let Outcome::Done(body) = self.foretold(&request, status, false) else { return };
        let Ok(mut accounts) = found else { panic!("an assertion by nobody") };
        let credential = accounts.pop().expect("at least one account");
        let among_several = !accounts.is_empty();
        let count = among_several.then(|| accounts.len() as u64 + 1);
        let present = wanted.up;
        let expected = Expected { credential, verified, present, count, among_several };
        self.check_assertion(wanted.party, &body, &expected);
        if wanted.up {
            self.spend();
        }
        if among_several {
            let (last, by_token) = (self.now, verified);
            self.model.walk = Some(Walk { left: accounts, last, verified, present, by_token });
        }
    }

    fn assertion_request(&self, wanted: &Wanted) -> Request {
        let mut request = Request::get_assertion(wanted.party);
        if !wanted.allowed.is_empty() {
            let id = |number: &usize| self.model.credentials[*number].id.as_deref();
            let ids: Vec<&[u8]> = wanted.allowed.iter().filter_map(id).collect();
            request = request.listing(&ids);
        }
        if !wanted.up {
            request = request.option("up", false);
        }
        if wanted.uv {
            request = request.option("uv", true);
        }
        match &wanted.by {
            By::Nothing => request,
            By::Token(token) => request.authorized(token),
        }
    }

    /// The accounts to sign for, the first one last; or the status of the refusal.
    fn find(&mut self, wanted: &Wanted) -> Result<Vec<usize>, u8> {
        let verified = match &wanted.by {
            By::Token(_) if self.model.pin.is_none() => return Err(PIN_NOT_SET),
            By::Nothing if wanted.uv => return Err(INVALID_OPTION),
            By::Nothing if self.model.always_uv && wanted.up => return Err(PUAT_REQUIRED),
            By::Nothing => false,
            By::Token(token) => {
                if !self.serves_party(token, GA, wanted.party) {
                    return Err(PIN_AUTH_INVALID);
                }
                true
            }
        };
        if wanted.allowed.is_empty() {
            let accounts = self.model.accounts(wanted.party, verified);
            return if accounts.is_empty() { Err(NO_CREDENTIALS) } else { Ok(accounts) };
        }
        let fits = |number: &&usize| {
            let credential = &self.model.credentials[**number];
            credential.party == wanted.party && credential.visible(verified, true)
        };
        wanted.allowed.iter().find(fits).map(|number| vec![*number]).ok_or(NO_CREDENTIALS)
    }

    pub(super) fn get_next_assertion(&mut self) {
        self.expire();
        let walk = self.model.walk.take().filter(|walk| {
            let in_time = self.now.duration_since(walk.last) <= Duration::from_secs(30);
            in_time && !walk.left.is_empty() && (!walk.by_token || self.model.token.is_some())
        });
        let request = Request::bare(command::GET_NEXT_ASSERTION);
        let Some(mut walk) = walk else {
            self.foretold(&request, NOT_ALLOWED, false);
            return;
        };
        let Outcome::Done(body) = self.foretold(&request, SUCCESS, false) else { return };
        let credential = walk.left.pop().expect("an account that is left");
        let Walk { verified, present, .. } = walk;
        let expected = Expected { credential, verified, present, count: None, among_several: true };
        let party = self.model.credentials[credential].party;
        self.check_assertion(party, &body, &expected);
        walk.last = self.now;
        self.model.walk = Some(walk);
    }

    fn check_assertion(&mut self, party: &str, body: &Value, expected: &Expected) {
        let credential = &mut self.model.credentials[expected.credential];
        let id = body.get(1).get("id").bytes();
        let known = credential.id.get_or_insert_with(|| id.to_vec());
        assert_eq!(known, id, "the credential that should sign");
        let data = AuthData::parse(body.get(2).bytes());
        assert_eq!(data.rp_id_hash, softkey_tests::parts::sha256(party.as_bytes()), "rpIdHash");
        let up = if expected.present { UP } else { 0 };
        assert_eq!(data.flags, up | if expected.verified { UV } else { 0 }, "the flags");
        assert!(data.sign_count > credential.count, "the counter rises");
        credential.count = data.sign_count;
        if let Some(key) = &credential.public_key {
            let signed = [data.bytes.as_slice(), &CLIENT_DATA_HASH].concat();
            assert!(signature_verifies(key, &signed, body.get(3).bytes()), "the signature");
        }
        assert_eq!(body.at(5).map(Value::uint), expected.count, "numberOfCredentials");
        let user = body.at(4).map(|user| user.get("id").bytes().to_vec());
        assert_eq!(user, credential.discoverable.then(|| vec![credential.user + 1]), "the user");
        let named = body.at(4).is_some_and(|user| user.at("name").is_some());
        assert!(!named || (expected.verified && expected.among_several), "a name given away");
    }
}
