//! The signal methods of `PublicKeyCredential` (WebAuthn Level 3 section 5.1.10): a relying party tells what it knows
//! of its credentials, and keys that can heed it. The page learns only whether it may signal; what the keys do
//! comes after that, and they hide nothing: what is no longer accepted is deleted.

use serde::Deserialize;
use softkey_ctap::client_pin::Permissions;

use crate::base64url;
use crate::capabilities::Capability;
use crate::cause::{Cause, Operation};
use crate::ceremony::Ceremony;
use crate::client_data;
use crate::credential::Rejection;
use crate::entropy::Entropy;
use crate::options::json;
use crate::page::Page;
use crate::public_key::Caller;
use crate::registry::CredentialType;
use crate::related::{Fetched, Lookup};
use crate::session::{Reach, Session};
use crate::stored::{Manager, Names, Stored};

/// What a relying party tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `signalUnknownCredential`: no account has this credential.
    UnknownCredential {
        /// The credential identifier.
        credential_id: Vec<u8>,
    },
    /// `signalAllAcceptedCredentials`: an account has these credentials and no others.
    AllAcceptedCredentials {
        /// The user handle.
        user_id: Vec<u8>,
        /// The credential identifiers.
        credential_ids: Vec<Vec<u8>>,
    },
    /// `signalCurrentUserDetails`: an account is called so.
    CurrentUserDetails {
        /// The user handle.
        user_id: Vec<u8>,
        /// The account's name.
        name: String,
        /// The person's name.
        display_name: String,
    },
}

/// A signal method's argument: the relying party, and what it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalOptions {
    /// The relying party identifier.
    pub rp_id: String,
    /// What it tells.
    pub signal: Signal,
}

