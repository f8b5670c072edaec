//! The world in which an interleaving is played: the pages, the calls that are under way, and what is held against each.

mod statics;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::LoginStatus;
use softkey_client::{
    AbortController, Answer, Cause, Credential, CredentialCreationOptions,
    CredentialRequestOptions, CredentialType, Input, KeyId, Need, Operation, Output, Page, Profile,
    Question, Request,
};
use softkey_ctap::Instant;

use super::keys::{self, Touch};
use super::pages::{self, AROUND, FRAME, KEPT, MESSAGES, PAGES, PARTIES};
use super::pending::{
    ASTRAY, LEAKED, Pending, TWICE, challenge, federated, federated_of, password, resolved, stamp,
    stamped,
};
use super::provider::{self, Manner};
use super::{AtKey, MEDIATIONS, Order, Plant};
use crate::world::{NOW, ORIGIN, chosen, entropy};

pub(super) struct World {
    profile: Profile,
    pages: Vec<Page>,
    pending: Vec<Pending>,
    now: Instant,
    calls: u32,
    plant: Plant,
    codes: BTreeSet<String>,
    /// How many credentials of each type were given, to pages and to frames: a property about none would say nothing.
    pub(super) given: BTreeMap<(CredentialType, bool), u32>,
    /// How often what belongs to no credential came to its end, by its name.
    pub(super) heard: BTreeMap<&'static str, u32>,
}

impl World {
    pub(super) fn new(plant: Plant) -> Self {
        let profile = Profile::new();
        for (id, origin) in KEPT {
            let planted = plant == Plant::ForeignPassword && id == "eve";
            profile.keep(&password(id, if planted { ORIGIN } else { origin }, origin, 0));
            profile.set_prevent_silent_access(origin, false);
        }
        profile.keep(&federated(ORIGIN, 0));
        profile.connect(provider::connection());
        let (pages, pending) = (pages::open(&profile), Vec::new());
        let (codes, given, heard) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Self { profile, pages, pending, now: NOW, calls: 0, plant, codes, given, heard }
    }

    /// A call by its distance from the newest: first those that wait for this, then those that are open, then the others.
    fn at(&self, back: usize, waits: fn(&Pending) -> bool) -> Option<usize> {
        let mut places: Vec<_> = (0..self.pending.len()).rev().collect();
        places.sort_by_key(|at| {
            let pending = &self.pending[*at];
            if pending.request.is_settled() { 2 } else { u8::from(!waits(pending)) }
        });
        places.get(back).copied()
    }

    /// The types that must be marked on a page: those of its calls that are not settled.
    fn marked(&self, page: usize) -> BTreeSet<CredentialType> {
        let its = self.pending.iter().filter(|pending| pending.page == page);
        its.filter(|pending| !pending.request.is_settled())
            .flat_map(|pending| pending.types.clone())
            .collect()
    }

    fn call(
        &mut self,
        (operation, page): (Operation, usize),
        types: Vec<CredentialType>,
        controller: AbortController,
        make: impl FnOnce(&mut Page) -> Request,
    ) {
        let busy = types.iter().any(|kind| self.marked(page).contains(kind));
        let planted = page == FRAME && types.first().is_some_and(|kind| self.takes_for_top(*kind));
        let request = make(&mut self.pages[if planted { AROUND } else { page }]);
        let mut pending = Pending {
            request,
            operation,
            page,
            types,
            busy,
            nonce: self.calls,
            controller,
            sent: None,
            list: None,
            keys: BTreeMap::new(),
            question: None,
            asked: false,
            grade: None,
            settled: 0,
            infos: None,
        };
        if busy {
            let Some(Output::Settled(Err(rejection))) = pending.request.poll_output(self.now)
            else {
                panic!("a type is active twice")
            };
            assert!(MAY_COME_FIRST.iter().any(|fits| fits(&rejection.cause)), "{rejection:?}");
            pending.settled += 1;
        }
        self.pending.push(pending);
        self.take(self.pending.len() - 1);
    }

    fn takes_for_top(&self, kind: CredentialType) -> bool {
        self.plant == Plant::TopForFrame(kind)
    }

