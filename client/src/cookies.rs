//! The cookies of a profile (RFC 6265bis sections 5.6 to 5.8): which are kept, and which go along with a request.
//!
//! The header is read by the crate `cookie`. The jar is ours: it goes by the clock of its owner, and tells the cookies
//! that may go to other sites from those that may not.

#[cfg(test)]
mod tests;

use cookie::time::UtcDateTime;
use cookie::{Expiration, SameSite};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::fedcm::is_trustworthy;
use crate::secret_text::SecretText;
use crate::suffix::public_suffix;

/// How long a cookie lives at most, in seconds: 400 days.
const LONGEST: u64 = 400 * 86_400;
/// How many bytes name and value may have together.
const MAX_BYTES: usize = 4096;
/// How many cookies one domain may have; the oldest ones give way.
const MAX_EACH: usize = 150;

/// The cookies. It serializes with their values in clear, and those of a session among them: a saved profile is a
/// session that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Jar(Vec<Cookie>);

/// One cookie.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cookie {
    name: String,
    value: SecretText,
    domain: String,
    path: String,
    #[serde(default)]
    host_only: bool,
    #[serde(default)]
    secure: bool,
    /// May it go to the site from everywhere?
    #[serde(default)]
    cross_site: bool,
    /// Seconds since 1970; nothing for a cookie of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}{}", self.name, self.domain, self.path)
    }
}

/// Which cookies a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those with `SameSite=None`: the request comes from elsewhere.
    CrossSite,
    /// All: the user goes there.
    Everywhere,
}

impl Jar {
    /// Heeds one header `Set-Cookie` of an answer that came from this URL; `now` is in seconds since 1970. What breaks
    /// a rule is passed over.
    pub(crate) fn set(&mut self, now: u64, url: &Url, header: &str) {
        let Some(new) = read(now, url, header) else { return };
        let same = |old: &Cookie| {
            (&old.name, &old.domain, &old.path, old.host_only)
                == (&new.name, &new.domain, &new.path, new.host_only)
        };
        let plain = url.scheme() != "https" && !new.secure;
        if plain && self.0.iter().any(|old| old.secure && new.is_mistaken_for(old)) {
            // Whoever sits on the line must not replace what came over TLS, nor put something in front of it.
            return;
        }
        self.0.retain(|old| !same(old) && is_alive(now, old));
        if !is_alive(now, &new) {
            return;
        }
        let domain = new.domain.clone();
        self.0.push(new);
        let of_domain = |cookie: &Cookie| cookie.domain == domain;
        let mut spare = self.0.iter().filter(|one| of_domain(one)).count().saturating_sub(MAX_EACH);
        self.0.retain(|cookie| {
            let goes = spare > 0 && of_domain(cookie);
            spare -= usize::from(goes);
            !goes
        });
    }

    /// The value of the header `Cookie` of a request; nothing if it has none.
    pub(crate) fn header(&self, now: u64, url: &Url, reach: Reach) -> Option<SecretText> {
        let goes = |cookie: &&Cookie| {
            is_alive(now, cookie)
                && cookie.is_for(url)
                && (reach == Reach::Everywhere || cookie.cross_site)
        };
        let mut cookies: Vec<&Cookie> = self.0.iter().filter(goes).collect();
        // Longer paths first, and else as they came.
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pair = |cookie: &&Cookie| format!("{}={}", cookie.name, cookie.value.expose());
        let pairs: Vec<_> = cookies.iter().map(pair).collect();
        (!pairs.is_empty()).then(|| SecretText::new(pairs.join("; ")))
    }

    /// Removes what a page of this host could be sent, and gives it.
    pub(crate) fn clear(&mut self, host: &str) -> Vec<Cookie> {
        self.0.extract_if(.., |cookie| cookie.is_of(host)).collect()
    }
}

impl Cookie {
    fn is_for(&self, url: &Url) -> bool {
        self.reaches(url) && is_under(url.path(), &self.path)
    }

