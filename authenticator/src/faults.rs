//! Deliberate misbehaviour, for testing relying parties and clients: what must be wrong before it is signed, so that
//! the signature verifies and only what the answer means gives it away, and what is decided otherwise than it should be.
//! Behind the feature `faults`, which no firmware may turn on.
//!
//! The owner says before each request which faults are on ([`Authenticator::set_faults`]) and asks afterwards which
//! of them changed the answer ([`Authenticator::take_done`]). Nothing a client sends can turn one on.

use alloc::vec::Vec;
use core::mem;

use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData, Flags};
use softkey_ctap::cbor::{Decoder, Encoder, Raw};
use softkey_ctap::cose::{PublicKey, algorithm, key};

use crate::authenticator::Authenticator;
use crate::credential::{Credential, Kind};
use crate::extensions::CreationWishes;
use crate::store::Store;

/// One way to misbehave under a valid signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The other UP bit.
    UserPresent,
    /// The other UV bit.
    UserVerified,
    /// The other BE bit.
    BackupEligible,
    /// The other BS bit.
    BackupState,
    /// A reserved bit of the flags is set.
    ReservedFlag,
    /// Another relying party's hash.
    RpIdHash,
    /// The counter runs backwards.
    CounterBackwards,
    /// The counter is always zero.
    CounterZero,
    /// Another model's AAGUID.
    Aaguid,
    /// Another identifier in the attested credential data.
    CredentialId,
    /// The public key says that it is of this algorithm.
    Algorithm(i64),
    /// The public key of an ECDSA algorithm is no point of its curve.
    OffCurve,
    /// An extension output of this name, with the value true, that nobody asked for.
    UnaskedExtension(&'static str),
    /// No extension outputs, whatever was asked for.
    MissingExtensions,
    /// Another secret of hmac-secret and hmac-secret-mc.
    HmacSecret,
    /// Attested credential data in an assertion.
    AttestedInAssertion,
    /// A byte too many behind the authenticator data.
    TrailingByte,
    /// The signature is over the client data hash of the request before; of the first, over zeros.
    StaleClientData,
    /// New credentials get this credProtect level, 1 to 3, and say so.
    Protection(u8),
    /// New credentials for which no credProtect level was asked get this one, 1 to 3, and say so.
    DefaultProtection(u8),
    /// That the key has no credential for an assertion is told only after a touch.
    LateNoCredentials,
    /// CTAP2 does not find credentials that U2F made.
    IgnoreU2f,
    /// U2F does not find credentials that CTAP2 made.
    IgnoreCtap2,
    /// Of the accounts that are found without an allow list the key takes this one, counted from the newest, 1, and says
    /// that the user chose it.
    AccountChooser(u32),
    /// alwaysUv asks for user verification without user presence too.
    AlwaysUvWhenSilent,
    /// Credentials get no large blob, in whichever way it is asked for.
    NoLargeBlob,
}

/// The faults that are on, and what came of them.
#[derive(Default)]
pub(crate) struct Faults {
    on: Vec<Fault>,
    /// What was done for the request in work, whose answer is still to come: the user may refuse.
    pending: Vec<Fault>,
    done: Vec<Fault>,
    /// The client data hash signed last.
    last_hash: [u8; 32],
}

impl<S: Store, R> Authenticator<S, R> {
    /// From now on these faults are on, and no others.
    pub fn set_faults(&mut self, faults: &[Fault]) {
        let last_hash = self.faults.last_hash;
        self.faults = Faults { on: faults.to_vec(), last_hash, ..Faults::default() };
    }

    /// The faults that have changed something since they were set, once.
    pub fn take_done(&mut self) -> Vec<Fault> {
        mem::take(&mut self.faults.done)
    }
}

