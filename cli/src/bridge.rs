//! `softkey bridge`: the key on an emulated board, shown over UDP or uhid, so that programs written for real keys reach
//! it. Reports go through as they are; the board does the rest.

mod emulator;
mod finger;
pub mod mailbox;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use softkey_ctap::Instant;
use softkey_ctap_hid::{
    ChannelId, Identity, Outgoing, Peer, Port, Report, Reports, UdpPort, UhidPort, WallClock,
};

use self::finger::Finger;
use self::mailbox::Mailbox;
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};
use crate::run::memory::UHID_MAX_MSG_SIZE;
use crate::run::start::UDP_DEFAULT;

/// The arguments of `softkey bridge`.
#[derive(Debug, Args)]
pub struct BridgeArgs {
    /// The memory that the board shares with this machine; made if it does not exist
    ///
    /// The flash in it, with all credentials, stays when the board is switched off.
    pub memory: PathBuf,

    /// Switch the board on with this firmware, by qemu-system-arm; without it, join one that runs
    ///
    /// cargo xtask firmware build --board emulated makes the file.
    #[arg(long, value_name = "ELF")]
    pub firmware: Option<PathBuf>,

    /// Where the key is shown
    #[arg(long, value_enum, default_value = "udp")]
    pub transport: Shown,

    /// The address for udp [default: 127.0.0.1:8111]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Hold the button whenever the board asks; otherwise Enter touches it while it asks, and hold and Enter holds it
    #[arg(long)]
    pub press: bool,

    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
}

/// Where the key is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shown {
    /// A UDP socket
    Udp,
    /// The kernel's virtual USB
    Uhid,
}

/// The line that says that clients may come.
#[derive(Debug, Serialize)]
struct Ready {
    event: &'static str,
    device: String,
    memory: String,
}

impl fmt::Display for Ready {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ready: {}; board {}", self.device, self.memory)
    }
}

/// Reports that may wait for the board, and channels whose hosts are remembered: whoever sends more loses some.
const WAITING: usize = 1024;

/// A board's mailbox as what a [`Port`] speaks to.
pub struct Bridge {
    mailbox: Mailbox,
    clock: WallClock,
    /// The board's clock when this one began.
    began: Instant,
    waiting: VecDeque<Report>,
    channels: HashMap<ChannelId, Peer>,
    /// Who opened which channel, until the board answers.
    nonces: VecDeque<([u8; 8], Peer)>,
    last: Option<Peer>,
    failed: Option<io::Error>,
}

impl Bridge {
    /// Joins a board, whose clock goes on from now.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn new(mailbox: Mailbox) -> io::Result<Self> {
        let (clock, began) = (WallClock::start(), mailbox.clock()?);
        let (waiting, channels, nonces) = (VecDeque::new(), HashMap::new(), VecDeque::new());
        Ok(Self { mailbox, clock, began, waiting, channels, nonces, last: None, failed: None })
    }

    /// The board's clock, by now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.began + self.clock.now().duration_since(Instant::default())
    }

    /// Moves what can be moved.
    ///
    /// # Errors
    ///
    /// If the mailbox or the port is broken.
    pub fn turn(&mut self, port: &mut dyn Port) -> io::Result<()> {
        let now = self.now();
        self.mailbox.set_clock(now)?;
        port.pump(now, self)?;
        while let Some(report) = self.waiting.front()
            && self.mailbox.send(report)?
        {
            self.waiting.pop_front();
        }
        port.flush(self)?;
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Who is to have this report: a channel's host, or whose nonce the answer to INIT repeats.
    fn addressee(&mut self, report: &Report) -> Option<Peer> {
        let channel = channel_of(report);
        if channel != ChannelId::BROADCAST {
            return self.channels.get(&channel).copied();
        }
        let nonce = report.get(7..15)?;
        let place = self.nonces.iter().position(|(asked, _)| asked == nonce)?;
        let (_, peer) = self.nonces.remove(place)?;
        let given = report.get(15..19)?.try_into().ok()?;
        self.remember(ChannelId::from_u32(u32::from_be_bytes(given)), peer);
        Some(peer)
    }

    fn remember(&mut self, channel: ChannelId, peer: Peer) {
        if self.channels.len() >= WAITING {
            self.channels.clear();
        }
        self.channels.insert(channel, peer);
    }
}

