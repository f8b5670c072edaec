//! `softkey disconnect`: `IdentityCredential.disconnect()`.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use softkey_client::Operation;
use softkey_client::fedcm::{Connection, DisconnectOptions};

use super::consent::Consent;
use super::create::{named, read_options};
use super::origins;
use super::pages::Forms;
use super::provider_call::ProviderCallArgs;
use super::visit::Visit;
use crate::error::CliError;
use crate::output::{Form, Output};
use crate::text::{quoted, rp_id};

/// The arguments of `softkey disconnect`.
#[derive(Clone, Debug, Default, Args)]
pub struct DisconnectArgs {
    /// The origin of the page that asks, such as `https://example.org`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// The options as a page writes them, {"configURL": .., "clientId": .., "accountHint": ..}; - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub options: PathBuf,

    #[command(flatten)]
    /// What both calls about a provider have.
    pub call: ProviderCallArgs,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Carries `softkey disconnect` out: says which connections of the page are no more.
///
/// # Errors
///
/// [`Exit::BadInput`](crate::error::Exit::BadInput) for options or an origin that cannot be read, and as the call ends; the message
/// begins with the name of the exception that a page would see. Where the provider was asked and failed to answer, all of
/// its connections with the page have ended nevertheless.
pub fn run(args: &DisconnectArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let options = DisconnectOptions::from_json(&read_options(&args.options)?);
    let options = options.map_err(|cause| named(cause, Operation::Get))?;
    let origin = origins::of_page(&args.origin)?;
    let (mut http, open) = args.call.open()?;
    let profile = open.profile().clone();
    let before = profile.connections();
    let mut visit = Visit::begin(&origin, Operation::Get, open);
    visit.deal_with_providers(Forms::default(), args.call.verbose);
    let request = visit.disconnect(options);
    let settled = visit.settle_alone(request, &mut http, Consent::unknown(), output);
    let after = profile.connections();
    let gone: Vec<_> = before.into_iter().filter(|it| !after.contains(it)).collect();
    if settled.is_err() {
        for connection in &gone {
            output.note(told(connection));
        }
        return settled.map(drop);
    }
    match output.form() {
        Form::Json => output.object(&json!({ "disconnected": gone })),
        Form::Plain => gone.iter().try_for_each(|it| output.line(told(it))),
    }
}

fn told(connection: &Connection) -> String {
    let Connection { relying_party, provider, account, .. } = connection;
    let (page, provider) = (rp_id(relying_party), rp_id(provider));
    format!("{page} is no more connected with {} at {provider}.", quoted(account))
}
