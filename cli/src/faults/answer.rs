//! Faults of whole answers: what is changed after the authenticator has done its work, and refusals that come
//! instead of it. Members are found by the numbers of the standard.

use ciborium::Value;
use softkey_ctap::{Command, StatusCode, client_pin, credential_management, u2f};
use softkey_ctap_hid::JobKind;

/// A refusal in the place of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canned {
    /// This status, to this command or to all.
    Status {
        /// The command; without one, all.
        command: Option<Command>,
        /// The status, which is not zero.
        code: u8,
    },
    /// `CTAP2_ERR_LIMIT_EXCEEDED` to a list of more entries.
    Lists {
        /// How many are taken.
        limit: usize,
    },
    /// `CTAP2_ERR_UNSUPPORTED_EXTENSION` to any extension.
    Extensions,
    /// `CTAP2_ERR_UNSUPPORTED_OPTION` to `up: false`.
    Silent,
    /// This status to an empty displayName.
    EmptyDisplayName(u8),
    /// This status to an account without a displayName.
    MissingDisplayName(u8),
}

/// What is done to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// The last bit of the signature is another one.
    WrongSignature,
    /// The last byte of the signature is missing.
    MalformedSignature,
    /// Another credential identifier in an assertion.
    WrongCredential,
    /// No credential in an assertion; perhaps only where the allow list has no other.
    NoCredential {
        /// Is it only there?
        lone: bool,
    },
    /// Another user handle.
    WrongUserHandle,
    /// No user in an assertion; perhaps only where there is an allow list.
    NoUser {
        /// Is it only there?
        listed: bool,
    },
    /// Names that are no UTF-8.
    TruncatedNames,
    /// numberOfCredentials is one too many.
    WrongCount,
    /// The assertion before, once more.
    RepeatedAccount,
    /// Another largeBlobKey.
    WrongLargeBlobKey,
    /// Another attestation format.
    Format(&'static str),
    /// epAtt, where no enterprise attestation was asked for.
    UnaskedEnterprise,
    /// Another status than `CTAP2_ERR_KEEPALIVE_CANCEL`.
    CancelStatus(u8),
    /// Another status than `CTAP2_ERR_NO_CREDENTIALS` to an assertion.
    NoCredentialsStatus(u8),
    /// Success and a total of none, where there are no relying parties to enumerate.
    EmptyEnumeration,
    /// Another number of PIN retries.
    PinRetries(u8),
    /// CBOR in another form.
    NonCanonical(Form),
    /// A byte too many.
    TrailingByte,
    /// The second half is missing.
    Truncated,
    /// So many bytes in all.
    Oversize(usize),
    /// No bytes.
    Empty,
}

/// CBOR that is well-formed and not canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The members in the opposite order.
    Order,
    /// The number of members in a byte of its own.
    Length,
    /// The first member twice.
    Duplicate,
    /// An indefinite length.
    Indefinite,
}

/// What faults must know of the request in work and those before.
#[derive(Debug, Default)]
pub struct Memory {
    kind: Option<JobKind>,
    request: Vec<u8>,
    assertion: Option<Vec<u8>>,
}

type Members = Vec<(Value, Value)>;

impl Memory {
    /// A request begins.
    pub(super) fn begin(&mut self, kind: JobKind, request: &[u8]) {
        (self.kind, self.request) = (Some(kind), request.to_vec());
    }

    /// It was answered so.
    pub(super) fn finish(&mut self, answer: &[u8]) {
        if self.is(Command::GET_ASSERTION) || self.is(Command::GET_NEXT_ASSERTION) {
            self.assertion = succeeded(answer).then(|| answer.to_vec());
        }
    }

    fn is(&self, command: Command) -> bool {
        self.kind == Some(JobKind::Cbor) && self.request.first() == Some(&command.0)
    }

    /// A parameter of the request, by its number in authenticatorMakeCredential and in authenticatorGetAssertion.
    fn parameter(&self, at_creation: u64, at_assertion: u64) -> Option<Value> {
        let number = if self.is(Command::MAKE_CREDENTIAL) {
            at_creation
        } else if self.is(Command::GET_ASSERTION) {
            at_assertion
        } else {
            return None;
        };
        let members = members(self.request.get(1..)?)?;
        members.into_iter().find(|(key, _)| *key == number.into()).map(|(_, value)| value)
    }

    /// How many entries the allow list of an assertion has.
    fn listed(&self) -> usize {
        match self.parameter(0, 3) {
            Some(Value::Array(list)) => list.len(),
            _ => 0,
        }
    }

    /// Does it ask for this subcommand, which is the member of this number?
    fn asks(&self, number: u64, subcommand: u64) -> bool {
        let members = self.request.get(1..).and_then(members).unwrap_or_default();
        members.contains(&(number.into(), subcommand.into()))
    }
}

