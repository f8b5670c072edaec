//! `softkey info`: what a key says about itself.

use std::fmt;

use clap::Args;
use serde::Serialize;
use softkey_client::driver::reach;
use softkey_client::manage::{self, About};

use super::device::{DeviceArgs, Key, open};
use super::person::Person;
use super::{entropy, perform};
use crate::decode::{Explained, Node, capability_names, info_response};
use crate::error::CliError;
use crate::output::Output;

/// The arguments of `softkey info`.
#[derive(Clone, Debug, Default, Args)]
pub struct InfoArgs {
    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
}

/// What is known about a key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    device: String,
    ctaphid: Node,
    /// The members of getInfo by their names; absent for a key that speaks CTAP1 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<Node>,
    /// The answer to `U2F_VERSION`, of a key that speaks CTAP1 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    u2f_version: Option<String>,
}

/// Carries `softkey info` out.
///
/// # Errors
///
/// [`Exit::NoKey`](crate::error::Exit::NoKey) if the key cannot be reached, and as it answers.
pub fn run(args: &InfoArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let (mut key, device) = open(&args.device)?;
    let ceremony = manage::about(reach(&key), entropy()?);
    let about = perform(ceremony, &mut key, &mut Person::new(output, None))?;
    let ctaphid = ctaphid(&key);
    let known = match about {
        About::Ctap2(info) => {
            Known { device, ctaphid, info: info_response(&info.bytes), u2f_version: None }
        }
        About::U2f(version) => Known { device, ctaphid, info: None, u2f_version: Some(version) },
    };
    output.record(&known)
}

fn ctaphid(key: &Key) -> Node {
    let Some(device) = key.device() else {
        return Node::Null;
    };
    let [major, minor, build] = device.version;
    Node::map([
        ("protocolVersion", Node::Int(device.protocol_version.into())),
        ("deviceVersion", Node::Text(format!("{major}.{minor}.{build}"))),
        ("capabilities", Node::Text(capability_names(device.capabilities.0))),
    ])
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut members = vec![("CTAPHID".into(), self.ctaphid.clone())];
        if let Some(Node::Map(info)) = &self.info {
            members.extend(info.iter().cloned());
        }
        let version = self.u2f_version.iter();
        members.extend(version.map(|text| ("version".into(), Node::text(text))));
        Explained::new("info", self.device.clone(), Node::Map(members)).fmt(f)
    }
}
