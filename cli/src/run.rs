//! `softkey run`: a security key until it is told to stop.
//!
//! One process, one authenticator. Requests come over any number of devices, each with its own CTAPHID state
//! machine ([`slot`]), and take turns ([`broker`]). The authenticator works in a thread of its own
//! ([`worker`]); everything else is one loop ([`hub`]). Who answers for the user is decided in [`approval`], a
//! pure state machine, and what the owner sees and types goes through the [`desk`].

pub mod approval;
pub mod broker;
pub mod control;
pub mod desk;
pub mod event;
pub mod hub;
pub mod ledger;
pub mod request;
pub mod screen;
pub mod slot;
pub mod start;
pub mod terminal;
pub mod worker;

pub use approval::Mode;
