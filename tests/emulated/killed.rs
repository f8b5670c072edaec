//! The power goes at any moment of what a key's life is made of, and what is found then is compared with a model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use softkey_ctap_hid::{Connection, ConnectionError, HidError, HostError};
use softkey_tests::cbor::{Value, map};
use softkey_tests::parts::{checked, sha256};
use softkey_tests::pin::{Protocol, Shared, Token, padded};
use softkey_tests::platform::permission::{ACFG, CM, LBW, MC};
use softkey_tests::platform::{change_pin_request, set_pin_request, token_request};
use softkey_tests::request::{Request, cf, cm, command, cp, descriptor, mc};
use softkey_tests::status::{NO_CREDENTIALS, PIN_INVALID, SUCCESS};

use crate::board::{Board, Powered};
use crate::{Client, RP};

/// Both are longer than any PIN must be here.
const PINS: [&str; 2] = ["correct horse", "battery staple"];
/// The PIN tries of a key on which none was wrong.
const TRIES: u64 = 8;
/// Accounts at most: more make the board no better.
const ACCOUNTS: usize = 6;
/// Rounds at least, and at most: until every kind of deed was answered once, and so many requests were killed.
const ROUNDS: (u64, u64) = (20, 200);
/// Requests that were killed before they changed anything, and after they had but before they were answered, at least. A
/// kill by the clock hits the second once in 25 times or less, so that in each third round the power goes with a
/// change of the flash.
const TORN: u32 = 5;
const KEPT: u32 = 3;

/// What a client can see of a key and changes by its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    pin: Option<&'static str>,
    /// The names of the accounts, by their users' ids.
    accounts: BTreeMap<Vec<u8>, String>,
    /// The serialized large-blob array.
    blobs: Vec<u8>,
    min_pin_length: u64,
    always_uv: bool,
}

impl Seen {
    fn fresh() -> Self {
        let (blobs, accounts) = (checked(&[0x80]), BTreeMap::new());
        Self { pin: None, accounts, blobs, min_pin_length: 4, always_uv: false }
    }
}

/// What a client does, each with one request that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    SetPin,
    ChangePin,
    Register,
    Rename,
    Delete,
    WriteBlobs,
    RaiseMinPinLength,
    ToggleAlwaysUv,
    Reset,
}

impl Deed {
    const ALL: [Self; 9] = [
        Self::SetPin,
        Self::ChangePin,
        Self::Register,
        Self::Rename,
        Self::Delete,
        Self::WriteBlobs,
        Self::RaiseMinPinLength,
        Self::ToggleAlwaysUv,
        Self::Reset,
    ];
}

/// Numbers without a pattern, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = u64::from_be_bytes(sha256(&self.0.to_be_bytes())[..8].try_into().unwrap());
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

/// The power is gone.
#[derive(Debug)]
struct Gone;

