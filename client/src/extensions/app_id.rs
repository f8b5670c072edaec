//! `appid` and `appidExclude`: credentials of the time before WebAuthn, which are bound to a URL instead of a domain
//! (WebAuthn Level 3 sections 10.1.1 and 10.1.2).

use url::Url;

use crate::cause::Cause;
use crate::origin::Origin;
use crate::suffix::registrable_domain;

/// The `AppID` to use if the caller may: an `https` URL of the same site. A list of trusted facets is not fetched, as in
/// browsers. An empty one stands for the caller's origin.
pub(crate) fn authorized(app_id: &str, caller: &Origin) -> Result<String, Cause> {
    if app_id.is_empty() || app_id == caller.as_str() {
        return Ok(caller.as_str().to_owned());
    }
    let url = Url::parse(app_id).map_err(|_| Cause::AppIdRefused)?;
    let host = url.domain().filter(|_| url.scheme() == "https").ok_or(Cause::AppIdRefused)?;
    let site = |domain: &str| registrable_domain(domain).unwrap_or(domain).to_owned();
    if site(host) == site(caller.domain()) {
        Ok(app_id.to_owned())
    } else {
        Err(Cause::AppIdRefused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_id_is_of_the_callers_site() {
        let caller = Origin::parse("https://login.example.co.uk:8443").unwrap();
        let use_of = |app_id: &str| authorized(app_id, &caller);
        assert_eq!(use_of("").as_deref(), Ok("https://login.example.co.uk:8443"));
        for app_id in ["https://login.example.co.uk:8443", "https://www.example.co.uk/u2f.json"] {
            assert_eq!(use_of(app_id).as_deref(), Ok(app_id));
        }
        let refused =
            ["https://other.co.uk", "https://co.uk", "http://www.example.co.uk", "example.co.uk"];
        for app_id in refused {
            assert_eq!(use_of(app_id), Err(Cause::AppIdRefused), "{app_id}");
        }
    }

    /// A host that is no registrable domain is its own site.
    #[test]
    fn a_local_page_may_name_itself() {
        let caller = Origin::parse("http://localhost:8000").unwrap();
        assert!(authorized("http://localhost:8000", &caller).is_ok());
        assert!(authorized("https://localhost/app", &caller).is_ok());
        assert_eq!(authorized("http://localhost:9000", &caller), Err(Cause::AppIdRefused));
    }
}