    /// Takes all that a call wants and gives.
    fn take(&mut self, at: usize) {
        let Some(pending) = self.pending.get_mut(at) else { return };
        let mut given = None;
        while let Some(output) = pending.request.poll_output(self.now) {
            match output {
                Output::Send(request) => pending.sent = Some(request),
                Output::Withdraw => (pending.sent, pending.question) = (None, None),
                Output::Fetch { url } => pending.list = Some(url),
                Output::Ask(question) => pending.ask(question),
                Output::Needs { key, need } => drop(pending.keys.insert(key, Some(need))),
                // Only a request's answer is still to be brought.
                Output::Cancel { key } => {
                    let need = pending.keys.get_mut(&key).expect("a key that is there");
                    need.take_if(|need| !matches!(need, Need::Cbor(_)));
                }
                Output::Late { credential, .. } => pending.is_due(&credential),
                Output::Settled(result) => {
                    pending.settled += 1;
                    let planted = |kind| self.plant == Plant::SettledTwice(kind);
                    pending.settled += u32::from(pending.types.iter().copied().any(planted));
                    assert_eq!(pending.settled, 1, "{TWICE}");
                    if let Err(rejection) = &result {
                        let active = matches!(rejection.cause, Cause::TypeActive(_));
                        assert!(!active || pending.busy, "{LEAKED}: {rejection:?}");
                    }
                    given = result.unwrap_or_default();
                }
            }
        }
        if let Some(credential) = given {
            pending.is_due(&credential);
            let framed = PAGES[pending.page].len() > 1;
            *self.given.entry((credential.credential_type(), framed)).or_default() += 1;
            if let Credential::Otp(given) = &credential {
                let code = given.code().expose().to_owned();
                assert!(self.codes.insert(code), "{ASTRAY}: a code is given twice");
            }
        }
        self.hear(at);
    }

    pub(super) fn play(&mut self, order: &Order) {
        self.calls += 1;
        match *order {
            Order::Get { types, mediation, page } => self.get(types, mediation, page),
            Order::Identity { active, mediation, page } => {
                if active {
                    self.pages[page].activate();
                }
                let options = json!({"identity": provider::options(self.calls, active)});
                self.get_with(options, mediation, vec![CredentialType::Identity], page);
            }
            Order::Key { create, party, mediation, page } => {
                self.key_call(create, PARTIES[party], mediation, page);
            }
            Order::Create { federated, page } => {
                let init = if federated {
                    json!({"federated": {"id": stamp(pages::origin(page), self.calls),
                        "provider": "https://idp.example"}})
                } else {
                    json!({"password": {"id": "ada", "origin": pages::origin(page),
                        "password": stamp(pages::origin(page), self.calls)}})
                };
                let kind = [CredentialType::Password, CredentialType::Federated];
                self.create(&init, kind[usize::from(federated)], page);
            }
            Order::Store { federated, of, page } => self.store(federated, of, page),
            Order::Disconnect { page } => self.disconnect(page),
            Order::UserInfo { page } => self.user_info(page),
            Order::Signal { party, page, listed } => self.signal(party, page, listed),
            Order::Message(which) => self.message(which),
            Order::Navigate { page, away } => self.pages[page].set_fully_active(!away),
            Order::Click(page) => self.pages[page].activate(),
            Order::Login(there) => {
                let status = if there { LoginStatus::LoggedIn } else { LoginStatus::LoggedOut };
                self.profile.set_login_status(provider::IDP, status);
            }
            Order::Pass(seconds) => self.pass(seconds),
            Order::PreventSilentAccess(page) => {
                // Refused on a page that is gone.
                let _ = self.pages[page].credentials().prevent_silent_access();
            }
            ref order => self.go_on(order),
        }
    }

    /// What happens to a call that is under way.
    fn go_on(&mut self, order: &Order) {
        match *order {
            Order::Poll(back) => self.with(back, |_| true, Self::take),
            Order::Answer(back, answer) => {
                self.with(
                    back,
                    |call| call.question.is_some(),
                    |world, at| world.answer(at, answer),
                );
            }
            Order::Respond(back, manner) => {
                let waits = |call: &Pending| call.sent.is_some();
                self.with(back, waits, |world, at| world.respond(at, manner));
            }
            Order::AtKey(back, what) => {
                let waits = |call: &Pending| call.request.asks_keys();
                self.with(back, waits, |world, at| world.at_key(at, what));
            }
            Order::List(back, there) => {
                let waits = |call: &Pending| call.list.is_some();
                self.with(back, waits, |world, at| world.list(at, there));
            }
            Order::GiveUp(back) => self.with(
                back,
                |_| true,
                |world, at| {
                    world.pending[at].request.give_up(world.now);
                    world.take(at);
                },
            ),
            Order::Abort(back) => self.with(
                back,
                |_| true,
                |world, at| {
                    world.pending[at].controller.abort();
                    world.take(at);
                },
            ),
            Order::Drop(back) => {
                self.with(back, |_| true, |world, at| drop(world.pending.remove(at)));
            }
            ref order => panic!("{order:?} is of no call"),
        }
    }

    /// A message comes; if no letter is said, one for the newest call that waits for a code.
    fn message(&mut self, which: Option<usize>) {
        let newest = self.at(0, |call| call.types == [CredentialType::Otp]);
        let page = newest.map_or(AROUND, |at| self.pending[at].page);
        let fits =
            || MESSAGES.iter().position(|(letter, ..)| pages::grade(page, *letter).is_some());
        let (letter, top, embedded) = MESSAGES[which.or_else(fits).unwrap_or_default()];
        self.profile.inbox().push(format!("{top} #{letter}{}{embedded}", self.calls));
        if let Some(newest) = newest {
            self.take(newest);
        }
    }

