//! Addresses and the numbers the device knows them by.

use alloc::vec::Vec;
use std::net::SocketAddr;

use crate::device::Peer;

/// Addresses remembered; the least recently heard goes first.
const LIMIT: usize = 64;

/// The addresses heard last. A number is never given to a second address.
#[derive(Default)]
pub(super) struct Peers {
    /// Least recently heard first.
    heard: Vec<(Peer, SocketAddr)>,
    last: u64,
}

impl Peers {
    /// The number of the address just heard. `keep`, the peer of the transaction in work, is not
    /// forgotten, however many others call.
    pub(super) fn number(&mut self, address: SocketAddr, keep: Option<Peer>) -> Peer {
        let known = self.heard.iter().position(|(_, known)| *known == address);
        let entry = if let Some(index) = known {
            self.heard.remove(index)
        } else {
            self.forget_one(keep);
            self.last += 1;
            (Peer(self.last), address)
        };
        self.heard.push(entry);
        entry.0
    }

    /// The address behind a number.
    pub(super) fn address(&self, peer: Peer) -> Option<SocketAddr> {
        self.heard.iter().find(|(number, _)| *number == peer).map(|(_, address)| *address)
    }

    fn forget_one(&mut self, keep: Option<Peer>) {
        if self.heard.len() >= LIMIT
            && let Some(index) = self.heard.iter().position(|(peer, _)| Some(*peer) != keep)
        {
            self.heard.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn an_address_keeps_its_number_and_no_number_is_used_twice() {
        let mut peers = Peers::default();
        let first = peers.number(address(1), None);
        let second = peers.number(address(2), None);
        assert_ne!(first, second);
        assert_eq!(peers.number(address(1), None), first);
        assert_eq!(peers.address(second), Some(address(2)));
        assert_eq!(peers.address(Peer(0)), None);
    }

    #[test]
    fn the_table_has_a_limit_and_the_working_peer_stays() {
        let mut peers = Peers::default();
        let working = peers.number(address(1), None);
        for port in 2..10_000 {
            peers.number(address(port), Some(working));
            assert!(peers.heard.len() <= LIMIT);
        }
        assert_eq!(peers.address(working), Some(address(1)));
        peers.number(address(10_000), None);
        assert_eq!(peers.address(working), None);
    }
}
