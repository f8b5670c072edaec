//! `softkey attestation`: a root of the owner's that attests new credentials, for the tests of relying parties.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

mod file;
pub(crate) mod published;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use softkey_authenticator::{AttestationRoot, Config};
use x509_cert::Certificate;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Decode, EncodePem};

use self::file::{Place, RootFile, rfc_3339};
use crate::args::RunArgs;
use crate::decode::node::hex;
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};
use crate::text::quoted;

pub use self::file::FormatName;

/// What the owner is told wherever a root is made or used.
const WARNING: &str = "sites can recognise this key by what its root attests";

/// The arguments of `softkey attestation`.
#[derive(Clone, Debug, Args)]
pub struct AttestationArgs {
    /// Print one JSON object
    #[arg(long, global = true)]
    pub json: bool,

    /// The root that lies beside this vault [default: beside your own vault]
    #[arg(long, value_name = "FILE", global = true)]
    pub vault: Option<PathBuf>,

    /// The root in this file, for softkey run --attestation FILE
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "vault")]
    pub file: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub order: AttestationOrder,
}

/// What can be done with a root.
#[derive(Clone, Debug, Subcommand)]
pub enum AttestationOrder {
    /// Make a root, for softkey run --attestation; sites can recognise a key by what its root attests
    New(NewArgs),
    /// Say what the root is and makes
    Show,
    /// Print the root's certificate in PEM, to be trusted by the sites under test
    Export,
    /// Choose the statement formats, best first
    ///
    /// The first is made for who does not mind; a platform may ask for another of them by name. A credential whose
    /// algorithm does not suit a format gets the next one, and packed where none suits.
    Format {
        /// The formats, best first.
        #[arg(required = true)]
        formats: Vec<FormatName>,
    },
    /// Offer enterprise attestation, which carries a serial number of this key alone; off unless switched on here
    ///
    /// It must be turned on in the key besides: softkey config enterprise-attestation. The relying parties named here
    /// get it when they ask for it (mode 1, vendor-facilitated), others where the platform vouches for them (mode 2).
    Enterprise {
        /// Relying party identifiers for mode 1.
        #[arg(value_name = "RP-ID")]
        rp_ids: Vec<String>,
        /// Offer it no longer
        #[arg(long, conflicts_with = "rp_ids")]
        off: bool,
    },
    /// Remove the root; what it attested stays attested
    Remove,
}

/// The arguments of `softkey attestation new`.
#[derive(Clone, Debug, Args)]
pub struct NewArgs {
    /// The root's name
    #[arg(long, default_value = "softkey test root")]
    pub name: String,
    /// Whose key it is, in the certificates
    #[arg(long, value_name = "NAME", default_value = "softkey test")]
    pub organization: String,
    /// The country in the certificates, two capital letters
    #[arg(long, value_name = "CC", default_value = "ZZ")]
    pub country: String,
    /// For how many years the certificates are valid
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub years: u16,
}

/// Carries `softkey attestation` out.
///
/// # Errors
///
/// [`Exit::BadInput`] if the file cannot be read or written or what is asked for makes no root, [`Exit::Failed`] if
/// there is a root already.
pub fn run(args: &AttestationArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let place = Place::of(args.vault.as_deref(), args.file.as_deref())?;
    match &args.order {
        AttestationOrder::New(new) => {
            let file = RootFile::generate(new)?;
            file.create(&place)?;
            output.note(format_args!("Note: {WARNING}. It is used by softkey run --attestation."));
            show(&file, &place.path, output)
        }
        AttestationOrder::Show => show(&RootFile::read(&place.path)?, &place.path, output),
        AttestationOrder::Export => export(&RootFile::read(&place.path)?, output),
        AttestationOrder::Format { formats } => {
            let mut file = RootFile::read(&place.path)?;
            file.formats.clone_from(formats);
            change(&file, &place.path, output)
        }
        AttestationOrder::Enterprise { off, rp_ids } => {
            let mut file = RootFile::read(&place.path)?;
            if *off {
                file.enterprise = None;
            } else {
                file.offer_enterprise(rp_ids)?;
                output.note("Note: this key's own serial number will be told to the relying parties that get it.");
            }
            change(&file, &place.path, output)
        }
        AttestationOrder::Remove => {
            file::remove(&place.path)?;
            match output.form() {
                Form::Plain => output.line("The root is gone; what it attested stays attested."),
                Form::Json => {
                    output.object(&json!({ "removed": place.path.display().to_string() }))
                }
            }
        }
    }
}

