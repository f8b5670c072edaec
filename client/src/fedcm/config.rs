//! The well-known file, the config file, and whether they fit; the client metadata.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::branding::{Branding, text};
use super::exchange::Exchange;
use super::site::site;
use super::{Endpoint, Fault, is_same_site, is_trustworthy};
use crate::fetch::{FetchFault, FetchResponse};

/// The well-known file as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct WellKnown {
    /// The one config file of this site.
    #[serde(default)]
    pub provider_urls: Vec<String>,
    /// Where accounts are, so that several config files may share the site.
    pub accounts_endpoint: Option<String>,
    /// Where people sign in; likewise.
    pub login_url: Option<String>,
}

impl WellKnown {
    /// Asks for the well-known file of the site that a config file is of. Nothing if the relying party is of that
    /// site itself, which needs none. Behind the registrable domain comes no port; who needs another place asks
    /// [`Exchange::get`] for it.
    #[must_use]
    pub fn ask(config_url: &Url, relying_party: &Url) -> Option<Exchange> {
        if is_same_site(relying_party, config_url) { None } else { Self::at_site(config_url) }
    }

    /// Asks for it whoever the relying party is.
    pub(super) fn at_site(config_url: &Url) -> Option<Exchange> {
        let host = site(config_url)?;
        let url = format!("{}://{host}/.well-known/web-identity", config_url.scheme());
        Some(Exchange::get(Endpoint::WellKnown, &Url::parse(&url).ok()?, ""))
    }

    /// Reads the answer; nothing if the exchange has another request to send first.
    ///
    /// # Errors
    ///
    /// The rule that it breaks.
    pub fn read(
        exchange: &mut Exchange,
        answer: Result<&FetchResponse, FetchFault>,
    ) -> Result<Option<Self>, Fault> {
        exchange.shaped(answer)
    }
}

/// The config file, its URLs resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Gives the accounts.
    pub accounts_endpoint: Url,
    /// Gives the token.
    pub id_assertion_endpoint: Url,
    /// Where people sign in.
    pub login_url: Url,
    /// Ends connections, if the provider has one that can be used.
    pub disconnect_endpoint: Option<Url>,
    /// What the provider knows of relying parties, if it has one that can be used.
    pub client_metadata_endpoint: Option<Url>,
    /// May people add an account in the dialog?
    pub supports_use_other_account: bool,
    /// Only accounts with this label are offered.
    pub account_label: Option<String>,
    /// How the provider wants to look.
    pub branding: Branding,
}

/// The URLs must have their type.
#[derive(Deserialize)]
struct Members {
    accounts_endpoint: String,
    id_assertion_endpoint: String,
    login_url: String,
    disconnect_endpoint: Option<String>,
    client_metadata_endpoint: Option<String>,
    /// The others: one that is of another type keeps nobody from signing in, and is as if it were not there.
    #[serde(flatten)]
    others: Value,
}

impl Config {
    /// Asks for a config file.
    ///
    /// # Errors
    ///
    /// [`Fault::NotTrustworthy`].
    pub fn ask(config_url: &Url) -> Result<Exchange, Fault> {
        if is_trustworthy(config_url) {
            Ok(Exchange::get(Endpoint::Config, config_url, ""))
        } else {
            Err(Fault::NotTrustworthy("configURL"))
        }
    }

