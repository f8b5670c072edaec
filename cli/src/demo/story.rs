//! The demo in words: each message decoded, in the order in which it crossed the wire.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use softkey_authenticator::BATCH_CERTIFICATE;
use softkey_client::verify::{Attestation, Authenticated, Registered};
use softkey_client::{AuthenticationResponse, RegistrationResponse, base64url};
use softkey_ctap::attestation::OBJECT_LEVELS;
use softkey_ctap::auth_data::{AuthenticatorData, Flags};
use softkey_ctap::cbor::List;
use softkey_ctap::u2f::StatusWord;
use softkey_ctap::{Command, StatusCode, cbor, cose, get_assertion, get_info, make_credential};
use softkey_ctap_hid::{Connection, JobKind, Loopback, MAX_MESSAGE_LEN};

use super::key::{DemoKey, Exchange};
use super::{ORIGIN, RP_ID};
use crate::decode;
use crate::run::event::Asked;
use crate::text::quoted;

/// The registration.
pub(super) fn registration(
    connection: &mut Connection<Loopback<DemoKey>>,
    challenge: &[u8],
    response: &RegistrationResponse,
    registered: &Registered,
) -> String {
    let mut story = Story::default();
    story.paragraph("A security key, a client and a relying party, in one process");
    if let Some(device) = connection.device() {
        story.step("client", "opens a channel to the key over CTAPHID");
        story.detail("channel", format_args!("{:08x}", device.channel.as_u32()));
        let offers = [
            ("CBOR", device.capabilities.cbor()),
            ("MSG (U2F)", device.capabilities.msg()),
            ("WINK", device.capabilities.wink()),
        ];
        let offers: Vec<&str> =
            offers.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        story.detail("the key offers", offers.join(", "));
    }
    story.paragraph("Registration");
    story.step("relying party", format_args!("{RP_ID} at {ORIGIN} wants a passkey of Ada's"));
    story.detail("challenge", base64url::encode(challenge));
    story.exchanges(connection.transport_mut().application_mut().take_heard());
    story.step("client", "gives the page a PublicKeyCredential");
    story.detail("client data", text_of(&response.response.client_data_json.0));
    story.step("relying party", "has checked it and keeps the public key");
    story.detail("checked", "challenge, origin, relying party, presence, algorithm");
    story.detail(
        "attestation",
        match registered.attestation {
            Attestation::None => "none",
            Attestation::SelfSigned => "signed by the credential itself",
            Attestation::Certificate if is_by_batch_key(registered) => {
                "signed by the batch key that every softkey shares"
            }
            Attestation::Certificate => "leads to the root of the key's owner",
        },
    );
    story.text
}

fn is_by_batch_key(registered: &Registered) -> bool {
    let mut leaves = registered.trust_paths.iter().filter_map(|path| path.certificates.first());
    leaves.any(|leaf| leaf == BATCH_CERTIFICATE)
}

/// The sign-in.
pub(super) fn sign_in(
    connection: &mut Connection<Loopback<DemoKey>>,
    challenge: &[u8],
    response: &AuthenticationResponse,
    counter_before: u32,
    authenticated: &Authenticated,
) -> String {
    let mut story = Story { text: "\n".into() };
    story.paragraph("Sign-in");
    story.step("relying party", format_args!("{RP_ID} asks whoever it is to sign in"));
    story.detail("challenge", base64url::encode(challenge));
    story.exchanges(connection.transport_mut().application_mut().take_heard());
    story.step("client", "gives the page a PublicKeyCredential");
    story.detail("client data", text_of(&response.response.client_data_json.0));
    story
        .step("relying party", "has verified the signature with the public key it kept: Ada is in");
    story.detail("checked", "challenge, origin, relying party, presence, signature");
    story.detail(
        "counter",
        format_args!("{counter_before} before, {} now", authenticated.record.sign_count),
    );
    story.text
}

/// Text that grows.
#[derive(Default)]
struct Story {
    text: String,
}

impl Story {
    fn paragraph(&mut self, heading: &str) {
        let space = if self.text.len() > 1 { "\n" } else { "" };
        let _ = writeln!(self.text, "{space}{heading}\n{}", "-".repeat(heading.len()));
    }

    fn step(&mut self, who: &str, what: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{who:<14} {what}");
    }

    fn detail(&mut self, name: &str, what: impl std::fmt::Display) {
        let _ = writeln!(self.text, "                 {name:<18} {what}");
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.detail(name, hex(bytes));
    }

    fn exchanges(&mut self, exchanges: Vec<Exchange>) {
        for exchange in exchanges {
            self.exchange(&exchange);
        }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        match exchange.kind {
            JobKind::Cbor => self.ctap2(exchange),
            JobKind::Msg => self.u2f(exchange),
        }
    }

    fn u2f(&mut self, exchange: &Exchange) {
        let name = decode::u2f_command(&exchange.request);
        let name = name.unwrap_or("a command without a name");
        self.step("client -> key", format_args!("{name}, {}", size(&exchange.request)));
        let word = StatusWord::split(&exchange.response).map_or(0, |(_, word)| word.0);
        let meaning = decode::u2f_status(&exchange.response).unwrap_or("a word without a meaning");
        let size = size(&exchange.response);
        self.step("key -> client", format_args!("{word:04x}, {meaning}, {size}"));
        self.asked(exchange);
    }

    fn asked(&mut self, exchange: &Exchange) {
        if let Some(ask) = &exchange.asked {
            self.step("key", format_args!("{}: touched by the demo itself", Asked::of(ask)));
        }
    }

