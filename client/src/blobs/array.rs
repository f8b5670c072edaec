//! The serialized large-blob array and the entries in it, as platforms write and read them (`CTAP` 2.3 section
//! 6.10.3). What cannot be opened here is kept as it is.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use rand_core::TryRng;
use sha2::{Digest, Sha256};
use softkey_ctap::Secret;
use softkey_ctap::cbor::{self, DecodeError, Encoder, List, Raw};
use softkey_ctap::large_blobs::Entry;

use super::deflate::{deflate, inflate};
use crate::entropy::Entropy;

/// The checksum behind the array, in bytes.
const CHECKSUM: usize = 16;

/// The array's items, each one as it was encoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Array(Vec<Vec<u8>>);

impl Array {
    /// An array whose checksum is wrong counts as empty, as the standard has it: a write that was cut short.
    ///
    /// # Errors
    ///
    /// If the checksum is right and this is no array after all: then it is not ours to throw away.
    pub(crate) fn from_bytes(serialized: &[u8]) -> Result<Self, DecodeError> {
        let Some((array, checksum)) = serialized.split_last_chunk::<CHECKSUM>() else {
            return Ok(Self::default());
        };
        if !Sha256::digest(array).starts_with(checksum) {
            return Ok(Self::default());
        }
        let items: List<'_, Raw<'_>> = cbor::decode(array)?;
        Ok(Self(items.iter().map(|item| item.0.to_vec()).collect()))
    }

    /// With its checksum.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut encoder = Encoder::behind(Vec::new());
        encoder.array(self.0.len());
        self.0.iter().for_each(|item| encoder.raw(item));
        let mut serialized = encoder.into_bytes();
        let digest = Sha256::digest(&serialized);
        serialized.extend(digest.iter().take(CHECKSUM));
        serialized
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The data of the first entry that this key opens.
    pub(crate) fn get(&self, key: &Secret<32>) -> Option<Vec<u8>> {
        self.0.iter().find_map(|item| open(item, key))
    }

    /// Removes every entry that this key opens. Were there any?
    pub(crate) fn remove(&mut self, key: &Secret<32>) -> bool {
        let before = self.0.len();
        self.0.retain(|item| open(item, key).is_none());
        self.0.len() < before
    }

    /// Puts an entry for this key instead of any that it opens.
    pub(crate) fn set(&mut self, key: &Secret<32>, data: &[u8], entropy: &mut Entropy) {
        self.remove(key);
        self.0.extend(seal(data, key, entropy));
    }
}

fn open(item: &[u8], key: &Secret<32>) -> Option<Vec<u8>> {
    let entry: Entry<'_> = cbor::decode(item).ok()?;
    let associated = associated(entry.orig_size);
    let payload = Payload { msg: entry.ciphertext, aad: &associated };
    let compressed = cipher(key).decrypt(&entry.nonce.into(), payload).ok()?;
    inflate(&compressed, entry.orig_size)
}

/// Nothing for data that is too long for AES-GCM, far beyond any key's room.
fn seal(data: &[u8], key: &Secret<32>, entropy: &mut Entropy) -> Option<Vec<u8>> {
    let mut nonce = [0; 12];
    let Ok(()) = entropy.try_fill_bytes(&mut nonce);
    let orig_size = u64::try_from(data.len()).ok()?;
    let (compressed, associated) = (deflate(data), associated(orig_size));
    let payload = Payload { msg: &compressed, aad: &associated };
    let ciphertext = cipher(key).encrypt(&nonce.into(), payload).ok()?;
    Some(cbor::encode(&Entry { ciphertext: &ciphertext, nonce, orig_size }))
}

fn cipher(key: &Secret<32>) -> Aes256Gcm {
    Aes256Gcm::new(key.expose().into())
}

/// `blob`, and the length of the data in eight bytes, little-endian.
fn associated(orig_size: u64) -> [u8; 12] {
    let mut bytes = *b"blob\0\0\0\0\0\0\0\0";
    let (_, length) = bytes.split_at_mut(4);
    length.copy_from_slice(&orig_size.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::entropy;

    const KEY: Secret<32> = Secret::new([1; 32]);
    const OTHER: Secret<32> = Secret::new([2; 32]);

    /// A factory-fresh key's array, by its bytes.
    #[test]
    fn the_empty_array_has_its_known_checksum() {
        let initial = b"\x80\x76\xbe\x8b\x52\x8d\x00\x75\xf7\xaa\xe9\x8d\x6f\xa5\x7a\x6d\x3c";
        assert_eq!(Array::default().to_bytes(), initial);
        assert_eq!(Array::from_bytes(initial), Ok(Array::default()));
    }

    /// Each key finds its own data, and replaces and removes no other's.
    #[test]
    fn entries_belong_to_their_keys() {
        let mut array = Array::default();
        let long = b"softkey ".repeat(100);
        array.set(&KEY, b"mine", &mut entropy());
        array.set(&OTHER, &long, &mut entropy());
        array.set(&KEY, b"", &mut entropy());
        let mut array = Array::from_bytes(&array.to_bytes()).unwrap();
        assert_eq!(array.len(), 2);
        assert_eq!(array.get(&KEY), Some(vec![]));
        assert_eq!(array.get(&OTHER).as_deref(), Some(&long[..]));
        assert!(array.to_bytes().len() < long.len(), "it was compressed");
        assert!(array.remove(&KEY) && !array.remove(&KEY));
        assert_eq!(array.get(&KEY), None);
        assert_eq!(array.get(&OTHER), Some(long));
    }

    /// What nobody here can read is neither lost nor changed.
    #[test]
    fn foreign_items_are_kept() {
        let foreign = [b"\x83\x01\xa0\x62hi".as_slice(), &checksum(b"\x83\x01\xa0\x62hi")].concat();
        let mut array = Array::from_bytes(&foreign).unwrap();
        assert_eq!(array.to_bytes(), foreign);
        array.set(&KEY, b"x", &mut entropy());
        assert!(array.remove(&KEY));
        assert_eq!(array.to_bytes(), foreign);
    }

    /// A wrong checksum is an empty array; a right one around no array is an error.
    #[test]
    fn only_a_checksum_makes_an_array() {
        let mut torn = Array::default().to_bytes();
        torn[5] ^= 1;
        assert_eq!(Array::from_bytes(&torn), Ok(Array::default()));
        assert_eq!(Array::from_bytes(&[1, 2]), Ok(Array::default()));
        let no_array = [b"\xa0".as_slice(), &checksum(b"\xa0")].concat();
        assert_eq!(Array::from_bytes(&no_array), Err(DecodeError::UnexpectedType));
    }

    /// A size that does not fit the data opens nothing, however the entry is sealed.
    #[test]
    fn the_size_must_fit_the_data() {
        let compressed = deflate(b"twelve bytes");
        for (orig_size, opens) in [(12, true), (11, false), (13, false), (u64::MAX, false)] {
            let aad = associated(orig_size);
            let payload = Payload { msg: &compressed, aad: &aad };
            let ciphertext = cipher(&KEY).encrypt(&[7; 12].into(), payload).unwrap();
            let entry = Entry { ciphertext: &ciphertext, nonce: [7; 12], orig_size };
            assert_eq!(open(&cbor::encode(&entry), &KEY).is_some(), opens, "{orig_size}");
        }
    }

    fn checksum(array: &[u8]) -> [u8; CHECKSUM] {
        Sha256::digest(array)[..CHECKSUM].try_into().unwrap()
    }
}