    fn get(&mut self, [password, federated, otp, identity]: [bool; 4], mediation: u8, page: usize) {
        let mut options = json!({ "password": password });
        let members = [
            (federated, "federated", json!({})),
            (otp, "otp", json!({"transport": ["sms"]})),
            (identity, "identity", provider::options(self.calls, false)),
        ];
        for (_, name, value) in members.into_iter().filter(|(there, ..)| *there) {
            options[name] = value;
        }
        let kinds = [
            (password, CredentialType::Password),
            (federated, CredentialType::Federated),
            (otp, CredentialType::Otp),
            (identity, CredentialType::Identity),
        ];
        let types = kinds.into_iter().filter(|(there, _)| *there).map(|(_, kind)| kind).collect();
        self.get_with(options, mediation, types, page);
    }

    fn get_with(&mut self, options: Value, mediation: u8, types: Vec<CredentialType>, page: usize) {
        let controller = AbortController::new();
        let mut options = with_mediation(options, mediation);
        options.signal = Some(controller.signal());
        let now = self.now;
        self.call((Operation::Get, page), types, controller, |page| {
            page.credentials().get(now, options, entropy())
        });
    }

    fn create(&mut self, options: &Value, kind: CredentialType, page: usize) {
        let controller = AbortController::new();
        let mut options = CredentialCreationOptions::from_json(&options.to_string()).unwrap();
        options.signal = Some(controller.signal());
        let now = self.now;
        self.call((Operation::Create, page), vec![kind], controller, |page| {
            page.credentials().create(now, options, entropy())
        });
    }

    fn key_call(&mut self, create: bool, party: Option<&str>, mediation: u8, page: usize) {
        let mut member =
            json!({"challenge": challenge(self.calls), "userVerification": "discouraged"});
        if !create {
            member["rpId"] = party.into();
            if party.is_none() {
                member.as_object_mut().unwrap().remove("rpId");
            }
            let kind = vec![CredentialType::PublicKey];
            return self.get_with(json!({ "publicKey": member }), mediation, kind, page);
        }
        member["rp"] = json!({"name": "Example"});
        if let Some(party) = party {
            member["rp"]["id"] = party.into();
        }
        member["user"] = json!({"id": "AQ", "name": "ada", "displayName": ""});
        member["pubKeyCredParams"] = json!([]);
        member["authenticatorSelection"] = json!({"userVerification": "discouraged"});
        self.create(&json!({ "publicKey": member }), CredentialType::PublicKey, page);
    }

    /// A page has a credential kept, which says that it is of the origin of some page.
    fn store(&mut self, is_federated: bool, of: usize, page: usize) {
        let (own, said) = (pages::origin(page), pages::origin(of));
        let credential = if is_federated {
            federated_of(said, own, self.calls)
        } else {
            password("ada", said, own, self.calls)
        };
        if self.plant == Plant::ForeignStore {
            self.profile.keep(&credential);
        }
        let types = vec![credential.credential_type()];
        self.call((Operation::Store, page), types, AbortController::new(), |page| {
            page.credentials().store(credential)
        });
    }

    fn with(
        &mut self,
        back: usize,
        waits: fn(&Pending) -> bool,
        work: impl FnOnce(&mut Self, usize),
    ) {
        if let Some(at) = self.at(back, waits) {
            work(self, at);
        }
    }

    fn answer(&mut self, at: usize, answer: u8) {
        let pending = &mut self.pending[at];
        let goes_on = matches!(pending.question, Some(Question::Continue { .. }));
        let unasked = if goes_on { pending.fitting() } else { resolved("unasked") };
        let others = [chosen(0), chosen(1), Answer::Yes, Answer::No, Answer::Never, unasked];
        let other = usize::from(answer).checked_sub(1).map(|at| others[at].clone());
        let answer = other.unwrap_or_else(|| pending.fitting());
        pending.question = None;
        pending.request.handle_answer(self.now, answer);
        self.take(at);
    }

    /// The provider answers what it is asked, until it is asked no more or once; what nobody asked for is the token of another call.
    fn respond(&mut self, at: usize, manner: Manner) {
        let planted = self.plant == Plant::ForeignToken;
        for _ in 0..8 {
            let pending = &mut self.pending[at];
            let planted = planted.then(|| pages::origin((pending.page + 1) % PAGES.len()));
            let response = match pending.sent.take() {
                Some(sent) => provider::answer(&sent, manner, planted),
                None => Ok(provider::unasked()),
            };
            pending.request.handle_response(self.now, response);
            self.take(at);
            if manner == Manner::Once || self.pending[at].sent.is_none() {
                return;
            }
        }
    }

