//! Discoverable credentials in the store: adding, replacing, finding them by relying party.

use core::ops::ControlFlow;

use alloc::string::String;

use rand_core::TryCryptoRng;
use softkey_ctap::auth_data::Flags;

use crate::authenticator::Authenticator;
use crate::config::{Backup, SignatureCounter};
use crate::counter::{self, Lease};
use crate::credential::{Credential, Kind, Place};
use crate::make_credential::Checked;
use crate::records::{self, Batch, Party, Totals};
use crate::refusal::Refusal;
use crate::store::Store;

/// The longest stored relying party identifier, in bytes.
const MAX_RP_ID: usize = 255;

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// For how many more discoverable credentials there is room.
    pub(crate) fn remaining_discoverable(&self) -> u64 {
        let kept = self.totals.kept_keys.unwrap_or_default();
        self.config.max_discoverable.saturating_sub(self.totals.count.saturating_add(kept))
    }

    /// Stores a new credential, in one commit. It takes the place of one that the same user has with the same
    /// relying party.
    pub(crate) fn store_credential(
        &mut self,
        checked: &Checked,
        credential: &Credential,
    ) -> Result<(), Refusal> {
        let rp16 = self.records.keys().rp16(&checked.rp_id_hash);
        let user16 = self.records.keys().user16(&checked.rp_id_hash, &checked.user.id);
        let user_key = records::user_key(&rp16, &user16);
        let sequence = self.totals.next_sequence;
        let mut batch = Batch::default();
        let mut totals = Totals {
            next_sequence: sequence.saturating_add(1),
            change: self.new_change()?,
            ..self.totals
        };
        if let Some(replaced) = self.records.load(&user_key)? {
            let key = records::credential_key(&rp16, records::parse(&replaced)?);
            if let Some(plaintext) = self.records.load(&key)? {
                let place = Place { rp16, sequence: records::parse(&replaced)? };
                let id_key = &self.records.keys().credential_id;
                let replaced =
                    Credential::from_record(&records::parse(&plaintext)?, &place, id_key)?;
                self.drop_large_blob(&mut batch, &rp16, &replaced.id);
            }
            batch.delete(key);
        } else if self.remaining_discoverable() == 0 {
            return Err(Refusal::StoreFull);
        } else {
            totals.count = totals.count.saturating_add(1);
            let mut party = self.records.relying_party(&rp16)?.unwrap_or_else(|| {
                totals.relying_parties = totals.relying_parties.saturating_add(1);
                let id = stored_rp_id(&checked.rp_id);
                Party { id, id_hash: checked.rp_id_hash, credentials: 0 }
            });
            party.credentials = party.credentials.saturating_add(1);
            batch.put(records::rp_key(&rp16), &party.record());
            self.keep_room_for_array(&mut batch)?;
        }
        let record = credential.record().ok_or(Refusal::Damaged)?;
        batch.put(records::credential_key(&rp16, sequence), &record);
        batch.put(user_key, &sequence);
        batch.put(records::TOTALS, &totals);
        self.records.commit(&mut self.rng, batch)?;
        self.totals = totals;
        self.counters.remember(sequence, Lease::fresh());
        Ok(())
    }

    /// The number of a change of what is stored.
    pub(crate) fn new_change(&mut self) -> Result<u64, Refusal> {
        self.rng.try_next_u64().map_err(|_| Refusal::Entropy)
    }

    /// Visits the relying party's credentials older than `before`, newest first.
    pub(crate) fn each_credential(
        &mut self,
        rp_id_hash: &[u8; 32],
        before: u64,
        visit: &mut dyn FnMut(Credential) -> ControlFlow<()>,
    ) -> Result<(), Refusal> {
        let rp16 = self.records.keys().rp16(rp_id_hash);
        let first = records::credential_key(&rp16, before.saturating_sub(1));
        // Sequence numbers begin at 1, so the key of 0 is behind them all.
        let last = records::credential_key(&rp16, 0);
        let mut sequence = [0; 8];
        let id_key = self.records.keys().credential_id.clone();
        self.records.each((&first, &last), &mut |key, plaintext| {
            if let Some(inverted) = key.as_bytes().last_chunk() {
                sequence = *inverted;
            }
            let place = Place { rp16, sequence: !u64::from_be_bytes(sequence) };
            let record = records::parse(plaintext)?;
            Ok(visit(Credential::from_record(&record, &place, &id_key)?))
        })
    }

    /// The flags BE and BS of this credential. One that may not be backed up stays so, whatever the configuration has
    /// become.
    pub(crate) fn backup_flags(&self, credential: &Credential) -> Flags {
        let (eligible, backed_up) =
            (credential.backup_eligible, self.config.backup == Backup::BackedUp);
        Flags::default()
            .with_if(eligible, Flags::BACKUP_ELIGIBLE)
            .with_if(eligible && backed_up, Flags::BACKUP_STATE)
    }

    /// The count for the next signature of this credential; what must be stored for it is.
    pub(crate) fn next_count(
        &mut self,
        rp_id_hash: &[u8; 32],
        credential: &mut Credential,
    ) -> Result<u32, Refusal> {
        if self.config.signature_counter == SignatureCounter::Zero {
            return Ok(0);
        }
        let Kind::Discoverable(sequence) = credential.kind else {
            return self.next_shared_count();
        };
        let next = self.counters.own(sequence, credential.counter_ceiling).next();
        if let Some(ceiling) = next.store {
            credential.counter_ceiling = ceiling;
            let rp16 = self.records.keys().rp16(rp_id_hash);
            let mut batch = Batch::default();
            let record = credential.record().ok_or(Refusal::Damaged)?;
            batch.put(records::credential_key(&rp16, sequence), &record);
            self.records.commit(&mut self.rng, batch)?;
        }
        self.counters.remember(sequence, next.lease);
        Ok(next.count())
    }

    /// The count for the next signature of a credential that has no counter of its own.
    pub(crate) fn next_shared_count(&mut self) -> Result<u32, Refusal> {
        if self.config.signature_counter == SignatureCounter::Zero {
            return Ok(0);
        }
        let next = self.counters.shared.next();
        if let Some(ceiling) = next.store {
            let mut batch = Batch::default();
            batch.put(
                records::COUNTER,
                &records::CounterRecord { ceiling: counter::stored(ceiling) },
            );
            self.records.commit(&mut self.rng, batch)?;
        }
        self.counters.shared = next.lease;
        Ok(next.count())
    }
}

