//! The signature algorithms: which there are, and which of them an authenticator makes credentials with.

use alloc::vec::Vec;

use softkey_ctap::cose::algorithm;

/// A signature algorithm, under the identifier that a relying party asks for.
///
/// The fully specified identifiers (RFC 9864) are algorithms of their own: a key carries the one that was asked
/// for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// `EdDSA`; here always Ed25519.
    EdDsa,
    /// ECDSA with P-384 and SHA-384.
    #[cfg(feature = "p384")]
    Es384,
    /// ECDSA with P-521 and SHA-512.
    #[cfg(feature = "p521")]
    Es512,
    /// ECDSA with secp256k1 and SHA-256.
    #[cfg(feature = "k256")]
    Es256k,
    /// RSASSA-PKCS1-v1_5 with SHA-256 and 2048 bits.
    #[cfg(feature = "rsa")]
    Rs256,
    /// ML-DSA-44.
    #[cfg(feature = "ml-dsa")]
    MlDsa44,
    /// ML-DSA-65.
    #[cfg(feature = "ml-dsa")]
    MlDsa65,
    /// ML-DSA-87.
    #[cfg(feature = "ml-dsa")]
    MlDsa87,
    /// ES256 with its curve in the name.
    Esp256,
    /// Ed25519 with its curve in the name.
    Ed25519,
    /// ES384 with its curve in the name.
    #[cfg(feature = "p384")]
    Esp384,
    /// ES512 with its curve in the name.
    #[cfg(feature = "p521")]
    Esp512,
}

/// What an authenticator lists unless its owner says otherwise.
const DEFAULT: &[Algorithm] = &[
    Algorithm::Es256,
    Algorithm::EdDsa,
    #[cfg(feature = "p384")]
    Algorithm::Es384,
    #[cfg(feature = "p521")]
    Algorithm::Es512,
    #[cfg(feature = "k256")]
    Algorithm::Es256k,
];

impl Algorithm {
    /// Every algorithm of this build.
    pub const ALL: &[Self] = &[
        Self::Es256,
        Self::EdDsa,
        #[cfg(feature = "p384")]
        Self::Es384,
        #[cfg(feature = "p521")]
        Self::Es512,
        #[cfg(feature = "k256")]
        Self::Es256k,
        #[cfg(feature = "rsa")]
        Self::Rs256,
        #[cfg(feature = "ml-dsa")]
        Self::MlDsa44,
        #[cfg(feature = "ml-dsa")]
        Self::MlDsa65,
        #[cfg(feature = "ml-dsa")]
        Self::MlDsa87,
        Self::Esp256,
        Self::Ed25519,
        #[cfg(feature = "p384")]
        Self::Esp384,
        #[cfg(feature = "p521")]
        Self::Esp512,
    ];

    /// The algorithm with this COSE identifier, if this build has it.
    #[must_use]
    pub fn from_id(id: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.id() == id)
    }

    /// Its COSE identifier.
    #[must_use]
    pub const fn id(self) -> i64 {
        match self {
            Self::Es256 => algorithm::ES256,
            Self::EdDsa => algorithm::EDDSA,
            #[cfg(feature = "p384")]
            Self::Es384 => algorithm::ES384,
            #[cfg(feature = "p521")]
            Self::Es512 => algorithm::ES512,
            #[cfg(feature = "k256")]
            Self::Es256k => algorithm::ES256K,
            #[cfg(feature = "rsa")]
            Self::Rs256 => algorithm::RS256,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa44 => algorithm::ML_DSA_44,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa65 => algorithm::ML_DSA_65,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa87 => algorithm::ML_DSA_87,
            Self::Esp256 => algorithm::ESP256,
            Self::Ed25519 => algorithm::ED25519,
            #[cfg(feature = "p384")]
            Self::Esp384 => algorithm::ESP384,
            #[cfg(feature = "p521")]
            Self::Esp512 => algorithm::ESP512,
        }
    }

    /// Must something be kept beside the seed, to have the key in a signature's time?
    #[allow(clippy::unused_self, reason = "a build without RSA keeps nothing")]
    pub(crate) const fn keeps_key(self) -> bool {
        #[cfg(feature = "rsa")]
        return matches!(self, Self::Rs256);
        #[cfg(not(feature = "rsa"))]
        false
    }

    /// The longest signature, in bytes.
    pub(crate) const fn longest_signature(self) -> usize {
        match self {
            // Two numbers of 32 bytes each in DER, as with secp256k1; those of Ed25519 are shorter.
            Self::Es256 | Self::Esp256 | Self::EdDsa | Self::Ed25519 => 72,
            #[cfg(feature = "k256")]
            Self::Es256k => 72,
            #[cfg(feature = "p384")]
            Self::Es384 | Self::Esp384 => 104,
            #[cfg(feature = "p521")]
            Self::Es512 | Self::Esp512 => 139,
            #[cfg(feature = "rsa")]
            Self::Rs256 => 256,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa44 => 2420,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa65 => 3309,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa87 => 4627,
        }
    }

    /// The same algorithm under its fully specified identifier, if it has two.
    const fn twin(self) -> Option<Self> {
        match self {
            Self::Es256 => Some(Self::Esp256),
            Self::EdDsa => Some(Self::Ed25519),
            #[cfg(feature = "p384")]
            Self::Es384 => Some(Self::Esp384),
            #[cfg(feature = "p521")]
            Self::Es512 => Some(Self::Esp512),
            _ => None,
        }
    }
}

