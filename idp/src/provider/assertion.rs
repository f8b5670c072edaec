//! Tokens, continuations and the end of connections.

use serde_json::{Map, Value, json};

use super::Provider;
use crate::entropy;
use crate::entry::Objection;
use crate::message::{Draft, Request};
use crate::setup::Account;

/// What a token is about.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    client: String,
    pub(super) account: String,
    /// Any JSON, as text: what is kept for a ticket is as long as the form at most.
    nonce: Option<String>,
    fields: Vec<&'static str>,
    automatic: bool,
}

/// What an account can tell.
const FIELDS: [&str; 5] = ["name", "email", "tel", "username", "picture"];

impl Claimed {
    /// Of a form that has been checked.
    fn of(request: &Request) -> Self {
        let field = |name: &str| request.field(name);
        let params: Option<Value> =
            field("params").and_then(|text| serde_json::from_str(&text).ok());
        let within = params.and_then(|params| params.get("nonce").cloned());
        let fields = field("disclosure_shown_for").or_else(|| field("fields")).unwrap_or_default();
        Self {
            client: field("client_id").unwrap_or_default(),
            account: field("account_id").unwrap_or_default(),
            nonce: within.or_else(|| field("nonce").map(Value::from)).map(|it| it.to_string()),
            fields: FIELDS
                .into_iter()
                .filter(|it| fields.split(',').any(|one| one == *it))
                .collect(),
            automatic: field("is_auto_selected").as_deref() == Some("true"),
        }
    }
}

impl Provider {
    /// Gives a token. `ticket` becomes the name of a continuation that would end with the same one.
    pub(super) fn assertion(
        &mut self,
        now: u64,
        request: &Request,
        ticket: &mut Option<String>,
    ) -> Draft {
        let claimed = Claimed::of(request);
        self.approve(&claimed);
        let token = self.token(now, &claimed);
        *ticket = entropy::name();
        if let Some(name) = ticket {
            self.tickets.insert(name.clone(), claimed);
        }
        Draft::json(200, json!({"token": token}))
    }

    /// The page of a continuation, which a ticket opens once and only for whoever is signed in with that account.
    pub(super) fn continuation(
        &mut self,
        now: u64,
        request: &Request,
    ) -> Result<(String, String), Objection> {
        let name = request.asked("ticket").ok_or(Objection::Missing("ticket"))?;
        let claimed = self.tickets.get(&name).ok_or(Objection::Value("ticket"))?;
        if !self.session(request).contains(&claimed.account) {
            return Err(Objection::NoSession);
        }
        let claimed = self.tickets.take(&name).ok_or(Objection::Value("ticket"))?;
        Ok((self.token(now, &claimed), claimed.account))
    }

    /// The provider remembers whom an account is connected with, if it tells at all.
    fn approve(&mut self, claimed: &Claimed) {
        let account = self.setup.accounts.iter_mut().find(|account| account.id == claimed.account);
        if let Some(clients) = account.and_then(|account| account.approved_clients.as_mut())
            && !clients.contains(&claimed.client)
        {
            clients.push(claimed.client.clone());
        }
    }

    fn token(&self, now: u64, claimed: &Claimed) -> String {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        put("iss", json!(self.origin));
        put("sub", json!(claimed.account));
        put("aud", json!(claimed.client));
        put("iat", json!(now));
        put("exp", json!(now.saturating_add(self.setup.token_lifetime)));
        put("is_auto_selected", json!(claimed.automatic));
        let nonce = claimed.nonce.as_deref().and_then(|text| serde_json::from_str(text).ok());
        if let Some(nonce) = nonce {
            put("nonce", nonce);
        }
        let mut accounts = self.setup.accounts.iter();
        if let Some(account) = accounts.find(|account| account.id == claimed.account) {
            for name in &claimed.fields {
                if let Some(value) = told(account, name) {
                    let own = *name == "picture" && value.starts_with('/');
                    put(claim(name), json!(if own { self.url(value) } else { value.clone() }));
                }
            }
        }
        self.seal.sign(&Value::Object(claims))
    }

    /// Ends the connection of whoever the hint is about, among those who are signed in.
    pub(super) fn disconnect(&mut self, request: &Request) -> Draft {
        let field = |name: &str| request.field(name).unwrap_or_default();
        let (client, hint) = (field("client_id"), field("account_hint"));
        let ids = self.session(request).to_vec();
        let is_meant = |account: &&mut Account| {
            ids.contains(&account.id)
                && (account.id == hint
                    || account.email.as_ref() == Some(&hint)
                    || account.login_hints.contains(&hint))
        };
        let Some(account) = self.setup.accounts.iter_mut().find(is_meant) else {
            return Draft::json(400, json!({"error": {"error": "invalid_request"}}));
        };
        if let Some(clients) = &mut account.approved_clients {
            clients.retain(|one| *one != client);
        }
        Draft::json(200, json!({"account_id": account.id}))
    }
}

/// What an account tells about this field.
fn told<'a>(account: &'a Account, field: &str) -> Option<&'a String> {
    match field {
        "name" => account.name.as_ref(),
        "email" => account.email.as_ref(),
        "tel" => account.tel.as_ref(),
        "username" => account.username.as_ref(),
        "picture" => account.picture.as_ref(),
        _ => None,
    }
}

/// The name of the claim about it (`OpenID` Connect Core section 5.1).
fn claim(field: &str) -> &str {
    match field {
        "tel" => "phone_number",
        "username" => "preferred_username",
        other => other,
    }
}
