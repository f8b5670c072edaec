//! CTAP1/U2F: command APDUs and responses.

use softkey_ctap::u2f::{
    Apdu, AuthenticateRequest, AuthenticateResponse, Body, RegisterRequest, RegisterResponse,
    StatusWord, VERSION, control, instruction,
};

use super::node::{Explained, Name, Node};

/// A command APDU of class 0 with a known instruction.
pub(super) fn command(bytes: &[u8]) -> Option<Explained> {
    let apdu = Apdu::from_bytes(bytes)?;
    let name = name(apdu.cla, apdu.ins)?;
    let Body::Data(data) = apdu.data else {
        return None;
    };
    let mut members = vec![
        ("p1".into(), Node::Int(apdu.p1.into()).may_mean(control_name(&apdu))),
        ("p2".into(), Node::Int(apdu.p2.into())),
    ];
    members.extend(body(apdu.ins, data));
    Some(Explained::new("apdu", format!("{name} command"), Node::Map(members)))
}

/// The name of a command of this class and instruction.
pub(super) const fn name(cla: u8, ins: u8) -> Option<&'static str> {
    match (cla, ins) {
        (0, instruction::REGISTER) => Some("U2F_REGISTER"),
        (0, instruction::AUTHENTICATE) => Some("U2F_AUTHENTICATE"),
        (0, instruction::VERSION) => Some("U2F_VERSION"),
        _ => None,
    }
}

fn control_name(apdu: &Apdu<'_>) -> Option<&'static str> {
    match (apdu.ins, apdu.p1) {
        (instruction::AUTHENTICATE, control::CHECK_ONLY) => Some("check-only"),
        (instruction::AUTHENTICATE, control::ENFORCE_USER_PRESENCE) => {
            Some("enforce-user-presence-and-sign")
        }
        (instruction::AUTHENTICATE, control::DONT_ENFORCE_USER_PRESENCE) => {
            Some("dont-enforce-user-presence-and-sign")
        }
        _ => None,
    }
}

fn body(ins: u8, data: &[u8]) -> Vec<(Name, Node)> {
    let member = |name: &str, bytes: &[u8]| (Name::from(name), Node::bytes(bytes));
    let register = RegisterRequest::from_bytes(data).filter(|_| ins == instruction::REGISTER);
    let authenticate =
        AuthenticateRequest::from_bytes(data).filter(|_| ins == instruction::AUTHENTICATE);
    match (register, authenticate) {
        (Some(request), _) => vec![
            member("challenge", &request.challenge),
            member("application", &request.application),
        ],
        (None, Some(request)) => vec![
            member("challenge", &request.challenge),
            member("application", &request.application),
            member("keyHandle", request.key_handle),
        ],
        (None, None) if data.is_empty() => Vec::new(),
        (None, None) => vec![("data".into(), Node::bytes(data).means("of a wrong length"))],
    }
}

/// A response that ends in a known status word.
pub(super) fn response(bytes: &[u8]) -> Option<Explained> {
    let (data, word) = StatusWord::split(bytes)?;
    let meaning = word_meaning(word)?;
    let mut members = Vec::new();
    let mut title = "U2F response";
    if data == VERSION {
        title = "U2F_VERSION response";
        members.push(("version".into(), Node::text("U2F_V2")));
    } else if let Some(made) = RegisterResponse::from_bytes(data) {
        title = "U2F_REGISTER response";
        members.push(("publicKey".into(), Node::bytes(made.public_key)));
        members.push(("keyHandle".into(), Node::bytes(made.key_handle)));
        members.push(("certificate".into(), Node::bytes(made.certificate)));
        members.push(("signature".into(), Node::bytes(made.signature)));
    } else if let Some(signed) = AuthenticateResponse::from_bytes(data).filter(|_| is_der(data)) {
        title = "U2F_AUTHENTICATE response";
        members.push(("userPresence".into(), Node::Int(signed.user_presence.into())));
        members.push(("counter".into(), Node::Int(signed.counter.into())));
        members.push(("signature".into(), Node::bytes(signed.signature)));
    } else if !data.is_empty() {
        return None;
    }
    let status = Node::Text(format!("{:04x}", word.0)).means(meaning);
    members.push(("statusWord".into(), status));
    Some(Explained::new("u2fResponse", title, Node::Map(members)))
}

/// Does the signature of an AUTHENTICATE response begin as DER does?
fn is_der(data: &[u8]) -> bool {
    data.get(5) == Some(&0x30)
}

/// What a status word says.
pub(super) const fn word_meaning(word: StatusWord) -> Option<&'static str> {
    Some(match word {
        StatusWord::NO_ERROR => "success",
        StatusWord::CONDITIONS_NOT_SATISFIED => {
            "a touch is needed, or check-only found the key handle"
        }
        StatusWord::COMMAND_NOT_ALLOWED => "not allowed: user verification is always needed",
        StatusWord::WRONG_DATA => "the key handle is not of this key and application",
        StatusWord::WRONG_LENGTH => "wrong length",
        StatusWord::CLA_NOT_SUPPORTED => "class not supported",
        StatusWord::INS_NOT_SUPPORTED => "instruction not supported",
        StatusWord::OTHER => "something else went wrong",
        _ => return None,
    })
}
