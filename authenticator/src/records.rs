//! What is kept, and under which keys. Every record is sealed here, on its way to the store.
//!
//! | key | record |
//! |---|---|
//! | `b`, rp16, blob16 | the large blob of a credential, by the extension largeBlob |
//! | `c`, rp16, inverted sequence | a discoverable credential; a scan gives a party's newest first |
//! | `f` | the fingers that are enrolled |
//! | `l`, a number | a piece of the large-blob array |
//! | `n` | how many there are, and the next sequence number |
//! | `r`, rp16 | a relying party's identifier and its number of credentials |
//! | `s`, a letter | the state of the device |
//! | `u`, rp16, user16 | the sequence number of the user's credential |
//!
//! A value is `version (1, now 2) | epoch (4, big-endian) | nonce (24) | ciphertext | tag (16)`, with the key, version and
//! epoch as associated data. The epoch stands in the clear so that what a reset left behind can be told from
//! what lives and be swept; it is zero for the state of the device, which a reset rewrites.
//!
//! The tries that are left are no secret, and lie there as `tries.rs` says.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use rand_core::TryCryptoRng;
use sha2::{Digest as _, Sha256};
use softkey_ctap::cbor::{self, Decode, Decoder, Encode, List};
use softkey_ctap::{Secret, message};
use zeroize::Zeroizing;

use crate::keys::{EpochKeys, RootKey};
use crate::refusal::Refusal;
use crate::seal::Sealer;
use crate::store::{Change, Key, Store, StoreError};
use crate::tries::{self, Tries};

const VERSION: u8 = 2;
pub(crate) const HEADER: usize = 5;

pub(crate) const EPOCH: Key = Key::from_array(b"se");
pub(crate) const PIN: Key = Key::from_array(b"sp");
pub(crate) const TRIES: Key = Key::from_array(b"st");
pub(crate) const SETTINGS: Key = Key::from_array(b"sf");
pub(crate) const COUNTER: Key = Key::from_array(b"sc");
pub(crate) const FINGERS: Key = Key::from_array(b"f");
pub(crate) const TOTALS: Key = Key::from_array(b"n");

/// The key of the credential with this sequence number.
pub(crate) fn credential_key(rp16: &[u8; 16], sequence: u64) -> Key {
    let mut key = [b'c'; 25];
    key[1..17].copy_from_slice(rp16);
    key[17..].copy_from_slice(&(!sequence).to_be_bytes());
    Key::from_array(&key)
}

/// The key of a credential's large blob.
pub(crate) fn blob_key(rp16: &[u8; 16], blob16: &[u8; 16]) -> Key {
    let mut key = [b'b'; 33];
    key[1..17].copy_from_slice(rp16);
    key[17..].copy_from_slice(blob16);
    Key::from_array(&key)
}

/// The key of a piece of the large-blob array. The pieces are of the epoch, so a reset makes the initial array
/// of them without touching them.
pub(crate) const fn array_key(piece: u8) -> Key {
    Key::from_array(&[b'l', piece])
}

/// The key of what keeps room for a longer large-blob array.
pub(crate) const ARRAY_ROOM: Key = Key::from_array(b"lr");

/// The key of what is kept for the key pair of a credential.
pub(crate) fn kept_key(rp16: &[u8; 16], id16: &[u8; 16]) -> Key {
    let mut key = [b'k'; 33];
    key[1..17].copy_from_slice(rp16);
    key[17..].copy_from_slice(id16);
    Key::from_array(&key)
}

/// The key of a relying party.
pub(crate) fn rp_key(rp16: &[u8; 16]) -> Key {
    let mut key = [b'r'; 17];
    key[1..].copy_from_slice(rp16);
    Key::from_array(&key)
}

/// The key of a user of a relying party.
pub(crate) fn user_key(rp16: &[u8; 16], user16: &[u8; 16]) -> Key {
    let mut key = [b'u'; 33];
    key[1..17].copy_from_slice(rp16);
    key[17..].copy_from_slice(user16);
    Key::from_array(&key)
}

message! {
    /// The credential epoch, which a reset replaces.
    pub(crate) struct EpochRecord: Int {
        1 => number: required u64,
        2 => secret: required Secret<32>,
        /// Has everything of former epochs been swept?
        3 => swept: required bool,
    }
}

