//! Ways that a person goes with a browser, once by the client of this project and once by Chromium: what the page gets,
//! what the person is asked, and each request as the provider heard it.
//!
//! The client is held to the exception and the private cause of every call, and to the record of what Chromium did. With
//! `--ignored`, which needs Chromium and its driver, the browser is held to that record as well. Where the two part,
//! `README.md` says why.
#![cfg(test)]

mod chromium;
mod compare;
mod ours;
mod providers;
mod record;
mod scenarios;
mod seen;
mod walk;
mod walks;
mod webdriver;