impl Faults {
    /// Authenticator data and client data hash as they are signed.
    pub(crate) fn distort(&mut self, mut data: Vec<u8>, hash: [u8; 32]) -> (Vec<u8>, [u8; 32]) {
        let stale = mem::replace(&mut self.last_hash, hash);
        let mut signed = hash;
        let mut on = self.on.clone();
        // Behind a byte too many nothing can be found any more.
        on.sort_by_key(|fault| *fault == Fault::TrailingByte);
        for fault in on {
            if fault == Fault::StaleClientData {
                signed = stale;
                self.pending.push(fault);
            } else if let Some(distorted) = distorted(fault, &data) {
                data = distorted;
                self.pending.push(fault);
            }
        }
        (data, signed)
    }

    /// What is granted to a new credential.
    pub(crate) fn forced(&mut self, mut wishes: CreationWishes) -> CreationWishes {
        let mut on = self.on.clone();
        // What is forced leaves nothing to a default.
        on.sort_by_key(|fault| matches!(fault, Fault::DefaultProtection(_)));
        for fault in on {
            let granted = match fault {
                Fault::Protection(level) => wishes.force(level),
                Fault::DefaultProtection(level) => {
                    wishes.protection.is_none() && wishes.force(level)
                }
                Fault::NoLargeBlob => wishes.deny_large_blob(),
                _ => false,
            };
            if granted {
                self.pending.push(fault);
            }
        }
        wishes
    }

    /// Is the large blob, or its key, denied that an assertion would have given?
    pub(crate) fn denies_large_blob(&mut self) -> bool {
        self.will_strike(Fault::NoLargeBlob)
    }

    /// The answer is made: what was done for it made it another one.
    pub(crate) fn tell(&mut self) {
        self.done.append(&mut self.pending);
    }

    /// Is it on, here where it makes a difference if the request succeeds?
    fn will_strike(&mut self, fault: Fault) -> bool {
        let on = self.on.contains(&fault);
        if on {
            self.pending.push(fault);
        }
        on
    }

    /// Is it on, here where it makes a difference whatever comes?
    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        let on = self.on.contains(&fault);
        if on {
            self.done.push(fault);
        }
        on
    }

    /// Is this credential, which is there, found by CTAP2? Another may stand in for it.
    pub(crate) fn finds(&mut self, credential: &Credential) -> bool {
        credential.kind != Kind::U2f || !self.will_strike(Fault::IgnoreU2f)
    }

    /// Is it found by U2F?
    pub(crate) fn finds_by_u2f(&mut self, credential: &Credential) -> bool {
        credential.kind == Kind::U2f || !self.strikes(Fault::IgnoreCtap2)
    }

    /// Which of the accounts the key chooses by itself, counted from 0.
    pub(crate) fn choice(&mut self) -> Option<u64> {
        let choice = self.on.iter().find_map(|fault| match *fault {
            Fault::AccountChooser(number) => Some((*fault, u64::from(number).saturating_sub(1))),
            _ => None,
        });
        choice.map(|(fault, number)| {
            self.pending.push(fault);
            number
        })
    }

    /// What a U2F authentication signs.
    pub(crate) fn distort_u2f(&mut self, mut signed: U2fSigned) -> U2fSigned {
        let stale = mem::replace(&mut self.last_hash, signed.1);
        for fault in self.on.clone() {
            let before = signed;
            let (application, challenge, user_presence, counter) = &mut signed;
            match fault {
                Fault::UserPresent => *user_presence ^= 1,
                Fault::RpIdHash => *application = another(*application),
                Fault::CounterBackwards => *counter = backwards(*counter),
                Fault::CounterZero => *counter = 0,
                Fault::StaleClientData => *challenge = stale,
                _ => {}
            }
            if signed != before {
                self.pending.push(fault);
            }
        }
        signed
    }

    /// The public key of a U2F registration, which is signed.
    pub(crate) fn distort_u2f_key(&mut self, mut point: [u8; 65]) -> [u8; 65] {
        if self.on.contains(&Fault::OffCurve)
            && let Some(last) = point.last_mut()
        {
            *last ^= 1;
            self.pending.push(Fault::OffCurve);
        }
        point
    }
}