    fn at_key(&mut self, at: usize, what: AtKey) {
        let now = self.now;
        let pending = &mut self.pending[at];
        match what {
            // One number serves one key through one call.
            AtKey::Comes => pending.request.add_key(now, KeyId(self.calls), keys::REACH),
            AtKey::Goes => {
                if let Some((key, _)) = pending.keys.pop_last() {
                    pending.request.remove_key(now, key);
                }
            }
            AtKey::NoMore => pending.request.no_more_keys(now),
            AtKey::Unasked => {
                let key = pending.keys.keys().next_back().copied().unwrap_or(KeyId(0));
                if pending.keys.get(&key).is_none_or(Option::is_none) {
                    pending.request.handle_input(now, key, Input::Response(vec![0]));
                }
            }
            AtKey::Answers(touch) => return self.key_answers(at, touch),
        }
        self.take(at);
    }

    /// The newest key that is asked answers, until it is asked no more or once.
    fn key_answers(&mut self, at: usize, touch: Touch) {
        for _ in 0..4 {
            let pending = &mut self.pending[at];
            let asked = pending.keys.iter_mut().rev().find(|(_, need)| need.is_some());
            let Some((key, need)) = asked.and_then(|(key, need)| Some((*key, need.take()?))) else {
                return;
            };
            pending.request.handle_input(self.now, key, keys::answer(&need, touch));
            self.take(at);
            if touch != Touch::Well {
                return;
            }
        }
    }

    /// The list of a relying party comes, or does not; whether it was asked for or not.
    fn list(&mut self, at: usize, there: bool) {
        let pending = &mut self.pending[at];
        let list = pending.list.take().filter(|_| there);
        let list = list.map(|url| keys::list(&url));
        pending.request.handle_fetched(self.now, list.as_ref());
        self.take(at);
    }

    fn pass(&mut self, seconds: u16) {
        self.now += Duration::from_secs(seconds.into());
        for at in 0..self.pending.len() {
            self.pending[at].request.handle_timeout(self.now);
            self.take(at);
        }
    }

    /// When all is over, every type can be asked for again on every page, and what is kept is of the origin that stored it.
    pub(super) fn end(&mut self) {
        for at in 0..self.pending.len() {
            self.take(at);
        }
        self.pages.iter_mut().for_each(|page| page.set_fully_active(true));
        let calls = calls();
        let forgotten = match self.plant {
            Plant::Forgotten(which) => Some(calls[which](&mut self.pages[AROUND], self.now)),
            _ => None,
        };
        self.pending.clear();
        for page in &mut self.pages {
            for call in calls {
                let output = call(page, self.now).poll_output(self.now);
                let leaked = matches!(&output, Some(Output::Settled(Err(rejection)))
                    if matches!(rejection.cause, Cause::TypeActive(_)));
                assert!(!leaked, "{LEAKED}: {output:?}");
            }
        }
        drop(forgotten);
        let passwords = self.profile.passwords().into_iter().map(Credential::Password);
        let federated = self.profile.federated().into_iter().map(Credential::Federated);
        for kept in passwords.chain(federated) {
            assert_eq!(kept.origin(), stamped(&kept).as_deref(), "{ASTRAY}: {kept:?}");
        }
    }
}

/// What may refuse a call before its type that is active does, or does itself.
const MAY_COME_FIRST: [fn(&Cause) -> bool; 4] = [
    |cause| matches!(cause, Cause::TypesDoNotMix(..)),
    |cause| matches!(cause, Cause::TypeActive(_)),
    |cause| matches!(cause, Cause::NotConditional(_)),
    |cause| matches!(cause, Cause::NotFullyActive),
];

/// One call of each type and method that has a mark.
pub(super) const fn calls() -> [fn(&mut Page, Instant) -> Request; 5] {
    fn get(page: &mut Page, now: Instant, options: Value) -> Request {
        page.credentials().get(now, with_mediation(options, 2), entropy())
    }
    [
        |page, now| get(page, now, json!({"password": true, "federated": {}})),
        |page, now| get(page, now, json!({"otp": {"transport": ["sms"]}})),
        |page, now| get(page, now, json!({"identity": provider::options(0, false)})),
        |page, now| get(page, now, json!({"publicKey": {"challenge": ""}})),
        |page, _| page.credentials().store(password("new", ORIGIN, ORIGIN, 0)),
    ]
}

fn with_mediation(mut options: Value, mediation: u8) -> CredentialRequestOptions {
    options["mediation"] = MEDIATIONS[usize::from(mediation)].into();
    CredentialRequestOptions::from_json(&options.to_string()).unwrap()
}
