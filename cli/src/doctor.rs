//! `softkey doctor`: what this machine lacks to show a virtual USB key, and how to mend it.
//!
//! Each check looks at files only and changes nothing. A finding that is not well carries the command that
//! mends it.

mod browsers;
mod devices;
mod machine;
mod vault;

use std::fmt;

use serde::Serialize;

pub use machine::{Machine, User};

use crate::args::DoctorArgs;
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check: `node`, `module`, `group`, `udev_rule`, `access`, `clients`, `snap`, `flatpak`, `vault`.
    pub check: &'static str,
    /// Is there something to mend?
    pub state: State,
    /// What was found, one sentence.
    pub what: String,
    /// The commands that mend it, one a line, or a sentence where no command can.
    pub mend: Option<String>,
}

/// How well a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing to do.
    Well,
    /// Something to mend.
    Mend,
}

impl Finding {
    fn well(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Well, what: what.into(), mend: None }
    }

    fn mend(check: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, state: State::Mend, what: what.into(), mend: Some(mend.into()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Well => "well",
            State::Mend => "MEND",
        };
        write!(f, "{state}  {:<9}  {}", self.check, self.what)?;
        for line in self.mend.iter().flat_map(|mend| mend.lines()) {
            write!(f, "\n                 {line}")?;
        }
        Ok(())
    }
}

/// Carries `softkey doctor` out.
///
/// # Errors
///
/// If the findings cannot be written.
pub fn perform(args: &DoctorArgs) -> Result<Exit, CliError> {
    let form = if args.json { Form::Json } else { Form::Plain };
    let mut output = Output::stdout(form);
    let findings = examine(&Machine::this(), args.vault.as_deref());
    for finding in &findings {
        output.record(finding)?;
    }
    let well = findings.iter().all(|finding| finding.state == State::Well);
    Ok(if well { Exit::Success } else { Exit::Failed })
}

/// All findings about a machine, in a fixed order.
#[must_use]
pub fn examine(machine: &Machine, vault: Option<&std::path::Path>) -> Vec<Finding> {
    let mut findings = vec![
        devices::node(machine),
        devices::access(machine),
        devices::group(machine),
        devices::udev_rule(machine),
        devices::clients(machine),
    ];
    findings.extend(browsers::snaps(machine));
    findings.extend(browsers::flatpaks(machine));
    findings.push(vault::folder(machine, vault));
    findings
}

/// The commands that make `/dev/uhid` usable for this user; none if it is.
#[must_use]
pub fn uhid_mends(machine: &Machine) -> Vec<String> {
    let findings = [devices::node(machine), devices::group(machine), devices::udev_rule(machine)];
    findings.into_iter().filter_map(|finding| finding.mend).collect()
}

#[cfg(test)]
mod tests;