    fn ctap2(&mut self, exchange: &Exchange) {
        let Some((&code, parameters)) = exchange.request.split_first() else { return };
        let command = Command(code);
        let name = command.name().unwrap_or("a command without a name");
        self.step("client -> key", format_args!("{name}, {}", size(&exchange.request)));
        match command {
            Command::MAKE_CREDENTIAL => self.make_credential(parameters),
            Command::GET_ASSERTION => self.get_assertion(parameters),
            _ => {}
        }
        self.asked(exchange);
        let Some((&code, body)) = exchange.response.split_first() else { return };
        let status = StatusCode(code);
        self.step("key -> client", format_args!("{status}, {}", size(&exchange.response)));
        match command {
            Command::GET_INFO => self.info(body),
            Command::MAKE_CREDENTIAL => self.credential(body),
            Command::GET_ASSERTION => self.assertion(body),
            _ => {}
        }
    }

    fn info(&mut self, body: &[u8]) {
        let Ok(info) = cbor::decode::<get_info::Response<'_>>(body) else { return };
        self.detail("versions", join(info.versions.iter()));
        self.detail("extensions", join(info.extensions.iter().flat_map(List::iter)));
        let algorithms = info.algorithms.iter().flat_map(List::iter);
        self.detail("algorithms", join(algorithms.map(|parameters| algorithm(parameters.alg))));
        self.bytes("aaguid", &info.aaguid);
    }

    fn make_credential(&mut self, body: &[u8]) {
        let Ok(request) = cbor::decode::<make_credential::Request<'_>>(body) else { return };
        self.bytes("client data hash", &request.client_data_hash);
        self.detail("relying party", request.rp.id.as_str());
        let name = request.user.name.map(quoted).unwrap_or_default();
        self.detail("user", format_args!("{name}, handle {}", hex(request.user.id.as_bytes())));
        let algorithms = request.pub_key_cred_params.iter();
        self.detail("algorithms", join(algorithms.map(|parameters| algorithm(parameters.alg))));
        self.options(request.options.as_ref());
    }

    fn get_assertion(&mut self, body: &[u8]) {
        let Ok(request) = cbor::decode::<get_assertion::Request<'_>>(body) else { return };
        self.bytes("client data hash", &request.client_data_hash);
        self.detail("relying party", request.rp_id.as_str());
        match &request.allow_list {
            None => self.detail("allow list", "none: any discoverable credential will do"),
            Some(list) => {
                list.iter().for_each(|credential| self.bytes("allow list", credential.id));
            }
        }
        self.options(request.options.as_ref());
    }

    fn options(&mut self, options: Option<&make_credential::Options>) {
        let Some(options) = options else { return };
        let options = [("rk", options.rk), ("up", options.up), ("uv", options.uv)];
        let given =
            options.iter().filter_map(|(name, value)| Some(format!("{name} {}", (*value)?)));
        self.detail("options", join(given));
    }

    fn credential(&mut self, body: &[u8]) {
        let response = cbor::decode_within::<make_credential::Response<'_>>(body, OBJECT_LEVELS);
        let Ok(response) = response else { return };
        self.detail("attestation", response.fmt);
        self.authenticator_data(response.auth_data);
    }

    fn assertion(&mut self, body: &[u8]) {
        let Ok(response) = cbor::decode::<get_assertion::Response<'_>>(body) else { return };
        self.authenticator_data(response.auth_data);
        if let Some(user) = response.user {
            self.detail("user", format_args!("handle {}", hex(user.id.as_bytes())));
        }
        self.bytes("signature", response.signature);
    }

    fn authenticator_data(&mut self, bytes: &[u8]) {
        let Ok(data) = AuthenticatorData::from_bytes(bytes) else { return };
        let right = data.rp_id_hash == <[u8; 32]>::from(Sha256::digest(RP_ID));
        let whose = if right { "of the relying party" } else { "of somebody else" };
        self.detail("rp id hash", format_args!("{} ({whose})", hex(&data.rp_id_hash)));
        let names = [
            (Flags::USER_PRESENT, "user present"),
            (Flags::USER_VERIFIED, "user verified"),
            (Flags::BACKUP_ELIGIBLE, "backup eligible"),
            (Flags::BACKUP_STATE, "backed up"),
            (Flags::ATTESTED, "credential included"),
            (Flags::EXTENSIONS, "extensions included"),
        ];
        let set = names.iter().filter(|(flag, _)| data.flags.contains(*flag));
        self.detail("flags", join(set.map(|(_, name)| *name)));
        self.detail("counter", data.sign_count);
        if let Some(attested) = &data.attested {
            self.bytes("credential id", attested.credential_id);
            self.detail("public key", algorithm(attested.public_key.alg()));
        }
    }
}

/// Bytes of a message, and the reports that carry it: 57 bytes in the first, 59 in each other.
fn size(message: &[u8]) -> String {
    let len = message.len().min(MAX_MESSAGE_LEN);
    let reports = 1 + len.saturating_sub(57).div_ceil(59);
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let bytes = message.len();
    format!("{bytes} byte{} in {reports} report{}", plural(bytes), plural(reports))
}

fn algorithm(alg: i64) -> String {
    cose::algorithm::name(alg).map_or_else(|| alg.to_string(), |name| format!("{name} ({alg})"))
}

fn join<T: ToString>(parts: impl Iterator<Item = T>) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(", ")
}

/// Hexadecimal; of long strings the first 32 bytes and the length.
fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    let mut text = String::new();
    for byte in bytes.iter().take(SHOWN) {
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > SHOWN {
        let _ = write!(text, "... ({} bytes)", bytes.len());
    }
    text
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