/// Writes a changed root, if it is one.
fn change(file: &RootFile, path: &Path, output: &mut Output<'_>) -> Result<(), CliError> {
    file.root()?;
    file.replace(path)?;
    output.note("Note: a key that runs goes on as before until it is started again.");
    show(file, path, output)
}

fn show(file: &RootFile, path: &Path, output: &mut Output<'_>) -> Result<(), CliError> {
    let root = file.root()?;
    let formats: Vec<String> = file.formats.iter().map(|format| format.name()).collect();
    let offer = file.enterprise.as_ref();
    if output.form() == Form::Json {
        return output.object(&json!({
            "file": path.display().to_string(),
            "name": file.name,
            "organization": file.organization,
            "country": file.country,
            "notBefore": rfc_3339(&file.not_before),
            "notAfter": rfc_3339(&file.not_after),
            "formats": formats,
            "enterprise": offer.map(|offer| json!({
                "serialNumber": hex(&offer.serial_number.0),
                "rpIds": offer.rp_ids,
            })),
            "certificate": pem(root.certificate())?,
        }));
    }
    output.line(format_args!("Root:        {}", quoted(&file.name)))?;
    output.line(format_args!("File:        {}", path.display()))?;
    let (from, to) = (rfc_3339(&file.not_before), rfc_3339(&file.not_after));
    let day = |time: &str| time.split('T').next().unwrap_or_default().to_owned();
    output.line(format_args!("Valid:       {} to {}", day(&from), day(&to)))?;
    output.line(format_args!("Formats:     {}", formats.join(", ")))?;
    let Some(offer) = offer else {
        return output.line("Enterprise:  not offered");
    };
    output.line(format_args!("Enterprise:  serial number {}", hex(&offer.serial_number.0)))?;
    let mode_1: Vec<String> = offer.rp_ids.iter().map(|rp| crate::text::rp_id(rp)).collect();
    let mode_1 = if mode_1.is_empty() { "nobody".to_owned() } else { mode_1.join(", ") };
    output.line(format_args!("  mode 1:    {mode_1}"))?;
    output.line("  mode 2:    whom the platform vouches for")
}

fn export(file: &RootFile, output: &mut Output<'_>) -> Result<(), CliError> {
    let pem = pem(file.root()?.certificate())?;
    match output.form() {
        Form::Plain => output.line(pem.trim_end()),
        Form::Json => output.object(&json!({ "certificate": pem })),
    }
}

/// A certificate in PEM (RFC 7468).
fn pem(der: &[u8]) -> Result<String, CliError> {
    let pem = Certificate::from_der(der).and_then(|it| it.to_pem(LineEnding::LF));
    pem.map_err(|error| {
        let what = format!("The root's certificate makes no sense: {error}.");
        CliError::new(Exit::Failed, what, "softkey attestation new")
    })
}

/// The root that a key attests by.
#[derive(Debug)]
pub struct Attester {
    path: PathBuf,
    file: RootFile,
    root: AttestationRoot,
}

impl Attester {
    /// The root in this file, or beside this vault, or beside the user's own.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`] if there is none, or if it cannot be used.
    pub fn find(vault: Option<&Path>, file: Option<&Path>) -> Result<Self, CliError> {
        let Place { path, .. } = Place::of(vault, file)?;
        let file = RootFile::read(&path)?;
        Ok(Self { root: file.root()?, path, file })
    }

    /// The root that a key is to attest by, if it is to attest by one.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find), and [`Exit::Usage`] if a recording is wanted that is to be run again.
    pub fn wanted(args: &RunArgs) -> Result<Option<Self>, CliError> {
        let Some(file) = &args.attestation else { return Ok(None) };
        if args.seed.is_some() && args.record.is_some() {
            return Err(CliError::new(
                Exit::Usage,
                "A recording could not be run again: the root's private key does not stand in it.",
                "leave out --attestation, --record or --seed",
            ));
        }
        Self::find(args.memory.vault.as_deref(), file.as_deref()).map(Some)
    }

    /// Has a key of this configuration attest by the root, and offer enterprise attestation if the owner wants that.
    pub fn configure(&self, config: &mut Config) {
        if let Some(offer) = &self.file.enterprise {
            let rp_ids = offer.rp_ids.clone();
            config.enterprise =
                self.root.enterprise(&offer.serial_number.0, &config.aaguid, rp_ids);
        }
        config.attestation = softkey_authenticator::Attestation::Root(self.root.clone());
    }

    /// The word to the owner, one sentence.
    #[must_use]
    pub fn notice(&self) -> String {
        let (name, path) = (quoted(&self.file.name), self.path.display());
        format!("new credentials are attested by the root {name} in {path}: {WARNING}")
    }
}

#[cfg(test)]
mod tests;
