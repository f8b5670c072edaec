//! The PIN/UV auth protocols against numbers of other people.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value as Json;
use softkey_ctap::Secret;
use softkey_ctap::cose::KeyAgreementKey;
use softkey_ctap::pin_uv::{KeyAgreement, Protocol, SharedSecret, pin_hash};

use crate::vectors::{array, bytes, file};

/// One test per vector, named for it, and the list of all vectors named, as JSON pointers.
macro_rules! vectors {
    ($($name:ident: $pointer:literal, $proof:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let file = file("ctap-pin-protocol.json");
                let vector = file.pointer($pointer).expect("a member of the file");
                let proof: fn(&Json, &Json) = $proof;
                proof(&file, vector);
            }
        )*

        const NAMED: &[&str] = &[$($pointer),*];
    };
}

vectors! {
    platform_public_key: "/platform_public_key", |file, vector| {
        assert_eq!(coordinates(&platform(file)), (array(&vector["x"]), array(&vector["y"])));
    };
    ecdh_z: "/ecdh_z", z;
    one_shared_secret: "/protocol1/shared_secret", |file, vector| {
        // One key for both uses: seen by what it signs and encrypts.
        let secret = shared(file, Protocol::One);
        let key = bytes(vector);
        assert_eq!(secret.authenticate(&[b"m"]), Protocol::One.authenticate(&key, &[b"m"]));
    };
    one_pin_token: "/protocol1/pin_token_enc", |file, vector| pin_token(file, vector, Protocol::One);
    one_get_pin_token: "/protocol1/get_pin_token", |file, vector| get_pin_token(file, vector, Protocol::One);
    one_set_pin: "/protocol1/set_pin", |file, vector| set_pin(file, vector, Protocol::One);
    one_change_pin: "/protocol1/change_pin", |file, vector| change_pin(file, vector, Protocol::One);
    one_client_data_hash: "/protocol1/computed_authenticate_client_data_hash", |_, vector| {
        client_data_hash(vector, Protocol::One);
    };
    two_shared_secret: "/protocol2/shared_secret_hmac_key_then_aes_key", |file, vector| {
        let secret = shared(file, Protocol::Two);
        let hmac_key: [u8; 32] = bytes(vector)[..32].try_into().unwrap();
        assert_eq!(secret.authenticate(&[b"m"]), Protocol::Two.authenticate(&hmac_key, &[b"m"]));
        // Used whole, as the standard has it: of the 64 bytes the first 32 sign.
        assert_eq!(secret.authenticate(&[b"m"]), Protocol::Two.authenticate(&bytes(vector), &[b"m"]));
    };
    two_pin_token: "/protocol2/pin_token_enc", |file, vector| pin_token(file, vector, Protocol::Two);
    two_get_pin_token: "/protocol2/get_pin_token", |file, vector| get_pin_token(file, vector, Protocol::Two);
    two_set_pin: "/protocol2/set_pin", |file, vector| set_pin(file, vector, Protocol::Two);
    two_change_pin: "/protocol2/change_pin", |file, vector| change_pin(file, vector, Protocol::Two);
    two_client_data_hash: "/protocol2/authenticate_client_data_hash", |_, vector| {
        client_data_hash(vector, Protocol::Two);
    };
    hmac_case_one: "/hmac_cases/0", |_, vector| hmac_case(vector);
    hmac_case_two: "/hmac_cases/1", |_, vector| hmac_case(vector);
}

#[test]
fn each_vector_of_the_file_has_a_test() {
    /// Inputs of the vectors, and remarks.
    const NOT_VECTORS: [&str; 7] = [
        "/source",
        "/platform_private_key",
        "/authenticator_public_key",
        "/protocol1/pin_token",
        "/protocol2/pin_token",
        "/protocol2/computed",
        "",
    ];
    let file = file("ctap-pin-protocol.json");
    let mut found = Vec::new();
    for (name, value) in file.as_object().unwrap() {
        match value {
            Json::Array(cases) => found.extend((0..cases.len()).map(|i| format!("/{name}/{i}"))),
            Json::Object(members) if name.starts_with("protocol") => {
                found.extend(members.keys().map(|member| format!("/{name}/{member}")));
            }
            _ => found.push(format!("/{name}")),
        }
    }
    found.retain(|pointer| !NOT_VECTORS.contains(&pointer.as_str()));
    found.sort_unstable();
    let mut named = NAMED.to_vec();
    named.sort_unstable();
    assert_eq!(found, named);
}

/// The file fixes the initialization vectors; so does this source of entropy.
struct Fixed<'a>(&'a [u8]);

