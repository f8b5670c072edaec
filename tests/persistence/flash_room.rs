//! What a board's 128 KiB of flash hold, and how sign-ins wear them, by a key that does both.

use std::ops::Range;

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use softkey_authenticator::{Change, Config, Store as _};
use softkey_ctap::Secret;
use softkey_flash_store::{FlashStore, Page};
use softkey_tests::auth_data::AuthData;
use softkey_tests::cbor::{Value, map, walk};
use softkey_tests::parts::checked;
use softkey_tests::persistence::contract::{Records, key, records};
use softkey_tests::persistence::flash::Chip;
use softkey_tests::persistence::registrar::KeyOn;
use softkey_tests::platform::permission;
use softkey_tests::request::{Request, mc};
use softkey_tests::status::{KEY_STORE_FULL, LARGE_BLOB_STORAGE_FULL, SUCCESS};

/// Pages of 128 KiB.
const PAGES: u32 = 32;
/// How many credentials a board is to have room for, whatever their relying parties are.
const CREDENTIALS: usize = 300;
/// How often a page may be erased before a million sign-ins are through.
const ERASES: usize = 10_000;
/// How long a large-blob array must have room beside as many credentials as there is room for.
const ARRAY: usize = 1024;
/// After so many sign-ins a page that holds still is moved now and then.
const WORN_IN: usize = 8_000;
/// So many erases at most is one page ahead of another.
const AHEAD: u32 = 100;

/// What a site calls an account, and whether it asks for all that an extension has the key keep with it.
#[derive(Clone, Copy)]
struct Names {
    name: usize,
    display_name: usize,
    extended: bool,
}

/// An address, and a first and a last name.
const USUAL: Names = Names { name: 21, display_name: 12, extended: false };
/// What the key keeps of the longest.
const LONGEST: Names = Names { name: 64, display_name: 64, extended: false };
/// The usual names, protection, a blob of 32 bytes and a secret for PRF.
const EXTENDED: Names = Names { extended: true, ..USUAL };

/// A board that loses its power when it is told to.
struct Board {
    chip: Chip,
    key: Option<KeyOn<FlashStore<Chip>, ChaCha20Rng>>,
    starts: u64,
}

/// How somebody signs in.
#[derive(Clone, Copy)]
struct SignIn {
    /// After a loss of power.
    cycles: bool,
    /// With the PIN, whose tries are written before it is compared and again when it was right.
    pin: bool,
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

    /// Switches the board on, off before if it was on.
    fn start(&mut self) {
        self.starts += 1;
        let rng = ChaCha20Rng::seed_from_u64(self.starts);
        let config = Config { large_blob_room: 1024, ..Config::default() };
        self.key = Some(KeyOn::open_as(self.open(), &Secret::new([7; 32]), rng, config));
    }

    /// Makes its flash one that was long in use, and gives how often that erased the most worn page in a million sign-ins.
    fn wear_in(&mut self) -> usize {
        let mut store = self.key.take().unwrap().into_store();
        let made = records(&store).unwrap();
        let waited = wear_in(&mut store, &made);
        assert!(records(&store).unwrap() == made);
        self.start();
        waited * 1_000_000 / WORN_IN / PAGES as usize + AHEAD as usize
    }

    fn key(&mut self) -> &mut KeyOn<FlashStore<Chip>, ChaCha20Rng> {
        self.key.as_mut().unwrap()
    }

    /// Registers the accounts of these numbers, so many with each relying party, until the flash is full.
    fn fill(&mut self, numbers: Range<usize>, each: usize, names: Names) -> Vec<Account> {
        let mut accounts = Vec::new();
        for number in numbers {
            let rp_id = format!("rp-{:03}.example.com", number / each);
            let user = map([
                ("id", Value::from([&number.to_be_bytes()[..], &[0x5a; 8]].concat())),
                ("name", format!("{number:a>0$}", names.name).into()),
                ("displayName", format!("{number:b>0$}", names.display_name).into()),
            ]);
            let mut request = Request::make_credential_for(&rp_id, &[]).with(mc::USER, user);
            if names.extended {
                request = request
                    .extension("credProtect", 2_u64)
                    .extension("credBlob", &[7; 32][..])
                    .extension("hmac-secret", true);
            }
            let answer = self.key().send(&request.discoverable().bytes());
            if answer == [KEY_STORE_FULL] {
                break;
            }
            assert_eq!(answer[0], SUCCESS, "credential {number}");
            let answer = walk(&answer[1..]).unwrap();
            let made = AuthData::parse(answer.get(2).bytes());
            assert_eq!(made.extensions, names.extended.then(all_granted));
            accounts.push((rp_id, made.attested.unwrap().id));
        }
        accounts
    }

