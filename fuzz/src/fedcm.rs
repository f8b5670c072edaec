//! A page that signs in with identity providers whose answers are anything.
//!
//! Claim: the call ends, once, whatever servers and person do; every request goes over TLS or stays on this machine,
//! has cookies, an origin and a form where the standard has them and nowhere else, and stays at the provider's
//! origin; who is signed in is one of the accounts that the provider listed; a token is given only out of an answer
//! that the page may read, word for word; and without a token nothing is remembered of the account. Planted: answers
//! get the headers that let the page read them.

use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::{Connection, LoginStatus, Token};
use softkey_client::fetch::Method;
use softkey_client::{
    Answer, Credential, CredentialRequestOptions, Entropy, FetchFault, FetchRequest, FetchResponse,
    Output, Page, Profile, Question,
};
use softkey_ctap::{Instant, Secret};

use crate::{Subject, Tape};

const RP: &str = "https://rp.example";
const IDP: &str = "https://login.idp.example";
const CONFIG: &str = "https://login.idp.example/fedcm.json";
/// More outputs than any call has: each provider's page comes once for each answer of the person's on the tape.
const ENDLESS: usize = 4096;

/// First what the page asks and what is known before, then what servers and person answer, in turn.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let mut world = World::new(&mut tape, subject);
    let options = options(&mut tape);
    let Ok(options) = CredentialRequestOptions::from_json(&options.to_string()) else { return };
    let entropy = Entropy::from_seed(&Secret::new([7; 32]));
    let mut request = world.page.credentials().get(world.now, options, entropy);
    let mut settled = None;
    for _ in 0..ENDLESS {
        match request.poll_output(world.now) {
            Some(Output::Send(sent)) => {
                world.judge(&sent);
                match world.answer(&mut tape, &sent) {
                    Some(answer) => request.handle_response(world.now, answer),
                    None => request.handle_timeout(world.now),
                }
            }
            Some(Output::Ask(question)) => {
                let answer = world.say(&mut tape, &question);
                request.handle_answer(world.now, answer);
            }
            Some(Output::Settled(result)) => {
                assert!(settled.is_none(), "a promise is settled once");
                settled = Some(result);
            }
            Some(Output::Withdraw) => {}
            Some(other) => panic!("{other:?} without keys"),
            None if request.is_finished() => return world.conclude(settled.expect("settled")),
            None => {
                world.now = request.poll_timeout().expect("it waits for something");
                request.handle_timeout(world.now);
            }
        }
    }
    panic!("the call does not end");
}

