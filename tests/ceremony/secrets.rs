//! Secrets in the type that holds them: how they are compared, and what is left of them. Which values lie in that type is for
//! review to say.
//!
//! Both tests look from outside, at what the processor was given to do and at the memory of this process, and each is shown
//! to see what it is there for.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;

use rustix::time::{ClockId, Timespec, clock_gettime};
use softkey_ctap::Secret;

/// Far longer than any secret, so that what a comparison does is far more than what is done around it.
const LONG: usize = 1 << 14;

type Long = Secret<LONG>;

/// Processor time of this thread.
fn processor_time() -> u128 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    u128::try_from(tv_sec).unwrap() * 1_000_000_000 + u128::try_from(tv_nsec).unwrap()
}

/// The least that a comparison took with a secret that differs in the first byte, and in the last.
fn costs(same: impl Fn(&Long, &Long) -> bool) -> [u128; 2] {
    let secret = |changed: usize| {
        let mut bytes = Box::new([0x5A; LONG]);
        bytes[changed] ^= 1;
        Box::new(Secret::new(*bytes))
    };
    let stored = Box::new(Secret::new([0x5A; LONG]));
    let others = [secret(0), secret(LONG - 1)];
    let mut least = [u128::MAX; 2];
    // In turns, so that whatever else the machine does meets both.
    for _ in 0..40 {
        for (least, other) in least.iter_mut().zip(&others) {
            let before = processor_time();
            assert!(!black_box(same(black_box(&stored), black_box(other))));
            *least = (*least).min(processor_time() - before);
        }
    }
    least
}

/// Does the one cost at least half of the other?
fn alike([first, last]: [u128; 2]) -> bool {
    first * 2 >= last && last * 2 >= first
}

/// PT-18: it takes as long to find that the first byte differs as that the last one does. A comparison that ends where it
/// finds something takes a hundredth of it, and would be seen.
#[test]
fn secrets_are_compared_to_their_end() {
    let costs_of_secrets = costs(|stored, other| stored == other);
    assert!(alike(costs_of_secrets), "{costs_of_secrets:?} ns");
    let hasty = costs(|stored, other| {
        stored.expose().iter().zip(other.expose()).all(|(one, other)| one == other)
    });
    assert!(!alike(hasty), "{hasty:?} ns");
}

/// How much there is where `value` lay once it is dropped, of the byte that filled it. The place itself is kept, or who gets it
/// next could have written there.
fn left_of<T>(value: T, byte: u8) -> usize {
    let mut place = vec![value];
    let at = u64::try_from(black_box(&place).as_ptr().addr()).unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let found = || {
        let mut bytes = vec![0; size_of::<T>()];
        memory.read_exact_at(&mut bytes, at).unwrap();
        bytes.into_iter().filter(|found| *found == byte).count()
    };
    assert_eq!(found(), size_of::<T>(), "it is looked for in the right place");
    black_box(&mut place).clear();
    let left = found();
    drop(place);
    left
}

/// ST-06: nothing is left in memory of a secret that is gone; all is of what is no secret.
#[test]
fn nothing_is_left_of_a_secret() {
    const SIZE: usize = 512;
    assert_eq!(left_of(Secret::new([0xC7; SIZE]), 0xC7), 0);
    assert_eq!(left_of([0xC7_u8; SIZE], 0xC7), SIZE);
}
