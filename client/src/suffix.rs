//! Public suffixes: under which names anybody can register one (the Public Suffix List, ICANN and private
//! sections; HTML section 7.1.1).

use url::Host;

/// The part of a domain that belongs to nobody in particular, such as `co.uk`. The longest rule of the list counts;
/// without one it is the last label. Nothing for what is no domain.
#[must_use]
pub fn public_suffix(domain: &str) -> Option<&str> {
    psl::suffix_str(named(domain)?)
}

/// The public suffix and the label in front of it, such as `example.co.uk`; nothing for a public suffix itself.
#[must_use]
pub fn registrable_domain(domain: &str) -> Option<&str> {
    psl::domain_str(named(domain)?)
}

/// The label that stands for a registrable domain whatever its suffix: `example` for `www.example.co.uk`.
#[must_use]
pub fn registrable_label(domain: &str) -> Option<&str> {
    registrable_domain(domain)?.split('.').next().filter(|label| !label.is_empty())
}

/// Is `suffix` a registrable domain suffix of `host`, or equal to it? Both are domains as the host parser gives
/// them: lower case and ASCII. An equal one is accepted even if it is a public suffix.
#[must_use]
pub fn is_registrable_suffix_or_equal(suffix: &str, host: &str) -> bool {
    if suffix == host {
        return true;
    }
    let ends =
        |name: &str, end: &str| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'));
    let Some(public) = public_suffix(host) else { return false };
    ends(host, suffix) && public_suffix(suffix) != Some(suffix) && !ends(public, suffix)
}

/// A domain in the form that rules are compared in.
pub(crate) fn ascii_domain(text: &str) -> Option<String> {
    match Host::parse(text) {
        Ok(Host::Domain(domain)) => Some(domain),
        _ => None,
    }
}

/// Labels are not empty.
fn named(domain: &str) -> Option<&str> {
    Some(domain).filter(|domain| domain.split('.').all(|label| !label.is_empty()))
}
