#![doc = include_str!("../README.md")]
#![no_std]
extern crate alloc;

mod back;
mod button;
pub mod emulated;
mod entropy;
mod front;
mod light;
mod secret;
mod start;
mod vigil;

pub use back::{Back, Tell};
pub use button::Button;
pub use entropy::{Claim, Drbg, Health, Noise, NoiseFailed};
pub use front::{Front, Notice, Order};
pub use light::{Light, Signal};
pub use secret::{SecretError, device_secret};
pub use start::{Broken, Key, Regions, start, start_behind};
pub use vigil::Vigil;