/// What a U2F authentication signs: application, challenge, user presence and counter.
type U2fSigned = ([u8; 32], [u8; 32], u8, u32);

/// Authenticator data with this fault; nothing if they are not changed by it.
fn distorted(fault: Fault, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut data = AuthenticatorData::from_bytes(bytes).ok()?;
    let (identifier, extensions, ordinate);
    match fault {
        Fault::UserPresent => data.flags.0 ^= Flags::USER_PRESENT.0,
        Fault::UserVerified => data.flags.0 ^= Flags::USER_VERIFIED.0,
        Fault::BackupEligible => data.flags.0 ^= Flags::BACKUP_ELIGIBLE.0,
        Fault::BackupState => data.flags.0 ^= Flags::BACKUP_STATE.0,
        Fault::ReservedFlag => data.flags.0 |= 0x02,
        Fault::RpIdHash => data.rp_id_hash = another(data.rp_id_hash),
        Fault::CounterBackwards => data.sign_count = backwards(data.sign_count),
        Fault::CounterZero => data.sign_count = 0,
        Fault::Aaguid => data.attested.as_mut()?.aaguid = [0xA5; 16],
        Fault::CredentialId => {
            let attested = data.attested.as_mut()?;
            identifier = another_identifier(attested.credential_id);
            attested.credential_id = &identifier;
        }
        Fault::Algorithm(id) => relabel(&mut data.attested.as_mut()?.public_key, id),
        Fault::OffCurve => {
            let PublicKey::Ec2 { y, .. } = &mut data.attested.as_mut()?.public_key else {
                return None;
            };
            ordinate = with_last_bit_changed(y)?;
            *y = &ordinate;
        }
        Fault::UnaskedExtension(name) => {
            extensions = with_output(data.extensions.as_ref(), name)?;
            data.extensions = Some(Raw(&extensions));
        }
        Fault::MissingExtensions => data.extensions = None,
        Fault::HmacSecret => {
            extensions = with_other_secret(data.extensions.as_ref()?)?;
            data.extensions = Some(Raw(&extensions));
        }
        Fault::AttestedInAssertion => {
            data.attested.get_or_insert(STRANGER);
        }
        Fault::TrailingByte => {
            let mut longer = bytes.to_vec();
            longer.push(0);
            return Some(longer);
        }
        // What is wrong with these is decided before anything is signed.
        Fault::StaleClientData
        | Fault::Protection(_)
        | Fault::DefaultProtection(_)
        | Fault::LateNoCredentials
        | Fault::IgnoreU2f
        | Fault::IgnoreCtap2
        | Fault::AccountChooser(_)
        | Fault::AlwaysUvWhenSilent
        | Fault::NoLargeBlob => return None,
    }
    Some(data.to_bytes()).filter(|distorted| distorted != bytes)
}

/// Far from zero at first, and less each time.
const fn backwards(count: u32) -> u32 {
    0x7FFF_FFFF_u32.saturating_sub(count)
}

/// A hash that is another one.
fn another(hash: [u8; 32]) -> [u8; 32] {
    hash.map(|byte| byte ^ 0xFF)
}

/// An identifier of the same length that is another one.
fn another_identifier(identifier: &[u8]) -> Vec<u8> {
    identifier.iter().map(|byte| byte ^ 0xFF).collect()
}

/// The same bytes but for the last bit. Of a point's ordinate they are none any more: the only other one of its abscissa
/// is its negative.
fn with_last_bit_changed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut changed = bytes.to_vec();
    *changed.last_mut()? ^= 1;
    Some(changed)
}

fn relabel(public_key: &mut PublicKey<'_>, id: i64) {
    match public_key {
        PublicKey::Ec2 { alg, .. }
        | PublicKey::Okp { alg, .. }
        | PublicKey::Rsa { alg, .. }
        | PublicKey::Akp { alg, .. } => *alg = id,
    }
}

