//! Credentials: their identifiers, and how an identifier becomes a credential again.
//!
//! An identifier is `version (1) | nonce (24) | ciphertext (56) | tag (16)`, 97 bytes, whatever it stands for. Sealed
//! inside are kind, level, flags, algorithm, what stands for the relying party, and 32 bytes: of a non-discoverable
//! credential its seed, so that nothing is stored; of a discoverable one its place in the store, and its nonce follows
//! from its seed, so that the identifier is made again from the record and takes no room there. An identifier is good
//! for one relying party and one epoch.

use alloc::string::String;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::Secret;
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::counter;
use crate::kept_keys;
use crate::key_pair::PrivateKey;
use crate::keys::{expand, expand_into};
use crate::records::{self, CredentialRecord, Records};
use crate::refusal::Refusal;
use crate::seal::{NONCE, OVERHEAD, Sealer};
use crate::store::Store;

const VERSION: u8 = 1;
const META: usize = 8;
const RP: usize = 16;
const SECRET: usize = 32;

/// Flags inside an identifier.
const THIRD_PARTY_PAYMENT: u8 = 0x01;
const BACKUP_ELIGIBLE: u8 = 0x02;

/// The length of every identifier, in bytes.
pub(crate) const ID_LEN: usize = 1 + OVERHEAD + META + RP + SECRET;

/// The level that credProtect sets (`CTAP` 2.3, extension credProtect).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protection {
    Optional = 1,
    OptionalWithList = 2,
    Required = 3,
}

impl Protection {
    /// What is kept of it: nothing of the first level, as most credentials have that.
    const fn to_record(self) -> Option<u64> {
        match self {
            Self::Optional => None,
            higher => Some(higher.number() as u64),
        }
    }

    pub(crate) const fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Optional),
            2 => Some(Self::OptionalWithList),
            3 => Some(Self::Required),
            _ => None,
        }
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Optional => 1,
            Self::OptionalWithList => 2,
            Self::Required => 3,
        }
    }
}

/// How a credential is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In its identifier.
    Wrapped,
    /// In its identifier, made by U2F.
    U2f,
    /// In the store, under this sequence number.
    Discoverable(u64),
}

/// Where a discoverable credential lies in the store.
pub(crate) struct Place {
    /// Stands for the relying party.
    pub(crate) rp16: [u8; RP],
    pub(crate) sequence: u64,
}

/// A credential, whole.
pub(crate) struct Credential {
    pub(crate) id: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) algorithm: Algorithm,
    pub(crate) protection: Protection,
    pub(crate) seed: Secret<32>,
    /// Whose it is; discoverable credentials only.
    pub(crate) user: Option<Account>,
    /// The ceiling of its own signature counter; discoverable credentials only.
    pub(crate) counter_ceiling: u32,
    /// Was it made with a key for the large-blob array?
    pub(crate) has_large_blob_key: bool,
    /// What was given to be kept with it; discoverable credentials only.
    pub(crate) cred_blob: Option<Vec<u8>>,
    /// May others than its relying party use it for payment?
    pub(crate) third_party_payment: bool,
    /// May it be backed up? Fixed when it is made.
    pub(crate) backup_eligible: bool,
    /// What its key needs beside the seed, if that alone does not give it in a signature's time.
    pub(crate) kept_key: Option<Zeroizing<Vec<u8>>>,
}

/// A user as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: Vec<u8>,
    pub(crate) name: Option<String>,
    pub(crate) display_name: Option<String>,
}

impl Credential {
    /// May this credential be seen by a request with or without user verification, named in a list or not?
    pub(crate) fn visible(&self, verified: bool, listed: bool) -> bool {
        match self.protection {
            Protection::Optional => true,
            Protection::OptionalWithList => verified || listed,
            Protection::Required => verified,
        }
    }

    /// What it signs with.
    pub(crate) fn private_key(&self) -> Result<PrivateKey, Refusal> {
        match &self.kept_key {
            Some(numbers) => PrivateKey::from_kept(self.algorithm, &self.seed, numbers),
            None => PrivateKey::from_seed(self.algorithm, &self.seed),
        }
    }

    /// CredRandomWithUV or CredRandomWithoutUV of hmac-secret.
    pub(crate) fn cred_random(&self, verified: bool) -> Secret<32> {
        let label: &[u8] = if verified { b"CredRandomWithUV" } else { b"CredRandomWithoutUV" };
        expand(&self.seed, &[label])
    }

    /// Its key for the large-blob array, if it was made with one.
    pub(crate) fn large_blob_key(&self) -> Option<[u8; 32]> {
        self.has_large_blob_key.then(|| *expand(&self.seed, &[b"largeBlobKey"]).expose())
    }

