//! The serialized large-blob array: entries that only their credentials' keys open, and a checksum.

use sha2::{Digest, Sha256};

use super::cbor::{node, parse};
use super::node::Node;
use super::schema::{self, Form};

/// The checksum: the first bytes of SHA-256 of the array in front of it.
const CHECKSUM: usize = 16;

const ENTRIES: Form = Form::List(&Form::Map(&schema::BLOB_ENTRY));

/// A whole array; nothing for a fragment of one.
pub(super) fn array_node(bytes: &[u8]) -> Option<Node> {
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>()?;
    let entries = parse(content).filter(ciborium::Value::is_array)?;
    let right = Sha256::digest(content).starts_with(checksum);
    let verdict = if right { "right" } else { "wrong: platforms take the array for empty" };
    Some(Node::map([
        ("entries", node(&entries, &ENTRIES)),
        ("checksum", Node::bytes(checksum).means(verdict)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL: [u8; 17] = [
        0x80, 0x76, 0xbe, 0x8b, 0x52, 0x8d, 0x00, 0x75, 0xf7, 0xaa, 0xe9, 0x8d, 0x6f, 0xa5, 0x7a,
        0x6d, 0x3c,
    ];

    fn checksum(node: &Node) -> Option<&str> {
        let Node::Map(members) = node else { return None };
        let found = members.iter().find(|(name, _)| name.text == "checksum");
        found.and_then(|(_, node)| match node {
            Node::Means(_, meaning) => Some(meaning.as_str()),
            _ => None,
        })
    }

    #[test]
    fn the_initial_array_has_no_entries_and_the_right_checksum() {
        let node = array_node(&INITIAL).unwrap();
        assert_eq!(checksum(&node), Some("right"));
        let Node::Map(members) = &node else { panic!("{node:?}") };
        assert_eq!(members[0].1, Node::List(Vec::new()));
    }

    #[test]
    fn a_wrong_checksum_is_said_and_a_fragment_is_no_array() {
        let mut wrong = INITIAL;
        wrong[16] ^= 1;
        assert!(checksum(&array_node(&wrong).unwrap()).unwrap().starts_with("wrong"));
        assert_eq!(array_node(&INITIAL[..16]), None);
        assert_eq!(array_node(&INITIAL[1..]), None);
        assert_eq!(array_node(&[]), None);
    }
}
