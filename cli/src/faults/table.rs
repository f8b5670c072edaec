//! Every fault there is: its name, its argument, what it does, and which requests it looks at.

use std::fmt;

use serde::Serialize;
use softkey_authenticator::Fault as Signed;
use softkey_ctap::Command;

use super::answer::{AnswerFault, Canned};
use super::argument::{
    account_chooser, algorithm, cancel_status, counter, default_protection, delay, drop_packet,
    empty_display_name, format, hid_error, lists, missing_display_name, no_credential,
    no_credentials_status, no_user, non_canonical, oversize, pin_retries, protection, status,
    storm, unasked,
};
use super::wire::PacketFault;
use super::{About, Fault};

/// One fault.
#[derive(Serialize)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// How its argument is written, if it takes one: `=MS`, or `[=MS]` where it can be left out.
    pub argument: Option<&'static str>,
    /// What it does, as a sentence without its full stop.
    pub does: &'static str,
    /// Which requests it looks at.
    #[serde(skip)]
    pub about: About,
    /// The fault with this argument; nothing if it takes no such argument.
    #[serde(skip)]
    pub(super) make: fn(Option<&str>) -> Option<Fault>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Entry {}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = format!("{}{}", self.name, self.argument.unwrap_or_default());
        write!(f, "{written:<28} {}", self.does)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A row of the table: name, argument, what it does, which requests, and how it is made.
macro_rules! entry {
    ($name:literal, $argument:expr, $about:expr, $make:expr, $does:literal) => {
        Entry { name: $name, argument: $argument, does: $does, about: $about, make: $make }
    };
}

/// A fault that takes no argument.
macro_rules! plain {
    ($name:literal, $about:expr, $fault:expr, $does:literal) => {
        entry!($name, None, $about, |argument| argument.is_none().then_some($fault), $does)
    };
}

use About::{Accounts, All, Assertion, Ceremonies, Creation, Management};

