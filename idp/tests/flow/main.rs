//! A sign-in with a provider that does one thing wrong, once by the client of this project and once by Chromium: what
//! the page gets, what the person is asked, and each request as the provider heard it.
//!
//! The client is held to the exception and the private cause of every scenario. With `--ignored`, which needs Chromium
//! and its driver, the browser goes the same way, and where the two part, `README.md` says why.
#![cfg(test)]

mod chromium;
mod compare;
mod ours;
mod scenarios;
mod seen;
mod webdriver;
