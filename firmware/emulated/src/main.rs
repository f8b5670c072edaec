//! The key on a Cortex-M4 that QEMU emulates (mps2-an386).
//!
//! Everything is as on a real board, the two halves too: reports are moved in an interrupt, here the timer's, and the
//! authenticator works beneath it. Only USB, button, clock, noise and flash are the shared memory of `shared.rs`.
#![no_std]
#![no_main]

extern crate alloc;

mod memory;
mod shared;

use core::cell::{Cell, RefCell};
use core::panic::PanicInfo;

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::{debug, hprintln};
use critical_section::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::{Channel, TrySendError};
use softkey_authenticator::{Answer, Ask, Question};
use softkey_board::{Front, Notice, Order, Regions, start_behind};
use softkey_ctap::Instant;

use shared::{SharedFlash, SharedNoise};

/// A millisecond of the processor's 25 MHz.
const TICKS: u32 = 25_000;

static FRONT: Mutex<RefCell<Option<Front>>> = Mutex::new(RefCell::new(None));
static ORDERS: Channel<CriticalSectionRawMutex, Order, 4> = Channel::new();
static NOTICES: Channel<CriticalSectionRawMutex, Notice, 4> = Channel::new();
/// Had the front nothing to do when it was served last, and when will it have something?
static IDLE: Mutex<Cell<Option<Idle>>> = Mutex::new(Cell::new(None));

/// A front with nothing to do, until then if it ever will have something by itself.
#[derive(Clone, Copy)]
struct Idle(Option<Instant>);

#[entry]
fn main() -> ! {
    memory::init();
    let regions = Regions::before(SharedFlash::LEN);
    let noise = SharedNoise::new();
    let started = start_behind(SharedFlash, noise, &regions, shared::now(), shared::max_msg_size());
    let (mut key, channel_seed) = match started {
        Ok(started) => started,
        Err(broken) => stop(format_args!("the key does not start: {broken:?}")),
    };
    let front = Front::new([0, 1, 0], channel_seed);
    critical_section::with(|section| FRONT.borrow(section).replace(Some(front)));
    if let Some(core) = cortex_m::Peripherals::take() {
        run_timer(core.SYST);
    }
    shared::announce();
    loop {
        let roused = shared::roused();
        if let Ok(order) = ORDERS.try_receive() {
            key.obey(shared::now(), order, &mut tell);
        }
        if cfg!(feature = "plant") {
            serve_front();
        }
        key.turn(shared::now(), touched, &mut tell);
        if shared::wants_measures() {
            shared::measured(memory::HEAP, memory::heap_peak(), memory::stack_peak());
        }
        critical_section::with(|section| IDLE.borrow(section).set(None));
        // Whoever has nothing to do need not wait for the timer.
        SCB::set_pendst();
        cortex_m::asm::isb();
        if cfg!(feature = "plant") {
            serve_front();
        }
        let idle = critical_section::with(|section| IDLE.borrow(section).get());
        if let Some(Idle(front)) = idle
            && ORDERS.is_empty()
        {
            let due = [front, key.poll_timeout()].into_iter().flatten().min();
            if due.is_none_or(|due| due > shared::now()) {
                shared::rests(roused, due, key.asking());
            }
        }
    }
}

fn run_timer(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(TICKS - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

/// The front half: takes microseconds, whatever the authenticator is about.
#[exception]
fn SysTick() {
    if !cfg!(feature = "plant") {
        serve_front();
    }
}

fn serve_front() {
    critical_section::with(|section| {
        if let Some(front) = FRONT.borrow_ref_mut(section).as_mut() {
            let idle = serve(front).then(|| Idle(front.poll_timeout()));
            IDLE.borrow(section).set(idle);
        }
    });
}

/// Moves what there is to move; true if there was nothing.
fn serve(front: &mut Front) -> bool {
    let mut idle = true;
    let now = shared::now();
    front.handle_timeout(now);
    while let Ok(notice) = NOTICES.try_receive() {
        front.hear(now, notice);
        idle = false;
    }
    if let Some(report) = shared::receive() {
        front.receive(now, &report);
        idle = false;
    }
    while !ORDERS.is_full()
        && let Some(order) = front.poll_order(now)
    {
        // There is room, and nobody else sends.
        let _ = ORDERS.try_send(order);
        idle = false;
    }
    shared::show(front.is_lit(now));
    if !shared::may_send() {
        return false;
    }
    if let Some(report) = front.poll_report() {
        shared::send(&report);
        return false;
    }
    idle && shared::has_taken_all()
}

fn tell(notice: Notice) {
    let mut waiting = Some(notice);
    // The timer's interrupt makes room.
    while let Some(notice) = waiting.take() {
        waiting = match NOTICES.try_send(notice) {
            Ok(()) => None,
            Err(TrySendError::Full(notice)) => Some(notice),
        };
    }
}

/// The button is the user's only word: yes.
fn touched(ask: &Ask) -> Option<Answer> {
    if cfg!(feature = "plant") && ask.question == Question::Presence {
        return Some(Answer::Yes);
    }
    let held = shared::button()?;
    let enough = match ask.question {
        Question::Presence => true,
        Question::LongPresence => held,
        _ => false,
    };
    if !enough {
        return None;
    }
    shared::release_button();
    Some(Answer::Yes)
}

/// Ends the emulation with a failure.
fn stop(why: core::fmt::Arguments<'_>) -> ! {
    hprintln!("{}", why);
    loop {
        debug::exit(debug::EXIT_FAILURE);
    }
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    stop(format_args!("{info}"))
}
