//! `softkey metadata`: what a relying party may be told about a model of key in advance (FIDO Metadata Statement 3.1.1),
//! for the key that the same arguments make of `softkey run`. Everything in it follows from what that key does: getInfo
//! is asked of it, and the rest comes from its configuration.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

mod get_info;
mod registry;

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use softkey_authenticator::{
    Algorithms, Attestation, AttestationFormat, AttestationRoot, BATCH_ROOT_CERTIFICATE, Backup,
    Config, Session, Step, Transport, Via,
};
use softkey_ctap::Instant;
use softkey_ctap::get_info::Response;

use self::registry::{Descriptor, Version};
use crate::args::Verifier;
use crate::attestation::{Attester, published};
use crate::decode::node::hex;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::profile::Profile;
use crate::run::algorithms;
use crate::run::memory::{Entropy, Setup, in_memory};

/// authenticatorGetInfo.
const GET_INFO: [u8; 1] = [0x04];

const LEGAL: &str = "By retrieving and using this statement you accept the agreement at \
    https://fidoalliance.org/metadata/metadata-legal-terms/. It tells of a key made of software, for tests, which is \
    not certified.";
const ICON: &[u8] = include_bytes!("metadata/icon.png");
const ICON_DARK: &[u8] = include_bytes!("metadata/icon-dark.png");

/// The arguments of `softkey metadata`: those of `softkey run` that make a difference.
#[derive(Clone, Debug, Args)]
pub struct MetadataArgs {
    /// What the key is: a built-in profile, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,

    /// How the key verifies its user by itself, beside the PIN
    #[arg(long, value_name = "METHOD", default_value = "none")]
    pub uv: Verifier,

    /// What new credentials sign with, best first
    #[arg(long, value_name = "LIST", value_parser = algorithms::parse, allow_hyphen_values = true)]
    pub algorithms: Option<Algorithms>,

    /// The root that attests new credentials; without FILE the one that lies beside the vault
    #[arg(long, value_name = "FILE")]
    pub attestation: Option<Option<PathBuf>>,

    /// The vault beside which the root lies [default: your own]
    #[arg(long, value_name = "FILE", requires = "attestation")]
    pub vault: Option<PathBuf>,

    /// The key as it is over uhid, where it announces shorter messages
    #[arg(long)]
    pub over_uhid: bool,
}

/// Carries `softkey metadata` out.
///
/// # Errors
///
/// [`Exit::BadInput`] if the profile or the root cannot be read, if the key speaks U2F alone, or if there is no name for
/// how it signs or attests.
pub fn run(args: &MetadataArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let profile = match &args.profile {
        Some(given) => Profile::find(given)?,
        None => Profile::default(),
    };
    let attester = args.attestation.as_ref();
    let attester = attester.map(|file| Attester::find(args.vault.as_deref(), file.as_deref()));
    let attester = attester.transpose()?;
    let setup = Setup {
        profile: &profile,
        uv: args.uv,
        algorithms: args.algorithms.as_ref(),
        attester: attester.as_ref(),
        over_uhid: args.over_uhid,
    };
    let statement = statement(setup.config())?;
    let text = serde_json::to_string_pretty(&statement);
    output.line(text.map_err(|error| CliError::new(Exit::Failed, error.to_string(), ""))?)
}

