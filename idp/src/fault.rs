//! What a provider does wrong on demand: one table of kinds, how they are written, and what each changes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::endpoint::Endpoint;
use crate::message::{Body, Delivery, Draft};

/// Longer than any client reads.
const TOO_LONG: usize = 4 << 20;
/// The query of a place that a fault redirected to, where there are no faults.
pub(crate) const REDIRECTED: &str = "redirected";

/// Something that goes wrong at an endpoint. Written `accounts:status=401`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Where.
    pub endpoint: Endpoint,
    /// What.
    pub kind: Kind,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The answer has this status.
    Status(u16),
    /// Its media type is this one.
    MediaType(String),
    /// It is a redirect to this URL; empty is the same endpoint, which then answers well.
    Redirect(String),
    /// Its body breaks off in the middle.
    BadJson,
    /// Its body is this text.
    Text(String),
    /// This member of its body has this value.
    Set(String, Value),
    /// This member is not there.
    Drop(String),
    /// Four megabytes of blanks stand before the body.
    TooLong,
    /// It comes late, after so many milliseconds.
    Slow(u32),
    /// It does not come, and the connection stays open.
    Silent,
    /// It does not come, and the connection is closed.
    HangUp,
    /// No origin may read it: the headers of CORS are missing.
    NoCors,
    /// This origin may read it, or `*`.
    AllowOrigin(String),
    /// It may be read, but not when cookies were sent.
    NoCredentials,
    /// The well-known file has two `provider_urls`.
    TwoProviders,
    /// The well-known file names another config file.
    OtherProvider,
    /// The `accounts_endpoint` of the well-known file is another than the config file's.
    OtherAccounts,
    /// The `login_url` of the config file is of another origin.
    ForeignLogin,
    /// Nobody is in the list of accounts.
    NoAccounts,
    /// The first account has neither name, email, tel nor username.
    Nameless,
    /// The first account is there twice.
    Duplicate,
    /// There is an error of this code instead of a token, with a page about it.
    Error(String),
    /// The person has to go on at a page first.
    Continue,
}

/// The kinds by name: whether an argument is needed, and what each does, for people.
pub const KINDS: [(&str, &str); 23] = [
    ("status=N", "answer with this status"),
    ("media-type[=TYPE]", "call the answer this, or text/html"),
    ("redirect[=URL]", "redirect there, or to the same endpoint, which then answers well"),
    ("bad-json", "break the body off in the middle"),
    ("text[=TEXT]", "answer with this text, or none"),
    ("set=NAME=JSON", "give a member of the answer this value"),
    ("drop=NAME", "leave a member of the answer out"),
    ("too-long", "put four megabytes of blanks before the body"),
    ("slow=MS", "answer so many milliseconds later"),
    ("silent", "do not answer, and keep the connection"),
    ("hang-up", "do not answer, and close the connection"),
    ("no-cors", "let no origin read the answer (id-assertion, disconnect)"),
    ("allow-origin[=ORIGIN]", "let this origin read it, or * (id-assertion, disconnect)"),
    ("no-credentials", "let nobody read it who sent cookies (id-assertion, disconnect)"),
    ("two-providers", "name two config files (well-known)"),
    ("other-provider", "name another config file (well-known)"),
    ("other-accounts", "name another accounts_endpoint (well-known)"),
    ("foreign-login", "let login_url be of another origin (config)"),
    ("no-accounts", "list nobody (accounts)"),
    ("nameless", "leave all names of the first account out (accounts)"),
    ("duplicate", "list the first account twice (accounts)"),
    ("error[=CODE]", "give this error, or access_denied, and no token (id-assertion)"),
    ("continue", "want the person to go on at a page first (id-assertion)"),
];

