//! webauthn-rs as a relying party that trusts an attestation root: its exact answer to each format with each algorithm,
//! where the root is trusted, where another one is, and where the statement is about another client data.
//! tests/interop/README.md says why it refuses what is right.

use std::iter;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use softkey::browser::Browser;
use softkey_authenticator::{
    Algorithm, Algorithms, Attestation, AttestationFormat, AttestationRoot, Config, RootName,
    RootValidity,
};
use softkey_client::driver::Script;
use softkey_client::{Page, Profile};
use softkey_ctap::Secret;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::proto::{
    AttestationCaList, AttestationConveyancePreference, AttestationFormat as Accepted,
    COSEAlgorithm, RegistrationState,
};

use super::{ORIGIN, creation, party};

const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa, Algorithm::Rs256];

/// The errors of the library by their names, for some carry texts of OpenSSL's.
const UNTRUSTED: &str = "AttestationChainNotTrusted";
const NO_CHECK: &str = "COSEKeyInvalidType";
const OTHER_SIGNED: &str = "AttestationStatementSigInvalid";
const OTHER_NONCE: &str = "AttestationCertificateNonceMismatch";
const SHORT_COORDINATE: &str = "COSEKeyECDSAXYInvalid";

/// What it answers to a format where the root is trusted.
struct Format {
    made: AttestationFormat,
    accepted: &'static [COSEAlgorithm],
    refused: &'static [COSEAlgorithm],
    /// The error for those that it refuses.
    refusal: &'static str,
    /// The error for those that it accepts, over another client data.
    other_client_data: &'static str,
}

/// Each format that names a root, with each algorithm that suits it.
const FORMATS: [Format; 6] = {
    use COSEAlgorithm::{EDDSA, ES256, ES384, ES512, RS256};
    [
        Format {
            made: AttestationFormat::Packed,
            accepted: &[ES256, ES384, ES512, EDDSA, RS256],
            refused: &[],
            refusal: "",
            other_client_data: OTHER_SIGNED,
        },
        Format {
            made: AttestationFormat::FidoU2f,
            accepted: &[ES256],
            refused: &[],
            refusal: "",
            other_client_data: OTHER_SIGNED,
        },
        Format {
            made: AttestationFormat::Tpm,
            accepted: &[],
            refused: &[ES256, ES384, ES512, RS256],
            refusal: NO_CHECK,
            other_client_data: "",
        },
        Format {
            made: AttestationFormat::AndroidKey,
            accepted: &[ES256],
            refused: &[ES384, ES512, EDDSA, RS256],
            refusal: NO_CHECK,
            other_client_data: OTHER_SIGNED,
        },
        Format {
            made: AttestationFormat::Apple,
            accepted: &[ES256, ES384, ES512],
            refused: &[EDDSA, RS256],
            refusal: NO_CHECK,
            other_client_data: OTHER_NONCE,
        },
        Format {
            made: AttestationFormat::Compound,
            accepted: &[],
            refused: &[ES256, ES384, ES512, EDDSA, RS256],
            refusal: "AttestationNotSupported",
            other_client_data: "",
        },
    ]
};

/// A root that makes this format.
fn root(key: u8, format: AttestationFormat) -> AttestationRoot {
    let name = RootName {
        country: "CH".to_owned(),
        organization: "An owner".to_owned(),
        common_name: format!("Test root {key}"),
    };
    let validity = RootValidity {
        not_before: "20260101000000Z".to_owned(),
        not_after: "20551231235959Z".to_owned(),
    };
    AttestationRoot::new(Secret::new([key; 32]), &name, &validity, &[format]).unwrap()
}

/// The list that trusts this root for every model.
fn trusting(root: &AttestationRoot) -> AttestationCaList {
    let text = STANDARD.encode(root.certificate());
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    AttestationCaList::try_from(pem.as_bytes()).unwrap()
}

/// A browser whose key attests by this root.
fn browser(root: AttestationRoot) -> Browser {
    let algorithms = Algorithms::new(&ALGORITHMS).unwrap();
    let attestation = Attestation::Root(root);
    let config = Config { algorithms, attestation, ..Config::default() };
    let page = Page::new(&Profile::new(), ORIGIN);
    let mut browser = Browser::with(page, config, Script::new()).unwrap();
    browser.set_pin("1234").unwrap();
    browser
}

/// A new credential, and what that library keeps of its request.
struct Made {
    response: Value,
    state: RegistrationState,
}

impl Made {
    fn new(party: &WebauthnCore, browser: &mut Browser, algorithm: COSEAlgorithm) -> Self {
        let (options, state) = creation(party, algorithm, AttestationConveyancePreference::Direct);
        let response = serde_json::to_value(browser.create(&options).unwrap()).unwrap();
        Self { response, state }
    }

    /// One of which a coordinate begins with a byte of zero, or does not; of the first kind is one in 128, and with P-521
    /// three in four.
    fn with_short_coordinate(
        party: &WebauthnCore,
        browser: &mut Browser,
        algorithm: COSEAlgorithm,
        short: bool,
    ) -> Self {
        let mut all = iter::repeat_with(|| Self::new(party, browser, algorithm));
        all.find(|made| made.has_short_coordinate(algorithm) == short).unwrap()
    }

