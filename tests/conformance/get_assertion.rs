//! authenticatorGetAssertion (GA).

mod accounts;
mod allow_list;
mod options;
mod parameters;
mod pin;
