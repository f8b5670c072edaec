//! The fingers that are enrolled: what is kept of them, and which one touches the sensor.
//!
//! The sensor tells one finger from another and gives each a number; that number is all there is of a template. They
//! are of the credential epoch, so a reset removes them.

use alloc::string::String;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use crate::authenticator::{Authenticator, Outcome, Progress};
use crate::records::{self, Batch, FingerRecord, FingersRecord, Records};
use crate::refusal::Refusal;
use crate::step::Finger;
use crate::store::Store;

/// For how many fingers there can be room: all of them lie in one record.
pub(crate) const MAX_FINGERS: u8 = 40;

/// An enrolled finger.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) id: Vec<u8>,
    /// Empty if it has none.
    pub(crate) name: String,
    pub(crate) finger: Finger,
}

/// The fingers that are stored, oldest first.
pub(crate) fn load<S: Store>(records: &mut Records<S>) -> Result<Vec<Template>, Refusal> {
    let Some(plaintext) = records.load(&records::FINGERS)? else {
        return Ok(Vec::new());
    };
    let record: FingersRecord<'_> = records::parse(&plaintext)?;
    let template = |record: FingerRecord<'_>| Template {
        id: record.id.to_vec(),
        name: record.name.into(),
        finger: Finger(record.finger),
    };
    Ok(record.fingers.iter().map(template).collect())
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Is built-in user verification ready? One by fingerprint is once a finger is enrolled.
    pub(crate) fn verifies_users(&self) -> bool {
        self.config
            .user_verification
            .is_some_and(|method| method.enrollment.is_none() || !self.fingers.is_empty())
    }

    /// Is this finger enrolled?
    pub(crate) fn knows_finger(&self, finger: Finger) -> bool {
        self.fingers.iter().any(|template| template.finger == finger)
    }

    pub(crate) fn add_finger(&mut self, template: Template) -> Result<(), Refusal> {
        let mut fingers = self.fingers.clone();
        fingers.push(template);
        self.store_fingers(fingers)
    }

    pub(crate) fn name_finger(&mut self, id: &[u8], name: &str) -> Progress {
        let mut fingers = self.fingers.clone();
        let found = fingers.iter_mut().find(|template| template.id == id);
        found.ok_or(Refusal::UnknownTemplate)?.name = name.into();
        self.store_fingers(fingers)?;
        Ok(Outcome::Reply(Vec::new()))
    }

    pub(crate) fn remove_finger(&mut self, id: &[u8]) -> Progress {
        let mut fingers = self.fingers.clone();
        fingers.retain(|template| template.id != id);
        if fingers.len() == self.fingers.len() {
            return Err(Refusal::UnknownTemplate);
        }
        self.store_fingers(fingers)?;
        Ok(Outcome::Reply(Vec::new()))
    }

    /// Stores the fingers, then takes them over.
    fn store_fingers(&mut self, fingers: Vec<Template>) -> Result<(), Refusal> {
        let records = fingers.iter().map(|template| FingerRecord {
            id: &template.id,
            name: &template.name,
            finger: template.finger.0,
        });
        let mut batch = Batch::default();
        batch.put(records::FINGERS, &FingersRecord { fingers: records.collect() });
        self.records.commit(&mut self.rng, batch)?;
        self.fingers = fingers;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use softkey_ctap::cbor;

    use super::*;
    use crate::bio_enrollment::{MAX_NAME, TEMPLATE_ID};

    /// A record is at most 4096 bytes long.
    #[test]
    fn as_many_fingers_as_there_can_be_fit_a_record() {
        let name = "x".repeat(MAX_NAME);
        let one = FingerRecord { id: &[7; TEMPLATE_ID], name: &name, finger: u64::MAX };
        let fingers = vec![one; MAX_FINGERS.into()].into();
        let plaintext = cbor::encode(&FingersRecord { fingers });
        assert!(plaintext.len() + records::HEADER + crate::seal::OVERHEAD <= 4096);
    }
}