/// Is it plain HTTP that no other machine sees (Secure Contexts section 3.1)?
fn is_local(url: &str) -> bool {
    let rest = url.strip_prefix("http://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
    let host = port.map_or(authority, |(host, _)| host);
    host == "[::1]"
        || host.split('.').next_back() == Some("localhost")
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn options(tape: &mut Tape<'_>) -> Value {
    let mut provider = json!({"configURL": CONFIG, "clientId": "client"});
    let choices = tape.byte();
    let has = |bit: u8| choices & bit != 0;
    if has(1) {
        provider["loginHint"] = json!("ada");
    }
    if has(2) {
        provider["domainHint"] = json!("any");
    }
    if has(4) {
        provider["fields"] = json!([]);
    }
    if has(8) {
        provider["params"] = json!({"nonce": "n"});
    }
    let mut providers = vec![provider];
    if has(16) {
        providers.push(json!({"configURL": text(tape.piece()), "clientId": "other"}));
    }
    let mode = if has(32) { "active" } else { "passive" };
    let mediation = if has(64) { "silent" } else { "optional" };
    json!({"identity": {"providers": providers, "mode": mode}, "mediation": mediation})
}

struct World {
    page: Page,
    subject: Subject,
    now: Instant,
    before: Vec<Connection>,
    /// The identifiers of the accounts that were listed last.
    listed: Vec<String>,
    /// What the last answer to a form was, as it left the provider.
    said: Option<FetchResponse>,
    /// The account of the last form.
    account: Option<String>,
    /// What the provider's own page resolved with.
    resolved: Option<(Value, Option<String>)>,
}

impl World {
    fn new(tape: &mut Tape<'_>, subject: Subject) -> Self {
        let profile = Profile::new();
        let choices = tape.byte();
        let has = |bit: u8| choices & bit != 0;
        let now = Instant::from_millis(1000);
        let cookie = ("Set-Cookie".to_owned(), "s=1; Secure; SameSite=None; Path=/".to_owned());
        let headers = if has(1) { vec![cookie] } else { Vec::new() };
        profile.navigated(now, IDP, &FetchResponse { status: 200, headers, body: Vec::new() });
        if has(2) {
            profile.set_login_status(IDP, LoginStatus::LoggedIn);
        }
        if has(4) {
            profile.set_login_status(IDP, LoginStatus::LoggedOut);
        }
        if has(8) {
            profile.connect(connection("1"));
        }
        profile.set_prevent_silent_access(IDP, !has(16));
        profile.set(|settings| {
            settings.fed_cm.cooldown = has(32);
            settings.fed_cm.longest_delay = u64::from(has(64)) * 1000;
        });
        let mut page = Page::new(&profile, RP);
        page.activate();
        let before = profile.connections();
        let (listed, said, account, resolved) = (Vec::new(), None, None, None);
        Self { page, subject, now, before, listed, said, account, resolved }
    }

    /// What holds for every request.
    fn judge(&mut self, sent: &FetchRequest) {
        assert!(sent.url.starts_with("https://") || is_local(&sent.url), "{}", sent.url);
        let header = |name: &str| sent.headers.iter().find(|(other, _)| other == name);
        let is_picture = header("Sec-Fetch-Dest").expect("a destination").1 == "image";
        let path = sent.url.strip_prefix(IDP).and_then(|rest| rest.split('?').next());
        let is_form = sent.method == Method::Post;
        assert_eq!(is_form, header("Content-Type").is_some() && !sent.body.is_empty());
        assert!(header("Referer").is_none());
        if is_picture || path.is_none() {
            assert!(!is_form && header("Cookie").is_none(), "cookies for others: {}", sent.url);
        }
        if let Some((_, cookie)) = header("Cookie") {
            assert_eq!(cookie, "s=1", "cookies of others");
        }
        if is_form {
            assert_eq!(header("Origin").map(|(_, origin)| origin.as_str()), Some(RP));
            let body = text(&sent.body);
            assert!(body.starts_with("client_id=client&"), "{body}");
            let value = |pair: &str| pair.strip_prefix("account_id=").map(str::to_owned);
            self.account = body.split('&').find_map(value);
            let account = self.account.as_deref().expect("an account");
            assert!(self.listed.iter().any(|listed| plain(listed, account)), "{account}");
        }
    }

    /// What a server answers; nothing if the time passes instead.
    fn answer(
        &mut self,
        tape: &mut Tape<'_>,
        sent: &FetchRequest,
    ) -> Option<Result<FetchResponse, FetchFault>> {
        let mut answer = proper(sent);
        match tape.below(9) {
            0 => {}
            1 => answer.body = tape.piece().to_vec(),
            2 => change(tape, &mut answer),
            3 => answer.status = tape.pick(&[200, 204, 301, 307, 400, 401, 404, 500, 503]),
            4 => {
                answer.status = 302;
                answer.headers.push(("Location".to_owned(), text(tape.piece())));
            }
            5 => {
                let lost = tape.below(answer.headers.len());
                answer.headers.remove(lost);
            }
            6 => {
                let place = tape.below(answer.headers.len());
                answer.headers[place].1 = text(tape.piece());
            }
            7 => return Some(Err(tape.pick(&[FetchFault::Unreachable, FetchFault::TooLong]))),
            _ => {
                self.now += Duration::from_mins(1);
                return None;
            }
        }
        if sent.method == Method::Post {
            self.said = Some(answer.clone());
        } else if sent.url.ends_with("/accounts") {
            self.listed = identifiers(&answer.body);
        }
        if self.subject == Subject::Planted {
            answer.headers.retain(|(name, _)| !name.starts_with("Access-Control"));
            answer.headers.extend(allowance());
        }
        Some(Ok(answer))
    }

    fn say(&mut self, tape: &mut Tape<'_>, question: &Question) -> Answer {
        match question {
            Question::Account(dialog) => {
                assert!(!dialog.choices.is_empty(), "a dialog has something to choose");
                let index = tape.below(4);
                Answer::Choice { index, stay_signed_in: false }
            }
            Question::LogIn { url, .. } => {
                assert!(url.starts_with(IDP), "{url}");
                if tape.flag() {
                    self.page.profile().set_login_status(IDP, LoginStatus::LoggedIn);
                    return Answer::Yes;
                }
                Answer::No
            }
            Question::Continue { url, .. } => {
                assert!(url.starts_with(IDP), "{url}");
                if !tape.flag() {
                    return Answer::No;
                }
                let account_id = tape.flag().then(|| "2".to_owned());
                self.resolved = Some((json!("resolved"), account_id.clone()));
                Answer::Resolve { token: Token::new(json!("resolved")), account_id }
            }
            Question::ProviderError { .. } => Answer::No,
            other => panic!("{other:?} of other types"),
        }
    }

    /// What holds at the end.
    fn conclude(self, result: Result<Option<Credential>, softkey_client::Rejection>) {
        let after = self.page.profile().connections();
        let Ok(credential) = result else {
            return assert_eq!(after, self.before, "nothing is remembered");
        };
        let credential = credential.and_then(Credential::identity).expect("a token");
        let said = self.said.expect("a form was answered");
        let has = |name: &str, value: &str| said.header(name) == Some(value);
        assert!(has("Access-Control-Allow-Origin", RP), "the page may not read it");
        assert!(has("Access-Control-Allow-Credentials", "true"), "nor with credentials");
        let body: Value = serde_json::from_slice(&said.body).expect("JSON");
        assert!((200..300).contains(&said.status) && body["error"].is_null(), "a refusal");
        let chosen = self.account.expect("an account");
        if let Some((token, account)) = self.resolved {
            assert!(body.get("token").is_none() && body["continue_on"].is_string());
            assert_eq!(*credential.token().expose(), token);
            assert!(account.is_none_or(|account| after.contains(&connection(&account))));
        } else {
            assert_eq!(*credential.token().expose(), body["token"], "word for word");
            assert!(after.iter().any(|one| plain(&one.account, &chosen)), "it is connected");
        }
    }
}

/// Is this text, or what became of it in a form, the other?
fn plain(text: &str, encoded: &str) -> bool {
    let simple = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    !simple || text == encoded
}

fn connection(account: &str) -> Connection {
    Connection {
        embedder: RP.into(),
        relying_party: RP.into(),
        provider: IDP.into(),
        account: account.into(),
    }
}

fn allowance() -> [(String, String); 2] {
    [("Access-Control-Allow-Origin", RP), ("Access-Control-Allow-Credentials", "true")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// The answer of a provider that makes no mistake.
fn proper(sent: &FetchRequest) -> FetchResponse {
    let path = sent.url.split('?').next().unwrap_or_default();
    let body = match path.rsplit('/').next().unwrap_or_default() {
        "web-identity" => json!({"provider_urls": [CONFIG], "accounts_endpoint":
            format!("{IDP}/accounts"), "login_url": format!("{IDP}/login")}),
        "fedcm.json" => {
            json!({"accounts_endpoint": "/accounts", "id_assertion_endpoint": "/assert",
            "login_url": "/login", "client_metadata_endpoint": "/metadata",
            "supports_use_other_account": true})
        }
        "accounts" => json!({"accounts": [
            {"id": "1", "name": "Ada", "login_hints": ["ada"], "domain_hints": ["a.example"]},
            {"id": "2", "email": "bob@a.example", "picture": "/bob.png"}]}),
        "assert" => json!({"token": "a token"}),
        _ => json!({}),
    };
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    headers.extend(allowance());
    FetchResponse { status: 200, headers, body: body.to_string().into_bytes() }
}

/// One member of the body becomes something else.
fn change(tape: &mut Tape<'_>, answer: &mut FetchResponse) {
    const MEMBERS: [&str; 12] = [
        "provider_urls",
        "accounts_endpoint",
        "login_url",
        "id_assertion_endpoint",
        "client_metadata_endpoint",
        "account_label",
        "accounts",
        "token",
        "error",
        "continue_on",
        "privacy_policy_url",
        "supports_use_other_account",
    ];
    let member = tape.pick(&MEMBERS);
    let piece = text(tape.piece());
    let value = serde_json::from_str(&piece).unwrap_or(Value::String(piece));
    if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) {
        body[member] = value;
        answer.body = body.to_string().into_bytes();
    }
}

/// The identifiers of a list of accounts, if it is one.
fn identifiers(body: &[u8]) -> Vec<String> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let listed = body["accounts"].as_array().into_iter().flatten();
    listed.filter_map(|account| account["id"].as_str()).map(str::to_owned).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
