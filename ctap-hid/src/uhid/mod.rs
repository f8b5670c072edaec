//! The device end as a virtual USB key of the Linux kernel, over the uhid node. Browsers and ssh see it
//! as they see any key. This file owns the node's life; [`event`] owns its bytes.

mod event;

use alloc::vec;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags};
use softkey_ctap::Instant;

use self::event::{EVENT_LEN, KernelEvent};
use crate::device::Peer;
use crate::port::{Port, REPORTS_PER_PUMP, Reports};
use crate::readers::Readers;

/// The node through which programs make virtual HID devices. Write access to it is the power to fake any
/// input device, a keyboard too.
const NODE: &str = "/dev/uhid";
/// What a control transfer this device does not know is answered with: `EIO`.
const EIO: u16 = 5;

/// How the kernel and clients see the device: on the USB bus, with an empty serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Product name, at most 127 bytes.
    pub name: &'a str,
    /// USB vendor id.
    pub vendor: u16,
    /// USB product id.
    pub product: u16,
    /// Device release.
    pub version: u16,
}

impl Default for Identity<'_> {
    /// `softkey`, 0x1209:0x0001: every installation is the same.
    fn default() -> Self {
        Self { name: "softkey", vendor: 0x1209, product: 0x0001, version: 0 }
    }
}

/// A [`Port`] that is a virtual USB key. It appears when this is made and is gone when this is dropped.
///
/// Reports go to whoever has the device open; with nobody there the kernel drops them. A second after the
/// last reader has closed it (see [`Readers`]) the device is disconnected.
pub struct UhidPort {
    node: File,
    readers: Readers,
}

impl UhidPort {
    /// Opens the uhid node and makes the device.
    ///
    /// # Errors
    /// `NotFound` if the kernel has no uhid or its module is not loaded, `PermissionDenied` if this user
    /// may not open the node; else what the kernel says.
    pub fn open(identity: &Identity<'_>) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let node = rustix::fs::open(NODE, flags, Mode::empty())?;
        Self::with_node(File::from(node), identity)
    }

    /// Makes the device on a node that is open already, read and write, non-blocking: handed over by
    /// whoever had the right to open it.
    ///
    /// # Errors
    /// What the kernel says to the making of the device.
    pub fn with_node(mut node: File, identity: &Identity<'_>) -> io::Result<Self> {
        write_event(&mut node, &event::create2(identity))?;
        Ok(Self { node, readers: Readers::new() })
    }

    /// Takes the device away, as when a USB key is pulled out. Dropping does the same without telling of
    /// errors.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn destroy(mut self) -> io::Result<()> {
        write_event(&mut self.node, &event::destroy())
    }

    /// The next event from the kernel; `None` if there is none now.
    fn read_event(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.node.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => return Ok(Some(length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn handle_event(
        &mut self,
        now: Instant,
        event: &KernelEvent,
        device: &mut dyn Reports,
    ) -> io::Result<()> {
        match event {
            KernelEvent::Start => {}
            KernelEvent::Stop => {
                self.readers = Readers::new();
                device.disconnect();
            }
            KernelEvent::Open => self.readers.handle_open(),
            KernelEvent::Close => self.readers.handle_close(now),
            KernelEvent::Output(report) => device.receive_from(now, Peer::default(), report),
            KernelEvent::GetReport { id } => {
                write_event(&mut self.node, &event::get_report_reply(*id, EIO))?;
            }
            KernelEvent::SetReport { id } => {
                write_event(&mut self.node, &event::set_report_reply(*id, EIO))?;
            }
        }
        self.flush(device)
    }
}

impl Port for UhidPort {
    fn pump(&mut self, now: Instant, device: &mut dyn Reports) -> io::Result<()> {
        let mut buffer = vec![0; EVENT_LEN];
        for _ in 0..REPORTS_PER_PUMP {
            let Some(length) = self.read_event(&mut buffer)? else { break };
            if let Some(event) = buffer.get(..length).and_then(event::decode) {
                self.handle_event(now, &event, device)?;
            }
        }
        // After the events, so that an open that came in time is heard before its deadline is judged.
        if self.readers.handle_timeout(now) {
            device.disconnect();
        }
        Ok(())
    }

    fn flush(&mut self, device: &mut dyn Reports) -> io::Result<()> {
        while let Some(outgoing) = device.poll_report() {
            write_event(&mut self.node, &event::input2(&outgoing.report))?;
        }
        Ok(())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.readers.poll_timeout()
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.node.as_fd()
    }
}

/// One event is one write.
fn write_event(node: &mut File, event: &[u8]) -> io::Result<()> {
    loop {
        match node.write(event) {
            Ok(length) if length == event.len() => return Ok(()),
            Ok(_) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
