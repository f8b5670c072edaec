//! The board's button.

#[cfg(not(feature = "pico2"))]
pub(crate) use bootsel::ChipButton;
#[cfg(feature = "pico2")]
pub(crate) use pin::ChipButton;

/// BOOTSEL pulls at the flash's select line. Reading it stops everything that runs from flash for some microseconds, so it
/// is read only while a question is open.
#[cfg(not(feature = "pico2"))]
mod bootsel {
    use embassy_rp::Peri;
    use embassy_rp::bootsel::is_bootsel_pressed;
    use embassy_rp::peripherals::BOOTSEL;

    pub(crate) struct ChipButton(Peri<'static, BOOTSEL>);

    impl ChipButton {
        pub(crate) const fn new(button: Peri<'static, BOOTSEL>) -> Self {
            Self(button)
        }

        pub(crate) fn is_pressed(&mut self) -> bool {
            is_bootsel_pressed(self.0.reborrow())
        }
    }
}

/// A button between a pin and ground.
#[cfg(feature = "pico2")]
mod pin {
    use embassy_rp::Peri;
    use embassy_rp::gpio::{Input, Pull};
    use embassy_rp::peripherals::PIN_15;

    pub(crate) struct ChipButton(Input<'static>);

    impl ChipButton {
        pub(crate) fn new(pin: Peri<'static, PIN_15>) -> Self {
            Self(Input::new(pin, Pull::Up))
        }

        pub(crate) fn is_pressed(&mut self) -> bool {
            self.0.is_low()
        }
    }
}
