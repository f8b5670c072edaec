//! What keys answer, built from bytes; for all suites of this crate whose keys are scripted.

use ciborium::Value as Cbor;
use softkey_client::client_data::hash;

/// A successful answer with these members.
pub(crate) fn ok(members: &[(i64, Cbor)]) -> Vec<u8> {
    let members = members.iter().map(|(key, value)| (Cbor::from(*key), value.clone()));
    let mut bytes = vec![0];
    ciborium::into_writer(&Cbor::Map(members.collect()), &mut bytes).unwrap();
    bytes
}

/// A map with texts as keys, in the order of CTAP2.
pub(crate) fn texts(members: &[(&str, Cbor)]) -> Cbor {
    let mut members = members.to_vec();
    members.sort_by_key(|(name, _)| (name.len(), *name));
    Cbor::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// Authenticator data for this relying party, with what follows the counter.
pub(crate) fn auth_data(rp_id: &str, flags: u8, rest: &[u8]) -> Vec<u8> {
    [&hash(rp_id.as_bytes())[..], &[flags, 0, 0, 0, 0], rest].concat()
}

/// A new credential of ES256, of a model of sevens.
pub(crate) fn attested(id: &[u8]) -> Vec<u8> {
    let mut data = [7; 16].to_vec();
    data.extend([0, u8::try_from(id.len()).unwrap()]);
    data.extend(id);
    data.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
    data.extend([1; 32]);
    data.extend([0x22, 0x58, 32]);
    data.extend([2; 32]);
    data
}

/// An answer to makeCredential with self attestation.
pub(crate) fn made(data: Vec<u8>) -> Vec<u8> {
    let statement = texts(&[("alg", (-7).into()), ("sig", Cbor::Bytes(vec![9; 70]))]);
    ok(&[(1, "packed".into()), (2, Cbor::Bytes(data)), (3, statement)])
}

/// An answer to getAssertion about a credential of one byte, and of the user of byte nine.
pub(crate) fn signed(id: Option<u8>, data: Vec<u8>, user: bool) -> Vec<u8> {
    let mut members = Vec::new();
    let descriptor = |id| texts(&[("id", Cbor::Bytes(vec![id])), ("type", "public-key".into())]);
    members.extend(id.map(|id| (1, descriptor(id))));
    members.push((2, Cbor::Bytes(data)));
    members.push((3, Cbor::Bytes(vec![1])));
    members.extend(user.then(|| (4, texts(&[("id", Cbor::Bytes(vec![9]))]))));
    ok(&members)
}
