//! Every message, both ways, against its table: CB-13, CB-14, CB-20, and what is missing.

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use softkey_ctap::cbor::{DecodeError, Key, check, decode, encode};
use softkey_ctap::{
    attestation, bio_enrollment, client_pin, config, cose, credential_management, entities,
    extensions, get_assertion, get_info, large_blobs, make_credential,
};

use crate::canonical::{Damage, damage};
use crate::oracle::{canonical, is_canonical};
use crate::samples::{faults, full, members, thinner, with_unknown_members};
use crate::tables::{self, Kind, Label, Table};

/// What a message type does, without its type.
struct Message {
    table: &'static Table,
    keys: &'static [Key<'static>],
    /// Reads, looks at everything that is read lazily, and writes again.
    read: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
    /// Reads both; are they the same message?
    same: fn(&[u8], &[u8]) -> bool,
    /// Are there members to look at?
    lazy: bool,
}

/// The tests of each message, in a module of its name. Members in brackets are read lazily.
macro_rules! messages {
    ($($name:ident: $type:ty, $table:ident $([$($lazy:ident),*])?;)*) => {
        $(
            mod $name {
                use super::*;

                const MESSAGE: Message = Message {
                    table: &tables::$table,
                    keys: <$type>::KEYS,
                    read: |bytes| {
                        let message: $type = decode(bytes)?;
                        $($(message.$lazy.as_ref().map(|lazy| lazy.value()).transpose()?;)*)?
                        Ok(encode(&message))
                    },
                    same: |a, b| {
                        let a: $type = decode(a).unwrap();
                        let b: $type = decode(b).unwrap();
                        a == b
                    },
                    lazy: false $($(|| !stringify!($lazy).is_empty())*)?,
                };

                #[test]
                fn has_the_keys_of_the_standard() {
                    MESSAGE.has_the_keys_of_the_standard();
                }

                #[test]
                fn goes_both_ways() {
                    MESSAGE.goes_both_ways();
                }

                /// CB-13, CB-20
                #[test]
                fn names_each_fault() {
                    MESSAGE.names_each_fault();
                }

                /// CB-14
                #[test]
                fn ignores_unknown_members() {
                    MESSAGE.ignores_unknown_members();
                }

                proptest! {
                    #![proptest_config(ProptestConfig::with_cases(128))]

                    /// CB-03 to CB-11: typed reading finds malformed exactly what is not canonical.
                    #[test]
                    fn is_malformed_if_and_only_if_it_is_not_canonical(
                        data in prop::collection::vec(any::<u8>(), 0..512),
                        damages in prop::collection::vec(damage(), 0..3),
                    ) {
                        let message = <$type>::arbitrary(&mut Unstructured::new(&data)).unwrap();
                        MESSAGE.is_malformed_if_not_canonical(encode(&message), &damages);
                        let full = canonical(&full(Kind::Map(MESSAGE.table))).unwrap();
                        MESSAGE.is_malformed_if_not_canonical(full, &damages);
                    }

                    #[test]
                    fn arbitrary_values_go_both_ways(
                        data in prop::collection::vec(any::<u8>(), 0..1024),
                    ) {
                        let message = <$type>::arbitrary(&mut Unstructured::new(&data)).unwrap();
                        let bytes = encode(&message);
                        prop_assert_eq!(check(&bytes), Ok(()));
                        prop_assert!(is_canonical(&bytes));
                        let again: Result<$type, DecodeError> = decode(&bytes);
                        prop_assert_eq!(again.as_ref(), Ok(&message));
                        prop_assert_eq!(encode(&again.unwrap()), bytes);
                    }
                }
            }
        )*
    };
}

