//! A key for interleavings: it has one credential for each relying party, and answers about the one that it is asked for, or
//! about another.

use ciborium::Value as Cbor;
use softkey_client::related::Fetched;
use softkey_client::{Input, Need, Reach};

use super::pages;
use crate::answers::{attested, auth_data, made, ok, signed};

pub(super) const REACH: Reach = Reach { ctap2: true, u2f: false };

/// How a key answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Touch {
    Well,
    /// Well, and no more than this request.
    Once,
    /// As if another relying party had asked.
    Astray,
    Status(u8),
}

/// What it brings for a need.
pub(super) fn answer(need: &Need, touch: Touch) -> Input {
    let Need::Cbor(message) = need else {
        return match need {
            Need::Pin(_) => Input::Cancel,
            Need::Account(_) => Input::Account(0),
            _ => Input::Passed,
        };
    };
    let asked = |key: i64| party(message, key);
    let about = |party: String| if touch == Touch::Astray { "evil.example".into() } else { party };
    Input::Response(match (message[0], touch) {
        (_, Touch::Status(status)) => vec![status],
        (0x04, _) => ok(&[
            (1, Cbor::Array(vec!["FIDO_2_0".into()])),
            (3, Cbor::Bytes(vec![7; 16])),
            (4, Cbor::Map(vec![("rk".into(), true.into())])),
        ]),
        (0x01, _) => {
            let party = about(asked(2));
            made(auth_data(&party, 0x41, &attested(&[number(&party)])))
        }
        (0x02, _) => {
            let party = about(asked(1));
            signed(Some(number(&party)), auth_data(&party, 1, &[]), true)
        }
        (command, _) => panic!("the key knows no {command:#04x}"),
    })
}

/// The identifier of the credential that the key has for a relying party: its length and first letter tell them apart.
pub(super) fn number(party: &str) -> u8 {
    party.as_bytes()[0] ^ u8::try_from(party.len()).unwrap()
}

/// The relying party of a request: the text itself, or the member `id`.
fn party(message: &[u8], key: i64) -> String {
    let request: Cbor = ciborium::from_reader(&message[1..]).unwrap();
    let value = find(&request, &key.into());
    let value = if value.is_map() { find(value, &"id".into()) } else { value };
    value.as_text().unwrap().to_owned()
}

fn find<'a>(map: &'a Cbor, key: &Cbor) -> &'a Cbor {
    let member = map.as_map().unwrap().iter().find(|(name, _)| name == key);
    &member.expect("a relying party in the request").1
}

/// The relying party's own list of origins, at its address.
pub(super) fn list(url: &str) -> Fetched {
    let host = url.split('/').nth(2).unwrap();
    let list = serde_json::json!({"origins": pages::related(host)});
    Fetched {
        status: 200,
        content_type: "application/json".into(),
        location: None,
        body: list.to_string().into_bytes(),
    }
}
