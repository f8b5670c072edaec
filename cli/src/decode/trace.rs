//! Traces of CTAPHID: reports of 64 bytes, put together to messages, each explained.

use std::collections::HashMap;

use softkey_ctap::Command as CtapCommand;
use softkey_ctap_hid::{Capabilities, ChannelId, Command, HidError, Packet, REPORT_LEN, Status};

use super::node::{Explained, Node};
use super::{message, u2f};

/// Reports, one behind the other. Nothing unless the first opens a message with a command that CTAPHID has.
pub(super) fn explain(bytes: &[u8]) -> Option<Explained> {
    let (reports, rest) = bytes.as_chunks::<REPORT_LEN>();
    if !rest.is_empty() {
        return None;
    }
    match Packet::parse(reports.first()?) {
        Packet::Initialization { command, .. } => command.name()?,
        Packet::Continuation { .. } => return None,
    };
    let mut trace = Trace::default();
    for report in reports {
        trace.report(&Packet::parse(report));
    }
    let title = format!("CTAPHID trace of {} reports", reports.len());
    let mut explained = Explained::new("trace", title, Node::List(trace.messages));
    let open = trace.open.len();
    if open > 0 {
        explained.remarks.push(format!("{open} messages are not complete"));
    }
    Some(explained)
}

#[derive(Default)]
struct Trace {
    messages: Vec<Node>,
    open: HashMap<u32, Open>,
    /// What was last asked on a channel and not answered yet.
    asked: HashMap<u32, CtapCommand>,
}

/// A message that is still coming.
struct Open {
    command: Command,
    length: usize,
    bytes: Vec<u8>,
    next: u8,
}

impl Trace {
    fn report(&mut self, packet: &Packet<'_>) {
        let channel = packet.channel();
        match *packet {
            Packet::Initialization { command, length, data, .. } => {
                let open = Open { command, length: length.into(), bytes: data.to_vec(), next: 0 };
                self.keep_or_finish(channel, open);
            }
            Packet::Continuation { sequence, data, .. } => {
                match self.open.remove(&channel.as_u32()) {
                    Some(mut open) if open.next == sequence => {
                        open.bytes.extend_from_slice(data);
                        open.next = open.next.wrapping_add(1);
                        self.keep_or_finish(channel, open);
                    }
                    _ => self.messages.push(Node::map([
                        ("channel", Node::Text(channel.to_string())),
                        (
                            "sequence",
                            Node::Int(sequence.into()).means("a continuation out of place"),
                        ),
                    ])),
                }
            }
        }
    }

    fn keep_or_finish(&mut self, channel: ChannelId, mut open: Open) {
        if open.bytes.len() < open.length {
            self.open.insert(channel.as_u32(), open);
            return;
        }
        open.bytes.truncate(open.length);
        let content = self.content(channel, &open);
        self.messages.push(Node::map([
            ("channel", Node::Text(channel.to_string())),
            ("command", Node::Text(open.command.to_string())),
            ("length", Node::Int(i128::from(u64::try_from(open.length).unwrap_or(u64::MAX)))),
            ("content", content),
        ]));
    }

    fn content(&mut self, channel: ChannelId, open: &Open) -> Node {
        let bytes = open.bytes.as_slice();
        let explained = match open.command {
            Command::CBOR => self.cbor(channel, bytes),
            Command::MSG => u2f::command(bytes).or_else(|| u2f::response(bytes)),
            _ => None,
        };
        match (explained, open.command, bytes) {
            (Some(explained), ..) => explained.into_node(),
            (None, Command::KEEPALIVE, [status]) => {
                Node::Int((*status).into()).means(match Status::from_u8(*status) {
                    Status::Processing => "processing",
                    Status::UserNeeded => "user presence needed",
                })
            }
            (None, Command::ERROR, [error]) => {
                Node::Int((*error).into()).means(HidError(*error).to_string())
            }
            (None, Command::INIT, _) => init(bytes),
            _ => Node::bytes(bytes),
        }
    }

    /// On one channel a response follows its request.
    fn cbor(&mut self, channel: ChannelId, bytes: &[u8]) -> Option<Explained> {
        if let Some(asked) = self.asked.remove(&channel.as_u32()) {
            return message::response(bytes, Some(asked));
        }
        let request = message::request(bytes)?;
        let command = bytes.first().copied().map(CtapCommand)?;
        self.asked.insert(channel.as_u32(), command);
        Some(request)
    }
}

fn init(bytes: &[u8]) -> Node {
    let Some((nonce, &[c0, c1, c2, c3, protocol, major, minor, build, capabilities, ..])) =
        bytes.split_first_chunk::<8>()
    else {
        return Node::map([("nonce", Node::bytes(bytes))]);
    };
    Node::map([
        ("nonce", Node::bytes(nonce)),
        (
            "newChannel",
            Node::Text(ChannelId::from_u32(u32::from_be_bytes([c0, c1, c2, c3])).to_string()),
        ),
        ("protocolVersion", Node::Int(protocol.into())),
        ("deviceVersion", Node::Text(format!("{major}.{minor}.{build}"))),
        ("capabilities", Node::Int(capabilities.into()).means(capability_names(capabilities))),
    ])
}

/// The capabilities in words.
pub(crate) fn capability_names(byte: u8) -> String {
    let capabilities = Capabilities(byte);
    let names =
        [(capabilities.wink(), "WINK"), (capabilities.cbor(), "CBOR"), (capabilities.msg(), "MSG")];
    let held: Vec<_> = names.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
    held.join(" ")
}
