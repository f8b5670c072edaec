//! How a request ended, whoever drove it.

use crate::credential::{Credential, Rejection};
use crate::request::KeyId;

/// How a request ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// What the promise was settled with. Nothing: it stays pending, as a conditional get does without keys.
    pub promise: Option<Result<Option<Credential>, Rejection>>,
    /// What keys made or signed though they were cancelled.
    pub late: Vec<(KeyId, Credential)>,
}

impl Settlement {
    /// The credential.
    ///
    /// # Errors
    ///
    /// The rejection. A promise that resolved with null, or stays pending, is `Ok(None)`.
    pub fn into_result(self) -> Result<Option<Credential>, Rejection> {
        self.promise.unwrap_or(Ok(None))
    }
}