message! {
    /// The PIN.
    pub(crate) struct PinRecord: Int {
        1 => hash: optional Secret<16>,
        /// The PIN's length in code points.
        2 => code_points: required u64,
        5 => force_change: required bool,
        /// The persistent pinUvAuthToken, once it was issued.
        6 => persistent_token: optional Secret<32>,
        /// Would the PIN complexity policy let the PIN pass?
        7 => complies: optional bool,
    }
}

message! {
    /// What authenticatorConfig sets.
    pub(crate) struct Settings<'b>: Int {
        1 => always_uv: required bool,
        /// In code points.
        2 => min_pin_length: required u64,
        /// Relying parties that may learn it.
        3 => min_pin_length_rp_ids: required List<'b, &'b str>,
        4 => long_touch_for_reset: required bool,
        5 => enterprise_attestation: optional bool,
        6 => pin_complexity_policy: optional bool,
    }
}

message! {
    /// The signature counter of everything that has none of its own.
    pub(crate) struct CounterRecord: Int {
        1 => ceiling: required u64,
    }
}

message! {
    /// Discoverable credentials in all.
    #[derive(Copy)]
    pub(crate) struct Totals: Int {
        1 => count: required u64,
        2 => next_sequence: required u64,
        /// How many relying parties they are for.
        3 => relying_parties: required u64,
        /// Drawn anew with every change of what is stored. A count would come again in a store that is put back from a
        /// copy.
        4 => change: required u64,
        /// Keys kept for credentials that are not discoverable; absent if there never was one.
        5 => kept_keys: optional u64,
    }
}

message! {
    /// What the key of a non-discoverable credential needs beside its seed.
    pub(crate) struct KeptKeyRecord<'b>: Int {
        1 => numbers: required &'b [u8],
    }
}

message! {
    /// A relying party.
    pub(crate) struct RpRecord<'b>: Int {
        /// The identifier, cut if it is longer than 255 bytes.
        1 => id: required &'b str,
        2 => count: required u64,
        /// SHA-256 of the whole identifier, if it was cut.
        3 => id_hash: optional [u8; 32],
    }
}

message! {
    /// A discoverable credential. Its identifier follows from it.
    pub(crate) struct CredentialRecord<'b>: Int {
        2 => alg: required i64,
        3 => seed: required Secret<32>,
        4 => user_id: required &'b [u8],
        5 => user_name: optional &'b str,
        6 => user_display_name: optional &'b str,
        /// Left out where it is the first level.
        7 => cred_protect: optional u64,
        8 => counter_ceiling: required u64,
        /// Has it a key for the large-blob array?
        9 => large_blob_key: optional bool,
        10 => cred_blob: optional &'b [u8],
        11 => third_party_payment: optional bool,
        /// May it be backed up?
        12 => backup_eligible: optional bool,
        /// What the key needs beside its seed.
        32 => kept_key: optional &'b [u8],
    }
}

message! {
    /// The fingers that are enrolled, oldest first.
    pub(crate) struct FingersRecord<'b>: Int {
        1 => fingers: required List<'b, FingerRecord<'b>>,
    }
}

message! {
    /// One of them.
    pub(crate) struct FingerRecord<'b>: Int {
        1 => id: required &'b [u8],
        /// Empty if it has none.
        2 => name: required &'b str,
        /// The sensor's number for it.
        3 => finger: required u64,
    }
}

impl Totals {
    /// Nothing stored.
    pub(crate) const NONE: Self =
        Self { count: 0, next_sequence: 1, relying_parties: 0, change: 0, kept_keys: None };
}

/// Changes that are made together or not at all.
#[derive(Default)]
pub(crate) struct Batch(Vec<(Key, Option<Zeroizing<Vec<u8>>>)>);

impl Batch {
    pub(crate) fn put<T: Encode + ?Sized>(&mut self, key: Key, value: &T) {
        self.0.push((key, Some(Zeroizing::new(cbor::encode(value)))));
    }

    /// With the tries, which a former build has in this record: they were lost else.
    pub(crate) fn put_pin(&mut self, pin: &PinRecord, tries: Tries) {
        self.put(PIN, pin);
        self.put_tries(tries);
    }

    pub(crate) fn put_tries(&mut self, tries: Tries) {
        self.0.push((TRIES, Some(Zeroizing::new(tries.stored().to_vec()))));
    }

    pub(crate) fn delete(&mut self, key: Key) {
        self.0.push((key, None));
    }
}

/// The store behind its seals.
pub(crate) struct Records<S: Store> {
    store: S,
    root: RootKey,
    device: Sealer,
    epoch: Epoch,
    failure: Option<S::Error>,
}