impl Reports for Bridge {
    fn receive_from(&mut self, _: Instant, from: Peer, report: &Report) {
        self.last = Some(from);
        let channel = channel_of(report);
        if channel == ChannelId::BROADCAST {
            if let Some(Ok(nonce)) = report.get(7..15).map(TryInto::try_into) {
                // Some are never answered; the oldest gives way.
                if self.nonces.len() >= WAITING {
                    self.nonces.pop_front();
                }
                self.nonces.push_back((nonce, from));
            }
        } else {
            self.remember(channel, from);
        }
        if self.waiting.len() < WAITING {
            self.waiting.push_back(*report);
        }
    }

    fn disconnect(&mut self) {
        self.channels.clear();
        self.nonces.clear();
    }

    fn transaction_peer(&self) -> Option<Peer> {
        self.last
    }

    fn poll_report(&mut self) -> Option<Outgoing> {
        loop {
            let report = match self.mailbox.receive() {
                Ok(report) => report?,
                Err(error) => {
                    self.failed = Some(error);
                    return None;
                }
            };
            // A report for nobody who is known is dropped, as a cable would.
            if let Some(to) = self.addressee(&report) {
                return Some(Outgoing { to, report });
            }
        }
    }
}

fn channel_of(report: &Report) -> ChannelId {
    let [a, b, c, d, ..] = *report;
    ChannelId::from_u32(u32::from_be_bytes([a, b, c, d]))
}

/// An emulator that ends with us.
struct Power(Option<Child>);

impl Drop for Power {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Refuses arguments that contradict each other.
fn contradiction(args: &BridgeArgs) -> Result<(), CliError> {
    let usage = |what: &str, try_this: &str| Err(CliError::new(Exit::Usage, what, try_this));
    match args.listen {
        Some(_) if args.transport == Shown::Uhid => usage(
            "--listen is for udp, which --transport leaves out.",
            "--transport udp, or leave --listen out",
        ),
        Some(address) if args.press && !address.ip().is_loopback() => usage(
            "--press would let every machine that reaches the --listen address use the board.",
            "listen on 127.0.0.1, or leave --press out",
        ),
        _ => Ok(()),
    }
}

/// Joins a board until Ctrl-C.
///
/// # Errors
///
/// [`Exit::Usage`] if the arguments contradict each other, [`Exit::BadInput`] if the memory is none, is not its owner's alone
/// or is in use, [`Exit::NoKey`] if no board runs there, [`Exit::Failed`] if the system does not
/// play along.
pub fn run(args: &BridgeArgs) -> Result<Exit, CliError> {
    contradiction(args)?;
    let mailbox = Mailbox::open(&args.memory);
    let mailbox = mailbox.and_then(|mailbox| mailbox.lock().map(|()| mailbox));
    let mut mailbox = mailbox.map_err(|error| no_memory(args, &error))?;
    // Before a board is touched that another bridge shows there.
    let (mut port, device) = plug(args).map_err(|error| failed("The key's place", &error))?;
    if args.transport == Shown::Uhid {
        mailbox.limit(UHID_MAX_MSG_SIZE);
    }
    let mut power = Power(None);
    if let Some(firmware) = &args.firmware {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| failed("Entropy", &error.into()))?;
        let started = mailbox.power_up(firmware, &seed);
        power.0 = Some(started.map_err(|error| no_emulator(&error))?);
    }
    let mut bridge = Bridge::new(mailbox).map_err(|error| failed("The mailbox", &error))?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| failed("The signals", &error))?;
    }
    await_board(args, &bridge, &mut power, &stop)?;
    if stop.load(Ordering::Relaxed) {
        return Ok(Exit::Success);
    }
    let mut output = Output::stdout(if args.json { Form::Json } else { Form::Plain });
    let memory = args.memory.display().to_string();
    if let Some(note) =
        note(args, &bridge.mailbox).map_err(|error| failed("The mailbox", &error))?
    {
        output.note(note);
    }
    if args.press {
        output.note("warning: --press approves every request without anybody");
    }
    output.record(&Ready { event: "ready", device, memory })?;
    // Who cannot touch must not read the terminal: in the background that would stop the program.
    let mut finger = if args.press { Finger::Held } else { Finger::at_the_terminal() };
    while !stop.load(Ordering::Relaxed) {
        // Before a request comes through for which nobody has pressed.
        finger.turn(&bridge.mailbox).map_err(|error| failed("The button", &error))?;
        bridge.turn(port.as_mut()).map_err(|error| failed("The bridge", &error))?;
        still_on(&mut power)?;
        doze(port.as_ref());
    }
    // A board that stays on is not left with the finger on it.
    bridge.mailbox.release().map_err(|error| failed("The button", &error))?;
    Ok(Exit::Success)
}

