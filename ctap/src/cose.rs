//! COSE keys and algorithm identifiers (RFC 9052, RFC 9053, RFC 9864).

use crate::cbor::{Decode, DecodeError, Decoder, Encode, Encoder, Label};
use crate::message;

/// COSE algorithm identifiers.
pub mod algorithm {
    /// ECDSA with P-256 and SHA-256.
    pub const ES256: i64 = -7;
    /// `EdDSA`; here always Ed25519.
    pub const EDDSA: i64 = -8;
    /// ES256 with its curve in the name.
    pub const ESP256: i64 = -9;
    /// Ed25519 with its curve in the name.
    pub const ED25519: i64 = -19;
    /// Key agreement of the PIN/UV auth protocols.
    pub const ECDH_ES_HKDF_256: i64 = -25;
    /// ECDSA with P-384 and SHA-384.
    pub const ES384: i64 = -35;
    /// ECDSA with P-521 and SHA-512.
    pub const ES512: i64 = -36;
    /// ECDSA with secp256k1 and SHA-256.
    pub const ES256K: i64 = -47;
    /// ML-DSA-44.
    pub const ML_DSA_44: i64 = -48;
    /// ML-DSA-65.
    pub const ML_DSA_65: i64 = -49;
    /// ML-DSA-87.
    pub const ML_DSA_87: i64 = -50;
    /// ES384 with its curve in the name.
    pub const ESP384: i64 = -51;
    /// ES512 with its curve in the name.
    pub const ESP512: i64 = -52;
    /// `EdDSA` with Ed448.
    pub const ED448: i64 = -53;
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub const RS256: i64 = -257;

    /// The registered names.
    const NAMES: [(i64, &str); 15] = [
        (ES256, "ES256"),
        (EDDSA, "EdDSA"),
        (ESP256, "ESP256"),
        (ED25519, "Ed25519"),
        (ECDH_ES_HKDF_256, "ECDH-ES + HKDF-256"),
        (ES384, "ES384"),
        (ES512, "ES512"),
        (ES256K, "ES256K"),
        (ML_DSA_44, "ML-DSA-44"),
        (ML_DSA_65, "ML-DSA-65"),
        (ML_DSA_87, "ML-DSA-87"),
        (ESP384, "ESP384"),
        (ESP512, "ESP512"),
        (ED448, "Ed448"),
        (RS256, "RS256"),
    ];

    /// The name that an algorithm is registered under, if it is one of these.
    #[must_use]
    pub fn name(id: i64) -> Option<&'static str> {
        NAMES.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
    }

    /// The algorithm of this name, in capitals or not, if it is one of these.
    #[must_use]
    pub fn from_name(name: &str) -> Option<i64> {
        NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(id, _)| *id)
    }
}

/// COSE key types and curves.
pub mod key {
    /// Octet key pair.
    pub const OKP: i64 = 1;
    /// Elliptic curve with both coordinates.
    pub const EC2: i64 = 2;
    /// RSA.
    pub const RSA: i64 = 3;
    /// Algorithm key pair.
    pub const AKP: i64 = 7;
    /// The curve P-256.
    pub const P256: i64 = 1;
    /// The curve P-384.
    pub const P384: i64 = 2;
    /// The curve P-521.
    pub const P521: i64 = 3;
    /// The curve Ed25519.
    pub const ED25519: i64 = 6;
    /// The curve Ed448.
    pub const ED448: i64 = 7;
    /// The curve secp256k1.
    pub const SECP256K1: i64 = 8;
}

message! {
    /// A key-agreement key of the PIN/UV auth protocols. Only types are judged while decoding; whether it is a
    /// point of P-256 is for the protocol to say.
    pub struct KeyAgreementKey<'b>: Int {
        /// The key type, [`key::EC2`].
        1 => kty: optional i64,
        /// [`algorithm::ECDH_ES_HKDF_256`].
        3 => alg: optional i64,
        /// The curve, [`key::P256`].
        -1 => crv: optional i64,
        /// The x-coordinate, 32 bytes, big-endian.
        -2 => x: optional &'b [u8],
        /// The y-coordinate, 32 bytes, big-endian.
        -3 => y: optional &'b [u8],
    }
}

impl<'b> KeyAgreementKey<'b> {
    /// The key with these coordinates.
    #[must_use]
    pub const fn new(x: &'b [u8; 32], y: &'b [u8; 32]) -> Self {
        Self {
            kty: Some(key::EC2),
            alg: Some(algorithm::ECDH_ES_HKDF_256),
            crv: Some(key::P256),
            x: Some(x),
            y: Some(y),
        }
    }

    /// The coordinates, if type, curve and lengths are right.
    #[must_use]
    pub fn coordinates(&self) -> Option<(&'b [u8; 32], &'b [u8; 32])> {
        if self.kty != Some(key::EC2) || self.crv != Some(key::P256) {
            return None;
        }
        Some((self.x?.try_into().ok()?, self.y?.try_into().ok()?))
    }
}

