//! `softkey demo`: a key over CTAPHID in memory, a client and a relying party in one process, which register and
//! sign in and tell what they say to each other. No privileges, no vault, no network.

mod key;
mod story;

use serde::Serialize;
use serde_json::json;
use softkey_authenticator::Config;
use softkey_client::driver::{self, DriveError, User, Waits};
use softkey_client::verify::{self, CredentialRecord, Expected};
use softkey_client::{
    Account, AuthenticationResponse, CreationOptions, Origin, PinNeed, RegistrationResponse,
    RequestOptions, base64url, create, get,
};
use softkey_ctap::{Instant, Secret};
use softkey_ctap_hid::{Connection, Device, Loopback};
use std::convert::Infallible;
use std::fmt::Display;
use std::ops::ControlFlow;
use zeroize::Zeroizing;

use self::key::DemoKey;
use crate::args::DemoArgs;
use crate::attestation::Attester;
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};
use crate::profile::Profile;
use crate::run::memory::Entropy;
use crate::run::slot::device_config;

/// Where the relying party is.
const ORIGIN: &str = "https://login.example.com";
/// What it calls itself in credentials.
const RP_ID: &str = "example.com";
/// The algorithms it takes, best first; of a key that has neither it takes what there is.
const ALGORITHMS: [i64; 2] =
    [softkey_ctap::cose::algorithm::ES256, softkey_ctap::cose::algorithm::EDDSA];

/// Carries `softkey demo` out.
///
/// # Errors
///
/// [`Exit::Failed`] if the system gives no entropy, or if key, client and relying party disagree, which would be
/// a fault of this program; [`Exit::BadInput`] if a profile or an attestation root is wanted and cannot be used.
pub fn perform(args: &DemoArgs) -> Result<Exit, CliError> {
    let mut output = Output::stdout(if args.json { Form::Json } else { Form::Plain });
    let mut config = args.profile.as_deref().map_or_else(|| Ok(Config::default()), profile)?;
    if let Some(file) = &args.attestation {
        Attester::find(None, file.as_deref())?.configure(&mut config);
    }
    let mut demo = Demo::new(args.seed.map_or(Entropy::System, Entropy::seeded), config)?;
    let registration = demo.register()?;
    output.record(&registration)?;
    let authentication = demo.sign_in(&registration.record)?;
    output.record(&authentication)?;
    Ok(Exit::Success)
}

/// The configuration of a key of this profile, which must be one that a person can use who does nothing but touch it.
fn profile(given: &str) -> Result<Config, CliError> {
    let profile = Profile::find(given)?;
    let refused = |what: &str| {
        let try_this = "softkey run --profile shows such a key to any client";
        Err(CliError::new(Exit::BadInput, format!("The profile {given} {what}."), try_this))
    };
    if !profile.faults.is_empty() {
        return refused("has faults, and a ceremony of the demo must go well");
    }
    // A fresh key has no PIN, and nobody has enrolled a finger.
    let verifies = profile.config.user_verification.is_some_and(|it| it.enrollment.is_none());
    if profile.config.always_uv && !verifies {
        return refused("always wants its user verified, and the demo sets no PIN");
    }
    Ok(profile.config)
}

/// A key, and a channel to it.
struct Demo {
    entropy: Entropy,
    connection: Connection<Loopback<DemoKey>>,
    /// Does the key keep accounts, so that it can be asked for any?
    discoverable: bool,
    /// The algorithms that the relying party takes, best first.
    algorithms: Vec<i64>,
}

/// A ceremony that went well: what was said, and what it came to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ceremony<R> {
    /// `registration` or `authentication`.
    #[serde(rename = "ceremony")]
    kind: &'static str,
    /// The relying party's identifier.
    rp_id: &'static str,
    /// Its origin.
    origin: &'static str,
    /// The challenge it issued, in base64url.
    challenge: String,
    /// The client data, attestation object or authenticator data, and signature, in base64url.
    #[serde(flatten)]
    parts: serde_json::Value,
    /// The response as a page gets it.
    credential: R,
    /// What the relying party keeps from now on: public key (`COSE_Key`) and counter.
    #[serde(skip)]
    record: CredentialRecord,
    #[serde(skip)]
    story: String,
}

impl<R> Display for Ceremony<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.story.trim_end())
    }
}

impl Demo {
    fn new(entropy: Entropy, config: Config) -> Result<Self, CliError> {
        let device = Device::new(device_config(&config), draw::<1>(&entropy)?[0].into());
        let discoverable = config.generation.speaks_ctap2() && config.max_discoverable > 0;
        let listed: Vec<i64> = config.algorithms.listed().iter().map(|it| it.id()).collect();
        let usual =
            !config.generation.speaks_ctap2() || ALGORITHMS.iter().any(|id| listed.contains(id));
        let algorithms = if usual { ALGORITHMS.to_vec() } else { listed };
        let key = DemoKey::new(&entropy, config)?;
        let loopback = Loopback::new(device, key, Instant::from_millis(0));
        let connection = Connection::open(loopback).map_err(|error| failed("INIT", &error))?;
        Ok(Self { entropy, connection, discoverable, algorithms })
    }

