//! Keys that are something else than the default: older generations of the protocol, small limits, other flags.

mod credentials;
mod generations;
mod limits;
mod verification;
