//! What to try when a response does not hold: for each reason of the relying party's checks one piece of advice.

#[cfg(test)]
mod tests;

use softkey_client::verify::{Fault, StatementFault, TrustFault};

/// The response is made once more, of the ceremony that it is for.
const AGAIN: &str = "a fresh response to these options, as softkey create or get prints it";
const CREDENTIAL: &str = "the record and the options of this credential";
const OTHER_FORMAT: &str =
    "\"attestation\": \"none\" in the options, or a key that attests in another format";
const MAKER: &str = "\"attestation\": \"none\" in the options, or a key with the certificates that its format wants";
const STATEMENT: &str = "softkey decode with the attestation object, to see what the key stated";

/// What to try when a check of the response failed.
pub(super) const fn of_response(fault: Fault) -> &'static str {
    match fault {
        Fault::CredentialType => "a credential of the type public-key",
        Fault::ClientData => "softkey decode with clientDataJSON, to see what stands there",
        Fault::Type => "the options of create for a registration, of get for a sign-in",
        Fault::Challenge => "the options that this response answers",
        Fault::Origin | Fault::RpIdHash => "the origin that the page was created with",
        Fault::CrossOrigin | Fault::TopOrigin => "--within with the origin around the page",
        Fault::Unreadable(_) => "softkey decode with it, to see where it can no longer be read",
        Fault::NotPresent => "once more, and touch the key: whoever signs must be there",
        Fault::NotVerified => {
            "a key with a PIN, or options without \"userVerification\": \"required\""
        }
        Fault::BackupFlags => {
            "the record of this credential; where that is the right one, another key"
        }
        Fault::BackupPolicy => "a key whose credentials are backed up as the site wants it",
        Fault::NoCredential => "the response to create; one to get has no new credential",
        Fault::OtherCredential | Fault::NotAllowed => CREDENTIAL,
        Fault::Registered => "another key; the account that has this credential keeps it",
        Fault::UserHandle => "--user with the handle of the credential's account",
        Fault::Algorithm(_) => "pubKeyCredParams as the page had them",
        Fault::Key => "--public-key or a record with a COSE_Key of an algorithm that softkey knows",
        Fault::Ed448 => "a credential of another algorithm, such as -7 or -8 in pubKeyCredParams",
        Fault::Format => OTHER_FORMAT,
        Fault::Statement(fault) => of_statement(fault),
        Fault::Signature => {
            "the record of this credential: its public key must be the one that signed"
        }
        Fault::Counter { .. } => {
            "the record as the last sign-in left it; where that is the right one, another key: this one may have been copied"
        }
    }
}

/// What to try when the attestation statement does not hold.
const fn of_statement(fault: StatementFault) -> &'static str {
    match fault {
        StatementFault::Form
        | StatementFault::NotEmpty
        | StatementFault::NoCertificate
        | StatementFault::SeveralCertificates
        | StatementFault::TooFew
        | StatementFault::Nested
        | StatementFault::PubArea
        | StatementFault::CertInfo => STATEMENT,
        StatementFault::Certificate
        | StatementFault::Version
        | StatementFault::Subject
        | StatementFault::Authority
        | StatementFault::Model
        | StatementFault::TpmSubject
        | StatementFault::TpmNames
        | StatementFault::ExtendedKeyUsage
        | StatementFault::KeyDescription
        | StatementFault::NonceMissing => MAKER,
        StatementFault::Algorithm
        | StatementFault::Ed448
        | StatementFault::TpmVersion
        | StatementFault::SafetyNet => OTHER_FORMAT,
        StatementFault::Signature
        | StatementFault::ExtraData
        | StatementFault::Challenge
        | StatementFault::Nonce => AGAIN,
        StatementFault::SelfAlgorithm
        | StatementFault::CertificateKey
        | StatementFault::CredentialKey
        | StatementFault::PubAreaKey
        | StatementFault::AttestedName => {
            "another key: this one attests a key pair that is not the new credential's"
        }
        StatementFault::Magic
        | StatementFault::Type
        | StatementFault::AllApplications
        | StatementFault::KeyOrigin
        | StatementFault::Purpose => {
            "another key: this one does not state that it keeps the new credential's key to itself"
        }
    }
}

/// What to try when there is no certificate that could lead to somebody who is trusted.
pub(super) const WITHOUT_CERTIFICATES: &str = "a key that attests with certificates, or no --trust to have the attestation told and not judged";

/// What to try when the attestation holds and leads to nobody who is trusted.
pub(super) const fn of_trust(fault: TrustFault) -> &'static str {
    match fault {
        TrustFault::NoAnchor => {
            "--trust with its root's certificate, or no --trust to have it told and not judged"
        }
        TrustFault::Unreadable | TrustFault::CriticalExtension => {
            "no --trust, to have the attestation told and not judged"
        }
        TrustFault::Validity => {
            "--trust with a certificate that is valid today; and this machine's clock"
        }
        TrustFault::Issuer | TrustFault::Signature => {
            "the certificates of x5c in their order, each followed by its issuer's"
        }
        TrustFault::Authority | TrustFault::PathLength => {
            "--trust with the certificate of the authenticator itself, if you trust in that one alone"
        }
    }
}
