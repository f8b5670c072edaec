//! APDUs in all their forms, and the messages inside them, both ways.

use alloc::{vec, vec::Vec};

use super::*;

const HEADER: [u8; 4] = [0x00, 0x01, 0x03, 0x00];

/// The data of an APDU with this behind its header; nothing if the lengths are wrong.
fn parsed(behind: &[&[u8]]) -> Option<Vec<u8>> {
    let bytes = [&HEADER[..], &behind.concat()].concat();
    let apdu = Apdu::from_bytes(&bytes).expect("a whole header");
    assert_eq!((apdu.cla, apdu.ins, apdu.p1, apdu.p2), (0x00, 0x01, 0x03, 0x00));
    match apdu.data {
        Body::Data(data) => Some(data.to_vec()),
        Body::WrongLength => None,
    }
}

#[test]
fn a_header_is_four_bytes() {
    for len in 0..4 {
        assert_eq!(Apdu::from_bytes(&HEADER[..len]), None, "{len} bytes");
    }
    let apdu = Apdu { cla: 0x80, ins: 0xfe, p1: 7, p2: 9, data: Body::Data(&[]) };
    assert_eq!(Apdu::from_bytes(&[0x80, 0xfe, 7, 9]), Some(apdu));
}

#[test]
fn a_command_without_data_has_any_le_or_none() {
    for le in [0x00, 0x01, 0x40, 0xff] {
        assert_eq!(parsed(&[&[le]]), Some(vec![]), "short Le {le:02x}");
        assert_eq!(parsed(&[&[0, le, 0]]), Some(vec![]), "extended Le {le:02x}00");
        assert_eq!(parsed(&[&[0, 0, le]]), Some(vec![]), "extended Le {le:02x}");
        assert_eq!(parsed(&[&[0, 0, 0, le, 0]]), Some(vec![]), "Lc 0, Le {le:02x}00");
    }
    assert_eq!(parsed(&[]), Some(vec![]));
}

#[test]
fn short_data_take_a_short_le_or_none() {
    for len in [1_u8, 2, 3, 64, 65, 254, 255] {
        let data = vec![0xab; usize::from(len)];
        assert_eq!(parsed(&[&[len], &data]).as_ref(), Some(&data), "{len}");
        for le in [0x00, 0x01, 0xff] {
            assert_eq!(parsed(&[&[len], &data, &[le]]).as_ref(), Some(&data), "{len}, Le {le:02x}");
        }
        assert_eq!(parsed(&[&[len], &data, &[0, 0]]), None, "{len}, Le of two bytes");
        assert_eq!(parsed(&[&[len], &data, &[0, 0, 0]]), None, "{len}, Le of three bytes");
        if len > 1 {
            // One byte less is not even the announced length.
            assert_eq!(parsed(&[&[len], &data[1..]]), None, "{len} announced, one missing");
        }
    }
}

#[test]
fn extended_data_take_an_extended_le_or_none() {
    for len in [1_u16, 2, 3, 64, 255, 256, 1024, 65535] {
        let data = vec![0xab; usize::from(len)];
        let [high, low] = len.to_be_bytes();
        let lc = [0, high, low];
        assert_eq!(parsed(&[&lc, &data]).as_ref(), Some(&data), "{len}");
        for le in [[0, 0], [0x01, 0x00], [0xff, 0xff]] {
            assert_eq!(parsed(&[&lc, &data, &le]).as_ref(), Some(&data), "{len}, Le {le:02x?}");
        }
        assert_eq!(parsed(&[&lc, &data, &[0]]), None, "{len}, Le of one byte");
        assert_eq!(parsed(&[&lc, &data, &[0, 0, 0]]), None, "{len}, Le of three bytes");
        if len > 2 {
            assert_eq!(parsed(&[&lc, &data[1..]]), None, "{len} announced, one missing");
        }
    }
}

#[test]
fn contradicting_lengths_are_wrong() {
    // A short Lc of zero with something behind it is no form at all.
    assert_eq!(parsed(&[&[0, 0]]), None);
    // An extended Lc of zero takes an Le of two bytes and nothing else.
    assert_eq!(parsed(&[&[0, 0, 0, 0]]), None);
    assert_eq!(parsed(&[&[0, 0, 0, 0, 0, 0]]), None);
    // An announced length with nothing behind it is an Le.
    assert_eq!(parsed(&[&[0, 0, 64]]), Some(vec![]));
    assert_eq!(parsed(&[&[64]]), Some(vec![]));
    assert_eq!(parsed(&[&[0, 0, 64, 1]]), None);
    // Header and length are judged apart: class and instruction are still there to be judged first.
    let apdu = Apdu::from_bytes(&[0x7f, 0x55, 0, 0, 5, 1]).unwrap();
    assert_eq!((apdu.cla, apdu.ins, apdu.data), (0x7f, 0x55, Body::WrongLength));
}

