//! Several hosts, and hostile ones.

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use crate::harness::{GET_INFO, Key, make_credential};

/// Two hosts at once on one device: both finish, each with its own answers.
#[test]
fn two_hosts_at_once_both_finish() {
    let key = Key::forgetful("auto");
    thread::scope(|scope| {
        for user in ["ada", "bob"] {
            let mut host = key.host();
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(host.cbor(&make_credential(user, &[("rk", true)]))[0], 0);
                    assert_eq!(host.cbor(&GET_INFO)[0], 0);
                }
            });
        }
    });
    assert_eq!(key.status()["requests"], 80);
}

/// Thousands of channels, datagrams of every length and content: the key still answers.
#[test]
fn a_hostile_host_stops_nothing() {
    let key = Key::forgetful("auto");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(&key.address).unwrap();
    let mut init = [0_u8; 64];
    init[..7].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x86, 0, 8]);
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    for round in 0..5000_u32 {
        init[7..11].copy_from_slice(&round.to_be_bytes());
        socket.send(&init).unwrap();
        let mut answer = [0; 64];
        socket.recv(&mut answer).unwrap();
        if round % 10 == 0 {
            // A request on each tenth channel, so that the authenticator hears of it.
            let mut request = [0; 64];
            request[..4].copy_from_slice(&answer[15..19]);
            request[4..8].copy_from_slice(&[0x90, 0, 1, 0x04]);
            socket.send(&request).unwrap();
            socket.recv(&mut answer).unwrap();
            while answer[4] == 0xbb {
                // A keepalive: the key took its time.
                socket.recv(&mut answer).unwrap();
            }
            assert_eq!(answer[4], 0x90, "{answer:x?}");
            let length = usize::from(u16::from_be_bytes([answer[5], answer[6]]));
            for _ in 0..length.saturating_sub(57).div_ceil(59) {
                socket.recv(&mut answer).unwrap();
            }
        }
    }
    let mut noise = 1_u32;
    for length in (0..200_u32).chain([1000, 8000]) {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noise.to_be_bytes()[0]
            })
            .collect();
        let _ = socket.send(&bytes);
        // One at a time, for what the system throws away under a flood proves nothing.
        init[7..15].copy_from_slice(&[0xa5, 0, 0, 0, 0, 0, 0, 0]);
        init[8] = u8::try_from(length % 256).unwrap();
        socket.send(&init).unwrap();
        let mut answer = [0; 64];
        while answer[7..15] != init[7..15] {
            socket.recv(&mut answer).unwrap();
        }
    }
    assert_eq!(key.host().cbor(&GET_INFO)[0], 0);
    let memory = std::fs::read_to_string(format!("/proc/{}/status", key.id().as_raw_nonzero()));
    let memory = memory.unwrap();
    let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 30 * 1024, "{kib} KiB");
}

/// The same seed gives the same bytes, whatever the clock does.
#[test]
fn a_seed_repeats_a_run() {
    let made = |seed: &str| {
        let key = Key::start(&["--ephemeral", "--approve", "auto", "--seed", seed]);
        key.host().cbor(&make_credential("ada", &[("rk", true)]))
    };
    assert_eq!(made("7"), made("7"));
    assert_ne!(made("7"), made("8"));
}
