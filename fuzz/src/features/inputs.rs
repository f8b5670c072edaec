//! Requests with extensions, put together by the bits of a tape.

use softkey_tests::Request;
use softkey_tests::cbor::{Value, array, map};
use softkey_tests::pin::Shared;
use softkey_tests::request::mc;

/// What secrets are asked for with.
pub(super) const SALTS: [u8; 64] = [0x17; 64];

/// Statement formats as a request may prefer them.
const PREFERRED: [&[&str]; 8] = [
    &["tpm", "packed"],
    &["none"],
    &["android-key", "none"],
    &["apple"],
    &["fido-u2f", "compound"],
    &["compound"],
    &["packed"],
    &["of nobody"],
];

/// A request with extensions, and their names.
pub(super) struct Asking {
    pub(super) request: Request,
    pub(super) names: Vec<&'static str>,
    /// What the secrets come back under; absent where the key agrees to nothing.
    pub(super) shared: Option<Shared>,
}

impl Asking {
    pub(super) fn new(request: Request, shared: Option<Shared>) -> Self {
        Self { request, names: Vec::new(), shared }
    }

    fn ask(&mut self, name: &'static str, input: impl Into<Value>) {
        self.request = self.request.clone().extension(name, input);
        self.names.push(name);
    }

    /// What `hmac-secret` and its kin take: for two salts or one, or with a param that is wrong.
    fn secret_input(&self, one: bool, spoilt: bool) -> Option<Value> {
        let shared = self.shared.as_ref()?;
        let encrypted = shared.encrypt(if one { &SALTS[..32] } else { &SALTS });
        let mut param = shared.authenticate(&encrypted);
        param[0] ^= u8::from(spoilt);
        Some(map([
            (1, shared.platform_key.clone()),
            (2, encrypted.as_slice().into()),
            (3, param.into()),
            (4, shared.protocol().number().into()),
        ]))
    }

    /// The secrets of an answer.
    pub(super) fn secrets(&self, output: &Value) -> Vec<u8> {
        self.shared.as_ref().expect("secrets without a shared one").decrypt(output.bytes())
    }

    /// What a creation asks for beside the credential.
    pub(super) fn for_creation(&mut self, bits: u16, level: u64, small_blob: &[u8]) {
        let wants = |bit: u16| bits & (1 << bit) != 0;
        if wants(0) {
            self.ask("credProtect", level);
        }
        if wants(1) {
            self.ask("credBlob", small_blob);
        }
        if wants(2) {
            self.ask("hmac-secret", true);
        }
        if wants(3)
            && let Some(input) = self.secret_input(wants(12), false)
        {
            self.ask("hmac-secret-mc", input);
        }
        if wants(4) {
            self.ask("largeBlobKey", true);
        }
        for (bit, name) in
            [(5, "minPinLength"), (6, "thirdPartyPayment"), (7, "uvm"), (8, "pinComplexityPolicy")]
        {
            if wants(bit) {
                self.ask(name, true);
            }
        }
        if wants(9) {
            let support = if wants(12) { "preferred" } else { "required" };
            self.ask("largeBlob", map([("support", support)]));
        }
        if wants(10) {
            let value = if wants(14) { 3 } else { 1 + i64::from(wants(11)) };
            self.request = self.request.clone().with(mc::ENTERPRISE_ATTESTATION, value);
        }
        if wants(13) {
            let preferred = array(PREFERRED[usize::from(bits) % PREFERRED.len()].iter().copied());
            self.request = self.request.clone().with(mc::ATTESTATION_FORMATS_PREFERENCE, preferred);
        }
    }

    /// What a sign-in asks for beside the signature.
    pub(super) fn for_assertion(&mut self, bits: u8, size: u64, blob: &[u8]) {
        let one = size & 0x40 != 0;
        if bits & 1 != 0
            && let Some(input) = self.secret_input(one, size & 0xF0 == 0xF0)
        {
            self.ask("hmac-secret", input);
        }
        for (bit, name) in
            [(1, "credBlob"), (2, "largeBlobKey"), (3, "thirdPartyPayment"), (4, "uvm")]
        {
            if bits & (1 << bit) != 0 {
                self.ask(name, true);
            }
        }
        if bits & 0x20 != 0 {
            let write = [("write", Value::from(blob)), ("originalSize", size.into())];
            let input = match (bits & 0x40 != 0, bits & 0x80 != 0) {
                (true, false) => map(write),
                (false, _) => map([("read", true)]),
                // Neither can be had with the other.
                (true, true) => map(write).with("read", true),
            };
            self.ask("largeBlob", input);
        }
    }
}