/// Both ways that clients of the first generation ask for the version.
#[test]
fn version_with_and_without_a_length() {
    for request in [&[0, 3, 0, 0, 0, 0, 0][..], &[0, 3, 0, 0]] {
        let apdu = Apdu::from_bytes(request).unwrap();
        assert_eq!((apdu.ins, apdu.data), (instruction::VERSION, Body::Data(&[])));
    }
    assert_eq!(VERSION, b"U2F_V2");
}

#[test]
fn apdus_are_written_in_extended_form() {
    fn apdu(data: &[u8]) -> Apdu<'_> {
        Apdu { cla: 0, ins: 1, p1: 2, p2: 3, data: Body::Data(data) }
    }
    assert_eq!(apdu(&[]).to_bytes(), [0, 1, 2, 3, 0, 0, 0]);
    assert_eq!(apdu(&[9, 8]).to_bytes(), [0, 1, 2, 3, 0, 0, 2, 9, 8, 0, 0]);
    for len in [0, 1, 255, 256, 7600, 65535] {
        let data = vec![7; len];
        let bytes = apdu(&data).to_bytes();
        assert_eq!(Apdu::from_bytes(&bytes), Some(apdu(&data)), "{len}");
    }
}

/// There is no form for these: nothing is better than a message that says something else.
#[test]
fn an_apdu_that_cannot_be_written_gives_nothing() {
    let none: [u8; 0] = [];
    let too_long = vec![7; 65536];
    let apdu = |data| Apdu { cla: 0, ins: 1, p1: 2, p2: 3, data };
    assert_eq!(apdu(Body::Data(&too_long)).to_bytes(), none);
    assert_eq!(apdu(Body::WrongLength).to_bytes(), none);
}

#[test]
fn status_words_end_responses() {
    assert_eq!(StatusWord::NO_ERROR.to_bytes(), [0x90, 0x00]);
    assert_eq!(StatusWord::WRONG_DATA.behind(vec![1, 2]), [1, 2, 0x6a, 0x80]);
    assert_eq!(StatusWord::split(&[1, 2, 0x69, 0x85]), {
        Some((&[1, 2][..], StatusWord::CONDITIONS_NOT_SATISFIED))
    });
    assert_eq!(StatusWord::split(&[0x6f, 0x00]), Some((&[][..], StatusWord::OTHER)));
    assert_eq!(StatusWord::split(&[0x90]), None);
    assert_eq!(StatusWord::split(&[]), None);
    let table = [
        (StatusWord::NO_ERROR, 0x9000),
        (StatusWord::CONDITIONS_NOT_SATISFIED, 0x6985),
        (StatusWord::COMMAND_NOT_ALLOWED, 0x6986),
        (StatusWord::WRONG_DATA, 0x6a80),
        (StatusWord::WRONG_LENGTH, 0x6700),
        (StatusWord::CLA_NOT_SUPPORTED, 0x6e00),
        (StatusWord::INS_NOT_SUPPORTED, 0x6d00),
        (StatusWord::OTHER, 0x6f00),
    ];
    assert!(table.iter().all(|(word, number)| word.0 == *number));
}

#[test]
fn numbers_of_instructions_and_control_bytes() {
    use {control as c, instruction as i};
    assert_eq!([i::REGISTER, i::AUTHENTICATE, i::VERSION], [1, 2, 3]);
    let controls = [c::CHECK_ONLY, c::ENFORCE_USER_PRESENCE, c::DONT_ENFORCE_USER_PRESENCE];
    assert_eq!(controls, [0x07, 0x03, 0x08]);
}

#[test]
fn register_data_are_64_bytes() {
    let data: Vec<u8> = (0..64).collect();
    let request = RegisterRequest::from_bytes(&data).unwrap();
    assert_eq!((request.challenge[0], request.application[0]), (0, 32));
    assert_eq!(request.to_bytes(), data);
    for len in [0, 31, 32, 63, 65] {
        assert_eq!(RegisterRequest::from_bytes(&vec![0; len]), None, "{len} bytes");
    }
}

