//! Lists of typed requests against one living authenticator, beside a model of it.
//!
//! Claim: every answer is the one that the model foretells. In particular a refusal changes nothing that is
//! stored but the tries of a PIN; the tries never rise without the right PIN; an excluded credential keeps another
//! from being made; what signs is the credential that may, with its own key and a counter that rises; a
//! pinUvAuthToken serves no longer, no one else and nothing else than it was given for; what is listed is what was
//! stored; and a loss of power at a write leaves the state before or after it. Planted: a key that says it has one
//! more try than it has.

mod assertions;
mod credentials;
mod desk;
mod model;
mod pins;
mod settings;

use crate::{Subject, Tape};
use desk::Desk;

/// A tape of requests, users, time and losses of power.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let mut desk = Desk::new(subject);
    let mut steps = 0;
    while !tape.is_empty() && steps < 48 {
        steps += 1;
        step(&mut desk, &mut tape);
        desk.counts_tries();
    }
    desk.is_as_the_model_says();
}

fn step(desk: &mut Desk, tape: &mut Tape<'_>) {
    match tape.below(16) {
        0..=2 => desk.make_credential(tape),
        3 | 4 => desk.get_assertion(tape),
        5 => desk.get_next_assertion(),
        6 => desk.set_pin(tape),
        7 => desk.change_pin(tape),
        8 | 9 => desk.get_token(tape),
        10 => desk.manage(tape),
        11 => desk.configure(tape),
        12 => desk.reset(tape),
        13 => desk.user(tape),
        14 => desk.pass(tape),
        _ => desk.power_cycle(),
    }
}
