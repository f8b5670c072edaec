//! The relying party: a page with a button, a nonce for each sign-in, and the check of the token that comes of it.

use serde_json::{Value, json};

use super::Provider;
use super::login::{escaped, page};
use crate::entropy;
use crate::entry::Objection;
use crate::message::{Draft, Request};
use crate::setup::Client;
use crate::token::{Expected, verify};

impl Provider {
    /// A relying party's answer.
    pub(super) fn party(
        &mut self,
        now: u64,
        client: &Client,
        request: &Request,
    ) -> Result<Draft, Objection> {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => Ok(self.entrance(client)),
            ("GET", "/privacy") => Ok(page("Privacy", "<p>Nothing is kept.</p>")),
            ("GET", "/terms") => Ok(page("Terms", "<p>This is a test.</p>")),
            ("POST", "/nonce") => Ok(self.give_nonce()),
            ("POST", "/sign-in") => Ok(self.admit(now, client, request)),
            (_, "/" | "/privacy" | "/terms" | "/nonce" | "/sign-in") => Err(Objection::Method),
            _ => Err(Objection::UnknownPath),
        }
    }

    fn entrance(&self, client: &Client) -> Draft {
        let provider = json!({"configURL": self.config_url(), "clientId": client.id});
        let provider = provider.to_string().replace('<', "\\u003c");
        let body = format!(
            "<p>This is the client {}.</p><p><button id=go>Sign in</button></p><pre id=out></pre>\
             <script>{}</script>",
            escaped(&client.id),
            SCRIPT.replace("PROVIDER", &provider)
        );
        let mut entrance = page("A relying party", &body);
        entrance.without("Content-Security-Policy");
        entrance
    }

    fn give_nonce(&mut self) -> Draft {
        let Some(nonce) = entropy::name() else { return Draft::json(500, json!({})) };
        self.nonces.insert(nonce.clone(), ());
        Draft::json(200, json!({"nonce": nonce}))
    }

    /// Checks `{"token": ..., "nonce": ...}`. A nonce is good for one try.
    fn admit(&mut self, now: u64, client: &Client, request: &Request) -> Draft {
        let refused = |status, why: &str| Draft::json(status, json!({"error": why}));
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let (Some(token), Some(nonce)) = (text("token"), text("nonce")) else {
            return refused(400, "the body has no token and nonce");
        };
        if self.nonces.take(nonce).is_none() {
            return refused(401, "the nonce is not from here, or was used");
        }
        let expected =
            Expected { issuer: &self.origin, audience: &client.id, nonce: Some(nonce), now };
        match verify(token, &self.seal.keys(), &expected) {
            Ok(claims) => Draft::json(200, json!({"claims": claims})),
            Err(error) => refused(401, &error.to_string()),
        }
    }
}

/// What the button does.
const SCRIPT: &str = r#"
const post = async (path, body) =>
    (await fetch(path, {method: "POST", body: JSON.stringify(body)})).json();
const show = (value) => document.getElementById("out").textContent = JSON.stringify(value, null, 2);
document.getElementById("go").onclick = async () => {
    try {
        const {nonce} = await post("/nonce");
        const provider = {...PROVIDER, nonce, params: {nonce}};
        const credential = await navigator.credentials.get({identity: {providers: [provider]}});
        show(await post("/sign-in", {token: credential.token, nonce}));
    } catch (error) {
        show({name: error.name, message: error.message, error: error.error, url: error.url});
    }
};
"#;
