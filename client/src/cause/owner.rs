//! What a key refuses to its owner, where the status alone would not say it: one status has as many meanings as there
//! are commands that give it.

use std::fmt;

use softkey_ctap::StatusCode;

use super::Cause;

/// What the owner of a key cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerFault {
    /// The list of relying parties that may learn the least length of a PIN is longer than the key's.
    PartiesFull,
    /// PINs are to have more code points at least than the key takes at most, which is this.
    MinimumTooHigh(u64),
    /// alwaysUv cannot be turned off.
    AlwaysUvStays,
    /// There is no room for longer names.
    NamesFull,
    /// No stored credential has an identifier that begins so, or it is gone meanwhile.
    UnknownCredential,
    /// The key was plugged in too long ago to be reset.
    TooLateForReset,
}

impl OwnerFault {
    /// This fault in the place of that status; any other cause stays what it is.
    pub(crate) fn of(self, status: StatusCode, cause: Cause) -> Cause {
        if cause == Cause::Refused(status) { self.into() } else { cause }
    }
}

impl From<OwnerFault> for Cause {
    fn from(fault: OwnerFault) -> Self {
        Self::Owner(fault)
    }
}

impl fmt::Display for OwnerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PartiesFull => {
                "The key has no room for so many relying parties, or for so long a name of one."
            }
            Self::MinimumTooHigh(max) => {
                return write!(f, "The key takes PINs of {max} characters at most.");
            }
            Self::AlwaysUvStays => "The key does not let alwaysUv be turned off.",
            Self::NamesFull => "The key has no room for these names.",
            Self::UnknownCredential => "No credential on the key has an identifier that begins so.",
            Self::TooLateForReset => "The key was plugged in too long ago to be reset.",
        })
    }
}
