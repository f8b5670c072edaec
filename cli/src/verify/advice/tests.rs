//! No reason is without advice. The lists are held to the reasons as they are declared.

use softkey_ctap::cbor::DecodeError;

use super::*;

/// Each reason beside the name it is declared by.
macro_rules! listed {
    ($kind:ident: $($name:ident $(= $value:expr)?),* $(,)?) => {
        vec![$((stringify!($name), listed!(@ $kind $name $($value)?))),*]
    };
    (@ $kind:ident $name:ident $value:expr) => { $value };
    (@ $kind:ident $name:ident) => { $kind::$name };
}

fn faults() -> Vec<(&'static str, Fault)> {
    listed!(Fault: CredentialType, ClientData, Type, Challenge, Origin, CrossOrigin, TopOrigin,
        Unreadable = Fault::Unreadable(DecodeError::Missing), RpIdHash, NotPresent, NotVerified,
        BackupFlags, BackupPolicy, NoCredential, OtherCredential, Registered, NotAllowed, UserHandle,
        Algorithm = Fault::Algorithm(-7), Key, Ed448, Format,
        Statement = Fault::Statement(StatementFault::Form), Signature,
        Counter = Fault::Counter { last: 2, now: 1 })
}

fn statement_faults() -> Vec<(&'static str, StatementFault)> {
    listed!(StatementFault: Form, NotEmpty, NoCertificate, Certificate, Algorithm, Ed448, Signature,
        SelfAlgorithm, Version, Subject, Authority, Model, SeveralCertificates, CertificateKey,
        CredentialKey, TpmVersion, PubArea, PubAreaKey, CertInfo, Magic, Type, ExtraData,
        AttestedName, TpmSubject, TpmNames, ExtendedKeyUsage, KeyDescription, Challenge,
        AllApplications, KeyOrigin, Purpose, NonceMissing, Nonce, TooFew, Nested, SafetyNet)
}

fn trust_faults() -> Vec<(&'static str, TrustFault)> {
    listed!(TrustFault: Unreadable, Validity, CriticalExtension, Issuer, Authority, PathLength,
        Signature, NoAnchor)
}

/// The variants of an enumeration, as the source declares them.
fn declared<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let body = text.split_once(&format!("pub enum {name} {{")).unwrap().1;
    let body = body.lines().take_while(|line| *line != "}");
    let names = body.filter_map(|line| line.strip_prefix("    "));
    let names = names.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    names.map(|line| line.split(|c: char| !c.is_alphanumeric()).next().unwrap()).collect()
}

#[test]
fn every_reason_is_in_the_lists() {
    fn names<T>(listed: Vec<(&'static str, T)>) -> Vec<&'static str> {
        listed.into_iter().map(|(name, _)| name).collect()
    }
    let fault = include_str!("../../../../client/src/verify/fault.rs");
    assert_eq!(names(faults()), declared(fault, "Fault"));
    let statement = include_str!("../../../../client/src/verify/attestation/fault.rs");
    assert_eq!(names(statement_faults()), declared(statement, "StatementFault"));
    let trust = include_str!("../../../../client/src/verify/trust.rs");
    assert_eq!(names(trust_faults()), declared(trust, "TrustFault"));
}

/// The error's two parts: what happened is a sentence, the advice completes the word "try".
#[test]
fn no_reason_is_without_advice() {
    let statements = statement_faults().into_iter().map(|(_, fault)| Fault::Statement(fault));
    let responses = faults().into_iter().map(|(_, fault)| fault).chain(statements);
    let responses = responses.map(|fault| (fault.to_string(), of_response(fault)));
    let trust = trust_faults().into_iter().map(|(_, fault)| (fault.to_string(), of_trust(fault)));
    for (what, advice) in responses.chain(trust) {
        assert!(what.ends_with('.'), "{what}");
        assert!(advice.len() > 15 && !advice.ends_with('.'), "{what} {advice}");
        assert!(advice.starts_with(|c: char| !c.is_uppercase()), "{what} {advice}");
    }
}
