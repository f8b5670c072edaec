//! Registrations and sign-ins with extensions.

use softkey_tests::Request;
use softkey_tests::auth_data::{AuthData, UV};
use softkey_tests::cbor::{Value, map};
use softkey_tests::pin::Shared;
use softkey_tests::request::{CLIENT_DATA_HASH, algorithms, mc};
use softkey_tests::verify::signature_verifies;

use super::bench::{Bench, Kept, PARTIES};
use crate::Tape;

/// What secrets are asked for with.
pub(super) const SALTS: [u8; 64] = [0x17; 64];

/// The algorithms that a request may name.
const NAMED: [i64; 12] = [-7, -8, -9, -19, -35, -36, -47, -48, -50, -51, -52, -257];

fn secret_input(shared: &Shared, salts: &[u8]) -> Value {
    let encrypted = shared.encrypt(salts);
    map([
        (1, shared.platform_key.clone()),
        (2, encrypted.as_slice().into()),
        (3, shared.authenticate(&encrypted).into()),
        (4, shared.protocol().number().into()),
    ])
}

/// A request with extensions, and their names.
struct Asking {
    request: Request,
    names: Vec<&'static str>,
    /// What the secrets come back under.
    shared: Shared,
}

impl Asking {
    fn ask(&mut self, name: &'static str, input: impl Into<Value>) {
        self.request = self.request.clone().extension(name, input);
        self.names.push(name);
    }
}

impl Bench {
    /// Makes a credential.
    pub(super) fn make(&mut self, tape: &mut Tape<'_>) {
        let (party, user) = (PARTIES[tape.below(PARTIES.len())], tape.byte() % 4);
        let wanted = [tape.pick(&NAMED), tape.pick(&NAMED)];
        let (bits, how) = (tape.short(), tape.byte());
        let level = u64::from(tape.byte() % 5);
        let small_blob = vec![user; usize::from(tape.byte()) % 140];
        let shared = self.agree(tape);
        let request = Request::make_credential_for(party, &[user + 1])
            .with(mc::PUB_KEY_CRED_PARAMS, algorithms(&wanted))
            .option("rk", how & 1 == 1);
        let mut asking = Asking { request, names: Vec::new(), shared };
        let wants = |bit: u16| bits & (1 << bit) != 0;
        Self::creation_inputs(&mut asking, &wants, level, &small_blob);
        let request = self.finish(asking.request.clone(), how);
        let Ok(body) = self.send(&request) else { return };
        let data = AuthData::parse(body.get(2).bytes());
        Self::only_asked_for(&asking.names, &data);
        self.keep(party, user, how & 1 == 1, &body, &data);
        self.created(&asking, &data, level, small_blob);
    }

    fn creation_inputs(
        asking: &mut Asking,
        wants: &dyn Fn(u16) -> bool,
        level: u64,
        small_blob: &[u8],
    ) {
        if wants(0) {
            asking.ask("credProtect", level);
        }
        if wants(1) {
            asking.ask("credBlob", small_blob);
        }
        if wants(2) {
            asking.ask("hmac-secret", true);
        }
        if wants(3) {
            let input = secret_input(&asking.shared, &SALTS);
            asking.ask("hmac-secret-mc", input);
        }
        if wants(4) {
            asking.ask("largeBlobKey", true);
        }
        for (bit, name) in
            [(5, "minPinLength"), (6, "thirdPartyPayment"), (7, "uvm"), (8, "pinComplexityPolicy")]
        {
            if wants(bit) {
                asking.ask(name, true);
            }
        }
        if wants(9) {
            asking.ask("largeBlob", map([("support", "required")]));
        }
        if wants(10) {
            asking.request =
                asking.request.clone().with(mc::ENTERPRISE_ATTESTATION, 1 + i64::from(wants(11)));
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
            let secret = asking.shared.decrypt(output.bytes());
            kept.secrets[usize::from(data.has(UV))] = Some(secret);
        }
    }

    /// Signs in with one of the credentials, named.
    pub(super) fn sign_in(&mut self, tape: &mut Tape<'_>) {
        if self.kept.is_empty() {
            return;
        }
        let number = tape.below(self.kept.len());
        let (bits, how) = (tape.byte(), tape.byte());
        let blob = vec![tape.byte(); 1 + usize::from(tape.byte())];
        let shared = self.agree(tape);
        let kept = &self.kept[number];
        let request = Request::get_assertion(kept.party).listing(&[&kept.id]);
        let mut asking = Asking { request, names: Vec::new(), shared };
        let secret = secret_input(&asking.shared, &SALTS);
        for (bit, name, input) in [
            (0, "hmac-secret", secret),
            (1, "credBlob", true.into()),
            (2, "largeBlobKey", true.into()),
            (3, "thirdPartyPayment", true.into()),
            (4, "uvm", true.into()),
        ] {
            if bits & (1 << bit) != 0 {
                asking.ask(name, input);
            }
        }
        let size = u64::from(how);
        if bits & 0x20 != 0 {
            let write = [("write", Value::from(blob.as_slice())), ("originalSize", size.into())];
            let input = if bits & 0x40 != 0 { map(write) } else { map([("read", true)]) };
            asking.ask("largeBlob", input);
        }
        let mut request = self.finish(asking.request.clone(), how);
        if how & 8 != 0 && bits & 1 == 0 {
            request = request.option("up", false);
        }
        let Ok(body) = self.send(&request) else { return };
        let data = AuthData::parse(body.get(2).bytes());
        Self::only_asked_for(&asking.names, &data);
        self.signed(number, &asking, &body, &data);
        self.large_blob(number, &body, (bits & 0x40 != 0).then_some((blob, size)));
    }

    /// The signature is the credential's, and its outputs are what they always were.
    fn signed(&mut self, number: usize, asking: &Asking, body: &Value, data: &AuthData) {
        let kept = &mut self.kept[number];
        let verified = data.has(UV);
        assert_eq!(body.get(1).get("id").bytes(), kept.id, "the credential that was named");
        assert!(kept.level < 3 || verified, "signed without the verification that it asks for");
        let signed = [data.bytes.as_slice(), &CLIENT_DATA_HASH].concat();
        assert!(
            signature_verifies(&kept.public_key, &signed, body.get(3).bytes()),
            "the signature"
        );
        if let Some(output) = data.extension("hmac-secret") {
            let secret = asking.shared.decrypt(output.bytes());
            let before = kept.secrets[usize::from(verified)].get_or_insert_with(|| secret.clone());
            assert!(*before == secret, "another secret than before");
            let [plain, with] = &kept.secrets;
            assert!(plain.is_none() || plain != with, "verification changes the secret");
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
