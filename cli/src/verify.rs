//! `softkey verify`: the relying party's checks of what create or get gave, and the record it keeps.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

mod advice;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use softkey_client::options::UserVerification;
use softkey_client::verify::{
    Attestation, CredentialRecord, Expected, Fault, Identified, Registered, Trust, TrustRoots,
    authentication, registration,
};
use softkey_client::{
    AuthenticationResponse, CreationOptions, Operation, Origin, RegistrationResponse,
    RequestOptions, base64url,
};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use crate::error::{CliError, Exit};
use crate::manage::create::{named, read_options, read_text};
use crate::output::Output;

/// The arguments of `softkey verify`.
#[derive(Clone, Debug, Default, Args)]
pub struct VerifyArgs {
    /// The response in the JSON form of browsers, as create and get print it; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub response: PathBuf,

    /// The options that the page gave to create or get
    ///
    /// They say which challenge, relying party, algorithms and credentials to expect, and whether the user must
    /// have been verified; with "mediation": "conditional" beside publicKey a new credential may have been made without a
    /// touch.
    #[arg(long, value_name = "FILE")]
    pub options: PathBuf,

    /// The origin of the page
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// For a sign-in: what verify printed for the registration, or for the last sign-in
    #[arg(long, value_name = "FILE", conflicts_with_all = ["public_key", "counter"])]
    pub record: Option<PathBuf>,

    /// For a sign-in, without a record: the public key, a COSE_Key in base64url
    #[arg(long, value_name = "BASE64URL")]
    pub public_key: Option<String>,

    /// For a sign-in, without a record: the signature counter as last seen
    #[arg(long, value_name = "NUMBER", requires = "public_key")]
    pub counter: Option<u32>,

    /// For a sign-in: the user handle of the account, in base64url
    #[arg(long, value_name = "BASE64URL")]
    pub user: Option<String>,

    /// For a registration: what verify printed for a credential that the site has already
    ///
    /// May be given more than once. The new credential must be none of them, whoever's they are.
    #[arg(long, value_name = "FILE")]
    pub registered: Vec<PathBuf>,

    /// For a registration: demand an attestation that leads to a certificate in this file, PEM or DER
    ///
    /// May be given more than once. Without it the attestation is told and not judged.
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,

    /// An origin whose pages may show the page in a frame; may be given more than once
    #[arg(long, value_name = "URL")]
    pub within: Vec<String>,
}

/// What verify prints of a registration: the record, and beside it what the attestation is worth.
#[derive(Serialize)]
struct Verified {
    #[serde(flatten)]
    record: CredentialRecord,
    attestation: Verdict,
}

#[derive(Serialize)]
struct Verdict {
    format: String,
    #[serde(rename = "type")]
    kind: &'static str,
    trusted: bool,
    why: &'static str,
}

/// Carries `softkey verify` out: prints the credential record, of a registration with the verdict on its attestation.
///
/// # Errors
///
/// [`Exit::Failed`] if a check fails, [`Exit::BadInput`] for what cannot be read.
pub fn run(args: &VerifyArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let text = read_text(&args.response, "The response", "a text file that you may read")?;
    let response = json(&args.response, &text)?;
    let options = read_options(&args.options)?;
    let within: Vec<_> = args.within.iter().map(String::as_str).collect();
    let frames = (!within.is_empty()).then_some(within.as_slice());
    // A sign-in may have an attestation, too; what it has alone is the signature.
    let has = |member: &str| response.pointer(member).is_some();
    if has("/response/attestationObject") && !has("/response/signature") {
        let response: RegistrationResponse = parsed(&args.response, response)?;
        let registered = registered(args, &options, frames, &response)?;
        let attestation = verdict(args, &registered)?;
        return output.object(&Verified { record: registered.record, attestation });
    }
    for_registrations(args)?;
    let response: AuthenticationResponse = parsed(&args.response, response)?;
    output.object(&signed_in(args, &options, frames, &response)?)
}

