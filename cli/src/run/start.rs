//! From arguments to a running hub: where the key is shown, what is refused before it is, and which signals
//! end it.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use softkey_ctap_hid::WallClock;

use super::approval::{Approval, Mode};
use super::broker::PortId;
use super::control::ControlSocket;
use super::desk::Desk;
use super::event::Event;
use super::hub::{Hub, State};
use super::key_clock::KeyClock;
use super::screen::Screen;
use super::sensor::Sensor;
use super::slot::{Place, Slot};
use super::terminal::Terminal;
use super::worker::{Order, PowerUp, Worker};
use crate::args::{RunArgs, Transport};
use crate::error::{CliError, Exit};
use crate::faults::Spec;
use crate::output::Form;
use crate::profile::Profile;

/// Where known simulators listen.
pub const UDP_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8111);

/// What a key is made of.
pub struct Settings {
    /// Where it is shown; not empty.
    pub places: Vec<Place>,
    /// Makes the authenticator at each power-up.
    pub power_up: PowerUp,
    /// Where credentials are kept, for people.
    pub memory: String,
    /// Who answers for the user.
    pub mode: Mode,
    /// May the owner switch to approval without anybody later?
    pub auto_allowed: bool,
    /// What the key is.
    pub profile: Profile,
    /// The simulated sensor, if there is one.
    pub sensor: Option<Sensor>,
    /// The terminal to ask at, if there is one.
    pub terminal: Option<Terminal>,
    /// Where the control socket is to be, if there is to be one.
    pub control: Option<PathBuf>,
    /// The form of the events.
    pub form: Form,
    /// Channel numbers follow from this.
    pub channel_seed: u32,
    /// The key's clock, if not the machine's.
    pub clock: Option<KeyClock>,
    /// What the key does wrong from the start.
    pub faults: Vec<Spec>,
    /// What the owner should know before all else.
    pub notices: Vec<Event>,
}

/// Runs a key until `stop` becomes readable or the owner's socket says so. Events go to `results`, questions to
/// the person at the terminal also to `prompts`.
///
/// # Errors
///
/// As [`Hub::run`], and if the system lacks what a hub is made of.
pub fn serve(
    settings: Settings,
    stop: UnixStream,
    results: impl Write + Send + 'static,
    prompts: impl Write + Send + 'static,
) -> Result<(), CliError> {
    let control = settings.control.as_deref().map(ControlSocket::bind).transpose()?;
    let screen = Screen::start(settings.form, results, prompts).map_err(|e| no_resources(&e))?;
    let approval = Approval::new(settings.mode, settings.terminal.is_some(), settings.sensor);
    let notes = settings.form == Form::Json || !io::IsTerminal::is_terminal(&io::stdout());
    let profile = (!settings.profile.is_default()).then(|| settings.profile.name.clone());
    let mut desk = Desk::new(approval, screen, settings.terminal, notes, settings.auto_allowed)
        .with_profile(profile);
    let clock = WallClock::start();
    let key_clock = settings.clock.unwrap_or(KeyClock::Wall(clock));
    desk.go_by(key_clock.clone());
    for notice in &settings.notices {
        desk.event(notice);
    }
    let worker = Worker::start(key_clock.clone(), settings.power_up);
    let worker = worker.map_err(|error| no_resources(&error))?;
    for fault in settings.faults {
        worker.order(Order::FaultOn(fault.clone()));
        desk.fault_on(clock.now(), fault);
    }
    let slots = settings.places.into_iter().zip(0..);
    let slots = slots.map(|(place, number)| {
        let seed = settings.channel_seed.wrapping_add(number << 16);
        Slot::new(PortId(number), place, seed, &settings.profile.config)
    });
    let (slots, memory, state) = (slots.collect(), settings.memory, State::default());
    Hub { clock, key_clock, worker, slots, desk, control, stop, memory, state }.run()
}

/// A socket that becomes readable at SIGINT, SIGTERM or SIGHUP. A second signal ends the process at once.
///
/// # Errors
///
/// If the system gives no socket or no handler.
pub fn stop_at_signals() -> Result<UnixStream, CliError> {
    let register = || -> io::Result<UnixStream> {
        let (stop, ringer) = UnixStream::pair()?;
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first signal finds the flag unset.
            let code = i32::from(Exit::Interrupted.code());
            signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&again))?;
            signal_hook::flag::register(signal, Arc::clone(&again))?;
            signal_hook::low_level::pipe::register(signal, ringer.try_clone()?)?;
        }
        Ok(stop)
    };
    register().map_err(|error| no_resources(&error))
}

