//! An identity provider for interleavings: it answers any request, well or not, and its token says for whom it is.

use serde_json::{Value, json};
use softkey_client::fedcm::{Connection, DisconnectOptions, UserInfoOptions};
use softkey_client::{FetchFault, FetchRequest, FetchResponse};

use crate::world::ORIGIN;

pub(super) const IDP: &str = "https://login.idp.example";

/// What a page asks with; the nonce tells its calls apart.
pub(super) fn options(nonce: u32, active: bool) -> Value {
    let provider = json!({"configURL": format!("{IDP}/config.json"), "clientId": "client",
        "nonce": nonce.to_string()});
    json!({"mode": if active { "active" } else { "passive" }, "providers": [provider]})
}

/// The connection that there is from the start: the provider's frame is told nothing without one.
pub(super) fn connection() -> Connection {
    Connection {
        embedder: ORIGIN.into(),
        relying_party: ORIGIN.into(),
        provider: IDP.into(),
        account: "1".into(),
    }
}

/// What ends the connection with an account.
pub(super) fn disconnect() -> DisconnectOptions {
    DisconnectOptions {
        config_url: format!("{IDP}/config.json"),
        client_id: "client".into(),
        account_hint: "1".into(),
    }
}

/// What a frame of the provider's asks for accounts with.
pub(super) fn user_info() -> UserInfoOptions {
    UserInfoOptions { config_url: format!("{IDP}/config.json"), client_id: "client".into() }
}

/// The token for this page's call of this nonce.
pub(super) fn token(origin: &str, nonce: u32) -> String {
    format!("{origin} {nonce}")
}

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Manner {
    Well,
    /// Well, and no more than this request.
    Once,
    /// With a page to go on at, where a token is asked for.
    GoOn,
    /// With an error of its own, where a token is asked for.
    Refusing,
    Status(u16),
    Unreachable,
}

/// The answer; what this origin may read, which is the asking one but for a plant.
pub(super) fn answer(
    request: &FetchRequest,
    manner: Manner,
    planted: Option<&str>,
) -> Result<FetchResponse, FetchFault> {
    let path = request.url.rsplit('/').next().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let body = match (path, manner) {
        (_, Manner::Unreachable) => return Err(FetchFault::Unreachable),
        ("assert", Manner::GoOn) => json!({"continue_on": "/more"}),
        ("assert", Manner::Refusing) => json!({"error": {"code": "busy"}}),
        ("assert", _) => {
            json!({"token": token(planted.unwrap_or(sent_by(request)), nonce(request))})
        }
        ("web-identity", _) => json!({"provider_urls": [format!("{IDP}/config.json")],
            "accounts_endpoint": format!("{IDP}/accounts"), "login_url": format!("{IDP}/login")}),
        ("config.json", _) => json!({"accounts_endpoint": "/accounts", "login_url": "/login",
            "id_assertion_endpoint": "/assert", "disconnect_endpoint": "/disconnect"}),
        ("accounts", _) => {
            json!({"accounts": [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bea"}]})
        }
        ("disconnect", _) => json!({"account_id": "1"}),
        _ => json!({}),
    };
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    headers.push(("Access-Control-Allow-Origin".into(), sent_by(request).into()));
    headers.push(("Access-Control-Allow-Credentials".into(), "true".into()));
    let status = if let Manner::Status(status) = manner { status } else { 200 };
    Ok(FetchResponse { status, headers, body: body.to_string().into_bytes() })
}

/// An answer to what nobody asked.
pub(super) fn unasked() -> FetchResponse {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    FetchResponse {
        status: 200,
        headers,
        body: json!({"token": "unasked"}).to_string().into_bytes(),
    }
}

fn sent_by(request: &FetchRequest) -> &str {
    request.headers.iter().find(|(name, _)| name == "Origin").map_or("nobody", |(_, value)| value)
}

/// The nonce of a form; the draft has it among the parameters, or as a field of its own.
fn nonce(request: &FetchRequest) -> u32 {
    let form = String::from_utf8_lossy(&request.body);
    let field = form.split('&').find_map(|field| field.strip_prefix("nonce="));
    field.and_then(|nonce| nonce.parse().ok()).expect("a nonce in the form")
}
