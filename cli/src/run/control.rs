//! The owner's socket: who may connect, what a line is, which answer goes where. What the orders do is the
//! hub's business; their language is [`crate::control`]'s.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::control::{MAX_LINE, Order, Reply};
use crate::error::{CliError, Exit};

/// Connections served at once; a further one is closed.
const MAX_CLIENTS: usize = 16;

/// The listening socket and its connections. It is owner-only by its mode, and each peer's user is asked of
/// the kernel besides. Dropping it removes the socket's file.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The file's identity, so that only our own file is removed.
    file: (u64, u64),
    clients: Vec<Client>,
    last_client: u64,
}

/// Names one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientId(u64);

#[derive(Debug)]
struct Client {
    id: ClientId,
    stream: UnixStream,
    received: Vec<u8>,
    /// An order of this client's has no answer yet; later ones wait.
    busy: bool,
    closed: bool,
}

impl ControlSocket {
    /// Makes the socket. A file that a dead process left behind is replaced.
    ///
    /// # Errors
    ///
    /// [`Exit::Failed`] if the path is taken by something else or cannot be made.
    pub fn bind(path: &Path) -> Result<Self, CliError> {
        remove_stale(path)?;
        Self::make(path).map_err(|error| {
            CliError::new(
                Exit::Failed,
                format!("The control socket {} cannot be made: {error}.", path.display()),
                "give --control a path in a folder of your own, at most 107 bytes long",
            )
        })
    }

