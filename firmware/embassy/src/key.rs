//! The authenticator in thread mode, and what is shown where there is none.

use embassy_futures::select::{Either, select};
use embassy_sync::channel::TrySendError;
use embassy_time::{Duration, Timer};
use embedded_storage::nor_flash::NorFlash;
use softkey_board::{Button, Key, Light, Noise, Notice, Signal};

use crate::usb::Outside;
use crate::{Link, now};

/// How often the button is read and the deadlines are looked at.
const TICK: Duration = Duration::from_millis(10);

/// Works for ever. `pressed` reads the button, which may be expensive: it is asked only while a question is open.
pub async fn work<F: NorFlash, N: Noise>(
    mut key: Key<F, N>,
    link: &Link,
    mut pressed: impl FnMut() -> bool,
) {
    let mut button = Button::new();
    let mut tell = |notice: Notice| {
        let mut waiting = Some(notice);
        // The other half takes it in an interrupt: this does not wait for long.
        while let Some(notice) = waiting.take() {
            waiting = match link.notices.try_send(notice) {
                Ok(()) => None,
                Err(TrySendError::Full(notice)) => Some(notice),
            };
        }
    };
    loop {
        link.turned();
        if let Either::First(order) = select(link.orders.receive(), Timer::after(TICK)).await {
            key.obey(now(), order, &mut tell);
        }
        if key.asking().is_some() {
            button.read(now(), pressed());
        }
        key.turn(now(), |ask| button.answer(now(), ask), &mut tell);
    }
}

/// Shows for ever that the key does not start, and keeps the watchdog from starting the chip anew: that would mend nothing.
pub async fn mourn(mut outside: Outside<impl FnMut(bool), impl FnMut()>) {
    let mut light = Light::new();
    light.show(Signal::Broken);
    loop {
        (outside.lamp)(light.is_on(now()));
        (outside.dog)();
        Timer::after(TICK).await;
    }
}
