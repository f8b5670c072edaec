//! `softkey get`: `navigator.credentials.get()` with JSON in and JSON out.

use clap::Args;
use softkey_client::fedcm::options::Mode;
use softkey_client::{Cause, CredentialRequestOptions, Operation, RequestOptions};
use softkey_ctap::Instant;

use super::consent::{Consent, ConsentArgs};
use super::create::{CeremonyArgs, is_bare, named, read_options};
use super::pages::ProviderArgs;
use super::visit::Visit;
use super::wrong;
use crate::browser_profile::BrowserProfileArgs;
use crate::error::CliError;
use crate::inbox::InboxArgs;
use crate::output::Output;

/// The arguments of `softkey get`.
#[derive(Clone, Debug, Default, Args)]
pub struct GetArgs {
    #[command(flatten)]
    /// What create has too.
    pub ceremony: CeremonyArgs,
    #[command(flatten)]
    /// What the person says.
    pub consent: ConsentArgs,
    #[command(flatten)]
    /// Where passwords are, and whom the person is signed in to.
    pub browser_profile: BrowserProfileArgs,
    #[command(flatten)]
    /// Where one-time codes come from.
    pub inbox: InboxArgs,
    #[command(flatten)]
    /// How the person deals with identity providers.
    pub provider: ProviderArgs,

    /// Wait so long for a message with a one-time code [default: without end]
    #[arg(long, value_name = "SECONDS")]
    pub otp_timeout: Option<u64>,
}

/// Carries `softkey get` out: prints the credential, of public keys an `AuthenticationResponseJSON`, or `null`.
///
/// # Errors
///
/// As [`create`](super::create::run).
pub fn run(args: &GetArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let GetArgs { ceremony, consent, browser_profile, inbox, provider, otp_timeout } = args;
    let text = read_options(&ceremony.options)?;
    let options = if is_bare(&text) {
        RequestOptions::from_json(&text).map(Into::into)
    } else {
        CredentialRequestOptions::from_json(&text)
    };
    let operation = Operation::Get;
    let mut options = options.map_err(|cause| named(cause, operation))?;
    if let Some(way) = &ceremony.wrong {
        let options = options.public_key.take();
        let options = options.ok_or_else(|| named(Cause::NoType, operation))?;
        return wrong::get(way, ceremony, &options, output);
    }
    // Only what is kept in a profile needs the person's own.
    let keeps = options.password || options.federated.is_some() || options.identity.is_some();
    let profile = if keeps { browser_profile.open()? } else { browser_profile.open_if_named()? };
    let inbox = if options.otp.is_some() { inbox.open(output)? } else { None };
    let forms = provider.open()?;
    let consent = Consent::from(consent).with_pages(provider.forms.is_some());
    let mut visit = Visit::begin(&ceremony.origin, operation, profile).with(inbox);
    visit.deal_with_providers(forms, provider.verbose);
    let is_active = options.identity.as_ref().is_some_and(|it| it.mode == Mode::Active);
    if provider.forms.is_some() && is_active {
        visit.sign_in_where_unknown();
    }
    if let Some(seconds) = otp_timeout {
        visit.limit_otp(*seconds);
    }
    let request =
        visit.call(|container, entropy| container.get(Instant::default(), options, entropy))?;
    let credential = visit.settle(request, ceremony, consent, output)?;
    output.object(&credential)
}
