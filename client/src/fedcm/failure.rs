//! Why a call of `IdentityCredential` fails, in private, and the name that the page sees.

use std::fmt;
use std::time::Duration;

use super::{AssertionError, Endpoint, Fault};
use crate::cause::DomException;
use crate::fetch::FetchFault;

/// The private reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The list of providers is empty.
    NoProviders,
    /// Two providers are of this one origin.
    SameProvider(String),
    /// The mode `active` takes one provider, and there are so many.
    ActiveWithSeveral(usize),
    /// The mode `active` needs a click.
    NoActivation,
    /// The user turned `FedCM` off, everywhere or for this site.
    Disabled,
    /// The user closed a dialog on this site a short time ago.
    CoolingDown,
    /// A request of the mode `active` came in the same tab.
    Superseded,
    /// No provider has anything to offer; one reason for each.
    NothingToOffer(Vec<(String, Unoffered)>),
    /// The page wants no user involved, and one would have to be.
    NeedsUser(NotAutomatic),
    /// The user closed the dialog.
    Dismissed,
    /// The login dialog ended, and the user is not signed in to the provider.
    NotSignedIn,
    /// The page on which the user went on closed without a token.
    NotContinued,
    /// The provider gave no token; the page sees its error.
    NoToken(AssertionError),
    /// This endpoint did not answer in this time.
    Late(Endpoint, Duration),
    /// The answer of this endpoint cannot be used.
    Answer(Endpoint, Fault),
    /// `configURL` is no URL.
    NoUrl,
    /// `configURL` is neither `https` nor local.
    NotTrustworthy,
    /// The page's Content Security Policy does not let it connect there.
    ContentSecurityPolicy,
    /// A call of `disconnect` is pending on the page.
    Disconnecting,
    /// No account of this provider is connected with the page.
    NotConnected,
    /// The provider has no endpoint that ends connections.
    CannotDisconnect,
    /// The caller is not of the provider's origin.
    ForeignCaller,
    /// The caller is no frame.
    TopLevel,
    /// No account could be signed in without asking.
    NoneEligible,
    /// The caller is in a frame of another site.
    ForeignSite,
    /// The page is not the provider's, or not shown to go on at.
    NoContinuation,
    /// The user signed in to providers so many times, and chose no account.
    Logins(usize),
}

/// Why a provider has nothing to offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unoffered {
    /// Its `configURL` is no URL.
    NoUrl,
    /// The page's Content Security Policy does not let it connect there.
    ContentSecurityPolicy,
    /// The answer of this endpoint, well-known file or config file, cannot be used.
    Answer(Endpoint, Fault),
    /// This endpoint did not answer in this time.
    Late(Endpoint, Duration),
    /// The user is not signed in there.
    LoggedOut,
    /// The page wants no user involved, and no account of this provider is connected with it.
    NotConnected,
    /// The page wants no user involved, and the user did not allow that.
    MediationRequired,
    /// None of its accounts fits the hints.
    NoneFits,
}

/// Why no account was signed in without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAutomatic {
    /// So many accounts could be; it takes one.
    Eligible(usize),
    /// The user did not allow it, or signed out.
    MediationRequired,
    /// It happened a short time ago.
    Throttled,
}

impl Failure {
    pub(crate) const fn exception(&self) -> DomException {
        match self {
            Self::NoToken(_) => DomException::IdentityCredentialError,
            Self::NoUrl | Self::ForeignCaller => DomException::InvalidStateError,
            Self::ForeignSite => DomException::SecurityError,
            Self::NoContinuation => DomException::NotAllowedError,
            Self::NoProviders
            | Self::SameProvider(_)
            | Self::ActiveWithSeveral(_)
            | Self::NoActivation
            | Self::Disabled
            | Self::CoolingDown
            | Self::Superseded
            | Self::NothingToOffer(_)
            | Self::NeedsUser(_)
            | Self::Dismissed
            | Self::NotSignedIn
            | Self::NotContinued
            | Self::Late(..)
            | Self::Answer(..)
            | Self::NotTrustworthy
            | Self::ContentSecurityPolicy
            | Self::Disconnecting
            | Self::NotConnected
            | Self::CannotDisconnect
            | Self::TopLevel
            | Self::NoneEligible
            | Self::Logins(_) => DomException::NetworkError,
        }
    }

    /// What is wrong with an answer: it came too late, or is none to use.
    pub(super) fn of(endpoint: Endpoint, fault: Fault, limit: Duration) -> Self {
        match fault {
            Fault::NotFetched(FetchFault::TimedOut) => Self::Late(endpoint, limit),
            fault => Self::Answer(endpoint, fault),
        }
    }

