//! authenticatorMakeCredential.

use softkey_tests::auth_data::{AT, AuthData, ED, UP, UV};
use softkey_tests::cbor::Value;
use softkey_tests::pin::Token;
use softkey_tests::request::{Request, alg, algorithms, mc};
use softkey_tests::status::{
    CREDENTIAL_EXCLUDED, INVALID_OPTION, PIN_AUTH_INVALID, PIN_NOT_SET, PUAT_REQUIRED,
    UNSUPPORTED_ALGORITHM,
};
use softkey_tests::verify::packed_attestation;

use super::desk::{By, Desk, Outcome};
use super::model::{Credential, GA, MC, PARTIES};
use crate::Tape;

/// A registration that is asked for.
struct Wanted {
    party: &'static str,
    user: u8,
    discoverable: bool,
    algorithm: i64,
    /// credProtect; 0: not asked for, 4: no such level.
    level: u8,
    /// The option `uv`.
    uv: bool,
    excluded: Vec<usize>,
    by: By,
}

impl Desk {
    pub(super) fn make_credential(&mut self, tape: &mut Tape<'_>) {
        let wanted = self.wanted(tape);
        let request = self.creation(&wanted);
        self.perhaps_cut(tape);
        self.begins();
        let (status, verified) = self.creation_status(&wanted);
        let outcome = self.foretold(&request, status, false);
        self.no_cut();
        match outcome {
            Outcome::Refused => {}
            Outcome::Done(body) => {
                let made = self.check_creation(&wanted, &request, &body, verified);
                self.spend();
                self.keep(&wanted, Some(made));
            }
            Outcome::Lost(written) => {
                if written && wanted.discoverable {
                    self.keep(&wanted, None);
                }
            }
        }
    }

    fn wanted(&self, tape: &mut Tape<'_>) -> Wanted {
        let bits = tape.byte();
        let excluded = (0..tape.below(4)).map(|_| usize::from(tape.byte())).collect();
        Wanted {
            party: PARTIES[usize::from(bits & 3) % PARTIES.len()],
            user: bits >> 2 & 3,
            discoverable: bits & 0x10 != 0,
            algorithm: [alg::ES256, alg::EDDSA][usize::from(bits >> 5 & 1)],
            level: [0, 0, 1, 2, 3, 3, 2, 4][tape.below(8)],
            uv: bits & 0xC0 == 0xC0,
            excluded,
            by: self.by(tape),
        }
    }

