//! Profiles: what the key is, if not the default. A profile is a TOML file, built in or the owner's; every key of it
//! is optional over the default. Only the owner chooses one, and a vault belongs to the profile it was made with.

mod command;
mod file;
mod mark;

use std::fs;
use std::path::Path;

use softkey_authenticator::Config;

pub use command::{ProfilesArgs, run};
pub use mark::Mark;

use crate::error::{CliError, Exit};
use crate::faults::Spec;

/// A built-in profile: its name and its text.
type BuiltIn = (&'static str, &'static str);

/// Those that the program brings along, by name.
const BUILT_IN: [BuiltIn; 21] = [
    ("default", include_str!("profile/default.toml")),
    ("algorithms", include_str!("profile/algorithms.toml")),
    ("always-uv", include_str!("profile/always-uv.toml")),
    ("ctap2.0", include_str!("profile/ctap2.0.toml")),
    ("ctap2.1", include_str!("profile/ctap2.1.toml")),
    ("ctap2.2", include_str!("profile/ctap2.2.toml")),
    ("ctap2.3", include_str!("profile/ctap2.3.toml")),
    ("enterprise", include_str!("profile/enterprise.toml")),
    ("fingerprint", include_str!("profile/fingerprint.toml")),
    ("large-blob", include_str!("profile/large-blob.toml")),
    ("no-pin", include_str!("profile/no-pin.toml")),
    ("no-u2f", include_str!("profile/no-u2f.toml")),
    ("not-discoverable", include_str!("profile/not-discoverable.toml")),
    ("passkey", include_str!("profile/passkey.toml")),
    ("previews", include_str!("profile/previews.toml")),
    ("previews2.0", include_str!("profile/previews2.0.toml")),
    ("tiny", include_str!("profile/tiny.toml")),
    ("u2f", include_str!("profile/u2f.toml")),
    ("uv", include_str!("profile/uv.toml")),
    ("uvm-policy", include_str!("profile/uvm-policy.toml")),
    ("zero-counter", include_str!("profile/zero-counter.toml")),
];

/// Is this the name of a profile that the program brings along? No file can be given by it.
fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(built_in, _)| *built_in == name)
}

/// What a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, or its file's path.
    pub name: String,
    /// What it is, in a few words.
    pub summary: String,
    /// The TOML that it was read from.
    pub text: String,
    /// The faults that are on from the start.
    pub faults: Vec<Spec>,
    /// What it makes of the authenticator, without contradictions.
    pub config: Config,
}

impl Profile {
    /// The built-in ones, the default first.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read, which the tests rule out.
    pub fn built_in() -> Result<Vec<Self>, CliError> {
        BUILT_IN.iter().map(|(name, text)| Self::parse(name, text)).collect()
    }

    /// The profile of this name, or the one in this file.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`] if there is neither, or if the file makes no sense.
    pub fn find(given: &str) -> Result<Self, CliError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == given) {
            return Self::parse(name, text);
        }
        let is_path = given.contains('/') || Path::new(given).exists();
        if !is_path {
            return Err(CliError::new(
                Exit::BadInput,
                format!("There is no profile {given:?}, and no file of that name."),
                "softkey profiles list names those that are built in",
            ));
        }
        let text = fs::read_to_string(given).map_err(|error| {
            let what = format!("The profile {given} cannot be read: {error}.");
            CliError::new(
                Exit::BadInput,
                what,
                "softkey profiles show > FILE makes one to begin with",
            )
        })?;
        Self::parse(given, &text)
    }

    /// The profile in this text.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`]: a key is not known, a value makes no sense, or cannot be had together with others.
    pub fn parse(name: &str, text: &str) -> Result<Self, CliError> {
        let file::Contents { summary, faults, config } = file::read(text).map_err(|flaw| {
            let what =
                format!("The profile {name} makes no sense in line {}: {}.", flaw.line, flaw.what);
            let try_this = "softkey profiles show default lists every key and what it takes";
            CliError::new(Exit::BadInput, what, try_this)
        })?;
        Ok(Self { name: name.to_owned(), summary, text: text.to_owned(), faults, config })
    }

    /// Is it the key that `softkey run` shows if nothing else is said?
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.config == Config::default()
    }
}

impl Default for Profile {
    fn default() -> Self {
        let (name, text) = BUILT_IN[0];
        let (name, text) = (name.to_owned(), text.to_owned());
        Self { name, summary: String::new(), text, faults: Vec::new(), config: Config::default() }
    }
}

#[cfg(test)]
mod tests;
