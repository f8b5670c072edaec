//! `softkey list`: the keys on this machine's USB ports. None of them is opened.

use std::fmt;

use clap::Args;
use serde::Serialize;
use softkey_ctap_hid::KeyInfo;

use super::device::keys;
use crate::error::CliError;
use crate::output::{Form, Output};
use crate::text::quoted;

/// The arguments of `softkey list`.
#[derive(Clone, Debug, Default, Args)]
pub struct ListArgs {
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// One key.
#[derive(Serialize)]
struct Listed {
    path: String,
    vendor: String,
    product: String,
    manufacturer: Option<String>,
    name: Option<String>,
}

/// Carries `softkey list` out. No key is no failure: nothing is listed.
///
/// # Errors
///
/// [`Exit::NoKey`](crate::error::Exit::NoKey) if the system cannot list its devices.
pub fn run(_: &ListArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let keys = keys()?;
    if keys.is_empty() && output.form() == Form::Plain {
        output.note("No key was found.");
    }
    keys.into_iter().map(Listed::from).try_for_each(|key| output.record(&key))
}

impl From<KeyInfo> for Listed {
    fn from(key: KeyInfo) -> Self {
        Self {
            path: key.path.to_string_lossy().into_owned(),
            vendor: format!("{:04x}", key.vendor),
            product: format!("{:04x}", key.product),
            manufacturer: key.manufacturer,
            name: key.name,
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}:{}", self.path, self.vendor, self.product)?;
        for text in self.manufacturer.iter().chain(&self.name) {
            write!(f, "  {}", quoted(text))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a device says of itself is untrusted and cannot steer the terminal.
    #[test]
    fn a_line_names_path_ids_and_words() {
        let key = KeyInfo {
            path: c"/dev/hidraw3".into(),
            vendor: 0x1209,
            product: 1,
            manufacturer: Some(String::from("a\u{1b}[2J")),
            name: None,
        };
        let line = Listed::from(key).to_string();
        assert_eq!(line, "/dev/hidraw3  1209:0001  \"a\\u{1b}[2J\"");
    }
}
