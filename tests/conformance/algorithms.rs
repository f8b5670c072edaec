//! The signature algorithms (ALG): each one's life, and which of them a request gets.

mod choice;
mod kept;
mod size;

use softkey_tests::cbor::{Value, map};
use softkey_tests::key::{Setup, beyond_a_board};
use softkey_tests::parts::sha256;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::CM;
use softkey_tests::request::{alg, algorithms, cm, command, mc};
use softkey_tests::status::{CREDENTIAL_EXCLUDED, NO_CREDENTIALS, SUCCESS};
use softkey_tests::{Key, Request};

use super::hmac_secret;

/// Why a test is not of a board.
const OTHER_ALGORITHM: &str = "an algorithm that the board has not";

/// What a COSE key of an algorithm is, and what its owner must do to have it.
#[derive(Clone, Copy)]
struct Kind {
    alg: i64,
    /// kty, then crv of a curve, then the lengths of the byte strings.
    form: (i64, Option<i64>, &'static [usize]),
    /// How long a signature can be.
    signature: (usize, usize),
    /// The list to give the key; empty: the default one.
    listed: &'static [i64],
}

const fn curve(alg: i64, crv: i64, field: &'static [usize], signature: usize) -> Kind {
    // DER leaves leading zeros out, so signatures may be some bytes shorter.
    let signature = (signature - 12, signature);
    Kind { alg, form: (2, Some(crv), field), signature, listed: &[] }
}

const ES256: Kind = curve(alg::ES256, 1, &[32, 32], 72);
const ES384: Kind = curve(alg::ES384, 2, &[48, 48], 104);
const ES512: Kind = curve(alg::ES512, 3, &[66, 66], 139);
const ES256K: Kind = curve(alg::ES256K, 8, &[32, 32], 72);
const ESP256: Kind = Kind { alg: alg::ESP256, ..ES256 };
const ESP384: Kind = Kind { alg: alg::ESP384, ..ES384 };
const ESP512: Kind = Kind { alg: alg::ESP512, ..ES512 };
const EDDSA: Kind =
    Kind { alg: alg::EDDSA, form: (1, Some(6), &[32]), signature: (64, 64), listed: &[] };
const ED25519: Kind = Kind { alg: alg::ED25519, ..EDDSA };

const RS256: Kind = Kind {
    alg: alg::RS256,
    form: (3, None, &[256, 3]),
    signature: (256, 256),
    listed: &[alg::ES256, alg::RS256],
};
const ML_DSA_44: Kind = ml_dsa(alg::ML_DSA_44, &[1312], 2420);
const ML_DSA_65: Kind = ml_dsa(alg::ML_DSA_65, &[1952], 3309);
const ML_DSA_87: Kind = ml_dsa(alg::ML_DSA_87, &[2592], 4627);

const fn ml_dsa(alg: i64, public: &'static [usize], signature: usize) -> Kind {
    let listed = &[alg::ES256, alg::ML_DSA_44, alg::ML_DSA_65, alg::ML_DSA_87];
    Kind { alg, form: (7, None, public), signature: (signature, signature), listed }
}

impl Kind {
    fn setup(self) -> Setup {
        if ![alg::ES256, alg::EDDSA, alg::ESP256, alg::ED25519].contains(&self.alg) {
            beyond_a_board(OTHER_ALGORITHM);
        }
        Setup { algorithms: self.listed, ..Setup::default() }
    }

    fn request(self) -> Request {
        Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[self.alg]))
    }

    /// The members of the key are those of its type, and no others.
    #[track_caller]
    fn check_key(self, key: &Value) {
        let (kty, crv, lengths) = self.form;
        assert_eq!((key.get(1).int(), key.get(3).int()), (kty, self.alg));
        assert_eq!(crv.map(|_| key.get(-1).int()), crv, "the curve");
        let strings = key.entries().iter().skip(2 + usize::from(crv.is_some()));
        let found: Vec<_> = strings.map(|(_, value)| value.bytes().len()).collect();
        assert_eq!(found, lengths, "the lengths of what the key holds");
    }

    #[track_caller]
    fn check_signature(self, signature: &[u8]) {
        let (least, most) = self.signature;
        assert!((least..=most).contains(&signature.len()), "{} bytes", signature.len());
    }
}

