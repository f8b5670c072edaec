//! Deliberate misbehaviour of the key, for those who test relying parties and clients: one table of faults, how one
//! is written, which are on, and which of them changed an answer.
//!
//! A fault acts in one of three places: before the signature, in the authenticator itself
//! ([`softkey_authenticator::Fault`]); on the whole answer ([`answer`]), instead of which a refusal may come at once;
//! or on the packets that carry it ([`wire`]). Faults come from the owner only.
//!
//! # What browsers' own virtual keys do wrong
//!
//! Everything that Chromium's can is here too, or in a profile (`softkey profiles`); what is not in the table needs no
//! fault, as it is a property of a key that does no wrong.
//!
//! | Chromium | Here |
//! |---|---|
//! | `return_immediate_invalid_credential_error` | `no-credentials-status` |
//! | that there is no credential told after a touch | `late-no-credentials` |
//! | `ignore_u2f_credentials` | `ignore-u2f`; the other way round `ignore-ctap2` |
//! | `internal_account_chooser` | `account-chooser` |
//! | `always_uv`, `always_uv_for_up_false` | `always-uv = true` in a profile, and `always-uv-when-silent` |
//! | `large_blob_extension_support` of false | `no-large-blob`; for the array `status=largeBlobs:01` too |
//! | `force_cred_protect`, `default_cred_protect` | `force-cred-protect`, `default-cred-protect` |
//! | `return_attested_cred_data_in_get_assertion_response` | `attested-in-assertion` |
//! | `include_credential_in_assertion_response` | `missing-credential`, `missing-credential=lone` |
//! | `omit_user_entity_on_allow_credentials_requests` | `missing-user=listed` |
//! | `reject_large_allow_and_exclude_lists` | `refuse-lists` |
//! | `reject_silent_authentication_requests` | `refuse-silent` |
//! | `reject_all_extensions`, `add_extra_extension` | `refuse-extensions`, `unasked-extension` |
//! | `reject_empty_display_name` | `refuse-empty-display-name=03` |
//! | `reject_missing_display_name` | `refuse-missing-display-name=12` |
//! | `allow_invalid_utf8_in_credential_entities` | `truncated-names` |
//! | `return_err_no_credentials_on_empty_rp_enumeration` of false | `empty-enumeration` |
//! | `always_return_enterprise_attestation` | `unasked-enterprise` |
//! | `override_response_map` | `status=COMMAND:HEX` |
//! | `user_verification_succeeds` of false | `softkey control PATH uv fail` |
//! | `ctap2_invalid_signature`, `u2f_invalid_signature`, `isBogusSignature` | `wrong-signature` |
//! | `u2f_invalid_public_key` | `off-curve-key` |
//! | `unset_up_bit`, `isBadUP` | `wrong-up` |
//! | `unset_uv_bit`, `isBadUV` | `wrong-uv` |
//! | `cancel_response_code` | `cancel-status` |
//! | `simulate_invalid_response` | `truncated-answer`, and others about the form of answers |

pub mod answer;
mod argument;
mod table;
pub mod wire;

use std::fmt;
use std::str::FromStr;

use softkey_authenticator::Fault as Signed;
use softkey_ctap::{Command, u2f};
use softkey_ctap_hid::JobKind;

pub use table::{Entry, TABLE};

use crate::error::CliError;
use crate::output::Output;
use answer::{AnswerFault, Canned};
use wire::PacketFault;

/// Carries `softkey faults` out: the table.
///
/// # Errors
///
/// As [`Output::line`].
pub fn list(output: &mut Output<'_>) -> Result<(), CliError> {
    TABLE.iter().try_for_each(|entry| output.record(entry))
}

/// What is done wrong, by the place where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Before the signature.
    Signed(Signed),
    /// A refusal in the place of the command.
    Canned(Canned),
    /// On the answer.
    Answer(AnswerFault),
    /// On its packets.
    Packet(PacketFault),
}

/// Which requests a fault looks at, and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Every request.
    All,
    /// makeCredential and U2F register.
    Creation,
    /// getAssertion, getNextAssertion and U2F authenticate.
    Assertion,
    /// Both of these.
    Ceremonies,
    /// This CTAP2 command.
    Command(Command),
    /// credentialManagement and its preview.
    Management,
    /// Assertions, and both of these.
    Accounts,
}

