//! `softkey run`: a security key until it is told to stop.
//!
//! One process, one authenticator. Requests come over any number of devices, each with its own CTAPHID state
//! machine ([`slot`]), and take turns ([`broker`]). The authenticator works in a thread of its own
//! ([`worker`]); everything else is one loop ([`hub`]). Who answers for the user is decided in [`approval`], a
//! pure state machine, and what the owner sees and types goes through the [`desk`].

pub mod algorithms;
pub mod approval;
pub mod broker;
pub mod control;
pub mod desk;
pub mod event;
pub mod hub;
pub mod key_clock;
pub mod ledger;
pub mod memory;
pub mod record;
pub mod request;
pub mod screen;
pub mod sensor;
pub mod slot;
pub mod start;
pub mod terminal;
pub mod worker;

use std::io;

pub use approval::Mode;

use crate::args::{RunArgs, Verifier};
use crate::error::{CliError, Exit};
use crate::output::Form;
use crate::profile::Profile;
use event::Event;
use key_clock::KeyClock;
use sensor::Sensor;
use slot::Place;
use start::Settings;
use terminal::Terminal;

/// Carries `softkey run` out.
///
/// # Errors
///
/// [`Exit::Usage`] for arguments that contradict each other, [`Exit::Vault`] if the vault cannot be opened,
/// [`Exit::Failed`] if the key cannot be shown.
pub fn perform(args: &RunArgs) -> Result<Exit, CliError> {
    let (places, word) = start::places(args, slot::probe_uhid)?;
    let auto_allowed = start::auto_allowed(args);
    let mode = Mode::from(args.approve);
    if mode == Mode::Auto && !auto_allowed {
        return Err(start::auto_refused());
    }
    let terminal = Terminal::find();
    let profile = match &args.profile {
        Some(given) => Profile::find(given)?,
        None => Profile::default(),
    };
    let sensor = sensor(args.uv, &profile);
    let memory = memory::open(args, &profile, places.contains(&Place::Uhid))?;
    // From here on Ctrl-C unplugs; at the passphrase's prompt it simply ends the program.
    let stop = start::stop_at_signals()?;
    let notices = word.into_iter().chain(memory.notices).chain(nobody(mode, terminal.as_ref()));
    let settings = Settings {
        places,
        power_up: memory.power_up,
        memory: memory.name,
        mode,
        auto_allowed,
        sensor,
        // Of two with one name the later is on, and what is typed outweighs what the profile says.
        faults: profile.faults.iter().chain(&args.fault).cloned().collect(),
        profile,
        notices: notices.collect(),
        terminal,
        control: args.control.clone(),
        form: if args.json { Form::Json } else { Form::Plain },
        channel_seed: channel_seed(args)?,
        clock: args.virtual_clock.then(KeyClock::standing),
    };
    let served = start::serve(settings, stop, io::stdout(), io::stderr());
    if let (Err(_), Some(recording)) = (&served, &args.record) {
        record::withdraw(recording);
    }
    served.map(|()| Exit::Success)
}

/// What plays the sensor that the arguments or the profile want.
fn sensor(verifier: Verifier, profile: &Profile) -> Option<Sensor> {
    let by_profile = profile.config.user_verification;
    match verifier {
        Verifier::None => by_profile.map(|method| match method.enrollment {
            Some(_) => Sensor::fingerprint(),
            None => Sensor::plain(),
        }),
        Verifier::Simulated => Some(Sensor::plain()),
        Verifier::Fingerprint => Some(Sensor::fingerprint()),
    }
}

/// Said where the person at the terminal is to approve and there is none.
fn nobody(mode: Mode, terminal: Option<&Terminal>) -> Option<Event> {
    let what = "approve ask without a terminal to ask at: every request is refused".to_owned();
    (mode == Mode::Ask && terminal.is_none()).then_some(Event::Notice { what })
}

/// Channel numbers are names, not secrets; but a client of an earlier run should not meet its own again.
fn channel_seed(args: &RunArgs) -> Result<u32, CliError> {
    if let Some(seed) = args.seed {
        let [a, b, c, d, ..] = seed.to_le_bytes();
        return Ok(u32::from_le_bytes([a, b, c, d]));
    }
    getrandom::u32().map_err(|error| {
        let what = format!("The system gives no random numbers: {error}.");
        CliError::new(Exit::Failed, what, "see the system's log")
    })
}
