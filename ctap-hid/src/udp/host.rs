//! The host end: a socket that speaks to one key.

use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::{ToSocketAddrs, UdpSocket};

use softkey_ctap::Instant;

use super::{Datagram, report};
use crate::connection::Transport;
use crate::packet::{REPORT_LEN, Report};
use crate::port::{WallClock, random_nonce};

/// The [`Transport`] to a key that listens on UDP.
pub struct UdpTransport {
    socket: UdpSocket,
    clock: WallClock,
}

impl UdpTransport {
    /// Prepares to speak to `device`; nothing is sent yet. Of several addresses behind a name the first
    /// one that the system can route to is taken.
    ///
    /// # Errors
    /// If the name or the address is of no use.
    pub fn connect(device: impl ToSocketAddrs) -> io::Result<Self> {
        let mut failure = io::Error::from(ErrorKind::AddrNotAvailable);
        for address in device.to_socket_addrs()? {
            let any: std::net::IpAddr = if address.is_ipv4() {
                std::net::Ipv4Addr::UNSPECIFIED.into()
            } else {
                std::net::Ipv6Addr::UNSPECIFIED.into()
            };
            let attempt = UdpSocket::bind((any, 0)).and_then(|socket| {
                socket.connect(address)?;
                Ok(socket)
            });
            match attempt {
                Ok(socket) => return Ok(Self { socket, clock: WallClock::start() }),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn receive_datagram(&self, datagram: &mut Datagram, timeout: Duration) -> io::Result<usize> {
        self.socket.set_nonblocking(timeout.is_zero())?;
        if !timeout.is_zero() {
            self.socket.set_read_timeout(Some(timeout))?;
        }
        self.socket.recv(datagram)
    }
}

impl Transport for UdpTransport {
    type Error = io::Error;

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn nonce(&mut self) -> io::Result<[u8; 8]> {
        random_nonce()
    }

    fn send(&mut self, report: &Report) -> io::Result<()> {
        self.socket.send(report).map(drop)
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Option<Report>> {
        let end = self.clock.now() + timeout;
        let mut datagram: Datagram = [0; REPORT_LEN + 1];
        loop {
            let left = end.duration_since(self.clock.now());
            match self.receive_datagram(&mut datagram, left) {
                Ok(length) => {
                    if let Some(report) = report(&datagram, length) {
                        return Ok(Some(*report));
                    }
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    if left.is_zero() || end <= self.clock.now() {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
