//! Origins and relying party identifiers (WebAuthn Level 3 sections 5.1.3 step 7 and 13.4.9).

use std::fmt;

use url::{Host, Url};

use crate::cause::Cause;
use crate::suffix::{ascii_domain, is_registrable_suffix_or_equal};

/// An origin that may use WebAuthn: `https` with a domain, or `http` with `localhost` or a name below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    serialized: String,
    domain: String,
}

impl Origin {
    /// Reads an origin such as `https://example.org:8443`. A path behind it is passed over.
    ///
    /// # Errors
    ///
    /// [`Cause::OpaqueOrigin`] for what has no origin, [`Cause::InsecureOrigin`] for what cannot be trusted on its
    /// way, and [`Cause::NotADomain`] for addresses, those of this machine too: a page of `http://127.0.0.1` is a
    /// secure context, but no relying party.
    pub fn parse(text: &str) -> Result<Self, Cause> {
        let url = Url::parse(text).map_err(|_| Cause::OpaqueOrigin)?;
        let origin = url.origin();
        if !origin.is_tuple() {
            return Err(Cause::OpaqueOrigin);
        }
        if !is_trustworthy(&url) {
            return Err(Cause::InsecureOrigin);
        }
        match url.host() {
            Some(Host::Domain(domain)) => Self::new(&origin, domain),
            _ => Err(Cause::NotADomain),
        }
    }

    fn new(origin: &url::Origin, domain: &str) -> Result<Self, Cause> {
        if domain.is_empty() {
            return Err(Cause::NotADomain);
        }
        Ok(Self { serialized: origin.ascii_serialization(), domain: domain.to_owned() })
    }

    /// The serialization: scheme, host in ASCII, and the port unless it is the scheme's own.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.serialized
    }

    /// The effective domain, in ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The relying party identifier to use: the one asked for if this origin may claim it, or the effective
    /// domain if none is asked for.
    ///
    /// # Errors
    ///
    /// [`Cause::RpIdMismatch`]. An empty identifier is asked for, not absent.
    pub fn rp_id(&self, asked: Option<&str>) -> Result<String, Cause> {
        let Some(asked) = asked else {
            return Ok(self.domain.clone());
        };
        let asked = ascii_domain(asked).ok_or(Cause::RpIdMismatch)?;
        if is_registrable_suffix_or_equal(&asked, &self.domain) {
            Ok(asked)
        } else {
            Err(Cause::RpIdMismatch)
        }
    }
}

/// May what comes from there be trusted on its way (Secure Contexts section 3.1): is it `https`, or on this machine?
pub(crate) fn is_trustworthy(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_local(url))
}

/// Is it a URL of this machine, by name or by address?
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.serialized)
    }
}

/// An origin's serialization; what has no origin stays as it is, and matches no page.
pub(crate) fn serialized(origin: &str) -> String {
    let tuple = Url::parse(origin).map(|url| url.origin()).ok().filter(url::Origin::is_tuple);
    tuple.map_or_else(|| origin.to_owned(), |tuple| tuple.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{DomException, Operation};

    #[test]
    fn the_serialization_is_ascii_without_the_default_port() {
        let serialized = |text: &str| Origin::parse(text).map(|origin| origin.to_string());
        assert_eq!(serialized("https://EXAMPLE.org:443/path"), Ok("https://example.org".into()));
        assert_eq!(
            serialized("https://bücher.example"),
            Ok("https://xn--bcher-kva.example".into())
        );
        assert_eq!(serialized("http://localhost:8000"), Ok("http://localhost:8000".into()));
        assert_eq!(serialized("data:text/plain,x"), Err(Cause::OpaqueOrigin));
        assert_eq!(serialized("https://10.0.0.1"), Err(Cause::NotADomain));
        assert_eq!(Cause::OpaqueOrigin.exception(Operation::Create), DomException::NotAllowedError);
    }

    /// Secure Contexts section 3.1: loopback by name or address can be trusted on its way; an identifier is a domain.
    #[test]
    fn this_machine_is_a_secure_context_and_a_relying_party_by_name_only() {
        let name = |text: &str| Origin::parse(text).map(|origin| origin.domain().to_owned());
        for (origin, domain) in [
            ("http://localhost", "localhost"),
            ("http://localhost:8080", "localhost"),
            ("http://app.localhost", "app.localhost"),
        ] {
            assert_eq!(name(origin), Ok(domain.to_owned()));
        }
        for address in ["http://127.0.0.1", "http://127.9.9.9:8080", "http://[::1]:3000"] {
            assert_eq!(name(address), Err(Cause::NotADomain), "{address}");
        }
        for other in
            ["http://10.0.0.1", "http://[::2]", "http://localhost.example", "ws://localhost"]
        {
            assert_eq!(name(other), Err(Cause::InsecureOrigin), "{other}");
        }
        assert_eq!(Cause::NotADomain.exception(Operation::Get), DomException::SecurityError);
    }
}
