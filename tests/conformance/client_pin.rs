//! authenticatorClientPIN (CP) and its tokens (PT).

mod change_pin;
mod key_agreement;
mod order;
mod retries;
mod set_pin;
mod token_life;
mod tokens;
