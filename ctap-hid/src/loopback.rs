//! A device joined to a host in memory, on a clock that jumps: what tests and in-process clients use in
//! place of a wire.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::time::Duration;

use softkey_ctap::Instant;

use crate::connection::Transport;
use crate::device::{Device, Job};
use crate::packet::Report;

/// Who does the work behind a [`Device`] in the same thread: an authenticator, or a stand-in.
pub trait Application {
    /// Called after anything has changed: take the device's jobs and events, answer, set its status, and
    /// do what `now` makes due.
    fn attend(&mut self, now: Instant, device: &mut Device);

    /// When [`Application::attend`] must be called next, if nothing else happens.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// An [`Application`] that answers each job at once and hears no events.
pub struct Answering<F>(pub F);

impl<F: FnMut(&Job) -> Vec<u8>> Application for Answering<F> {
    fn attend(&mut self, now: Instant, device: &mut Device) {
        while let Some(job) = device.poll_job() {
            let answer = (self.0)(&job);
            device.answer(now, job.id, &answer);
        }
        while device.poll_event().is_some() {}
    }
}

/// The [`Transport`] to a [`Device`] in memory.
///
/// Its clock stands still while there is anything to do and otherwise jumps to the next deadline, so a
/// wait for the user of thirty seconds takes no time and every run is the same. Nonces count up.
pub struct Loopback<A> {
    device: Device,
    application: A,
    now: Instant,
    nonces: u64,
}

impl<A: Application> Loopback<A> {
    /// Joins a device and its application; the clock starts at `now`.
    pub const fn new(device: Device, application: A, now: Instant) -> Self {
        Self { device, application, now, nonces: 0 }
    }

    /// The application.
    pub const fn application_mut(&mut self) -> &mut A {
        &mut self.application
    }

    /// Lets time pass, with everything that happens meanwhile. The host hears of it at its next
    /// [`Transport::receive`].
    pub fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.wake(end) {}
        self.now = end;
    }

    /// The last reader leaves, as when a USB key is pulled out.
    pub fn disconnect(&mut self) {
        self.device.disconnect();
        self.application.attend(self.now, &mut self.device);
    }

    /// Jumps to the next deadline of device or application up to `end`, and serves it.
    fn wake(&mut self, end: Instant) -> bool {
        let wakes = [self.device.poll_timeout(), self.application.poll_timeout()];
        let Some(wake) = wakes.into_iter().flatten().min().filter(|wake| *wake <= end) else {
            return false;
        };
        self.now = self.now.max(wake);
        self.device.handle_timeout(self.now);
        self.application.attend(self.now, &mut self.device);
        true
    }
}

impl<A: Application> Transport for Loopback<A> {
    type Error = Infallible;

    fn now(&self) -> Instant {
        self.now
    }

    fn nonce(&mut self) -> Result<[u8; 8], Infallible> {
        self.nonces += 1;
        Ok(self.nonces.to_be_bytes())
    }

    fn send(&mut self, report: &Report) -> Result<(), Infallible> {
        self.device.receive(self.now, report);
        self.application.attend(self.now, &mut self.device);
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> Result<Option<Report>, Infallible> {
        let end = self.now + timeout;
        loop {
            if let Some(outgoing) = self.device.poll_report() {
                return Ok(Some(outgoing.report));
            }
            if !self.wake(end) {
                self.now = end;
                return Ok(None);
            }
        }
    }
}