/// When a fault acts, counted over the requests it looks at since it was switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// At this request only; the first is 1.
    At(u32),
    /// At the first so many requests.
    First(u32),
}

/// A fault as it is written: `NAME[=ARG][@N|@..N]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    entry: &'static Entry,
    argument: Option<String>,
    fault: Fault,
    about: About,
    when: When,
}

/// Why a text names no fault. Its `Display` is one sentence and what to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecError {
    /// There is no fault of this name.
    Unknown(String),
    /// The fault of this name takes no such argument.
    Argument(&'static Entry),
    /// What stands behind the `@` is no count.
    Count,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                let name = crate::text::quoted(name);
                write!(f, "there is no fault {name}; softkey faults lists them")
            }
            Self::Argument(entry) => match entry.argument {
                Some(form) => write!(f, "{} is written {}{form}", entry.name, entry.name),
                None => write!(f, "{} takes no argument", entry.name),
            },
            Self::Count => f.write_str(
                "behind @ stands which request, as in @2, or the first so many, as in @..2",
            ),
        }
    }
}

impl std::error::Error for SpecError {}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (fault, when) = match text.split_once('@') {
            None => (text, When::Always),
            Some((fault, count)) => (fault, when(count).ok_or(SpecError::Count)?),
        };
        let (name, argument) = match fault.split_once('=') {
            None => (fault, None),
            Some((name, argument)) => (name, Some(argument)),
        };
        let entry = TABLE.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| SpecError::Unknown(name.to_owned()))?;
        let fault = (entry.make)(argument).ok_or(SpecError::Argument(entry))?;
        let about = match fault {
            Fault::Canned(Canned::Status { command: Some(command), .. }) => About::Command(command),
            _ => entry.about,
        };
        Ok(Self { entry, argument: argument.map(str::to_owned), fault, about, when })
    }
}

/// `2` or `..2`.
fn when(count: &str) -> Option<When> {
    let (make, number): (fn(u32) -> When, _) = match count.strip_prefix("..") {
        Some(number) => (When::First, number),
        None => (When::At, count),
    };
    number.parse().ok().filter(|number| *number > 0).map(make)
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry.name)?;
        if let Some(argument) = &self.argument {
            write!(f, "={argument}")?;
        }
        match self.when {
            When::Always => Ok(()),
            When::At(number) => write!(f, "@{number}"),
            When::First(number) => write!(f, "@..{number}"),
        }
    }
}

impl Spec {
    /// The fault's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.entry.name
    }

    /// What it does, as a sentence without its full stop.
    #[must_use]
    pub const fn does(&self) -> &'static str {
        self.entry.does
    }

    /// One of the authenticator's own faults, always on.
    #[must_use]
    pub fn of_signed(fault: Signed) -> Option<Self> {
        let argument = match fault {
            Signed::CounterBackwards => Some("back".to_owned()),
            Signed::CounterZero => Some("zero".to_owned()),
            Signed::Algorithm(id) => Some(id.to_string()),
            Signed::UnaskedExtension(name) => Some(name.to_owned()),
            Signed::Protection(level) | Signed::DefaultProtection(level) => Some(level.to_string()),
            Signed::AccountChooser(number) => Some(number.to_string()),
            _ => None,
        };
        let fault = Fault::Signed(fault);
        let entry = TABLE.iter().find(|entry| (entry.make)(argument.as_deref()) == Some(fault))?;
        Some(Self { entry, argument, fault, about: entry.about, when: When::Always })
    }

    /// The authenticator's own fault, if it is one.
    #[must_use]
    pub const fn signed(&self) -> Option<Signed> {
        match self.fault {
            Fault::Signed(fault) => Some(fault),
            _ => None,
        }
    }

    fn canned(&self, memory: &answer::Memory) -> Option<u8> {
        match self.fault {
            Fault::Canned(canned) => canned.status(memory),
            _ => None,
        }
    }
}

/// The faults that are on, and the request they act on now.
#[derive(Debug, Default)]
pub struct Board {
    on: Vec<(Spec, u32)>,
    /// Those that act on the request in work.
    armed: Vec<Spec>,
    memory: answer::Memory,
}

