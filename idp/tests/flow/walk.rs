//! A way that a person goes with a browser, step by step: where they are, what the page calls, what the providers do
//! wrong, and how the person answers. Both clients can go it.

use serde_json::{Value, json};

pub(crate) const RP: &str = "https://rp.example";
pub(crate) const TOP: &str = "https://top.example";
pub(crate) const IDP: &str = "https://login.idp.example";
pub(crate) const CONFIG: &str = "https://login.idp.example/fedcm.json";
/// Another provider, with the account 9.
pub(crate) const OTHER: &str = "https://login.other.example";
pub(crate) const OTHER_CONFIG: &str = "https://login.other.example/fedcm.json";

/// A way.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
}

impl Walk {
    /// Does it need the other provider?
    pub(crate) fn has_other(&self) -> bool {
        format!("{:?}", self.steps).contains(OTHER)
    }

    /// Which mode do its calls have?
    pub(crate) fn mode(&self) -> &'static str {
        let clicks = self.steps.iter().any(|step| matches!(step, Step::Clicked(_)));
        if clicks { "active" } else { "passive" }
    }
}

/// One step of it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The person goes to the login page of this provider and signs in there.
    LogIn(&'static str, &'static str),
    /// They go to this page.
    Open(Place),
    /// From here on these are wrong with the answers of the first provider.
    Faults(Vec<&'static str>),
    /// From here on they answer in this way; without one they take the first account, and no more of anything else.
    Person(Vec<Does>),
    /// What the throttle of automatic sign-ins remembers is forgotten.
    Reset,
    /// What was before is not looked at.
    Mark,
    /// `navigator.credentials.get()`
    Get(Value),
    /// The same after a click on the page.
    Clicked(Value),
    /// `IdentityCredential.disconnect()`
    Disconnect(Value),
    /// `IdentityProvider.getUserInfo()`
    UserInfo(Value),
    /// `navigator.credentials.preventSilentAccess()`
    Prevent,
    /// `navigator.login.setStatus()`
    SetStatus(&'static str),
    /// `IdentityProvider.resolve()` on a page that is nobody's dialog.
    Resolve,
    /// The page loads something that carries `Set-Login: logged-out`.
    Load,
}

/// Where the page is that calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The relying party.
    Party,
    /// The relying party in a frame of another site, which lets it ask or does not.
    PartyFramed(bool),
    /// The provider.
    Provider,
    /// The provider in a frame of the relying party, likewise.
    ProviderFramed(bool),
}

impl Place {
    /// The page to go to. The caller is it, or the frame in it.
    pub(crate) const fn url(self) -> &'static str {
        match self {
            Self::Party => "https://rp.example/",
            Self::PartyFramed(true) => "https://top.example/allowed",
            Self::PartyFramed(false) => "https://top.example/framed",
            Self::Provider => "https://login.idp.example/plain",
            Self::ProviderFramed(true) => "https://rp.example/allowed",
            Self::ProviderFramed(false) => "https://rp.example/framed",
        }
    }

    pub(crate) const fn is_framed(self) -> bool {
        matches!(self, Self::PartyFramed(_) | Self::ProviderFramed(_))
    }
}

/// The pages that are no endpoints, by their places.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    let frame = |url: &str, allow: bool| {
        let allow = if allow { " allow=identity-credentials-get" } else { "" };
        format!("<!doctype html><title>Framed</title><iframe src=\"{url}\"{allow}></iframe>")
    };
    let mut pages: Vec<_> = [true, false]
        .into_iter()
        .flat_map(|allow| {
            let (party, provider) = (Place::PartyFramed(allow), Place::ProviderFramed(allow));
            [
                (party.url(), frame(Place::Party.url(), allow)),
                (provider.url(), frame(Place::Provider.url(), allow)),
            ]
        })
        .collect();
    pages.push((Place::Provider.url(), "<!doctype html><title>Plain</title>".to_owned()));
    pages
}

/// What the person does next, where they are asked something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Takes the account at this place.
    Choose(usize),
    /// Closes the dialog.
    Close,
    /// Goes to the login page, and signs in with this account.
    LogIn(&'static str),
    /// Goes on at the provider's page.
    GoOn,
    /// Waits until the provider's page closes itself.
    Wait,
    /// Waits until the page takes its call back.
    Abort,
}

/// Options for the provider, with these members.
pub(crate) fn provider(members: &Value) -> Value {
    let mut provider = json!({"configURL": CONFIG, "clientId": "rp"});
    for (name, value) in members.as_object().into_iter().flatten() {
        provider[name] = value.clone();
    }
    provider
}

/// Options of get with these providers.
pub(crate) fn identity(providers: &[Value]) -> Value {
    json!({"identity": {"providers": providers}})
}

/// The plain options.
pub(crate) fn plain() -> Value {
    identity(&[provider(&json!({}))])
}

/// The same with this mediation.
pub(crate) fn mediated(mediation: &str) -> Value {
    let mut options = plain();
    options["mediation"] = json!(mediation);
    options
}

/// The same in the mode `active`.
pub(crate) fn active(mut options: Value) -> Value {
    options["identity"]["mode"] = json!("active");
    options
}

/// The argument of disconnect.
pub(crate) fn leave(hint: &str) -> Value {
    provider(&json!({"accountHint": hint}))
}

/// A person who signed in to the first provider goes to the relying party and gets a token.
pub(crate) fn connected() -> Vec<Step> {
    vec![Step::LogIn(IDP, "1"), Step::Open(Place::Party), Step::Get(plain()), Step::Reset]
}

/// A person who signed in to the first provider goes to the relying party.
pub(crate) fn signed_in() -> Vec<Step> {
    vec![Step::LogIn(IDP, "1"), Step::Open(Place::Party)]
}
