//! What a thief of the vault's files can read: nothing. ST-05, ST-07.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::rc::Rc;

use rand_core::{TryCryptoRng, TryRng};
use softkey::vault::{Unlock, Vault, VaultPaths};
use softkey_authenticator::{Change, Store};
use softkey_tests::auth_data::AuthData;
use softkey_tests::cbor::{Value, map};
use softkey_tests::parts::sha256;
use softkey_tests::persistence::contract::key;
use softkey_tests::persistence::registrar::KeyOn;
use softkey_tests::pin::{Protocol, Shared, padded, pin_hash};
use softkey_tests::platform::{pin_token_request, set_pin_request};
use softkey_tests::request::{Request, command, cp, mc};
use softkey_tests::status::{NO_CREDENTIALS, SUCCESS};

/// The system's randomness, and what was drawn from it.
#[derive(Clone, Default)]
struct Watched(Rc<RefCell<Vec<Vec<u8>>>>);

impl TryRng for Watched {
    type Error = getrandom::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        getrandom::SysRng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        getrandom::SysRng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        getrandom::SysRng.try_fill_bytes(bytes)?;
        self.0.borrow_mut().push(bytes.to_vec());
        Ok(())
    }
}

impl TryCryptoRng for Watched {}

const PARTIES: u8 = 40;
const PIN: &str = "correct pin 2718";
/// A piece of a secret this long gives it away; by chance it is not in a file of some megabytes.
const PIECE: usize = 7;

/// Everything that must not be found, with a name for it.
type Secrets = Vec<(String, Vec<u8>)>;

/// Registers accounts and sets a PIN, and returns what was said and made on the way.
fn fill<S: Store>(key: &mut KeyOn<S, Watched>) -> Secrets {
    let mut secrets = vec![
        ("the PIN".to_owned(), PIN.as_bytes().to_vec()),
        ("its hash".to_owned(), pin_hash(PIN)),
    ];
    let mut note = |what: &str, bytes: &[u8]| secrets.push((what.to_owned(), bytes.to_vec()));
    for party in 0..PARTIES {
        let rp_id = format!("relying-party-{party}.example");
        let [id, name, display_name] = ["identifier", "login name", "display name"]
            .map(|what| format!("{what} of account {party}"));
        note("an RP ID", rp_id.as_bytes());
        note("an RP ID's hash", &sha256(rp_id.as_bytes()));
        for text in [&id, &name, &display_name] {
            note("an account", text.as_bytes());
        }
        let user = map([
            ("id", Value::from(id.as_bytes())),
            ("name", name.as_str().into()),
            ("displayName", display_name.as_str().into()),
        ]);
        let request = Request::make_credential_for(&rp_id, &[party]).with(mc::USER, user);
        let request = if party % 4 == 0 { request } else { request.discoverable() };
        let answer = key.ok(&request);
        let made = AuthData::parse(answer.get(2).bytes()).attested.expect("a new credential");
        note("a credential id", &made.id);
        note("a public key", made.public_key.get(-2).bytes());
    }
    let ask = Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, 2);
    let mut agree = |private| Shared::agree(Protocol::Two, key.ok(&ask).get(1), private);
    let shared = agree(&[3; 32]);
    let right = agree(&[4; 32]);
    key.ok(&set_pin_request(&shared, &padded(PIN)));
    let token = key.ok(&pin_token_request(&right, PIN));
    note("a PIN token", &right.decrypt(token.get(2).bytes()));
    secrets
}

/// What was drawn as a secret: all but the nonces of sealed records, which lie in the open.
fn drawn(watched: &Watched) -> Secrets {
    let draws = watched.0.borrow();
    let secret = draws.iter().filter(|draw| draw.len() >= 16 && draw.len() != 24);
    secret.map(|draw| (format!("{} random bytes", draw.len()), draw.clone())).collect()
}

/// The first secret of which any piece is in any of the vault's files.
fn found(paths: &VaultPaths, secrets: &Secrets) -> Option<String> {
    let mut pieces = HashSet::new();
    for file in [&paths.database, &paths.header, &paths.lock] {
        pieces.extend(
            fs::read(file).unwrap().windows(PIECE).map(<[u8; PIECE]>::try_from).map(Result::unwrap),
        );
    }
    let shows = |secret: &[u8]| {
        secret.windows(PIECE).any(|piece| pieces.contains(&<[u8; PIECE]>::try_from(piece).unwrap()))
    };
    secrets.iter().find(|(_, secret)| shows(secret)).map(|(what, _)| what.clone())
}

/// ST-05, ST-07. No RP ID, hash of one, user, credential id, public or private key, PIN, hash or token of it can
/// be found in the files of a full vault, nor after a reset, nor when all that it left behind is swept.
#[test]
fn a_vaults_files_give_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    let vault = Vault::create(&paths, &Unlock::KeyFile, &mut getrandom::SysRng).unwrap();
    let root_key = vault.root_key;
    let watched = Watched::default();
    let mut key = KeyOn::open(vault.store, &root_key, watched.clone());

    let mut secrets = fill(&mut key);
    secrets.push(("the root key".to_owned(), root_key.expose().to_vec()));
    let hidden = |when: &str| {
        let mut all = secrets.clone();
        all.extend(drawn(&watched));
        assert!(all.len() > 5 * usize::from(PARTIES), "only {} secrets", all.len());
        assert_eq!(found(&paths, &all), None, "{when}");
    };
    hidden("while in use");
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    hidden("after the reset");
    key.sweep();
    hidden("after the sweep");
    let lost = Request::get_assertion("relying-party-1.example");
    assert_eq!(key.send(&lost.bytes()), [NO_CREDENTIALS]);
    drop(key.into_store());
    hidden("when closed");
}

/// The search above finds what is written in the open, even a piece of it.
#[test]
fn what_is_not_sealed_is_found() {
    let (_folder, paths) = crate::vault::vault(&Unlock::KeyFile);
    let secrets: Secrets = vec![("an RP ID".to_owned(), b"relying-party-7.example".to_vec())];
    assert_eq!(found(&paths, &secrets), None);
    let mut vault = Vault::open(&paths, &Unlock::KeyFile).unwrap();
    vault.store.commit(&[Change::Put(key(b"r"), b"xx party-7.exa xx")]).unwrap();
    assert_eq!(found(&paths, &secrets).as_deref(), Some("an RP ID"));
}
