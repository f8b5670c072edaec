//! The tries that are left, as they lie in the store: a record of their own, with a tag.

use softkey_ctap::message;

use super::*;
use crate::records::{PIN, TRIES};
use crate::store::{self, Key};

message! {
    /// The record of the PIN, as former builds have it.
    pub(crate) struct FormerPin: Int {
        2 => code_points: required u64,
        3 => retries: required u64,
        4 => uv_retries: required u64,
        5 => force_change: required bool,
        8 => uv_attempts: optional u64,
    }
}

/// All possible records are as long: were they to grow, a full store would refuse a try some day.
const LEN: usize = 23;

fn opened(
    store: MemoryStore,
) -> Result<Authenticator<MemoryStore, ChaCha20Rng>, OpenError<core::convert::Infallible>> {
    let rng = ChaCha20Rng::from_seed([8; 32]);
    Authenticator::open(store, RootKey::new([1; 32]), rng, Config::default(), NOW)
}

fn stored(store: &MemoryStore, name: &Key) -> Vec<u8> {
    let mut value = Vec::new();
    assert_eq!(store.load(name, &mut value), Ok(true));
    value
}

/// ST-04. A former build has the tries in the record of the PIN. They count until there is a record of their own, which
/// comes with the first change of them, and with any of the PIN's record.
#[test]
fn the_tries_of_a_former_build_count() {
    type Change = fn(&mut Authenticator<MemoryStore, ChaCha20Rng>) -> Result<(), Refusal>;
    let changes: [Change; 3] = [
        |key| key.store_tries(Tries { pin: 2, ..key.tries }),
        |key| key.store_pin(key.pin.clone()),
        |key| key.store_settings(key.settings.clone(), key.pin.clone()),
    ];
    for (pin, change) in [2, 3, 3].into_iter().zip(changes) {
        let mut key = key();
        let (code_points, retries, uv_retries, uv_attempts) = (0, 3, 2, Some(300));
        let force_change = false;
        let former = FormerPin { code_points, retries, uv_retries, force_change, uv_attempts };
        let mut batch = Batch::default();
        batch.put(PIN, &former);
        batch.delete(TRIES);
        assert_eq!(key.records.commit(&mut key.rng, batch), Ok(()));
        let mut key = opened(key.records.into_store()).ok().unwrap();
        assert_eq!(key.tries, Tries { pin: 3, uv: 2, uv_attempts: 300 });
        assert_eq!(change(&mut key), Ok(()));
        let key = opened(key.records.into_store()).ok().unwrap();
        assert_eq!(key.tries, Tries { pin, uv: 2, uv_attempts: 300 });
    }
}

/// Whoever can write to the store cannot write tries: what is not as it was written, or is gone, is damage.
#[test]
fn tries_that_were_changed_are_damage() {
    let store = key().records.into_store();
    let value = stored(&store, &TRIES);
    assert_eq!(value.len(), LEN);
    let mut others =
        alloc::vec![Vec::new(), value[..LEN - 1].to_vec(), [&value[..], &[0]].concat()];
    others.extend((0..LEN * 8).map(|bit| {
        let mut other = value.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        other
    }));
    let changes = others.iter().map(|other| store::Change::Put(TRIES, other));
    for change in changes.chain([store::Change::Delete(TRIES)]) {
        let mut damaged = store.clone();
        assert_eq!(damaged.commit(&[change]), Ok(()));
        assert!(matches!(opened(damaged), Err(OpenError::WrongKeyOrDamaged)), "{change:?}");
    }
    assert!(opened(store).is_ok());
}

/// However many attempts there were.
#[test]
fn the_record_of_the_tries_does_not_grow() {
    let mut key = key();
    for uv_attempts in [0, 1, 23, 24, 255, 256, 65_536, u32::MAX] {
        let tries = Tries { uv_attempts, ..key.tries };
        assert_eq!(key.store_tries(tries), Ok(()));
        assert_eq!(stored(key.records.store(), &TRIES).len(), LEN);
        key = opened(key.records.into_store()).ok().unwrap();
        assert_eq!(key.tries, tries);
    }
}