/// The public key of a credential, as attested credential data carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum PublicKey<'b> {
    /// A point with both coordinates: 32, 48 or 66 bytes each, leading zeros kept.
    Ec2 {
        /// The algorithm.
        alg: i64,
        /// The curve.
        crv: i64,
        /// The x-coordinate.
        x: &'b [u8],
        /// The y-coordinate.
        y: &'b [u8],
    },
    /// An Edwards curve point, 32 or 57 bytes.
    Okp {
        /// The algorithm.
        alg: i64,
        /// The curve.
        crv: i64,
        /// The public key.
        x: &'b [u8],
    },
    /// An RSA key.
    Rsa {
        /// The algorithm.
        alg: i64,
        /// The modulus, big-endian.
        n: &'b [u8],
        /// The public exponent, big-endian.
        e: &'b [u8],
    },
    /// A key whose form its algorithm decides (ML-DSA).
    Akp {
        /// The algorithm.
        alg: i64,
        /// The public key.
        public: &'b [u8],
    },
}

impl PublicKey<'_> {
    /// The algorithm.
    #[must_use]
    pub const fn alg(&self) -> i64 {
        match *self {
            Self::Ec2 { alg, .. }
            | Self::Okp { alg, .. }
            | Self::Rsa { alg, .. }
            | Self::Akp { alg, .. } => alg,
        }
    }
}

impl Encode for PublicKey<'_> {
    fn encode(&self, into: &mut Encoder) {
        let (members, kty) = match self {
            Self::Ec2 { .. } => (5, key::EC2),
            Self::Okp { .. } => (4, key::OKP),
            Self::Rsa { .. } => (4, key::RSA),
            Self::Akp { .. } => (3, key::AKP),
        };
        into.map(members);
        (1_u64, kty).encode_into(into);
        (3_u64, self.alg()).encode_into(into);
        match *self {
            Self::Ec2 { crv, x, y, .. } => {
                (-1_i64, crv).encode_into(into);
                (-2_i64, x).encode_into(into);
                (-3_i64, y).encode_into(into);
            }
            Self::Okp { crv, x, .. } => {
                (-1_i64, crv).encode_into(into);
                (-2_i64, x).encode_into(into);
            }
            Self::Rsa { n, e, .. } => {
                (-1_i64, n).encode_into(into);
                (-2_i64, e).encode_into(into);
            }
            Self::Akp { public, .. } => (-1_i64, public).encode_into(into),
        }
    }
}

/// A key and its value.
trait Entry {
    fn encode_into(&self, into: &mut Encoder);
}

impl<K: Encode, V: Encode> Entry for (K, V) {
    fn encode_into(&self, into: &mut Encoder) {
        self.0.encode(into);
        self.1.encode(into);
    }
}

/// A member that the key type needs and the map has not is [`DecodeError::Missing`]; a member of another type
/// (such as the y-coordinate of a compressed point) or an unknown key type is [`DecodeError::UnexpectedType`].
/// Labels that the key type does not define are passed over.
impl<'b> Decode<'b> for PublicKey<'b> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        let mut members = Members::default();
        from.entries(|label, from| members.read(label, from))?;
        let kty = members.kty.ok_or(DecodeError::Missing)?;
        let alg = members.alg.ok_or(DecodeError::Missing)?;
        let second = members.second.ok_or(DecodeError::Missing);
        match kty {
            key::EC2 => Ok(Self::Ec2 {
                alg,
                crv: members.curve()?,
                x: second?,
                y: members.third.ok_or(DecodeError::Missing)?,
            }),
            key::OKP => Ok(Self::Okp { alg, crv: members.curve()?, x: second? }),
            key::RSA => Ok(Self::Rsa { alg, n: members.bytes()?, e: second? }),
            key::AKP => Ok(Self::Akp { alg, public: members.bytes()? }),
            _ => Err(DecodeError::UnexpectedType),
        }
    }
}

/// What the labels hold before the key type says what they mean.
#[derive(Default)]
struct Members<'b> {
    kty: Option<i64>,
    alg: Option<i64>,
    first: Option<First<'b>>,
    second: Option<&'b [u8]>,
    third: Option<&'b [u8]>,
}

/// Label -1.
#[derive(Clone, Copy)]
enum First<'b> {
    Curve(i64),
    Bytes(&'b [u8]),
}

impl<'b> Members<'b> {
    fn read(&mut self, label: Label<'b>, from: &mut Decoder<'b>) -> Result<bool, DecodeError> {
        match label {
            Label::Int(1) => self.kty = Some(from.integer()?),
            Label::Int(3) => self.alg = Some(from.integer()?),
            Label::Int(-1) if from.rest().first().is_some_and(|head| head >> 5 == 2) => {
                self.first = Some(First::Bytes(from.bytes()?));
            }
            Label::Int(-1) => self.first = Some(First::Curve(from.integer()?)),
            Label::Int(-2) => self.second = Some(from.bytes()?),
            Label::Int(-3) => self.third = Some(from.bytes()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn curve(&self) -> Result<i64, DecodeError> {
        match self.first {
            Some(First::Curve(crv)) => Ok(crv),
            Some(First::Bytes(_)) => Err(DecodeError::UnexpectedType),
            None => Err(DecodeError::Missing),
        }
    }

    fn bytes(&self) -> Result<&'b [u8], DecodeError> {
        match self.first {
            Some(First::Bytes(bytes)) => Ok(bytes),
            Some(First::Curve(_)) => Err(DecodeError::UnexpectedType),
            None => Err(DecodeError::Missing),
        }
    }
}
