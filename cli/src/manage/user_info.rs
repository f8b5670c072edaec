//! `softkey get-user-info`: `IdentityProvider.getUserInfo()`.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::path::PathBuf;

use clap::Args;
use softkey_client::Operation;
use softkey_client::fedcm::{UserInfo, UserInfoOptions};

use super::consent::Consent;
use super::create::{named, read_options};
use super::origins;
use super::pages::Forms;
use super::provider_call::ProviderCallArgs;
use super::visit::Visit;
use crate::error::CliError;
use crate::output::{Form, Output};
use crate::text::quoted;

/// The arguments of `softkey get-user-info`.
#[derive(Clone, Debug, Default, Args)]
pub struct UserInfoArgs {
    /// The origin of the provider's frame that asks, such as `https://login.idp.example`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// The origin of the page around it, with which accounts are connected, such as `https://rp.example`
    ///
    /// Its frame allows identity-credentials-get.
    #[arg(long, value_name = "URL")]
    pub top_origin: String,

    /// The options as a page writes them, {"configURL": .., "clientId": ..}; - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub options: PathBuf,

    #[command(flatten)]
    /// What both calls about a provider have.
    pub call: ProviderCallArgs,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Carries `softkey get-user-info` out: prints the accounts, those that are connected and all others.
///
/// # Errors
///
/// [`Exit::BadInput`](crate::error::Exit::BadInput) for options or an origin that cannot be read, and as the call ends; the message
/// begins with the name of the exception that a page would see.
pub fn run(args: &UserInfoArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let options = UserInfoOptions::from_json(&read_options(&args.options)?);
    let options = options.map_err(|cause| named(cause, Operation::Get))?;
    let (origin, top_origin) =
        (origins::of_page(&args.origin)?, origins::of_page(&args.top_origin)?);
    let (mut http, open) = args.call.open()?;
    let mut visit = Visit::within(Some(&top_origin), &origin, Operation::Get, open);
    visit.deal_with_providers(Forms::default(), args.call.verbose);
    let (request, infos) = visit.user_info(&options);
    visit.settle_alone(request, &mut http, Consent::unknown(), output)?;
    infos.take().iter().try_for_each(|info| match output.form() {
        Form::Json => output.object(info),
        Form::Plain => output.line(told(info)),
    })
}

fn told(info: &UserInfo) -> String {
    let UserInfo { email, name, given_name, picture } = info;
    let members =
        [("email", email), ("name", name), ("given name", given_name), ("picture", picture)];
    let said = members
        .iter()
        .filter_map(|(what, text)| text.as_deref().map(|text| format!("{what} {}", quoted(text))));
    let said: Vec<_> = said.collect();
    if said.is_empty() { "an account that says nothing".into() } else { said.join(", ") }
}
