//! What is wrong with a response, as the relying party sees it.

use std::fmt;

use softkey_ctap::cbor::DecodeError;

use super::attestation::StatementFault;

/// The first check that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The credential is not of the type `public-key`.
    CredentialType,
    /// The client data are not the JSON they should be.
    ClientData,
    /// They are of another ceremony.
    Type,
    /// They answer another challenge.
    Challenge,
    /// They come from another origin.
    Origin,
    /// They come from a frame of another origin.
    CrossOrigin,
    /// The page is inside a page of an origin that it must not be in.
    TopOrigin,
    /// The attestation object or the authenticator data cannot be read.
    Unreadable(DecodeError),
    /// The authenticator data are for another relying party.
    RpIdHash,
    /// The user was not present.
    NotPresent,
    /// The user was not verified, and had to be.
    NotVerified,
    /// The backup flags contradict each other or the record.
    BackupFlags,
    /// The credential can be backed up and must not, or the other way round.
    BackupPolicy,
    /// There is no new credential.
    NoCredential,
    /// The response is about another credential than it says, or than the record.
    OtherCredential,
    /// The credential is registered already.
    Registered,
    /// The credential is not one of those that were allowed.
    NotAllowed,
    /// The credential is another user's, or does not say whose it is.
    UserHandle,
    /// This algorithm was not asked for.
    Algorithm(i64),
    /// The key is not of an algorithm that is checked here, or no valid key of it, or the stored one cannot be read.
    Key,
    /// The key is one of Ed448, whose signatures are not checked here: there is no released library that does it.
    Ed448,
    /// The statement is of a format that is not checked here.
    Format,
    /// The statement does not hold.
    Statement(StatementFault),
    /// The signature of a sign-in is wrong.
    Signature,
    /// The counter did not grow: somebody may have copied the key.
    Counter {
        /// As the record has it.
        last: u32,
        /// As the response has it.
        now: u32,
    },
}

impl From<StatementFault> for Fault {
    fn from(fault: StatementFault) -> Self {
        Self::Statement(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CredentialType => "The credential is not of the type public-key.",
            Self::TopOrigin => "The page is inside a page of another origin than it may be in.",
            Self::BackupPolicy => "The credential can be backed up and must not, or cannot.",
            Self::Registered => "The credential is registered already.",
            Self::NotAllowed => "The credential is not one of those that were allowed.",
            Self::UserHandle => "The credential is another user's, or does not say whose it is.",
            Self::ClientData => "The client data are not the JSON they should be.",
            Self::Type => "The client data are of another ceremony.",
            Self::Challenge => "The response answers another challenge.",
            Self::Origin => "The response comes from another origin.",
            Self::CrossOrigin => "The response comes from a frame of another origin.",
            Self::Unreadable(error) => {
                return write!(f, "The response cannot be read ({error:?}).");
            }
            Self::RpIdHash => "The response is for another relying party.",
            Self::NotPresent => "The user was not present.",
            Self::NotVerified => "The user was not verified.",
            Self::BackupFlags => "The backup flags contradict each other or the record.",
            Self::NoCredential => "There is no new credential.",
            Self::OtherCredential => "The response is about another credential.",
            Self::Algorithm(alg) => return write!(f, "Nobody asked for the algorithm {alg}."),
            Self::Key => "The public key is not one that can be used here.",
            Self::Ed448 => "Signatures of Ed448 are not checked here.",
            Self::Format => "The attestation format is not known here.",
            Self::Statement(fault) => {
                return write!(f, "The attestation statement does not hold: {fault}.");
            }
            Self::Signature => "The signature is wrong.",
            Self::Counter { last, now } => {
                return write!(f, "The signature counter went from {last} to {now}.");
            }
        })
    }
}

impl std::error::Error for Fault {}
