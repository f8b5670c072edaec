//! authenticatorCredentialManagement.

use std::collections::BTreeSet;

use softkey_tests::Request;
use softkey_tests::cbor::{bytes, map};
use softkey_tests::parts::sha256;
use softkey_tests::request::{cm, descriptor};

use super::bench::{Bench, Kept, PARTIES};
use crate::Tape;

impl Bench {
    /// Lists the accounts of each party that the token is for, and the parties if it is for all.
    pub(super) fn list(&mut self, tape: &mut Tape<'_>) {
        let previewed = tape.flag();
        let Some(token) = self.token.clone() else { return };
        let managed = |sub_command: u8| Request::credential_management(sub_command);
        let sent = |request: Request| if previewed { request.previewed() } else { request };
        let discoverable = |kept: &&Kept| kept.discoverable;
        let metadata = self.send(&sent(managed(cm::GET_CREDS_METADATA).managed(&token)));
        if let Ok(metadata) = metadata {
            let stored = self.kept.iter().filter(discoverable).count();
            assert_eq!(metadata.get(1).uint(), stored as u64, "how many are stored");
        }
        self.list_parties(&sent(managed(cm::ENUMERATE_RPS_BEGIN).managed(&token)), &sent);
        for party in PARTIES {
            let params = map([(1, bytes(&sha256(party.as_bytes())))]);
            let request = managed(cm::ENUMERATE_CREDENTIALS_BEGIN).with(cm::PARAMS, params);
            let Ok(first) = self.send(&sent(request.managed(&token))) else { continue };
            let total = first.get(9).uint();
            let mut listed = BTreeSet::from([first.get(7).get("id").bytes().to_vec()]);
            for _ in 1..total {
                let next = self.send_well(&sent(managed(cm::ENUMERATE_CREDENTIALS_NEXT)));
                let entry = next.expect("as many as were announced");
                assert!(listed.insert(entry.get(7).get("id").bytes().to_vec()), "listed twice");
            }
            let stored = self.kept.iter().filter(discoverable).filter(|kept| kept.party == party);
            let stored: BTreeSet<_> = stored.map(|kept| kept.id.clone()).collect();
            assert!(listed == stored, "{} listed, {} stored", listed.len(), stored.len());
        }
    }

    /// Lists the relying parties that have accounts.
    fn list_parties(&mut self, begin: &Request, sent: &dyn Fn(Request) -> Request) {
        let Ok(first) = self.send(begin) else { return };
        let total = first.get(5).uint();
        let mut listed = BTreeSet::from([first.get(4).bytes().to_vec()]);
        for _ in 1..total {
            let next = Request::credential_management(cm::ENUMERATE_RPS_NEXT);
            let entry = self.send_well(&sent(next)).expect("as many as were announced");
            assert!(listed.insert(entry.get(4).bytes().to_vec()), "a party listed twice");
        }
        let stored = self.kept.iter().filter(|kept| kept.discoverable);
        let stored: BTreeSet<_> =
            stored.map(|kept| sha256(kept.party.as_bytes()).to_vec()).collect();
        assert!(listed == stored, "{} parties listed, {} stored", listed.len(), stored.len());
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
            let how = tape.byte();
            let name = "n".repeat(usize::from(how % 80));
            // An account is renamed, never moved to another one.
            let whose = if how >= 240 { user + 2 } else { user + 1 };
            let user = map([("id", bytes(&[whose])), ("name", name.as_str().into())]);
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
