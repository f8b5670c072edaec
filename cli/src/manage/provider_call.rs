//! What the calls about one identity provider have in common: `softkey disconnect` and `softkey get-user-info`.

use clap::Args;
use softkey_client::fetch::http::Http;

use super::network::NetworkArgs;
use crate::browser_profile::{BrowserProfile, BrowserProfileArgs};
use crate::error::CliError;

/// Their arguments, besides who calls and with which options.
#[derive(Clone, Debug, Default, Args)]
pub struct ProviderCallArgs {
    #[command(flatten)]
    /// Where the person is signed in at the provider, and connections are remembered.
    pub browser_profile: BrowserProfileArgs,
    #[command(flatten)]
    /// Where servers are.
    pub network: NetworkArgs,

    /// Show each request to the provider with its headers, and which rule its answer broke; without cookies' values
    ///
    /// On standard error; with --json as a line {"request": ..} each.
    #[arg(long)]
    pub verbose: bool,
}

impl ProviderCallArgs {
    /// The network and the browser profile.
    pub(super) fn open(&self) -> Result<(Http, BrowserProfile), CliError> {
        let http = self.network.http()?;
        Ok((http, self.browser_profile.open()?))
    }
}