/// Key and value of each output, as they are encoded.
fn outputs<'b>(map: &Raw<'b>) -> Option<Vec<(&'b [u8], &'b [u8])>> {
    let (header, rest) = map.0.split_first()?;
    let mut decoder = Decoder::new(rest);
    (0..header & 0x1F).map(|_| Some((decoder.raw().ok()?, decoder.raw().ok()?))).collect()
}

/// The map of these outputs, in canonical order.
fn encoded(mut outputs: Vec<(&[u8], &[u8])>) -> Vec<u8> {
    outputs.sort_by_key(|(key, _)| (key.len(), *key));
    let mut encoder = Encoder::new();
    encoder.map(outputs.len());
    for (key, value) in outputs {
        encoder.raw(key);
        encoder.raw(value);
    }
    encoder.into_bytes()
}

/// The outputs and one more; nothing if it is there already.
fn with_output(extensions: Option<&Raw<'_>>, name: &str) -> Option<Vec<u8>> {
    let mut key = Encoder::new();
    key.text(name);
    let key = key.into_bytes();
    let mut all = extensions.map_or(Some(Vec::new()), outputs)?;
    if all.iter().any(|(known, _)| *known == key) {
        return None;
    }
    all.push((&key, &[0xF5]));
    Some(encoded(all))
}

/// The outputs with the last bit of the encrypted secrets changed; nothing if there are none.
fn with_other_secret(extensions: &Raw<'_>) -> Option<Vec<u8>> {
    let mut all = outputs(extensions)?;
    let secret = all.iter_mut().find(|(key, value)| {
        let name = Decoder::new(key).text();
        let is_bytes = value.first().is_some_and(|first| first >> 5 == 2);
        is_bytes && matches!(name, Ok("hmac-secret" | "hmac-secret-mc"))
    })?;
    let changed = with_last_bit_changed(secret.1)?;
    secret.1 = &changed;
    Some(encoded(all))
}

