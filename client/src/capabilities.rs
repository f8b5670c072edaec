//! `PublicKeyCredential.getClientCapabilities()` (WebAuthn Level 3 section 5.1.7): what this client can do.

use std::collections::BTreeMap;

/// The capabilities that are known: true is supported, false is not. One key for each extension that there is.
#[must_use]
pub fn client_capabilities() -> BTreeMap<&'static str, bool> {
    BTreeMap::from([
        ("conditionalCreate", true),
        ("conditionalGet", true),
        ("extension:appid", true),
        ("extension:appidExclude", true),
        ("extension:credBlob", true),
        ("extension:credProps", true),
        ("extension:credProtect", true),
        ("extension:largeBlob", true),
        ("extension:minPinLength", true),
        ("extension:payment", true),
        ("extension:pinComplexityPolicy", true),
        ("extension:prf", true),
        ("extension:uvm", true),
        ("hybridTransport", false),
        ("passkeyPlatformAuthenticator", false),
        ("relatedOrigins", true),
        ("signalAllAcceptedCredentials", true),
        ("signalCurrentUserDetails", true),
        ("signalUnknownCredential", true),
        ("userVerifyingPlatformAuthenticator", false),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 5.1.7: the keys stand in ascending order, and no extension is there with false.
    #[test]
    fn extensions_are_named_only_if_they_are_there() {
        let capabilities = client_capabilities();
        assert!(capabilities.keys().is_sorted());
        let extensions = capabilities.iter().filter(|(key, _)| key.starts_with("extension:"));
        assert!(extensions.clone().count() == 11 && extensions.clone().all(|(_, there)| *there));
    }
}