    /// Reads the answer and compares it with the well-known file, which is absent where none is needed.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn read(
        exchange: &mut Exchange,
        answer: Result<&FetchResponse, FetchFault>,
        config_url: &Url,
        well_known: Option<&WellKnown>,
    ) -> Result<Self, Fault> {
        let members: Option<Members> = exchange.shaped(answer)?;
        let members = members.ok_or(Fault::Redirect)?;
        let resolve = |name, text: &str| resolve(config_url, name, text);
        let usable = |text: Option<String>| text.and_then(|text| resolve("", &text).ok());
        let others = |name| members.others.get(name).unwrap_or(&Value::Null);
        let has_metadata = members.client_metadata_endpoint.is_some();
        let config = Self {
            login_url: resolve("login_url", &members.login_url)?,
            accounts_endpoint: resolve("accounts_endpoint", &members.accounts_endpoint)?,
            id_assertion_endpoint: resolve(
                "id_assertion_endpoint",
                &members.id_assertion_endpoint,
            )?,
            disconnect_endpoint: usable(members.disconnect_endpoint),
            client_metadata_endpoint: usable(members.client_metadata_endpoint),
            supports_use_other_account: others("supports_use_other_account") == &Value::Bool(true),
            // Chrome once had it as `include` of `accounts`.
            account_label: text(&members.others, "account_label")
                .or_else(|| text(others("accounts"), "include")),
            branding: Branding::of(others("branding"), config_url),
        };
        if let Some(well_known) = well_known {
            config.check(config_url, well_known, has_metadata)?;
        }
        Ok(config)
    }

    /// Does the site stand behind this config file?
    fn check(&self, url: &Url, well_known: &WellKnown, has_metadata: bool) -> Result<(), Fault> {
        let WellKnown { provider_urls, accounts_endpoint, login_url } = well_known;
        if provider_urls.len() > 1 {
            return Err(Fault::SeveralProviders(provider_urls.len()));
        }
        let both = accounts_endpoint.as_deref().zip(login_url.as_deref());
        let Some((accounts, login)) = both else {
            if has_metadata {
                return Err(Fault::WellKnownTooShort);
            }
            let provider = provider_urls.first().ok_or(Fault::NoProvider)?;
            let provider = resolve(url, "provider_urls", provider);
            return if provider? == *url { Ok(()) } else { Err(Fault::OtherProvider) };
        };
        let differs = |name, text, ours: &Url| match resolve(url, name, text) {
            Ok(theirs) if theirs == *ours => Ok(()),
            Ok(_) => Err(Fault::Differs(name)),
            Err(fault) => Err(fault),
        };
        differs("accounts_endpoint", accounts, &self.accounts_endpoint)?;
        differs("login_url", login, &self.login_url)
    }
}

/// A URL of the config file's origin.
pub(super) fn resolve(base: &Url, member: &'static str, text: &str) -> Result<Url, Fault> {
    let url = base.join(text).ok().filter(|url| url.origin() == base.origin());
    let url = url.ok_or(Fault::NotSameOrigin(member))?;
    if is_trustworthy(&url) { Ok(url) } else { Err(Fault::NotTrustworthy(member)) }
}

/// What the provider knows of the relying party.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ClientMetadata {
    /// Its privacy policy.
    pub privacy_policy_url: Option<String>,
    /// Its terms of service.
    pub terms_of_service_url: Option<String>,
    /// Is it foreign to the page around it?
    #[serde(default)]
    pub client_is_third_party_to_top_frame_origin: bool,
}

impl ClientMetadata {
    /// Asks for it; `embedder` is the top-level page's origin, which is told if it is of another site.
    #[must_use]
    pub fn ask(endpoint: &Url, client_id: &str, relying_party: &Url, embedder: &Url) -> Exchange {
        let foreign = !is_same_site(relying_party, embedder);
        let embedder = foreign.then(|| embedder.origin().ascii_serialization());
        let origin = relying_party.origin().ascii_serialization();
        Self::ask_as(endpoint, client_id, &origin, embedder.as_deref())
    }

    /// Likewise, for an origin that may be opaque; `embedder` only if it is of another site.
    pub(super) fn ask_as(
        endpoint: &Url,
        client_id: &str,
        origin: &str,
        embedder: Option<&str>,
    ) -> Exchange {
        let mut url = endpoint.clone();
        url.query_pairs_mut().append_pair("client_id", client_id);
        if let Some(embedder) = embedder {
            url.query_pairs_mut().append_pair("top_level_origin", embedder);
        }
        Exchange::get(Endpoint::ClientMetadata, &url, origin)
    }

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// The rule that it breaks.
    pub fn read(
        exchange: &mut Exchange,
        answer: Result<&FetchResponse, FetchFault>,
    ) -> Result<Self, Fault> {
        exchange.shaped(answer)?.ok_or(Fault::Redirect)
    }
}
