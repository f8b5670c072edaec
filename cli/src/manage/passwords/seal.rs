//! `softkey passwords seal`: from a JSON file into a vault.

use serde_json::json;
use softkey_client::Profile;

use crate::browser_profile::{BrowserProfileArgs, Carried};
use crate::error::CliError;
use crate::output::{Form, Output};

/// Carries `softkey passwords seal` out: says what is in the vault now, and what became of the file.
///
/// # Errors
///
/// As [`BrowserProfileArgs::seal`].
pub(super) fn run(
    args: &BrowserProfileArgs,
    remove_file: bool,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let Carried { profile, file, vault, was_there, removed } = args.seal(remove_file)?;
    let (file, vault) = (file.display().to_string(), vault.display().to_string());
    let (passwords, federated) = (profile.passwords().len(), profile.federated().len());
    let connections = profile.connections().len();
    match output.form() {
        Form::Json => output.object(&json!({
            "vault": vault, "file": file, "passwords": passwords, "federated": federated,
            "connections": connections, "wasThere": was_there, "fileRemoved": removed,
        }))?,
        Form::Plain => {
            let already = if was_there { " already" } else { "" };
            output.line(format!("{file} is{already} sealed in {vault}: {}.", inside(&profile)))?;
            if removed {
                output.line(format!("{file} is removed."))?;
            }
        }
    }
    if !removed {
        output.note(format!(
            "{file} is still there, and not sealed. To remove it: the same again with --remove-file"
        ));
    }
    Ok(())
}

fn inside(profile: &Profile) -> String {
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    format!(
        "{}, {}, {}, and what is remembered of sites",
        count(profile.passwords().len(), "password"),
        count(profile.federated().len(), "federated credential"),
        count(profile.connections().len(), "connected account"),
    )
}
