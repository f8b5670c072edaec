//! authenticatorCredentialManagement.

use std::collections::BTreeSet;

use softkey_tests::Request;
use softkey_tests::cbor::{bytes, map};
use softkey_tests::parts::sha256;
use softkey_tests::request::{cm, descriptor};

use super::bench::{Bench, PARTIES};
use crate::Tape;

impl Bench {
    /// Lists the accounts of each party that the token is for.
    pub(super) fn list(&mut self) {
        let Some(token) = self.token.clone() else { return };
        for party in PARTIES {
            let request = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN);
            let params = map([(1, bytes(&sha256(party.as_bytes())))]);
            let Ok(first) = self.send(&request.with(cm::PARAMS, params).managed(&token)) else {
                continue;
            };
            let total = first.get(9).uint();
            let mut listed = BTreeSet::from([first.get(7).get("id").bytes().to_vec()]);
            for _ in 1..total {
                let next = Request::credential_management(cm::ENUMERATE_CREDENTIALS_NEXT);
                let entry = self.send(&next).expect("as many as were announced");
                assert!(listed.insert(entry.get(7).get("id").bytes().to_vec()), "listed twice");
            }
            let stored = self.kept.iter().filter(|kept| kept.discoverable && kept.party == party);
            let stored: BTreeSet<_> = stored.map(|kept| kept.id.clone()).collect();
            assert!(listed == stored, "{} listed, {} stored", listed.len(), stored.len());
        }
    }

    /// Gives an account another name, or deletes it.
    pub(super) fn rename_or_delete(&mut self, tape: &mut Tape<'_>) {
        let Some(token) = self.token.clone() else { return };
        if self.kept.is_empty() {
            return;
        }
        let number = tape.below(self.kept.len());
        let (id, user) = (self.kept[number].id.clone(), self.kept[number].user);
        let delete = tape.flag();
        let request = if delete {
            let params = map([(2, descriptor(&id))]);
            Request::credential_management(cm::DELETE_CREDENTIAL).with(cm::PARAMS, params)
        } else {
            let name = "n".repeat(usize::from(tape.byte() % 80));
            let user = map([("id", bytes(&[user + 1])), ("name", name.as_str().into())]);
            let params = map([(2, descriptor(&id)), (3, user)]);
            Request::credential_management(cm::UPDATE_USER_INFORMATION).with(cm::PARAMS, params)
        };
        if self.send(&request.managed(&token)).is_ok() {
            assert!(self.kept[number].discoverable, "what is not stored was changed");
            if delete {
                self.kept.remove(number);
            }
        }
    }
}
