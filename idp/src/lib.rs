#![doc = include_str!("../README.md")]

mod certificate;
mod control;
mod endpoint;
mod entropy;
mod entry;
mod fault;
mod log;
mod message;
mod provider;
mod recent;
mod server;
mod setup;
mod token;

pub use certificate::Authority;
pub use endpoint::Endpoint;
pub use entry::{Entry, Objection};
pub use fault::{Fault, KINDS, Kind};
pub use message::{Answer, Delivery, Request, Response};
pub use provider::{Provider, ProviderError};
pub use server::{Clock, Server, StartError};
pub use setup::{Account, Client, Document, Setup, SetupError};
pub use token::{Expected, TokenError, verify};
