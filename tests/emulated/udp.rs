//! The board over UDP, by the bridge: clients, and who is none.

use std::net::{SocketAddr, UdpSocket};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use softkey::bridge::Bridge;
use softkey::bridge::mailbox::{Mailbox, Press};
use softkey_ctap_hid::{Connection, UdpPort, UdpTransport};
use softkey_tests::cbor::walk;
use softkey_tests::request::{Request, command};
use softkey_tests::status::{NO_CREDENTIALS, SUCCESS};

use crate::board::{Board, PATIENCE, firmware};
use crate::{RP, registration};

/// Stops a thread when the test ends, however it ends.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Switches the board on, with the button held whenever it asks, and has somebody speak to it at this address.
fn bridged(board: &Board, run: u8, speak: impl FnOnce(SocketAddr)) {
    let mailbox = Mailbox::open(&board.memory()).unwrap();
    let mut power = mailbox.power_up(&firmware(), &[run; 32]).unwrap();
    let end = Instant::now() + PATIENCE;
    while !mailbox.is_running().unwrap() {
        assert!(Instant::now() < end, "the board does not start");
        thread::yield_now();
    }
    let mut bridge = Bridge::new(mailbox).unwrap();
    let mut port = UdpPort::bind("127.0.0.1:0").unwrap();
    let address = port.local_address().unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let button = Mailbox::open(&board.memory()).unwrap();
            while !stop.load(Ordering::Relaxed) {
                bridge.turn(&mut port).unwrap();
                button.press(Press::Hold).unwrap();
            }
        });
        let _stop = Stop(&stop);
        speak(address);
    });
    power.kill().unwrap();
    power.wait().unwrap();
}

fn send(connection: &mut Connection<UdpTransport>, request: &Request) -> Vec<u8> {
    connection.cbor(&request.bytes(), &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Over a bridge any number of clients reach the board by UDP, each with a channel and answers of its own; and a board
/// that is switched off under it has lost nothing.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn clients_reach_the_board_over_udp() {
    let board = Board::new();
    for (run, before) in [(1_u8, vec![]), (2, vec![1_u32.to_be_bytes().to_vec()])] {
        bridged(&board, run, |address| {
            let mut one = Connection::open(UdpTransport::connect(address).unwrap()).unwrap();
            let mut other = Connection::open(UdpTransport::connect(address).unwrap()).unwrap();
            let answer = send(&mut other, &Request::get_assertion(RP));
            match before.as_slice() {
                [] => assert_eq!(answer, [NO_CREDENTIALS]),
                [user] => assert_eq!(walk(&answer[1..]).unwrap().get(4).get("id").bytes(), user),
                more => panic!("{} accounts of the board before", more.len()),
            }
            assert_eq!(send(&mut one, &registration(1))[0], SUCCESS);
            assert_eq!(send(&mut other, &Request::bare(command::GET_INFO))[0], SUCCESS);
        });
    }
}

/// HID-45: datagrams of any length and content, from several sockets, many of them nearly right. The board registers
/// afterwards as if nothing had been.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn hostile_datagrams_leave_a_board_that_registers() {
    let board = Board::new();
    bridged(&board, 1, |address| {
        let mut random = ChaCha20Rng::seed_from_u64(0x5EED);
        let sockets: Vec<_> = (0..8).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        for socket in &sockets {
            socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        }
        for number in 0..8_000_usize {
            let mut datagram = [0; 1400];
            random.fill_bytes(&mut datagram);
            let [shape, command, len, channel, ..] = datagram;
            let len = [0, 1, 63, 65, 128, 1400][usize::from(len) % 6];
            let len = if shape % 4 == 0 { len } else { 64 };
            // Broadcast, or a channel that somebody may have by now.
            let channel = if channel % 2 == 0 { [0xff; 4] } else { [0, 0, 0, channel] };
            datagram[..4].copy_from_slice(&channel);
            datagram[4] =
                [0x81, 0x83, 0x84, 0x86, 0x88, 0x90, 0x91, 0x00][usize::from(command) % 8];
            datagram[5] = 0;
            sockets[number % 8].send_to(&datagram[..len], address).unwrap();
            if number % 16 == 0 {
                // Not faster than the bridge reads: an answer comes, or none will.
                let _ = sockets[number % 8].recv(&mut datagram);
            }
        }
        let end = Instant::now() + PATIENCE;
        // A lock may last for ten seconds, and packets may be lost behind so many.
        let answer = loop {
            assert!(Instant::now() < end, "the board does not answer any more");
            let connection = UdpTransport::connect(address).map(Connection::open);
            let answer = connection.unwrap().map(|mut connection| {
                let request = registration(1).bytes();
                connection.cbor(&request, &mut |_| ControlFlow::Continue(()))
            });
            if let Ok(Ok(answer)) = answer {
                break answer;
            }
        };
        assert_eq!(answer[0], SUCCESS);
    });
}
