//! Key pairs of non-discoverable credentials that a seed alone does not give in a signature's time: their numbers lie
//! in the store, found by the credential's identifier. They take the room of discoverable credentials, and nothing
//! lists them.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::authenticator::Authenticator;
use crate::credential::Credential;
use crate::records::{self, Batch, KeptKeyRecord, Records, Totals};
use crate::refusal::Refusal;
use crate::store::{Key, Store};

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Stores what the new credential's key needs, if it needs anything, in one commit.
    pub(crate) fn keep_key(
        &mut self,
        rp_id_hash: &[u8; 32],
        credential: &Credential,
    ) -> Result<(), Refusal> {
        let Some(numbers) = &credential.kept_key else {
            return Ok(());
        };
        if self.remaining_discoverable() == 0 {
            return Err(Refusal::StoreFull);
        }
        let kept_keys = self.totals.kept_keys.unwrap_or_default().saturating_add(1);
        let totals = Totals { kept_keys: Some(kept_keys), ..self.totals };
        let rp16 = self.records.keys().rp16(rp_id_hash);
        let mut batch = Batch::default();
        batch.put(key(&self.records, &rp16, &credential.id), &KeptKeyRecord { numbers });
        batch.put(records::TOTALS, &totals);
        self.records.commit(&mut self.rng, batch)?;
        self.totals = totals;
        Ok(())
    }
}

/// What is kept for this non-discoverable credential.
pub(crate) fn load<S: Store>(
    records: &mut Records<S>,
    rp16: &[u8; 16],
    id: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
    let key = key(records, rp16, id);
    let Some(plaintext) = records.load(&key)? else {
        return Ok(None);
    };
    let record: KeptKeyRecord<'_> = records::parse(&plaintext)?;
    Ok(Some(Zeroizing::new(record.numbers.to_vec())))
}

fn key<S: Store>(records: &Records<S>, rp16: &[u8; 16], id: &[u8]) -> Key {
    records::kept_key(rp16, &records.keys().id16(id))
}
