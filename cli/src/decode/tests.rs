//! Each kind of input, told apart and explained.

use serde_json::{Value, json};

use super::*;

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// The explanation in JSON, as scripts see it.
fn explained(hex: &str) -> Value {
    let reading = Reading { bytes: unhex(hex), is_trace: false };
    let explained = explain(&reading, None).unwrap_or_else(|| panic!("{hex} makes no sense"));
    serde_json::to_value(&explained).unwrap()
}

fn title(hex: &str) -> String {
    explained(hex)["title"].as_str().unwrap().to_owned()
}

#[test]
fn a_request_has_the_names_of_the_standard() {
    // makeCredential with rp, user, one algorithm, credProtect and rk.
    let request = explained(
        "01a6015820000000000000000000000000000000000000000000000000000000000000000002a162696461\
         6103a16269644101\
         0481a263616c672664747970656a7075626c69632d6b657906a16b6372656450726f746563740307a162726bf5",
    );
    assert_eq!(request["title"], "authenticatorMakeCredential request");
    let value = &request["value"];
    assert_eq!(value["rp"], json!({"id": "a"}));
    assert_eq!(value["user"], json!({"id": "01"}));
    let alg = json!({"value": -7, "means": "ES256"});
    assert_eq!(value["pubKeyCredParams"], json!([{"alg": alg, "type": "public-key"}]));
    let level = json!({"value": 3, "means": "userVerificationRequired"});
    assert_eq!(value["extensions"], json!({"credProtect": level}));
    assert_eq!(value["options"], json!({"rk": true}));
    assert_eq!(request.get("remarks"), None, "it is canonical");
}

#[test]
fn every_command_has_names_for_its_subcommands() {
    for (request, name) in [
        ("06a10201", "getPINRetries"),
        ("09a1 0204", "enumerateEnrollments"),
        ("0aa10102", "enumerateRPsBegin"),
        ("0da10103", "setMinPINLength"),
        ("41a10106", "deleteCredential"),
    ] {
        assert_eq!(explained(request)["value"]["subCommand"]["means"], name);
    }
    assert_eq!(explained("0ca2010a0300")["value"], json!({"get": 10, "offset": 0}));
}

/// What the parameters of authenticatorConfig are, the subcommand says.
#[test]
fn a_vendors_command_is_no_length_of_a_pin() {
    let params = |request: &str| explained(request)["value"]["subCommandParams"].clone();
    assert_eq!(
        params("0da20118ff02a2 0119f00d 02f5"),
        json!({"vendorCommandId": 61453, "2": true})
    );
    assert_eq!(params("0da2010302a10106"), json!({"newMinPINLength": 6}));
}

/// The command of a response is guessed from its members.
#[test]
fn a_response_tells_its_command() {
    for (response, command) in [
        ("00a30166 7061636b6564 0240 03a0", "authenticatorMakeCredential"),
        ("00a202400340", "authenticatorGetAssertion"),
        ("00a20180 0340", "authenticatorGetInfo"),
        ("00a10140", "authenticatorLargeBlobs"),
        ("00a101a20102033818", "authenticatorClientPIN"),
        ("00a10240", "authenticatorClientPIN"),
        ("00a10308", "authenticatorClientPIN"),
        ("00a10505", "authenticatorClientPIN"),
        ("00a201000218 64", "authenticatorCredentialManagement"),
        ("00a203a16269646161 0501", "authenticatorCredentialManagement"),
        ("00a10101", "authenticatorBioEnrollment"),
        ("00a1 0781a10141 05", "authenticatorBioEnrollment"),
    ] {
        assert_eq!(title(response), format!("{command} response"), "{response}");
    }
}

#[test]
fn what_is_not_canonical_is_shown_and_said_so() {
    // The number 2 in two bytes, and the keys in the wrong order.
    for request in ["06a1021802", "06a202020102"] {
        let request = explained(request);
        assert_eq!(request["value"]["subCommand"]["means"], "getKeyAgreement");
        assert_eq!(request["remarks"], json!(["this is not canonical CTAP2 CBOR"]));
    }
}

