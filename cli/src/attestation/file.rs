//! The file of an attestation root: JSON beside the vault, readable by its owner alone. It is not sealed by the vault's
//! passphrase: what it guards is worth nothing, since no site may trust such a root for more than a test.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::ValueEnum;
use getrandom::SysRng;
use rand_core::TryRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use softkey_authenticator::{
    AttestationFormat, AttestationRoot, RootError, RootName, RootValidity,
};
use softkey_client::response::Bytes;
use softkey_client::{Origin, base64url};
use softkey_ctap::Secret;
use x509_cert::der::DateTime;
use zeroize::Zeroizing;

use super::NewArgs;
use crate::error::{CliError, Exit};
use crate::text::quoted;
use crate::vault::{VaultError, VaultPaths, files};

/// The longest file, in bytes.
const MAX_LENGTH: usize = 64 * 1024;
/// The version of its form.
const VERSION: u32 = 1;

/// A root as it lies in its file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RootFile {
    softkey_attestation_root: u32,
    /// On P-256.
    private_key: PrivateKey,
    pub(super) country: String,
    pub(super) organization: String,
    pub(super) name: String,
    /// `YYYYMMDDhhmmssZ`, as the last second.
    pub(super) not_before: String,
    pub(super) not_after: String,
    /// Best first.
    pub(super) formats: Vec<FormatName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) enterprise: Option<EnterpriseOffer>,
}

/// What enterprise attestation tells, and whom.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EnterpriseOffer {
    pub(super) serial_number: Bytes,
    /// The relying parties of vendor-facilitated attestation.
    pub(super) rp_ids: Vec<String>,
}

/// A statement format by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FormatName {
    /// By a key with a certificate of the model
    Packed,
    /// packed by the credential itself, without a certificate
    #[serde(rename = "self")]
    #[value(name = "self")]
    PackedSelf,
    /// As U2F has it; for ES256
    FidoU2f,
    /// As a Trusted Platform Module has it; for ES256, ES384, ES512 and RS256
    Tpm,
    /// As Android's key store has it; for all but ML-DSA
    AndroidKey,
    /// As Apple's anonymous attestation has it; for all but ML-DSA
    Apple,
    /// packed and tpm, or packed and android-key, in one; for all but ML-DSA
    Compound,
    /// No statement
    None,
}

impl FormatName {
    /// The name on the command line.
    pub(super) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

impl From<FormatName> for AttestationFormat {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Packed => Self::Packed,
            FormatName::PackedSelf => Self::PackedSelf,
            FormatName::FidoU2f => Self::FidoU2f,
            FormatName::Tpm => Self::Tpm,
            FormatName::AndroidKey => Self::AndroidKey,
            FormatName::Apple => Self::Apple,
            FormatName::Compound => Self::Compound,
            FormatName::None => Self::None,
        }
    }
}

/// The root's private key: 32 bytes, base64url in the file.
#[derive(Clone)]
struct PrivateKey(Secret<32>);

/// The key stays out.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl Serialize for PrivateKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(base64url::encode(self.0.expose())))
    }
}

impl<'de> Deserialize<'de> for PrivateKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // As it lies in the file, so that no copy is made.
        let bytes = base64url::decode(<&str>::deserialize(from)?).map(Zeroizing::new);
        let key = bytes.and_then(|bytes| Secret::from_slice(&bytes));
        key.map(Self).ok_or_else(|| de::Error::custom("not 32 bytes in base64url"))
    }
}

/// Where a root lies.
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// The vault that it lies beside.
    vault: Option<VaultPaths>,
}

impl Place {
    /// In this file, or beside this vault, or beside the user's own.
    pub(super) fn of(vault: Option<&Path>, file: Option<&Path>) -> Result<Self, CliError> {
        if let Some(file) = file {
            return Ok(Self { path: file.to_owned(), vault: None });
        }
        let paths = match vault {
            Some(vault) => VaultPaths::at(vault),
            None => VaultPaths::default_for_user().map_err(|error| failed(&error))?,
        };
        Ok(Self { path: paths.attestation(), vault: Some(paths) })
    }
}

impl RootFile {
    /// A new root, valid from today on, with a private key of the system's randomness.
    pub(super) fn generate(args: &NewArgs) -> Result<Self, CliError> {
        let now = DateTime::try_from(SystemTime::now()).map_err(|error| {
            let what = format!("The system's clock makes no sense: {error}.");
            CliError::new(Exit::Failed, what, "set the clock")
        })?;
        // A day that every year has.
        let (month, day) = (now.month(), now.day().min(28));
        let time = |year: u16| format!("{year:04}{month:02}{day:02}000000Z");
        let file = Self {
            softkey_attestation_root: VERSION,
            private_key: PrivateKey(random()?),
            country: args.country.clone(),
            organization: args.organization.clone(),
            name: args.name.clone(),
            not_before: time(now.year()),
            not_after: time(now.year().saturating_add(args.years)),
            formats: vec![FormatName::Packed],
            enterprise: None,
        };
        file.root()?;
        Ok(file)
    }