/// The number of an epoch, and what its secret gives.
pub(crate) struct Epoch {
    number: u32,
    sealer: Sealer,
    keys: EpochKeys,
}

impl Epoch {
    fn new(root: &RootKey, record: &EpochRecord) -> Self {
        let keys = root.epoch_keys(&record.secret);
        // Numbers wrap after four thousand million resets, when nothing of the first is left.
        let number = u32::try_from(record.number & 0xffff_ffff).unwrap_or_default();
        Self { number, sealer: Sealer::new(&keys.record), keys }
    }
}

impl<S: Store> Records<S> {
    /// The store behind the seals of this root key, with no epoch entered yet.
    pub(crate) fn new(store: S, root: RootKey) -> Self {
        let device = Sealer::new(&root.device_record_key());
        let nothing = EpochRecord { number: 0, secret: Secret::new([0; 32]), swept: true };
        let epoch = Epoch::new(&root, &nothing);
        Self { store, root, device, epoch, failure: None }
    }

    pub(crate) fn into_store(self) -> S {
        self.store
    }

    pub(crate) fn store(&self) -> &S {
        &self.store
    }

    /// What the store said when it failed last.
    pub(crate) fn take_failure(&mut self) -> Option<S::Error> {
        self.failure.take()
    }

    /// From now on records are of this epoch. Gives the former one.
    pub(crate) fn enter(&mut self, record: &EpochRecord) -> Epoch {
        core::mem::replace(&mut self.epoch, Epoch::new(&self.root, record))
    }

    /// Takes [`enter`](Self::enter) back.
    pub(crate) fn return_to(&mut self, former: Epoch) {
        self.epoch = former;
    }

    pub(crate) fn keys(&self) -> &EpochKeys {
        &self.epoch.keys
    }

    /// Is there anything in the store?
    pub(crate) fn is_empty(&mut self) -> Result<bool, Refusal> {
        let (first, last) = (Key::from_array(&[]), Key::from_array(&[0xff; Key::MAX]));
        let mut empty = true;
        let visited = self.store.each(&first..&last, &mut |_, _| {
            empty = false;
            ControlFlow::Break(())
        });
        self.checked(visited)?;
        Ok(empty)
    }