impl Signal {
    /// The method that gives it.
    #[must_use]
    pub const fn method(&self) -> Capability {
        match self {
            Self::UnknownCredential { .. } => Capability::SignalUnknownCredential,
            Self::AllAcceptedCredentials { .. } => Capability::SignalAllAcceptedCredentials,
            Self::CurrentUserDetails { .. } => Capability::SignalCurrentUserDetails,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unknown {
    rp_id: String,
    credential_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AllAccepted {
    rp_id: String,
    user_id: String,
    #[serde(rename = "allAcceptedCredentialIds")]
    credential_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CurrentDetails {
    rp_id: String,
    user_id: String,
    name: String,
    display_name: String,
}

impl SignalOptions {
    /// The argument of `signalUnknownCredential` in JSON.
    ///
    /// # Errors
    ///
    /// [`Cause::NotTheDictionary`] and [`Cause::SignalNotBase64Url`], both `TypeError`.
    pub fn unknown_credential(text: &str) -> Result<Self, Cause> {
        let Unknown { rp_id, credential_id } = json::read(json::parse(text)?)?;
        let credential_id = bytes("credentialId", &credential_id)?;
        Ok(Self { rp_id, signal: Signal::UnknownCredential { credential_id } })
    }

    /// The argument of `signalAllAcceptedCredentials` in JSON.
    ///
    /// # Errors
    ///
    /// As [`SignalOptions::unknown_credential`].
    pub fn all_accepted_credentials(text: &str) -> Result<Self, Cause> {
        let options: AllAccepted = json::read(json::parse(text)?)?;
        let ids = options.credential_ids.iter();
        let credential_ids = ids.map(|id| bytes("allAcceptedCredentialIds", id));
        let signal = Signal::AllAcceptedCredentials {
            user_id: bytes("userId", &options.user_id)?,
            credential_ids: credential_ids.collect::<Result<_, _>>()?,
        };
        Ok(Self { rp_id: options.rp_id, signal })
    }

    /// The argument of `signalCurrentUserDetails` in JSON.
    ///
    /// # Errors
    ///
    /// As [`SignalOptions::unknown_credential`].
    pub fn current_user_details(text: &str) -> Result<Self, Cause> {
        let CurrentDetails { rp_id, user_id, name, display_name } = json::read(json::parse(text)?)?;
        let user_id = bytes("userId", &user_id)?;
        Ok(Self { rp_id, signal: Signal::CurrentUserDetails { user_id, name, display_name } })
    }
}

fn bytes(member: &'static str, text: &str) -> Result<Vec<u8>, Cause> {
    base64url::decode(text).ok_or(Cause::SignalNotBase64Url(member))
}

/// A signal that a page has given. If [`Sending::url`] names a list of related origins, fetch that first and bring
/// it by [`Sending::handle_fetched`]; once nothing is left to fetch the promise is resolved, and
/// [`Sending::ceremony`] is for each key that is there, in its own time.
#[derive(Clone, Debug)]
pub struct Sending {
    rp_id: String,
    signal: Signal,
    lookup: Option<Lookup>,
}

impl Page {
    /// One of the signal methods of `PublicKeyCredential`.
    ///
    /// # Errors
    ///
    /// `SecurityError` for a relying party identifier that is not the page's; `InvalidStateError` if the page is
    /// not fully active; `NotSupportedError` where the profile has no public keys, `TypeError` where it lacks the method.
    pub fn signal(&self, options: SignalOptions) -> Result<Sending, Rejection> {
        let begun = self.has_method(&options.signal).and_then(|()| self.check()).and_then(|()| {
            // Unlike in get, no origin at all is a matter of security here.
            let origin = self.origin().map_err(|cause| match cause {
                Cause::OpaqueOrigin => Cause::NotADomain,
                other => other,
            })?;
            Caller::new(self).claim(&origin, Some(&options.rp_id))
        });
        let claim = begun.map_err(|cause| Rejection::new(cause, Operation::Get))?;
        Ok(Sending { rp_id: claim.rp_id, signal: options.signal, lookup: claim.lookup })
    }

    fn has_method(&self, signal: &Signal) -> Result<(), Cause> {
        let settings = self.profile().settings();
        let method = signal.method();
        if settings.absent.contains(&CredentialType::PublicKey) {
            return Err(Cause::NoType);
        }
        if settings.can(method) { Ok(()) } else { Err(Cause::NoMethod(method)) }
    }
}

impl Sending {
    /// What to fetch next, without cookies and referrer and without following redirects; nothing once the promise is
    /// resolved.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.lookup.as_ref().map(Lookup::url)
    }

    /// Brings what was to be fetched; nothing if it could not be.
    ///
    /// # Errors
    ///
    /// `SecurityError` if the list does not help.
    pub fn handle_fetched(&mut self, fetched: Option<&Fetched>) -> Result<(), Rejection> {
        let Some(lookup) = &mut self.lookup else { return Ok(()) };
        let judged = lookup.judge(fetched).map_err(Cause::RelatedOrigins);
        if judged.map_err(|cause| Rejection::new(cause, Operation::Get))? {
            self.lookup = None;
        }
        Ok(())
    }

    /// Has one key heed the signal, and gives the credentials that it deleted or renamed. A key that cannot is left as
    /// it is: [`Cause::NoSuchCommand`]; and so is every key as long as there is something to fetch.
    #[must_use]
    pub fn ceremony(&self, reach: Reach, entropy: Entropy) -> Ceremony<Vec<Stored>> {
        let Self { rp_id, signal, lookup } = self.clone();
        Ceremony::new(async move |desk| {
            if lookup.is_some() {
                return Err(Cause::RpIdMismatch);
            }
            let session = Session::new(desk, entropy);
            let manager = Manager::open(session, reach, Permissions::NONE).await?;
            heed(&manager, &client_data::hash(rp_id.as_bytes()), &signal).await
        })
    }
}

async fn heed(
    manager: &Manager,
    rp_id_hash: &[u8; 32],
    signal: &Signal,
) -> Result<Vec<Stored>, Cause> {
    let mut all = manager.all().await?;
    all.retain(|kept| kept.stored.party.id_hash == *rp_id_hash);
    let mut changed = Vec::new();
    for mut stored in all.into_iter().map(|kept| kept.stored) {
        match signal {
            Signal::UnknownCredential { credential_id } if stored.id == *credential_id => {
                manager.delete(&stored).await?;
            }
            Signal::AllAcceptedCredentials { user_id, credential_ids }
                if stored.user_id == *user_id && !credential_ids.contains(&stored.id) =>
            {
                manager.delete(&stored).await?;
            }
            Signal::CurrentUserDetails { user_id, name, display_name }
                if stored.user_id == *user_id =>
            {
                let names =
                    Names { name: Some(name.clone()), display_name: Some(display_name.clone()) };
                manager.rename(&mut stored, names).await?;
            }
            _ => continue,
        }
        changed.push(stored);
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::DomException;
    use crate::page::Frame;
    use crate::profile::Profile;
    use crate::related::RelatedFault;

    fn options(rp_id: &str) -> SignalOptions {
        let text = format!(r#"{{"rpId": "{rp_id}", "credentialId": "AQ"}}"#);
        SignalOptions::unknown_credential(&text).unwrap()
    }

    fn refused(origin: &str, rp_id: &str) -> Cause {
        let page = Page::framed(&Profile::new(), [], Frame::new(origin));
        let rejection = page.signal(options(rp_id)).unwrap_err();
        assert_eq!(rejection.exception, DomException::SecurityError);
        rejection.cause
    }

    /// Section 5.1.10.1: every text that is no base64url is a `TypeError`, in each method.
    #[test]
    fn what_is_not_base64url_is_a_type_error() {
        let wrong = [
            SignalOptions::unknown_credential(r#"{"rpId": "a", "credentialId": "A+"}"#),
            SignalOptions::all_accepted_credentials(
                r#"{"rpId": "a", "userId": "AQ", "allAcceptedCredentialIds": ["AQ", "A="]}"#,
            ),
            SignalOptions::current_user_details(
                r#"{"rpId": "a", "userId": "A", "name": "", "displayName": ""}"#,
            ),
        ];
        for (result, member) in
            wrong.into_iter().zip(["credentialId", "allAcceptedCredentialIds", "userId"])
        {
            let cause = result.unwrap_err();
            assert_eq!(cause, Cause::SignalNotBase64Url(member));
            assert_eq!(cause.exception(Operation::Get), DomException::TypeError);
        }
        let missing = SignalOptions::unknown_credential("{}").unwrap_err();
        assert_eq!(missing.exception(Operation::Get), DomException::TypeError);
    }

    /// Section 5.1.10: an invalid domain, another's identifier, and a list that does not help.
    #[test]
    fn a_page_signals_for_its_own_relying_party() {
        assert_eq!(refused("https://10.0.0.1", "example.org"), Cause::NotADomain);
        assert_eq!(refused("null", "example.org"), Cause::NotADomain);
        assert_eq!(refused("https://example.org", "exa mple"), Cause::RpIdMismatch);
        let page = Page::new(&Profile::new(), "https://www.example.org");
        let sending = page.signal(options("example.org")).unwrap();
        assert_eq!(sending.url(), None, "the promise is resolved");

        let mut sending = page.signal(options("example.com")).unwrap();
        let url = sending.url().unwrap();
        assert_eq!(url, "https://example.com/.well-known/webauthn");
        let rejection = sending.clone().handle_fetched(None).unwrap_err();
        assert_eq!(rejection.cause, Cause::RelatedOrigins(RelatedFault::NotFetched));
        assert_eq!(rejection.exception, DomException::SecurityError);
        let fetched = Fetched {
            status: 200,
            content_type: String::from("application/json"),
            location: None,
            body: br#"{"origins": ["https://www.example.org"]}"#.to_vec(),
        };
        sending.handle_fetched(Some(&fetched)).unwrap();
        assert_eq!(sending.url(), None);
    }

    #[test]
    fn a_page_that_is_not_fully_active_signals_nothing() {
        let mut page = Page::new(&Profile::new(), "https://example.org");
        page.set_fully_active(false);
        let rejection = page.signal(options("example.org")).unwrap_err();
        assert_eq!(rejection.exception, DomException::InvalidStateError);
        assert_eq!(rejection.cause, Cause::NotFullyActive);
    }
}
