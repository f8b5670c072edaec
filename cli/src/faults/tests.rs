//! How faults are written, counted, and what each does to an answer.

use super::*;

fn error(text: &str) -> String {
    text.parse::<Spec>().unwrap_err().to_string()
}

/// Is this refused for its argument, by the form that the fault has?
fn is_written_otherwise(text: &str) -> bool {
    let (name, _) = text.split_once('=').unwrap();
    let form = TABLE.iter().find(|entry| entry.name == name).unwrap().argument.unwrap();
    error(text) == format!("{name} is written {name}{form}")
}

/// Every fault has a name of its own, can be written as its form says, and reads back.
#[test]
fn the_table_is_sound() {
    let mut names: Vec<_> = TABLE.iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLE.len());
    for entry in TABLE {
        assert!(entry.does.starts_with(char::is_lowercase) && !entry.does.ends_with('.'));
        let bare = entry.name.parse::<Spec>();
        let needs_one = entry.argument.is_some_and(|form| form.starts_with('='));
        assert_eq!(bare.is_err(), needs_one, "{entry:?}");
        if let Ok(spec) = bare {
            assert_eq!(spec.to_string(), entry.name);
        }
        assert!(format!("{}=?", entry.name).parse::<Spec>().is_err(), "{entry:?}");
    }
}

/// Recordings name the authenticator's faults by what the authenticator knows of them.
#[test]
fn a_fault_of_the_authenticator_is_written_so_that_it_reads_back() {
    let arguments = [None, Some("back"), Some("zero"), Some("2"), Some("uvm"), Some("-8")];
    let mut signed = 0;
    for entry in TABLE {
        let made = arguments.iter().filter_map(|argument| match (entry.make)(*argument)? {
            Fault::Signed(fault) => Some(fault),
            _ => None,
        });
        for fault in made {
            let text = Spec::of_signed(fault).unwrap().to_string();
            assert_eq!(text.parse::<Spec>().unwrap().signed(), Some(fault), "{text}");
            signed += 1;
        }
    }
    assert!(signed > 25, "{signed}");
}