    /// Does it go to some path of this origin?
    pub(crate) fn reaches(&self, origin: &Url) -> bool {
        origin.host_str().is_some_and(|host| self.is_of(host))
            && (!self.secure || is_trustworthy(origin))
    }

    /// Could a server that is sent both take this one for the other (section 5.7, of cookies that are not secure)?
    fn is_mistaken_for(&self, other: &Self) -> bool {
        let (own, theirs) = (&self.domain, &other.domain);
        self.name == other.name
            && (own == theirs || is_below(own, theirs) || is_below(theirs, own))
            && is_under(&self.path, &other.path)
    }

    fn is_of(&self, host: &str) -> bool {
        host == self.domain || (!self.host_only && is_below(host, &self.domain))
    }
}

fn is_alive(now: u64, cookie: &Cookie) -> bool {
    cookie.expires.is_none_or(|expires| expires > now)
}

/// Is the path in this folder, or the same (section 5.1.4)?
fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.ends_with('/'))
}

/// Is it a proper subdomain?
fn is_below(host: &str, domain: &str) -> bool {
    let domain_name = matches!(url::Host::parse(host), Ok(url::Host::Domain(_)));
    domain_name && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Sections 5.6 and 5.7.
fn read(now: u64, url: &Url, header: &str) -> Option<Cookie> {
    let parsed = cookie::Cookie::parse(header).ok()?;
    let host = url.host_str()?;
    let (name, value) = (parsed.name(), parsed.value());
    let control = |text: &str| text.chars().any(|letter| letter.is_control() && letter != '\t');
    if name.is_empty() || name.len() + value.len() > MAX_BYTES || control(name) || control(value) {
        return None;
    }
    let (domain, host_only) = domain(host, parsed.domain())?;
    let secure = parsed.secure() == Some(true);
    let cross_site = parsed.same_site() == Some(SameSite::None);
    let prefixed = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let whole_host = host_only && parsed.path() == Some("/");
    // On a way that is not secure nothing may claim to be; what claims to be must say so.
    let claims = cross_site || prefixed("__Secure-") || prefixed("__Host-");
    let honest = if secure { is_trustworthy(url) } else { !claims };
    let allowed = honest && (whole_host || !prefixed("__Host-"));
    let given = parsed.path().filter(|path| path.starts_with('/'));
    allowed.then(|| Cookie {
        path: given.unwrap_or_else(|| default_path(url)).to_owned(),
        name: name.to_owned(),
        value: SecretText::new(value),
        domain,
        host_only,
        secure,
        cross_site,
        expires: expires(now, &parsed),
    })
}

/// The domain and whether it means the host alone; nothing if the host may not speak for it.
fn domain(host: &str, attribute: Option<&str>) -> Option<(String, bool)> {
    let given = attribute.map(|given| given.trim_start_matches('.').to_ascii_lowercase());
    let Some(domain) = given.filter(|given| !given.is_empty()) else {
        return Some((host.to_owned(), true));
    };
    if public_suffix(&domain) == Some(domain.as_str()) {
        return (domain == host).then_some((domain, true));
    }
    (domain == host || is_below(host, &domain)).then_some((domain, false))
}

/// The folder of the URL's path.
fn default_path(url: &Url) -> &str {
    let folder = url.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    if folder.is_empty() { "/" } else { folder }
}

fn expires(now: u64, parsed: &cookie::Cookie<'_>) -> Option<u64> {
    let latest = now.saturating_add(LONGEST);
    if let Some(age) = parsed.max_age() {
        let age = u64::try_from(age.whole_seconds()).unwrap_or(0);
        return Some(now.saturating_add(age).min(latest));
    }
    match parsed.expires()? {
        Expiration::Session => None,
        Expiration::DateTime(at) => {
            let seconds = at.unix_timestamp().max(UtcDateTime::UNIX_EPOCH.unix_timestamp());
            Some(u64::try_from(seconds).unwrap_or(0).min(latest))
        }
    }
}