/// A key with power, for some time, and what is known of it.
struct Life<'b> {
    key: Client<'b>,
    /// What was answered.
    seen: Seen,
    /// What will be, once the request in work is answered.
    coming: Option<Seen>,
    /// The credentials of the accounts.
    ids: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<'b> Life<'b> {
    fn begin(mut powered: Powered<'b>, seen: Seen) -> Result<Self, Seen> {
        if !powered.is_up() {
            return Err(seen);
        }
        match Connection::open(powered) {
            Ok(connection) => {
                Ok(Self { key: Client(connection), seen, coming: None, ids: BTreeMap::new() })
            }
            Err(_) => Err(seen),
        }
    }

    /// The whole answer.
    fn answer(&mut self, request: &Request) -> Result<Vec<u8>, Gone> {
        const LATE: HostError = HostError::Device(HidError::MSG_TIMEOUT);
        loop {
            return match self.key.try_send(request) {
                Ok(answer) => Ok(answer),
                Err(ConnectionError::Transport(_)) => Err(Gone),
                // A machine that had no time for half a second; nothing was asked yet.
                Err(ConnectionError::Host(error)) if error == LATE => continue,
                Err(error) => panic!("{error:?} to {request:?}"),
            };
        }
    }

    #[track_caller]
    fn ask(&mut self, request: &Request) -> Result<Value, Gone> {
        let answer = self.answer(request)?;
        assert_eq!(answer[0], SUCCESS, "{request:?}");
        Ok(match &answer[1..] {
            [] => Value::Map(Vec::new()),
            body => softkey_tests::cbor::walk(body).unwrap(),
        })
    }

    /// A request that changes something.
    #[track_caller]
    fn change(&mut self, request: &Request, after: Seen) -> Result<Value, Gone> {
        self.coming = Some(after);
        self.key.0.transport_mut().changes_follow();
        let answer = self.ask(request)?;
        self.seen = self.coming.take().unwrap();
        Ok(answer)
    }

    fn agree(&mut self) -> Result<Shared, Gone> {
        let request = Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, 2);
        Ok(Shared::agree(Protocol::Two, self.ask(&request)?.get(1), &[3; 32]))
    }

    fn token(&mut self, permission: i64, rp_id: Option<&str>) -> Result<Token, Gone> {
        let pin = self.seen.pin.unwrap();
        let shared = self.agree()?;
        let answer = self.ask(&token_request(&shared, pin, permission, rp_id))?;
        Ok(Token::new(shared.protocol(), shared.decrypt(answer.get(2).bytes())))
    }

    /// Does something, as far as the power lasts, and tells what was done.
    fn act(&mut self, chance: &mut Chance) -> Result<Deed, Gone> {
        let mut after = self.seen.clone();
        let Some(pin) = self.seen.pin else {
            let shared = self.agree()?;
            after.pin = Some(PINS[0]);
            self.change(&set_pin_request(&shared, &padded(PINS[0])), after)?;
            return Ok(Deed::SetPin);
        };
        let account = (chance.below(ACCOUNTS + 1), self.seen.accounts.len());
        let user = self.seen.accounts.keys().nth(account.0).cloned();
        match (chance.below(7), user) {
            (0, _) => self.change_pin(pin, after),
            (1, Some(user)) => self.rename(user, chance.below(100), after),
            (2, Some(user)) => self.delete(&user, after),
            (3, _) => self.write_blobs(chance.below(700), after),
            (4, _) if self.seen.min_pin_length < 12 => self.raise_min_pin_length(after),
            (5, _) => self.toggle_always_uv(after),
            _ if account.1 < ACCOUNTS => self.register(chance.below(1 << 32), after),
            _ => self.change_pin(pin, after),
        }
    }

    fn change_pin(&mut self, pin: &str, mut after: Seen) -> Result<Deed, Gone> {
        let new = if pin == PINS[0] { PINS[1] } else { PINS[0] };
        after.pin = Some(new);
        let shared = self.agree()?;
        self.change(&change_pin_request(&shared, pin, &padded(new)), after)?;
        Ok(Deed::ChangePin)
    }

    fn register(&mut self, number: usize, mut after: Seen) -> Result<Deed, Gone> {
        let (user, name) = (number.to_be_bytes().to_vec(), format!("user {number}"));
        after.accounts.insert(user.clone(), name.clone());
        let token = self.token(MC, Some(RP))?;
        let request = Request::make_credential_for(RP, &user).discoverable();
        let entity = request.member(mc::USER).clone().with("name", name);
        let request = request.with(mc::USER, entity);
        let answer = self.change(&request.authorized(&token), after)?;
        let made = softkey_tests::auth_data::AuthData::parse(answer.get(2).bytes());
        self.ids.insert(user, made.attested.unwrap().id);
        Ok(Deed::Register)
    }

    fn rename(&mut self, user: Vec<u8>, number: usize, mut after: Seen) -> Result<Deed, Gone> {
        let name = format!("renamed {number}");
        let entity = map([("id", Value::from(&user[..])), ("name", Value::from(name.as_str()))]);
        let params = map([(2, descriptor(&self.ids[&user])), (3, entity)]);
        after.accounts.insert(user, name);
        let token = self.token(CM, None)?;
        let request = Request::credential_management(cm::UPDATE_USER_INFORMATION);
        self.change(&request.with(cm::PARAMS, params).managed(&token), after)?;
        Ok(Deed::Rename)
    }

    fn delete(&mut self, user: &[u8], mut after: Seen) -> Result<Deed, Gone> {
        after.accounts.remove(user);
        let params = map([(2, descriptor(&self.ids[user]))]);
        let token = self.token(CM, None)?;
        let request = Request::credential_management(cm::DELETE_CREDENTIAL);
        self.change(&request.with(cm::PARAMS, params).managed(&token), after)?;
        Ok(Deed::Delete)
    }

    /// In two pieces, of which the second counts.
    fn write_blobs(&mut self, length: usize, mut after: Seen) -> Result<Deed, Gone> {
        after.blobs = checked(&vec![length.to_le_bytes()[0]; length + 1]);
        let (whole, token) = (after.blobs.clone(), self.token(LBW, None)?);
        let (first, rest) = whole.split_at(whole.len() / 2);
        let begin = Request::write_blobs(0, first, Some(whole.len()));
        self.ask(&begin.blob_authorized(&token))?;
        let end = Request::write_blobs(first.len(), rest, None);
        self.change(&end.blob_authorized(&token), after)?;
        Ok(Deed::WriteBlobs)
    }

    fn raise_min_pin_length(&mut self, mut after: Seen) -> Result<Deed, Gone> {
        after.min_pin_length += 1;
        let params = map([(cf::NEW_MIN_PIN_LENGTH, after.min_pin_length)]);
        let token = self.token(ACFG, None)?;
        let request = Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, params);
        self.change(&request.managed(&token), after)?;
        Ok(Deed::RaiseMinPinLength)
    }

    fn toggle_always_uv(&mut self, mut after: Seen) -> Result<Deed, Gone> {
        after.always_uv ^= true;
        let token = self.token(ACFG, None)?;
        self.change(&Request::config(cf::TOGGLE_ALWAYS_UV).managed(&token), after)?;
        Ok(Deed::ToggleAlwaysUv)
    }

    fn reset(&mut self) -> Result<Deed, Gone> {
        self.change(&Request::bare(command::RESET), Seen::fresh())?;
        self.ids.clear();
        Ok(Deed::Reset)
    }

    /// What is there, whatever is known; the PIN is one of these.
    fn look(&mut self, pins: &[Option<&'static str>]) -> Result<Seen, Gone> {
        let info = self.ask(&Request::bare(command::GET_INFO))?;
        let option = |name| info.get(4).get(name) == &Value::Bool(true);
        let blobs = self.ask(&Request::read_blobs(0, 1024))?.get(1).bytes().to_vec();
        let mut seen = Seen {
            blobs,
            min_pin_length: info.get(13).uint(),
            always_uv: option("alwaysUv"),
            ..Seen::fresh()
        };
        if !option("clientPin") {
            assert_eq!(self.answer(&Request::get_assertion(RP))?, [NO_CREDENTIALS]);
            return Ok(seen);
        }
        let tries = self.ask(&Request::client_pin(cp::GET_PIN_RETRIES))?.get(3).uint();
        assert!(tries + 1 >= TRIES, "only {tries} tries, and one check of a PIN was in work");
        for pin in pins.iter().flatten() {
            let shared = self.agree()?;
            match self.answer(&token_request(&shared, pin, CM, None))?[0] {
                SUCCESS => seen.pin = Some(pin),
                status => assert_eq!(status, PIN_INVALID),
            }
        }
        assert_ne!(seen.pin, None, "none of {pins:?} is the PIN");
        self.seen.pin = seen.pin;
        let token = self.token(CM, None)?;
        let params = map([(1, Value::from(&sha256(RP.as_bytes())[..]))]);
        let begin = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN);
        let begin = begin.with(cm::PARAMS, params).managed(&token);
        if self.answer(&begin)? == [NO_CREDENTIALS] {
            return Ok(seen);
        }
        let mut entry = self.ask(&begin)?;
        let count = entry.get(9).uint();
        for _ in 1..=count {
            let (user, id) = (entry.get(6), entry.get(7).get("id").bytes().to_vec());
            let (name, user) =
                (user.get("name").text().to_owned(), user.get("id").bytes().to_vec());
            self.ids.insert(user.clone(), id);
            seen.accounts.insert(user, name);
            if (seen.accounts.len() as u64) < count {
                entry =
                    self.ask(&Request::credential_management(cm::ENUMERATE_CREDENTIALS_NEXT))?;
            }
        }
        Ok(seen)
    }
}

