//! Sites and trustworthiness of URLs, as `FedCM` compares them.

use url::Url;

use crate::origin;
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
    origin::is_trustworthy(url)
}

/// The registrable domain, or the host if it has none.
pub(super) fn site(url: &Url) -> Option<&str> {
    url.domain().and_then(registrable_domain).or_else(|| url.host_str())
}