/// Some arguments have no meaning at a sign-in.
fn for_registrations(args: &VerifyArgs) -> Result<(), CliError> {
    let usage = |what, try_this| Err(CliError::new(Exit::Usage, what, try_this));
    if !args.trust.is_empty() {
        return usage(
            "A sign-in has no attestation to trust.",
            "--trust when the registration is verified",
        );
    }
    if !args.registered.is_empty() {
        return usage(
            "A sign-in is with a credential that is registered.",
            "--record with that credential's record",
        );
    }
    Ok(())
}

/// What the attestation is, and whether it is trusted, which it must be where certificates to trust are named.
fn verdict(args: &VerifyArgs, registered: &Registered) -> Result<Verdict, CliError> {
    let (kind, unjudged) = match registered.attestation {
        Attestation::None => ("none", "there is no attestation"),
        Attestation::SelfSigned => ("self", "the credential attests itself"),
        Attestation::Certificate => ("certificate", "no certificate to trust was named"),
    };
    let format = registered.format.clone();
    if args.trust.is_empty() {
        return Ok(Verdict { format, kind, trusted: false, why: unjudged });
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (why, advice) = match roots(&args.trust)?.assess(registered, now.as_secs()) {
        Ok(Trust::Anchored) => {
            let why = "its certificates lead to one that is trusted";
            return Ok(Verdict { format, kind, trusted: true, why });
        }
        Ok(Trust::None | Trust::SelfSigned) => {
            (format!("{unjudged}."), advice::WITHOUT_CERTIFICATES)
        }
        Err(fault) => (fault.to_string(), advice::of_trust(fault)),
    };
    Err(CliError::new(
        Exit::Failed,
        format!("The attestation ({format}) is not trusted: {why}"),
        advice,
    ))
}

/// The certificates of these files.
fn roots(files: &[PathBuf]) -> Result<TrustRoots, CliError> {
    let mut certificates = Vec::new();
    for path in files {
        let bytes = fs::read(path).map_err(|error| no_certificate(path, &error))?;
        if bytes.starts_with(b"-----BEGIN") {
            let chain = Certificate::load_pem_chain(&bytes);
            for certificate in chain.map_err(|error| no_certificate(path, &error))? {
                let der = certificate.to_der().map_err(|error| no_certificate(path, &error))?;
                certificates.push(der);
            }
        } else {
            Certificate::from_der(&bytes).map_err(|error| no_certificate(path, &error))?;
            certificates.push(bytes);
        }
    }
    TrustRoots::new(&certificates).map_err(|fault| {
        CliError::new(Exit::BadInput, fault.to_string(), "--trust with certificates in PEM or DER")
    })
}

fn no_certificate(path: &Path, error: &dyn std::fmt::Display) -> CliError {
    CliError::new(
        Exit::BadInput,
        format!("No certificate can be read from {}: {error}.", path.display()),
        "--trust with a certificate in PEM or DER",
    )
}

fn registered(
    args: &VerifyArgs,
    options: &str,
    frames: Option<&[&str]>,
    response: &RegistrationResponse,
) -> Result<Registered, CliError> {
    let user_presence = !is_conditional(options);
    let options =
        CreationOptions::from_json(options).map_err(|cause| named(cause, Operation::Create))?;
    let rp_id = rp_id(args, options.rp_id.as_deref(), Operation::Create)?;
    let known = args.registered.iter().map(|path| kept(path)).collect::<Result<Vec<_>, _>>()?;
    let known: Vec<_> = known.iter().map(|record| record.id.as_slice()).collect();
    let expected = Expected {
        registered: &known,
        frames,
        user_presence,
        user_verification: options.user_verification == UserVerification::Required,
        ..Expected::new(&options.challenge, &args.origin, &rp_id)
    };
    registration(response, &expected, &options.algorithms).map_err(refused)
}

/// Was the credential to be made without asking?
fn is_conditional(options: &str) -> bool {
    let options: Value = serde_json::from_str(options).unwrap_or_default();
    options.get("mediation").is_some_and(|mediation| mediation == "conditional")
}

fn signed_in(
    args: &VerifyArgs,
    options: &str,
    frames: Option<&[&str]>,
    response: &AuthenticationResponse,
) -> Result<CredentialRecord, CliError> {
    let options =
        RequestOptions::from_json(options).map_err(|cause| named(cause, Operation::Get))?;
    let rp_id = rp_id(args, options.rp_id.as_deref(), Operation::Get)?;
    let record = record(args, response)?;
    let user = args.user.as_deref().map(|user| bytes("--user", user)).transpose()?;
    let allowed: Vec<_> = options.allow.iter().map(|one| one.id.as_slice()).collect();
    // Without a list only the response says who signs in.
    let identified = if allowed.is_empty() { Identified::ByResponse } else { Identified::Before };
    let expected = Expected {
        frames,
        user_verification: options.user_verification == UserVerification::Required,
        allowed: &allowed,
        app_id: options.extensions.app_id.as_deref(),
        user: user.as_deref().map(|user| (user, identified)),
        ..Expected::new(&options.challenge, &args.origin, &rp_id)
    };
    Ok(authentication(response, &expected, &record).map_err(refused)?.record)
}

/// The record that the sign-in is checked against.
fn record(
    args: &VerifyArgs,
    response: &AuthenticationResponse,
) -> Result<CredentialRecord, CliError> {
    if let Some(path) = &args.record {
        return kept(path);
    }
    let Some(public_key) = &args.public_key else {
        return Err(CliError::new(
            Exit::Usage,
            "A sign-in is checked against what was registered.",
            "--record FILE with what softkey verify printed for the registration, or --public-key",
        ));
    };
    Ok(CredentialRecord {
        id: response.raw_id.0.clone(),
        public_key: bytes("--public-key", public_key)?,
        sign_count: args.counter.unwrap_or_default(),
        backup_eligible: backup_eligible(response),
        ..CredentialRecord::default()
    })
}

/// A record that verify printed before.
fn kept(path: &Path) -> Result<CredentialRecord, CliError> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    parsed(path, json(path, &text)?)
}

