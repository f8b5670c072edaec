//! What a request says of itself, for the line that is printed about it. Everything here is the client's own
//! word; a request that cannot be read still has a name.

use softkey_ctap::u2f::{self, Apdu, Body};
use softkey_ctap::{
    Command, bio_enrollment, cbor, client_pin, config, credential_management, get_assertion,
    make_credential,
};
use softkey_ctap_hid::JobKind;

/// Who asks, and for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The command, with its subcommand if it has one: `makeCredential`, `clientPIN setPIN`, `U2F register`.
    pub command: String,
    /// The relying party: its identifier, or `sha256:` and the hash in hexadecimal where U2F tells no more.
    /// Untrusted text.
    pub rp: Option<String>,
    /// The account's name. Untrusted text.
    pub account: Option<String>,
}

impl Summary {
    /// Reads a request of one to 7609 bytes.
    #[must_use]
    pub fn of(kind: JobKind, bytes: &[u8]) -> Self {
        match kind {
            JobKind::Cbor => Self::of_ctap2(bytes),
            JobKind::Msg => Self::of_u2f(bytes),
        }
    }

    fn of_ctap2(bytes: &[u8]) -> Self {
        let Some((&code, body)) = bytes.split_first() else { return Self::default() };
        let command = Command(code);
        let details = details(command, body).unwrap_or_default();
        let sub_command = details.sub_command.map(|name| format!(" {name}")).unwrap_or_default();
        Self {
            command: name(command) + &sub_command,
            rp: details.rp.map(str::to_owned),
            account: details.account.map(str::to_owned),
        }
    }

    fn of_u2f(bytes: &[u8]) -> Self {
        let Some(apdu) = Apdu::from_bytes(bytes) else {
            return Self { command: "U2F message".into(), ..Self::default() };
        };
        let Body::Data(data) = apdu.data else {
            return Self { command: format!("U2F 0x{:02x}", apdu.ins), ..Self::default() };
        };
        let (command, application) = match apdu.ins {
            u2f::instruction::REGISTER => {
                let request = u2f::RegisterRequest::from_bytes(data);
                ("U2F register".into(), request.map(|request| request.application))
            }
            u2f::instruction::AUTHENTICATE => {
                let request = u2f::AuthenticateRequest::from_bytes(data);
                let check = apdu.p1 == u2f::control::CHECK_ONLY;
                let command = if check { "U2F check" } else { "U2F authenticate" };
                (command.into(), request.map(|request| request.application))
            }
            u2f::instruction::VERSION => ("U2F version".into(), None),
            other => (format!("U2F 0x{other:02x}"), None),
        };
        Self { command, rp: application.map(|hash| sha256_text(&hash)), account: None }
    }
}

/// What stands behind the command byte.
#[derive(Default)]
struct Details<'b> {
    rp: Option<&'b str>,
    account: Option<&'b str>,
    sub_command: Option<String>,
}

impl Details<'_> {
    /// A subcommand, and what gives its name.
    fn sub_command(number: u64, name: fn(u64) -> Option<&'static str>) -> Self {
        let name = name(number).map_or_else(|| format!("0x{number:02x}"), str::to_owned);
        Self { sub_command: Some(name), ..Self::default() }
    }
}

/// Nothing if the body cannot be read or says nothing of interest.
fn details(command: Command, body: &[u8]) -> Option<Details<'_>> {
    Some(match command {
        Command::MAKE_CREDENTIAL => {
            let request: make_credential::Request<'_> = cbor::decode(body).ok()?;
            let rp = Some(request.rp.id.as_str());
            Details { rp, account: request.user.name, sub_command: None }
        }
        Command::GET_ASSERTION => {
            let request: get_assertion::Request<'_> = cbor::decode(body).ok()?;
            Details { rp: Some(request.rp_id.as_str()), ..Details::default() }
        }
        Command::CLIENT_PIN => {
            let request: client_pin::Request<'_> = cbor::decode(body).ok()?;
            let rp = request.rp_id.map(|id| id.as_str());
            Details {
                rp,
                ..Details::sub_command(request.sub_command, client_pin::subcommand::name)
            }
        }
        Command::CREDENTIAL_MANAGEMENT | Command::CREDENTIAL_MANAGEMENT_PREVIEW => {
            let request: credential_management::Request<'_> = cbor::decode(body).ok()?;
            Details::sub_command(request.sub_command, credential_management::subcommand::name)
        }
        Command::BIO_ENROLLMENT | Command::BIO_ENROLLMENT_PREVIEW => {
            let request: bio_enrollment::Request<'_> = cbor::decode(body).ok()?;
            Details::sub_command(request.sub_command?, bio_enrollment::subcommand::name)
        }
        Command::CONFIG => {
            let request: config::Request<'_> = cbor::decode(body).ok()?;
            let mut details = Details::sub_command(request.sub_command, config::subcommand::name);
            if request.sub_command == config::subcommand::VENDOR_PROTOTYPE {
                let number = request
                    .sub_command_params
                    .and_then(|params| cbor::decode::<config::VendorPrototype>(params.0).ok());
                let text = number.map(|params| format!(" 0x{:x}", params.vendor_command_id));
                details.sub_command.iter_mut().for_each(|name| name.extend(text.clone()));
            }
            details
        }
        _ => return None,
    })
}