impl Kind {
    /// The endpoint that it is made for, if for one; those about CORS fit two.
    fn fits(&self, endpoint: Endpoint) -> bool {
        match self {
            Self::NoCors | Self::AllowOrigin(_) | Self::NoCredentials => endpoint.is_posted(),
            Self::TwoProviders | Self::OtherProvider | Self::OtherAccounts => {
                endpoint == Endpoint::WellKnown
            }
            Self::ForeignLogin => endpoint == Endpoint::Config,
            Self::NoAccounts | Self::Nameless | Self::Duplicate => endpoint == Endpoint::Accounts,
            Self::Error(_) | Self::Continue => endpoint == Endpoint::IdAssertion,
            Self::Set(..) | Self::Drop(_) => {
                !matches!(endpoint, Endpoint::Picture | Endpoint::Login)
            }
            _ => true,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::MediaType(_) => "media-type",
            Self::Redirect(_) => "redirect",
            Self::BadJson => "bad-json",
            Self::Text(_) => "text",
            Self::Set(..) => "set",
            Self::Drop(_) => "drop",
            Self::TooLong => "too-long",
            Self::Slow(_) => "slow",
            Self::Silent => "silent",
            Self::HangUp => "hang-up",
            Self::NoCors => "no-cors",
            Self::AllowOrigin(_) => "allow-origin",
            Self::NoCredentials => "no-credentials",
            Self::TwoProviders => "two-providers",
            Self::OtherProvider => "other-provider",
            Self::OtherAccounts => "other-accounts",
            Self::ForeignLogin => "foreign-login",
            Self::NoAccounts => "no-accounts",
            Self::Nameless => "nameless",
            Self::Duplicate => "duplicate",
            Self::Error(_) => "error",
            Self::Continue => "continue",
        }
    }

    fn argument(&self) -> Option<String> {
        match self {
            Self::Status(status) => Some(status.to_string()),
            Self::Slow(milliseconds) => Some(milliseconds.to_string()),
            Self::Set(name, value) => Some(format!("{name}={value}")),
            Self::MediaType(text)
            | Self::Redirect(text)
            | Self::Text(text)
            | Self::Drop(text)
            | Self::AllowOrigin(text)
            | Self::Error(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The kind of this name with this argument.
    fn read(name: &str, argument: Option<&str>) -> Result<Self, String> {
        let text = |default: &str| argument.unwrap_or(default).to_owned();
        let needed = || argument.ok_or_else(|| format!("{name} needs an argument: {name}=..."));
        let kind = match name {
            "status" => Self::Status(status(needed()?)?),
            "media-type" => Self::MediaType(header_value(text("text/html"))?),
            "redirect" => Self::Redirect(header_value(text(""))?),
            "text" => Self::Text(text("")),
            "set" => set(needed()?)?,
            "drop" => Self::Drop(needed()?.to_owned()),
            "slow" => {
                let why = |_| "slow wants a number of milliseconds".to_owned();
                Self::Slow(needed()?.parse().map_err(why)?)
            }
            "allow-origin" => Self::AllowOrigin(header_value(text("*"))?),
            "error" => Self::Error(text("access_denied")),
            _ => {
                let plain = Self::plain(name).ok_or_else(|| unknown(name))?;
                if argument.is_some() {
                    return Err(format!("{name} takes no argument"));
                }
                plain
            }
        };
        Ok(kind)
    }

    /// The kinds without an argument.
    fn plain(name: &str) -> Option<Self> {
        let plain = [
            Self::BadJson,
            Self::TooLong,
            Self::Silent,
            Self::HangUp,
            Self::NoCors,
            Self::NoCredentials,
            Self::TwoProviders,
            Self::OtherProvider,
            Self::OtherAccounts,
            Self::ForeignLogin,
            Self::NoAccounts,
            Self::Nameless,
            Self::Duplicate,
            Self::Continue,
        ];
        plain.into_iter().find(|kind| kind.name() == name)
    }
}

fn unknown(name: &str) -> String {
    let names: Vec<_> =
        KINDS.iter().map(|(form, _)| form.split(['=', '[']).next().unwrap_or_default()).collect();
    format!("there is no fault {name:?}; there are {}", names.join(", "))
}

fn status(text: &str) -> Result<u16, String> {
    let status = text.parse().ok().filter(|status| (200..=599).contains(status));
    status.ok_or_else(|| "status wants a number from 200 to 599".to_owned())
}

fn header_value(text: String) -> Result<String, String> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        Ok(text)
    } else {
        Err("a header holds printable ASCII only".to_owned())
    }
}

fn set(text: &str) -> Result<Kind, String> {
    let (name, value) = text.split_once('=').ok_or("set wants NAME=JSON")?;
    let value = serde_json::from_str(value).map_err(|error| format!("{name}: {error}"))?;
    Ok(Kind::Set(name.to_owned(), value))
}

impl Fault {
    /// A fault.
    ///
    /// # Errors
    ///
    /// What this endpoint cannot do wrong.
    pub fn new(endpoint: Endpoint, kind: Kind) -> Result<Self, String> {
        if kind.fits(endpoint) {
            Ok(Self { endpoint, kind })
        } else {
            Err(format!("{} is nothing that {endpoint} can do", kind.name()))
        }
    }

