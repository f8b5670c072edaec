//! A scripted key for unit tests: each request is looked at as bytes, apart from the code under test, and
//! answered with bytes.

use ciborium::Value;

use crate::cause::Cause;
use crate::ceremony::{Ceremony, Input, Need, Step};
use crate::entropy::Entropy;
use crate::session::Reach;
use softkey_ctap::Secret;

/// A key that speaks CTAP2 only.
pub(crate) const CTAP2: Reach = Reach { ctap2: true, u2f: false };
/// A key that speaks CTAP1 only.
pub(crate) const U2F: Reach = Reach { ctap2: false, u2f: true };

pub(crate) fn entropy() -> Entropy {
    Entropy::from_seed(&Secret::new([7; 32]))
}

/// Runs a ceremony; `bring` answers each need.
pub(crate) fn run<T>(
    ceremony: Ceremony<T>,
    mut bring: impl FnMut(Need) -> Input,
) -> Result<T, Cause> {
    let mut step = ceremony.start();
    loop {
        match step {
            Step::Done(result) => return result,
            Step::Needs(need, ceremony) => step = ceremony.next(bring(need)),
        }
    }
}

/// Runs a ceremony against a list of answers, each a status byte and what follows; gives the requests too.
pub(crate) fn play<T>(ceremony: Ceremony<T>, answers: &[Vec<u8>]) -> (Result<T, Cause>, Vec<Sent>) {
    let mut sent = Vec::new();
    let mut answers = answers.iter();
    let result = run(ceremony, |need| {
        let Need::Cbor(request) = need else { panic!("{need:?} in a script of CTAP2") };
        sent.push(Sent::read(&request));
        Input::Response(answers.next().expect("an answer for each request").clone())
    });
    assert_eq!(answers.len(), 0, "all answers were wanted");
    (result, sent)
}

/// A CTAP2 request as it went over the wire.
#[derive(Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) command: u8,
    pub(crate) map: Vec<(Value, Value)>,
}

impl Sent {
    fn read(request: &[u8]) -> Self {
        let map = match &request[1..] {
            [] => Vec::new(),
            cbor => ciborium::from_reader::<Value, _>(cbor).unwrap().into_map().unwrap(),
        };
        Self { command: request[0], map }
    }

    /// A member by its key.
    pub(crate) fn get(&self, key: i64) -> Option<&Value> {
        let member = self.map.iter().find(|(k, _)| *k == Value::from(key));
        member.map(|(_, value)| value)
    }
}

/// A successful answer with this map.
pub(crate) fn ok(map: Vec<(i64, Value)>) -> Vec<u8> {
    let map = map.into_iter().map(|(key, value)| (Value::from(key), value)).collect();
    let mut bytes = vec![0];
    ciborium::into_writer(&Value::Map(map), &mut bytes).unwrap();
    bytes
}

/// A map with text keys.
pub(crate) fn texts(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect())
}

/// getInfo of a key with these options, given in canonical order, and lists of at most two.
pub(crate) fn info(options: &[(&str, bool)]) -> Vec<u8> {
    let options: Vec<_> = options.iter().map(|(key, value)| (*key, Value::from(*value))).collect();
    ok(vec![
        (1, Value::Array(vec!["FIDO_2_0".into(), "FIDO_2_1".into()])),
        (3, Value::Bytes(vec![0xaa; 16])),
        (4, texts(&options)),
        (5, 1200.into()),
        (7, 2.into()),
        (8, 64.into()),
    ])
}

/// Authenticator data: SHA-256 of the identifier, flags, counter 1, and what follows.
pub(crate) fn auth_data(rp_id: &str, flags: u8, rest: &[u8]) -> Vec<u8> {
    let hash = crate::client_data::hash(rp_id.as_bytes());
    [&hash[..], &[flags, 0, 0, 0, 1], rest].concat()
}

/// Attested credential data with an ES256 key.
pub(crate) fn attested(aaguid: u8, id: &[u8]) -> Vec<u8> {
    let mut bytes = vec![aaguid; 16];
    bytes.extend([0, u8::try_from(id.len()).unwrap()]);
    bytes.extend(id);
    bytes.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
    bytes.extend([1; 32]);
    bytes.extend([0x22, 0x58, 32]);
    bytes.extend([2; 32]);
    bytes
}