/// The faults, by the place where they act and then by what they are about.
pub static TABLE: &[Entry] = &[
    // Before the signature.
    plain!(
        "wrong-up",
        Ceremonies,
        Fault::Signed(Signed::UserPresent),
        "the UP bit is the opposite of the truth, and signed"
    ),
    plain!(
        "wrong-uv",
        Ceremonies,
        Fault::Signed(Signed::UserVerified),
        "the UV bit is the opposite of the truth, and signed"
    ),
    plain!(
        "wrong-be",
        Ceremonies,
        Fault::Signed(Signed::BackupEligible),
        "the BE bit is the opposite of the truth, and signed"
    ),
    plain!(
        "wrong-bs",
        Ceremonies,
        Fault::Signed(Signed::BackupState),
        "the BS bit is the opposite of the truth, and signed"
    ),
    plain!(
        "reserved-flag",
        Ceremonies,
        Fault::Signed(Signed::ReservedFlag),
        "a reserved bit of the flags is set, and signed"
    ),
    plain!(
        "wrong-rp-hash",
        Ceremonies,
        Fault::Signed(Signed::RpIdHash),
        "the hash of another relying party is signed"
    ),
    entry!(
        "wrong-counter",
        Some("=back|zero"),
        Ceremonies,
        counter,
        "the signature counter runs backwards, or is always zero"
    ),
    plain!(
        "wrong-aaguid",
        Creation,
        Fault::Signed(Signed::Aaguid),
        "new credentials name another model of key"
    ),
    plain!(
        "wrong-attested-credential",
        Creation,
        Fault::Signed(Signed::CredentialId),
        "new credentials name an identifier that the key does not know"
    ),
    entry!(
        "wrong-algorithm",
        Some("[=COSE]"),
        Creation,
        algorithm,
        "new public keys say that they are of this algorithm, -65535 by default"
    ),
    plain!(
        "off-curve-key",
        Creation,
        Fault::Signed(Signed::OffCurve),
        "new public keys of ECDSA are no points of their curve, and signed"
    ),
    entry!(
        "unasked-extension",
        Some("[=credProtect|credBlob|hmac-secret|minPinLength|uvm]"),
        Ceremonies,
        unasked,
        "an extension output that nobody asked for is signed, softkey-unasked by default"
    ),
    plain!(
        "missing-extensions",
        Ceremonies,
        Fault::Signed(Signed::MissingExtensions),
        "no extension output is signed, whatever was asked for"
    ),
    plain!(
        "wrong-hmac-secret",
        Ceremonies,
        Fault::Signed(Signed::HmacSecret),
        "hmac-secret and hmac-secret-mc put out another secret"
    ),
    plain!(
        "attested-in-assertion",
        Assertion,
        Fault::Signed(Signed::AttestedInAssertion),
        "assertions hold attested credential data of nobody's credential"
    ),
    plain!(
        "trailing-auth-data",
        Ceremonies,
        Fault::Signed(Signed::TrailingByte),
        "a byte too many stands behind the authenticator data, and is signed"
    ),
    plain!(
        "stale-client-data",
        Ceremonies,
        Fault::Signed(Signed::StaleClientData),
        "what is signed is the client data hash of the ceremony before, as if the challenge were replayed"
    ),
    entry!(
        "force-cred-protect",
        Some("=1|2|3"),
        Creation,
        protection,
        "new credentials get this credProtect level, and say so, whatever was asked for"
    ),
    entry!(
        "default-cred-protect",
        Some("=2|3"),
        Creation,
        default_protection,
        "new credentials get this credProtect level, and say so, where none was asked for"
    ),
    plain!(
        "no-large-blob",
        Ceremonies,
        Fault::Signed(Signed::NoLargeBlob),
        "credentials have no large blob: largeBlob says so, largeBlobKey gives no key"
    ),
    plain!(
        "ignore-u2f",
        Ceremonies,
        Fault::Signed(Signed::IgnoreU2f),
        "credentials that U2F made are unknown to CTAP2, for an assertion and in an exclude list"
    ),
    plain!(
        "ignore-ctap2",
        Assertion,
        Fault::Signed(Signed::IgnoreCtap2),
        "credentials that CTAP2 made are unknown to U2F"
    ),
    plain!(
        "late-no-credentials",
        Assertion,
        Fault::Signed(Signed::LateNoCredentials),
        "that the key has no credential for an assertion is told only after a touch, as CTAP 2.0 had it"
    ),
    entry!(
        "account-chooser",
        Some("[=N]"),
        Assertion,
        account_chooser,
        "without an allow list the key chooses the N-th newest account, the newest by default, and says that the user did"
    ),
    plain!(
        "always-uv-when-silent",
        Assertion,
        Fault::Signed(Signed::AlwaysUvWhenSilent),
        "while alwaysUv is on, assertions without a touch need user verification too"
    ),
    // In the place of the command.
    entry!(
        "status",
        Some("=[COMMAND:]HEX"),
        All,
        status,
        "this status comes in the place of the command, or of every command, which is not carried out: status=makeCredential:2e"
    ),
    entry!(
        "refuse-lists",
        Some("[=N]"),
        Ceremonies,
        lists,
        "requests with more than N credentials in a list, 1 by default, are refused as too long"
    ),
    plain!(
        "refuse-extensions",
        Ceremonies,
        Fault::Canned(Canned::Extensions),
        "requests with extensions are refused"
    ),
    plain!(
        "refuse-silent",
        Assertion,
        Fault::Canned(Canned::Silent),
        "assertions without a touch are refused"
    ),
    entry!(
        "refuse-empty-display-name",
        Some("[=HEX]"),
        Creation,
        empty_display_name,
        "accounts with an empty display name are refused, with 12 by default"
    ),
    entry!(
        "refuse-missing-display-name",
        Some("[=HEX]"),
        Creation,
        missing_display_name,
        "accounts without a display name are refused, with 14 by default"
    ),
    // On the answer.
    plain!(
        "wrong-signature",
        Ceremonies,
        Fault::Answer(AnswerFault::WrongSignature),
        "the signature is well-formed and does not verify"
    ),
    plain!(
        "malformed-signature",
        Ceremonies,
        Fault::Answer(AnswerFault::MalformedSignature),
        "the signature is cut short"
    ),
    plain!(
        "wrong-credential",
        Assertion,
        Fault::Answer(AnswerFault::WrongCredential),
        "assertions name a credential that nobody asked for"
    ),
    entry!(
        "missing-credential",
        Some("[=lone]"),
        Assertion,
        no_credential,
        "assertions do not say which credential signed; lone: where one is listed, as CTAP 2.0 allowed"
    ),
    plain!(
        "wrong-user-handle",
        Accounts,
        Fault::Answer(AnswerFault::WrongUserHandle),
        "accounts have another user handle"
    ),
    entry!(
        "missing-user",
        Some("[=listed]"),
        Assertion,
        no_user,
        "assertions do not say whose they are; listed: where there is an allow list"
    ),
    plain!(
        "truncated-names",
        Accounts,
        Fault::Answer(AnswerFault::TruncatedNames),
        "names of accounts are cut within a character, which leaves invalid UTF-8"
    ),
    plain!(
        "wrong-count",
        Assertion,
        Fault::Answer(AnswerFault::WrongCount),
        "there is one account more than the key has"
    ),
    plain!(
        "repeated-account",
        Assertion,
        Fault::Answer(AnswerFault::RepeatedAccount),
        "getNextAssertion gives the same account again"
    ),
    plain!(
        "wrong-large-blob-key",
        Ceremonies,
        Fault::Answer(AnswerFault::WrongLargeBlobKey),
        "another largeBlobKey is given out"
    ),
    entry!(
        "wrong-format",
        Some("[=tpm|fido-u2f|none|apple|android-key]"),
        Creation,
        format,
        "attestations call themselves by another format, unknown by default"
    ),
    plain!(
        "unasked-enterprise",
        Creation,
        Fault::Answer(AnswerFault::UnaskedEnterprise),
        "registrations say that they have an enterprise attestation, which nobody asked for"
    ),
    entry!(
        "cancel-status",
        Some("[=HEX]"),
        All,
        cancel_status,
        "requests that the client cancelled end with this status, 27 by default"
    ),
    entry!(
        "no-credentials-status",
        Some("[=HEX]"),
        Assertion,
        no_credentials_status,
        "assertions that the key has no credential for end with this status, 22 by default"
    ),
    plain!(
        "empty-enumeration",
        Management,
        Fault::Answer(AnswerFault::EmptyEnumeration),
        "where there are no relying parties, enumerateRPsBegin succeeds and says that there are 0"
    ),
    entry!(
        "pin-retries",
        Some("=N"),
        About::Command(Command::CLIENT_PIN),
        pin_retries,
        "getPINRetries tells this number, whatever the truth"
    ),
    entry!(
        "non-canonical",
        Some("=order|length|duplicate|indefinite"),
        All,
        non_canonical,
        "the answer is CBOR, but not canonical: members out of order, an overlong length, the first member twice, or no length at all"
    ),
    plain!(
        "trailing-byte",
        All,
        Fault::Answer(AnswerFault::TrailingByte),
        "a byte too many stands behind the answer"
    ),
    plain!(
        "truncated-answer",
        All,
        Fault::Answer(AnswerFault::Truncated),
        "the answer ends in the middle"
    ),
    entry!(
        "oversize-answer",
        Some("[=BYTES]"),
        Ceremonies,
        oversize,
        "the answer is filled up to so many bytes, 7609 by default, with a member that nobody knows"
    ),
    plain!(
        "empty-answer",
        All,
        Fault::Answer(AnswerFault::Empty),
        "the answer has no byte, not even a status"
    ),
    // On the packets.
    entry!(
        "delay",
        Some("[=MS]"),
        All,
        delay,
        "answers leave so many milliseconds late, 500 by default"
    ),
    plain!("silence", All, Fault::Packet(PacketFault::Silence), "answers never leave"),
    entry!(
        "drop-packet",
        Some("[=K]"),
        All,
        drop_packet,
        "the K-th packet of answers is lost, the first being 0; the last by default"
    ),
    plain!(
        "double-packets",
        All,
        Fault::Packet(PacketFault::Double),
        "every packet of answers is sent twice"
    ),
    plain!(
        "reorder-packets",
        All,
        Fault::Packet(PacketFault::Reorder),
        "the packets of answers come in the opposite order"
    ),
    plain!(
        "wrong-channel",
        All,
        Fault::Packet(PacketFault::WrongChannel),
        "answers go to another channel"
    ),
    plain!(
        "wrong-sequence",
        All,
        Fault::Packet(PacketFault::WrongSequence),
        "continuation packets have wrong numbers"
    ),
    plain!(
        "wrong-length",
        All,
        Fault::Packet(PacketFault::WrongLength),
        "answers announce a byte more than they have"
    ),
    plain!(
        "wrong-command",
        All,
        Fault::Packet(PacketFault::WrongCommand),
        "answers come under the command PING"
    ),
    entry!(
        "keepalive-storm",
        Some("[=N]"),
        All,
        storm,
        "so many keepalives come before answers, 1000 by default"
    ),
    entry!(
        "hid-error",
        Some("=HEX"),
        All,
        hid_error,
        "this CTAPHID error comes in the place of answers"
    ),
];
