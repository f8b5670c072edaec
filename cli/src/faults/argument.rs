//! What the argument of a fault means.

use softkey_authenticator::Fault as Signed;
use softkey_ctap::{Command, StatusCode};

use super::Fault;
use super::answer::{AnswerFault, Canned, Form};
use super::wire::PacketFault;
use crate::run::request;

pub(super) fn counter(argument: Option<&str>) -> Option<Fault> {
    Some(Fault::Signed(match argument? {
        "back" => Signed::CounterBackwards,
        "zero" => Signed::CounterZero,
        _ => return None,
    }))
}

pub(super) fn algorithm(argument: Option<&str>) -> Option<Fault> {
    let id = argument.map_or(Some(-65_535), |id| id.parse().ok())?;
    Some(Fault::Signed(Signed::Algorithm(id)))
}

pub(super) fn unasked(argument: Option<&str>) -> Option<Fault> {
    const NAMES: [&str; 6] =
        ["credProtect", "credBlob", "hmac-secret", "minPinLength", "uvm", "softkey-unasked"];
    let wanted = argument.unwrap_or("softkey-unasked");
    let name = NAMES.into_iter().find(|name| *name == wanted)?;
    Some(Fault::Signed(Signed::UnaskedExtension(name)))
}

pub(super) fn protection(argument: Option<&str>) -> Option<Fault> {
    let level = argument?.parse().ok().filter(|level| (1..=3).contains(level))?;
    Some(Fault::Signed(Signed::Protection(level)))
}

pub(super) fn default_protection(argument: Option<&str>) -> Option<Fault> {
    // The first is what there is without asking.
    let level = argument?.parse().ok().filter(|level| (2..=3).contains(level))?;
    Some(Fault::Signed(Signed::DefaultProtection(level)))
}

pub(super) fn account_chooser(argument: Option<&str>) -> Option<Fault> {
    let number = argument.map_or(Some(1), |number| number.parse().ok());
    number.filter(|number| *number > 0).map(|number| Fault::Signed(Signed::AccountChooser(number)))
}

fn hex(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u8::from_str_radix(digits, 16)
        .ok()
        .filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

pub(super) fn status(argument: Option<&str>) -> Option<Fault> {
    let argument = argument?;
    let (command, code) = match argument.rsplit_once(':') {
        None => (None, argument),
        Some((name, code)) => (Some(command(name)?), code),
    };
    Some(Fault::Canned(Canned::Status { command, code: refusal(code)? }))
}

/// A status that stands alone. Zero is success, which needs an answer.
fn refusal(code: &str) -> Option<u8> {
    hex(code).filter(|code| *code != 0)
}

/// The same, or what stands there without one.
fn refusal_or(argument: Option<&str>, default: StatusCode) -> Option<u8> {
    argument.map_or(Some(default.0), refusal)
}

pub(super) fn empty_display_name(argument: Option<&str>) -> Option<Fault> {
    let code = refusal_or(argument, StatusCode::INVALID_CBOR)?;
    Some(Fault::Canned(Canned::EmptyDisplayName(code)))
}

pub(super) fn missing_display_name(argument: Option<&str>) -> Option<Fault> {
    let code = refusal_or(argument, StatusCode::MISSING_PARAMETER)?;
    Some(Fault::Canned(Canned::MissingDisplayName(code)))
}

/// The command of this name, as the lines about requests have it.
fn command(name: &str) -> Option<Command> {
    (1..=u8::MAX)
        .map(Command)
        .find(|command| command.name().is_some() && request::name(*command) == name)
}

pub(super) fn lists(argument: Option<&str>) -> Option<Fault> {
    let limit = argument.map_or(Some(1), |limit| limit.parse().ok())?;
    Some(Fault::Canned(Canned::Lists { limit }))
}

pub(super) fn format(argument: Option<&str>) -> Option<Fault> {
    const NAMES: [&str; 6] = ["tpm", "fido-u2f", "none", "apple", "android-key", "unknown"];
    let wanted = argument.unwrap_or("unknown");
    let name = NAMES.into_iter().find(|name| *name == wanted)?;
    Some(Fault::Answer(AnswerFault::Format(name)))
}

pub(super) fn cancel_status(argument: Option<&str>) -> Option<Fault> {
    let code = refusal_or(argument, StatusCode::OPERATION_DENIED)?;
    // Its own status is no fault.
    let wrong = code != StatusCode::KEEPALIVE_CANCEL.0;
    wrong.then_some(Fault::Answer(AnswerFault::CancelStatus(code)))
}

pub(super) fn no_credentials_status(argument: Option<&str>) -> Option<Fault> {
    let code = refusal_or(argument, StatusCode::INVALID_CREDENTIAL)?;
    let wrong = code != StatusCode::NO_CREDENTIALS.0;
    wrong.then_some(Fault::Answer(AnswerFault::NoCredentialsStatus(code)))
}

pub(super) fn no_credential(argument: Option<&str>) -> Option<Fault> {
    let lone = only(argument, "lone")?;
    Some(Fault::Answer(AnswerFault::NoCredential { lone }))
}

pub(super) fn no_user(argument: Option<&str>) -> Option<Fault> {
    let listed = only(argument, "listed")?;
    Some(Fault::Answer(AnswerFault::NoUser { listed }))
}

/// The one argument that there is, or none.
fn only(argument: Option<&str>, word: &str) -> Option<bool> {
    argument.map_or(Some(false), |argument| (argument == word).then_some(true))
}

pub(super) fn pin_retries(argument: Option<&str>) -> Option<Fault> {
    Some(Fault::Answer(AnswerFault::PinRetries(argument?.parse().ok()?)))
}

pub(super) fn non_canonical(argument: Option<&str>) -> Option<Fault> {
    Some(Fault::Answer(AnswerFault::NonCanonical(match argument? {
        "order" => Form::Order,
        "length" => Form::Length,
        "duplicate" => Form::Duplicate,
        "indefinite" => Form::Indefinite,
        _ => return None,
    })))
}

pub(super) fn oversize(argument: Option<&str>) -> Option<Fault> {
    let bytes = argument.map_or(Some(7609), |bytes| bytes.parse().ok());
    // What CTAPHID can carry.
    bytes.filter(|bytes| *bytes <= 7609).map(|bytes| Fault::Answer(AnswerFault::Oversize(bytes)))
}

pub(super) fn delay(argument: Option<&str>) -> Option<Fault> {
    let millis = argument.map_or(Some(500), |millis| millis.parse().ok())?;
    Some(Fault::Packet(PacketFault::Delay { millis }))
}

pub(super) fn drop_packet(argument: Option<&str>) -> Option<Fault> {
    let number = argument.map(str::parse).transpose().ok()?;
    Some(Fault::Packet(PacketFault::Drop { number }))
}

pub(super) fn storm(argument: Option<&str>) -> Option<Fault> {
    let count = argument.map_or(Some(1000), |count| count.parse().ok());
    // Enough to be a storm, and not so much that it fills the memory.
    let count = count.filter(|count| *count <= 100_000)?;
    Some(Fault::Packet(PacketFault::KeepaliveStorm { count }))
}

pub(super) fn hid_error(argument: Option<&str>) -> Option<Fault> {
    Some(Fault::Packet(PacketFault::Error { code: hex(argument?)? }))
}
