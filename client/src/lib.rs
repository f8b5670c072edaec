#![doc = include_str!("../README.md")]

pub mod abort;
pub mod asynchronous;
pub mod base64url;
pub mod blobs;
pub mod call;
pub mod capabilities;
pub mod cause;
pub mod ceremony;
pub mod client_data;
pub mod container;
pub mod create;
pub mod credential;
#[cfg(feature = "hid")]
pub mod driver;
pub mod extensions;
pub mod fingers;
pub mod get;
pub mod info;
pub mod manage;
pub mod options;
pub mod origin;
pub mod page;
pub mod pin;
pub mod profile;
pub mod registry;
pub mod related;
pub mod request;
pub mod response;
pub mod settings;
pub mod settlement;
pub mod signal;
pub mod spki;
pub mod stored;
pub mod suffix;
pub mod verify;
pub mod wrong;

mod entropy;
mod lists;
mod public_key;
#[cfg(test)]
mod script;
mod session;
mod token;
mod u2f;

pub use abort::{AbortController, AbortReason, AbortSignal};
pub use call::{CredentialCreationOptions, CredentialRequestOptions, Mediation};
pub use cause::{Cause, DomException, Operation, WrongResponse};
pub use ceremony::{Account, Ceremony, Input, Need, PinNeed, Progress, Step};
pub use container::CredentialsContainer;
pub use create::create;
pub use credential::{Credential, Rejection};
pub use entropy::Entropy;
pub use get::get;
pub use info::Info;
pub use options::{CreationOptions, RequestOptions};
pub use origin::Origin;
pub use page::{Frame, Page};
pub use profile::{Profile, Settings};
pub use registry::{CredentialType, Feature};
pub use request::{KeyId, Output, Request};
pub use response::{AuthenticationResponse, RegistrationResponse};
pub use session::Reach;
pub use signal::{Sending, Signal, SignalOptions};
