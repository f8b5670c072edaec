//! `softkey store`: `navigator.credentials.store()`, and `softkey prevent-silent-access`.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use softkey_client::{
    Cause, Credential, CredentialCreationOptions, CredentialType, Operation,
    Output as RequestOutput, Page,
};
use softkey_ctap::Instant;

use super::consent::{Consent, KeepArgs};
use super::create::{named, options, read_options};
use super::entropy;
use super::network::NetworkArgs;
use super::visit::Visit;
use crate::browser_profile::BrowserProfileArgs;
use crate::error::CliError;
use crate::output::{Form, Output};
use crate::text::rp_id;

/// The arguments of `softkey store`.
#[derive(Clone, Debug, Default, Args)]
pub struct StoreArgs {
    /// The origin of the page that asks, such as `https://example.org`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// The credential: the options of create with the member password or federated, or what create or get printed; -
    /// for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub options: PathBuf,

    #[command(flatten)]
    /// What the person says.
    pub consent: KeepArgs,
    #[command(flatten)]
    /// Where it is kept.
    pub browser_profile: BrowserProfileArgs,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `softkey prevent-silent-access`.
#[derive(Clone, Debug, Default, Args)]
pub struct PreventArgs {
    /// The origin of the page that asks, such as `https://example.org`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    #[command(flatten)]
    /// Where it is remembered.
    pub browser_profile: BrowserProfileArgs,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Carries `softkey store` out: says whether something is kept now that was not before.
///
/// # Errors
///
/// [`Exit::BadInput`](crate::error::Exit::BadInput) for what cannot be read or stored; the message begins with the name
/// of the exception that a page would see.
pub fn run(args: &StoreArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let credential = credential(&read_options(&args.options)?, &args.origin)?;
    let open = args.browser_profile.open()?;
    let profile = open.profile().clone();
    let before = (profile.passwords(), profile.federated());
    let mut visit = Visit::begin(&args.origin, Operation::Store, open);
    let request = visit.call(|container, _| container.store(credential))?;
    let mut http = NetworkArgs::default().http()?;
    visit.settle_alone(request, &mut http, Consent::from(&args.consent), output)?;
    let changed = before != (profile.passwords(), profile.federated());
    if !changed && profile.never_keeps(&args.origin) {
        output.note(format!(
            "{} must not ask to keep anything; softkey passwords clear-site lets it ask again.",
            rp_id(&args.origin)
        ));
    }
    match output.form() {
        Form::Json => output.object(&json!({"changed": changed})),
        Form::Plain => output.line(if changed { "Kept." } else { "Nothing has changed." }),
    }
}

/// Carries `softkey prevent-silent-access` out.
///
/// # Errors
///
/// [`Exit::BadInput`](crate::error::Exit::BadInput) for an origin that has no credentials.
pub fn prevent(args: &PreventArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let open = args.browser_profile.open()?;
    let prevented = Page::new(open.profile(), &args.origin).credentials().prevent_silent_access();
    prevented.map_err(|rejection| named(rejection.cause, Operation::Get))?;
    open.save()?;
    match output.form() {
        Form::Json => output.object(&json!({"origin": args.origin, "silentAccess": false})),
        Form::Plain => output.line(format!("{} gets nothing without asking.", rp_id(&args.origin))),
    }
}

/// What is to be stored: a credential as it was printed, or what create makes of its options.
fn credential(text: &str, origin: &str) -> Result<Credential, CliError> {
    let failed = |cause| named(cause, Operation::Store);
    let printed = serde_json::from_str::<Value>(text).ok().filter(|it| it.get("type").is_some());
    let options = match printed {
        Some(value) => again(value, origin),
        None => options(text),
    };
    let options = options.map_err(failed)?;
    if options.public_key.is_some() {
        return Err(failed(Cause::CannotStore(CredentialType::PublicKey)));
    }
    // It is made on a page of its own: to make one takes no profile and no consent.
    let profile = softkey_client::Profile::new();
    let mut page = Page::new(&profile, origin);
    let mut request = page.credentials().create(Instant::default(), options, entropy()?);
    match request.poll_output(Instant::default()) {
        Some(RequestOutput::Settled(Ok(Some(credential)))) => Ok(credential),
        Some(RequestOutput::Settled(Err(rejection))) => {
            Err(named(rejection.cause, Operation::Create))
        }
        _ => Err(failed(Cause::NoType)),
    }
}

/// The options that make a printed credential anew. It is of the page, unless it says otherwise.
fn again(mut value: Value, origin: &str) -> Result<CredentialCreationOptions, Cause> {
    let name = value.get("type").cloned().unwrap_or_default();
    let kind = CredentialType::ALL.into_iter().find(|kind| name == kind.as_str());
    let unknown = || Cause::NotTheDictionary("its type is no type of credential".into());
    let kind = kind.ok_or_else(unknown)?;
    if !matches!(kind, CredentialType::Password | CredentialType::Federated) {
        return Err(Cause::CannotStore(kind));
    }
    if let Some(members) = value.as_object_mut() {
        members.entry("origin").or_insert_with(|| origin.into());
    }
    CredentialCreationOptions::from_json(&json!({ kind.member(): value }).to_string())
}
