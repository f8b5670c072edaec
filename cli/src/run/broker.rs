//! Whose request the one authenticator works on: several devices, one in work at a time.
//!
//! A device never has more than one request of its own, so the broker speaks of devices only. A request that
//! comes while another device's is in work waits its turn, up to [`PATIENCE`]; then it is refused as busy,
//! which clients answer by trying again.

use std::collections::VecDeque;
use std::time::Duration;

use softkey_ctap::Instant;

/// How long a request waits for another device's.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// Names one device of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortId(pub u32);

/// The order in which devices have the authenticator.
///
/// Call [`arrive`](Self::arrive) for each request, [`withdraw`](Self::withdraw) when a device has given one
/// up, [`finish`](Self::finish) when the authenticator has answered, and [`expire`](Self::expire) at the
/// instant of [`poll_timeout`](Self::poll_timeout). It holds at most one entry a device.
#[derive(Debug, Default)]
pub struct Broker {
    work: Option<Work>,
    waiting: VecDeque<Waiting>,
}

/// The request that the authenticator has.
#[derive(Debug)]
struct Work {
    port: PortId,
    /// The device still wants the answer.
    wanted: bool,
}

#[derive(Debug)]
struct Waiting {
    port: PortId,
    until: Instant,
}

/// Where a request stood when its device took it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// The authenticator has not seen it and will not.
    Unseen,
    /// The authenticator works on it and should stop; its answer goes to nobody.
    InWork,
    /// The device had no request.
    Nothing,
}

/// What follows from an answer of the authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The device that wants the answer, if one does.
    pub answer: Option<PortId>,
    /// The device whose request begins now.
    pub next: Option<PortId>,
}

impl Broker {
    /// A request has arrived: does it begin at once?
    pub fn arrive(&mut self, now: Instant, port: PortId) -> bool {
        if self.work.is_none() {
            self.work = Some(Work { port, wanted: true });
            return true;
        }
        self.waiting.push_back(Waiting { port, until: now + PATIENCE });
        false
    }

    /// The device has given its request up.
    pub fn withdraw(&mut self, port: PortId) -> Withdrawn {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.port != port);
        if self.waiting.len() < before {
            return Withdrawn::Unseen;
        }
        match &mut self.work {
            Some(work) if work.port == port && work.wanted => {
                work.wanted = false;
                Withdrawn::InWork
            }
            _ => Withdrawn::Nothing,
        }
    }

    /// Is this device's request the one in work?
    #[must_use]
    pub fn is_in_work(&self, port: PortId) -> bool {
        self.in_work() == Some(port)
    }

    /// The device whose request is in work and whose answer is wanted.
    #[must_use]
    pub fn in_work(&self) -> Option<PortId> {
        self.work.as_ref().filter(|work| work.wanted).map(|work| work.port)
    }

    /// The authenticator has answered the request in work.
    pub fn finish(&mut self) -> Finished {
        let answer = self.in_work();
        let next = self.waiting.pop_front().map(|waiting| waiting.port);
        self.work = next.map(|port| Work { port, wanted: true });
        Finished { answer, next }
    }

    /// The next device whose request has waited too long; to be refused as busy. Call until `None`.
    pub fn expire(&mut self, now: Instant) -> Option<PortId> {
        let overdue = self.waiting.front().is_some_and(|waiting| now >= waiting.until);
        if overdue { self.waiting.pop_front().map(|waiting| waiting.port) } else { None }
    }

    /// When [`Broker::expire`] must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PortId = PortId(1);
    const B: PortId = PortId(2);
    const C: PortId = PortId(3);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// One request is in work; the others follow in the order of their coming.
    #[test]
    fn devices_have_their_turn_in_order() {
        let mut broker = Broker::default();
        assert!(broker.arrive(at(0), A));
        assert!(!broker.arrive(at(1), B));
        assert!(!broker.arrive(at(2), C));
        assert!(broker.is_in_work(A) && !broker.is_in_work(B));
        assert_eq!(broker.finish(), Finished { answer: Some(A), next: Some(B) });
        assert_eq!(broker.finish(), Finished { answer: Some(B), next: Some(C) });
        assert_eq!(broker.finish(), Finished { answer: Some(C), next: None });
        assert!(broker.arrive(at(3), B));
    }

    /// A wait ends 500 ms after the request came, not a millisecond sooner, and the one in work is untouched.
    #[test]
    fn patience_ends_after_half_a_second() {
        let mut broker = Broker::default();
        broker.arrive(at(0), A);
        broker.arrive(at(100), B);
        broker.arrive(at(150), C);
        assert_eq!(broker.poll_timeout(), Some(at(600)));
        assert_eq!(broker.expire(at(599)), None);
        assert_eq!(broker.expire(at(600)), Some(B));
        assert_eq!(broker.expire(at(600)), None);
        assert_eq!(broker.expire(at(650)), Some(C));
        assert_eq!(broker.poll_timeout(), None);
        assert_eq!(broker.finish(), Finished { answer: Some(A), next: None });
    }

    /// What was withdrawn while waiting is never begun; what was withdrawn in work goes on to its end and its
    /// answer goes to nobody, not even to a newer request of the same device.
    #[test]
    fn a_withdrawn_request_answers_nobody() {
        let mut broker = Broker::default();
        broker.arrive(at(0), A);
        broker.arrive(at(0), B);
        assert_eq!(broker.withdraw(B), Withdrawn::Unseen);
        assert_eq!(broker.withdraw(B), Withdrawn::Nothing);
        assert_eq!(broker.withdraw(A), Withdrawn::InWork);
        assert_eq!(broker.withdraw(A), Withdrawn::Nothing);
        assert!(!broker.arrive(at(1), A));
        assert_eq!(broker.finish(), Finished { answer: None, next: Some(A) });
        assert_eq!(broker.withdraw(A), Withdrawn::InWork);
        assert_eq!(broker.finish(), Finished { answer: None, next: None });
    }
}
