//! authenticatorMakeCredential (MC, and EA as far as enterprise attestation is not offered).

mod exclude_list;
mod options;
mod parameters;
mod pin;
mod result;
mod touch;
