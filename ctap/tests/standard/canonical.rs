//! The strict reader against the oracle: both must give the same verdict on every byte string.

use ciborium::Value;
use proptest::prelude::*;
use proptest::sample::Index;
use softkey_ctap::cbor::{DecodeError, Decoder, Label, check};

use crate::oracle::{canonical, is_canonical, write};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// CB-03 to CB-11: values in canonical form are taken and read back as they were.
    #[test]
    fn canonical_values_are_taken_and_read_back(value in value()) {
        let bytes = canonical(&value).expect("no key twice, four levels");
        prop_assert_eq!(check(&bytes), Ok(()));
        let mut decoder = Decoder::new(&bytes);
        let read = read(&mut decoder);
        prop_assert!(decoder.rest().is_empty());
        prop_assert_eq!(&write(&read), &bytes);
        prop_assert_eq!(canonical(&read), Some(bytes));
    }

    /// CB-03 to CB-11: damaged messages. What the reader takes the oracle gives back byte for byte, and what
    /// the oracle gives back the reader takes.
    #[test]
    fn reader_and_oracle_agree_on_damaged_messages(
        value in value(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let mut bytes = canonical(&value).expect("no key twice, four levels");
        for damage in damages {
            damage.apply(&mut bytes);
        }
        prop_assert_eq!(check(&bytes).is_ok(), is_canonical(&bytes), "{:02x?}", bytes);
    }

    /// CB-07, CB-08, CB-11: keys twice, keys in any order, five levels and more.
    #[test]
    fn reader_and_oracle_agree_on_disorder(value in disorder(), outside in 0..5) {
        let wrapped = (0..outside).fold(value, |value, _| Value::Array(vec![value]));
        let bytes = write(&wrapped);
        prop_assert_eq!(check(&bytes).is_ok(), is_canonical(&bytes), "{:02x?}", bytes);
    }

    /// Bytes out of nowhere: the same, and the typed reader never goes beyond them.
    #[test]
    fn reader_and_oracle_agree_on_noise(bytes in prop::collection::vec(any::<u8>(), 0..32)) {
        prop_assert_eq!(check(&bytes).is_ok(), is_canonical(&bytes), "{:02x?}", &bytes);
        let mut decoder = Decoder::new(&bytes);
        match decoder.raw() {
            Ok(item) => prop_assert_eq!([item, decoder.rest()].concat(), bytes),
            Err(error) => prop_assert_eq!(error, DecodeError::Malformed),
        }
    }
}

/// All messages of at most two bytes, and all of three that begin with an array or a map of one.
#[test]
fn reader_and_oracle_agree_on_every_short_message() {
    let agree = |bytes: &[u8]| {
        assert_eq!(check(bytes).is_ok(), is_canonical(bytes), "{bytes:02x?}");
    };
    agree(&[]);
    for a in 0..=u8::MAX {
        agree(&[a]);
        for b in 0..=u8::MAX {
            agree(&[a, b]);
            agree(&[0x81, a, b]);
            agree(&[0xa1, a, b]);
        }
    }
}

/// A value of at most four levels, no key twice.
fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..30).prop_map(map),
        ]
    })
}

/// A value whose maps have few keys to choose from, in any order.
fn disorder() -> impl Strategy<Value = Value> {
    let few = prop_oneof![(-2..3_i64).prop_map(Value::from), "[ab]{0,2}".prop_map(Value::Text)];
    scalar().prop_recursive(3, 24, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((few.clone(), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

fn map(entries: Vec<(Value, Value)>) -> Value {
    let mut distinct: Vec<(Value, Value)> = Vec::new();
    for (key, value) in entries {
        if distinct.iter().all(|(other, _)| *other != key) {
            distinct.push((key, value));
        }
    }
    Value::Map(distinct)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => integer(),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        1 => "\\PC{0,12}".prop_map(Value::Text),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
    ]
}

fn key() -> impl Strategy<Value = Value> {
    prop_oneof![6 => integer(), 6 => "[a-c]{0,3}".prop_map(Value::Text), 1 => scalar()]
}

/// All widths, both signs.
fn integer() -> impl Strategy<Value = Value> {
    (any::<u64>(), 0..64_u32, any::<bool>()).prop_map(|(bits, shift, negative)| {
        let value = i128::from(bits >> shift);
        Value::Integer((if negative { -1 - value } else { value }).try_into().unwrap())
    })
}

#[derive(Clone, Debug)]
pub(crate) enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    Double(Index, Index),
    Swap(Index, Index),
}

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        any::<Index>().prop_map(Damage::Remove),
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Double(from, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

impl Damage {
    pub(crate) fn apply(self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        match self {
            Self::Set(at, byte) => bytes[at.index(len)] = byte,
            Self::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Self::Insert(at, byte) => bytes.insert(at.index(len + 1), byte),
            Self::Remove(at) => drop(bytes.remove(at.index(len))),
            Self::Cut(at) => bytes.truncate(at.index(len)),
            Self::Double(from, to) => {
                let piece = bytes[from.index(len)..].to_vec();
                bytes.splice(to.index(len).., piece);
            }
            Self::Swap(a, b) => bytes.swap(a.index(len), b.index(len)),
        }
    }
}

/// What the typed reader sees, as a value.
fn read(from: &mut Decoder<'_>) -> Value {
    match from.rest()[0] >> 5 {
        0 => from.unsigned().unwrap().into(),
        // The typed reader saturates beyond i64, where no message has numbers.
        1 => match from.clone().integer().unwrap() {
            i64::MIN => ciborium::from_reader(from.raw().unwrap()).unwrap(),
            value => {
                from.skip().unwrap();
                value.into()
            }
        },
        2 => Value::Bytes(from.bytes().unwrap().to_vec()),
        3 => from.text().unwrap().into(),
        4 => {
            let mut items = Vec::new();
            let count = from.elements(|from| {
                items.push(read(from));
                Ok(())
            });
            assert_eq!(count, Ok(u64::try_from(items.len()).unwrap()));
            Value::Array(items)
        }
        5 => Value::Map(entries(from)),
        _ if from.rest()[0] == 0xf6 => {
            from.skip().unwrap();
            Value::Null
        }
        _ => Value::Bool(from.boolean().unwrap()),
    }
}

fn entries(from: &mut Decoder<'_>) -> Vec<(Value, Value)> {
    // Keys that are neither integers within i64 nor text are looked at apart: the reader has no names for them.
    let written = ciborium::from_reader::<Value, _>(from.rest()).unwrap();
    let mut written = written.into_map().unwrap().into_iter().map(|(key, _)| key);
    let mut entries = Vec::new();
    let read = from.entries(|label, from| {
        let written = written.next().unwrap();
        let key = match label {
            Label::Text(text) => Value::Text(String::from_utf8(text.to_vec()).unwrap()),
            Label::Int(value) if value != i64::MAX && value != i64::MIN => value.into(),
            Label::Int(_) | Label::Other => written.clone(),
        };
        assert_eq!(key, written);
        entries.push((key, read(from)));
        Ok(true)
    });
    assert_eq!(read, Ok(()));
    entries
}
