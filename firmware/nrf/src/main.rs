//! The key on an nRF52840, Nordic's dongle or its development kit: the chip's drivers for `softkey-embassy`.
//!
//! The button is the one for users (SW1 on the dongle, button 1 on the kit), the lamp is LED 1.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use embassy_executor::{Executor, InterruptExecutor};
use embassy_nrf::config::{Config, Debug, HfclkSource};
use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pull};
use embassy_nrf::interrupt::{InterruptExt as _, Priority};
use embassy_nrf::mode::Blocking;
use embassy_nrf::nvmc::Nvmc;
use embassy_nrf::peripherals::{USBD, WDT};
use embassy_nrf::rng::Rng;
use embassy_nrf::usb::vbus_detect::{self, HardwareVbusDetect};
use embassy_nrf::wdt::{self, HaltConfig, Watchdog, WatchdogHandle};
use embassy_nrf::{Peri, bind_interrupts, interrupt, usb};
use softkey_board::{Claim, Key, Noise, NoiseFailed, Regions, start};
use softkey_embassy::usb::{Outside, serve};
use softkey_embassy::{Link, heap, key, now, restart};
use static_cell::StaticCell;

/// Where the flash that the key may use ends.
#[cfg(feature = "nrf52840-dongle")]
const FLASH_END: u32 = 0xE_0000;
#[cfg(not(feature = "nrf52840-dongle"))]
const FLASH_END: u32 = 0x10_0000;
/// Eight seconds of the clock of 32 768 Hz.
const WATCHDOG: u32 = 8 << 15;

static FRONT: InterruptExecutor = InterruptExecutor::new();
static LINK: Link = Link::new();

bind_interrupts!(struct Interrupts {
    USBD => usb::InterruptHandler<USBD>;
    CLOCK_POWER => vbus_detect::InterruptHandler;
});

#[interrupt]
unsafe fn EGU1_SWI1() {
    // SAFETY: this is the executor's interrupt, and it is enabled by `start` only.
    unsafe { FRONT.on_interrupt() }
}

/// The chip's generator of random numbers, with its correction of bias.
struct ChipNoise(Rng<'static, Blocking>);

impl Noise for ChipNoise {
    const CLAIM: Claim = Claim::ONE_BIT;

    fn draw(&mut self, raw: &mut [u8]) -> Result<(), NoiseFailed> {
        // This generator has no state in which it gives nothing. If it were broken, the watchdog would bite.
        self.0.blocking_fill_bytes(raw);
        Ok(())
    }
}

#[entry]
fn main() -> ! {
    static BACK: StaticCell<Executor> = StaticCell::new();
    // SAFETY: called once, before anything is allocated.
    unsafe { heap::init() }
    let mut config = Config::default();
    // USB needs the crystal.
    config.hfclk_source = HfclkSource::ExternalXtal;
    // At the first start UICR.APPROTECT is written and the chip starts anew: from then on a debug probe can but erase all.
    config.debug = Debug::Disallowed;
    let chip = embassy_nrf::init(config);
    // From here on, so that a start that hangs is not the end; and after a panic it runs already.
    let dog = watchdog(chip.WDT);
    // Lamp and button close to ground.
    #[cfg(feature = "nrf52840-dongle")]
    let (lamp, button) = (
        Output::new(chip.P0_06, Level::High, OutputDrive::Standard),
        Input::new(chip.P1_06, Pull::Up),
    );
    #[cfg(not(feature = "nrf52840-dongle"))]
    let (lamp, button) = (
        Output::new(chip.P0_13, Level::High, OutputDrive::Standard),
        Input::new(chip.P0_11, Pull::Up),
    );
    let noise = Rng::new_blocking(chip.RNG);
    noise.set_bias_correction(true);
    let back = BACK.init(Executor::new());
    let flash = Nvmc::new(chip.NVMC);
    let started = start(flash, ChipNoise(noise), &Regions::before(FLASH_END), now());
    let Ok((key, channel_seed)) = started else {
        back.run(|spawner| spawner.spawn(mourn(lamp, dog).unwrap_or_else(|_| restart())))
    };
    interrupt::EGU1_SWI1.set_priority(Priority::P6);
    let front = FRONT.start(interrupt::EGU1_SWI1);
    front.spawn(usb_task(chip.USBD, channel_seed, lamp, dog).unwrap_or_else(|_| restart()));
    back.run(|spawner| spawner.spawn(key_task(key, button).unwrap_or_else(|_| restart())))
}

fn watchdog(peripheral: Peri<'static, WDT>) -> WatchdogHandle {
    let mut config = wdt::Config::default();
    config.timeout_ticks = WATCHDOG;
    config.action_during_debug_halt = HaltConfig::Pause;
    match Watchdog::try_new::<_, 1>(peripheral, config) {
        Ok((_, [handle])) => handle,
        // It runs already, as somebody before us wanted it, and cannot be changed: it must be fed all the same.
        // SAFETY: there is no other handle.
        Err(_) => unsafe { WatchdogHandle::steal::<WDT>(0) },
    }
}

/// The front half, in an interrupt.
#[embassy_executor::task]
async fn usb_task(
    usb: Peri<'static, USBD>,
    channel_seed: u32,
    lamp: Output<'static>,
    dog: WatchdogHandle,
) {
    let driver = usb::Driver::new(usb, Interrupts, HardwareVbusDetect::new(Interrupts));
    serve(driver, channel_seed, &LINK, outside(lamp, dog)).await;
}

/// The back half, in thread mode.
#[embassy_executor::task]
async fn key_task(key: Key<Nvmc<'static>, ChipNoise>, button: Input<'static>) {
    key::work(key, &LINK, || button.is_low()).await;
}

#[embassy_executor::task]
async fn mourn(lamp: Output<'static>, dog: WatchdogHandle) {
    key::mourn(outside(lamp, dog)).await;
}

fn outside(
    mut lamp: Output<'static>,
    mut dog: WatchdogHandle,
) -> Outside<impl FnMut(bool), impl FnMut()> {
    Outside { lamp: move |on| lamp.set_level(level(on)), dog: move || dog.pet() }
}

/// The lamp is lit by pulling its pin down.
const fn level(on: bool) -> Level {
    if on { Level::Low } else { Level::High }
}
