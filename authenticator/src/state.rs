//! What an authenticator begins with: the state it finds in its store, or that of the factory.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::Secret;

use crate::config::Config;
use crate::counter;
use crate::fingers::{self, Template};
use crate::pin;
use crate::records::{self, Batch, CounterRecord, EpochRecord, PinRecord, Records, Totals};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::store::Store;
use crate::tries::{FormerTries, Tries};

/// What is kept between power cycles and wanted at once.
pub(crate) struct State {
    pub(crate) epoch: EpochRecord,
    pub(crate) pin: PinRecord,
    pub(crate) tries: Tries,
    pub(crate) settings: Settings,
    pub(crate) totals: Totals,
    pub(crate) fingers: Vec<Template>,
    pub(crate) counter_ceiling: u32,
}

impl State {
    pub(crate) fn load<S: Store, R: TryCryptoRng>(
        records: &mut Records<S>,
        rng: &mut R,
        config: &Config,
    ) -> Result<Self, Refusal> {
        let Some(epoch) = records.load(&records::EPOCH)? else {
            return Self::create(records, rng, config);
        };
        let epoch: EpochRecord = records::parse(&epoch)?;
        records.enter(&epoch);
        let pin_record = records.load(&records::PIN)?.ok_or(Refusal::NoState)?;
        let tries = match records.load(&records::TRIES)? {
            Some(tries) => Tries::from_stored(&tries)?,
            None => records::parse::<FormerTries>(&pin_record)?.into(),
        };
        let settings = records.load(&records::SETTINGS)?.ok_or(Refusal::NoState)?;
        let totals = records.load(&records::TOTALS)?.ok_or(Refusal::NoState)?;
        let counter = records.load(&records::COUNTER)?.ok_or(Refusal::NoState)?;
        let counter: CounterRecord = records::parse(&counter)?;
        Ok(Self {
            epoch,
            pin: records::parse(&pin_record)?,
            // What is left of another method's tries, or of none's, is no more than this one's.
            tries: Tries { uv: tries.uv.min(pin::max_uv_retries(config)), ..tries },
            settings: Settings::from(&records::parse(&settings)?).within(config),
            totals: records::parse(&totals)?,
            fingers: fingers::load(records)?,
            counter_ceiling: counter::from_stored(counter.ceiling).ok_or(Refusal::Damaged)?,
        })
    }

    fn create<S: Store, R: TryCryptoRng>(
        records: &mut Records<S>,
        rng: &mut R,
        config: &Config,
    ) -> Result<Self, Refusal> {
        if !records.is_empty()? {
            return Err(Refusal::NoState);
        }
        let state = Self {
            epoch: EpochRecord { number: 1, secret: epoch_secret(rng)?, swept: true },
            pin: PinRecord::NONE,
            tries: Tries::all(config),
            settings: Settings::factory(config),
            totals: Totals::NONE,
            fingers: Vec::new(),
            counter_ceiling: 0,
        };
        records.enter(&state.epoch);
        let mut batch = Batch::default();
        batch.put(records::EPOCH, &state.epoch);
        batch.put_pin(&state.pin, state.tries);
        batch.put(records::SETTINGS, &state.settings.record());
        batch.put(records::TOTALS, &state.totals);
        batch.put(records::COUNTER, &CounterRecord { ceiling: counter::stored(0) });
        records.commit(rng, batch)?;
        Ok(state)
    }
}

/// The secret of a new epoch.
pub(crate) fn epoch_secret<R: TryCryptoRng>(rng: &mut R) -> Result<Secret<32>, Refusal> {
    Secret::try_make(|bytes| rng.try_fill_bytes(bytes)).map_err(|_| Refusal::Entropy)
}