/// The port, and its name for people and programs.
fn plug(args: &BridgeArgs) -> io::Result<(Box<dyn Port>, String)> {
    match args.transport {
        Shown::Udp => {
            let port = UdpPort::bind(args.listen.unwrap_or(UDP_DEFAULT))?;
            let name = format!("udp {}", port.local_address()?);
            Ok((Box::new(port), name))
        }
        Shown::Uhid => Ok((Box::new(UhidPort::open(&Identity::default())?), "uhid".to_owned())),
    }
}

/// What is wrong with the board that runs, if it cannot be helped.
fn note(args: &BridgeArgs, mailbox: &Mailbox) -> io::Result<Option<String>> {
    if args.transport != Shown::Uhid || mailbox.is_limited(UHID_MAX_MSG_SIZE)? {
        return Ok(None);
    }
    Ok(Some(format!(
        "note: this board was not switched on for uhid, where the kernel may lose parts of a request over \
         {UHID_MAX_MSG_SIZE} bytes; switch it off, and on again with --firmware"
    )))
}

/// Waits for the firmware to run, or for the signal to stop.
fn await_board(
    args: &BridgeArgs,
    bridge: &Bridge,
    power: &mut Power,
    stop: &AtomicBool,
) -> Result<(), CliError> {
    /// Longer than a start takes on a busy machine.
    const PATIENCE: Duration = Duration::from_mins(1);
    let patience = if args.firmware.is_some() { PATIENCE } else { Duration::ZERO };
    let waited = WallClock::start();
    loop {
        let running = bridge.mailbox.is_running().map_err(|error| failed("The mailbox", &error))?;
        if running || stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        still_on(power)?;
        if waited.now().duration_since(Instant::default()) >= patience {
            return Err(CliError::new(
                Exit::NoKey,
                format!("No board runs on {}.", args.memory.display()),
                "add --firmware ELF, or switch the board on",
            ));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn still_on(power: &mut Power) -> Result<(), CliError> {
    let ended = power.0.as_mut().and_then(|child| child.try_wait().transpose());
    match ended {
        None => Ok(()),
        Some(Err(error)) => Err(failed("The emulator", &error)),
        Some(Ok(status)) => Err(CliError::new(
            Exit::Failed,
            format!("The board stopped by itself: {status}."),
            "see what it printed; a damaged memory file cannot be mended, delete it",
        )),
    }
}

/// Sleeps until a report comes, but no longer than a board should wait for us.
fn doze(port: &dyn Port) {
    let mut waited = [PollFd::from_borrowed_fd(port.descriptor(), PollFlags::IN)];
    // Whatever it says, the next turn looks by itself.
    let _ = poll(&mut waited, Some(&Timespec { tv_sec: 0, tv_nsec: 500_000 }));
}

fn no_memory(args: &BridgeArgs, error: &io::Error) -> CliError {
    let memory = args.memory.display();
    let try_this = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("make it yours alone with `chmod 600 {memory}`, or name another file")
        }
        io::ErrorKind::ResourceBusy => "end that one, or name another file".to_owned(),
        _ => "name another file, which is made if it does not exist".to_owned(),
    };
    let what = format!("{memory} cannot be a board's memory: {error}.");
    CliError::new(Exit::BadInput, what, try_this)
}

fn no_emulator(error: &io::Error) -> CliError {
    CliError::new(
        Exit::Failed,
        format!("The emulator cannot be started: {error}."),
        "install qemu-system-arm",
    )
}

fn failed(what: &str, error: &io::Error) -> CliError {
    CliError::new(Exit::Failed, format!("{what} failed: {error}."), "start softkey bridge again")
}

#[cfg(test)]
mod tests;
