//! How long a virtual USB device waits before it believes that its last reader is gone.

use core::time::Duration;

use softkey_ctap::Instant;

/// From the last reader's close to the end of everything it left behind.
const GRACE: Duration = Duration::from_secs(1);

/// Whether anybody reads the device.
///
/// Clients open and close a device only to list it, many times a second, and the kernel tells of the
/// first open and the last close alone. So a close counts only when no open follows within a second;
/// then what is pending is to be cancelled and all channels are freed
/// ([`Device::disconnect`](crate::Device::disconnect)).
#[derive(Debug, Default)]
pub struct Readers {
    gone_at: Option<Instant>,
}

impl Readers {
    /// Nobody has read yet, and nobody has left.
    #[must_use]
    pub const fn new() -> Self {
        Self { gone_at: None }
    }

    /// The first reader has opened the device.
    pub const fn handle_open(&mut self) {
        self.gone_at = None;
    }

    /// The last reader has closed the device.
    pub fn handle_close(&mut self, now: Instant) {
        self.gone_at = Some(now + GRACE);
    }

    /// True, once, when the last reader is gone for good.
    #[must_use]
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let gone = self.gone_at.is_some_and(|at| now >= at);
        if gone {
            self.gone_at = None;
        }
        gone
    }

    /// When [`Readers::handle_timeout`] must be called next.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.gone_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn the_last_reader_is_gone_one_second_after_its_close_and_only_once() {
        let mut readers = Readers::new();
        readers.handle_open();
        assert_eq!(readers.poll_timeout(), None);
        readers.handle_close(at(5_000));
        assert_eq!(readers.poll_timeout(), Some(at(6_000)));
        assert!(!readers.handle_timeout(at(5_999)));
        assert!(readers.handle_timeout(at(6_000)));
        assert!(!readers.handle_timeout(at(9_000)));
        assert_eq!(readers.poll_timeout(), None);
    }

    #[test]
    fn a_listing_that_opens_again_in_time_disturbs_nobody() {
        let mut readers = Readers::new();
        for round in 0..100 {
            readers.handle_open();
            readers.handle_close(at(round * 999));
            assert!(!readers.handle_timeout(at(round * 999 + 998)));
        }
        readers.handle_open();
        assert!(!readers.handle_timeout(at(1_000_000)));
    }
}
