//! What a recording holds of messages, and that it holds no more: without a seed command, status and length; with
//! `--record-secrets` what went over the wire, where secrets are encrypted; with a seed the same, and all follows from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use softkey_tests::parts::hex;

use crate::session::{Said, Session, is_same_again};
use crate::story::{self, Secrets};

/// Has a session recorded; the recording, what was said, and what both ends alone know.
fn recorded(file: &Path, more: &str) -> (String, Vec<Said>, Secrets) {
    let mut session = Session::start(file, more, 0);
    let secrets = story::all(&mut session);
    let said = std::mem::take(&mut session.said);
    drop(session);
    (fs::read_to_string(file).unwrap(), said, secrets)
}

/// Where these bytes stand in the text: as they are, in hexadecimal, in base64 or as a list of numbers.
fn found(text: &str, bytes: &[u8]) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    let plain = String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| hex(bytes));
    [("text", text.contains(&plain)), ("hexadecimal", lower.contains(&hex(bytes)))]
        .into_iter()
        .chain([("base64", base64(bytes).iter().any(|form| text.contains(form)))])
        .chain([("numbers", text.contains(&numbers.join(",")))])
        .find_map(|(form, is_there)| is_there.then_some(form))
}

/// The part of the base64 and base64url forms that stands there at whatever place the bytes begin.
fn base64(bytes: &[u8]) -> Vec<String> {
    let digits = |alphabet: &[u8; 64], skip: usize| {
        let chunks = bytes[skip..].chunks_exact(3).map(|chunk| {
            let number =
                chunk.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
            [18, 12, 6, 0].map(|shift| char::from(alphabet[number >> shift & 63]))
        });
        chunks.flatten().collect::<String>()
    };
    let alphabet = |last: [u8; 2]| {
        let letters = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(last);
        <[u8; 64]>::try_from(letters.collect::<Vec<_>>()).unwrap()
    };
    let alphabets = [alphabet(*b"+/"), alphabet(*b"-_")];
    alphabets.iter().flat_map(|it| (0..3).map(|skip| digits(it, skip))).collect()
}

/// The name of the first secret that stands there, and in which form.
fn leak(text: &str, secrets: &Secrets) -> Option<(&'static str, &'static str)> {
    secrets.iter().find_map(|(name, bytes)| Some((*name, found(text, bytes)?)))
}

/// The first six bytes on end that stand both in a message and in the text.
fn excerpt(text: &str, message: &[u8]) -> Option<String> {
    message.windows(6).map(hex).find(|excerpt| text.contains(excerpt.as_str()))
}

/// Every message in the recording: is it U2F, is it a request, what stands there.
fn messages(text: &str) -> Vec<(bool, bool, Value)> {
    let lines = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of = |line: Value| {
        let u2f = line["do"] == "begin_u2f";
        let parts = [(true, line["request"].clone()), (false, line["reply"].clone())];
        parts.into_iter().filter(|(_, part)| !part.is_null()).map(move |(q, part)| (u2f, q, part))
    };
    lines.flat_map(of).collect()
}

/// What was said, in the order in which it is written down.
fn spoken(said: &[Said]) -> Vec<(bool, bool, Vec<u8>)> {
    let of = |(u2f, request, answer): &Said| {
        let answer = answer.clone().map(|answer| (*u2f, false, answer));
        [Some((*u2f, true, request.clone())), answer].into_iter().flatten().collect::<Vec<_>>()
    };
    said.iter().flat_map(of).collect()
}

