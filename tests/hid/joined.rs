//! Device and Host joined in memory, over links good and bad.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{
    Answering, Application, Connection, ConnectionError, Device, DeviceConfig, Event, HidError,
    HostError, Job, JobId, Loopback, Report, Status, Transport,
};

const START: Instant = Instant::from_millis(0);

fn device() -> Device {
    Device::new(DeviceConfig::default(), 7)
}

/// An application that waits for the user for so long, and answers CANCEL with 0x2D.
struct Patient {
    wait: Duration,
    job: Option<(JobId, Instant)>,
    aborted: usize,
}

impl Patient {
    fn new(wait: u64) -> Self {
        Self { wait: Duration::from_millis(wait), job: None, aborted: 0 }
    }
}

impl Application for Patient {
    fn attend(&mut self, now: Instant, device: &mut Device) {
        while let Some(event) = device.poll_event() {
            match event {
                Event::Cancelled(job, _) => {
                    device.answer(now, job, &[0x2D]);
                    self.job = None;
                }
                Event::Aborted(..) => {
                    self.aborted += 1;
                    self.job = None;
                }
                Event::SessionEnded(_) | Event::Wink => {}
            }
        }
        if let Some(job) = device.poll_job() {
            device.status(now, Status::UserNeeded);
            self.job = Some((job.id, now + self.wait));
        }
        if let Some((job, until)) = self.job
            && now >= until
        {
            device.answer(now, job, &[0, 1, 2, 3]);
            self.job = None;
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.job.map(|(_, until)| until)
    }
}

fn reversed(job: &Job) -> Vec<u8> {
    job.bytes.iter().rev().copied().collect()
}

#[test]
fn every_command_works_from_end_to_end() {
    let loopback = Loopback::new(device(), Answering(reversed), START);
    let mut key = Connection::open(loopback).unwrap();
    assert_eq!(key.device().unwrap().protocol_version, 2);
    assert_eq!(key.ping(&[9; 7_609]), Ok(vec![9; 7_609]));
    assert_eq!(key.cbor(&[1, 2, 3], &mut |_| ControlFlow::Continue(())), Ok(vec![3, 2, 1]));
    assert_eq!(key.msg(&[0, 3, 0, 0]), Ok(vec![0, 0, 3, 0]));
    assert_eq!(key.wink(), Ok(()));
    assert_eq!(key.lock(10), Ok(()));
    assert_eq!(key.lock(0), Ok(()));
    assert_eq!(key.lock(11), Err(ConnectionError::Host(HostError::Device(HidError::INVALID_PAR))));
    assert_eq!(key.cbor(&[], &mut |_| ControlFlow::Continue(())), Err(invalid_length()));
    assert_eq!(key.resynchronise(), Ok(()));
    assert_eq!(key.ping(b"still here"), Ok(b"still here".to_vec()));
}

fn invalid_length() -> ConnectionError<Infallible> {
    ConnectionError::Host(HostError::Device(HidError::INVALID_LEN))
}

/// HID-40 seen from the client: a wait of half a minute is no silence.
#[test]
fn a_long_wait_for_the_user_ends_in_the_answer() {
    let mut key = Connection::open(Loopback::new(device(), Patient::new(30_000), START)).unwrap();
    let mut keepalives = Vec::new();
    let answer = key.cbor(&[1], &mut |status| {
        keepalives.push(status);
        ControlFlow::Continue(())
    });
    assert_eq!(answer, Ok(vec![0, 1, 2, 3]));
    assert!(keepalives.len() >= 300);
    assert!(keepalives.iter().all(|status| *status == Status::UserNeeded));
    assert_eq!(key.into_transport().now(), Instant::from_millis(30_000));
}

/// HID-36 from end to end.
#[test]
fn breaking_off_at_a_keepalive_cancels() {
    let mut key = Connection::open(Loopback::new(device(), Patient::new(30_000), START)).unwrap();
    let mut left = 5;
    let answer = key.cbor(&[1], &mut |_| {
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(answer, Ok(vec![0x2D]));
    assert!(key.transport_mut().now() < Instant::from_millis(1_000));
    assert_eq!(key.ping(b"x"), Ok(b"x".to_vec()));
}

/// A key pulled out and put back: the old channel is gone, a new one works.
#[test]
fn a_lost_channel_is_told_and_can_be_opened_anew() {
    let mut key = Connection::open(Loopback::new(device(), Patient::new(0), START)).unwrap();
    key.transport_mut().disconnect();
    let lost = ConnectionError::Host(HostError::Device(HidError::INVALID_CHANNEL));
    assert_eq!(key.ping(b"x"), Err(lost));
    assert_eq!(key.ping(b"x"), Err(ConnectionError::Host(HostError::NotOpen)));
    assert_eq!(key.reopen(), Ok(()));
    assert_eq!(key.ping(b"x"), Ok(b"x".to_vec()));
}

/// What a bad link does to the report with this number, counted over both directions.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Lose,
    Double,
    /// Held back until the next report of the same direction has passed.
    Reorder,
}

struct BadLink<T> {
    inner: T,
    fault: Fault,
    countdown: usize,
    held_out: Option<Report>,
    held_in: Vec<Report>,
}

impl<T: Transport> BadLink<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            fault: Fault::Lose,
            countdown: usize::MAX,
            held_out: None,
            held_in: Vec::new(),
        }
    }

    fn plant(&mut self, fault: Fault, at: usize) {
        (self.fault, self.countdown) = (fault, at);
    }

    fn strikes(&mut self) -> Option<Fault> {
        let now = self.countdown == 0;
        self.countdown = self.countdown.checked_sub(1).unwrap_or(usize::MAX);
        now.then_some(self.fault)
    }
}