/// Whoever gives a public key alone does not know whether the credential can be backed up.
fn backup_eligible(response: &AuthenticationResponse) -> bool {
    let flags = response.response.authenticator_data.0.get(32);
    flags.is_some_and(|flags| flags & 0x08 != 0)
}

/// The relying party's own word counts, be it the origin's domain or not.
fn rp_id(args: &VerifyArgs, own: Option<&str>, operation: Operation) -> Result<String, CliError> {
    let origin = Origin::parse(&args.origin).map_err(|cause| named(cause, operation))?;
    Ok(own.unwrap_or_else(|| origin.domain()).to_owned())
}

fn refused(fault: Fault) -> CliError {
    let what = format!("The response does not hold: {fault}");
    CliError::new(Exit::Failed, what, advice::of_response(fault))
}

fn bytes(argument: &str, text: &str) -> Result<Vec<u8>, CliError> {
    base64url::decode(text).ok_or_else(|| {
        CliError::new(
            Exit::BadInput,
            format!("{argument} is not base64url."),
            "the letters, digits, - and _ alone, without padding",
        )
    })
}

fn json(path: &Path, text: &str) -> Result<Value, CliError> {
    serde_json::from_str(text).map_err(|error| unreadable(path, &error))
}

fn parsed<T: serde::de::DeserializeOwned>(path: &Path, value: Value) -> Result<T, CliError> {
    serde_json::from_value(value).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> CliError {
    CliError::new(
        Exit::BadInput,
        format!("{} cannot be read: {error}.", path.display()),
        "a response as softkey create and get print it, or a record as softkey verify does",
    )
}
