//! CTAPHID, checklist section 1: what a client sees of `Device` and a device of `Host`, in reports, with
//! exact deadlines on a virtual clock. Reports are made and read here by hand, not by the code under test.
#![cfg(test)]

mod asking;
mod bench;
mod channels;
mod host;
mod hostile;
mod joined;
mod lock_and_wink;
mod messages;
mod plants;
mod turns;
mod udp;
#[cfg(target_os = "linux")]
mod uhid;
mod waiting;
mod wire;
