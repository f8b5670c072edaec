//! The command line as it is typed: every command, its arguments, and the text of `--help`, from which the
//! manual pages and the completions are made. What an argument means is decided where it is used.
#![allow(
    clippy::doc_markdown,
    reason = "these comments are the text of --help, where backticks are noise"
)]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use softkey_authenticator::Algorithms;

use crate::attestation::AttestationArgs;
use crate::bridge::BridgeArgs;
use crate::control::Span;
use crate::decode::DecodeArgs;
use crate::faults::Spec;
use crate::manage::blobs::BlobsArgs;
use crate::manage::config::ConfigArgs;
use crate::manage::create::CeremonyArgs;
use crate::manage::credentials::CredentialsArgs;
use crate::manage::disconnect::DisconnectArgs;
use crate::manage::fingers::FingersArgs;
use crate::manage::get::GetArgs;
use crate::manage::info::InfoArgs;
use crate::manage::list::ListArgs;
use crate::manage::login_status::LoginStatusArgs;
use crate::manage::otp::OtpArgs;
use crate::manage::passwords::PasswordsArgs;
use crate::manage::pin::PinCommandArgs;
use crate::manage::reset::ResetArgs;
use crate::manage::select::SelectArgs;
use crate::manage::store::{PreventArgs, StoreArgs};
use crate::manage::user_info::UserInfoArgs;
use crate::manage::wink::WinkArgs;
use crate::metadata::MetadataArgs;
use crate::profile::ProfilesArgs;
use crate::protection::VaultArgs;
use crate::replay::ReplayArgs;
use crate::run::algorithms;
use crate::run::sensor::Touched;
use crate::serve::ServeArgs;
use crate::verify::VerifyArgs;

