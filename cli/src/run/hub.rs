//! The loop that `softkey run` is: one thread that waits for everything and never for long.
//!
//! It owns the CTAPHID devices, the owner's terminal and socket, and the clock. The authenticator works in the
//! [`worker`](super::worker), so whatever takes its time there, INIT is answered and keepalives leave here.
//! Each turn: do what is due, give out and take back work, then sleep until a descriptor or a deadline wakes
//! it. Nothing that a host sends can make it wait, stop or grow: each device holds one message, the broker one
//! entry a device, the worker one request and one end of session for each channel it has heard from.

mod owner;
mod wait;

use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream;

use softkey_authenticator::Refusal;
use softkey_ctap::{Instant, StatusCode};
use softkey_ctap_hid::{Event as DeviceEvent, Job, JobKind, Status, WallClock};

use super::broker::{Broker, PortId, Withdrawn};
use super::control::{ClientId, ControlSocket};
use super::desk::{Desk, Typed};
use super::event::{Answered, Event};
use super::key_clock::KeyClock;
use super::ledger::Ledger;
use super::request::Summary;
use super::slot::{Request, Slot};
use super::worker::{Gone, Order, Report, Worker};
use crate::doctor;
use crate::error::{CliError, Exit};

/// Everything `softkey run` consists of.
pub struct Hub {
    /// The clock of this process.
    pub clock: WallClock,
    /// The authenticator's.
    pub key_clock: KeyClock,
    /// The authenticator.
    pub worker: Worker,
    /// The devices.
    pub slots: Vec<Slot>,
    /// The owner.
    pub desk: Desk,
    /// The owner's socket.
    pub control: Option<ControlSocket>,
    /// Becomes readable when the key is to be unplugged for good.
    pub stop: UnixStream,
    /// Where credentials are kept, for people.
    pub memory: String,
    /// Whose turn it is.
    pub state: State,
}

/// What changes while the hub runs.
#[derive(Debug, Default)]
pub struct State {
    broker: Broker,
    ledger: Ledger,
    /// Which kind of request asks the open question.
    asking: Option<JobKind>,
    /// The key is plugged in.
    powered: bool,
    power_cycles: u64,
    /// Clients of the control socket that wait for the key to come back.
    replugging: Vec<ClientId>,
    /// Those that wait for time to pass.
    advancing: VecDeque<ClientId>,
    stopping: bool,
}

impl Hub {
    /// Plugs the key in and serves until it is told to stop; then unplugs it.
    ///
    /// # Errors
    ///
    /// If the key gets no power, or cannot be shown at the places asked for or at none any more.
    pub fn run(mut self) -> Result<(), CliError> {
        self.worker.order(Order::PowerUp);
        let served = self.serve();
        self.unplug();
        self.control = None;
        if served.is_ok() {
            let requests = self.state.ledger.answered();
            self.desk.event(&Event::Stopped { requests });
        }
        self.worker.stop();
        self.desk.stop();
        served
    }

    fn serve(&mut self) -> Result<(), CliError> {
        while !self.state.stopping {
            let now = self.clock.now();
            self.desk.handle_timeout(now);
            self.expire(now);
            self.pump(now)?;
            let ready = self.wait().map_err(|error| broken("The system's poll", &error))?;
            let now = self.clock.now();
            self.worker.quiet();
            while let Some(report) = self.worker.poll().map_err(|Gone| worker_gone())? {
                self.take_report(now, report)?;
            }
            if ready.terminal {
                for typed in self.desk.read_terminal(now) {
                    match typed {
                        Typed::Verdict(verdict) => self.decide(now, verdict),
                        Typed::Replug => self.replug(),
                    }
                }
            }
            self.take_orders(now);
            self.state.stopping |= ready.stop;
        }
        Ok(())
    }

    /// Requests that have waited too long for another device's are refused.
    fn expire(&mut self, now: Instant) {
        while let Some(port) = self.state.broker.expire(now) {
            if let Some(slot) = slot(&mut self.slots, port)
                && let Some(request) = slot.job.take()
            {
                slot.device.busy(now, request.id);
            }
        }
    }

