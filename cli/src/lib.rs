//! The library of the program `softkey`: what its commands stand on and what tests and other programs may
//! use without the command line.
//!
//! - [`args`], [`command`]: the command line and what carries it out;
//! - [`attestation`]: the owner's root, which attests new credentials;
//! - [`browser`]: a page, a key and a user in one process, for the tests of sites;
//! - [`browser_profile`]: what a browser remembers, on a disk, for the commands that play a page;
//! - [`environment`]: what comes by the environment;
//! - [`error`]: how a command fails, in two parts, and the table of exit codes;
//! - [`faults`]: what the key does wrong when its owner wants it to;
//! - [`metadata`]: what is told about the key in advance;
//! - [`inbox`]: where messages with one-time codes come from;
//! - [`output`]: plain lines or one JSON object a line;
//! - [`text`]: untrusted text on its way to a terminal;
//! - [`profile`]: what the key is, if not the default;
//! - [`run`]: the key itself;
//! - [`replay`]: a recorded session, run again;
//! - [`control`]: the language of its control socket;
//! - [`demo`]: a registration and a sign-in, told;
//! - [`serve`]: servers for tests;
//! - [`doctor`]: what a machine lacks;
//! - [`manage`]: the manager for any FIDO key;
//! - [`decode`]: what bytes mean;
//! - [`verify`]: the relying party's checks;
//! - [`tty`]: where secrets are asked for;
//! - [`protection`]: whether a vault is whole, and what opens it;
//! - [`unlock`]: how a command opens a vault;
//! - [`vault`]: what a security key keeps, on a disk: durable, and refused rather than guessed at when damaged.

pub mod args;
pub mod attestation;
pub mod bridge;
pub mod browser;
pub mod browser_profile;
pub mod command;
pub mod control;
pub mod decode;
pub mod demo;
pub mod doctor;
pub mod environment;
pub mod error;
pub mod faults;
pub mod inbox;
pub mod manage;
pub mod metadata;
pub mod output;
pub mod profile;
pub mod protection;
pub mod replay;
pub mod run;
pub mod serve;
pub mod text;
pub mod tty;
pub mod unlock;
pub mod vault;
pub mod verify;