/// Each registration and sign-in of WebAuthn's own vectors is recognised by its form.
#[test]
fn the_vectors_of_webauthn_are_recognised() {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/webauthn-l3.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let part =
            |ceremony: &str, member: &str| explained(case[ceremony][member].as_str().unwrap());
        let object = part("registration", "attestationObject");
        assert_eq!(object["kind"], "attestationObject");
        assert_eq!(object["value"]["fmt"], case["expected"]["fmt"]);
        let id = &object["value"]["authData"]["attestedCredentialData"]["credentialId"];
        assert_eq!(id, &case["registration"]["credential_id"]);
        let alg =
            &object["value"]["authData"]["attestedCredentialData"]["credentialPublicKey"]["alg"];
        let alg = alg.get("value").unwrap_or(alg);
        assert_eq!(alg, &case["cose_alg"], "{}", case["id"]);
        assert_eq!(part("authentication", "authenticatorData")["kind"], "authenticatorData");
        let client_data = part("authentication", "clientDataJSON");
        assert_eq!(client_data["kind"], "clientData");
        assert_eq!(client_data["value"]["challenge"], case["authentication"]["challenge"]);
    }
}

/// The attestation object of a draft of level 3, which a sign-in could have.
#[test]
fn the_attestation_object_of_a_sign_in_is_recognised() {
    let object = explained("a263666d74646e6f6e656761747453746d74a0");
    assert_eq!(object["kind"], "attestationObject");
    assert_eq!(object["value"], json!({"fmt": "none", "attStmt": {}}));
}

/// Every statement in a list is explained as one that stands alone; what CTAP says against its levels is told of the
/// key's answer, and not of the attestation object.
#[test]
fn a_compound_statement_is_taken_apart() {
    let element =
        "a263666d74667061636b65646761747453746d74a363616c67266373696741096378356381423000";
    let (fmt, statement) = ("68636f6d706f756e64", format!("82{element}{element}"));
    let object =
        explained(&format!("a363666d74{fmt}6761747453746d74{statement}686175746844617461 4100"));
    assert_eq!((&object["kind"], object.get("remarks")), (&json!("attestationObject"), None));
    let answer = explained(&format!("00a301{fmt}02410003{statement}"));
    assert_eq!(answer["title"], "authenticatorMakeCredential response");
    let levels = "this has five levels of arrays and maps, and CTAP2 CBOR has four";
    assert_eq!(answer["remarks"][0], levels);
    for shown in [&object, &answer] {
        let second = &shown["value"]["attStmt"][1];
        assert_eq!(second["fmt"], "packed");
        assert_eq!(second["attStmt"]["alg"], json!({"value": -7, "means": "ES256"}));
        assert_eq!(second["attStmt"]["x5c"], json!(["3000"]));
    }
}

#[test]
fn flags_are_spelled_out() {
    let extended = format!("{}8500000009a16b6372656450726f7465637402", "aa".repeat(32));
    let level = &explained(&extended)["value"]["extensions"]["credProtect"];
    assert_eq!(level["means"], "userVerificationOptionalWithCredentialIDList");
    let data = explained(&format!("{}0500000009", "aa".repeat(32)));
    assert_eq!(data["value"]["flags"], json!({"value": 5, "means": "UP UV"}));
    assert_eq!(data["value"]["signCount"], 9);
}