impl Board {
    /// Switches a fault on; one of the same name that is on already ends.
    pub fn switch_on(&mut self, spec: Spec) {
        self.on.retain(|(other, _)| other.entry != spec.entry);
        self.on.push((spec, 0));
    }

    /// Switches the fault of this name off, or all; false if it is not on.
    pub fn switch_off(&mut self, name: Option<&str>) -> bool {
        let before = self.on.len();
        self.on.retain(|(spec, _)| name.is_some_and(|name| spec.name() != name));
        name.is_none() || self.on.len() < before
    }

    /// The faults that are on, in the order in which they were switched on.
    pub fn on(&self) -> impl Iterator<Item = &Spec> {
        self.on.iter().map(|(spec, _)| spec)
    }

    /// A request begins. Gives what the authenticator is to do wrong.
    pub fn begin(&mut self, kind: JobKind, request: &[u8]) -> Vec<Signed> {
        self.armed.clear();
        for (spec, seen) in &mut self.on {
            if !spec.about.covers(kind, request) {
                continue;
            }
            *seen = seen.saturating_add(1);
            let acts = match spec.when {
                When::Always => true,
                When::At(number) => *seen == number,
                When::First(number) => *seen <= number,
            };
            if acts {
                self.armed.push(spec.clone());
            }
        }
        self.memory.begin(kind, request);
        self.armed.iter().filter_map(Spec::signed).collect()
    }

    /// The status that comes in the place of the command, if one does.
    #[must_use]
    pub fn canned(&self) -> Option<u8> {
        self.armed.iter().find_map(|spec| spec.canned(&self.memory))
    }

    /// The request has its answer: changes it, and names the faults that changed it; `done` are those of the
    /// authenticator.
    pub fn finish(&mut self, answer: &mut Vec<u8>, done: &[Signed]) -> Vec<String> {
        let mut changed = Vec::new();
        for spec in &self.armed {
            let hit = match spec.fault {
                Fault::Signed(fault) => done.contains(&fault),
                Fault::Answer(fault) => fault.change(&self.memory, answer),
                Fault::Canned(_) => spec.canned(&self.memory).is_some(),
                Fault::Packet(_) => false,
            };
            if hit {
                changed.push(spec.to_string());
            }
        }
        self.memory.finish(answer);
        changed
    }

    /// What is to be done to the packets of this request's answer, and the names.
    pub fn packets(&mut self, kind: JobKind, request: &[u8]) -> (Vec<PacketFault>, Vec<String>) {
        self.begin(kind, request);
        let names = self.armed.iter().filter(|spec| matches!(spec.fault, Fault::Packet(_)));
        (self.armed_packets(), names.map(ToString::to_string).collect())
    }

    /// What is to be done to the packets of the answer to the request that began last.
    #[must_use]
    pub fn armed_packets(&self) -> Vec<PacketFault> {
        let packets = self.armed.iter().filter_map(|spec| match spec.fault {
            Fault::Packet(fault) => Some(fault),
            _ => None,
        });
        packets.collect()
    }
}

impl About {
    fn covers(self, kind: JobKind, request: &[u8]) -> bool {
        let ctap2 = |commands: &[Command]| {
            kind == JobKind::Cbor
                && request.first().is_some_and(|code| commands.contains(&Command(*code)))
        };
        let u2f = |instruction| kind == JobKind::Msg && request.get(1) == Some(&instruction);
        let creation = || ctap2(&[Command::MAKE_CREDENTIAL]) || u2f(u2f::instruction::REGISTER);
        let assertion = || {
            ctap2(&[Command::GET_ASSERTION, Command::GET_NEXT_ASSERTION])
                || u2f(u2f::instruction::AUTHENTICATE)
        };
        let management =
            || ctap2(&[Command::CREDENTIAL_MANAGEMENT, Command::CREDENTIAL_MANAGEMENT_PREVIEW]);
        match self {
            Self::All => true,
            Self::Creation => creation(),
            Self::Assertion => assertion(),
            Self::Ceremonies => creation() || assertion(),
            Self::Command(command) => ctap2(&[command]),
            Self::Management => management(),
            Self::Accounts => assertion() || management(),
        }
    }
}

#[cfg(test)]
mod tests;
