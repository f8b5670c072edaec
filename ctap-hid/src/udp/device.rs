//! The device end: a socket that any number of hosts may send to.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};

use softkey_ctap::Instant;

use super::peers::Peers;
use super::{Datagram, report};
use crate::device::{Outgoing, Peer};
use crate::packet::REPORT_LEN;
use crate::port::{Port, REPORTS_PER_PUMP, Reports};

/// A [`Port`] on a UDP socket. Every report of an answer, keepalives too, goes to the address whose packet
/// opened that transaction.
pub struct UdpPort {
    socket: UdpSocket,
    peers: Peers,
    unsent: Option<Outgoing>,
}

impl UdpPort {
    /// Binds the socket. Whoever can send to the address can use the key.
    ///
    /// # Errors
    /// If the address is taken or not this machine's.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, peers: Peers::default(), unsent: None })
    }

    /// Where hosts reach the key; tells the port number if 0 was asked for.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl Port for UdpPort {
    fn pump(&mut self, now: Instant, device: &mut dyn Reports) -> io::Result<()> {
        let mut datagram: Datagram = [0; REPORT_LEN + 1];
        for _ in 0..REPORTS_PER_PUMP {
            match self.socket.recv_from(&mut datagram) {
                Ok((length, from)) => {
                    if let Some(report) = report(&datagram, length) {
                        let peer = self.peers.number(from, device.transaction_peer());
                        device.receive_from(now, peer, report);
                        self.flush(device)?;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if is_of_one_host(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn flush(&mut self, device: &mut dyn Reports) -> io::Result<()> {
        while let Some(outgoing) = self.unsent.take().or_else(|| device.poll_report()) {
            let Some(address) = self.peers.address(outgoing.to) else { continue };
            match self.socket.send_to(&outgoing.report, address) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.unsent = Some(outgoing);
                    break;
                }
                // A datagram that cannot reach its host is that host's loss alone.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn is_stalled(&self) -> bool {
        self.unsent.is_some()
    }

    fn address(&self, peer: Peer) -> Option<SocketAddr> {
        self.peers.address(peer)
    }

    #[cfg(unix)]
    fn descriptor(&self) -> std::os::fd::BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.socket)
    }
}

/// Errors by which the system reports the fate of an earlier datagram.
fn is_of_one_host(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Interrupted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
    )
}
