//! What is wrong with an attestation statement: one reason for each step of each format.

use std::fmt;

/// The first step of the format's verification procedure that failed (WebAuthn Level 3 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementFault {
    /// The statement has not the members of its format.
    Form,
    /// The statement of `none` says something.
    NotEmpty,
    /// The list of certificates is empty.
    NoCertificate,
    /// The first certificate cannot be read.
    Certificate,
    /// The key that should have signed is not of the algorithm named, or of one that is not checked here.
    Algorithm,
    /// The key that should have signed is one of Ed448, whose signatures are not checked here.
    Ed448,
    /// The signature is wrong.
    Signature,
    /// Self attestation names another algorithm than the credential's.
    SelfAlgorithm,
    /// The certificate is not of version 3.
    Version,
    /// The certificate's subject is not as section 8.2.1 wants it.
    Subject,
    /// The certificate may issue others, or does not say that it may not.
    Authority,
    /// The certificate is for another model, or the extension that says so is critical.
    Model,
    /// `fido-u2f` has more than one certificate.
    SeveralCertificates,
    /// The certificate's key is not one of P-256 (`fido-u2f`), or not the credential's (`android-key`, `apple`).
    CertificateKey,
    /// The credential's key is not one of P-256.
    CredentialKey,
    /// The statement is of another version of TPM than 2.0.
    TpmVersion,
    /// `pubArea` cannot be read.
    PubArea,
    /// `pubArea` is of another key than the credential's.
    PubAreaKey,
    /// `certInfo` cannot be read.
    CertInfo,
    /// `certInfo` was not made within a TPM: its magic number is another.
    Magic,
    /// `certInfo` attests something else than a key.
    Type,
    /// `certInfo` is about other data than this registration.
    ExtraData,
    /// `certInfo` names another key than that of `pubArea`.
    AttestedName,
    /// The certificate of the TPM's attestation identity key has a subject.
    TpmSubject,
    /// It does not name manufacturer, model and version of the TPM.
    TpmNames,
    /// It is not for attestation identity keys.
    ExtendedKeyUsage,
    /// The certificate of `android-key` does not describe its key.
    KeyDescription,
    /// It was made for another challenge.
    Challenge,
    /// The key is open to all applications.
    AllApplications,
    /// The key was not generated where it is.
    KeyOrigin,
    /// The key is not for signatures.
    Purpose,
    /// The certificate of `apple` has no nonce.
    NonceMissing,
    /// Its nonce is of another registration.
    Nonce,
    /// `compound` has fewer than two elements.
    TooFew,
    /// An element of `compound` is `compound` itself.
    Nested,
    /// `android-safetynet` is not checked: its service has ended, and nobody makes such statements any more.
    SafetyNet,
}

impl fmt::Display for StatementFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "it has not the members of its format",
            Self::NotEmpty => "none must say nothing",
            Self::NoCertificate => "there is no certificate",
            Self::Certificate => "the certificate cannot be read",
            Self::Algorithm => "the key that signed does not go with the algorithm",
            Self::Ed448 => "signatures of Ed448 are not checked here",
            Self::Signature => "its signature is wrong",
            Self::SelfAlgorithm => "the algorithm is not the credential's",
            Self::Version => "the certificate is not of version 3",
            Self::Subject => "the certificate's subject is not that of an authenticator",
            Self::Authority => "the certificate may issue others",
            Self::Model => "the certificate is for another model",
            Self::SeveralCertificates => "there is more than one certificate",
            Self::CertificateKey => "the certificate's key is not the one it must be",
            Self::CredentialKey => "the credential's key is not one of P-256",
            Self::TpmVersion => "it is not of TPM 2.0",
            Self::PubArea => "pubArea cannot be read",
            Self::PubAreaKey => "pubArea is of another key than the credential's",
            Self::CertInfo => "certInfo cannot be read",
            Self::Magic => "certInfo was not made within a TPM",
            Self::Type => "certInfo attests something else than a key",
            Self::ExtraData => "certInfo is about another registration",
            Self::AttestedName => "certInfo names another key than pubArea's",
            Self::TpmSubject => "the TPM's certificate has a subject",
            Self::TpmNames => "the TPM's certificate does not name the TPM",
            Self::ExtendedKeyUsage => "the TPM's certificate is not for attestation identity keys",
            Self::KeyDescription => "the certificate does not describe its key",
            Self::Challenge => "the certificate was made for another challenge",
            Self::AllApplications => "the key is open to all applications",
            Self::KeyOrigin => "the key was not generated where it is",
            Self::Purpose => "the key is not for signatures",
            Self::NonceMissing => "the certificate has no nonce",
            Self::Nonce => "the nonce is of another registration",
            Self::TooFew => "it has fewer than two elements",
            Self::Nested => "an element is compound itself",
            Self::SafetyNet => "android-safetynet has ended and is not checked",
        })
    }
}