/// Registers, signs in, goes on after a power cycle with the counter growing, and is gone after a reset.
fn lives(kind: Kind) {
    for rk in [false, true] {
        let mut key = Key::new(kind.setup());
        let made = key.make(&kind.request().option("rk", rk));
        kind.check_key(made.public_key());
        let mut last = made.auth_data.sign_count;
        for cycle in 0..2 {
            for _ in 0..2 {
                let assertion = key.assertion_by(&made, &made.get());
                kind.check_signature(assertion.answer.get(3).bytes());
                assert!(assertion.auth_data.sign_count > last, "the counter grows");
                last = assertion.auth_data.sign_count;
            }
            let excluding = kind.request().with(
                mc::EXCLUDE_LIST,
                Value::Array(vec![softkey_tests::request::descriptor(made.id())]),
            );
            assert_eq!(key.status(&excluding), CREDENTIAL_EXCLUDED, "cycle {cycle}");
            key.power_cycle();
        }
        assert_eq!(key.status_of(&[command::RESET]), SUCCESS);
        assert_eq!(key.status(&made.get()), NO_CREDENTIALS);
        key.power_cycle();
        assert_eq!(key.status(&made.get()), NO_CREDENTIALS);
    }
}

/// Attests itself with its own signature; the statement's algorithm is the key's. (`make` checks both.)
fn attests_itself(kind: Kind) {
    let mut key = Key::new(Setup { self_attestation: true, ..kind.setup() });
    for rk in [false, true] {
        let made = key.make(&kind.request().option("rk", rk));
        let statement = made.answer.get(3);
        assert_eq!(statement.get("alg").int(), kind.alg);
        kind.check_signature(statement.get("sig").bytes());
        assert_eq!(statement.at("x5c"), None);
    }
}

/// Is attested by the batch key, which signs with ES256 whatever the credential does.
fn is_attested_by_the_batch(kind: Kind) {
    let mut key = Key::new(kind.setup());
    let made = key.make(&kind.request());
    assert_eq!(made.answer.get(3).get("alg").int(), alg::ES256);
    assert_eq!(made.answer.get(3).get("x5c").items().len(), 1);
}

/// Credential management shows the key of the creation.
fn is_shown_by_credential_management(kind: Kind) {
    let mut key = Key::new(kind.setup());
    let made = key.make(&kind.request().discoverable());
    key.make(&kind.request());
    key.set_pin("1234");
    key.power_cycle();
    let token = key.token(Protocol::Two, "1234", CM, None).unwrap();
    let begin = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN)
        .with(cm::PARAMS, map([(1, sha256(b"example.com"))]))
        .managed(&token);
    let entry = key.ok(&begin);
    assert_eq!(entry.get(9).uint(), 1, "the one that is discoverable");
    assert_eq!(entry.get(8).encode(), made.public_key().encode());
}

/// hmac-secret gives the same after a power cycle, and the credential signs beside it.
fn has_hmac_secret(kind: Kind) {
    for rk in [false, true] {
        let mut key = Key::new(kind.setup());
        let made = key.make(&kind.request().option("rk", rk).extension("hmac-secret", true));
        assert_eq!(made.auth_data.extension("hmac-secret"), Some(&Value::from(true)));
        let first = hmac_secret::secret(&mut key, Protocol::Two, &made, &made.get(), &[7; 32]);
        key.power_cycle();
        let second = hmac_secret::secret(&mut key, Protocol::Two, &made, &made.get(), &[7; 32]);
        assert_eq!((first.len(), &first), (32, &second));
    }
}

macro_rules! for_each_algorithm {
    ($($name:ident: $kind:expr;)*) => {
        $(
            mod $name {
                use super::*;

                /// ALG-02, ALG-04, MC-53, GA-03.
                #[test]
                fn lives() {
                    super::lives($kind);
                }

                /// ALG-03, MC-55, CT-MC-Resp-1-self.
                #[test]
                fn attests_itself() {
                    super::attests_itself($kind);
                }

                /// ALG-03, MC-54, CT-MC-Resp-1-algorithms.
                #[test]
                fn is_attested_by_the_batch() {
                    super::is_attested_by_the_batch($kind);
                }

                /// ALG-05, CM-15.
                #[test]
                fn is_shown_by_credential_management() {
                    super::is_shown_by_credential_management($kind);
                }

                /// ALG-06, XH-04.
                #[test]
                fn has_hmac_secret() {
                    super::has_hmac_secret($kind);
                }
            }
        )*
    };
}

for_each_algorithm! {
    es256: ES256;
    eddsa: EDDSA;
    es384: ES384;
    es512: ES512;
    es256k: ES256K;
    esp256: ESP256;
    ed25519: ED25519;
    esp384: ESP384;
    esp512: ESP512;
    rs256: RS256;
    ml_dsa_44: ML_DSA_44;
    ml_dsa_65: ML_DSA_65;
    ml_dsa_87: ML_DSA_87;
}