/// Works on a board until the power goes. What was answered then, and what the request in work would have brought about.
fn live(
    powered: Powered<'_>,
    seen: Seen,
    resets: bool,
    chance: &mut Chance,
    done: &mut BTreeSet<Deed>,
) -> (Seen, Option<Seen>) {
    let mut life = match Life::begin(powered, seen) {
        Ok(life) => life,
        Err(seen) => return (seen, None),
    };
    let pins = [life.seen.pin];
    if resets {
        // Possible at the beginning only.
        match life.reset() {
            Ok(deed) => done.insert(deed),
            Err(Gone) => return (life.seen, life.coming),
        };
    } else {
        let Ok(found) = life.look(&pins) else { return (life.seen, None) };
        assert_eq!(found, life.seen);
    }
    while let Ok(deed) = life.act(chance) {
        done.insert(deed);
    }
    (life.seen, life.coming)
}

/// ST-01. Killed at any moment of setting and changing a PIN, of registering, renaming and deleting accounts, of writing
/// large blobs, of changing settings and of a reset, the board is as it was before the request in work or as after it.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn a_killed_board_is_as_before_the_request_in_work_or_as_after_it() {
    kill_again_and_again(|_| {});
}

/// The check above finds a board that answers before its flash keeps anything: with the power all is gone.
#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
#[should_panic(expected = ", before Seen { pin: Some(")]
fn a_board_that_forgets_what_it_answered_is_found_out() {
    kill_again_and_again(|board| std::fs::remove_file(board.memory()).unwrap());
}