    /// Writes a large-blob array of so many bytes.
    fn write_array(&mut self, length: usize, fill: u8) -> Vec<u8> {
        let request = Request::write_blobs(0, &array_of(length, fill), Some(length));
        self.key().send(&request.bytes())
    }

    /// The large-blob array that is stored.
    fn array(&mut self) -> Vec<u8> {
        self.key().ok(&Request::read_blobs(0, 4096)).get(1).bytes().to_vec()
    }

    /// Signs in so often, with these accounts in turn. Gives how often the most worn page is erased in a million of such
    /// sign-ins, and the most erases that one of them waits for.
    fn wear(&mut self, accounts: &[Account], sign_ins: usize, how: SignIn) -> (usize, usize) {
        let before = self.chip.erases();
        let mut longest = 0;
        for number in 0..sign_ins {
            // In no order that the flash could know.
            let (rp_id, id) = &accounts[number * 7 % accounts.len()];
            if how.cycles {
                self.start();
            }
            let erases = self.chip.erases();
            let mut request = Request::get_assertion(rp_id).listing(&[id.as_slice()]);
            if how.pin {
                let token = self.key().pin_token(permission::GA, Some(rp_id));
                request = request.authorized(&token);
            }
            let answer = self.key().ok(&request);
            assert_eq!(answer.get(1).get("id").bytes(), id);
            longest = longest.max(self.chip.erases() - erases);
        }
        let all = (self.chip.erases() - before) * 1_000_000 / sign_ins;
        (all / PAGES as usize + AHEAD as usize, longest)
    }
}

/// Writes what sign-ins with a PIN write until pages that hold still are moved now and then: the tries, twice, and an account;
/// half of the accounts are never used. None of them waits for more than one erase, and all pages wear alike. Gives how
/// many waited.
fn wear_in(store: &mut FlashStore<Chip>, made: &Records) -> usize {
    let mut used: Vec<_> = made.iter().filter(|(name, _)| name[0] == b'c').collect();
    used.truncate(used.len() / 2);
    let tries = (key(b"st"), &made[&b"st"[..]]);
    let mut numbers = ChaCha20Rng::seed_from_u64(1);
    let mut waited = 0;
    for sign_in in 0..WORN_IN {
        let before: u32 = store.erases().sum();
        let (name, account) = used[numbers.next_u32() as usize % used.len()];
        for (name, value) in [tries, tries, (key(name), account)] {
            store.commit(&[Change::Put(name, value)]).unwrap();
        }
        let erased = store.erases().sum::<u32>() - before;
        assert!(erased <= 1, "sign-in {sign_in} waited for {erased} erases");
        waited += erased as usize;
        let (least, most) = (store.erases().min().unwrap(), store.erases().max().unwrap());
        assert!(most - least <= AHEAD, "after {sign_in}: {most} and {least}");
    }
    assert!(store.erases().min() > Some(0), "the pages that hold still were spared");
    waited
}

/// A serialized large-blob array of so many bytes.
fn array_of(length: usize, fill: u8) -> Vec<u8> {
    checked(&vec![fill; length - 16])
}

/// The outputs where all that is asked for is granted.
fn all_granted() -> Value {
    let granted = Value::Bool(true);
    map([
        ("credBlob", granted.clone()),
        ("credProtect", Value::from(2_u64)),
        ("hmac-secret", granted),
    ])
}

/// 300 accounts fit, with the names that sites give them, be they three with each relying party or one.
#[test]
fn three_hundred_credentials_with_names_fit() {
    for each in [3, 1] {
        let mut board = Board::new();
        let made = board.fill(0..usize::MAX, each, USUAL).len();
        println!("{each} with each relying party: {made} credentials");
        assert!(made >= CREDENTIALS, "{each} with each relying party: {made}");
    }
}

/// With the longest names that the key keeps fewer fit: the count above is one of bytes, and a full key says so.
#[test]
fn the_longest_names_take_more_room() {
    let mut board = Board::new();
    let made = board.fill(0..usize::MAX, 1, LONGEST).len();
    println!("the longest names: {made} credentials");
    assert!((200..CREDENTIALS).contains(&made), "{made}");
}