    /// Changes an answer. `ticket` names what a continuation goes on with, if the answer was a token.
    pub(crate) fn apply(&self, draft: &mut Draft, ticket: Option<&str>) {
        match &self.kind {
            Kind::Status(status) => draft.status = *status,
            Kind::MediaType(kind) => draft.media_type.clone_from(kind),
            Kind::Redirect(place) => redirect(draft, self.endpoint, place),
            Kind::BadJson => {
                let mut bytes = draft.bytes();
                bytes.truncate(bytes.len() / 2);
                draft.body = Body::Bytes(bytes);
            }
            Kind::Text(text) => draft.body = Body::Bytes(text.clone().into_bytes()),
            Kind::TooLong => {
                let mut bytes = vec![b' '; TOO_LONG];
                bytes.extend(draft.bytes());
                draft.body = Body::Bytes(bytes);
            }
            Kind::Slow(milliseconds) => {
                draft.delivery = Delivery::After(Duration::from_millis((*milliseconds).into()));
            }
            Kind::Silent => draft.delivery = Delivery::Never,
            Kind::HangUp => draft.delivery = Delivery::HangUp,
            Kind::NoCors => {
                draft.without("Access-Control-Allow-Origin");
                draft.without("Access-Control-Allow-Credentials");
            }
            Kind::AllowOrigin(origin) => {
                draft.without("Access-Control-Allow-Origin");
                draft.headers.push(("Access-Control-Allow-Origin".into(), origin.clone()));
            }
            Kind::NoCredentials => draft.without("Access-Control-Allow-Credentials"),
            Kind::Error(code) => {
                draft.status = 400;
                let asked: String = form_urlencoded::byte_serialize(code.as_bytes()).collect();
                let place = format!("/error?code={asked}");
                draft.body = Body::Json(json!({"error": {"error": code, "url": place}}));
            }
            Kind::Continue => {
                let Some(ticket) = ticket else { return };
                let place = format!("/continue?ticket={ticket}");
                draft.body = Body::Json(json!({"continue_on": place}));
            }
            members => change(members, &mut draft.body),
        }
    }
}

fn redirect(draft: &mut Draft, endpoint: Endpoint, place: &str) {
    let same = format!("{}?{REDIRECTED}=1", endpoint.path());
    let place = if place.is_empty() { &same } else { place };
    *draft = Draft::new(302, "text/plain", Body::Bytes(Vec::new())).header("Location", place);
}

/// Changes the members of an answer that is JSON.
fn change(kind: &Kind, body: &mut Body) {
    let Body::Json(Value::Object(members)) = body else { return };
    let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    match kind {
        Kind::Set(name, value) => set(name, value.clone()),
        Kind::Drop(name) => drop(members.remove(name)),
        Kind::TwoProviders => {
            let providers = members.get_mut("provider_urls").and_then(Value::as_array_mut);
            if let Some(providers) = providers {
                providers.push(json!("/other.json"));
            }
        }
        Kind::OtherProvider => set("provider_urls", json!(["/other.json"])),
        Kind::OtherAccounts => set("accounts_endpoint", json!("/other")),
        Kind::ForeignLogin => set("login_url", json!("https://elsewhere.example/login")),
        Kind::NoAccounts => set("accounts", json!([])),
        Kind::Nameless | Kind::Duplicate => {
            let accounts = members.get_mut("accounts").and_then(Value::as_array_mut);
            if let Some(accounts) = accounts {
                spoil_first(accounts, *kind == Kind::Duplicate);
            }
        }
        _ => {}
    }
}

fn spoil_first(accounts: &mut Vec<Value>, twice: bool) {
    let Some(Value::Object(first)) = accounts.first_mut() else { return };
    if twice {
        let copy = Value::Object(first.clone());
        accounts.push(copy);
    } else {
        for name in ["name", "email", "tel", "username"] {
            first.remove(name);
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.endpoint, self.kind.name())?;
        self.kind.argument().map_or(Ok(()), |argument| write!(f, "={argument}"))
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "a fault is written ENDPOINT:KIND or ENDPOINT:KIND=ARGUMENT";
        let (endpoint, kind) = text.split_once(':').ok_or(form)?;
        let (name, argument) = kind.split_once('=').map_or((kind, None), |(n, a)| (n, Some(a)));
        Self::new(endpoint.parse()?, Kind::read(name, argument)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of the table can be written and read back, at an endpoint that it fits and at no other.
    #[test]
    fn a_fault_is_read_as_it_is_written() {
        for (form, what) in KINDS {
            let text = form.replace("=NAME=JSON", "=a=[1]").replace("status=N", "status=401");
            let text = text.replace("=MS", "=5").replace("=NAME", "=a");
            let (bare, full) = match text.split_once('[') {
                Some((bare, rest)) if !text.starts_with("set") => {
                    (bare.to_owned(), format!("{bare}{}", rest.trim_end_matches(']')))
                }
                _ => (text.clone(), text.clone()),
            };
            for text in [bare, full] {
                let all = Endpoint::ALL.map(|endpoint| format!("{endpoint}:{text}"));
                let read: Vec<Fault> = all.iter().filter_map(|text| text.parse().ok()).collect();
                let places: Vec<_> = read.iter().map(|fault| fault.endpoint).collect();
                assert_eq!(places, described(form, what), "{text}");
                for fault in read {
                    assert_eq!(fault.to_string().parse(), Ok(fault), "{text}");
                }
            }
        }
    }

    /// Where a kind fits: at the endpoints that its description ends with, else at all; but members are of JSON alone.
    fn described(form: &str, what: &str) -> Vec<Endpoint> {
        let named = what.strip_suffix(')').and_then(|what| what.rsplit_once('('));
        if let Some((_, names)) = named {
            return names.split(", ").map(|name| name.parse().unwrap()).collect();
        }
        let is_json =
            |endpoint: &Endpoint| !matches!(endpoint, Endpoint::Picture | Endpoint::Login);
        let has_members = |endpoint: &Endpoint| !form.contains("NAME") || is_json(endpoint);
        Endpoint::ALL.into_iter().filter(has_members).collect()
    }

    #[test]
    fn what_is_no_fault_is_told() {
        let why = |text: &str| text.parse::<Fault>().unwrap_err();
        assert!(why("silent").contains("ENDPOINT:KIND"));
        assert!(why("token:silent").contains("there are well-known, config"));
        assert!(why("config:loud").contains("there are status, media-type"));
        assert!(why("config:status").contains("needs an argument"));
        assert!(why("config:silent=1").contains("takes no argument"));
        for status in ["199", "600", "x", "101"] {
            assert!(why(&format!("config:status={status}")).contains("from 200 to 599"));
        }
        assert!(why("config:slow=-1").contains("milliseconds"));
        assert!(why("config:set=a").contains("NAME=JSON"));
        assert!(why("config:set=a={").starts_with("a: "));
        assert!(why("config:media-type=a\r\nb: c").contains("ASCII"));
        assert!(why("config:nameless").contains("nothing that config can do"));
        assert!(why("accounts:no-cors").contains("nothing that accounts can do"));
    }
}
