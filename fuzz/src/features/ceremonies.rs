//! Registrations and sign-ins with extensions.

use softkey_tests::Request;
use softkey_tests::attestation::{self, Attested};
use softkey_tests::auth_data::{AuthData, UV};
use softkey_tests::cbor::Value;
use softkey_tests::pin::Protocol;
use softkey_tests::request::{CLIENT_DATA_HASH, algorithms, command, ga, mc};
use softkey_tests::verify::signature_verifies;

use super::bench::{Bench, Kept, PARTIES};
use super::inputs::Asking;
use crate::Tape;

/// The algorithms that a request may name.
const NAMED: [i64; 14] = [-7, -8, -9, -19, -35, -36, -47, -48, -50, -51, -52, -257, -49, -9999];

impl Bench {
    /// Makes a credential.
    pub(super) fn make(&mut self, tape: &mut Tape<'_>) {
        let (party, user) = (PARTIES[tape.below(PARTIES.len())], tape.byte() % 4);
        let wanted = [tape.pick(&NAMED), tape.pick(&NAMED)];
        let (bits, how) = (tape.short(), tape.byte());
        let level = u64::from(tape.byte() % 5);
        let small_blob = vec![user; usize::from(tape.byte()) % 140];
        let shared = self.agree(tape.pick(&Protocol::BOTH));
        let mut request = Request::make_credential_for(party, &[user + 1])
            .with(mc::PUB_KEY_CRED_PARAMS, algorithms(&wanted));
        if how & 8 == 0 {
            request = request.option("rk", how & 1 == 1);
        }
        if how & 0x80 != 0 {
            // Nothing is made without presence.
            request = request.option("up", false);
        }
        let excluded = bits & 0x8000 != 0;
        if excluded {
            request = request.listing(&self.ids_of(party));
        }
        let mut asking = Asking::new(request, shared);
        asking.for_creation(bits, level, &small_blob);
        let request = self.finish(asking.request.clone(), how);
        let Ok(body) = self.send(&request) else { return };
        let visible = |kept: &Kept| kept.party == party && kept.level < 3;
        assert!(!excluded || !self.kept.iter().any(visible), "made beside an excluded credential");
        let data = AuthData::parse(body.get(2).bytes());
        Self::only_asked_for(&asking.names, &data);
        Self::attests(&body, &data);
        self.says_who(&data, how);
        self.keep(party, user, how & 9 == 1, &body, &data);
        self.created(&asking, &data, level, small_blob);
    }

    fn ids_of(&self, party: &str) -> Vec<&[u8]> {
        let of_party = self.kept.iter().filter(|kept| kept.party == party);
        of_party.map(|kept| kept.id.as_slice()).collect()
    }

    /// The statement is one of its format.
    fn attests(body: &Value, data: &AuthData) {
        let signed = [data.bytes.as_slice(), &CLIENT_DATA_HASH].concat();
        let attested = Attested {
            auth_data: data,
            client_data_hash: &CLIENT_DATA_HASH,
            public_key: &data.attested.as_ref().expect("attested credential data").public_key,
            signed: &signed,
        };
        attestation::check(body.get(1).text(), body.get(3), &attested);
    }

    /// Who is said to be verified was, by a token or by the sensor.
    fn says_who(&self, data: &AuthData, how: u8) {
        if data.has(UV) && !(self.token.is_some() && how & 4 == 0) {
            self.was_verified();
        }
    }

    /// Options and authorization by the bits of one byte.
    fn finish(&self, request: Request, how: u8) -> Request {
        let request = if how & 2 != 0 { request.option("uv", true) } else { request };
        match &self.token {
            Some(token) if how & 4 == 0 => request.authorized(token),
            _ => request,
        }
    }
    /// Writes a new credential down; one of the same account is replaced by it.
    fn keep(
        &mut self,
        party: &'static str,
        user: u8,
        discoverable: bool,
        body: &Value,
        data: &AuthData,
    ) {
        let attested = data.attested.as_ref().expect("attested credential data");
        if discoverable {
            self.kept.retain(|old| !(old.discoverable && old.party == party && old.user == user));
        }
        self.kept.push(Kept {
            party,
            user,
            id: attested.id.clone(),
            public_key: attested.public_key.clone(),
            discoverable,
            level: 1,
            small_blob: None,
            large_blob_key: body.at(5).map(|key| key.bytes().to_vec()),
            large_blob: None,
            secrets: [None, None],
        });
    }

    /// What a creation's outputs say.
    fn created(&mut self, asking: &Asking, data: &AuthData, level: u64, small_blob: Vec<u8>) {
        let kept = self.kept.last_mut().expect("the new one");
        if let Some(output) = data.extension("credProtect") {
            assert_eq!(output.uint(), level, "the level of protection");
            kept.level = level;
        }
        if data.extension("credBlob").is_some_and(Value::bool) {
            assert!(small_blob.len() <= 128, "a small blob of {} bytes", small_blob.len());
            kept.small_blob = Some(small_blob);
        }
        if let Some(output) = data.extension("hmac-secret-mc") {
            kept.gives(data.has(UV), asking.secrets(output));
        }
    }

