//! What a board's 128 KiB of flash hold, by a key that fills them.

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng as _;
use softkey_ctap::Secret;
use softkey_flash_store::{FlashStore, Page};
use softkey_tests::auth_data::AuthData;
use softkey_tests::cbor::{Value, map, walk};
use softkey_tests::persistence::flash::Chip;
use softkey_tests::persistence::registrar::KeyOn;
use softkey_tests::request::{Request, mc};
use softkey_tests::status::{KEY_STORE_FULL, SUCCESS};

/// Pages of 128 KiB.
const PAGES: u32 = 32;
/// How many credentials a board is to have room for, whatever their relying parties are.
const CREDENTIALS: usize = 300;
/// What a site calls an account.
#[derive(Clone, Copy)]
struct Names {
    name: usize,
    display_name: usize,
}

/// An address, and a first and a last name.
const USUAL: Names = Names { name: 21, display_name: 12 };
/// What the key keeps of the longest.
const LONGEST: Names = Names { name: 64, display_name: 64 };

/// A board that loses its power when it is told to.
struct Board {
    chip: Chip,
    key: Option<KeyOn<FlashStore<Chip>, ChaCha20Rng>>,
    starts: u64,
}

/// A relying party, and a credential with it.
type Account = (String, Vec<u8>);

impl Board {
    fn new() -> Self {
        let mut board = Self { chip: Chip::new(PAGES as usize), key: None, starts: 0 };
        board.start();
        board
    }

    fn open(&self) -> FlashStore<Chip> {
        FlashStore::open(self.chip.clone(), 0..PAGES * Page::LEN).unwrap()
    }

    /// Switches the board on.
    fn start(&mut self) {
        self.starts += 1;
        let rng = ChaCha20Rng::seed_from_u64(self.starts);
        self.key = Some(KeyOn::open(self.open(), &Secret::new([7; 32]), rng));
    }

    fn key(&mut self) -> &mut KeyOn<FlashStore<Chip>, ChaCha20Rng> {
        self.key.as_mut().unwrap()
    }

    /// Registers accounts, so many with each relying party, until so many are there or the flash is full.
    fn fill(&mut self, most: usize, each: usize, names: Names) -> Vec<Account> {
        let mut accounts = Vec::new();
        for number in 0..most {
            let rp_id = format!("rp-{:03}.example.com", number / each);
            let user = map([
                ("id", Value::from([&number.to_be_bytes()[..], &[0x5a; 8]].concat())),
                ("name", format!("{number:a>0$}", names.name).into()),
                ("displayName", format!("{number:b>0$}", names.display_name).into()),
            ]);
            let request = Request::make_credential_for(&rp_id, &[]).with(mc::USER, user);
            let answer = self.key().send(&request.discoverable().bytes());
            if answer == [KEY_STORE_FULL] {
                break;
            }
            assert_eq!(answer[0], SUCCESS, "credential {number}");
            let answer = walk(&answer[1..]).unwrap();
            let made = AuthData::parse(answer.get(2).bytes()).attested.unwrap();
            accounts.push((rp_id, made.id));
        }
        accounts
    }
}

/// 300 accounts fit, with the names that sites give them, be they three with each relying party or one.
#[test]
fn three_hundred_credentials_with_names_fit() {
    for each in [3, 1] {
        let mut board = Board::new();
        let made = board.fill(usize::MAX, each, USUAL).len();
        println!("{each} with each relying party: {made} credentials");
        assert!(made >= CREDENTIALS, "{each} with each relying party: {made}");
    }
}

/// With the longest names that the key keeps fewer fit: the count above is one of bytes, and a full key says so.
#[test]
fn the_longest_names_take_more_room() {
    let mut board = Board::new();
    let made = board.fill(usize::MAX, 1, LONGEST).len();
    println!("the longest names: {made} credentials");
    assert!((200..CREDENTIALS).contains(&made), "{made}");
}
