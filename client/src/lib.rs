#![doc = include_str!("../README.md")]

pub mod base64url;
pub mod cause;
pub mod ceremony;
pub mod client_data;
pub mod create;
#[cfg(feature = "hid")]
pub mod driver;
pub mod get;
pub mod info;
pub mod manage;
pub mod options;
pub mod origin;
pub mod pin;
pub mod response;
pub mod spki;
pub mod verify;

mod entropy;
mod lists;
#[cfg(test)]
mod script;
mod session;
mod token;
mod u2f;

pub use cause::{Cause, DomException, Operation};
pub use ceremony::{Account, Ceremony, Input, Need, PinNeed, Step};
pub use create::create;
pub use entropy::Entropy;
pub use get::get;
pub use info::Info;
pub use options::{CreationOptions, RequestOptions};
pub use origin::Origin;
pub use response::{AuthenticationResponse, RegistrationResponse};
pub use session::Reach;
