//! The program as its users meet it: the real binary, its arguments, its output, its exit codes, a terminal, a
//! pipe, a closed standard input.
#![cfg(test)]

mod attestation;
mod blobs;
mod browser_vault;
mod cases;
mod control;
mod demo;
mod faults;
mod fingers;
mod harness;
mod hosts;
mod identity;
mod messages;
mod metadata;
mod min_length;
mod modem;
mod power;
mod profiles;
mod prompts;
mod provider_page;
mod related;
mod replay;
mod seal;
mod serve;
mod several;
mod slow;
mod terminal;
mod touch;
mod vault;
mod verify;
mod virtual_clock;