/// Without a seed and without being asked, a recording has of each message the command or the status and the length,
/// of each question no names, and nothing else; so no PIN, no traffic from which one could be guessed, no token, no
/// output of hmac-secret, no key.
#[test]
fn a_recording_holds_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let (text, said, secrets) = recorded(&folder.path().join("session"), "");
    assert_eq!(leak(&text, &secrets), None);
    // The first line was there before anything was said, and has no text of the owner's.
    let (first, lines) = text.split_once('\n').unwrap();
    for (_, _, message) in spoken(&said) {
        assert_eq!(excerpt(lines, &message), None, "of {}", hex(&message));
    }
    assert_eq!(serde_json::from_str::<Value>(first).unwrap()["profile_toml"], "");
    let (written, spoken) = (messages(&text), spoken(&said));
    assert_eq!(written.len(), spoken.len());
    for ((u2f, request, written), said) in written.iter().zip(&spoken) {
        assert_eq!((u2f, request), (&said.0, &said.1));
        let bytes = &said.2;
        let told = match (u2f, request) {
            (false, _) => &bytes[..1],
            (true, true) => &bytes[..2],
            (true, false) => &bytes[bytes.len() - 2..],
        };
        let expected = serde_json::json!({"hex": hex(told), "cut_from": bytes.len()});
        assert_eq!(written, &expected);
    }
    only_known_members(&text);
}

/// Each line has these members and no others; texts are names of ours, all else is numbers.
fn only_known_members(text: &str) {
    let mut members = BTreeSet::new();
    for line in text.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        members.extend(line.as_object().unwrap().keys().cloned());
        let open = line["open"].as_object();
        assert!(open.is_none_or(|open| open["rp"].is_null() && open["account"].is_null()));
        let refusal = line["refusal"].as_str().unwrap_or_default();
        assert!(refusal.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{refusal}");
    }
    let known =
        ["answer", "ask", "at", "do", "open", "refusal", "reply", "request", "session", "swept"];
    assert!(members.iter().all(|member| known.contains(&member.as_str())), "{members:?}");
}

/// Asked for, whole messages are there and nothing else; what is secret to both ends went over the wire encrypted. The
/// key's own half of each key agreement is not there, so what is encrypted stays so.
#[test]
fn a_recording_with_secrets_holds_what_went_over_the_wire() {
    let folder = tempfile::tempdir().unwrap();
    for more in ["--record-secrets", "--seed 3"] {
        let file = folder.path().join(more);
        let (text, said, secrets) = recorded(&file, more);
        let written = messages(&text);
        let spoken = spoken(&said);
        assert_eq!(written.len(), spoken.len());
        for ((_, _, written), (_, _, bytes)) in written.iter().zip(&spoken) {
            assert_eq!(written, &serde_json::json!({"hex": hex(bytes)}));
        }
        assert_eq!(leak(&text, &secrets), None, "{more}");
        only_known_texts(&text);
        if more == "--seed 3" {
            is_same_again(&file);
        }
    }
}

/// Nothing in hexadecimal but messages.
fn only_known_texts(text: &str) {
    let application = format!("sha256:{}", hex(&story::APPLICATION));
    for line in text.lines().skip(1) {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let line = line.as_object_mut().unwrap();
        line.remove("request");
        line.remove("reply");
        // A U2F request names its application by a hash; it is told as that.
        if let Some(open) = line.get_mut("open").filter(|open| open["rp"] == application) {
            open["rp"] = Value::Null;
        }
        let rest = serde_json::to_string(line).unwrap();
        let long = rest.split(|letter: char| !letter.is_ascii_hexdigit()).map(str::len).max();
        assert!(long < Some(16), "{rest}");
    }
}

/// The checks above notice: each secret, in each form, in a recording that would hold it.
#[test]
fn a_leak_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (text, said, secrets) = recorded(&folder.path().join("session"), "");
    for (name, bytes) in &secrets {
        let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
        let forms =
            [hex(bytes), hex(bytes).to_uppercase(), base64(bytes)[1].clone(), numbers.join(",")];
        for form in forms {
            let leaky = format!("{text}{{\"at\":1,\"note\":\"{form}\"}}\n");
            assert!(leak(&leaky, &secrets).is_some(), "{name} as {form}");
        }
    }
    let whole = said.iter().find(|(_, request, _)| request.len() > 80).unwrap();
    assert!(excerpt(&format!("{text}{}", hex(&whole.1[40..50])), &whole.1).is_some());
}
