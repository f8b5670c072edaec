//! What the owner wants of the hub: answers to questions, another mode, a power cycle, a look, the end.

use softkey_ctap::Instant;
use softkey_ctap_hid::Status;

use super::super::approval::{Unanswerable, Verdict};
use super::super::control::{ClientId, ControlSocket};
use super::super::desk::NotThatMode;
use super::super::event::Asked;
use super::super::sensor::Finds;
use super::super::slot::Slot;
use super::super::worker::Order;
use super::Hub;
use crate::control::{self, FaultsOn, OpenQuestion, Reply};

impl Hub {
    /// Hands the user's answer to the authenticator.
    pub(super) fn decide(&mut self, now: Instant, verdict: Verdict) {
        if let Some(kind) = self.state.asking {
            self.state.ledger.decided(kind, &verdict);
        }
        self.set_status(now, Status::Processing);
        self.worker.order(Order::Decide(verdict.decision));
    }

    /// Unplugs the key and plugs it in again; it is back when the worker says so.
    pub(super) fn replug(&mut self) {
        if self.state.powered {
            self.unplug();
            self.worker.order(Order::PowerUp);
        }
    }

    /// Carries out what has come over the control socket.
    pub(super) fn take_orders(&mut self, now: Instant) {
        let orders = self.control.as_mut().map(ControlSocket::poll).unwrap_or_default();
        for (client, order) in orders {
            let reply = match order {
                Ok(order) => self.obey(now, client, order),
                Err(reply) => Some(reply),
            };
            if let (Some(reply), Some(control)) = (reply, &mut self.control) {
                control.answer(client, &reply);
            }
        }
    }

    /// The key is back: who waited for it is told.
    pub(super) fn answer_replugs(&mut self) {
        for client in std::mem::take(&mut self.state.replugging) {
            if let Some(control) = &mut self.control {
                control.answer(client, &Reply::Done);
            }
        }
    }

    /// Time has passed: who wanted that first is told.
    pub(super) fn answer_advance(&mut self) {
        if let Some(client) = self.state.advancing.pop_front()
            && let Some(control) = &mut self.control
        {
            control.answer(client, &Reply::Done);
        }
    }

    /// Carries an order out; `None` if its answer comes later.
    fn obey(&mut self, now: Instant, client: ClientId, order: control::Order) -> Option<Reply> {
        let verdict = match order {
            control::Order::Approve(mode) => self.desk.set_mode(now, mode).map_err(not_that_mode),
            control::Order::Touch(touch) => {
                self.desk.touch(now, touch).map(Some).map_err(unanswerable)
            }
            control::Order::Verify(finds) => self.verify(now, finds),
            control::Order::Finger(touched) => self.desk.finger(now, touched).map_err(unanswerable),
            control::Order::Replug => {
                self.state.replugging.push(client);
                self.replug();
                return None;
            }
            control::Order::Advance(span) if self.key_clock.is_virtual() => {
                self.state.advancing.push_back(client);
                self.worker.order(Order::Advance(span.duration()));
                return None;
            }
            control::Order::Advance(_) => {
                return Some(Reply::error(
                    "The key goes by the machine's clock.",
                    "start softkey run with --ephemeral --virtual-clock",
                ));
            }
            control::Order::FaultOn(spec) => {
                self.worker.order(Order::FaultOn(spec.clone()));
                self.desk.fault_on(now, spec);
                Ok(None)
            }
            control::Order::FaultOff(name) => self.fault_off(now, name),
            control::Order::FaultList => {
                let on = self.desk.faults().map(ToString::to_string).collect();
                return Some(Reply::Faults(FaultsOn { faults: on }));
            }
            control::Order::Status => return Some(Reply::Status(Box::new(self.status()))),
            control::Order::Stop => {
                self.state.stopping = true;
                Ok(None)
            }
        };
        match verdict {
            Ok(verdict) => {
                if let Some(verdict) = verdict {
                    self.decide(now, verdict);
                }
                Some(Reply::Done)
            }
            Err(reply) => Some(reply),
        }
    }

    fn fault_off(&mut self, now: Instant, name: Option<String>) -> Result<Option<Verdict>, Reply> {
        if !self.desk.fault_off(now, name.as_deref()) {
            let what = format!("The fault {} is not on.", name.unwrap_or_default());
            return Err(Reply::error(what, "fault list names those that are"));
        }
        self.worker.order(Order::FaultOff(name));
        Ok(None)
    }

    /// The simulated sensor finds this from now on; one that locks itself blocks the authenticator's verification
    /// before an open question is answered.
    fn verify(&mut self, now: Instant, finds: Finds) -> Result<Option<Verdict>, Reply> {
        let verdict = self.desk.verify(now, finds).map_err(unanswerable)?;
        if finds == Finds::Lock {
            self.worker.order(Order::BlockVerification);
        }
        Ok(verdict)
    }

    fn status(&self) -> control::Status {
        let now = self.key_clock.now();
        let approval = self.desk.approval();
        control::Status {
            devices: self.slots.iter().map(Slot::name).collect(),
            approve: approval.mode().to_string(),
            uv: approval.sensor().map(|sensor| sensor.finds().to_string()),
            finger: approval.sensor().and_then(|sensor| sensor.finger()),
            faults: self.desk.faults().map(ToString::to_string).collect(),
            working: self.state.broker.in_work().is_some(),
            question: approval.open().map(|ask| {
                let asked = Asked::of(ask);
                let left = ask.deadline.duration_since(now).as_millis();
                OpenQuestion {
                    asks: asked.asks.to_owned(),
                    operation: asked.operation.to_owned(),
                    rp: asked.rp,
                    account: asked.account,
                    recognisable: asked.recognisable,
                    left_ms: u64::try_from(left).unwrap_or(u64::MAX),
                }
            }),
            power_cycles: self.state.power_cycles,
            requests: self.state.ledger.answered(),
            clock_ms: self.key_clock.is_virtual().then(|| now.as_millis()),
        }
    }
}

fn not_that_mode(why: NotThatMode) -> Reply {
    match why {
        NotThatMode::NoTerminal => Reply::error(
            "There is no terminal to ask at.",
            "start softkey run at a terminal, or use hold",
        ),
        NotThatMode::Exposed => Reply::error(
            "Other machines can reach the key, and its credentials outlive it.",
            "start softkey run with --ephemeral, or use hold",
        ),
    }
}

fn unanswerable(why: Unanswerable) -> Reply {
    match why {
        Unanswerable::NoQuestion => {
            Reply::error("The key does not wait for a touch.", "touch it while a request waits")
        }
        Unanswerable::WantsLongTouch => {
            Reply::error("The key waits for a touch of 5 seconds.", "touch --long")
        }
        Unanswerable::WantsVerification => Reply::error(
            "The key waits for its user to be verified, which a touch does not do.",
            "uv ok, uv fail, or finger and its number where fingers are enrolled",
        ),
        Unanswerable::NoSensor => Reply::error(
            "The key has no sensor of its own.",
            "start softkey run with --uv simulated or --uv fingerprint",
        ),
        Unanswerable::NoFingerprintSensor => Reply::error(
            "The key has no fingerprint sensor.",
            "start softkey run with --uv fingerprint",
        ),
    }
}
