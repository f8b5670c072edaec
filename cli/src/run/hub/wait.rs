//! The one place where the hub sleeps: every descriptor it listens to, every deadline it keeps.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::super::control::ControlSocket;
use super::super::slot::Slot;
use super::Hub;

/// How often a process in the background looks whether it has its terminal back.
const BACKGROUND: Duration = Duration::from_secs(1);

/// What woke the hub, as far as reading it without need would wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ready {
    /// The terminal has a line, or its end.
    pub(super) terminal: bool,
    /// The key is to be unplugged for good.
    pub(super) stop: bool,
}

impl Hub {
    /// Sleeps until something is readable or due.
    pub(super) fn wait(&mut self) -> io::Result<Ready> {
        let terminal = self.desk.terminal().filter(|terminal| terminal.is_ours());
        let background = self.desk.terminal().is_some() && terminal.is_none();
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.stop.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.worker.descriptor(), PollFlags::IN),
        ];
        let terminal_at = terminal.map(|terminal| {
            fds.push(PollFd::from_borrowed_fd(terminal.descriptor(), PollFlags::IN));
            fds.len() - 1
        });
        if self.state.powered {
            for (fd, stalled) in self.slots.iter().filter_map(Slot::descriptor) {
                let out = if stalled { PollFlags::OUT } else { PollFlags::empty() };
                fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN | out));
            }
        }
        let control: Vec<BorrowedFd<'_>> =
            self.control.iter().flat_map(ControlSocket::descriptors).collect();
        fds.extend(control.into_iter().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let timeout = self.timeout(background);
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let woke = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        Ok(Ready { terminal: terminal_at.is_some_and(woke), stop: woke(0) })
    }

    /// The time to the next deadline; `None` without one.
    fn timeout(&self, background: bool) -> Option<Timespec> {
        let now = self.clock.now();
        let devices = self.slots.iter().filter(|_| self.state.powered);
        let deadlines = devices.filter_map(Slot::poll_timeout);
        let broker = self.state.broker.poll_timeout();
        let desk = self.desk.poll_timeout(now);
        let look = background.then(|| now + BACKGROUND);
        let more = self.control.as_ref().is_some_and(ControlSocket::has_more).then_some(now);
        let wake = deadlines.chain(broker).chain(desk).chain(look).chain(more).min()?;
        Timespec::try_from(wake.duration_since(now)).ok()
    }
}
