//! The chip's source of noise.

use softkey_board::{Claim, Noise, NoiseFailed};

#[cfg(not(feature = "pico2"))]
pub(crate) use rosc::ChipNoise;
#[cfg(feature = "pico2")]
pub(crate) use trng::ChipNoise;

/// The RP2040 has no generator of random numbers, only a ring oscillator that runs freely beside the crystal, one bit of
/// which can be read. So little is claimed for it, its samples lie far apart, and a seed takes many.
#[cfg(not(feature = "pico2"))]
mod rosc {
    use embassy_rp::clocks::RoscRng;

    use super::{Claim, Noise, NoiseFailed};

    pub(crate) struct ChipNoise(());

    impl ChipNoise {
        pub(crate) const fn new() -> Self {
            Self(())
        }
    }

    impl Noise for ChipNoise {
        const CLAIM: Claim = Claim::QUARTER_BIT;

        fn draw(&mut self, raw: &mut [u8]) -> Result<(), NoiseFailed> {
            for byte in raw {
                *byte = (0..8).fold(0, |byte, _| {
                    // Eight readings are taken for each bit and the last one counts: some periods of the oscillator.
                    byte << 1 | RoscRng::next_u8() & 1
                });
            }
            Ok(())
        }
    }
}

/// The RP2350's generator of true random numbers: another ring oscillator, sampled by the chip.
///
/// Its own tests are off, as they are in the boot ROM and in Raspberry Pi's SDK: with them it is known to
/// try for ever. So are its corrections, so that our tests see the samples themselves. For that the samples lie far apart,
/// and little is claimed for them.
#[cfg(feature = "pico2")]
mod trng {
    use core::future::poll_fn;
    use core::task::Poll;

    use embassy_futures::block_on;
    use embassy_futures::select::{Either, select};
    use embassy_rp::peripherals::TRNG;
    use embassy_rp::trng::{Config, InterruptHandler, Trng};
    use embassy_rp::{Peri, bind_interrupts};
    use embassy_time::{Duration, Instant};

    use super::{Claim, Noise, NoiseFailed};

    bind_interrupts!(struct Interrupts {
        TRNG_IRQ => InterruptHandler<TRNG>;
    });

    /// Cycles of the system's clock between two samples, 40 times what the vendor names for all of its tests to pass mostly.
    const SAMPLE: u32 = 1000;
    /// How long a draw may take. At 150 MHz a block of 24 bytes takes 1.3 ms, so that one of 64 takes 4 ms.
    const PATIENCE: Duration = Duration::from_secs(1);

    pub(crate) struct ChipNoise(Trng<'static, TRNG>);

    impl ChipNoise {
        pub(crate) fn new(trng: Peri<'static, TRNG>) -> Self {
            let mut config = Config::default();
            config.disable_autocorrelation_test = true;
            config.disable_crngt_test = true;
            config.disable_von_neumann_balancer = true;
            config.sample_count = SAMPLE;
            Self(Trng::new(trng, Interrupts, config))
        }
    }

    impl Noise for ChipNoise {
        const CLAIM: Claim = Claim::QUARTER_BIT;

        fn draw(&mut self, raw: &mut [u8]) -> Result<(), NoiseFailed> {
            // The driver's blocking call waits for ever if the chip gives nothing. A timer needs an executor: this asks the
            // clock in a loop.
            let until = Instant::now() + PATIENCE;
            let late =
                poll_fn(|_| if Instant::now() < until { Poll::Pending } else { Poll::Ready(()) });
            match block_on(select(self.0.fill_bytes(raw), late)) {
                Either::First(()) => Ok(()),
                Either::Second(()) => Err(NoiseFailed),
            }
        }
    }
}
