//! The providers of a walk: one, and another where the walk needs two.

use std::net::SocketAddr;
use std::sync::Arc;

use softkey_idp::{Account, Server, Setup};

use crate::seen::{self, Asked, asked};
use crate::walk::{OTHER, Walk, pages};

/// Who answers at the names of a walk.
pub(crate) struct Providers {
    pub(crate) first: Server,
    pub(crate) other: Option<Server>,
}

impl Providers {
    /// Those that this walk needs, whose clocks stand, so that tokens can be compared.
    pub(crate) fn of(walk: &Walk) -> Self {
        let start = |setup: Setup| {
            let address = "127.0.0.1:0".parse().unwrap();
            Server::start_at(address, setup, Arc::new(|| 1_800_000_000)).unwrap()
        };
        let first = pages().into_iter().fold(Setup::default(), |setup, (url, body)| {
            setup.document(url, "text/html; charset=utf-8", &body)
        });
        let carol = Account {
            id: "9".to_owned(),
            email: Some("carol@other.example".to_owned()),
            ..Account::default()
        };
        let other = Setup { origin: OTHER.to_owned(), accounts: vec![carol], ..Setup::default() };
        Self { first: start(first), other: walk.has_other().then(|| start(other)) }
    }

    /// Which names are to be found where: the most special ones first.
    pub(crate) fn places(&self) -> Vec<(&'static str, SocketAddr)> {
        let mut places = Vec::new();
        if let Some(other) = &self.other {
            let address = other.address();
            places.extend([("login.other.example", address), ("other.example", address)]);
        }
        let names = ["login.idp.example", "idp.example", "rp.example", "top.example"];
        places.extend(names.map(|name| (name, self.first.address())));
        places
    }

    /// What they were asked since the last time, in the order of endpoints, and what is said of the order of arrival.
    pub(crate) fn take_asked(&self) -> (Vec<Asked>, Vec<String>) {
        let (mut all, mut orders) = (Vec::new(), Vec::new());
        for (name, provider) in
            [("login.idp.example", Some(&self.first)), (OTHER, self.other.as_ref())]
        {
            let arrived = asked(&provider.map(Server::take_log).unwrap_or_default());
            orders.extend(seen::orders(&arrived, name.trim_start_matches("https://")));
            all.extend(arrived);
        }
        all.sort();
        (all, orders)
    }
}