/// Gives a board power for a short while, kills it in the middle of its work, and looks what is there, until enough was
/// seen. `harm` has its way with the board whenever the power is gone.
fn kill_again_and_again(harm: impl Fn(&Board)) {
    let (mut board, mut seen, mut chance) = (Board::new(), Seen::fresh(), Chance(1));
    let (mut done, mut torn, mut finished) = (BTreeSet::new(), 0, 0);
    for round in 0.. {
        let enough = done.len() == Deed::ALL.len() && torn >= TORN && finished >= KEPT;
        if round >= ROUNDS.0 && enough {
            println!(
                "{round} kills: {torn} requests before they changed something, {finished} after"
            );
            break;
        }
        assert!(
            round < ROUNDS.1,
            "{torn} requests torn before, {finished} after; of all deeds {done:?} were answered"
        );
        let lasts = Duration::from_millis(600 + u64::try_from(chance.below(2_000)).unwrap());
        let resets = round % 5 == 4;
        let powered = match round % 3 {
            1 => board.power_up_until_a_change(chance.below(3)),
            _ => board.power_up(Some(lasts)),
        };
        let (before, after) = live(powered, seen, resets, &mut chance, &mut done);
        harm(&board);
        let mut life = Life::begin(board.power_up(None), before).unwrap();
        let pins = [life.seen.pin, after.as_ref().and_then(|after| after.pin)];
        let found = life.look(&pins).unwrap();
        if let Some(after) = &after {
            let is_done = found == *after;
            finished += u32::from(is_done);
            torn += u32::from(!is_done);
        }
        assert!(
            found == life.seen || Some(&found) == after.as_ref(),
            "round {round}: {found:?}, before {:?}, after {after:?}",
            life.seen
        );
        seen = found;
    }
}