    /// The relying party issues a challenge, the client has a credential made, the relying party checks it.
    fn register(&mut self) -> Result<Ceremony<RegistrationResponse>, CliError> {
        let challenge = draw::<32>(&self.entropy)?;
        let user_id = draw::<16>(&self.entropy)?;
        let wanted = self.algorithms.iter().map(|alg| json!({"type": "public-key", "alg": alg}));
        let resident_key = if self.discoverable { "required" } else { "discouraged" };
        let options = json!({
            "rp": {"id": RP_ID, "name": "Example"},
            "user": {"id": base64url::encode(&user_id), "name": "ada@example.com", "displayName": "Ada"},
            "challenge": base64url::encode(&challenge),
            "pubKeyCredParams": wanted.collect::<Vec<_>>(),
            "authenticatorSelection": {"residentKey": resident_key},
            "attestation": "direct",
        });
        let options = CreationOptions::from_json(&options.to_string())
            .map_err(|cause| failed("create", &cause))?;
        let ceremony = create(options, origin()?, self.reach(), self.client_entropy()?);
        let response = driver::drive(ceremony, &mut self.connection, &mut Yes)
            .map_err(|error| drive_failed(&error))?;
        let registered = verify::registration(&response, &expected(&challenge), &self.algorithms)
            .map_err(|fault| failed("registration", &fault))?;
        let story = story::registration(&mut self.connection, &challenge, &response, &registered);
        Ok(Ceremony {
            kind: "registration",
            rp_id: RP_ID,
            origin: ORIGIN,
            challenge: base64url::encode(&challenge),
            parts: json!({
                "clientDataJSON": response.response.client_data_json,
                "attestationObject": response.response.attestation_object,
                "authenticatorData": response.response.authenticator_data,
                "credentialId": response.raw_id,
                "publicKey": base64url::encode(&registered.record.public_key),
                "signCount": registered.record.sign_count,
                "aaguid": base64url::encode(&registered.aaguid),
            }),
            credential: response,
            record: registered.record,
            story,
        })
    }

    /// The relying party issues another challenge, and any account of this key may answer it; one that keeps no accounts
    /// is asked for the credential by its identifier.
    fn sign_in(
        &mut self,
        record: &CredentialRecord,
    ) -> Result<Ceremony<AuthenticationResponse>, CliError> {
        let challenge = draw::<32>(&self.entropy)?;
        let by_id = || json!({"type": "public-key", "id": base64url::encode(&record.id)});
        let allowed: Vec<_> = (!self.discoverable).then(by_id).into_iter().collect();
        let challenged = base64url::encode(&challenge);
        let options = json!({"rpId": RP_ID, "challenge": challenged, "allowCredentials": allowed});
        let options = RequestOptions::from_json(&options.to_string())
            .map_err(|cause| failed("get", &cause))?;
        let ceremony = get(options, origin()?, self.reach(), self.client_entropy()?);
        let response = driver::drive(ceremony, &mut self.connection, &mut Yes)
            .map_err(|error| drive_failed(&error))?;
        let authenticated = verify::authentication(&response, &expected(&challenge), record)
            .map_err(|fault| failed("sign-in", &fault))?;
        let story = story::sign_in(
            &mut self.connection,
            &challenge,
            &response,
            record.sign_count,
            &authenticated,
        );
        Ok(Ceremony {
            kind: "authentication",
            rp_id: RP_ID,
            origin: ORIGIN,
            challenge: base64url::encode(&challenge),
            parts: json!({
                "clientDataJSON": response.response.client_data_json,
                "authenticatorData": response.response.authenticator_data,
                "signature": response.response.signature,
                "userHandle": response.response.user_handle,
                "credentialId": response.raw_id,
                "publicKey": base64url::encode(&record.public_key),
                "signCount": authenticated.record.sign_count,
            }),
            credential: response,
            record: authenticated.record,
            story,
        })
    }

    fn reach(&self) -> softkey_client::Reach {
        driver::reach(&self.connection)
    }

    fn client_entropy(&self) -> Result<softkey_client::Entropy, CliError> {
        let seed = Secret::new(draw(&self.entropy)?);
        Ok(softkey_client::Entropy::from_seed(&seed))
    }
}

/// A person who agrees to everything, as the demo must.
struct Yes;

impl User for Yes {
    fn waits(&mut self, _: Waits) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn pin(&mut self, _: PinNeed) -> Option<Zeroizing<String>> {
        None
    }

    fn account(&mut self, _: &[Account]) -> Option<usize> {
        Some(0)
    }
}

fn origin() -> Result<Origin, CliError> {
    Origin::parse(ORIGIN).map_err(|cause| failed("origin", &cause))
}

const fn expected(challenge: &[u8]) -> Expected<'_> {
    Expected::new(challenge, ORIGIN, RP_ID)
}

/// Random bytes of the demo.
fn draw<const N: usize>(entropy: &Entropy) -> Result<[u8; N], CliError> {
    use rand_core::TryRng;
    let mut bytes = [0; N];
    let drawn = entropy.clone().try_fill_bytes(&mut bytes);
    drawn.map_err(|error| {
        let what = format!("The system gives no random numbers: {error}.");
        CliError::new(Exit::Failed, what, "see the system's log, or give --seed")
    })?;
    Ok(bytes)
}

fn drive_failed(error: &DriveError<Infallible>) -> CliError {
    failed("the ceremony", error)
}

fn failed(what: &str, error: &dyn Display) -> CliError {
    CliError::new(
        Exit::Failed,
        format!("The demo failed at {what}: {error}."),
        "report it with the version that softkey --version prints",
    )
}
