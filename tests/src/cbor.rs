//! CBOR by the byte: values to encode canonically, raw bytes to spoil them with, and a strict walker over
//! answers (CTAP 2.3, section 8, message encoding). Written from the standard, apart from the code under test.

mod walker;

pub use walker::{Flaw, MAX_DEPTH, walk, walk_answer, walk_prefix};

/// A CBOR item as CTAP2 knows it, and [`Value::Raw`] for what it does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Major type 0.
    Uint(u64),
    /// Major type 1: the integer `-1 - n`.
    Nint(u64),
    /// Major type 2.
    Bytes(Vec<u8>),
    /// Major type 3.
    Text(String),
    /// Major type 4.
    Array(Vec<Value>),
    /// Major type 5; encoded in canonical order whatever the order here.
    Map(Vec<(Value, Value)>),
    /// `false` or `true`.
    Bool(bool),
    /// `null`.
    Null,
    /// Bytes that go into the encoding as they are, well-formed or not. Never comes out of the walker.
    Raw(Vec<u8>),
}

impl Value {
    /// The item's encoding: shortest heads, definite lengths, map keys in canonical order.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Self::Uint(n) => out.extend(head(0, *n)),
            Self::Nint(n) => out.extend(head(1, *n)),
            Self::Bytes(bytes) => {
                out.extend(head(2, bytes.len() as u64));
                out.extend(bytes);
            }
            Self::Text(text) => {
                out.extend(head(3, text.len() as u64));
                out.extend(text.as_bytes());
            }
            Self::Array(items) => {
                out.extend(head(4, items.len() as u64));
                for item in items {
                    item.encode_into(out);
                }
            }
            Self::Map(entries) => {
                let mut entries: Vec<_> = entries.iter().map(|(k, v)| (k.encode(), v)).collect();
                entries.sort_by(|(a, _), (b, _)| canonical_order(a, b));
                out.extend(head(5, entries.len() as u64));
                for (key, value) in entries {
                    out.extend(key);
                    value.encode_into(out);
                }
            }
            Self::Bool(value) => out.push(if *value { 0xF5 } else { 0xF4 }),
            Self::Null => out.push(0xF6),
            Self::Raw(bytes) => out.extend(bytes),
        }
    }

    /// The value at `key`, if this is a map that has it.
    #[must_use]
    pub fn at(&self, key: impl Into<Value>) -> Option<&Value> {
        let key = key.into();
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| *k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The value at `key`; the test fails without it.
    #[must_use]
    #[track_caller]
    pub fn get(&self, key: impl Into<Value>) -> &Value {
        let key = key.into();
        self.at(key.clone()).unwrap_or_else(|| panic!("no member {key:?} in {self:?}"))
    }

    /// This map with `key` set to `value`.
    #[must_use]
    #[track_caller]
    pub fn with(mut self, key: impl Into<Value>, value: impl Into<Value>) -> Self {
        let (key, value) = (key.into(), value.into());
        let Self::Map(entries) = &mut self else { panic!("not a map: {self:?}") };
        entries.retain(|(k, _)| *k != key);
        entries.push((key, value));
        self
    }

    /// This map without `key`; the test fails if it was not there.
    #[must_use]
    #[track_caller]
    pub fn without(mut self, key: impl Into<Value>) -> Self {
        let key = key.into();
        let Self::Map(entries) = &mut self else { panic!("not a map: {self:?}") };
        let before = entries.len();
        entries.retain(|(k, _)| *k != key);
        assert_eq!(entries.len() + 1, before, "no member {key:?} to leave out");
        self
    }

    /// The keys of a map, in the order they stand in.
    #[must_use]
    #[track_caller]
    pub fn keys(&self) -> Vec<Value> {
        self.entries().iter().map(|(key, _)| key.clone()).collect()
    }

    /// The entries of a map.
    #[must_use]
    #[track_caller]
    pub fn entries(&self) -> &[(Value, Value)] {
        let Self::Map(entries) = self else { panic!("not a map: {self:?}") };
        entries
    }

    /// The items of an array.
    #[must_use]
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        let Self::Array(items) = self else { panic!("not an array: {self:?}") };
        items
    }

    /// The bytes of a byte string.
    #[must_use]
    #[track_caller]
    pub fn bytes(&self) -> &[u8] {
        let Self::Bytes(bytes) = self else { panic!("not a byte string: {self:?}") };
        bytes
    }

    /// The text of a text string.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> &str {
        let Self::Text(text) = self else { panic!("not a text string: {self:?}") };
        text
    }

    /// The number of an unsigned integer.
    #[must_use]
    #[track_caller]
    pub fn uint(&self) -> u64 {
        let Self::Uint(n) = self else { panic!("not an unsigned integer: {self:?}") };
        *n
    }

    /// The number of an integer of either sign.
    #[must_use]
    #[track_caller]
    pub fn int(&self) -> i64 {
        match self {
            Self::Uint(n) => i64::try_from(*n).unwrap(),
            Self::Nint(n) => -1 - i64::try_from(*n).unwrap(),
            _ => panic!("not an integer: {self:?}"),
        }
    }

    /// The truth value of a boolean.
    #[must_use]
    #[track_caller]
    pub fn bool(&self) -> bool {
        let Self::Bool(value) = self else { panic!("not a boolean: {self:?}") };
        *value
    }
}

/// A map of these entries.
pub fn map<K: Into<Value>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Value {
    Value::Map(entries.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
}

/// An array of these items.
pub fn array<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
    Value::Array(items.into_iter().map(Into::into).collect())
}

/// A byte string.
#[must_use]
pub fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

/// Bytes that go out as they are.
#[must_use]
pub fn raw(bytes: &[u8]) -> Value {
    Value::Raw(bytes.to_vec())
}

/// A map whose entries stand in the order given, canonical or not, doubled or not.
pub fn map_as_given<K: Into<Value>, V: Into<Value>>(
    entries: impl IntoIterator<Item = (K, V)>,
) -> Value {
    let entries: Vec<(Value, Value)> =
        entries.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
    let mut out = head(5, entries.len() as u64);
    for (key, value) in entries {
        out.extend(key.encode());
        out.extend(value.encode());
    }
    Value::Raw(out)
}

/// The shortest head of an item of this major type with this argument.
#[must_use]
pub fn head(major: u8, argument: u64) -> Vec<u8> {
    let width = match argument {
        0..24 => 0,
        24..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x1_0000_0000 => 4,
        _ => 8,
    };
    head_of_width(major, argument, width)
}

/// A head whose argument takes `width` bytes (0, 1, 2, 4 or 8), the shortest or not.
#[must_use]
pub fn head_of_width(major: u8, argument: u64, width: usize) -> Vec<u8> {
    let argument = argument.to_be_bytes();
    let info = match width {
        0 => return vec![major << 5 | argument[7]],
        1 => 24,
        2 => 25,
        4 => 26,
        8 => 27,
        _ => panic!("no head has an argument of {width} bytes"),
    };
    [&[major << 5 | info], &argument[8 - width..]].concat()
}

/// How two encoded map keys stand to each other: lower major type first, then shorter, then bytewise.
#[must_use]
pub fn canonical_order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let rank = |key: &[u8]| (key.first().map(|byte| byte >> 5), key.len());
    rank(a).cmp(&rank(b)).then_with(|| a.cmp(b))
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        u64::try_from(n).map_or_else(|_| Self::Nint((-1 - n).unsigned_abs()), Self::Uint)
    }
}

impl From<i32> for Value {
    fn from(n: i32) -> Self {
        i64::from(n).into()
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Uint(n)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

#[cfg(test)]
mod tests;
