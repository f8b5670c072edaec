//! The strict walker over answers: one well-formed canonical item, or the first flaw.

use super::{Value, canonical_order};

/// How deep maps and arrays may nest, the outermost counted as one.
pub const MAX_DEPTH: usize = 4;

/// The same in the answer to authenticatorMakeCredential where `fmt` is `compound` (WebAuthn Level 3 section 8.9), whose
/// statement is an array of maps of maps of certificate arrays.
const COMPOUND_DEPTH: usize = 5;

/// How such an answer begins, behind the head of its map.
const COMPOUND: &[u8] = b"\x01\x68compound";

/// Why bytes are not canonical CTAP2 CBOR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The item ends before its length says so.
    Truncated,
    /// There are bytes after the item.
    Trailing,
    /// An integer or length is not in its shortest form.
    NotShortest,
    /// A string, array or map of indefinite length.
    Indefinite,
    /// An additional information value that CBOR reserves.
    Reserved,
    /// A tag.
    Tag,
    /// A float, `undefined` or another simple value than `false`, `true` and `null`.
    Simple,
    /// A text string that is not UTF-8.
    NotUtf8,
    /// Map keys out of order.
    Disordered,
    /// A map key that stands twice.
    Doubled,
    /// Maps and arrays nested deeper than [`MAX_DEPTH`], or than they may be in such an answer.
    TooDeep,
}

/// Reads exactly one item.
///
/// # Errors
///
/// The first [`Flaw`] from the left.
pub fn walk(bytes: &[u8]) -> Result<Value, Flaw> {
    whole(bytes, MAX_DEPTH)
}

/// Reads the body of an answer: exactly one item, of four levels, or five if a `compound` statement is in it.
///
/// # Errors
///
/// The first [`Flaw`] from the left.
pub fn walk_answer(body: &[u8]) -> Result<Value, Flaw> {
    let compound = body.get(1..).is_some_and(|members| members.starts_with(COMPOUND));
    whole(body, if compound { COMPOUND_DEPTH } else { MAX_DEPTH })
}

fn whole(bytes: &[u8], levels: usize) -> Result<Value, Flaw> {
    let (value, rest) = prefix(bytes, levels)?;
    if rest.is_empty() { Ok(value) } else { Err(Flaw::Trailing) }
}

/// Reads one item and gives what follows it.
///
/// # Errors
///
/// The first [`Flaw`] from the left.
pub fn walk_prefix(bytes: &[u8]) -> Result<(Value, &[u8]), Flaw> {
    prefix(bytes, MAX_DEPTH)
}

fn prefix(bytes: &[u8], levels: usize) -> Result<(Value, &[u8]), Flaw> {
    let mut walker = Walker { rest: bytes, depth: 0, levels };
    let value = walker.item()?;
    Ok((value, walker.rest))
}

struct Walker<'a> {
    rest: &'a [u8],
    depth: usize,
    levels: usize,
}

impl<'a> Walker<'a> {
    fn item(&mut self) -> Result<Value, Flaw> {
        let initial = self.take(1)?[0];
        let (major, info) = (initial >> 5, initial & 0x1F);
        match major {
            0 => Ok(Value::Uint(self.argument(info)?)),
            1 => Ok(Value::Nint(self.argument(info)?)),
            2 => Ok(Value::Bytes(self.string(info)?.to_vec())),
            3 => match std::str::from_utf8(self.string(info)?) {
                Ok(text) => Ok(Value::Text(text.to_owned())),
                Err(_) => Err(Flaw::NotUtf8),
            },
            4 => self.array(info),
            5 => self.map(info),
            6 => Err(Flaw::Tag),
            _ => match info {
                20 => Ok(Value::Bool(false)),
                21 => Ok(Value::Bool(true)),
                22 => Ok(Value::Null),
                31 => Err(Flaw::Indefinite),
                _ => Err(Flaw::Simple),
            },
        }
    }

    fn argument(&mut self, info: u8) -> Result<u64, Flaw> {
        let (width, least) = match info {
            0..24 => return Ok(u64::from(info)),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            31 => return Err(Flaw::Indefinite),
            _ => return Err(Flaw::Reserved),
        };
        let argument = self.take(width)?.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        if argument < least { Err(Flaw::NotShortest) } else { Ok(argument) }
    }

    fn length(&mut self, info: u8) -> Result<usize, Flaw> {
        usize::try_from(self.argument(info)?).map_err(|_| Flaw::Truncated)
    }

    fn string(&mut self, info: u8) -> Result<&'a [u8], Flaw> {
        let length = self.length(info)?;
        self.take(length)
    }

    fn array(&mut self, info: u8) -> Result<Value, Flaw> {
        let length = self.length(info)?;
        self.descend(|walker| {
            let mut items = Vec::new();
            for _ in 0..length {
                items.push(walker.item()?);
            }
            Ok(Value::Array(items))
        })
    }

    fn map(&mut self, info: u8) -> Result<Value, Flaw> {
        let length = self.length(info)?;
        self.descend(|walker| {
            let mut entries = Vec::new();
            let mut previous: Option<&[u8]> = None;
            for _ in 0..length {
                let from = walker.rest;
                let key = walker.item()?;
                let encoded = &from[..from.len() - walker.rest.len()];
                match previous.map(|previous| canonical_order(previous, encoded)) {
                    Some(std::cmp::Ordering::Equal) => return Err(Flaw::Doubled),
                    Some(std::cmp::Ordering::Greater) => return Err(Flaw::Disordered),
                    _ => previous = Some(encoded),
                }
                entries.push((key, walker.item()?));
            }
            Ok(Value::Map(entries))
        })
    }

    fn descend(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<Value, Flaw>,
    ) -> Result<Value, Flaw> {
        self.depth += 1;
        if self.depth > self.levels {
            return Err(Flaw::TooDeep);
        }
        let value = inside(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Flaw> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Flaw::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}