/// Where the key is to be shown, and a word about it where the choice was ours. `uhid`: may the node be opened?
///
/// # Errors
///
/// [`Exit::Usage`] if the arguments contradict each other.
pub fn places(
    args: &RunArgs,
    uhid: impl FnOnce() -> io::Result<()>,
) -> Result<(Vec<Place>, Option<Event>), CliError> {
    let udp = Place::Udp(args.listen.unwrap_or(UDP_DEFAULT));
    let mut places = Vec::new();
    let mut word = None;
    let mut uhid = Some(uhid);
    for transport in &args.transport {
        let place = match transport {
            Transport::Udp => udp,
            Transport::Uhid => Place::Uhid,
            Transport::Auto if args.listen.is_some() => udp,
            Transport::Auto => {
                let Some(probe) = uhid.take() else { continue };
                let (place, why) = match probe() {
                    Ok(()) => (Place::Uhid, "uhid, because /dev/uhid can be opened".to_owned()),
                    Err(error) => {
                        let mend = "softkey doctor tells how to mend it";
                        (udp, format!("udp, because /dev/uhid cannot be opened ({error}); {mend}"))
                    }
                };
                word = Some(Event::Transport { why });
                place
            }
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    if args.listen.is_some() && !places.contains(&udp) {
        return Err(CliError::new(
            Exit::Usage,
            "--listen is for udp, which --transport leaves out.",
            "add --transport udp, or leave --listen out",
        ));
    }
    Ok((places, word))
}

/// May everything be approved without anybody? Not where strangers can ask for what outlives the process.
#[must_use]
pub fn auto_allowed(args: &RunArgs) -> bool {
    args.memory.ephemeral || args.listen.is_none_or(|address| address.ip().is_loopback())
}

/// The refusal of `--approve auto` where [`auto_allowed`] says no.
#[must_use]
pub fn auto_refused() -> CliError {
    CliError::new(
        Exit::Usage,
        "--approve auto would let every machine that reaches the --listen address use the vault.",
        "listen on 127.0.0.1, or add --ephemeral, or approve by --approve ask",
    )
}

fn no_resources(error: &io::Error) -> CliError {
    CliError::new(
        Exit::Failed,
        format!("The system has no room for another program: {error}."),
        "raise the limits on processes and open files, see: ulimit -a",
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn args(line: &str) -> RunArgs {
        let words = ["softkey", "run"].into_iter().chain(line.split_whitespace());
        match Args::try_parse_from(words).unwrap().command {
            Command::Run(args) => args,
            other => panic!("{other:?}"),
        }
    }

    fn chosen(line: &str, uhid: bool) -> (Vec<Place>, Option<String>) {
        let probe = || if uhid { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) };
        let (places, word) = places(&args(line), probe).unwrap();
        (places, word.map(|word| word.to_string()))
    }

    /// auto takes uhid where it can be had, else udp, and says which and why.
    #[test]
    fn auto_takes_the_best_place() {
        let (places, word) = chosen("", true);
        assert_eq!(places, [Place::Uhid]);
        assert_eq!(word.unwrap(), "note: uhid, because /dev/uhid can be opened");
        let (places, word) = chosen("", false);
        assert_eq!(places, [Place::Udp(UDP_DEFAULT)]);
        assert!(word.unwrap().starts_with("note: udp, because /dev/uhid cannot be opened (perm"));
        let (places, word) = chosen("--listen 127.0.0.1:9000", true);
        assert_eq!((places, word), (vec![Place::Udp(([127, 0, 0, 1], 9000).into())], None));
    }

    /// Several places at once, each once; an address without udp is a contradiction.
    #[test]
    fn places_add_up() {
        let (places_, _) = chosen("--transport udp --transport uhid --transport udp", false);
        assert_eq!(places_, [Place::Udp(UDP_DEFAULT), Place::Uhid]);
        let (places_, _) = chosen("--transport auto --transport udp --transport auto", false);
        assert_eq!(places_, [Place::Udp(UDP_DEFAULT)]);
        let wrong = args("--transport uhid --listen 127.0.0.1:1");
        assert_eq!(places(&wrong, || Ok(())).unwrap_err().exit(), Exit::Usage);
    }

    /// What others can reach is not approved by nobody, unless nothing outlives the process.
    #[test]
    fn auto_is_not_for_strangers() {
        assert!(auto_allowed(&args("")));
        assert!(auto_allowed(&args("--listen [::1]:1")));
        assert!(!auto_allowed(&args("--listen 0.0.0.0:8111")));
        assert!(!auto_allowed(&args("--listen 192.0.2.1:8111")));
        assert!(auto_allowed(&args("--listen 0.0.0.0:8111 --ephemeral")));
    }
}