/// A credential of nobody's: the generator of P-256 is its public key.
const STRANGER: AttestedCredential<'static> = AttestedCredential {
    aaguid: [0; 16],
    credential_id: b"a credential of nobody's",
    public_key: PublicKey::Ec2 {
        alg: algorithm::ES256,
        crv: key::P256,
        x: &[
            0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4,
            0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45,
            0xD8, 0x98, 0xC2, 0x96,
        ],
        y: &[
            0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F,
            0x9E, 0x16, 0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68,
            0x37, 0xBF, 0x51, 0xF5,
        ],
    },
};

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn data(extensions: &[u8]) -> Vec<u8> {
        let mut bytes = [[7; 32].as_slice(), &[0x01], &[0, 0, 0, 5]].concat();
        bytes[32] |= if extensions.is_empty() { 0 } else { 0x80 };
        bytes.extend_from_slice(extensions);
        bytes
    }

    /// Each fault changes what it names, and nothing else.
    #[test]
    fn a_fault_changes_what_it_names() {
        let with = |at: usize, byte: u8| {
            let mut bytes = data(&[]);
            bytes[at] = byte;
            Some(bytes)
        };
        assert_eq!(distorted(Fault::UserPresent, &data(&[])), with(32, 0x00));
        assert_eq!(distorted(Fault::UserVerified, &data(&[])), with(32, 0x05));
        assert_eq!(distorted(Fault::BackupEligible, &data(&[])), with(32, 0x09));
        assert_eq!(distorted(Fault::BackupState, &data(&[])), with(32, 0x11));
        assert_eq!(distorted(Fault::ReservedFlag, &data(&[])), with(32, 0x03));
        assert_eq!(distorted(Fault::CounterZero, &data(&[])), with(36, 0));
        let longer = distorted(Fault::TrailingByte, &data(&[])).unwrap();
        assert_eq!(longer, [data(&[]), vec![0]].concat());
        for fault in [
            Fault::Aaguid,
            Fault::CredentialId,
            Fault::Algorithm(-7),
            Fault::OffCurve,
            Fault::HmacSecret,
        ] {
            assert_eq!(distorted(fault, &data(&[])), None, "{fault:?}");
        }
        assert_eq!(distorted(Fault::MissingExtensions, &data(&[])), None);
    }

    /// Faults add up, in whatever order they were switched on.
    #[test]
    fn a_byte_too_many_hides_no_other_fault() {
        let on = vec![Fault::TrailingByte, Fault::UserPresent, Fault::ReservedFlag];
        let mut faults = Faults { on, ..Faults::default() };
        let (distorted, _) = faults.distort(data(&[]), [1; 32]);
        let mut expected = [data(&[]), vec![0]].concat();
        expected[32] = 0x02;
        assert_eq!(distorted, expected);
        assert_eq!(faults.pending.len(), 3);
    }

    /// A generator with another last bit is no point.
    #[test]
    fn a_key_off_the_curve_is_no_point() {
        let attested = distorted(Fault::AttestedInAssertion, &data(&[])).unwrap();
        let off = distorted(Fault::OffCurve, &attested).unwrap();
        let mut expected = attested.clone();
        *expected.last_mut().unwrap() ^= 1;
        assert_eq!(off, expected);
        let mut point = [4; 65];
        for (coordinates, is_one) in [(&attested, true), (&off, false)] {
            let PublicKey::Ec2 { x, y, .. } =
                AuthenticatorData::from_bytes(coordinates).unwrap().attested.unwrap().public_key
            else {
                panic!("no point");
            };
            point[1..].copy_from_slice(&[x, y].concat());
            assert_eq!(p256::PublicKey::from_sec1_bytes(&point).is_ok(), is_one);
        }
        let mut faults = Faults { on: vec![Fault::OffCurve], ..Faults::default() };
        point[64] ^= 1;
        let distorted = faults.distort_u2f_key(point);
        assert!(p256::PublicKey::from_sec1_bytes(&point).is_ok());
        assert!(p256::PublicKey::from_sec1_bytes(&distorted).is_err());
        assert_eq!(faults.pending, [Fault::OffCurve]);
    }

    /// Outputs stay in canonical order.
    #[test]
    fn an_unasked_output_stands_at_its_place() {
        let asked = b"\xA2\x68credBlob\xF4\x6Bhmac-secre+\xF5";
        let more = distorted(Fault::UnaskedExtension("credProtect"), &data(asked)).unwrap();
        let expected = b"\xA3\x68credBlob\xF4\x6BcredProtect\xF5\x6Bhmac-secre+\xF5";
        assert_eq!(more, data(expected));
        assert_eq!(distorted(Fault::UnaskedExtension("credBlob"), &data(asked)), None);
        assert_eq!(distorted(Fault::MissingExtensions, &data(asked)), Some(data(&[])));
    }

    /// Only secrets are changed, not the word that there will be some.
    #[test]
    fn another_secret_differs_in_one_bit() {
        let secret = b"\xA1\x6Bhmac-secret\x42\x01\x02";
        let changed = distorted(Fault::HmacSecret, &data(secret)).unwrap();
        assert_eq!(changed, data(b"\xA1\x6Bhmac-secret\x42\x01\x03"));
        assert_eq!(distorted(Fault::HmacSecret, &data(b"\xA1\x6Bhmac-secret\xF5")), None);
    }

    /// The hash that is signed is the one of the request before.
    #[test]
    fn the_stale_hash_is_the_last_one() {
        let mut faults = Faults { on: vec![Fault::StaleClientData], ..Faults::default() };
        assert_eq!(faults.distort(data(&[]), [1; 32]), (data(&[]), [0; 32]));
        assert_eq!(faults.distort(data(&[]), [2; 32]), (data(&[]), [1; 32]));
        assert_eq!(faults.pending, [Fault::StaleClientData; 2]);
    }
}