/// A hash as the authenticator writes it where U2F tells no relying party's name.
fn sha256_text(hash: &[u8; 32]) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::from("sha256:"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `makeCredential` for authenticatorMakeCredential.
pub(crate) fn name(command: Command) -> String {
    let Some(full) = command.name() else { return format!("command 0x{:02x}", command.0) };
    let short = full.strip_prefix("authenticator").unwrap_or(full);
    if short.starts_with("ClientPIN") {
        return "clientPIN".into();
    }
    let mut chars = short.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(command: &str, rp: Option<&str>, account: Option<&str>) -> Summary {
        Summary {
            command: command.into(),
            rp: rp.map(str::to_owned),
            account: account.map(str::to_owned),
        }
    }

    #[test]
    fn a_ctap2_request_says_who_asks() {
        let of = |bytes: &[u8]| Summary::of(JobKind::Cbor, bytes);
        assert_eq!(of(&[0x04]), summary("getInfo", None, None));
        assert_eq!(of(&[0xf3, 1]), summary("command 0xf3", None, None));
        assert_eq!(of(&[0x06, 0xa1, 2, 2]), summary("clientPIN getKeyAgreement", None, None));
        assert_eq!(of(&[0x06, 0xa1, 2, 0x18, 0x63]), summary("clientPIN 0x63", None, None));
        assert_eq!(of(&[0x09, 0xa1, 6, 0xf5]), summary("bioEnrollment", None, None));
        let begin = summary("bioEnrollment enrollBegin", None, None);
        assert_eq!(of(&[0x09, 0xa2, 1, 1, 2, 1]), begin);
        assert_eq!(of(&[0x0d, 0xa1, 1, 3]), summary("config setMinPINLength", None, None));
        let vendor = [0x0d, 0xa2, 1, 0x18, 0xff, 2, 0xa2, 1, 0x19, 0xf0, 0x0d, 2, 0xf5];
        assert_eq!(of(&vendor), summary("config vendorPrototype 0xf00d", None, None));
        let bare = [0x0d, 0xa1, 1, 0x18, 0xff];
        assert_eq!(of(&bare), summary("config vendorPrototype", None, None));
        assert_eq!(
            of(&[0x41, 0xa1, 1, 6]),
            summary("credentialManagement (preview) deleteCredential", None, None)
        );
        let mut request = vec![0x02, 0xa2, 1, 0x64];
        request.extend(b"a.io");
        request.extend([2, 0x58, 32]);
        request.extend([0; 32]);
        assert_eq!(of(&request), summary("getAssertion", Some("a.io"), None));
        request.pop();
        assert_eq!(of(&request), summary("getAssertion", None, None));
    }

    #[test]
    fn a_u2f_message_says_which_application_asks() {
        let of = |bytes: &[u8]| Summary::of(JobKind::Msg, bytes);
        let mut register = vec![0, 1, 0, 0, 0, 0, 64];
        register.extend([0xcc; 32]);
        register.extend([0xab; 32]);
        let application = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(of(&register), summary("U2F register", Some(&application), None));
        assert_eq!(of(&[0, 3, 0, 0, 0, 0, 0]), summary("U2F version", None, None));
        assert_eq!(of(&[0, 2, 7, 0]), summary("U2F check", None, None));
        assert_eq!(of(&[0, 9]), summary("U2F message", None, None));
        assert_eq!(of(&[0, 9, 0, 0]), summary("U2F 0x09", None, None));
    }
}