    const fn sentence(&self) -> &'static str {
        match self {
            Self::NoProviders => "No identity provider is named.",
            Self::NoActivation => "The mode active needs a click.",
            Self::Disabled => "The user turned FedCM off here.",
            Self::CoolingDown => "The user closed a dialog here a short time ago.",
            Self::Superseded => "Another request of the mode active came in the same tab.",
            Self::Dismissed => "The user closed the dialog.",
            Self::NotSignedIn => "The user did not sign in to the provider.",
            Self::NotContinued => "The provider's page closed without a token.",
            Self::NoUrl => "configURL is no URL.",
            Self::NotTrustworthy => "configURL is neither https nor local.",
            Self::ContentSecurityPolicy => {
                "The page's Content Security Policy does not let it connect to the provider."
            }
            Self::Disconnecting => "A call of disconnect is pending already.",
            Self::NotConnected => "No account of the provider is connected with the page.",
            Self::CannotDisconnect => "The provider has no disconnect_endpoint that can be used.",
            Self::ForeignCaller => "The caller is not of the origin of configURL.",
            Self::TopLevel => "The caller is no frame.",
            Self::NoneEligible => "No account could be signed in without asking.",
            Self::ForeignSite => "The caller is in a frame of another site.",
            Self::NoContinuation => "The page is not one of the provider's to go on at.",
            Self::SameProvider(_)
            | Self::ActiveWithSeveral(_)
            | Self::NothingToOffer(_)
            | Self::NeedsUser(_)
            | Self::NoToken(_)
            | Self::Logins(_)
            | Self::Late(..)
            | Self::Answer(..) => "The provider's answer cannot be used.",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameProvider(origin) => write!(f, "Two providers are of the origin {origin}."),
            Self::ActiveWithSeveral(count) => {
                write!(f, "The mode active takes one provider, not {count}.")
            }
            Self::NothingToOffer(reasons) => {
                f.write_str("No provider has an account to offer")?;
                for (index, (provider, why)) in reasons.iter().enumerate() {
                    write!(f, "{} {provider}: {why}", if index == 0 { ":" } else { ";" })?;
                }
                f.write_str(".")
            }
            Self::NeedsUser(why) => write!(f, "The user would have to be asked, for {why}."),
            Self::NoToken(AssertionError { error, fault, .. }) if error.is_empty() => {
                write!(f, "The provider gave no token: {fault}.")
            }
            Self::NoToken(AssertionError { error, fault, .. }) => {
                write!(f, "The provider gave no token: {fault} ({error:?}).")
            }
            Self::Late(endpoint, limit) => {
                late(f, *endpoint, *limit).and_then(|()| f.write_str("."))
            }
            Self::Logins(times) => {
                write!(f, "The user signed in to providers {times} times, and chose no account.")
            }
            Self::Answer(endpoint, fault) => {
                write!(f, "The answer of the {endpoint} cannot be used: {fault}.")
            }
            other => f.write_str(other.sentence()),
        }
    }
}

fn late(f: &mut fmt::Formatter<'_>, endpoint: Endpoint, limit: Duration) -> fmt::Result {
    write!(f, "the {endpoint} did not answer within {} seconds", limit.as_secs_f32())
}

impl Unoffered {
    pub(super) fn of(failure: Failure) -> Self {
        match failure {
            Failure::NoUrl => Self::NoUrl,
            Failure::ContentSecurityPolicy => Self::ContentSecurityPolicy,
            Failure::Late(endpoint, limit) => Self::Late(endpoint, limit),
            Failure::Answer(endpoint, fault) => Self::Answer(endpoint, fault),
            _ => Self::Answer(Endpoint::Config, Fault::NotTrustworthy("configURL")),
        }
    }
}

impl fmt::Display for Unoffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl => f.write_str("configURL is no URL"),
            Self::ContentSecurityPolicy => {
                f.write_str("the page's Content Security Policy does not let it connect there")
            }
            Self::Answer(endpoint, fault) => write!(f, "{endpoint}: {fault}"),
            Self::Late(endpoint, limit) => late(f, *endpoint, *limit),
            Self::LoggedOut => f.write_str("nobody is signed in there"),
            Self::NotConnected => f.write_str("no account is connected with the page"),
            Self::MediationRequired => f.write_str("the user wants to be asked"),
            Self::NoneFits => f.write_str("no account fits the hints"),
        }
    }
}

impl fmt::Display for NotAutomatic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eligible(count) => {
                write!(f, "{count} accounts could be signed in unasked, not one")
            }
            Self::MediationRequired => f.write_str("the user wants to be asked"),
            Self::Throttled => f.write_str("that happened unasked a short time ago"),
        }
    }
}