/// A FIDO2 security key made of software, and a manager for any FIDO key.
#[derive(Debug, Parser)]
#[command(name = "softkey", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// Are results, and the error if there is one, to be JSON?
    #[must_use]
    pub const fn json(&self) -> bool {
        match &self.command {
            Command::Run(args) => args.json,
            Command::Demo(args) => args.json,
            Command::Doctor(args) => args.json,
            Command::Serve(args) => args.json(),
            Command::Profiles(args) => args.json(),
            Command::Attestation(args) => args.json,
            Command::Vault(args) => args.json,
            Command::Replay(args) => args.json,
            Command::Bridge(args) => args.json,
            Command::Control(args) => args.json,
            Command::Faults(args) => args.json,
            Command::List(args) => args.json,
            Command::Info(args) => args.device.json,
            Command::Wink(args) => args.device.json,
            Command::Select(args) => args.device.json,
            Command::Pin(args) => args.json(),
            Command::Credentials(args) => args.json(),
            Command::Blobs(args) => args.json(),
            Command::Fingers(args) => args.json(),
            Command::Config(args) => args.json(),
            Command::Reset(args) => args.device.json,
            Command::Create(args) => args.keys.json,
            Command::Get(args) => args.ceremony.keys.json,
            Command::Store(args) => args.json,
            Command::PreventSilentAccess(args) => args.json,
            Command::Disconnect(args) => args.json,
            Command::GetUserInfo(args) => args.json,
            Command::SetLoginStatus(args) => args.json,
            Command::Passwords(args) => args.json,
            Command::Otp(args) => args.json,
            Command::Decode(args) => args.json,
            Command::Metadata(_)
            | Command::Verify(_)
            | Command::Completions { .. }
            | Command::Man { .. } => false,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Be a security key, until Ctrl-C
    ///
    /// Prints one line for each request: who asks, what, and what was decided. Typing r and Enter at the
    /// terminal unplugs the key and plugs it in again.
    Run(RunArgs),
    /// Show a registration and a sign-in, message by message, in one process
    ///
    /// A key over CTAPHID in memory, a client and a relying party. Needs no privileges and leaves nothing
    /// behind.
    Demo(DemoArgs),
    /// List the keys on this machine's USB ports
    List(ListArgs),
    /// Say what a key is and can do
    Info(InfoArgs),
    /// Have a key show itself
    Wink(WinkArgs),
    /// Wait for a touch, to tell one key from another
    Select(SelectArgs),
    /// Set, change and count the tries of a key's PIN
    Pin(PinCommandArgs),
    /// List, count, rename and delete the discoverable credentials on a key
    Credentials(CredentialsArgs),
    /// List, read, write and delete the data that programs keep on a key
    Blobs(BlobsArgs),
    /// Enroll, list, rename and remove the fingers that a key's own sensor knows
    Fingers(FingersArgs),
    /// Change what a key does for good
    Config(ConfigArgs),
    /// Put a key back to its factory state; every credential on it is lost
    Reset(ResetArgs),
    /// Make a credential: navigator.credentials.create() with JSON in and JSON out
    ///
    /// All keys that are present are asked, or those that are named, and the one that is touched first serves.
    Create(CeremonyArgs),
    /// Sign in: navigator.credentials.get() with JSON in and JSON out
    ///
    /// All keys that are present are asked, or those that are named, and the one that is touched first serves.
    /// Of several accounts the person at the terminal chooses one; without a terminal the newest on the key is used, and
    /// no password without --yes or --account.
    Get(GetArgs),
    /// Keep a password or a federated credential: navigator.credentials.store() with JSON in
    Store(StoreArgs),
    /// Have a site ask from now on: navigator.credentials.preventSilentAccess()
    PreventSilentAccess(PreventArgs),
    /// Have an identity provider forget a site: IdentityCredential.disconnect() with JSON in
    Disconnect(DisconnectArgs),
    /// Ask who is signed in, for a frame of the provider's: IdentityProvider.getUserInfo() with JSON in
    GetUserInfo(UserInfoArgs),
    /// Say that the person is signed in at a provider, or not: navigator.login.setStatus()
    SetLoginStatus(LoginStatusArgs),
    /// List, remove and seal the passwords and federated credentials of a browser profile
    Passwords(PasswordsArgs),
    /// Judge and watch messages with one-time codes
    Otp(OtpArgs),
    /// Check what create or get gave, as a relying party does, and print the record that it keeps
    Verify(VerifyArgs),
    /// Explain a CTAP message, authenticator data, an attestation object, client data, an APDU, a HID trace, a recording
    Decode(DecodeArgs),
    /// Check a vault, and change what opens it
    Vault(VaultArgs),
    /// List and print what softkey run --profile can make of the key
    Profiles(ProfilesArgs),
    /// Make and change the root by which softkey run --attestation attests new credentials
    Attestation(AttestationArgs),
    /// Print a FIDO metadata statement for the key that softkey run would show
    Metadata(MetadataArgs),
    /// Run a recorded session again and show the first difference; ends with 1 if there is one
    Replay(ReplayArgs),
    /// Show the key on an emulated board over UDP or uhid, as if it were plugged in, until Ctrl-C
    Bridge(BridgeArgs),
    /// Steer a running key over its control socket
    Control(ControlArgs),
    /// List the ways in which softkey run --fault can misbehave
    Faults(FaultsArgs),
    /// Serve what tests need, until Ctrl-C
    Serve(ServeArgs),
    /// Say what this machine lacks to show a virtual USB key, and how to mend it
    ///
    /// Ends with 0 if nothing is to be mended and with 1 otherwise.
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page of the program, or of one of its commands
    Man {
        /// The command, such as run or control touch.
        command: Vec<String>,
    },
}

/// The arguments of `softkey run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// How to show the key; may be given more than once
    ///
    /// auto takes uhid where /dev/uhid can be opened, else udp, and says which and why. With --listen alone
    /// it takes udp.
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub transport: Vec<Transport>,

    /// Where udp listens, ADDRESS:PORT [default: 127.0.0.1:8111]
    ///
    /// 64-byte CTAPHID reports, one in a datagram. An address that others can reach is refused together with
    /// --approve auto unless the key is --ephemeral.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,

    #[command(flatten)]
    /// Where the key's memory is.
    pub memory: MemoryArgs,

    /// Who answers when the key asks for a touch
    #[arg(long, value_name = "MODE", default_value = "ask")]
    pub approve: Approve,

    /// How the key verifies its user by itself, beside the PIN
    #[arg(long, value_name = "METHOD", default_value = "none")]
    pub uv: Verifier,

    /// What the key is: a built-in profile, or a TOML file
    ///
    /// softkey profiles list names those that are built in. A vault belongs to the profile that it was made with; with
    /// another than the default one --vault or --ephemeral must be given. While a profile is on, the key says so at
    /// the start, each minute and at each request.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,

    /// Attest new credentials by a root of your own, which softkey attestation new makes
    ///
    /// For the tests of sites: they can recognise this key by what the root attests. Without FILE it is the root that
    /// lies beside the vault; with --ephemeral the one beside your own vault.
    #[arg(long, value_name = "FILE")]
    pub attestation: Option<Option<PathBuf>>,

    /// What new credentials sign with, best first: names or COSE numbers with commas between them [default:
    /// ES256,EdDSA,ES384,ES512,ES256K]
    ///
    /// Beside these there are RS256, ML-DSA-44, ML-DSA-65 and ML-DSA-87, which are off unless they are listed: a
    /// request that names ML-DSA first and ES256 second gets ES256. For libfido2 reads an answer into 2048 bytes,
    /// which those of ML-DSA exceed, and older versions of Firefox drop what a key says about itself for one number
    /// in it that they do not know. Credentials that exist already sign with whatever they were made with.
    #[arg(long, value_name = "LIST", value_parser = algorithms::parse, allow_hyphen_values = true)]
    pub algorithms: Option<Algorithms>,

    /// Draw all randomness from this number, so that a run can be repeated; needs --ephemeral
    ///
    /// The same requests, answers to questions and power cycles, at the same readings of the key's clock, then have the
    /// same answers, byte for byte: see --virtual-clock. What a client draws itself, such as its half of a key agreement,
    /// is part of its requests.
    // `requires` alone is waived where what is required conflicts with what is given.
    #[arg(long, value_name = "N", requires = "ephemeral", conflicts_with_all = ["vault", "passphrase_file"])]
    pub seed: Option<u64>,

    /// Let the key's own clock stand still until softkey control PATH advance moves it; needs --ephemeral
    ///
    /// Questions, PIN/UV auth tokens and the 10 seconds for a reset then end at that order alone: a test waits for none of
    /// them, and never too long. With --seed and --record, two runs in which the same happens in the same order write the
    /// same recording, byte for byte. Packets, keepalives and the times in what is printed go by the machine's clock all
    /// the same, since the host on the other side does. softkey replay needs no such clock: it goes by the readings that
    /// were recorded.
    // As for --seed.
    #[arg(long, requires = "ephemeral", conflicts_with_all = ["vault", "passphrase_file"])]
    pub virtual_clock: bool,

    /// Misbehave in this way, for tests of sites and clients; softkey faults lists them; may be given more than once
    ///
    /// Behind @ stands which of the requests it is about shall be changed: @2 only the second, @..2 the first two.
    #[arg(long, value_name = "NAME[=ARG][@N]")]
    pub fault: Vec<Spec>,

    /// Write down what is done with the key, in a new file, for softkey replay
    ///
    /// With --seed messages are written whole: all secrets of that key follow from the seed anyway, and so do PINs that a
    /// client sends it. Without it only the command, the status and the length of each message are written, and what is
    /// asked without for whom; see --record-secrets.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// Write whole messages into the recording of a key without --seed too
    ///
    /// They hold names of sites and accounts, credential identifiers, keys and contents of large blobs and credBlobs.
    /// PINs, tokens and what hmac-secret gives stand there encrypted. Such a recording cannot be replayed.
    #[arg(long, requires = "record")]
    pub record_secrets: bool,

    /// Make an owner-only socket here, for softkey control
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `softkey demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Draw all randomness from this number: the same number gives the same messages
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// What the key is: a built-in profile, which softkey profiles list names, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,

    /// Attest the credential by a root of your own, which softkey attestation new makes
    ///
    /// Without FILE it is the root that lies beside your vault.
    #[arg(long, value_name = "FILE")]
    pub attestation: Option<Option<PathBuf>>,

    /// Print one JSON object for each ceremony, with everything in base64url that a relying party checks
    #[arg(long)]
    pub json: bool,
}

/// Where a key keeps what must outlive a power cycle.
#[derive(Debug, clap::Args)]
pub struct MemoryArgs {
    /// The vault, made if it is not there [default: $XDG_DATA_HOME/softkey/vault]
    #[arg(long, value_name = "FILE")]
    pub vault: Option<PathBuf>,

    /// Keep everything in memory and forget it at the end
    #[arg(long, conflicts_with = "vault")]
    pub ephemeral: bool,

    /// Read the vault's passphrase from the first line of this file
    ///
    /// Without it the passphrase comes from the environment variable SOFTKEY_PASSPHRASE or from a prompt.
    #[arg(long, value_name = "FILE", conflicts_with = "ephemeral")]
    pub passphrase_file: Option<PathBuf>,
}

/// How a key is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// uhid where it can be had, else udp
    Auto,
    /// A virtual USB key of this machine, for browsers and everything else
    Uhid,
    /// CTAPHID reports in datagrams, for tests and simulators
    Udp,
}

/// Who answers for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Approve {
    /// You, at the terminal; without a terminal every request is refused
    Ask,
    /// Nobody: every request is approved at once
    Auto,
    /// Nobody: every request is refused at once
    Deny,
    /// softkey control PATH touch; until then requests wait
    Hold,
}

/// The key's own user verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verifier {
    /// None; a client asks for the PIN
    None,
    /// A pretended sensor, which whoever may approve satisfies
    Simulated,
    /// A pretended fingerprint sensor on which fingers are enrolled; whoever may approve is every finger
    Fingerprint,
}

/// The arguments of `softkey control`.
#[derive(Debug, clap::Args)]
pub struct ControlArgs {
    /// The socket that was given to softkey run --control
    pub path: PathBuf,

    /// Print the answer as one JSON object
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub order: ControlOrder,
}

/// What a running key can be told.
#[derive(Clone, Debug, Subcommand)]
pub enum ControlOrder {
    /// Change who answers when the key asks for a touch
    Approve {
        /// As for softkey run --approve.
        mode: Approve,
    },
    /// Touch the key: answer the open question with yes
    Touch {
        /// Hold the finger there for 5 seconds, as a reset wants it after enableLongTouchForReset.
        #[arg(long)]
        long: bool,
    },
    /// Let the simulated sensor succeed, fail or lock itself, and answer the open question with it
    Uv {
        /// What the sensor finds.
        outcome: Outcome,
    },
    /// Put a finger on the simulated fingerprint sensor, and answer the open question with it
    ///
    /// The finger stays the one that touches the sensor until another is named; a bad sample happens once.
    Finger {
        /// A number from 1 to 10, or how the sample is bad: too-high, too-low, too-left, too-right, too-fast,
        /// too-slow, poor-quality, too-skewed, too-short, merge-failure, exists, database-full, no-user-activity,
        /// no-user-presence-transition.
        finger: Touched,
    },
    /// Let the key misbehave, or behave again
    Fault {
        /// What to do.
        #[command(subcommand)]
        order: FaultOrder,
    },
    /// Unplug the key and plug it in again; done when the key is back
    Replug,
    /// Let this time pass for a key with --virtual-clock; done when everything is that was due meanwhile
    Advance {
        /// Such as 500ms, 30s, 10m or 1h.
        time: Span,
    },
    /// Say what the key is doing
    Status,
    /// Unplug the key and end softkey run
    Stop,
}

/// What becomes of a fault.
#[derive(Clone, Debug, Subcommand)]
pub enum FaultOrder {
    /// Switch a fault on
    On {
        /// The fault, as for softkey run --fault.
        #[arg(value_name = "NAME[=ARG][@N]")]
        fault: Spec,
    },
    /// Switch a fault off, or all
    Off {
        /// The fault's name; without one, all end.
        name: Option<String>,
    },
    /// Name the faults that are on
    List,
}

/// What a sensor finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Outcome {
    /// The user is recognised
    Ok,
    /// The user is not recognised
    Fail,
    /// Nobody is recognised, and no further try is made until the right PIN or a reset
    Lock,
}

/// The arguments of `softkey faults`.
#[derive(Debug, clap::Args)]
pub struct FaultsArgs {
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `softkey doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// The vault whose folder is looked at [default: $XDG_DATA_HOME/softkey/vault]
    #[arg(long, value_name = "FILE")]
    pub vault: Option<PathBuf>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_declaration_is_sound() {
        Args::command().debug_assert();
    }
}
