//! `PublicKeyCredential.getClientCapabilities()` (WebAuthn Level 3 section 5.1.7) and its two older sisters: what a page can
//! learn of the client before it calls. What is told is what the client then does: both go by [`Settings::lacks`].

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cause::{Cause, Operation};
use crate::create::attachment;
use crate::credential::Rejection;
use crate::info::Info;
use crate::options::Attachment;
use crate::page::Page;
use crate::profile::Settings;
use crate::registry::CredentialType;

/// What a client can do of its own. What it can do with an authenticator follows from those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&str", try_from = "String")]
pub enum Capability {
    /// `mediation: "conditional"` in create. A client without it passes the member over, and asks.
    ConditionalCreate,
    /// The same in get. A client without it rejects with a `TypeError`.
    ConditionalGet,
    /// The extension `appid`. Clients without an extension pass its inputs over.
    AppId,
    /// The extension `appidExclude`.
    AppIdExclude,
    /// The extension `credBlob`.
    CredBlob,
    /// The extension `credProps`.
    CredProps,
    /// The extension `credProtect`.
    CredProtect,
    /// `hmacCreateSecret`, which [`Settings::hmac_secret`] must open, too.
    HmacCreateSecret,
    /// `hmacGetSecret`, likewise.
    HmacGetSecret,
    /// The extension `largeBlob`.
    LargeBlob,
    /// The extension `minPinLength`.
    MinPinLength,
    /// The extension `payment`.
    Payment,
    /// The extension `pinComplexityPolicy`.
    PinComplexityPolicy,
    /// The extension `prf`.
    Prf,
    /// The extension `uvm`.
    Uvm,
    /// Lists of related origins. A client without them refuses every identifier that is not the page's.
    RelatedOrigins,
    /// The method `signalAllAcceptedCredentials`.
    SignalAllAcceptedCredentials,
    /// The method `signalCurrentUserDetails`.
    SignalCurrentUserDetails,
    /// The method `signalUnknownCredential`.
    SignalUnknownCredential,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::ConditionalCreate,
        Self::ConditionalGet,
        Self::AppId,
        Self::AppIdExclude,
        Self::CredBlob,
        Self::CredProps,
        Self::CredProtect,
        Self::HmacCreateSecret,
        Self::HmacGetSecret,
        Self::LargeBlob,
        Self::MinPinLength,
        Self::Payment,
        Self::PinComplexityPolicy,
        Self::Prf,
        Self::Uvm,
        Self::RelatedOrigins,
        Self::SignalAllAcceptedCredentials,
        Self::SignalCurrentUserDetails,
        Self::SignalUnknownCredential,
    ];

    /// The standard's name, under which a page finds it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConditionalCreate => "conditionalCreate",
            Self::ConditionalGet => "conditionalGet",
            Self::AppId => "extension:appid",
            Self::AppIdExclude => "extension:appidExclude",
            Self::CredBlob => "extension:credBlob",
            Self::CredProps => "extension:credProps",
            Self::CredProtect => "extension:credProtect",
            Self::HmacCreateSecret => "extension:hmacCreateSecret",
            Self::HmacGetSecret => "extension:hmacGetSecret",
            Self::LargeBlob => "extension:largeBlob",
            Self::MinPinLength => "extension:minPinLength",
            Self::Payment => "extension:payment",
            Self::PinComplexityPolicy => "extension:pinComplexityPolicy",
            Self::Prf => "extension:prf",
            Self::Uvm => "extension:uvm",
            Self::RelatedOrigins => "relatedOrigins",
            Self::SignalAllAcceptedCredentials => "signalAllAcceptedCredentials",
            Self::SignalCurrentUserDetails => "signalCurrentUserDetails",
            Self::SignalUnknownCredential => "signalUnknownCredential",
        }
    }

    fn is_extension(self) -> bool {
        self.as_str().starts_with("extension:")
    }
}

impl From<Capability> for &'static str {
    fn from(capability: Capability) -> Self {
        capability.as_str()
    }
}

impl TryFrom<String> for Capability {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|capability| capability.as_str() == name);
        named.ok_or_else(|| format!("no capability of a client is called {name}"))
    }
}

impl Settings {
    /// Can the client do this?
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        let open = match capability {
            Capability::HmacCreateSecret | Capability::HmacGetSecret => self.hmac_secret,
            Capability::RelatedOrigins => self.related_origin_labels > 0,
            _ => true,
        };
        open && !self.lacks.contains(&capability)
    }
}

impl Page {
    /// `PublicKeyCredential.getClientCapabilities()`, with these authenticators at hand: true is supported, false is not.
    /// An extension that the client does not have is not named.
    ///
    /// # Errors
    ///
    /// `NotSupportedError` where the profile has no public keys; `SecurityError` in an insecure context.
    pub fn client_capabilities(
        &self,
        keys: &[Info],
    ) -> Result<BTreeMap<&'static str, bool>, Rejection> {
        let settings = self.public_key_settings()?;
        let own = Capability::ALL.into_iter().map(|one| (one, settings.can(one)));
        let own = own.filter(|(one, can)| *can || !one.is_extension());
        let hybrid = keys.iter().any(|key| key.transports.iter().any(|way| way == "hybrid"));
        let passkeys = keys.iter().any(|key| verifies_here(key) && key.options.rk == Some(true));
        let with_keys = [
            ("hybridTransport", hybrid),
            ("passkeyPlatformAuthenticator", hybrid || passkeys),
            ("userVerifyingPlatformAuthenticator", keys.iter().any(verifies_here)),
        ];
        Ok(own.map(|(one, can)| (one.as_str(), can)).chain(with_keys).collect())
    }

    /// `PublicKeyCredential.isConditionalMediationAvailable()`: is there a conditional get?
    ///
    /// # Errors
    ///
    /// As [`Page::client_capabilities`].
    pub fn is_conditional_mediation_available(&self) -> Result<bool, Rejection> {
        Ok(self.public_key_settings()?.can(Capability::ConditionalGet))
    }

    /// `PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable()`, with these authenticators at hand.
    ///
    /// # Errors
    ///
    /// As [`Page::client_capabilities`].
    pub fn is_user_verifying_platform_authenticator_available(
        &self,
        keys: &[Info],
    ) -> Result<bool, Rejection> {
        self.public_key_settings()?;
        Ok(keys.iter().any(verifies_here))
    }

    /// The settings, if the page sees the interface `PublicKeyCredential`.
    fn public_key_settings(&self) -> Result<Settings, Rejection> {
        let settings = self.profile().settings();
        let seen = if !self.is_secure() {
            Err(Cause::InsecureOrigin)
        } else if settings.absent.contains(&CredentialType::PublicKey) {
            Err(Cause::NoType)
        } else {
            Ok(settings)
        };
        seen.map_err(|cause| Rejection::new(cause, Operation::Get))
    }
}

/// Is this an authenticator of the machine's own that verifies its user?
fn verifies_here(key: &Info) -> bool {
    attachment(Some(key)) == Attachment::Platform && key.is_protected()
}