impl TryRng for Fixed<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("nothing draws numbers here")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("nothing draws numbers here")
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        into.copy_from_slice(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Fixed<'_> {}

fn platform(file: &Json) -> KeyAgreement {
    KeyAgreement::from_bytes(&Secret::new(array(&file["platform_private_key"]))).unwrap()
}

fn coordinates(pair: &KeyAgreement) -> ([u8; 32], [u8; 32]) {
    let (x, y) = pair.public().coordinates().unwrap();
    (*x, *y)
}

/// The secret that the platform shares with the authenticator of the file.
fn shared(file: &Json, protocol: Protocol) -> SharedSecret {
    let key = &file["authenticator_public_key"];
    let (x, y) = (array(&key["x"]), array(&key["y"]));
    platform(file).shared_secret(protocol, &KeyAgreementKey::new(&x, &y)).unwrap()
}

fn members(file: &Json, protocol: Protocol) -> Json {
    file[format!("protocol{}", protocol.number())].clone()
}

/// Z itself never leaves; both protocols make the same of it as of the point.
fn z(file: &Json, vector: &Json) {
    for protocol in Protocol::ALL {
        let from_z = SharedSecret::from_z(protocol, &Secret::new(array(vector))).unwrap();
        let from_point = shared(file, protocol);
        assert_eq!(from_z.protocol(), protocol);
        assert_eq!(from_z.authenticate(&[b"m"]), from_point.authenticate(&[b"m"]));
        let iv = Fixed(&[9; 16]).0;
        assert_eq!(
            from_z.encrypt(&mut Fixed(iv), &[7; 32]),
            from_point.encrypt(&mut Fixed(iv), &[7; 32])
        );
    }
}

/// `ciphertext` is `plaintext` under the shared secret, both ways.
fn encrypts(secret: &SharedSecret, plaintext: &[u8], ciphertext: &[u8]) {
    let encrypted = secret.encrypt(&mut Fixed(&ciphertext[..16]), plaintext);
    assert_eq!(encrypted, Ok(ciphertext.to_vec()));
    assert_eq!(secret.decrypt(ciphertext).unwrap().as_slice(), plaintext);
}

/// `tag` signs the pieces, however they are cut, and nothing else does.
fn signs(secret: &SharedSecret, message: &[&[u8]], tag: &[u8]) {
    assert_eq!(secret.authenticate(message), tag);
    assert_eq!(secret.authenticate(&[&message.concat()]), tag);
    assert!(secret.verify(message, tag));
    assert!(!secret.verify(&[b"x", &message.concat()], tag));
    refuses_all_but(|wrong| secret.verify(message, wrong), tag);
}

fn refuses_all_but(verify: impl Fn(&[u8]) -> bool, tag: &[u8]) {
    for bit in 0..tag.len() * 8 {
        let mut wrong = tag.to_vec();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(&wrong), "bit {bit}");
    }
    for len in 0..tag.len() {
        assert!(!verify(&tag[..len]), "cut to {len} bytes");
    }
    assert!(!verify(&[tag, &[0]].concat()), "one byte more");
}

fn pin_token(file: &Json, vector: &Json, protocol: Protocol) {
    let token = bytes(&members(file, protocol)["pin_token"]);
    encrypts(&shared(file, protocol), &token, &bytes(vector));
}

fn get_pin_token(file: &Json, vector: &Json, protocol: Protocol) {
    let hash = pin_hash(vector["pin"].as_str().unwrap().as_bytes());
    encrypts(&shared(file, protocol), hash.expose(), &bytes(&vector["pin_hash_enc"]));
}

fn padded(pin: &Json) -> [u8; 64] {
    let pin = pin.as_str().unwrap().as_bytes();
    let mut padded = [0; 64];
    padded[..pin.len()].copy_from_slice(pin);
    padded
}

fn set_pin(file: &Json, vector: &Json, protocol: Protocol) {
    let secret = shared(file, protocol);
    let new_pin_enc = bytes(&vector["new_pin_enc"]);
    encrypts(&secret, &padded(&vector["new_pin"]), &new_pin_enc);
    signs(&secret, &[&new_pin_enc], &bytes(&vector["pin_uv_auth_param"]));
}

fn change_pin(file: &Json, vector: &Json, protocol: Protocol) {
    let secret = shared(file, protocol);
    let (new_pin_enc, pin_hash_enc) =
        (bytes(&vector["new_pin_enc"]), bytes(&vector["pin_hash_enc"]));
    encrypts(&secret, &padded(&vector["new_pin"]), &new_pin_enc);
    let old = pin_hash(vector["old_pin"].as_str().unwrap().as_bytes());
    encrypts(&secret, old.expose(), &pin_hash_enc);
    signs(&secret, &[&new_pin_enc, &pin_hash_enc], &bytes(&vector["pin_uv_auth_param"]));
}

/// The token of protocol one in the file has 16 bytes: 2.0 authenticators give such, so platforms meet them.
fn client_data_hash(vector: &Json, protocol: Protocol) {
    let (token, message) = (bytes(&vector["token"]), bytes(&vector["message"]));
    let param = bytes(&vector["param"]);
    assert_eq!(protocol.authenticate(&token, &[&message]), param);
    assert!(protocol.verify(&token, &[&message], &param));
    refuses_all_but(|wrong| protocol.verify(&token, &[&message], wrong), &param);
}

fn hmac_case(vector: &Json) {
    let protocol = Protocol::from_number(vector["protocol"].as_u64().unwrap()).unwrap();
    let secret = SharedSecret::from_z(protocol, &Secret::new(array(&vector["ecdh_z"]))).unwrap();
    signs(&secret, &[&bytes(&vector["message"])], &bytes(&vector["param"]));
}