#[test]
fn u2f_messages_are_taken_apart() {
    let version = explained("00030000000000");
    assert_eq!(
        (version["kind"].as_str(), version["title"].as_str()),
        (Some("apdu"), Some("U2F_VERSION command"))
    );
    assert_eq!(title("5532465f5632 9000"), "U2F_VERSION response");
    assert_eq!(explained("6985")["value"]["statusWord"]["value"], "6985");
    let (challenge, application) = ("11".repeat(32), "22".repeat(32));
    let register = explained(&format!("00010000000040{challenge}{application}0000"));
    assert_eq!(register["value"]["challenge"], challenge);
    let sign = explained(&format!("00020700000043{challenge}{application}0255660000"));
    assert_eq!(sign["value"]["p1"]["means"], "check-only");
    assert_eq!(sign["value"]["keyHandle"], "5566");
    assert_eq!(title("0100000007300101 9000"), "U2F_AUTHENTICATE response");
}

fn report(start: &str) -> String {
    format!("{start:0<128}")
}

/// A trace is put together by channel, and an answer is read as that of the question before it.
#[test]
fn a_trace_is_told_message_by_message() {
    let token = "ab".repeat(32);
    let response = format!("0000000190 0025 00a1025820{token}").replace(' ', "");
    let reports = [
        report("ffffffff8600081122334455667788"),
        report("ffffffff8600111122334455667788000000010201020305"),
        report("0000000190000406a10209"),
        report("00000001bb000102"),
        report(&response),
        report("00000002bf000106"),
    ];
    let trace = explained(&reports.concat());
    assert_eq!(trace["kind"], "trace");
    let messages = trace["value"].as_array().unwrap();
    let content = |at: usize| messages[at]["content"].clone();
    assert_eq!(content(0), json!({"nonce": "1122334455667788"}));
    assert_eq!(content(1)["newChannel"], "00000001");
    assert_eq!(content(1)["capabilities"]["means"], "WINK CBOR MSG");
    assert_eq!(content(2)["means"], "authenticatorClientPIN request");
    assert_eq!(content(3)["means"], "user presence needed");
    assert_eq!(content(4)["means"], "authenticatorClientPIN response");
    assert_eq!(content(4)["value"]["pinUvAuthToken"], token);
    assert_eq!(content(5)["means"], "ERR_CHANNEL_BUSY");
}

#[test]
fn a_message_over_several_reports_is_put_together() {
    let payload = "cd".repeat(100);
    let reports = [
        report(&format!("00000001810064{}", &payload[..114])),
        report(&format!("0000000100{}", &payload[114..])),
    ];
    let trace = explained(&reports.concat());
    assert_eq!(trace["value"][0]["content"], payload);
    let half = explained(&reports[0]);
    assert_eq!(half["remarks"], json!(["1 messages are not complete"]));
}

/// Lists, maps and meanings in plain text.
#[test]
fn plain_text_is_indented() {
    let reading = Reading { bytes: unhex("06a2020906 80"), is_trace: false };
    let text = explain(&reading, None).unwrap().to_string();
    let expected = "authenticatorClientPIN request\n  subCommand (2): 9  \
                    getPinUvAuthTokenUsingPinWithPermissions\n  pinHashEnc (6): none";
    assert_eq!(text, expected);
}

/// Whatever comes in, something or nothing comes out, and nothing falls over.
#[test]
fn random_bytes_do_no_harm() {
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).to_le_bytes()[0]
    };
    let kinds =
        [None, Some(Kind::Request), Some(Kind::Response), Some(Kind::Trace), Some(Kind::U2f)];
    for round in 0..20_000_u32 {
        let len = usize::from(next()) % 100;
        let mut bytes: Vec<u8> = (0..len).map(|_| next()).collect();
        if round % 2 == 0 {
            bytes.insert(0, 0xa2);
        }
        let reading = Reading { bytes, is_trace: round % 3 == 0 };
        for kind in kinds {
            let told = explain(&reading, kind).map(|explained| explained.to_string());
            assert!(told.is_none_or(|told| !told.is_empty()));
        }
    }
    for hostile in ["009bffffffffffffffff", "005bffffffffffffffff", &"81".repeat(100_000)] {
        let reading = Reading { bytes: unhex(hostile), is_trace: false };
        assert_eq!(explain(&reading, None), None, "lengths beyond the input and endless nesting");
    }
}