impl Canned {
    /// The status that comes in the place of this request, if one does.
    pub(super) fn status(self, memory: &Memory) -> Option<u8> {
        if memory.kind != Some(JobKind::Cbor) {
            return None;
        }
        let (hit, status) = match self {
            Self::Status { code, .. } => (true, StatusCode(code)),
            Self::Lists { limit } => {
                let list = memory.parameter(5, 3);
                let long = matches!(list, Some(Value::Array(list)) if list.len() > limit);
                (long, StatusCode::LIMIT_EXCEEDED)
            }
            Self::Extensions => {
                let extensions = memory.parameter(6, 4);
                let some = matches!(extensions, Some(Value::Map(map)) if !map.is_empty());
                (some, StatusCode::UNSUPPORTED_EXTENSION)
            }
            Self::Silent => {
                let up = memory.parameter(7, 5).and_then(|options| text_member(&options, "up"));
                (up == Some(Value::Bool(false)), StatusCode::UNSUPPORTED_OPTION)
            }
            Self::EmptyDisplayName(code) => {
                let user = memory.parameter(3, 0);
                let name = user.and_then(|user| text_member(&user, "displayName"));
                (name == Some(Value::Text(String::new())), StatusCode(code))
            }
            Self::MissingDisplayName(code) => {
                let user = memory.parameter(3, 0);
                let without = user.is_some_and(|user| text_member(&user, "displayName").is_none());
                (without, StatusCode(code))
            }
        };
        hit.then_some(status.0)
    }
}

impl AnswerFault {
    /// Does it; true if the answer is another one then.
    pub(super) fn change(self, memory: &Memory, answer: &mut Vec<u8>) -> bool {
        let before = answer.clone();
        match memory.kind {
            Some(JobKind::Msg) => self.change_u2f(memory, answer),
            _ => self.change_ctap2(memory, answer),
        };
        *answer != before
    }

    fn change_u2f(self, memory: &Memory, answer: &mut Vec<u8>) -> Option<()> {
        let signs = [u2f::instruction::REGISTER, u2f::instruction::AUTHENTICATE];
        let signed = memory.request.get(1).is_some_and(|code| signs.contains(code))
            && answer.ends_with(&[0x90, 0x00]);
        match self {
            Self::Empty => answer.clear(),
            Self::WrongSignature if signed => {
                let last = answer.len().checked_sub(3)?;
                *answer.get_mut(last)? ^= 1;
            }
            Self::MalformedSignature if signed => {
                answer.remove(answer.len().checked_sub(3)?);
            }
            _ => {}
        }
        Some(())
    }

    /// Nothing of an answer that it does not fit.
    fn change_ctap2(self, memory: &Memory, answer: &mut Vec<u8>) -> Option<()> {
        let creation = memory.is(Command::MAKE_CREDENTIAL);
        match self {
            Self::Empty => answer.clear(),
            Self::TrailingByte => answer.push(0),
            Self::Truncated => answer.truncate(answer.len().div_ceil(2)),
            Self::NonCanonical(form) => *answer = form.of(answer)?,
            Self::Oversize(bytes) => *answer = filled(answer, bytes)?,
            Self::TruncatedNames => cut_names(answer)?,
            Self::RepeatedAccount if memory.is(Command::GET_NEXT_ASSERTION) => {
                answer.clone_from(memory.assertion.as_ref()?);
            }
            Self::UnaskedEnterprise if creation && memory.parameter(10, 0).is_none() => {
                edit(answer, |map| {
                    let behind = map.iter().position(|(key, _)| *key > 4.into());
                    map.insert(behind.unwrap_or(map.len()), (4.into(), true.into()));
                    Some(())
                })?;
            }
            Self::CancelStatus(code) if *answer == [StatusCode::KEEPALIVE_CANCEL.0] => {
                *answer = vec![code];
            }
            Self::NoCredentialsStatus(code)
                if *answer == [StatusCode::NO_CREDENTIALS.0]
                    && memory.is(Command::GET_ASSERTION) =>
            {
                *answer = vec![code];
            }
            Self::EmptyEnumeration
                if *answer == [StatusCode::NO_CREDENTIALS.0]
                    && memory.asks(1, credential_management::subcommand::ENUMERATE_RPS_BEGIN) =>
            {
                *answer = [0].into();
                answer.extend(encoded(&vec![(5.into(), 0.into())])?);
            }
            Self::NoCredential { lone: true } if memory.listed() != 1 => {}
            Self::NoUser { listed: true } if memory.listed() == 0 => {}
            Self::PinRetries(number) => {
                let asks = memory.asks(2, client_pin::subcommand::GET_PIN_RETRIES);
                edit(answer, |map| {
                    *member(map, 3).filter(|_| asks)? = number.into();
                    Some(())
                })?;
            }
            _ => edit(answer, |map| self.change_member(creation, map))?,
        }
        Some(())
    }

