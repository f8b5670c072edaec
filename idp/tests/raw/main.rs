//! The provider over its sockets: TLS from rustls, and every byte of HTTP written and read here.
#![cfg(test)]

mod endpoints;
mod faults;
mod limits;
mod party;
mod steering;
mod wire;
