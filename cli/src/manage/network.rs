//! Where `create` and `get` find the servers that they ask, and whom they trust there.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use softkey_client::fetch::http::{Http, Network};

use crate::error::{CliError, Exit};

/// The arguments about the network.
#[derive(Clone, Debug, Default, Args)]
pub struct NetworkArgs {
    /// Find HOST:PORT at this address instead of where its name leads, as for curl; may be given more than once
    ///
    /// Behind the address may stand another port, as in example.org:443:127.0.0.1:8443. The list of related origins
    /// of a relying party is fetched there, if the page is not of its domain, and identity providers are asked there.
    #[arg(long, value_name = "HOST:PORT:ADDR[:PORT]")]
    pub resolve: Vec<Place>,

    /// Trust servers whose certificates these have signed, beside the public ones; a PEM file
    #[arg(long, value_name = "FILE")]
    pub root_certificate: Vec<PathBuf>,
}

/// A server's name and port, and where it really is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    host: String,
    port: u16,
    address: SocketAddr,
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = "not of the form example.org:443:127.0.0.1 or example.org:443:127.0.0.1:8443";
        let mut parts = text.splitn(3, ':');
        let (Some(host), Some(port), Some(address)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(form);
        };
        let port = port.parse().map_err(|_| form)?;
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let alone = bare.unwrap_or(address).parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port));
        let address = address.parse().or(alone).map_err(|_| form)?;
        if host.is_empty() { Err(form) } else { Ok(Self { host: host.to_owned(), port, address }) }
    }
}

impl NetworkArgs {
    /// A client in this network.
    pub(super) fn http(&self) -> Result<Http, CliError> {
        let mut network = Network::new();
        for Place { host, port, address } in &self.resolve {
            network = network.host(host, *port, *address);
        }
        for path in &self.root_certificate {
            let text = fs::read(path).map_err(|error| unreadable(path, &error.to_string()))?;
            let more = network.roots_from_pem(&text);
            network = more.map_err(|_| unreadable(path, "it is not a certificate in PEM"))?;
        }
        Ok(Http::new(&network))
    }
}

fn unreadable(path: &Path, why: &str) -> CliError {
    CliError::new(
        Exit::BadInput,
        format!("The root certificate cannot be read from {}: {why}.", path.display()),
        "--root-certificate with a file that begins with -----BEGIN CERTIFICATE-----",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_as_for_curl_with_a_port_behind_it() {
        let address = |text: &str| text.parse::<Place>().map(|place| place.address.to_string());
        assert_eq!(address("a.example:443:127.0.0.1").unwrap(), "127.0.0.1:443");
        assert_eq!(address("a.example:443:127.0.0.1:8443").unwrap(), "127.0.0.1:8443");
        assert_eq!(address("a.example:443:[::1]").unwrap(), "[::1]:443");
        assert_eq!(address("a.example:443:[::1]:8443").unwrap(), "[::1]:8443");
        assert_eq!(address("a.example:443:::1").unwrap(), "[::1]:443");
        for wrong in
            ["", "a.example", "a.example:443", ":443:127.0.0.1", "a:x:127.0.0.1", "a:443:b"]
        {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