    fn make(path: &Path) -> io::Result<Self> {
        // The socket must never be open to others, not even before its mode is set.
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(path);
        rustix::process::umask(before);
        let listener = listener?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let meta = fs::symlink_metadata(path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            file: (meta.dev(), meta.ino()),
            clients: Vec::new(),
            last_client: 0,
        })
    }

    /// All descriptors to wait for; a client that waits for an answer is not among them.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let clients = self.clients.iter().filter(|client| !client.busy);
        std::iter::once(self.listener.as_fd()).chain(clients.map(|client| client.stream.as_fd()))
    }

    /// Takes what has arrived, without waiting: at most one order of each client. Every order wants its
    /// [`ControlSocket::answer`].
    pub fn poll(&mut self) -> Vec<(ClientId, Result<Order, Reply>)> {
        self.accept();
        let mut orders = Vec::new();
        for client in &mut self.clients {
            if client.busy {
                continue;
            }
            client.read();
            if let Some(line) = client.next_line() {
                client.busy = true;
                orders.push((client.id, order(&line)));
            }
        }
        self.clients.retain(|client| client.busy || !client.closed);
        orders
    }

    /// Is a whole order waiting that the descriptors do not tell of?
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.clients.iter().any(|client| !client.busy && client.received.contains(&b'\n'))
    }

    /// Answers a client's order. A client that does not read its answers is dropped.
    pub fn answer(&mut self, id: ClientId, reply: &Reply) {
        if let Some(client) = self.clients.iter_mut().find(|client| client.id == id) {
            let line = format!("{}\n", reply.to_line());
            client.busy = false;
            if client.stream.write_all(line.as_bytes()).is_err() {
                client.closed = true;
                client.received.clear();
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.clients.len() < MAX_CLIENTS
                && is_owner(&stream)
                && stream.set_nonblocking(true).is_ok()
            {
                self.last_client += 1;
                let id = ClientId(self.last_client);
                let received = Vec::new();
                self.clients.push(Client { id, stream, received, busy: false, closed: false });
            }
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|meta| (meta.dev(), meta.ino()) == self.file);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Client {
    fn read(&mut self) {
        let mut bytes = [0; MAX_LINE];
        while self.received.len() < MAX_LINE && !self.closed {
            match self.stream.read(&mut bytes) {
                Ok(0) => self.closed = true,
                Ok(len) => self.received.extend(bytes.iter().take(len)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.closed = true,
            }
        }
    }

    /// The next whole line; one that is too long is taken as it is and ends the connection.
    fn next_line(&mut self) -> Option<String> {
        let end = self.received.iter().position(|byte| *byte == b'\n');
        let line: Vec<u8> = match end {
            Some(end) => self.received.drain(..=end).collect(),
            None if self.received.len() >= MAX_LINE => {
                self.closed = true;
                std::mem::take(&mut self.received)
            }
            None => return None,
        };
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

fn order(line: &str) -> Result<Order, Reply> {
    line.parse().map_err(|_| {
        Reply::error(
            "The order is not known.",
            "approve ask|auto|deny|hold, touch [long], uv ok|fail|lock, finger NUMBER, fault on NAME, \
             fault off [NAME], fault list, replug, advance TIME, status, stop",
        )
    })
}

/// Does the peer belong to the user this process runs as (or to root)?
fn is_owner(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream)
        .is_ok_and(|peer| peer.uid == rustix::process::geteuid() || peer.uid.is_root())
}

/// Removes a socket on which nobody listens.
fn remove_stale(path: &Path) -> Result<(), CliError> {
    let Ok(meta) = fs::symlink_metadata(path) else { return Ok(()) };
    if !meta.file_type().is_socket() {
        return Err(CliError::new(
            Exit::Failed,
            format!("{} is there already and is no socket.", path.display()),
            "give --control another path",
        ));
    }
    if UnixStream::connect(path).is_ok() {
        return Err(CliError::new(
            Exit::Failed,
            format!("Another program listens at {}.", path.display()),
            format!("stop it (softkey control {} stop), or give another path", path.display()),
        ));
    }
    let _ = fs::remove_file(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Mode;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn poll_until<const N: usize>(
        socket: &mut ControlSocket,
    ) -> [(ClientId, Result<Order, Reply>); N] {
        let mut orders = Vec::new();
        while orders.len() < N {
            orders.extend(socket.poll());
        }
        orders.try_into().unwrap()
    }

    /// Only the owner can open the socket, and its file goes with it.
    #[test]
    fn the_socket_is_the_owners_and_leaves_nothing_behind() {
        let folder = folder();
        let path = folder.path().join("control");
        let socket = ControlSocket::bind(&path).unwrap();
        let mode = fs::symlink_metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = ControlSocket::bind(&path).unwrap_err();
        assert!(second.what().starts_with("Another program listens"), "{second}");
        drop(socket);
        assert!(!path.exists());
    }

    /// What a killed process left behind is replaced, what is something else is left alone.
    #[test]
    fn a_stale_socket_is_replaced_and_a_file_is_not() {
        let folder = folder();
        let path = folder.path().join("control");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(ControlSocket::bind(&path).unwrap());
        fs::write(&path, "precious").unwrap();
        let error = ControlSocket::bind(&path).unwrap_err();
        assert!(error.what().ends_with("is no socket."), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    /// One order at a time, answered in order; nonsense gets an answer too.
    #[test]
    fn orders_wait_for_the_answer_to_the_one_before() {
        let folder = folder();
        let path = folder.path().join("control");
        let mut socket = ControlSocket::bind(&path).unwrap();
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(b"approve hold\nnonsense\n").unwrap();
        let [(id, first)] = poll_until(&mut socket);
        assert_eq!(first, Ok(Order::Approve(Mode::Hold)));
        assert!(socket.poll().is_empty() && !socket.has_more());
        socket.answer(id, &Reply::Done);
        assert!(socket.has_more());
        let [(id, second)] = poll_until(&mut socket);
        let reply = second.unwrap_err();
        socket.answer(id, &reply);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        while !socket.clients.is_empty() {
            assert!(socket.poll().is_empty());
        }
        let mut answers = String::new();
        client.read_to_string(&mut answers).unwrap();
        assert_eq!(answers, format!("ok\n{}\n", reply.to_line()));
    }

    /// A line without an end is answered and ends the connection; memory stays bounded.
    #[test]
    fn a_line_without_end_is_cut() {
        let folder = folder();
        let path = folder.path().join("control");
        let mut socket = ControlSocket::bind(&path).unwrap();
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(&[b'x'; 4 * MAX_LINE]).unwrap();
        let [(id, order)] = poll_until(&mut socket);
        assert!(order.is_err());
        assert!(socket.clients[0].received.capacity() <= 4 * MAX_LINE);
        socket.answer(id, &order.unwrap_err());
        socket.poll();
        assert!(socket.clients.is_empty());
    }
}
