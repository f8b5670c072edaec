//! Sites and trustworthiness of URLs, as `FedCM` compares them.

use url::{Host, Url};

use crate::suffix::registrable_domain;

/// Have both the same scheme and the same registrable domain? A host without one, such as an address, stands for
/// itself.
#[must_use]
pub fn is_same_site(one: &Url, other: &Url) -> bool {
    one.has_host() && one.scheme() == other.scheme() && site(one) == site(other)
}

/// May a credential depend on what comes from there: is it `https`, or on this machine?
#[must_use]
pub fn is_trustworthy(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

/// The registrable domain, or the host if it has none.
pub(super) fn site(url: &Url) -> Option<&str> {
    url.domain().and_then(registrable_domain).or_else(|| url.host_str())
}