    /// Lets the devices hear and speak, and takes their requests and events.
    fn pump(&mut self, now: Instant) -> Result<(), CliError> {
        if !self.state.powered {
            return Ok(());
        }
        let mut lost = Vec::new();
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(index) else { break };
            let id = slot.id;
            let pumped = slot.pump(now);
            self.take_events(now, id);
            self.take_job(now, id);
            let flushed = slot_flush(&mut self.slots, id);
            if let Err(error) = pumped.and(flushed) {
                lost.push((id, error));
            }
        }
        for (id, error) in lost {
            self.lose(id, &error)?;
        }
        Ok(())
    }

    fn take_events(&mut self, now: Instant, id: PortId) {
        while let Some(slot) = slot(&mut self.slots, id)
            && let Some(event) = slot.device.poll_event()
        {
            match event {
                DeviceEvent::Cancelled(..) | DeviceEvent::Aborted(..) => {
                    let answered = matches!(event, DeviceEvent::Cancelled(..));
                    self.withdraw(now, id, answered);
                }
                DeviceEvent::SessionEnded(channel) => {
                    if slot.end_session(channel) {
                        let session = slot.via(channel).session;
                        self.worker.order(Order::SessionEnded(session));
                    }
                }
                DeviceEvent::Wink => {
                    let device = slot.name();
                    self.desk.event(&Event::Wink { device });
                }
            }
        }
    }

    /// A client cancels its request and wants an answer all the same, or gives it up and wants none.
    fn withdraw(&mut self, now: Instant, id: PortId, answered: bool) {
        let Some(slot) = slot(&mut self.slots, id) else { return };
        let Some(via) = slot.job.as_ref().map(|request| request.via) else { return };
        if answered && self.state.broker.is_in_work(id) {
            // Its answer, whichever comes first, goes the ordinary way.
            return self.worker.order(Order::Cancel(via));
        }
        let withdrawn = self.state.broker.withdraw(id);
        let request = slot.job.take();
        match (withdrawn, request) {
            (Withdrawn::InWork, _) => self.worker.order(Order::Cancel(via)),
            (_, Some(request)) if answered => {
                self.reply(now, id, request, &[StatusCode::KEEPALIVE_CANCEL.0]);
            }
            _ => {}
        }
    }

    fn take_job(&mut self, now: Instant, id: PortId) {
        let Some(slot) = slot(&mut self.slots, id) else { return };
        let Some(job) = slot.device.poll_job() else { return };
        let Job { id: job, channel, kind, bytes } = job;
        slot.note_talk(channel);
        let summary = Summary::of(kind, &bytes);
        let line = Answered::new(slot.name(), slot.requester(), channel.as_u32(), summary);
        let via = slot.via(channel);
        let packets = self.desk.packet_faults(kind, &bytes);
        slot.job =
            Some(Request { id: job, kind, via, bytes: Some(bytes), since: now, line, packets });
        if self.state.broker.arrive(now, id) {
            self.begin(id);
        }
    }

    /// The request of this device is the next that the authenticator works on.
    fn begin(&mut self, id: PortId) {
        if let Some(request) = slot(&mut self.slots, id).and_then(|slot| slot.job.as_mut())
            && let Some(bytes) = request.bytes.take()
        {
            if request.kind == JobKind::Cbor {
                self.state.ledger.begin();
            }
            self.worker.order(Order::Begin { via: request.via, kind: request.kind, bytes });
        }
    }

    fn take_report(&mut self, now: Instant, report: Report) -> Result<(), CliError> {
        match report {
            Report::Powered(powered) => {
                powered?;
                self.plug(now)
            }
            Report::Advanced => {
                self.answer_advance();
                Ok(())
            }
            // What the old power left behind on its way.
            _ if !self.state.powered => Ok(()),
            Report::Question { ask, kind } => {
                self.state.asking = ask.is_some().then_some(kind);
                if ask.is_some() {
                    self.state.ledger.asked(kind);
                    self.announce_wait(now);
                }
                if let Some(verdict) = self.desk.question(now, ask.as_ref()) {
                    self.decide(now, verdict);
                }
                Ok(())
            }
            Report::Answer { bytes, refusal, faults } => {
                self.answer(now, &bytes, refusal, faults);
                Ok(())
            }
            Report::StoreFailed(how) => {
                let what = format!("{} could not be used: {how}", self.memory);
                self.desk.event(&Event::Notice { what });
                Ok(())
            }
        }
    }

    /// The request in work has its answer.
    fn answer(
        &mut self,
        now: Instant,
        answer: &[u8],
        refusal: Option<Refusal>,
        faults: Vec<String>,
    ) {
        let finished = self.state.broker.finish();
        if let Some(id) = finished.answer
            && let Some(slot) = slot(&mut self.slots, id)
            && let Some(mut request) = slot.job.take()
        {
            request.line.reason = refusal.map(|refusal| format!("{refusal:?}"));
            request.line.faults = faults;
            self.reply(now, id, request, answer);
        }
        if let Some(next) = finished.next {
            self.begin(next);
        }
    }

    /// Gives the answer to the device, and prints the request's line.
    fn reply(&mut self, now: Instant, id: PortId, mut request: Request, answer: &[u8]) {
        let (packets, names) = std::mem::take(&mut request.packets);
        if let Some(slot) = slot(&mut self.slots, id) {
            slot.wire.arm(packets);
            slot.device.answer(now, request.id, answer);
        }
        request.line.faults.extend(names);
        let pretended = self.desk.pretended();
        let line = self.state.ledger.answered_with(now, id, request, answer, pretended);
        if let Some(line) = line {
            self.desk.event(&line);
        }
    }

    /// Tells the client what its CTAP2 request waits for.
    fn set_status(&mut self, now: Instant, status: Status) {
        if self.state.asking == Some(JobKind::Cbor)
            && let Some(id) = self.state.broker.in_work()
            && let Some(slot) = slot(&mut self.slots, id)
        {
            slot.device.status(now, status);
        }
    }

    /// Tells the client that the user is waited for, before anybody can answer: an answer that comes at once would
    /// else hide from it that presence is tested.
    fn announce_wait(&mut self, now: Instant) {
        self.set_status(now, Status::UserNeeded);
        if let Some(id) = self.state.broker.in_work() {
            // A way that is broken shows itself at the next turn.
            let _ = slot_flush(&mut self.slots, id);
        }
    }

    /// Shows the key everywhere it is to be shown.
    fn plug(&mut self, now: Instant) -> Result<(), CliError> {
        for slot in &mut self.slots {
            slot.plug().map_err(|error| cannot_show(&slot.name(), &error))?;
        }
        self.state.powered = true;
        self.state.power_cycles += 1;
        self.desk.event(&Event::Ready {
            devices: self.slots.iter().map(Slot::name).collect(),
            memory: self.memory.clone(),
            approve: self.desk.approval().mode(),
            power_cycle: self.state.power_cycles,
        });
        if self.state.power_cycles == 1 {
            self.desk.warn(now);
        }
        self.answer_replugs();
        Ok(())
    }

    /// Takes the key away everywhere, with everything that was going on.
    fn unplug(&mut self) {
        let now = self.clock.now();
        self.state.powered = false;
        self.state.broker = Broker::default();
        self.state.ledger.forget();
        self.state.asking = None;
        self.desk.question(now, None);
        for slot in &mut self.slots {
            slot.unplug();
        }
    }

    /// A way to the host is broken: the others go on, and without any the key ends.
    fn lose(&mut self, id: PortId, error: &io::Error) -> Result<(), CliError> {
        let Some(name) = slot(&mut self.slots, id).map(|slot| slot.name()) else { return Ok(()) };
        let now = self.clock.now();
        self.withdraw(now, id, false);
        self.slots.retain(|slot| slot.id != id);
        if self.slots.is_empty() {
            return Err(broken(&format!("The key's place at {name}"), error));
        }
        let what = format!("the key is no longer shown at {name}: {error}");
        self.desk.event(&Event::Notice { what });
        Ok(())
    }
}

