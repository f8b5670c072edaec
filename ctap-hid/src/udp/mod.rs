//! CTAPHID over UDP: one report of 64 bytes per datagram, other datagrams dropped. What known simulators
//! speak, for machines without a virtual USB bus.

mod device;
mod host;
mod peers;

pub use self::device::UdpPort;
pub use self::host::UdpTransport;

use crate::packet::{REPORT_LEN, Report};

/// One byte more than a report, so that a longer datagram shows.
type Datagram = [u8; REPORT_LEN + 1];

/// The report in a datagram of this many bytes, if it is one.
fn report(datagram: &Datagram, length: usize) -> Option<&Report> {
    datagram.first_chunk().filter(|_| length == REPORT_LEN)
}