    fn change_member(self, creation: bool, map: &mut Members) -> Option<()> {
        match self {
            Self::WrongSignature => flip(signature(creation, map)?),
            Self::MalformedSignature => signature(creation, map)?.as_bytes_mut()?.pop().map(drop),
            Self::WrongCredential => flip(entry(member(map, 1)?.as_map_mut()?, &"id".into())?),
            Self::NoCredential { .. } => remove(map, 1),
            Self::WrongUserHandle => {
                let user = entry_index(map, &4.into()).or_else(|| entry_index(map, &6.into()))?;
                flip(entry(map.get_mut(user)?.1.as_map_mut()?, &"id".into())?)
            }
            Self::NoUser { .. } => remove(map, 4),
            Self::WrongCount => {
                let count = member(map, 5)?;
                let number = u64::try_from(count.as_integer()?).ok()?;
                *count = (number + 1).into();
                Some(())
            }
            Self::WrongLargeBlobKey => flip(member(map, if creation { 5 } else { 7 })?),
            Self::Format(name) if creation => {
                *member(map, 1)? = name.into();
                Some(())
            }
            _ => None,
        }
    }
}

impl Form {
    fn of(self, answer: &[u8]) -> Option<Vec<u8>> {
        let (status, body) = answer.split_first()?;
        let mut map = members(body)?;
        let count = u8::try_from(map.len()).ok().filter(|count| (1..23).contains(count))?;
        let mut form = vec![*status];
        match self {
            Self::Order => {
                map.reverse();
                form.extend(encoded(&map)?);
            }
            Self::Length => {
                form.extend([0xB8, count]);
                form.extend(body.iter().skip(1));
            }
            Self::Duplicate => {
                let first = map.first()?.clone();
                map.insert(0, first);
                form.extend(encoded(&map)?);
            }
            Self::Indefinite => {
                form.push(0xBF);
                form.extend(body.iter().skip(1));
                form.push(0xFF);
            }
        }
        Some(form)
    }
}

/// Does it say success, and something behind it?
fn succeeded(answer: &[u8]) -> bool {
    matches!(answer, [0, _, ..])
}

/// The members of an encoded map.
fn members(body: &[u8]) -> Option<Members> {
    match ciborium::from_reader(body).ok()? {
        Value::Map(members) => Some(members),
        _ => None,
    }
}

fn encoded(map: &Members) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Map(map.clone()), &mut bytes).ok()?;
    Some(bytes)
}

/// Changes the map of a successful answer.
fn edit(answer: &mut Vec<u8>, change: impl FnOnce(&mut Members) -> Option<()>) -> Option<()> {
    let mut map = members(answer.get(1..).filter(|_| succeeded(answer))?)?;
    change(&mut map)?;
    let body = encoded(&map)?;
    answer.truncate(1);
    answer.extend(body);
    Some(())
}

fn entry_index(map: &Members, key: &Value) -> Option<usize> {
    map.iter().position(|(known, _)| known == key)
}

fn entry<'a>(map: &'a mut Members, key: &Value) -> Option<&'a mut Value> {
    map.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
}

fn member(map: &mut Members, number: u64) -> Option<&mut Value> {
    entry(map, &number.into())
}

fn remove(map: &mut Members, number: u64) -> Option<()> {
    let index = entry_index(map, &number.into())?;
    map.remove(index);
    Some(())
}

fn text_member(map: &Value, name: &str) -> Option<Value> {
    let map = map.as_map()?;
    map.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value.clone())
}

/// The signature of an assertion, or the one in an attestation statement.
fn signature(creation: bool, map: &mut Members) -> Option<&mut Value> {
    if creation {
        return entry(member(map, 3)?.as_map_mut()?, &"sig".into());
    }
    member(map, 3)
}

/// Changes the last bit of a byte string.
fn flip(value: &mut Value) -> Option<()> {
    *value.as_bytes_mut()?.last_mut()? ^= 1;
    Some(())
}

/// The answer with a member of zeros that makes it so long.
fn filled(answer: &[u8], bytes: usize) -> Option<Vec<u8>> {
    // Its key is two bytes long, the head of its value three.
    let padding = bytes.checked_sub(answer.len() + 5).filter(|padding| *padding > 255)?;
    let mut longer = answer.to_vec();
    edit(&mut longer, |map| {
        map.push((127.into(), Value::Bytes(vec![0; padding])));
        Some(())
    })?;
    Some(longer)
}

/// Ends each name of a user with the first half of a character of two bytes.
fn cut_names(answer: &mut [u8]) -> Option<()> {
    let map = members(answer.get(1..).filter(|_| succeeded(answer))?)?;
    let users = map.iter().filter_map(|(_, value)| value.as_map());
    for (key, name) in users.flatten() {
        let (Some("name" | "displayName"), Some(name)) = (key.as_text(), name.as_text()) else {
            continue;
        };
        let mut member = Vec::new();
        ciborium::into_writer(key, &mut member).ok()?;
        ciborium::into_writer(name, &mut member).ok()?;
        let found = answer.windows(member.len()).position(|window| window == member)?;
        if !name.is_empty() {
            *answer.get_mut(found + member.len() - 1)? = 0xC3;
        }
    }
    Some(())
}