    /// The plaintext of a record.
    pub(crate) fn load(&mut self, key: &Key) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
        let mut value = Vec::new();
        let loaded = self.store.load(key, &mut value);
        if !self.checked(loaded)? {
            return Ok(None);
        }
        match self.open(key, &value) {
            Opened::Plaintext(plaintext) => Ok(Some(plaintext)),
            // What a reset left behind is not there any more.
            Opened::Leftover => Ok(None),
            Opened::Damaged => Err(Refusal::Damaged),
        }
    }

    /// The record of a relying party.
    pub(crate) fn relying_party(&mut self, rp16: &[u8; 16]) -> Result<Option<Party>, Refusal> {
        let plaintext = self.load(&rp_key(rp16))?;
        plaintext.map(|plaintext| Ok((&parse::<RpRecord<'_>>(&plaintext)?).into())).transpose()
    }

    /// Visits the living records with `keys.0 <= key < keys.1` in order, opened.
    pub(crate) fn each(
        &mut self,
        keys: (&Key, &Key),
        visit: &mut Visit<'_>,
    ) -> Result<(), Refusal> {
        let mut outcome = Ok(());
        let visited = self.store.each(keys.0..keys.1, &mut |key, value| {
            let step = match self.open(key, value) {
                Opened::Plaintext(plaintext) => visit(key, &plaintext),
                Opened::Leftover => Ok(ControlFlow::Continue(())),
                Opened::Damaged => Err(Refusal::Damaged),
            };
            step.unwrap_or_else(|refusal| {
                outcome = Err(refusal);
                ControlFlow::Break(())
            })
        });
        self.checked(visited)?;
        outcome
    }

    /// Seals the changes and makes them, all or none.
    pub(crate) fn commit<R: TryCryptoRng>(
        &mut self,
        rng: &mut R,
        mut batch: Batch,
    ) -> Result<(), Refusal> {
        batch.0.sort_by_key(|(key, _)| *key);
        let mut sealed = Vec::with_capacity(batch.0.len());
        for (key, plaintext) in &batch.0 {
            let value = plaintext.as_ref().map(|plaintext| self.seal(rng, key, plaintext));
            sealed.push((*key, value.transpose()?));
        }
        let changes: Vec<Change<'_>> = sealed
            .iter()
            .map(|(key, value)| match value {
                Some(value) => Change::Put(*key, value),
                None => Change::Delete(*key),
            })
            .collect();
        let committed = self.store.commit(&changes);
        self.checked(committed)
    }

    /// Removes up to 16 records that a reset left behind. Gives true when there are none left.
    pub(crate) fn sweep(&mut self) -> Result<bool, Refusal> {
        const PIECE: usize = 16;
        let mut found = Vec::with_capacity(PIECE);
        for first in [b"b", b"c", b"f", b"k", b"l", b"r", b"u"] {
            let last = Key::from_array(&[first[0].saturating_add(1)]);
            let visited = self.store.each(&Key::from_array(first)..&last, &mut |key, value| {
                if matches!(self.open(key, value), Opened::Leftover) {
                    found.push(*key);
                }
                if found.len() < PIECE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            self.checked(visited)?;
        }
        found.truncate(PIECE);
        let changes: Vec<Change<'_>> = found.iter().map(|key| Change::Delete(*key)).collect();
        let committed = if changes.is_empty() { Ok(()) } else { self.store.commit(&changes) };
        self.checked(committed)?;
        Ok(found.len() < PIECE)
    }

    fn seal<R: TryCryptoRng>(
        &self,
        rng: &mut R,
        key: &Key,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        if *key == TRIES {
            return Ok(tries::signed(&self.root, VERSION, plaintext));
        }
        let (sealer, number) = self.scope(key);
        let mut value = Vec::with_capacity(HEADER + crate::seal::OVERHEAD + plaintext.len());
        value.push(VERSION);
        value.extend_from_slice(&number.to_be_bytes());
        let header = value.clone();
        sealer
            .seal(rng, &[key.as_bytes(), &header], plaintext, &mut value)
            .map_err(|_| Refusal::Entropy)?;
        Ok(value)
    }

    fn open(&self, key: &Key, value: &[u8]) -> Opened {
        if *key == TRIES {
            let tries = tries::opened(&self.root, VERSION, value);
            return tries.map_or(Opened::Damaged, Opened::Plaintext);
        }
        let (sealer, number) = self.scope(key);
        let Some((header, rest)) = value.split_first_chunk::<HEADER>() else {
            return Opened::Damaged;
        };
        let [version, epoch @ ..] = *header;
        if version != VERSION {
            return Opened::Damaged;
        }
        if u32::from_be_bytes(epoch) != number {
            return Opened::Leftover;
        }
        sealer.open(&[key.as_bytes(), header], rest).map_or(Opened::Damaged, Opened::Plaintext)
    }

    fn scope(&self, key: &Key) -> (&Sealer, u32) {
        match key.as_bytes() {
            [b's', ..] => (&self.device, 0),
            _ => (&self.epoch.sealer, self.epoch.number),
        }
    }

    fn checked<T>(&mut self, result: Result<T, S::Error>) -> Result<T, Refusal> {
        result.map_err(|error| {
            let full = error.is_full();
            self.failure = Some(error);
            if full { Refusal::StoreFull } else { Refusal::Store }
        })
    }
}

/// Looks at the plaintext of a record and says whether to go on.
type Visit<'a> = dyn FnMut(&Key, &[u8]) -> Result<ControlFlow<()>, Refusal> + 'a;

/// A relying party that has discoverable credentials.
pub(crate) struct Party {
    /// The identifier, perhaps cut.
    pub(crate) id: String,
    pub(crate) id_hash: [u8; 32],
    pub(crate) credentials: u64,
}

impl From<&RpRecord<'_>> for Party {
    fn from(record: &RpRecord<'_>) -> Self {
        let id_hash = record.id_hash.unwrap_or_else(|| sha256(record.id));
        Self { id: record.id.into(), id_hash, credentials: record.count }
    }
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

impl Party {
    pub(crate) fn record(&self) -> RpRecord<'_> {
        let whole = sha256(&self.id) == self.id_hash;
        let id_hash = (!whole).then_some(self.id_hash);
        RpRecord { id: &self.id, count: self.credentials, id_hash }
    }
}

enum Opened {
    Plaintext(Zeroizing<Vec<u8>>),
    /// Of an epoch that is over.
    Leftover,
    Damaged,
}

/// Reads a record. It was sealed, so what does not read was written by something else.
pub(crate) fn parse<'b, T: Decode<'b>>(plaintext: &'b [u8]) -> Result<T, Refusal> {
    T::decode(&mut Decoder::new(plaintext)).map_err(|_| Refusal::Damaged)
}