    /// Reads a root, which must be its owner's alone.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        if !files::exists(path).map_err(|error| failed(&error))? {
            let what = format!("There is no attestation root at {}.", path.display());
            return Err(CliError::new(Exit::BadInput, what, "softkey attestation new makes one"));
        }
        let bytes = files::read_private(path, MAX_LENGTH).map_err(|error| failed(&error))?;
        let file: Option<Self> = serde_json::from_slice(&bytes).ok();
        file.filter(|file| file.softkey_attestation_root == VERSION).ok_or_else(|| {
            let what = format!("{} is not the file of an attestation root.", path.display());
            CliError::new(Exit::BadInput, what, "put it back from a backup, or make another one")
        })
    }

    /// Writes a root where none is.
    pub(super) fn create(&self, place: &Place) -> Result<(), CliError> {
        let path = &place.path;
        if files::exists(path).map_err(|error| failed(&error))? {
            let what = format!("There is an attestation root at {} already.", path.display());
            let try_this = "softkey attestation remove, if it is no longer wanted";
            return Err(CliError::new(Exit::Failed, what, try_this));
        }
        if let Some(vault) = &place.vault {
            vault.make_folders().map_err(|error| failed(&error))?;
        }
        self.replace(path)
    }

    /// Writes a root in the place of what is there, in one step.
    pub(super) fn replace(&self, path: &Path) -> Result<(), CliError> {
        let json = serde_json::to_vec_pretty(self).map(Zeroizing::new);
        let json = json.map_err(|error| CliError::new(Exit::Failed, error.to_string(), ""))?;
        files::replace(path, &json).map_err(|error| failed(&error))
    }

    /// The root itself, which can make what is offered.
    pub(super) fn root(&self) -> Result<AttestationRoot, CliError> {
        let name = RootName {
            country: self.country.clone(),
            organization: self.organization.clone(),
            common_name: self.name.clone(),
        };
        let validity =
            RootValidity { not_before: self.not_before.clone(), not_after: self.not_after.clone() };
        let formats: Vec<_> = self.formats.iter().map(|name| (*name).into()).collect();
        let key = self.private_key.0.clone();
        let root = AttestationRoot::new(key, &name, &validity, &formats).map_err(refused)?;
        let makes = |offer: &EnterpriseOffer| {
            root.enterprise(&offer.serial_number.0, &[0; 16], Vec::new()).is_some()
        };
        if self.enterprise.as_ref().is_none_or(makes) {
            return Ok(root);
        }
        let what = "A serial number has 1 to 64 bytes.";
        Err(CliError::new(Exit::BadInput, what, "softkey attestation enterprise --off"))
    }

    /// Offers enterprise attestation to these relying parties; the serial number stays once it is drawn.
    pub(super) fn offer_enterprise(&mut self, rp_ids: &[String]) -> Result<(), CliError> {
        if let Some(other) = rp_ids.iter().find(|rp_id| !is_rp_id(rp_id)) {
            let other = quoted(other);
            let what = format!("{other} is no relying party identifier: those are domain names.");
            let hint = "softkey attestation enterprise example.com, or without a name for nobody";
            return Err(CliError::new(Exit::BadInput, what, hint));
        }
        let serial_number = match self.enterprise.take() {
            Some(offer) => offer.serial_number,
            None => Bytes(random::<16>()?.expose().to_vec()),
        };
        self.enterprise = Some(EnterpriseOffer { serial_number, rp_ids: rp_ids.to_vec() });
        Ok(())
    }
}

/// May the site of this name have it for its relying party identifier, as it stands there? An address may not; and a word such as
/// `on`, which might be a host of a network without domains, is more likely meant otherwise.
fn is_rp_id(text: &str) -> bool {
    let own = Origin::parse(&format!("https://{text}")).and_then(|site| site.rp_id(Some(text)));
    own.is_ok_and(|own| own == text) && (text.contains('.') || text == "localhost")
}

/// A time of a certificate (`GeneralizedTime`: `YYYYMMDDHHMMSSZ`) as RFC 3339 has it.
pub(super) fn rfc_3339(time: &str) -> String {
    let part = |range| time.get(range).unwrap_or_default();
    let (year, month, day) = (part(0..4), part(4..6), part(6..8));
    format!("{year}-{month}-{day}T{}:{}:{}Z", part(8..10), part(10..12), part(12..14))
}

/// Removes the root there.
pub(super) fn remove(path: &Path) -> Result<(), CliError> {
    // What is something else stays.
    RootFile::read(path)?;
    files::remove(path).map_err(|error| failed(&error))
}

fn random<const N: usize>() -> Result<Secret<N>, CliError> {
    Secret::try_make(|bytes| SysRng.try_fill_bytes(bytes)).map_err(|error: getrandom::Error| {
        let what = format!("The system gives no random numbers: {error}.");
        CliError::new(Exit::Failed, what, "see the system's log")
    })
}

fn refused(error: RootError) -> CliError {
    let (what, try_this) = match error {
        RootError::Key => ("The root's private key is none.", "softkey attestation new"),
        RootError::Country => ("A country is two capital letters.", "--country ZZ"),
        RootError::Name => ("A name has 1 to 64 characters.", "another --name or --organization"),
        RootError::Validity => {
            ("The root's times make no sense.", "softkey attestation new, with fewer --years")
        }
        RootError::Formats => (
            "A format stands there twice (packed and self are one), or there is none beside none.",
            "softkey attestation format none packed",
        ),
    };
    CliError::new(Exit::BadInput, what, try_this)
}

fn failed(error: &VaultError) -> CliError {
    let what = format!("The attestation root cannot be used: {}.", error.what());
    CliError::new(Exit::BadInput, what, error.try_this())
}
