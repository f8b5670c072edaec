//! `softkey decode`: explains any CTAP message, authenticator data, attestation object, client data, APDU or
//! trace of HID reports, given as hex, base64url or binary, and what `softkey run --record` has written.

mod blobs;
mod cbor;
mod input;
mod message;
pub(crate) mod node;
mod recording;
mod schema;
mod trace;
mod u2f;
mod webauthn;

#[cfg(test)]
mod tests;

use clap::{Args, ValueEnum};
use softkey_ctap::Command;
use softkey_ctap::cbor::Key;
use softkey_ctap::u2f::StatusWord;

pub(crate) use input::hex;
pub use node::{Explained, Name, Node};
pub(crate) use schema::verification_method_names;
pub(crate) use trace::capability_names;

use crate::error::{CliError, Exit};
use crate::output::Output;
use input::Reading;

/// The arguments of `softkey decode`.
#[derive(Clone, Debug, Default, Args)]
pub struct DecodeArgs {
    /// What to explain: hex or base64url, the name of a file, or - for standard input
    #[arg(value_name = "TEXT|FILE", default_value = "-")]
    pub input: String,

    /// What it is, if that is not to be guessed
    #[arg(long = "as", value_name = "KIND")]
    pub kind: Option<Kind>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// What bytes can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A CTAP2 request: command byte and parameters
    Request,
    /// A CTAP2 response: status byte and what follows
    Response,
    /// Authenticator data
    AuthData,
    /// An attestation object
    Attestation,
    /// Client data
    ClientData,
    /// A U2F command APDU
    Apdu,
    /// A U2F response: data and status word
    U2f,
    /// HID reports of 64 bytes
    Trace,
    /// What softkey run --record has written
    Recording,
    /// Any CBOR
    Cbor,
}

/// Carries `softkey decode` out.
///
/// # Errors
///
/// [`Exit::BadInput`] if the input cannot be read or is of no form that is known here.
pub fn run(args: &DecodeArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let readings = input::read(&args.input)?;
    if let Some(recording) = readings.first().filter(|it| is_recording(it, args.kind)) {
        return output.record(&recording::explain(&recording.bytes)?);
    }
    let explained = readings.iter().find_map(|reading| explain(reading, args.kind));
    match explained {
        Some(explained) => output.record(&explained),
        None => Err(unknown(&readings, args.kind)),
    }
}

/// Is it to be read as a recording? Of any kind of input it alone says what it is.
fn is_recording(reading: &Reading, kind: Option<Kind>) -> bool {
    match kind {
        None => recording::is_one(&reading.bytes),
        Some(kind) => kind == Kind::Recording,
    }
}

/// Explains one reading of the input; nothing if it makes no sense as that.
fn explain(reading: &Reading, kind: Option<Kind>) -> Option<Explained> {
    let bytes = reading.bytes.as_slice();
    match kind {
        None => reading.is_trace.then(|| trace::explain(bytes)).flatten().or_else(|| guess(bytes)),
        Some(Kind::Request) => message::request(bytes),
        Some(Kind::Response) => message::response(bytes, None),
        Some(Kind::AuthData) => webauthn::authenticator_data(bytes),
        Some(Kind::Attestation) => webauthn::attestation_object(bytes),
        Some(Kind::ClientData) => webauthn::client_data(bytes),
        Some(Kind::Apdu) => u2f::command(bytes),
        Some(Kind::U2f) => u2f::response(bytes),
        Some(Kind::Trace) => trace::explain(bytes),
        Some(Kind::Recording) => None,
        Some(Kind::Cbor) => cbor::item(bytes),
    }
}

/// The likeliest sense of these bytes. Forms that are recognised by more than a byte come first.
fn guess(bytes: &[u8]) -> Option<Explained> {
    webauthn::json(bytes)
        .or_else(|| webauthn::attestation_object(bytes))
        .or_else(|| message::status_alone(bytes))
        .or_else(|| message::request(bytes))
        .or_else(|| message::response(bytes, None))
        .or_else(|| u2f::command(bytes))
        .or_else(|| u2f::response(bytes))
        .or_else(|| trace::explain(bytes))
        .or_else(|| webauthn::authenticator_data(bytes))
        .or_else(|| webauthn::cose_key(bytes))
        .or_else(|| cbor::item(bytes))
}

fn unknown(readings: &[Reading], kind: Option<Kind>) -> CliError {
    let kind = kind.and_then(|kind| kind.to_possible_value());
    let wanted = kind.map_or_else(
        || String::from("of no form that is known here"),
        |kind| format!("not what --as {} asks for", kind.get_name()),
    );
    let what = match readings.first() {
        Some(Reading { bytes, .. }) => {
            let start = node::hex(bytes.get(..bytes.len().min(8)).unwrap_or_default());
            match bytes.len() {
                1 => format!("The byte {start} is {wanted}."),
                len => format!("The {len} bytes that begin with {start} are {wanted}."),
            }
        }
        None => format!("The input is {wanted}."),
    };
    CliError::new(
        Exit::BadInput,
        what,
        "a whole message with its command or status byte, authenticator data, an attestation object, \
         client data, an APDU or HID reports; softkey decode --help lists the kinds",
    )
}

/// The command that a response answers, if it is known.
type Answering = Option<Command>;

/// The name of the U2F command that an APDU is.
pub(crate) fn u2f_command(apdu: &[u8]) -> Option<&'static str> {
    let &[cla, ins, ..] = apdu else { return None };
    u2f::name(cla, ins)
}

/// What the status word at the end of a U2F response says.
pub(crate) fn u2f_status(response: &[u8]) -> Option<&'static str> {
    let (_, word) = StatusWord::split(response)?;
    u2f::word_meaning(word)
}

/// The members of an authenticatorGetInfo response, given without its status byte.
pub(crate) fn info_response(bytes: &[u8]) -> Option<Node> {
    let response = [&[0x00], bytes].concat();
    message::response(&response, Some(Command::GET_INFO)).map(|explained| explained.value)
}

/// The standard's name of a member of authenticatorGetInfo's response.
pub(crate) fn info_member(key: &Key<'_>) -> Option<String> {
    schema::response(Command::GET_INFO)?.member(key).map(|(name, _)| name)
}