    /// The record of a discoverable credential, for as long as it is written.
    pub(crate) fn record(&self) -> Option<CredentialRecord<'_>> {
        let user = self.user.as_ref()?;
        Some(CredentialRecord {
            alg: self.algorithm.id(),
            seed: self.seed.clone(),
            user_id: &user.id,
            user_name: user.name.as_deref(),
            user_display_name: user.display_name.as_deref(),
            cred_protect: self.protection.to_record(),
            counter_ceiling: counter::stored(self.counter_ceiling),
            large_blob_key: self.has_large_blob_key.then_some(true),
            cred_blob: self.cred_blob.as_deref(),
            third_party_payment: self.third_party_payment.then_some(true),
            backup_eligible: self.backup_eligible.then_some(true),
            kept_key: self.kept_key.as_ref().map(|numbers| numbers.as_slice()),
        })
    }

    /// The credential that the record at this place holds; its identifier is sealed under `id_key`.
    pub(crate) fn from_record(
        record: &CredentialRecord<'_>,
        place: &Place,
        id_key: &Secret<32>,
    ) -> Result<Self, Refusal> {
        let inside = Inside {
            kind: Kind::Discoverable(place.sequence),
            algorithm: Algorithm::from_id(record.alg).ok_or(Refusal::Damaged)?,
            protection: Protection::from_number(record.cred_protect.unwrap_or(1))
                .ok_or(Refusal::Damaged)?,
            third_party_payment: record.third_party_payment == Some(true),
            backup_eligible: record.backup_eligible == Some(true),
            rp16: place.rp16,
            secret: Inside::NO_SECRET,
        };
        Ok(Self {
            id: inside.seal_for(id_key, &record.seed)?,
            kind: inside.kind,
            algorithm: inside.algorithm,
            protection: inside.protection,
            seed: record.seed.clone(),
            user: Some(Account {
                id: record.user_id.to_vec(),
                name: record.user_name.map(String::from),
                display_name: record.user_display_name.map(String::from),
            }),
            counter_ceiling: counter::from_stored(record.counter_ceiling)
                .ok_or(Refusal::Damaged)?,
            has_large_blob_key: record.large_blob_key == Some(true),
            cred_blob: record.cred_blob.map(<[u8]>::to_vec),
            third_party_payment: inside.third_party_payment,
            backup_eligible: inside.backup_eligible,
            kept_key: record.kept_key.map(|numbers| Zeroizing::new(numbers.to_vec())),
        })
    }
}

/// The sealed part of an identifier.
pub(crate) struct Inside {
    pub(crate) kind: Kind,
    pub(crate) algorithm: Algorithm,
    pub(crate) protection: Protection,
    pub(crate) third_party_payment: bool,
    pub(crate) backup_eligible: bool,
    /// Stands for the relying party.
    pub(crate) rp16: [u8; RP],
    /// The seed; of a discoverable credential [`Inside::NO_SECRET`], whose first bytes give way to its sequence number.
    pub(crate) secret: Secret<SECRET>,
}

impl Inside {
    /// In the seed's place where the seed is stored.
    pub(crate) const NO_SECRET: Secret<SECRET> = Secret::new([0; SECRET]);

    /// Makes the identifier of a credential that is nowhere else.
    pub(crate) fn seal<R: TryCryptoRng>(
        &self,
        key: &Secret<32>,
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        let (plaintext, mut id) = self.unsealed()?;
        let sealed = Sealer::new(key).seal(rng, &[&[VERSION]], &plaintext, &mut id);
        sealed.map_err(|_| Refusal::Entropy)?;
        Ok(id)
    }

    /// Makes the identifier of the discoverable credential with this seed, which is always the same one. Nothing in
    /// it may change while the seed stays: the nonce would be used twice.
    pub(crate) fn seal_for(&self, key: &Secret<32>, seed: &Secret<32>) -> Result<Vec<u8>, Refusal> {
        let (plaintext, mut id) = self.unsealed()?;
        let mut nonce = [0; NONCE];
        expand_into(seed, &[b"credential id nonce"], &mut nonce);
        Sealer::new(key).seal_under(&nonce, &[&[VERSION]], &plaintext, &mut id);
        Ok(id)
    }

