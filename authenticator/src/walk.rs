//! What a client is walking through, one item a request: one walk at a time in the whole authenticator.

use crate::get_assertion::Accounts;
use crate::step::Session;
use crate::store::Key;

/// A list that is given out item by item. It belongs to the client that began it.
pub(crate) struct Walk {
    pub(crate) session: Session,
    /// The token that authorized it; it ends with the token. A persistent token has no number here: what voids
    /// it ends all walks.
    pub(crate) token: Option<u64>,
    pub(crate) through: Through,
}

/// What is walked through, and how far.
pub(crate) enum Through {
    /// authenticatorGetNextAssertion.
    Accounts(Accounts),
    /// enumerateRPsGetNextRP: those behind this key.
    RelyingParties { after: Key, remaining: u64 },
    /// enumerateCredentialsGetNextCredential: those of this party that are older than this sequence number.
    Credentials { rp_id_hash: [u8; 32], before: u64, remaining: u64 },
}