/// GI-12. However full it is, a large-blob array of 1024 bytes has room, as often as it is written, shorter and longer, whether
/// it was there before the credentials or not; one that takes more says what is full, and the one before it stays.
#[test]
fn a_full_key_takes_the_large_blob_array() {
    for before in [None, Some(17), Some(ARRAY)] {
        let mut board = Board::new();
        if let Some(length) = before {
            assert_eq!(board.write_array(length, 1), [SUCCESS]);
        }
        let made = board.fill(0..usize::MAX, 1, LONGEST).len();
        for round in 0..3 {
            for length in [17, 18, 100, 250, 700, 810, 900, 1007, 1023, ARRAY, 500] {
                assert_eq!(board.write_array(length, round), [SUCCESS], "{length} of {made}");
                board.start();
                assert_eq!(board.array(), array_of(length, round));
            }
            assert_eq!(board.fill(made..made + 1, 1, LONGEST), [], "an array gave its room up");
            assert_eq!(board.write_array(4096, round), [LARGE_BLOB_STORAGE_FULL]);
            assert_eq!(board.array(), array_of(500, round));
        }
    }
}

/// So do extensions: what they have the key keep lies in the credential's record.
#[test]
fn extensions_take_room() {
    let mut board = Board::new();
    let accounts = board.fill(0..usize::MAX, 1, EXTENDED);
    println!("with credProtect, credBlob and hmac-secret: {} credentials", accounts.len());
    let plain = Board::new().fill(0..usize::MAX, 1, USUAL).len();
    assert!((200..plain).contains(&accounts.len()), "{} of {plain}", accounts.len());
}

/// A million sign-ins on a full key erase no page ten thousand times, and one of them waits for one erase at most, with the
/// PIN or without. The worst that they can be: each is with another account, or the first after the power came, so that
/// each is written; and the flash was in use for so long that pages which hold still are moved.
#[test]
fn a_million_sign_ins_do_not_wear_the_flash_out() {
    let mut board = Board::new();
    let accounts = board.fill(0..CREDENTIALS, 1, USUAL);
    assert_eq!(accounts.len(), CREDENTIALS);
    let million = board.wear_in();
    println!(
        "half of the accounts: {million} erases of the most worn page in 1 000 000 sign-ins with a PIN"
    );
    assert!(million < ERASES, "half of the accounts: {million}");
    let store = board.open();
    println!("{} of {} bytes in use", store.used(), store.capacity());
    for pin in [false, true] {
        if pin {
            board.key().set_pin();
        }
        for (what, accounts, sign_ins, cycles) in [
            ("one account", &accounts[..1], 3200, false),
            ("all accounts in turn", &accounts[..], 1500, false),
            ("one account, switched on for each", &accounts[..1], 300, true),
            ("all accounts in turn, switched on for each", &accounts[..], 300, true),
        ] {
            let (million, longest) = board.wear(accounts, sign_ins, SignIn { cycles, pin });
            let with = if pin { " with a PIN" } else { "" };
            println!(
                "{what}: {million} erases of the most worn page in 1 000 000 sign-ins{with}, {longest} at most in one"
            );
            assert!(million < ERASES, "{what}{with}: {million}");
            assert!(longest <= 1, "{what}{with}: {longest}");
        }
    }
}

/// However little room there is and however long the records are, three batches wait for one erase in all.
#[test]
fn a_sign_in_waits_for_one_erase() {
    for len in [200, 333] {
        let mut store = Board::new().open();
        let mut made = Records::from([(b"st".to_vec(), vec![7; 23])]);
        store.commit(&[Change::Put(key(b"st"), &[7; 23])]).unwrap();
        for number in 0_u16.. {
            let (name, value) = ([b"c", &number.to_be_bytes()[..]].concat(), vec![0x5a; len]);
            if store.commit(&[Change::Put(key(&name), &value)]).is_err() {
                break;
            }
            made.insert(name, value);
        }
        wear_in(&mut store, &made);
    }
}

/// A record that is written again and again wears all pages alike, also those of the accounts that nobody uses.
#[test]
fn no_page_is_far_ahead_of_the_others() {
    let mut board = Board::new();
    board.fill(0..CREDENTIALS, 1, USUAL);
    let mut store = board.key.take().unwrap().into_store();
    let made = records(&store).unwrap();
    // Longer than a credential's, so that the test is shorter.
    let (name, value) = (key(b"zz"), [0x5a; 900]);
    let mut ahead = 0;
    for number in 0..8_000 {
        store.commit(&[Change::Put(name, &value)]).unwrap();
        if number % 100 == 0 {
            let (least, most) = (store.erases().min().unwrap(), store.erases().max().unwrap());
            ahead = ahead.max(most - least);
            assert!(ahead <= AHEAD, "after {number}: {most} and {least}");
        }
    }
    let least = store.erases().min().unwrap();
    println!("each page was erased {least} times, none more than {ahead} times more");
    assert!(least > AHEAD / 2, "the pages that hold still were spared: {least}");
    store.commit(&[Change::Delete(name)]).unwrap();
    assert!(records(&store).unwrap() == made);
}
