//! What comes by the environment, which may hold secrets.

use std::env::{self, VarError};

use zeroize::Zeroizing;

use crate::error::{CliError, Exit};

/// The text of a variable; nothing if it is not set.
///
/// # Errors
///
/// [`Exit::BadInput`] if it is no text: what somebody has set is not passed over.
pub fn variable(name: &str) -> Result<Option<Zeroizing<String>>, CliError> {
    match env::var(name) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(CliError::new(
            Exit::BadInput,
            format!("The environment variable {name} is no UTF-8 text."),
            "set it to one, or unset it",
        )),
    }
}