impl<T: Transport> Transport for BadLink<T> {
    type Error = T::Error;

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn nonce(&mut self) -> Result<[u8; 8], T::Error> {
        self.inner.nonce()
    }

    fn send(&mut self, report: &Report) -> Result<(), T::Error> {
        match self.strikes() {
            Some(Fault::Lose) => return Ok(()),
            Some(Fault::Double) => self.inner.send(report)?,
            Some(Fault::Reorder) => {
                self.held_out = Some(*report);
                return Ok(());
            }
            None => {}
        }
        self.inner.send(report)?;
        match self.held_out.take() {
            Some(held) => self.inner.send(&held),
            None => Ok(()),
        }
    }

    fn receive(&mut self, timeout: Duration) -> Result<Option<Report>, T::Error> {
        if let Some(held) = self.held_in.pop() {
            return Ok(Some(held));
        }
        let Some(report) = self.inner.receive(timeout)? else { return Ok(None) };
        match self.strikes() {
            Some(Fault::Lose) => self.receive(timeout),
            Some(Fault::Double) => {
                self.held_in.push(report);
                Ok(Some(report))
            }
            Some(Fault::Reorder) => {
                let next = self.inner.receive(timeout)?;
                self.held_in.push(report);
                Ok(next)
            }
            None => Ok(Some(report)),
        }
    }
}

/// Each report of a long exchange lost, doubled or reordered in turn: the answer is the right one or there
/// is none, the failure is a typed one, and the connection mends itself.
#[test]
fn no_single_fault_of_the_link_ever_yields_a_wrong_answer() {
    let payload: Vec<u8> = (1..=250).collect();
    let expected: Vec<u8> = payload.iter().rev().copied().collect();
    let mut outcomes = [0, 0];
    for fault in [Fault::Lose, Fault::Double, Fault::Reorder] {
        for at in 0..10 {
            let link = BadLink::new(Loopback::new(device(), Answering(reversed), START));
            let mut key = Connection::open(link).unwrap();
            key.transport_mut().plant(fault, at);
            match key.msg(&payload) {
                Ok(answer) => {
                    assert_eq!(answer, expected, "{fault:?} {at}");
                    outcomes[0] += 1;
                }
                Err(ConnectionError::Host(error)) => {
                    let typed = [
                        HostError::Timeout,
                        HostError::UnexpectedPacket,
                        HostError::Device(HidError::INVALID_SEQ),
                        HostError::Device(HidError::MSG_TIMEOUT),
                    ];
                    assert!(typed.contains(&error), "{fault:?} {at}: {error:?}");
                    outcomes[1] += 1;
                }
                Err(ConnectionError::Transport(never)) => match never {},
            }
            let after = (0..2).find_map(|_| key.msg(&payload).ok());
            assert_eq!(after.as_ref(), Some(&expected), "after {fault:?} {at}");
        }
    }
    assert!(outcomes[0] > 0 && outcomes[1] > 10, "{outcomes:?}: the faults must have struck");
}

/// HID-43 from end to end: a client that gives up on a silent application resynchronises, and the
/// application is told.
#[test]
fn a_request_given_up_is_aborted_by_the_next_one() {
    let mut key = Connection::open(Loopback::new(device(), Silent::default(), START)).unwrap();
    assert_eq!(key.msg(&[0, 3, 0, 0]), Err(ConnectionError::Host(HostError::Timeout)));
    assert_eq!(key.ping(b"x"), Ok(b"x".to_vec()));
    assert_eq!(key.transport_mut().application_mut().aborted, 1);
}

/// An application that never answers.
#[derive(Default)]
struct Silent {
    aborted: usize,
}

impl Application for Silent {
    fn attend(&mut self, _: Instant, device: &mut Device) {
        device.poll_job();
        while let Some(event) = device.poll_event() {
            self.aborted += usize::from(matches!(event, Event::Aborted(..)));
        }
    }
}
