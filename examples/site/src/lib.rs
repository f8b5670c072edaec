//! A small site: whoever registers a passkey can sign in with it. axum serves it, webauthn-rs checks the responses.

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    CreationChallengeResponse, Passkey, PasskeyAuthentication, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse, Webauthn,
    WebauthnBuilder, WebauthnError,
};

/// One account, and what it has under way.
#[derive(Default)]
struct Account {
    id: Uuid,
    passkeys: Vec<Passkey>,
    registration: Option<PasskeyRegistration>,
    sign_in: Option<PasskeyAuthentication>,
}

struct Site {
    webauthn: Webauthn,
    accounts: Mutex<HashMap<String, Account>>,
}

type Answer<T> = Result<T, (StatusCode, String)>;

fn refused(error: WebauthnError) -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, error.to_string())
}

fn unknown<T>() -> Answer<T> {
    Err((StatusCode::NOT_FOUND, String::from("nobody asked for that")))
}

async fn begin_registration(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Answer<Json<CreationChallengeResponse>> {
    let mut accounts = site.accounts.lock().expect("no other request panicked");
    let account = accounts
        .entry(name.clone())
        .or_insert_with(|| Account { id: Uuid::new_v4(), ..Account::default() });
    let known = account.passkeys.iter().map(|passkey| passkey.cred_id().clone()).collect();
    let begun = site.webauthn.start_passkey_registration(account.id, &name, &name, Some(known));
    let (options, state) = begun.map_err(refused)?;
    account.registration = Some(state);
    Ok(Json(options))
}

async fn finish_registration(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Json(response): Json<RegisterPublicKeyCredential>,
) -> Answer<String> {
    let mut accounts = site.accounts.lock().expect("no other request panicked");
    let Some(account) = accounts.get_mut(&name) else { return unknown() };
    let Some(state) = account.registration.take() else { return unknown() };
    let passkey = site.webauthn.finish_passkey_registration(&response, &state).map_err(refused)?;
    // webauthn-rs keeps no credentials, so this is for the site to see to: WebAuthn Level 3 section 7.1 step 26.
    let mut others = accounts.values().flat_map(|account| &account.passkeys);
    if others.any(|other| other.cred_id() == passkey.cred_id()) {
        return Err((StatusCode::CONFLICT, String::from("this passkey is somebody's already")));
    }
    let Some(account) = accounts.get_mut(&name) else { return unknown() };
    account.passkeys.push(passkey);
    Ok(format!("Welcome, {name}."))
}

async fn begin_sign_in(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Answer<Json<RequestChallengeResponse>> {
    let mut accounts = site.accounts.lock().expect("no other request panicked");
    let Some(account) = accounts.get_mut(&name) else { return unknown() };
    let begun = site.webauthn.start_passkey_authentication(&account.passkeys);
    let (options, state) = begun.map_err(refused)?;
    account.sign_in = Some(state);
    Ok(Json(options))
}

async fn finish_sign_in(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Json(response): Json<PublicKeyCredential>,
) -> Answer<String> {
    let mut accounts = site.accounts.lock().expect("no other request panicked");
    let Some(account) = accounts.get_mut(&name) else { return unknown() };
    let Some(state) = account.sign_in.take() else { return unknown() };
    let result = site.webauthn.finish_passkey_authentication(&response, &state).map_err(refused)?;
    for passkey in &mut account.passkeys {
        passkey.update_credential(&result);
    }
    Ok(format!("Welcome back, {name}."))
}

/// Serves the site on a free port of this machine, until the process ends; gives its origin.
pub fn serve() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let origin = format!("http://localhost:{port}");
    let url = Url::parse(&origin).expect("an origin");
    let webauthn = WebauthnBuilder::new("localhost", &url).and_then(WebauthnBuilder::build);
    let webauthn = webauthn.expect("localhost may be a relying party");
    let site = Site { webauthn, accounts: Mutex::default() };
    let router = Router::new()
        .route("/register/begin/{name}", post(begin_registration))
        .route("/register/finish/{name}", post(finish_registration))
        .route("/sign-in/begin/{name}", post(begin_sign_in))
        .route("/sign-in/finish/{name}", post(finish_sign_in))
        .with_state(Arc::new(site));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await.expect("a server");
        });
    });
    origin
}
