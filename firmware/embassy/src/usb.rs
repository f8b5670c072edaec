//! USB: descriptors, and the front half of the key between two endpoints.

use core::cell::RefCell;
use core::sync::atomic::Ordering;

use embassy_futures::join::{join, join5};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Timer};
use embassy_usb::class::hid::{
    Config as HidConfig, HidBootProtocol, HidReader, HidReaderWriter, HidSubclass, HidWriter, State,
};
use embassy_usb::driver::Driver;
use embassy_usb::{Builder, Config, UsbDevice, UsbVersion};
use softkey_board::{Front, Vigil};
use softkey_ctap_hid::{REPORT_DESCRIPTOR, REPORT_LEN};
use static_cell::StaticCell;

use crate::{Link, VERSION, now};

/// pid.codes' identifiers for tests: a product needs its own.
const VENDOR: u16 = 0x1209;
const PRODUCT: u16 = 0x0001;
/// How often the lamp is set, the clock is looked at and the watchdog is fed.
const TICK: Duration = Duration::from_millis(10);
/// How long thread mode may take for one turn, in milliseconds: far longer than any key pair takes.
const LONGEST_TURN: u64 = 30_000;

/// What a board has for the front half, or for what is shown where there is none.
pub struct Outside<L, D> {
    /// Switches the lamp.
    pub lamp: L,
    /// Feeds the watchdog, which must be content for at least a second then.
    pub dog: D,
}

/// Rings when there may be reports or orders to move.
type Bell = Signal<NoopRawMutex, ()>;

/// The front half, and who waits for it. All of this is one task, so a cell guards it.
struct Hall {
    front: RefCell<Front>,
    reports: Bell,
    orders: Bell,
}

impl Hall {
    fn ring(&self) {
        self.reports.signal(());
        self.orders.signal(());
    }
}

/// Serves USB for ever.
///
/// The device has no serial number, so that nobody can tell one key from another of its kind by looking at the bus.
pub async fn serve<U: Driver<'static>>(
    driver: U,
    channel_seed: u32,
    link: &Link,
    outside: Outside<impl FnMut(bool), impl FnMut()>,
) {
    let front = RefCell::new(Front::new(VERSION, channel_seed));
    let hall = Hall { front, reports: Bell::new(), orders: Bell::new() };
    let (mut device, reader, writer) = device(driver);
    join5(
        device.run(),
        join(tick(&hall, link, outside), hear(&hall, link)),
        read(&hall, reader),
        write(&hall, writer),
        order(&hall, link),
    )
    .await;
}

/// What depends on the clock.
async fn tick(hall: &Hall, link: &Link, mut outside: Outside<impl FnMut(bool), impl FnMut()>) {
    let mut vigil = Vigil::new(LONGEST_TURN);
    loop {
        let now = now();
        hall.front.borrow_mut().handle_timeout(now);
        (outside.lamp)(hall.front.borrow().is_lit(now));
        if vigil.may_feed(now, link.turns.load(Ordering::Relaxed)) {
            (outside.dog)();
        }
        hall.ring();
        Timer::after(TICK).await;
    }
}

/// Takes what the authenticator has to tell.
async fn hear(hall: &Hall, link: &Link) {
    loop {
        let notice = link.notices.receive().await;
        hall.front.borrow_mut().hear(now(), notice);
        hall.ring();
    }
}

/// Feeds what the host sends to the front.
async fn read<U: Driver<'static>>(hall: &Hall, mut reader: HidReader<'static, U, REPORT_LEN>) {
    loop {
        reader.ready().await;
        let mut report = [0; REPORT_LEN];
        while let Ok(len) = reader.read(&mut report).await {
            // A report of another length is nobody's.
            if len == REPORT_LEN {
                hall.front.borrow_mut().receive(now(), &report);
                hall.ring();
            }
        }
        // The bus was reset.
        hall.front.borrow_mut().disconnect();
        hall.ring();
    }
}

/// Sends the host what the front has for it.
async fn write<U: Driver<'static>>(hall: &Hall, mut writer: HidWriter<'static, U, REPORT_LEN>) {
    loop {
        let report = hall.front.borrow_mut().poll_report();
        match report {
            // What cannot be sent is nobody's any more: the bus was reset.
            Some(report) => drop(writer.write(&report).await),
            None => hall.reports.wait().await,
        }
    }
}

/// Hands the authenticator its orders, also while the host does not read.
async fn order(hall: &Hall, link: &Link) {
    loop {
        let order = hall.front.borrow_mut().poll_order(now());
        match order {
            Some(order) => link.orders.send(order).await,
            None => hall.orders.wait().await,
        }
    }
}

/// What the bus sees.
fn device<U: Driver<'static>>(
    driver: U,
) -> (UsbDevice<'static, U>, HidReader<'static, U, REPORT_LEN>, HidWriter<'static, U, REPORT_LEN>) {
    static CONFIGURATION: StaticCell<[u8; 64]> = StaticCell::new();
    static OBJECT_STORE: StaticCell<[u8; 16]> = StaticCell::new();
    static CONTROL: StaticCell<[u8; 64]> = StaticCell::new();
    static STATE: StaticCell<State<'static>> = StaticCell::new();
    let mut config = Config::new(VENDOR, PRODUCT);
    config.manufacturer = Some("softkey");
    config.product = Some("softkey");
    config.bcd_usb = UsbVersion::Two;
    // One interface, which says what it is.
    config.composite_with_iads = false;
    (config.device_class, config.device_sub_class, config.device_protocol) = (0, 0, 0);
    let mut builder = Builder::new(
        driver,
        config,
        CONFIGURATION.init([0; 64]),
        OBJECT_STORE.init([0; 16]),
        &mut [],
        CONTROL.init([0; 64]),
    );
    let hid = HidConfig {
        report_descriptor: &REPORT_DESCRIPTOR,
        request_handler: None,
        poll_ms: 5,
        max_packet_size: 64,
        hid_subclass: HidSubclass::No,
        hid_boot_protocol: HidBootProtocol::None,
    };
    let (reader, writer) =
        HidReaderWriter::new(&mut builder, STATE.init(State::new()), hid).split();
    (builder.build(), reader, writer)
}
