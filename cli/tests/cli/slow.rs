//! A registration that takes long: RS256, whose primes have to be found.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use softkey_ctap_hid::Status;

use crate::harness::{Host, Key, make_credential};

/// One registration as its client lived it.
struct Wait {
    took: Duration,
    /// The longest time without a word of the key.
    silence: Duration,
    keepalives: u32,
}

fn register(host: &mut Host, request: &[u8]) -> Wait {
    let begun = Instant::now();
    let (mut last, mut silence, mut keepalives) = (begun, Duration::ZERO, 0);
    let answer = host.0.cbor(request, &mut |status| {
        silence = silence.max(last.elapsed());
        last = Instant::now();
        keepalives += u32::from(status == Status::Processing);
        ControlFlow::Continue(())
    });
    assert_eq!(answer.unwrap()[0], 0);
    Wait { took: begun.elapsed(), silence: silence.max(last.elapsed()), keepalives }
}

/// This test is about the wall clock. Primes take a time that varies much, and a busy machine holds everything up, so
/// registrations are repeated until one shows it: longer than a keepalive's interval, with a keepalive at least every
/// 200 ms, while other hosts get their channels at once.
#[test]
fn primes_are_found_beside_the_transport() {
    let key = Key::start(&["--ephemeral", "--approve", "auto", "--algorithms", "ES256,RS256"]);
    let mut request = make_credential("ada", &[]);
    let alg = request.windows(4).position(|window| window == b"alg\x26").unwrap();
    // -257 instead of -7.
    request.splice(alg + 3..alg + 4, [0x39, 0x01, 0x00]);
    let mut seen = Vec::new();
    for _ in 0..300 {
        let mut host = key.host();
        let request = request.clone();
        let registering = thread::spawn(move || register(&mut host, &request));
        let (mut opened, mut longest) = (0, Duration::ZERO);
        while !registering.is_finished() {
            let begun = Instant::now();
            key.host();
            longest = longest.max(begun.elapsed());
            opened += 1;
            thread::sleep(Duration::from_millis(20));
        }
        let wait = registering.join().unwrap();
        let spoke = wait.silence < Duration::from_millis(200) && wait.keepalives >= 1;
        if wait.took > Duration::from_millis(150) && spoke && opened > 3 && longest < wait.took / 3
        {
            return;
        }
        seen.push((wait.took, wait.silence, wait.keepalives, opened, longest));
    }
    panic!("no registration was long and quick to speak: {seen:?}");
}
