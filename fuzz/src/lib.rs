//! Fuzz bodies: what each target does with its bytes, and what must hold whatever they are.
//!
//! One module for each target. A body panics when its claim is broken; that it does not crash otherwise is the
//! least of it. Each body can be run on the code as it is or on a [`Subject`] with a fault planted into it, so
//! that the target itself can be shown to find something.
//!
//! The targets in `fuzz_targets/` are shells: under cargo-fuzz they are fuzzers, without it programs that replay
//! the files they are given. `cargo test -p softkey-fuzz` replays all of `seeds/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a body speaks through panics; nothing of it ships"
)]

pub mod cbor_reader;
pub mod commands;
pub mod container;
pub mod dictionary;
pub mod features;
pub mod fedcm;
pub mod flash;
pub mod hid_device;
pub mod hid_host;
pub mod link;
pub mod messages;
pub mod options;
pub mod pin_uv;
pub mod records;
pub mod replay;
pub mod requests;
pub mod tape;
pub mod u2f;
pub mod vault;

mod wire;

pub use tape::Tape;

/// What a body is given to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The code as it is.
    Real,
    /// The code with a fault in its way, which each body names.
    Planted,
}

/// One target.
pub struct Target {
    /// Its name: of the module here, the program, the folder of seeds and the dictionary.
    pub name: &'static str,
    /// Its body. Panics if what the target claims does not hold.
    pub run: fn(&[u8], Subject),
    /// Words of its language, for the fuzzer to build with.
    pub words: fn() -> Vec<Vec<u8>>,
    /// The longest input that is worth trying, in bytes.
    pub longest: usize,
}

macro_rules! targets {
    ($($name:ident: $words:expr, $longest:literal;)*) => {
        /// All targets.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            run: $name::run,
            words: $words,
            longest: $longest,
        }),*];
    };
}

targets! {
    cbor_reader: dictionary::messages, 512;
    messages: dictionary::messages, 1024;
    pin_uv: dictionary::none, 512;
    hid_device: dictionary::none, 2048;
    hid_host: dictionary::none, 2048;
    u2f: dictionary::none, 512;
    commands: dictionary::requests, 2048;
    requests: dictionary::none, 512;
    features: dictionary::none, 512;
    link: dictionary::none, 512;
    records: dictionary::none, 256;
    vault: dictionary::none, 256;
    options: dictionary::json, 1024;
    fedcm: dictionary::provider, 1024;
    container: dictionary::json, 512;
    flash: dictionary::none, 512;
}

/// The subject that the environment names: [`Subject::Planted`] if `SOFTKEY_FUZZ_PLANT` is set.
#[must_use]
pub fn subject() -> Subject {
    static SUBJECT: std::sync::OnceLock<Subject> = std::sync::OnceLock::new();
    *SUBJECT.get_or_init(|| match std::env::var_os("SOFTKEY_FUZZ_PLANT") {
        Some(_) => Subject::Planted,
        None => Subject::Real,
    })
}

/// The program of a target: a fuzzer under cargo-fuzz, else one that replays files.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$name::run(data, $crate::subject()));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay::files($crate::$name::run)
        }
    };
}
