//! What belongs to no credential and leaves no mark: `disconnect`, `getUserInfo` and the signal methods.

use serde_json::json;
use softkey_client::fedcm::UserInfos;
use softkey_client::{AbortController, Operation, SignalOptions};

use super::World;
use crate::interleavings::Plant;
use crate::interleavings::keys;
use crate::interleavings::pages::{self, PAGES, PARTIES};
use crate::interleavings::pending::{ASTRAY, challenge};
use crate::interleavings::provider;

impl World {
    pub(super) fn disconnect(&mut self, page: usize) {
        self.call((Operation::Get, page), Vec::new(), AbortController::new(), |page| {
            page.disconnect_identity(provider::disconnect())
        });
    }

    pub(super) fn user_info(&mut self, page: usize) {
        let mut infos = None;
        self.call((Operation::Get, page), Vec::new(), AbortController::new(), |page| {
            let (request, told) = page.identity_user_info(&provider::user_info());
            infos = Some(told);
            request
        });
        let pending = self.pending.last_mut().unwrap();
        pending.infos = infos;
        if self.plant == Plant::ForeignInfo {
            pending.page = (page + 1) % PAGES.len();
        }
    }

    /// Accounts are for the provider's own page.
    pub(super) fn hear(&mut self, at: usize) {
        let pending = &self.pending[at];
        let Some(infos) = pending.infos.as_ref().map(UserInfos::take) else { return };
        if !infos.is_empty() {
            let page = pending.page;
            assert_eq!(
                pages::origin(page),
                provider::IDP,
                "{ASTRAY}: {infos:?} on the page {page}"
            );
            *self.heard.entry("accounts").or_default() += 1;
        }
    }

    /// A page signals at once or with the party's list, which comes or does not; the keys would heed it.
    pub(super) fn signal(&mut self, party: usize, page: usize, listed: bool) {
        let party = PARTIES[party].unwrap_or("account.example.com");
        let options = json!({"rpId": party, "credentialId": challenge(self.calls)});
        let options = SignalOptions::unknown_credential(&options.to_string()).unwrap();
        let Ok(mut sending) = self.pages[page].signal(options) else { return };
        while let Some(url) = sending.url() {
            let list = listed.then(|| keys::list(&url));
            if sending.handle_fetched(list.as_ref()).is_err() {
                return;
            }
        }
        let heard_from = if self.plant == Plant::ForeignSignal { 1 } else { page };
        assert!(pages::may_be(heard_from, party), "{ASTRAY}: a signal for {party} from {page}");
        *self.heard.entry("signal").or_default() += 1;
    }
}
