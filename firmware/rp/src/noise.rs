//! The chip's source of noise.

use softkey_board::{Claim, Noise};

#[cfg(not(feature = "pico2"))]
pub(crate) use rosc::ChipNoise;
#[cfg(feature = "pico2")]
pub(crate) use trng::ChipNoise;

/// The RP2040 has no generator of random numbers, only a ring oscillator that runs freely beside the crystal, one bit of
/// which can be read. So little is claimed for it, its samples lie far apart, and a seed takes many.
#[cfg(not(feature = "pico2"))]
mod rosc {
    use embassy_rp::clocks::RoscRng;

    use super::{Claim, Noise};

    pub(crate) struct ChipNoise(());

    impl ChipNoise {
        pub(crate) const fn new() -> Self {
            Self(())
        }
    }

    impl Noise for ChipNoise {
        const CLAIM: Claim = Claim::QUARTER_BIT;

        fn draw(&mut self, raw: &mut [u8]) {
            for byte in raw {
                *byte = (0..8).fold(0, |byte, _| {
                    // Eight readings are taken for each bit and the last one counts: some periods of the oscillator.
                    byte << 1 | RoscRng::next_u8() & 1
                });
            }
        }
    }
}

/// The RP2350's generator of true random numbers, whose own tests stay on.
#[cfg(feature = "pico2")]
mod trng {
    use embassy_rp::peripherals::TRNG;
    use embassy_rp::trng::{Config, InterruptHandler, Trng};
    use embassy_rp::{Peri, bind_interrupts};

    use super::{Claim, Noise};

    bind_interrupts!(struct Interrupts {
        TRNG_IRQ => InterruptHandler<TRNG>;
    });

    pub(crate) struct ChipNoise(Trng<'static, TRNG>);

    impl ChipNoise {
        pub(crate) fn new(trng: Peri<'static, TRNG>) -> Self {
            Self(Trng::new(trng, Interrupts, Config::default()))
        }
    }

    impl Noise for ChipNoise {
        const CLAIM: Claim = Claim::ONE_BIT;

        fn draw(&mut self, raw: &mut [u8]) {
            self.0.blocking_fill_bytes(raw);
        }
    }
}
