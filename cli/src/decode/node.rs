//! What an explanation is made of, and its two forms: indented text and JSON.

use std::fmt::{self, Write};

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::text::quoted;

/// A value with the names and the meanings of its parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Nothing.
    Null,
    /// `false` or `true`.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A floating-point number, which CTAP2 never uses.
    Float(f64),
    /// Bytes; hex in both forms.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Named values in order.
    Map(Vec<(Name, Node)>),
    /// A value and what it means.
    Means(Box<Node>, String),
}

impl Node {
    /// Bytes.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }

    /// Text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// Named values.
    #[must_use]
    pub fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Map(members.map(|(name, node)| (name.into(), node)).into())
    }

    /// This value, with what it means.
    #[must_use]
    pub fn means(self, meaning: impl Into<String>) -> Self {
        Self::Means(Box::new(self), meaning.into())
    }

    /// This value, with what it means if that is known.
    #[must_use]
    pub fn may_mean(self, meaning: Option<&str>) -> Self {
        match meaning {
            Some(meaning) => self.means(meaning),
            None => self,
        }
    }

    /// A value of one line, if it is one.
    fn line(&self) -> Option<String> {
        Some(match self {
            Self::Null => String::from("null"),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Bytes(bytes) if bytes.is_empty() => String::from("no bytes"),
            Self::Bytes(bytes) => format!("{} ({} bytes)", hex(bytes), bytes.len()),
            Self::Text(text) => quoted(text),
            Self::List(items) if items.is_empty() => String::from("none"),
            Self::Map(members) if members.is_empty() => String::from("empty"),
            Self::List(items) => {
                let short = items.iter().all(|item| !matches!(item, Self::Bytes(_)));
                let lines: Option<Vec<_>> = items.iter().map(Self::line).collect();
                lines.filter(|_| short).map(|lines| lines.join(", "))?
            }
            Self::Map(_) => return None,
            Self::Means(node, meaning) => format!("{}  {meaning}", node.line()?),
        })
    }

    /// Writes what stands behind a name: on the same line if it has one, else below, deeper.
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        if let Some(line) = self.line() {
            return writeln!(f, " {line}");
        }
        match self {
            Self::Map(members) => {
                f.write_char('\n')?;
                for (name, node) in members {
                    write!(f, "{:depth$}{name}:", "")?;
                    node.write(f, depth.saturating_add(2))?;
                }
                Ok(())
            }
            Self::List(items) => {
                f.write_char('\n')?;
                items.iter().try_for_each(|item| item.write_item(f, depth))
            }
            Self::Means(node, meaning) => {
                write!(f, " {meaning}")?;
                node.write(f, depth)
            }
            // The rest has one line each.
            _ => Ok(()),
        }
    }
}

impl Node {
    /// Writes one of a list: behind a dash, the first member of a map beside it.
    fn write_item(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "{:depth$}-", "")?;
        let deeper = depth.saturating_add(2);
        match self {
            Self::Map(members) if !members.is_empty() => {
                for (at, (name, node)) in members.iter().enumerate() {
                    if at == 0 {
                        write!(f, " {name}:")?;
                    } else {
                        write!(f, "{:deeper$}{name}:", "")?;
                    }
                    node.write(f, deeper.saturating_add(2))?;
                }
                Ok(())
            }
            other => other.write(f, deeper),
        }
    }
}

/// The name of a member: the standard's, the number that stands for it on the wire, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The standard's name; without one, the number in digits.
    pub text: String,
    /// The number of a member that has a name too; text only.
    pub number: Option<i128>,
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), number: None }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{} ({number})", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_none(),
            Self::Bool(value) => to.serialize_bool(*value),
            // JSON's numbers end where other programs lose digits; CTAP's unsigned integers go beyond.
            Self::Int(value) => match i64::try_from(*value) {
                Ok(value) => to.serialize_i64(value),
                Err(_) => to.serialize_str(&value.to_string()),
            },
            Self::Float(value) => to.serialize_f64(*value),
            Self::Bytes(bytes) => to.serialize_str(&hex(bytes)),
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => to.collect_seq(items),
            Self::Map(members) => {
                let mut map = to.serialize_map(Some(members.len()))?;
                for (name, node) in members {
                    map.serialize_entry(&name.text, node)?;
                }
                map.end()
            }
            Self::Means(node, meaning) => {
                let mut pair = to.serialize_struct("means", 2)?;
                pair.serialize_field("value", node)?;
                pair.serialize_field("means", meaning)?;
                pair.end()
            }
        }
    }
}

/// An explanation: of what kind the input is, and its parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The kind, stable: `request`, `response`, `status`, `authenticatorData`, `attestationObject`,
    /// `clientData`, `credential`, `apdu`, `u2fResponse`, `trace`, `recording`, `coseKey`, `cbor`.
    pub kind: &'static str,
    /// What it is, in words.
    pub title: String,
    /// Its parts.
    pub value: Node,
    /// What is odd about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

impl Explained {
    /// An explanation without remarks.
    #[must_use]
    pub fn new(kind: &'static str, title: impl Into<String>, value: Node) -> Self {
        Self { kind, title: title.into(), value, remarks: Vec::new() }
    }

    /// As a part of another explanation.
    #[must_use]
    pub fn into_node(self) -> Node {
        match self.remarks.as_slice() {
            [] => self.value.means(self.title),
            remarks => self.value.means(format!("{} ({})", self.title, remarks.join("; "))),
        }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write!(text, "{}", Plain(self))?;
        f.write_str(text.trim_end_matches('\n'))
    }
}

struct Plain<'e>(&'e Explained);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.title)?;
        match &self.0.value {
            Node::Map(members) if members.is_empty() => f.write_char('\n')?,
            value => value.write(f, 2)?,
        }
        self.0.remarks.iter().try_for_each(|remark| writeln!(f, "note: {remark}"))
    }
}

/// Lower-case hex.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