    /// Does a coordinate of the public key begin with a byte of zero?
    fn has_short_coordinate(&self, algorithm: COSEAlgorithm) -> bool {
        let size = match algorithm {
            COSEAlgorithm::ES256 => 32,
            COSEAlgorithm::ES384 => 48,
            COSEAlgorithm::ES512 => 66,
            _ => return false,
        };
        let spki = self.response["response"]["publicKey"].as_str().unwrap();
        let spki = URL_SAFE_NO_PAD.decode(spki).unwrap();
        let (_, point) = spki.split_at(spki.len() - 2 * size);
        point.chunks(size).any(|coordinate| coordinate[0] == 0)
    }

    /// The same over a client data of the same challenge and origin that says one thing more.
    fn over_other_client_data(mut self) -> Self {
        let field = &mut self.response["response"]["clientDataJSON"];
        let json = URL_SAFE_NO_PAD.decode(field.as_str().unwrap()).unwrap();
        let mut client_data: Value = serde_json::from_slice(&json).unwrap();
        client_data["other"] = true.into();
        *field = URL_SAFE_NO_PAD.encode(client_data.to_string()).into();
        self
    }

    /// The format that it accepts where these are trusted, or the name of its error.
    fn judge(
        &self,
        party: &WebauthnCore,
        trusted: Option<&AttestationCaList>,
    ) -> Result<Accepted, String> {
        let response = serde_json::from_value(self.response.clone()).unwrap();
        let name = |error| format!("{error:?}").split('(').next().unwrap().to_owned();
        let credential = party.register_credential(&response, &self.state, trusted);
        credential.map_err(name).map(|it| it.attestation_format)
    }
}

/// An answer that accepts this format, or refuses with this error.
fn answer(answer: Result<&str, &str>) -> Result<Accepted, String> {
    answer.map(|format| format.try_into().unwrap()).map_err(str::to_owned)
}

#[test]
fn each_format_leads_to_the_trusted_root() {
    let party = party();
    for Format { made, accepted, refused, refusal, other_client_data } in FORMATS {
        let mine = root(1, made);
        let (trusted, other) = (trusting(&mine), trusting(&root(2, made)));
        let mut browser = browser(mine);
        let format = made.identifier();
        for &algorithm in accepted {
            let made = Made::with_short_coordinate(&party, &mut browser, algorithm, false);
            assert_eq!(made.judge(&party, Some(&trusted)), answer(Ok(format)), "{algorithm:?}");
            assert_eq!(made.judge(&party, Some(&other)), answer(Err(UNTRUSTED)), "{format}");
            let changed = made.over_other_client_data().judge(&party, Some(&trusted));
            assert_eq!(changed, answer(Err(other_client_data)), "{format} {algorithm:?}");
            println!("webauthn-rs accepts {format} with {algorithm:?}, and not with another root");
        }
        for &algorithm in refused {
            let made = Made::new(&party, &mut browser, algorithm);
            let answered = made.judge(&party, Some(&trusted));
            assert_eq!(answered, answer(Err(refusal)), "{format} {algorithm:?}");
            println!("webauthn-rs refuses {format} with {algorithm:?}: {refusal}");
        }
    }
}

/// It compares the length of a coordinate without its zeros with that of the curve, where the certificate has the key.
#[test]
fn a_short_coordinate_in_a_certificate_is_refused() {
    let (party, mine) = (party(), root(1, AttestationFormat::Apple));
    let trusted = trusting(&mine);
    let mut browser = browser(mine);
    let made = Made::with_short_coordinate(&party, &mut browser, COSEAlgorithm::ES512, true);
    assert_eq!(made.judge(&party, Some(&trusted)), answer(Err(SHORT_COORDINATE)));
}

/// Who trusts roots alone is shown none by self attestation; who trusts everybody checks its signature.
#[test]
fn self_attestation_shows_no_root() {
    use COSEAlgorithm::{EDDSA, ES256, ES384, ES512, RS256};
    let (party, mine) = (party(), root(1, AttestationFormat::PackedSelf));
    let trusted = trusting(&mine);
    let mut browser = browser(mine);
    for algorithm in [ES256, EDDSA, RS256] {
        let made = Made::new(&party, &mut browser, algorithm);
        let with_roots = made.judge(&party, Some(&trusted));
        assert_eq!(with_roots, answer(Err("AttestationNotVerifiable")), "{algorithm:?}");
        assert_eq!(made.judge(&party, None), answer(Ok("packed")), "{algorithm:?}");
        let changed = made.over_other_client_data().judge(&party, None);
        assert_eq!(changed, answer(Err(OTHER_SIGNED)), "{algorithm:?}");
    }
    for algorithm in [ES384, ES512] {
        let made = Made::new(&party, &mut browser, algorithm);
        assert_eq!(made.judge(&party, None), answer(Err(NO_CHECK)), "{algorithm:?}");
    }
}
