//! A full board: every account that it has room for, made, listed and used by the ARM code, and the memory that takes.

use softkey_tests::auth_data::{Attested, AuthData};
use softkey_tests::cbor::{Value, map};
use softkey_tests::parts::sha256;
use softkey_tests::request::{CLIENT_DATA_HASH, Request, cm, mc};
use softkey_tests::status::KEY_STORE_FULL;
use softkey_tests::verify::signature_verifies;

use crate::board::Board;
use crate::{
    CREDENTIAL_MANAGEMENT, Client, MAKE_CREDENTIAL, longest_list_and_blobs, memory_suffices,
    with_every_extension,
};

/// So many accounts a board takes, each of another site.
const ACCOUNTS: u64 = 300;
/// Every such account is looked at and signs in, the first and the last among them: all would take minutes.
const STEP: usize = 23;

fn site(number: u64) -> String {
    format!("rp-{number:03}.example.com")
}

fn user(number: u64) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[0x5a; 8]].concat()
}

/// An address, as sites give it.
fn name(number: u64) -> String {
    format!("user-{number:03}@example.com")
}

fn registration(number: u64) -> Request {
    let user = map([
        ("id", Value::from(user(number))),
        ("name", name(number).into()),
        ("displayName", "Ada Lovelace".into()),
    ]);
    Request::make_credential_for(&site(number), &[]).with(mc::USER, user).discoverable()
}

/// The sites that the key lists, in its order.
fn sites(key: &mut Client<'_>) -> Vec<String> {
    let token = key.token(CREDENTIAL_MANAGEMENT, None);
    let site = |listed: &Value| listed.get(3).get("id").text().to_owned();
    let first = key.manage(cm::ENUMERATE_RPS_BEGIN, None, &token);
    let mut found = vec![site(&first)];
    for _ in 1..first.get(5).uint() {
        found.push(site(&key.ok(&Request::credential_management(cm::ENUMERATE_RPS_NEXT))));
    }
    found
}

/// The account is listed with its names, and signs in.
fn is_there(key: &mut Client<'_>, number: u64, made: &Attested) {
    let token = key.token(CREDENTIAL_MANAGEMENT, None);
    let params = map([(1, Value::from(&sha256(site(number).as_bytes())[..]))]);
    let listed = key.manage(cm::ENUMERATE_CREDENTIALS_BEGIN, Some(params), &token);
    assert_eq!(listed.get(9).uint(), 1, "account {number}");
    assert_eq!(listed.get(6).get("id").bytes(), user(number));
    assert_eq!(listed.get(6).get("name").text(), name(number));
    assert_eq!(listed.get(7).get("id").bytes(), made.id);

    let signed = key.ok(&Request::get_assertion(&site(number)));
    assert_eq!(signed.get(1).get("id").bytes(), made.id, "account {number}");
    let message = [signed.get(2).bytes(), &CLIENT_DATA_HASH].concat();
    assert!(signature_verifies(&made.public_key, &message, signed.get(3).bytes()));
}

/// 300 accounts with names as sites give them fit in the board's 128 KiB; after the power was gone all are listed, and
/// sign in. Heap and stack suffice for that and for the hungriest requests.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn three_hundred_accounts_are_made_listed_and_used() {
    let mut board = Board::new();
    let mut key = Client::of(board.power_up(None));
    let mut made = Vec::new();
    for number in 0..ACCOUNTS {
        let answer = key.ok(&registration(number));
        made.push(AuthData::parse(answer.get(2).bytes()).attested.expect("a credential"));
    }
    assert_eq!(key.status(&registration(ACCOUNTS)), KEY_STORE_FULL);
    key.set_pin();
    drop(key);

    let mut key = Client::of(board.power_up(None));
    let token = key.token(CREDENTIAL_MANAGEMENT, None);
    let counts = key.manage(cm::GET_CREDS_METADATA, None, &token);
    assert_eq!((counts.get(1).uint(), counts.get(2).uint()), (ACCOUNTS, 0));
    let mut found = sites(&mut key);
    found.sort();
    assert_eq!(found, (0..ACCOUNTS).map(site).collect::<Vec<_>>());
    for (number, made) in (0..ACCOUNTS).zip(&made).step_by(STEP) {
        is_there(&mut key, number, made);
    }

    // The hungriest requests of a board that holds all this, with as much of large blobs as every key must take.
    let last = ACCOUNTS - 1;
    longest_list_and_blobs(&mut key, &site(last), &made.last().unwrap().id, 1024);
    let token = key.token(MAKE_CREDENTIAL, Some(&site(last)));
    let again = with_every_extension(registration(last));
    key.ok(&again.authorized(&token));
    memory_suffices(&mut key, "full");
}