/// A metadata statement (section 4). What does not apply to a key of FIDO2 without a display is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    legal_header: &'static str,
    aaguid: String,
    friendly_names: BTreeMap<&'static str, &'static str>,
    description: &'static str,
    alternative_descriptions: BTreeMap<&'static str, &'static str>,
    authenticator_version: u64,
    protocol_family: &'static str,
    schema: u16,
    upv: Vec<Version>,
    authentication_algorithms: Vec<&'static str>,
    public_key_alg_and_encodings: [&'static str; 1],
    attestation_types: Vec<&'static str>,
    /// Each is a way to verify the user, of methods that go together.
    user_verification_details: Vec<Vec<Descriptor>>,
    key_protection: [&'static str; 1],
    is_key_restricted: bool,
    is_fresh_user_verification_required: bool,
    matcher_protection: [&'static str; 1],
    crypto_strength: u16,
    attachment_hint: Vec<&'static str>,
    tc_display: [&'static str; 0],
    attestation_root_certificates: Vec<String>,
    icon: String,
    icon_dark: String,
    provider_logo_light: String,
    provider_logo_dark: String,
    multi_device_credential_support: &'static str,
    authenticator_get_info: BTreeMap<String, Value>,
}

/// The statement about a key of this configuration.
fn statement(config: Config) -> Result<Statement, CliError> {
    let config = config.settled();
    if !config.generation.speaks_ctap2() {
        let what = "A key that speaks U2F alone has no AAGUID for a statement to be about.";
        return Err(CliError::new(Exit::BadInput, what, "--profile with a key of CTAP2"));
    }
    let answer = ask_for_info(config.clone())?;
    let info: Response<'_> = softkey_ctap::cbor::decode(&answer).map_err(|_| silent())?;
    let listed: Vec<i64> = config.algorithms.listed().iter().map(|it| it.id()).collect();
    let authentication_algorithms = registry::algorithms(&listed);
    if authentication_algorithms.is_empty() {
        let what = "The registry has no name for these algorithms, and a statement must name one.";
        return Err(CliError::new(Exit::BadInput, what, "--algorithms with ES256 among them"));
    }
    let (types, roots) = attestation(&config);
    if types.is_empty() {
        let what = "This key attests nothing with these algorithms, and a statement must say how it attests.";
        return Err(CliError::new(Exit::BadInput, what, "softkey attestation format packed"));
    }
    let versions: Vec<&str> = info.versions.iter().collect();
    let (icon, icon_dark) = (png(ICON), png(ICON_DARK));
    Ok(Statement {
        legal_header: LEGAL,
        aaguid: uuid(&config.aaguid),
        friendly_names: BTreeMap::from([("en-US", "softkey")]),
        description: "softkey, a security key made of software",
        alternative_descriptions: BTreeMap::from([
            ("de-CH", "softkey, ein Sicherheitsschlüssel aus Software"),
            ("fr-CH", "softkey, une clé de sécurité logicielle"),
        ]),
        authenticator_version: config.firmware_version,
        protocol_family: "fido2",
        schema: 3,
        upv: registry::protocol_versions(&versions),
        authentication_algorithms,
        public_key_alg_and_encodings: ["cose"],
        attestation_types: types,
        user_verification_details: registry::verification(&info, config.user_verification),
        key_protection: ["software"],
        // The key signs authenticator data alone; an assertion can be had without the user.
        is_key_restricted: true,
        is_fresh_user_verification_required: false,
        matcher_protection: ["software"],
        crypto_strength: registry::strength(&listed),
        attachment_hint: registry::attachment(&config.transports),
        tc_display: [],
        attestation_root_certificates: roots.iter().map(|root| STANDARD.encode(root)).collect(),
        provider_logo_light: icon.clone(),
        provider_logo_dark: icon_dark.clone(),
        icon,
        icon_dark,
        multi_device_credential_support: match config.backup {
            Backup::Never => "unsupported",
            Backup::Eligible | Backup::BackedUp => "explicit",
        },
        authenticator_get_info: get_info::members(&answer, &info).ok_or_else(silent)?,
    })
}

/// What a new key of this configuration answers to authenticatorGetInfo, without the status.
fn ask_for_info(config: Config) -> Result<Vec<u8>, CliError> {
    let now = Instant::from_millis(0);
    let mut key = in_memory(Entropy::seeded(0), config)?(now)?;
    let via = Via { transport: Transport::Usb, session: Session(1) };
    match key.begin(now, via, &GET_INFO) {
        Step::Reply(answer) if answer.first() == Some(&0) => {
            Ok(answer.get(1..).unwrap_or_default().to_vec())
        }
        _ => Err(silent()),
    }
}

fn silent() -> CliError {
    CliError::new(Exit::Failed, "The key does not say what it is.", "")
}

/// The kinds of statements that a key makes, and the roots to which their certificates lead, in DER.
fn attestation(config: &Config) -> (Vec<&'static str>, Vec<&[u8]>) {
    let (mut types, mut roots) = match &config.attestation {
        Attestation::Batch => (vec!["basic_full"], vec![BATCH_ROOT_CERTIFICATE]),
        // Through U2F the batch key attests even then.
        Attestation::SelfAttestation if config.u2f => {
            (vec!["basic_surrogate", "basic_full"], vec![BATCH_ROOT_CERTIFICATE])
        }
        Attestation::SelfAttestation => (vec!["basic_surrogate"], vec![]),
        Attestation::Root(root) => {
            let algorithms = config.algorithms.listed().iter();
            let formats = algorithms.flat_map(|algorithm| root.statements(*algorithm));
            // Through U2F the root attests whatever the formats are.
            let formats = formats.chain(config.u2f.then_some(AttestationFormat::FidoU2f));
            let types = formats.flat_map(registry::attestation_types).copied();
            (types.collect(), vec![root.certificate()])
        }
    };
    if let Some(enterprise) = &config.enterprise {
        types.push("basic_full");
        // The owner's root may offer its own instead.
        let published = published::enterprise(&config.aaguid, enterprise.rp_ids());
        if published.as_ref() == Some(enterprise) {
            roots.extend(published::root().map(AttestationRoot::certificate));
        }
    }
    (registry::once(types), roots)
}

fn png(image: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(image))
}

/// A UUID as RFC 9562 writes it.
fn uuid(bytes: &[u8; 16]) -> String {
    let digits = hex(bytes);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
