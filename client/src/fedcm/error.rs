//! `IdentityCredentialError`, as a page sees it.

use serde::Serialize;

use super::{AssertionError, Failure};
use crate::cause::{Cause, DomException};

/// What stands in the exception that a provider's refusal is for the page. It serializes with these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IdentityCredentialError<'a> {
    /// The exception's name.
    pub name: &'static str,
    /// Its message: the name again, whatever happened.
    pub message: &'static str,
    /// What the provider calls the error, such as `access_denied`; empty if it said nothing that may be read.
    pub error: &'a str,
    /// Where the provider says more, on a page of its own site; or empty.
    pub url: &'a str,
}

impl<'a> IdentityCredentialError<'a> {
    /// The members, if this is the cause of such an exception.
    pub(crate) const fn of(cause: &'a Cause) -> Option<Self> {
        match cause {
            Cause::Identity(Failure::NoToken(AssertionError { error, url, .. })) => {
                let name = DomException::IdentityCredentialError.name();
                Some(Self { name, message: name, error: error.as_str(), url: url.as_str() })
            }
            _ => None,
        }
    }
}
