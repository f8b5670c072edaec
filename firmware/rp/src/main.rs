//! The key on a Raspberry Pi Pico (RP2040) and Pico 2 (RP2350): the chip's drivers for `softkey-embassy`.
//!
//! The lamp is the green one on the board. The button is BOOTSEL on the Pico; the Pico 2's cannot be read by embassy, so
//! there it is one between GP15 and ground.
#![no_std]
#![no_main]

mod button;
mod noise;

use cortex_m_rt::entry;
use embassy_executor::{Executor, InterruptExecutor};
use embassy_rp::flash::{Blocking, Flash};
use embassy_rp::gpio::{Level, Output};
use embassy_rp::interrupt::{InterruptExt as _, Priority};
use embassy_rp::peripherals::{FLASH, USB};
use embassy_rp::watchdog::Watchdog;
use embassy_rp::{Peri, bind_interrupts, interrupt, usb};
use embassy_time::Duration;
use softkey_board::{Key, Regions, start};
use softkey_embassy::usb::{Outside, serve};
use softkey_embassy::{Link, heap, key, now, restart};
use static_cell::StaticCell;

use button::ChipButton;
use noise::ChipNoise;

#[cfg(feature = "pico2")]
const FLASH_SIZE: usize = 4 << 20;
#[cfg(not(feature = "pico2"))]
const FLASH_SIZE: usize = 2 << 20;
/// The hardware allows 8.3 seconds.
const WATCHDOG: Duration = Duration::from_secs(8);

static FRONT: InterruptExecutor = InterruptExecutor::new();
static LINK: Link = Link::new();

bind_interrupts!(struct Interrupts {
    USBCTRL_IRQ => usb::InterruptHandler<USB>;
});

type ChipFlash = Flash<'static, FLASH, Blocking, FLASH_SIZE>;

#[interrupt]
unsafe fn SWI_IRQ_1() {
    // SAFETY: this is the executor's interrupt, and it is enabled by `start` only.
    unsafe { FRONT.on_interrupt() }
}

#[entry]
fn main() -> ! {
    static BACK: StaticCell<Executor> = StaticCell::new();
    // SAFETY: called once, before anything is allocated.
    unsafe { heap::init() }
    let chip = embassy_rp::init(embassy_rp::config::Config::default());
    // From here on, so that a start that hangs is not the end.
    let mut dog = Watchdog::new(chip.WATCHDOG);
    dog.start(WATCHDOG);
    let lamp = Output::new(chip.PIN_25, Level::Low);
    let flash = Flash::new_blocking(chip.FLASH);
    #[cfg(feature = "pico2")]
    let (noise, button) = (ChipNoise::new(chip.TRNG), ChipButton::new(chip.PIN_15));
    #[cfg(not(feature = "pico2"))]
    let (noise, button) = (ChipNoise::new(), ChipButton::new(chip.BOOTSEL));
    let back = BACK.init(Executor::new());
    let end = u32::try_from(FLASH_SIZE).unwrap_or_default();
    let Ok((key, channel_seed)) = start(flash, noise, &Regions::before(end), now()) else {
        back.run(|spawner| spawner.spawn(mourn(lamp, dog).unwrap_or_else(|_| restart())))
    };
    interrupt::SWI_IRQ_1.set_priority(Priority::P3);
    let front = FRONT.start(interrupt::SWI_IRQ_1);
    front.spawn(usb_task(chip.USB, channel_seed, lamp, dog).unwrap_or_else(|_| restart()));
    back.run(|spawner| spawner.spawn(key_task(key, button).unwrap_or_else(|_| restart())))
}

/// The front half, in an interrupt.
#[embassy_executor::task]
async fn usb_task(
    usb: Peri<'static, USB>,
    channel_seed: u32,
    lamp: Output<'static>,
    dog: Watchdog,
) {
    let driver = usb::Driver::new(usb, Interrupts);
    serve(driver, channel_seed, &LINK, outside(lamp, dog)).await;
}

/// The back half, in thread mode.
#[embassy_executor::task]
async fn key_task(key: Key<ChipFlash, ChipNoise>, mut button: ChipButton) {
    key::work(key, &LINK, || button.is_pressed()).await;
}

#[embassy_executor::task]
async fn mourn(lamp: Output<'static>, dog: Watchdog) {
    key::mourn(outside(lamp, dog)).await;
}

fn outside(
    mut lamp: Output<'static>,
    mut dog: Watchdog,
) -> Outside<impl FnMut(bool), impl FnMut()> {
    Outside { lamp: move |on: bool| lamp.set_level(on.into()), dog: move || dog.feed(WATCHDOG) }
}
