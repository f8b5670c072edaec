//! Real keys on this machine's USB ports, for the host end.

use alloc::borrow::ToOwned;
use alloc::ffi::CString;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::time::Duration;
use std::fs::OpenOptions;
use std::io;

use hidapi::{HidApi, HidDevice, HidError};
use softkey_ctap::Instant;

use crate::connection::Transport;
use crate::packet::{REPORT_LEN, Report};
use crate::port::{WallClock, random_nonce};

/// The FIDO alliance's usage page, by which a key is known; vendor and product ids say nothing.
const USAGE_PAGE: u16 = 0xF1D0;
/// The authenticator's usage on that page.
const USAGE: u16 = 0x01;

/// A key that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The system's name for it; [`HidTransport::open`] takes it.
    pub path: CString,
    /// USB vendor id.
    pub vendor: u16,
    /// USB product id.
    pub product: u16,
    /// What the device says of its maker. Untrusted text.
    pub manufacturer: Option<String>,
    /// What the device says of itself. Untrusted text.
    pub name: Option<String>,
}

/// All keys that are plugged in, in the system's order. None of them is opened.
///
/// # Errors
/// If the system's devices cannot be listed.
pub fn list_keys() -> io::Result<Vec<KeyInfo>> {
    let api = HidApi::new().map_err(system_error)?;
    let keys = api.device_list().filter(|device| is_key(device.usage_page(), device.usage()));
    Ok(keys
        .map(|device| KeyInfo {
            path: device.path().to_owned(),
            vendor: device.vendor_id(),
            product: device.product_id(),
            manufacturer: device.manufacturer_string().map(String::from),
            name: device.product_string().map(String::from),
        })
        .collect())
}

const fn is_key(usage_page: u16, usage: u16) -> bool {
    usage_page == USAGE_PAGE && usage == USAGE
}

/// Keeps what the system said, so that "permission denied" can be told from "gone".
fn system_error(error: HidError) -> io::Error {
    match error {
        HidError::IoError { error } => error,
        other => io::Error::other(other),
    }
}

/// The [`Transport`] to a real key.
pub struct HidTransport {
    device: HidDevice,
    clock: WallClock,
}

impl HidTransport {
    /// Opens the key at this path, as [`list_keys`] gives it. Nothing is sent yet.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `PermissionDenied` if this user may not open it, `InvalidInput` if this
    /// can be no path; else what the system says.
    pub fn open(path: &CStr) -> io::Result<Self> {
        let text =
            path.to_str().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let api = HidApi::new().map_err(system_error)?;
        let device = api.open_path(path).map_err(|error| why_not(text, error))?;
        Ok(Self { device, clock: WallClock::start() })
    }
}

/// The library tells of a failed open in words only; the system, asked again, gives the kind.
fn why_not(path: &str, error: HidError) -> io::Error {
    let again = OpenOptions::new().read(true).write(true).open(path);
    again.err().unwrap_or_else(|| system_error(error))
}

impl Transport for HidTransport {
    type Error = io::Error;

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn nonce(&mut self) -> io::Result<[u8; 8]> {
        random_nonce()
    }

    fn send(&mut self, report: &Report) -> io::Result<()> {
        // The system wants the report's number, 0 for devices without numbers, in front.
        let mut numbered = [0; REPORT_LEN + 1];
        for (to, from) in numbered.iter_mut().skip(1).zip(report) {
            *to = *from;
        }
        match self.device.write(&numbered).map_err(system_error)? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            _ => Ok(()),
        }
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Option<Report>> {
        let end = self.clock.now() + timeout;
        let mut report = [0; REPORT_LEN];
        loop {
            let left = end.duration_since(self.clock.now()).as_millis();
            let left = i32::try_from(left).unwrap_or(i32::MAX);
            match self.device.read_timeout(&mut report, left).map_err(system_error)? {
                REPORT_LEN => return Ok(Some(report)),
                0 if end <= self.clock.now() => return Ok(None),
                // Early, or a report of another size, which is none of ours.
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_usage_and_nothing_else() {
        assert!(is_key(0xF1D0, 1));
        assert!(!is_key(0xF1D0, 2));
        assert!(!is_key(0x0001, 6));
    }

    #[test]
    fn a_path_that_is_no_device_says_why() {
        let kind = |path| HidTransport::open(path).err().map(|error| error.kind());
        assert_eq!(kind(c"/nonexistent/hidraw0"), Some(io::ErrorKind::NotFound));
        assert_eq!(kind(c"\xFF"), Some(io::ErrorKind::InvalidInput));
    }
}