/// The algorithms that getInfo lists, best first: at least one, none twice.
///
/// New credentials are made with these and, unlisted, with the fully specified twins of these. Credentials that
/// exist already sign with whatever algorithm they were made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithms(Vec<Algorithm>);

impl Algorithms {
    /// These, in this order; nothing if there is none, or one twice.
    #[must_use]
    pub fn new(listed: &[Algorithm]) -> Option<Self> {
        let twice = (1..listed.len()).any(|i| {
            let (before, rest) = listed.split_at(i);
            rest.first().is_some_and(|algorithm| before.contains(algorithm))
        });
        (!listed.is_empty() && !twice).then(|| Self(listed.to_vec()))
    }

    /// Those that getInfo lists, in this order.
    #[must_use]
    pub fn listed(&self) -> &[Algorithm] {
        &self.0
    }

    /// The algorithm with this identifier, if new credentials may have it.
    pub(crate) fn accepted(&self, id: i64) -> Option<Algorithm> {
        let algorithm = Algorithm::from_id(id)?;
        let named = |listed: &Algorithm| *listed == algorithm || listed.twin() == Some(algorithm);
        self.0.iter().any(named).then_some(algorithm)
    }
}

/// ES256, `EdDSA`, ES384, ES512 and ES256K, as far as this build has them.
///
/// RS256 and ML-DSA are for owners who know their clients: libfido2 reads an answer into 2048 bytes, which those of
/// ML-DSA exceed, and older versions of Firefox drop a whole getInfo for one number they do not know.
impl Default for Algorithms {
    fn default() -> Self {
        Self(DEFAULT.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_lead_back_to_their_algorithms() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_id(algorithm.id()), Some(*algorithm));
        }
        assert_eq!(Algorithm::from_id(-25), None);
    }

    #[test]
    fn a_list_has_an_entry_and_none_twice() {
        use Algorithm::{EdDsa, Es256, Esp256};
        assert_eq!(Algorithms::new(&[]), None);
        assert_eq!(Algorithms::new(&[Es256, EdDsa, Es256]), None);
        assert_eq!(Algorithms::new(&[EdDsa, Es256]).unwrap().listed(), [EdDsa, Es256]);
        assert_eq!(Algorithms::new(&[Es256, Esp256]).unwrap().listed(), [Es256, Esp256]);
    }

    /// A twin is taken where its algorithm is listed, and not the other way round.
    #[test]
    fn twins_are_accepted_though_not_listed() {
        let listed = Algorithms::new(&[Algorithm::Es256, Algorithm::Ed25519]).unwrap();
        let accepted = |id| listed.accepted(id).map(Algorithm::id);
        for id in [-7, -9, -19] {
            assert_eq!(accepted(id), Some(id));
        }
        for id in [-8, -35, -51, -257, 0] {
            assert_eq!(accepted(id), None);
        }
    }
}