    fn creation(&self, wanted: &Wanted) -> Request {
        let mut request = Request::make_credential_for(wanted.party, &[wanted.user + 1]);
        let list = if wanted.level == 4 { vec![-65_535] } else { vec![wanted.algorithm] };
        if wanted.level == 4 && wanted.uv {
            request = request.with(mc::PUB_KEY_CRED_PARAMS, algorithms(&list));
        } else {
            request = request.with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[wanted.algorithm]));
        }
        if wanted.level > 0 {
            request = request.extension("credProtect", i64::from(wanted.level));
        }
        if wanted.discoverable {
            request = request.discoverable();
        }
        if wanted.uv {
            request = request.option("uv", true);
        }
        let listed = self.listed(&wanted.excluded);
        if !listed.is_empty() {
            let ids: Vec<&[u8]> = listed
                .iter()
                .filter_map(|number| self.model.credentials[*number].id.as_deref())
                .collect();
            request = request.listing(&ids);
        }
        match &wanted.by {
            By::Nothing => request,
            By::Token(token) => request.authorized(token),
        }
    }

    /// Known credentials by numbers that may be any.
    pub(super) fn listed(&self, numbers: &[usize]) -> Vec<usize> {
        let known = self.model.credentials.len();
        let numbers = numbers.iter().filter_map(|number| number.checked_rem(known));
        numbers.filter(|number| self.model.credentials[*number].id.is_some()).collect()
    }

    /// The status, in the order of the standard's steps, and whether the user counts as verified.
    fn creation_status(&mut self, wanted: &Wanted) -> (u8, bool) {
        let protected = self.model.pin.is_some();
        let by_token = matches!(wanted.by, By::Token(_));
        if by_token && !protected {
            return (PIN_NOT_SET, false);
        }
        if wanted.level == 4 && wanted.uv {
            return (UNSUPPORTED_ALGORITHM, false);
        }
        match &wanted.by {
            By::Nothing if wanted.uv => return (INVALID_OPTION, false),
            By::Nothing if self.model.always_uv => return (PUAT_REQUIRED, false),
            By::Nothing if protected && wanted.discoverable => return (PUAT_REQUIRED, false),
            By::Nothing => {}
            By::Token(token) => {
                if !self.serves_party(token, MC, wanted.party) {
                    return (PIN_AUTH_INVALID, false);
                }
            }
        }
        let excluded = self.listed(&wanted.excluded).into_iter().any(|number| {
            let credential = &self.model.credentials[number];
            credential.party == wanted.party && credential.visible(by_token, true)
        });
        if excluded {
            return (self.asked_in_vain(CREDENTIAL_EXCLUDED), by_token);
        }
        if wanted.level == 4 {
            return (INVALID_OPTION, by_token);
        }
        (self.asked(), by_token)
    }

    /// [`Desk::serves`], for this party; a token for none yet becomes one for this.
    pub(super) fn serves_party(&mut self, token: &Token, need: i64, party: &'static str) -> bool {
        debug_assert!(need == MC || need == GA);
        if !self.serves(token, need) {
            return false;
        }
        let bound = self.model.token.as_mut().map(|granted| granted.party.get_or_insert(party));
        bound.is_some_and(|bound| *bound == party)
    }

    /// Presence was shown: the token may do nothing more.
    pub(super) fn spend(&mut self) {
        if let Some(granted) = &mut self.model.token {
            granted.permissions = 0;
        }
    }

    fn check_creation(
        &self,
        wanted: &Wanted,
        request: &Request,
        body: &Value,
        verified: bool,
    ) -> (Vec<u8>, Value, u32) {
        let data = AuthData::parse(body.get(2).bytes());
        assert_eq!(data.rp_id_hash, request.rp_id_hash(), "rpIdHash");
        let (uv, ed) = (if verified { UV } else { 0 }, if wanted.level > 0 { ED } else { 0 });
        assert_eq!(data.flags, UP | AT | uv | ed, "the flags");
        if wanted.level > 0 {
            let level = data.extension("credProtect").map(Value::uint);
            assert_eq!(level, Some(wanted.level.into()), "the level that was asked for");
        }
        let attested = data.attested.as_ref().expect("a credential");
        assert_eq!(attested.public_key.get(3).int(), wanted.algorithm, "the algorithm");
        assert!(
            !self.model.credentials.iter().any(|other| other.id.as_ref() == Some(&attested.id)),
            "an identifier that was never used"
        );
        let signed = [data.bytes.as_slice(), request.client_data_hash()].concat();
        let chain =
            packed_attestation(body.get(3), &signed, &attested.public_key, &attested.aaguid);
        assert_eq!(chain.len(), 1, "the batch certificate");
        (attested.id.clone(), attested.public_key.clone(), data.sign_count)
    }

    /// A discoverable credential takes the place of the one that its user had.
    fn keep(&mut self, wanted: &Wanted, made: Option<(Vec<u8>, Value, u32)>) {
        let Wanted { party, user, discoverable, .. } = *wanted;
        if discoverable {
            let former = |other: &&mut Credential| {
                other.discoverable && other.alive && (other.party, other.user) == (party, user)
            };
            self.model
                .credentials
                .iter_mut()
                .filter(former)
                .for_each(|former| former.alive = false);
        }
        let level = wanted.level.max(1);
        let (id, public_key, count) = match made {
            Some((id, public_key, count)) => (Some(id), Some(public_key), count),
            None => (None, None, 0),
        };
        let alive = true;
        let credential =
            Credential { party, user, id, public_key, discoverable, level, alive, count };
        self.model.credentials.push(credential);
    }
}
