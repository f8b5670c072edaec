//! The shortest length of PINs, and who learns it.

use crate::harness::{Key, make_credential, softkey};

/// `softkey pin min-length --rp-id` names relying parties: these learn the number by the extension minPinLength, and
/// nobody else does.
#[test]
fn a_named_relying_party_learns_the_shortest_length() {
    let key = Key::forgetful("auto");
    let device = format!("udp:{}", key.address);
    let raise = |length: &str, parties: &[&str]| {
        let mut command = softkey();
        command.args(["pin", "min-length", length, "--device", &device]);
        command.args(parties.iter().flat_map(|party| ["--rp-id", party]));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    // The extensions instead of the options, which are none.
    let mut request = make_credential("ada", &[]);
    request.truncate(request.len() - 2);
    request.extend(b"\x06\xa1\x6cminPinLength\xf5");
    let told = || {
        let answer = key.host().cbor(&request);
        assert_eq!(answer[0], 0);
        let name = b"\x6cminPinLength";
        let at = answer.windows(name.len()).position(|window| window == name);
        at.map(|at| answer[at + name.len()])
    };
    raise("6", &["another.example"]);
    assert_eq!(told(), None);
    raise("7", &["another.example", "example.com"]);
    assert_eq!(told(), Some(7));
}