/// The identifier whole if it has up to 255 bytes, else cut as the standard says: a scheme in front is kept, an
/// ellipsis stands for what is left out, and the end fills up to 32 bytes.
fn stored_rp_id(id: &str) -> String {
    const SHORT: usize = 32;
    const ELLIPSIS: &str = "\u{2026}";
    if id.len() <= MAX_RP_ID {
        return id.into();
    }
    let scheme = id.find(':').map_or(0, |colon| colon.saturating_add(1)).min(SHORT);
    let scheme = (0..=scheme).rev().find(|end| id.is_char_boundary(*end)).unwrap_or_default();
    let mut cut = String::from(id.get(..scheme).unwrap_or_default());
    if cut.len() + ELLIPSIS.len() <= SHORT {
        cut.push_str(ELLIPSIS);
    }
    let start = id.len().saturating_sub(SHORT.saturating_sub(cut.len()));
    let start = (start..=id.len()).find(|start| id.is_char_boundary(*start)).unwrap_or(id.len());
    cut.push_str(id.get(start..).unwrap_or_default());
    cut
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    /// CM-09: up to 255 bytes whole, longer ones cut to at most 32 bytes of valid UTF-8.
    #[test]
    fn long_identifiers_are_cut_at_character_boundaries() {
        let whole = "a".repeat(255);
        assert_eq!(stored_rp_id(&whole), whole);
        let plain = "b".repeat(250) + "example.com";
        assert_eq!(stored_rp_id(&plain), format!("\u{2026}{}example.com", "b".repeat(18)));
        let with_scheme = String::from("https://") + &"\u{e9}".repeat(200);
        let cut = stored_rp_id(&with_scheme);
        assert!(cut.starts_with("https:\u{2026}\u{e9}") && cut.len() <= 32);
    }
}