fn slot(slots: &mut [Slot], id: PortId) -> Option<&mut Slot> {
    slots.iter_mut().find(|slot| slot.id == id)
}

fn slot_flush(slots: &mut [Slot], id: PortId) -> io::Result<()> {
    slot(slots, id).map_or(Ok(()), Slot::flush)
}

/// What makes the uhid node usable, in the words of `softkey doctor`.
fn uhid_mend() -> String {
    let mut lines =
        vec!["use --transport udp, or mend this (softkey doctor says more):".to_owned()];
    let mends = doctor::uhid_mends(&doctor::Machine::this());
    lines.extend(mends.iter().flat_map(|mend| mend.lines()).map(|line| format!("      {line}")));
    lines.join("\n")
}

fn broken(what: &str, error: &io::Error) -> CliError {
    let what = format!("{what} failed: {error}.");
    CliError::new(Exit::Failed, what, "start softkey run again")
}

fn worker_gone() -> CliError {
    CliError::new(
        Exit::Failed,
        "The authenticator ended by itself.",
        "start softkey run again and report what it was asked to do",
    )
}

fn cannot_show(name: &str, error: &io::Error) -> CliError {
    let try_this = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "stop the other program, or choose another --listen address".into()
        }
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied if name == "uhid" => uhid_mend(),
        _ => "choose another --transport or --listen address".into(),
    };
    CliError::new(Exit::Failed, format!("The key cannot be shown at {name}: {error}."), try_this)
}
