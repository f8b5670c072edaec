//! `softkey set-login-status`: `navigator.login.setStatus()`.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use clap::Args;
use serde_json::json;
use softkey_client::Operation;

use super::create::named;
use super::origins;
use super::visit::Visit;
use crate::browser_profile::BrowserProfileArgs;
use crate::error::CliError;
use crate::output::{Form, Output};
use crate::text::{quoted, rp_id};

/// The arguments of `softkey set-login-status`.
#[derive(Clone, Debug, Default, Args)]
pub struct LoginStatusArgs {
    /// logged-in or logged-out
    #[arg(value_name = "STATUS")]
    pub status: String,

    /// The origin of the provider's page that says so, such as `https://login.idp.example`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// The origin of the page around it, if it is a frame; only one of the same site may
    #[arg(long, value_name = "URL")]
    pub top_origin: Option<String>,

    #[command(flatten)]
    /// Where it is remembered.
    pub browser_profile: BrowserProfileArgs,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Carries `softkey set-login-status` out.
///
/// # Errors
///
/// [`Exit::BadInput`](crate::error::Exit::BadInput) for what is no origin, and as the call ends; the message begins with
/// the name of the exception that a page would see.
pub fn run(args: &LoginStatusArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let LoginStatusArgs { status, .. } = args;
    let origin = &origins::of_page(&args.origin)?;
    let top_origin = args.top_origin.as_deref().map(origins::of_page).transpose()?;
    let open = args.browser_profile.open()?;
    let visit = Visit::within(top_origin.as_deref(), origin, Operation::Get, open);
    let set = visit.set_login_status(status)?;
    set.map_err(|rejection| named(rejection.cause, Operation::Get))?;
    match output.form() {
        Form::Json => output.object(&json!({"origin": origin, "loginStatus": status})),
        Form::Plain => output.line(format!("{} says {}.", rp_id(origin), quoted(status))),
    }
}