#[test]
fn a_fault_reads_back_with_its_argument_and_its_count() {
    for text in [
        "wrong-counter=zero",
        "status=2e",
        "status=getNextAssertion:0x2e@3",
        "status=largeBlobs:01",
        "delay=20@..2",
        "non-canonical=indefinite@1",
        "wrong-algorithm=-257",
        "unasked-extension=credProtect",
    ] {
        assert_eq!(text.parse::<Spec>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_fault_says_what_is() {
    assert_eq!(error("wrong-sig"), "there is no fault \"wrong-sig\"; softkey faults lists them");
    assert_eq!(error("wrong-up=1"), "wrong-up takes no argument");
    assert_eq!(error("wrong-counter"), "wrong-counter is written wrong-counter=back|zero");
    let count = "behind @ stands which request, as in @2, or the first so many, as in @..2";
    for text in ["silence@", "silence@0", "silence@x", "silence@..0", "silence@1..2"] {
        assert_eq!(error(text), count, "{text}");
    }
    // Success is no refusal, and no packet holds so much.
    for text in ["status=00", "status=makeCoffee:2e", "status=+1", "oversize-answer=7610"] {
        assert!(is_written_otherwise(text), "{text}");
    }
}

/// A fault counts the requests that it is about, and no others.
#[test]
fn requests_are_counted_from_the_switching_on() {
    let mut board = Board::default();
    board.switch_on("wrong-up@2".parse().unwrap());
    let mut begins = |kind, request: &[u8]| board.begin(kind, request).len();
    assert_eq!(begins(JobKind::Cbor, &[1]), 0);
    assert_eq!(begins(JobKind::Cbor, &[4]), 0);
    assert_eq!(begins(JobKind::Msg, &[0, 2]), 1);
    assert_eq!(begins(JobKind::Cbor, &[2]), 0);
    board.switch_on("wrong-up@..1".parse().unwrap());
    assert_eq!(board.on().count(), 1, "the older one of the same name ends");
    assert_eq!(board.begin(JobKind::Cbor, &[2]).len(), 1);
    assert_eq!(board.begin(JobKind::Cbor, &[2]).len(), 0);
    assert!(!board.switch_off(Some("wrong-uv")) && board.switch_off(Some("wrong-up")));
    assert!(board.switch_off(None), "all of none are off");
}

/// What an answer to this request becomes with a fault.
fn changed(fault: &str, request: &[u8], answer: &[u8]) -> (Vec<u8>, bool) {
    let mut board = Board::default();
    board.switch_on(fault.parse().unwrap());
    board.begin(JobKind::Cbor, request);
    let mut answer = answer.to_vec();
    let names = board.finish(&mut answer, &[]);
    (answer, !names.is_empty())
}

const ASSERTION: &[u8] = b"\0\xA5\x01\xA1\x62id\x41\x09\x02\x41\x00\x03\x42\x30\x08\x04\xA2\x62id\x41\x05\x64name\x63Ada\x05\x02";

/// Each fault of answers does what it says and nothing else; answers that it does not fit stay as they are.
#[test]
fn an_answer_is_changed_where_the_fault_says() {
    let replaced = |from: &[u8], to: &[u8]| {
        let at = ASSERTION.windows(from.len()).position(|window| window == from).unwrap();
        let mut answer = ASSERTION.to_vec();
        answer.splice(at..at + from.len(), to.iter().copied());
        (answer, true)
    };
    let of = |fault| changed(fault, &[2, 0xA0], ASSERTION);
    assert_eq!(of("wrong-signature"), replaced(b"\x30\x08\x04\xA2", b"\x30\x09\x04\xA2"));
    assert_eq!(of("malformed-signature"), replaced(b"\x42\x30\x08", b"\x41\x30"));
    assert_eq!(of("wrong-credential"), replaced(b"\x41\x09", b"\x41\x08"));
    assert_eq!(of("wrong-user-handle"), replaced(b"\x41\x05", b"\x41\x04"));
    assert_eq!(of("truncated-names"), replaced(b"Ada", b"Ad\xC3"));
    assert_eq!(of("wrong-count"), replaced(b"\x05\x02", b"\x05\x03"));
    let without = |number: &[u8]| replaced(b"\xA5", b"\xA4").0.len() - number.len();
    assert_eq!(of("missing-credential").0.len(), without(b"\x01\xA1\x62id\x41\x09"));
    assert_eq!(of("missing-user").0.len(), without(b"\x04\xA2\x62id\x41\x05\x64name\x63Ada"));
    assert_eq!(of("empty-answer"), (Vec::new(), true));
    assert_eq!(of("wrong-large-blob-key"), (ASSERTION.to_vec(), false));
    for fault in ["wrong-signature", "wrong-count", "truncated-names"] {
        assert_eq!(changed(fault, &[2, 0xA0], &[0x2E]), (vec![0x2E], false), "{fault}");
        assert_eq!(changed(fault, &[4], ASSERTION), (ASSERTION.to_vec(), false), "{fault}");
    }
    let (long, _) = of("oversize-answer=1000");
    assert_eq!(long.len(), 1000);
}

#[test]
fn forms_of_cbor_are_well_formed_and_not_canonical() {
    let of =
        |form: &str| changed(&format!("non-canonical={form}"), &[4], b"\0\xA2\x01\x02\x03\x04").0;
    assert_eq!(of("order"), b"\0\xA2\x03\x04\x01\x02");
    assert_eq!(of("length"), b"\0\xB8\x02\x01\x02\x03\x04");
    assert_eq!(of("duplicate"), b"\0\xA3\x01\x02\x01\x02\x03\x04");
    assert_eq!(of("indefinite"), b"\0\xBF\x01\x02\x03\x04\xFF");
}

/// getNextAssertion gives what came before it.
#[test]
fn an_account_is_given_again() {
    let mut board = Board::default();
    board.switch_on("repeated-account".parse().unwrap());
    for (request, answer, changes) in [(2, ASSERTION, false), (8, b"\0\xA0".as_slice(), true)] {
        board.begin(JobKind::Cbor, &[request]);
        let mut answer = answer.to_vec();
        assert_eq!(!board.finish(&mut answer, &[]).is_empty(), changes);
        assert_eq!(answer, ASSERTION);
    }
}

/// Retries are a lie only where they are asked for.
#[test]
fn retries_are_what_the_owner_wants() {
    let answer = b"\0\xA1\x03\x08";
    assert_eq!(
        changed("pin-retries=3", b"\x06\xA1\x02\x01", answer),
        (b"\0\xA1\x03\x03".into(), true)
    );
    assert_eq!(changed("pin-retries=3", b"\x06\xA1\x02\x02", answer), (answer.into(), false));
}

/// An enterprise attestation is told of where none was asked for.
#[test]
fn an_enterprise_attestation_is_a_surprise() {
    let of = |request, answer| changed("unasked-enterprise", request, answer);
    let last = b"\0\xA2\x01\x02\x04\xF5".into();
    assert_eq!(of(b"\x01\xA0", b"\0\xA1\x01\x02"), (last, true));
    let amid = b"\0\xA2\x04\xF5\x05\x02".into();
    assert_eq!(of(b"\x01\xA0", b"\0\xA1\x05\x02"), (amid, true));
    for asked in [b"\x01\xA1\x0A\x01".as_slice(), b"\x02\xA0"] {
        assert_eq!(of(asked, b"\0\xA1\x01\x02"), (b"\0\xA1\x01\x02".into(), false));
    }
}

/// Only a request that was cancelled has that status.
#[test]
fn a_cancelled_request_ends_with_another_status() {
    assert_eq!(changed("cancel-status", &[1], &[0x2D]), (vec![0x27], true));
    assert_eq!(changed("cancel-status=7e", &[9], &[0x2D]), (vec![0x7E], true));
    assert_eq!(changed("cancel-status", &[1], &[0x2E]), (vec![0x2E], false));
    for wrong in ["cancel-status=00", "cancel-status=2d"] {
        assert!(is_written_otherwise(wrong), "{wrong}");
    }
}

/// Accounts are told of by assertions and by both editions of credentialManagement.
#[test]
fn accounts_are_wrong_wherever_they_are_told_of() {
    let listed = b"\0\xA1\x06\xA2\x62id\x41\x05\x64name\x63Ada";
    for command in [0x0A, 0x41] {
        for fault in ["wrong-user-handle", "truncated-names"] {
            assert!(changed(fault, &[command, 0xA0], listed).1, "{fault} {command:#x}");
        }
    }
    for fault in ["wrong-user-handle", "truncated-names"] {
        assert!(changed(fault, &[8], ASSERTION).1, "{fault}");
        assert!(!changed(fault, &[0x40, 0xA0], listed).1, "{fault}");
    }
}

/// Only an assertion that there is no credential for has that status, and only the enumeration of nothing succeeds.
#[test]
fn what_is_not_there_is_told_otherwise() {
    assert_eq!(changed("no-credentials-status", &[2, 0xA0], &[0x2E]), (vec![0x22], true));
    assert_eq!(changed("no-credentials-status=7e", &[2, 0xA0], &[0x2E]), (vec![0x7E], true));
    assert_eq!(changed("no-credentials-status", &[2, 0xA0], &[0x27]), (vec![0x27], false));
    assert_eq!(changed("no-credentials-status", &[8], &[0x2E]), (vec![0x2E], false));
    assert_eq!(changed("no-credentials-status", &[10, 0xA0], &[0x2E]), (vec![0x2E], false));
    for wrong in ["no-credentials-status=00", "no-credentials-status=2e"] {
        assert!(is_written_otherwise(wrong), "{wrong}");
    }
    let of = |request, answer| changed("empty-enumeration", request, answer);
    assert_eq!(of(b"\x0A\xA1\x01\x02", b"\x2E"), (b"\0\xA1\x05\0".into(), true));
    assert_eq!(of(b"\x41\xA1\x01\x02", b"\x2E"), (b"\0\xA1\x05\0".into(), true));
    // Another command whose parameters happen to look so.
    assert_eq!(of(b"\x40\xA1\x01\x02", b"\x2E"), (b"\x2E".into(), false));
    assert_eq!(of(b"\x0A\xA1\x01\x04", b"\x2E"), (b"\x2E".into(), false));
    assert_eq!(of(b"\x0A\xA1\x01\x02", b"\x33"), (b"\x33".into(), false));
}

/// What may be missing where one credential is listed is missing there only.
#[test]
fn members_are_missing_where_the_argument_says() {
    let (none, one, two) = (
        b"\x02\xA0".as_slice(),
        b"\x02\xA1\x03\x81\xA0".as_slice(),
        b"\x02\xA1\x03\x82\xA0\xA0".as_slice(),
    );
    for (fault, missing) in [
        ("missing-credential", [true, true, true]),
        ("missing-credential=lone", [false, true, false]),
        ("missing-user", [true, true, true]),
        ("missing-user=listed", [false, true, true]),
    ] {
        let changes = [none, one, two].map(|request| changed(fault, request, ASSERTION).1);
        assert_eq!(changes, missing, "{fault}");
    }
    for wrong in ["missing-credential=listed", "missing-user=lone"] {
        assert!(is_written_otherwise(wrong), "{wrong}");
    }
}

/// What is refused in the place of the command.
#[test]
fn requests_are_refused_by_what_they_hold() {
    let status = |fault: &str, request: &[u8]| {
        let mut board = Board::default();
        board.switch_on(fault.parse().unwrap());
        board.begin(JobKind::Cbor, request);
        let canned = board.canned();
        let named = !board.finish(&mut vec![0], &[]).is_empty();
        assert_eq!(named, canned.is_some(), "{fault}");
        canned
    };
    assert_eq!(status("status=2e", &[4]), Some(0x2E));
    assert_eq!(status("status=getInfo:2e", &[4]), Some(0x2E));
    assert_eq!(status("status=getInfo:2e", &[7]), None);
    let two = b"\x02\xA1\x03\x82\xA0\xA0";
    assert_eq!(status("refuse-lists", two), Some(0x15));
    assert_eq!(status("refuse-lists=2", two), None);
    assert_eq!(status("refuse-lists", b"\x01\xA1\x05\x82\xA0\xA0"), Some(0x15));
    assert_eq!(status("refuse-extensions", b"\x02\xA1\x04\xA1\x61x\xF5"), Some(0x16));
    assert_eq!(status("refuse-extensions", two), None);
    assert_eq!(status("refuse-silent", b"\x02\xA1\x05\xA1\x62up\xF4"), Some(0x2B));
    assert_eq!(status("refuse-silent", b"\x02\xA1\x05\xA1\x62up\xF5"), None);
    let nameless = b"\x01\xA1\x03\xA1\x6BdisplayName\x60";
    assert_eq!(status("refuse-empty-display-name", nameless), Some(0x12));
    assert_eq!(status("refuse-empty-display-name=03", nameless), Some(0x03));
    assert_eq!(status("refuse-missing-display-name=12", b"\x01\xA1\x03\xA0"), Some(0x12));
    assert_eq!(status("refuse-missing-display-name", nameless), None);
    assert_eq!(status("refuse-missing-display-name", b"\x01\xA1\x03\xA0"), Some(0x14));
    assert_eq!(status("refuse-missing-display-name", b"\x02\xA1\x03\xA0"), None);
}

/// U2F has signatures, and nothing else that is changed here.
#[test]
fn u2f_signatures_are_wrong_too() {
    let mut board = Board::default();
    board.switch_on("wrong-signature".parse().unwrap());
    board.begin(JobKind::Msg, &[0, 2]);
    let mut answer = vec![1, 2, 0x90, 0];
    assert_eq!(board.finish(&mut answer, &[]), ["wrong-signature"]);
    assert_eq!(answer, [1, 3, 0x90, 0]);
    board.begin(JobKind::Msg, &[0, 2]);
    let mut refusal = vec![0x69, 0x85];
    assert_eq!(board.finish(&mut refusal, &[]), [""; 0]);
}