    /// What is to be sealed, and the identifier as far as it stands before that.
    fn unsealed(&self) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), Refusal> {
        let (kind, sequence) = match self.kind {
            Kind::Wrapped => (0, None),
            Kind::Discoverable(sequence) => (1, Some(sequence)),
            Kind::U2f => (2, None),
        };
        let alg = i32::try_from(self.algorithm.id()).map_err(|_| Refusal::UnsupportedAlgorithm)?;
        let flag = |set, flag| if set { flag } else { 0 };
        let flags = flag(self.third_party_payment, THIRD_PARTY_PAYMENT)
            | flag(self.backup_eligible, BACKUP_ELIGIBLE);
        let mut plaintext = Zeroizing::new(Vec::with_capacity(META + RP + SECRET));
        plaintext.extend_from_slice(&[kind, self.protection.number(), flags, 0]);
        plaintext.extend_from_slice(&alg.to_be_bytes());
        plaintext.extend_from_slice(&self.rp16);
        // A sequence number takes the place of the first bytes of the secret.
        plaintext.extend(sequence.iter().flat_map(|sequence| sequence.to_be_bytes()));
        let skip = plaintext.len().saturating_sub(META + RP);
        plaintext.extend(self.secret.expose().iter().skip(skip));
        let mut id = Vec::with_capacity(ID_LEN);
        id.push(VERSION);
        Ok((plaintext, id))
    }

    /// What an identifier holds; nothing if it is not of this authenticator and epoch.
    pub(crate) fn open(key: &Secret<32>, id: &[u8]) -> Option<Self> {
        let (&version, sealed) = id.split_first()?;
        if version != VERSION || id.len() != ID_LEN {
            return None;
        }
        let plaintext = Sealer::new(key).open(&[&[VERSION]], sealed)?;
        let (&[kind, protection, flags, _, a, b, c, d], rest) =
            plaintext.split_first_chunk::<META>()?;
        let (rp16, secret) = rest.split_first_chunk::<RP>()?;
        let sequence = secret.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))?;
        let kind = match kind {
            0 => Kind::Wrapped,
            1 => Kind::Discoverable(sequence),
            2 => Kind::U2f,
            _ => return None,
        };
        Some(Self {
            kind,
            algorithm: Algorithm::from_id(i32::from_be_bytes([a, b, c, d]).into())?,
            protection: Protection::from_number(protection.into())?,
            third_party_payment: flags & THIRD_PARTY_PAYMENT != 0,
            backup_eligible: flags & BACKUP_ELIGIBLE != 0,
            rp16: *rp16,
            secret: Secret::from_slice(secret)?,
        })
    }
}

/// The credential of this relying party that the identifier stands for, if there is one.
pub(crate) fn find<S: Store>(
    records: &mut Records<S>,
    rp_id_hash: &[u8; 32],
    id: &[u8],
) -> Result<Option<Credential>, Refusal> {
    let rp16 = records.keys().rp16(rp_id_hash);
    let inside = Inside::open(&records.keys().credential_id, id);
    let Some(inside) = inside.filter(|inside| inside.rp16 == rp16) else {
        return Ok(None);
    };
    if let Kind::Discoverable(_) = inside.kind {
        return load(records, &inside, id);
    }
    let kept_key = if inside.algorithm.keeps_key() {
        let numbers = kept_keys::load(records, &rp16, id)?;
        let Some(numbers) = numbers else {
            return Ok(None);
        };
        Some(numbers)
    } else {
        None
    };
    Ok(Some(Credential {
        id: id.to_vec(),
        kind: inside.kind,
        algorithm: inside.algorithm,
        protection: inside.protection,
        seed: inside.secret,
        user: None,
        counter_ceiling: 0,
        has_large_blob_key: false,
        cred_blob: None,
        third_party_payment: inside.third_party_payment,
        backup_eligible: inside.backup_eligible,
        kept_key,
    }))
}

/// The discoverable credential that the identifier stands for, of whatever relying party, and what stands for
/// that party.
pub(crate) fn find_discoverable<S: Store>(
    records: &mut Records<S>,
    id: &[u8],
) -> Result<Option<([u8; 16], Credential)>, Refusal> {
    let Some(inside) = Inside::open(&records.keys().credential_id, id) else {
        return Ok(None);
    };
    Ok(load(records, &inside, id)?.map(|credential| (inside.rp16, credential)))
}

fn load<S: Store>(
    records: &mut Records<S>,
    inside: &Inside,
    id: &[u8],
) -> Result<Option<Credential>, Refusal> {
    let Kind::Discoverable(sequence) = inside.kind else {
        return Ok(None);
    };
    let key = records::credential_key(&inside.rp16, sequence);
    let Some(plaintext) = records.load(&key)? else {
        return Ok(None);
    };
    let place = Place { rp16: inside.rp16, sequence };
    let id_key = &records.keys().credential_id;
    let credential = Credential::from_record(&records::parse(&plaintext)?, &place, id_key)?;
    Ok((credential.id == id).then_some(credential))
}