messages! {
    relying_party: entities::RelyingParty<'_>, RP;
    user: entities::User<'_>, USER;
    descriptor: entities::Descriptor<'_>, DESCRIPTOR;
    parameters: entities::Parameters<'_>, PARAMETERS;
    key_agreement: cose::KeyAgreementKey<'_>, KEY_AGREEMENT;
    make_credential_request: make_credential::Request<'_>, MAKE_CREDENTIAL;
    make_credential_options: make_credential::Options, OPTIONS;
    make_credential_response: make_credential::Response<'_>, MAKE_CREDENTIAL_RESPONSE;
    get_assertion_request: get_assertion::Request<'_>, GET_ASSERTION;
    get_assertion_response: get_assertion::Response<'_>, GET_ASSERTION_RESPONSE;
    get_info_response: get_info::Response<'_>, GET_INFO_RESPONSE;
    get_info_options: get_info::Options, GET_INFO_OPTIONS;
    client_pin_request: client_pin::Request<'_>, CLIENT_PIN;
    client_pin_response: client_pin::Response<'_>, CLIENT_PIN_RESPONSE;
    credential_management_request: credential_management::Request<'_>, CREDENTIAL_MANAGEMENT;
    credential_management_params: credential_management::Params<'_>, CREDENTIAL_MANAGEMENT_PARAMS;
    credential_management_response: credential_management::Response<'_>, CREDENTIAL_MANAGEMENT_RESPONSE;
    bio_enrollment_request: bio_enrollment::Request<'_>, BIO_ENROLLMENT;
    bio_enrollment_params: bio_enrollment::Params<'_>, BIO_ENROLLMENT_PARAMS;
    bio_enrollment_response: bio_enrollment::Response<'_>, BIO_ENROLLMENT_RESPONSE;
    template_info: bio_enrollment::TemplateInfo<'_>, TEMPLATE_INFO;
    config_request: config::Request<'_>, CONFIG;
    set_min_pin_length: config::SetMinPinLength<'_>, SET_MIN_PIN_LENGTH;
    vendor_prototype: config::VendorPrototype, VENDOR_PROTOTYPE;
    large_blobs_request: large_blobs::Request<'_>, LARGE_BLOBS;
    large_blobs_response: large_blobs::Response<'_>, LARGE_BLOBS_RESPONSE;
    large_blobs_entry: large_blobs::Entry<'_>, LARGE_BLOB_ENTRY;
    make_credential_inputs: extensions::MakeCredentialInputs<'_>, MC_INPUTS [
        uvm, cred_blob, large_blob, cred_protect, hmac_secret, large_blob_key, min_pin_length,
        hmac_secret_mc, third_party_payment, pin_complexity_policy
    ];
    make_credential_outputs: extensions::MakeCredentialOutputs<'_>, MC_OUTPUTS;
    get_assertion_inputs: extensions::GetAssertionInputs<'_>, GA_INPUTS [
        uvm, cred_blob, large_blob, hmac_secret, large_blob_key, third_party_payment
    ];
    get_assertion_outputs: extensions::GetAssertionOutputs<'_>, GA_OUTPUTS;
    unsigned_outputs: extensions::UnsignedOutputs<'_>, UNSIGNED_OUTPUTS;
    hmac_secret_input: extensions::HmacSecretInput<'_>, HMAC_SECRET;
    large_blob_support: extensions::LargeBlobSupport<'_>, LARGE_BLOB_SUPPORT;
    large_blob_access: extensions::LargeBlobAccess<'_>, LARGE_BLOB_ACCESS;
    large_blob_output: extensions::LargeBlobOutput<'_>, LARGE_BLOB;
    attestation_object: attestation::AttestationObject<'_>, ATTESTATION_OBJECT;
    packed_statement: attestation::PackedStatement<'_>, PACKED;
    fido_u2f_statement: attestation::FidoU2fStatement<'_>, FIDO_U2F;
}

impl Message {
    fn kind(&self) -> Kind {
        Kind::Map(self.table)
    }

    fn has_the_keys_of_the_standard(&self) {
        let mut wanted: Vec<Key<'_>> = members(self.table)
            .map(|(label, _)| match label {
                Label::I(number) => Key::Int(number),
                Label::T(text) => Key::Text(text),
            })
            .collect();
        let found = self.keys;
        assert_eq!(found.len(), wanted.len());
        wanted.retain(|key| !found.contains(key));
        assert_eq!(wanted, []);
    }

    fn goes_both_ways(&self) {
        for value in [vec![full(self.kind())], thinner(self.kind())].concat() {
            let bytes = canonical(&value).unwrap();
            assert_eq!((self.read)(&bytes), Ok(bytes), "{value:?}");
        }
    }

    fn is_malformed_if_not_canonical(&self, mut bytes: Vec<u8>, damages: &[Damage]) {
        for damage in damages {
            damage.clone().apply(&mut bytes);
        }
        let malformed = (self.read)(&bytes) == Err(DecodeError::Malformed);
        assert_eq!(malformed, !is_canonical(&bytes), "{bytes:02x?}");
    }

    fn names_each_fault(&self) {
        let faults = faults(self.kind(), self.lazy);
        assert!(faults.len() >= 8, "other types at least");
        for (what, value, error) in faults {
            // A wrong array or map on the fourth level is one level too many: another test's matter.
            let Some(bytes) = canonical(&value) else { continue };
            assert_eq!((self.read)(&bytes), Err(error), "{what}: {value:?}");
            // Damage outranks it, wherever it stands.
            let damaged = [&bytes[..], &[0x00]].concat();
            assert_eq!((self.read)(&damaged), Err(DecodeError::Malformed), "{what}");
        }
    }

    fn ignores_unknown_members(&self) {
        let plain = canonical(&full(self.kind())).unwrap();
        let with_unknown = with_unknown_members(self.kind());
        assert!(with_unknown.len() >= 9, "each unknown key at the top level at least");
        for value in with_unknown {
            let Some(bytes) = canonical(&value) else { continue };
            assert!((self.read)(&bytes).is_ok(), "{value:?}");
            assert!((self.same)(&bytes, &plain), "{value:?}");
        }
        // And a member that is missing is not the same.
        for value in thinner(self.kind()) {
            let bytes = canonical(&value).unwrap();
            if bytes == plain {
                continue;
            }
            assert!(!(self.same)(&bytes, &plain), "{value:?}");
        }
    }
}