    /// Signs in with one of the credentials, named, perhaps beside others.
    pub(super) fn sign_in(&mut self, tape: &mut Tape<'_>) {
        if self.kept.is_empty() {
            return;
        }
        let number = tape.below(self.kept.len());
        let (bits, how) = (tape.byte(), tape.byte());
        let blob = vec![tape.byte(); 1 + usize::from(tape.byte())];
        let shared = self.agree(tape.pick(&Protocol::BOTH));
        let kept = &self.kept[number];
        let request = Request::get_assertion(kept.party).listing(&[&kept.id]);
        let mut asking = Asking::new(request, shared);
        let size = u64::from(how);
        asking.for_assertion(bits, size, &blob);
        let mut request = self.finish(asking.request.clone(), how);
        if how & 8 != 0 && bits & 1 == 0 {
            request = request.option("up", false);
        }
        if how & 0x20 != 0 && bits & 2 == 0 {
            // No sign-in takes this one.
            request = request.option("rk", true);
        }
        let Ok(body) = self.send(&request) else { return };
        assert_eq!(body.get(1).get("id").bytes(), self.kept[number].id, "the one that was named");
        let data = AuthData::parse(body.get(2).bytes());
        Self::only_asked_for(&asking.names, &data);
        self.says_who(&data, how);
        self.signed(number, &asking, &body, &data);
        self.large_blob(number, &body, (bits & 0x40 != 0).then_some((blob, size)));
    }

    /// Signs in without naming a credential, then with each further account.
    pub(super) fn sign_in_unnamed(&mut self, tape: &mut Tape<'_>) {
        let party = PARTIES[tape.below(PARTIES.len())];
        let (how, bits) = (tape.byte(), tape.byte());
        let shared = self.agree(tape.pick(&Protocol::BOTH));
        let mut asking = Asking::new(Request::get_assertion(party), shared);
        asking.for_assertion(bits & 0x1F, how.into(), &[]);
        let mut request = self.finish(asking.request.clone(), how);
        if how & 0x10 != 0 {
            // A list of what nobody made; behind 2 of them a list may be too long.
            let strange = vec![[7_u8; 97].as_slice(); 1 + usize::from(how >> 5)];
            request = request.with(
                ga::ALLOW_LIST,
                Request::get_assertion(party).listing(&strange).member(ga::ALLOW_LIST).clone(),
            );
        }
        let Ok(mut body) = self.send(&request) else { return };
        let total = body.at(5).map_or(1, Value::uint);
        let mut seen = Vec::new();
        loop {
            let id = body.get(1).get("id").bytes().to_vec();
            let known = |kept: &Kept| kept.discoverable && kept.party == party && kept.id == id;
            let number = self.kept.iter().position(known).expect("an account of this party");
            assert!(!seen.contains(&id), "an account twice");
            seen.push(id);
            let data = AuthData::parse(body.get(2).bytes());
            Self::only_asked_for(&asking.names, &data);
            self.says_who(&data, how);
            self.signed(number, &asking, &body, &data);
            if seen.len() as u64 == total {
                break;
            }
            if how & 8 != 0 {
                self.key.advance(std::time::Duration::from_secs(29));
            }
            match self.send(&Request::bare(command::GET_NEXT_ASSERTION)) {
                Ok(next) => body = next,
                // The token may have ended in the meantime.
                Err(_) => return,
            }
        }
        let more = self.send_well(&Request::bare(command::GET_NEXT_ASSERTION));
        assert!(more.is_err(), "more accounts than were announced");
    }

    /// The signature is the credential's, and its outputs are what they always were.
    fn signed(&mut self, number: usize, asking: &Asking, body: &Value, data: &AuthData) {
        let kept = &mut self.kept[number];
        let verified = data.has(UV);
        assert!(kept.level < 3 || verified, "signed without the verification that it asks for");
        let signed = [data.bytes.as_slice(), &CLIENT_DATA_HASH].concat();
        assert!(
            signature_verifies(&kept.public_key, &signed, body.get(3).bytes()),
            "the signature"
        );
        if let Some(output) = data.extension("hmac-secret") {
            kept.gives(verified, asking.secrets(output));
        }
        if let Some(output) = data.extension("credBlob") {
            let stored = kept.small_blob.clone().unwrap_or_default();
            assert_eq!(output.bytes(), stored, "the small blob");
        }
        let asked_for_key = asking.names.contains(&"largeBlobKey");
        let expected = kept.large_blob_key.clone().filter(|_| asked_for_key);
        assert_eq!(body.at(7).map(|key| key.bytes().to_vec()), expected, "largeBlobKey");
    }

    /// What the extension largeBlob came to.
    fn large_blob(&mut self, number: usize, body: &Value, written: Option<(Vec<u8>, u64)>) {
        let Some(output) = body.at(8).and_then(|outputs| outputs.at("largeBlob")) else { return };
        let kept = &mut self.kept[number];
        match written {
            Some(blob) if output.at("written").is_some_and(Value::bool) => {
                kept.large_blob = Some(blob);
            }
            Some(_) => {}
            None => {
                let read = output
                    .at("blob")
                    .map(|blob| (blob.bytes().to_vec(), output.get("originalSize").uint()));
                assert_eq!(read, kept.large_blob, "the large blob");
            }
        }
    }
}