#[test]
fn authenticate_data_are_65_bytes_and_the_key_handle() {
    for len in [0_u8, 1, 64, 255] {
        let handle = vec![3; usize::from(len)];
        let data = [&[1; 32][..], &[2; 32], &[len], &handle].concat();
        let request = AuthenticateRequest::from_bytes(&data).unwrap();
        let fields = (request.challenge, request.application, request.key_handle);
        assert_eq!(fields, ([1; 32], [2; 32], &handle[..]));
        assert_eq!(request.to_bytes(), Some(data.clone()));
        assert_eq!(AuthenticateRequest::from_bytes(&[&data[..], &[0]].concat()), None, "{len}");
        assert_eq!(AuthenticateRequest::from_bytes(&data[..data.len() - 1]), None, "{len}");
    }
    for len in 0..65 {
        assert_eq!(AuthenticateRequest::from_bytes(&vec![0; len]), None, "{len} bytes");
    }
    let request =
        AuthenticateRequest { challenge: [1; 32], application: [2; 32], key_handle: &[3; 256] };
    assert_eq!(request.to_bytes(), None);
}

/// A SEQUENCE of that many bytes, its length in the one form that DER has.
fn certificate(len: u16) -> Vec<u8> {
    let [high, low] = len.to_be_bytes();
    let head = match len {
        ..=0x7f => vec![0x30, low],
        0x80..=0xff => vec![0x30, 0x81, low],
        _ => vec![0x30, 0x82, high, low],
    };
    [head, vec![0xcd; usize::from(len)]].concat()
}

#[test]
fn register_responses_go_both_ways() {
    let mut public_key = [0x11; 65];
    public_key[0] = 0x04;
    let signature = [0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];
    for handle in [1, 64, 255] {
        for len in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1234, 0xffff] {
            let (key_handle, certificate) = (vec![5; handle], certificate(len));
            let response = RegisterResponse {
                public_key: &public_key,
                key_handle: &key_handle,
                certificate: &certificate,
                signature: &signature,
            };
            let bytes = response.to_bytes().unwrap();
            assert_eq!(bytes[0], 0x05);
            assert_eq!(usize::from(bytes[66]), handle);
            assert_eq!(RegisterResponse::from_bytes(&bytes), Some(response), "{len}");
            // Cut anywhere before the signature it is no response.
            let before_signature = bytes.len() - signature.len();
            for end in [0, 1, 65, 66, 67, 66 + handle, 67 + handle, before_signature - 1] {
                assert_eq!(RegisterResponse::from_bytes(&bytes[..end]), None, "{len} cut to {end}");
            }
        }
    }
    let long = RegisterResponse {
        public_key: &public_key,
        key_handle: &[5; 256],
        certificate: &[],
        signature: &[],
    };
    assert_eq!(long.to_bytes(), None);
}

#[test]
fn certificates_are_sequences_with_a_length_in_der() {
    let response = |head: &[u8]| [&[0x05][..], &[0x04; 65], &[1, 9], head, &[0; 0x200]].concat();
    let len = |head: &[u8]| {
        let bytes = response(head);
        RegisterResponse::from_bytes(&bytes).map(|response| response.certificate.len())
    };
    assert_eq!(len(&[0x30, 0x7f]), Some(2 + 0x7f));
    assert_eq!(len(&[0x30, 0x81, 0x80]), Some(3 + 0x80));
    assert_eq!(len(&[0x30, 0x82, 0x01, 0x00]), Some(4 + 0x100));
    let wrong: [&[u8]; 8] = [
        // Longer than need be.
        &[0x30, 0x81, 0x7f],
        &[0x30, 0x82, 0x00, 0xff],
        // Indefinite, too wide, or beyond the message.
        &[0x30, 0x80],
        &[0x30, 0x83, 0x00, 0x01, 0x00],
        &[0x30, 0xff],
        &[0x30, 0x82, 0xff, 0xff],
        // Other types.
        &[0x31, 0x10],
        &[0x04, 0x10],
    ];
    for head in wrong {
        assert_eq!(len(head), None, "{head:02x?}");
    }
    let mut reserved = response(&[0x30, 0x10]);
    reserved[0] = 0x04;
    assert_eq!(RegisterResponse::from_bytes(&reserved), None);
}

#[test]
fn authenticate_responses_go_both_ways() {
    let bytes = [0x01, 0xde, 0xad, 0xbe, 0xef, 0x30, 0x00];
    let response = AuthenticateResponse::from_bytes(&bytes).unwrap();
    let fields = (response.user_presence, response.counter, response.signature);
    assert_eq!(fields, (1, 0xdead_beef, &[0x30, 0x00][..]));
    assert_eq!(response.to_bytes(), bytes);
    for end in 0..5 {
        assert_eq!(AuthenticateResponse::from_bytes(&bytes[..end]), None, "{end} bytes");
    }
}
