//! A file whose content, whenever it changes, is a new message.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Arrival, LONGEST, spawn};

/// How often the file is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Watches a file, which need not be there yet.
pub(super) fn open(path: PathBuf, send: SyncSender<Arrival>) -> io::Result<()> {
    let mut watched = Watched::new(path)?;
    spawn(send, move |send| {
        loop {
            thread::sleep(TICK);
            if let Some(text) = watched.look()?
                && send.send(Arrival::Message(text.into(), None)).is_err()
            {
                return Ok(());
            }
        }
    })
}

/// Which state of a file it is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

struct Watched {
    path: PathBuf,
    /// The state that was taken last, or was there at the beginning.
    taken: Option<Stamp>,
    /// A state that is taken if it is still the same at the next look: a writer may be in the midst of it.
    seen: Option<Stamp>,
}

impl Watched {
    fn new(path: PathBuf) -> io::Result<Self> {
        let taken = stamp(&path)?;
        Ok(Self { path, taken, seen: None })
    }

    /// The message, if there is a new one that nobody is writing any more.
    fn look(&mut self) -> io::Result<Option<Zeroizing<String>>> {
        let now = stamp(&self.path)?;
        if now == self.taken || now.is_none() {
            self.taken = now;
            self.seen = None;
            return Ok(None);
        }
        if now != self.seen {
            self.seen = now;
            return Ok(None);
        }
        self.take(now)
    }

    /// What stands in the file, if it is still in this state.
    fn take(&mut self, now: Option<Stamp>) -> io::Result<Option<Zeroizing<String>>> {
        let Some(text) = read(&self.path)? else {
            self.taken = None;
            self.seen = None;
            return Ok(None);
        };
        if stamp(&self.path)? != now {
            self.seen = None;
            return Ok(None);
        }
        self.taken = now;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// The state of the file; nothing if it is not there.
fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Ok(about) if about.is_file() => Ok(Some(Stamp::of(&about))),
        Ok(_) => Err(io::Error::other("it is no file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Stamp {
    fn of(about: &Metadata) -> Self {
        let modified = (about.mtime(), about.mtime_nsec());
        Self { inode: about.ino(), length: about.size(), modified }
    }
}

/// What stands in the file; nothing if it went away meanwhile.
fn read(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    let mut text = Zeroizing::new(String::new());
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    file.take(limit + 1).read_to_string(&mut text)?;
    if text.len() > LONGEST { Err(io::Error::other("it is too long")) } else { Ok(Some(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(watched: &mut Watched) -> Vec<String> {
        let look = |_| watched.look().unwrap().map(|text| text.to_string());
        (0..3).filter_map(look).collect()
    }

    /// What was there is old; each new state is one message, and an empty or missing file none.
    #[test]
    fn each_change_is_one_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sms");
        fs::write(&path, "old").unwrap();
        let mut watched = Watched::new(path.clone()).unwrap();
        assert!(looks(&mut watched).is_empty());
        fs::write(&path, "one\n@a.example #1").unwrap();
        assert_eq!(looks(&mut watched), ["one\n@a.example #1"]);
        fs::remove_file(&path).unwrap();
        assert!(looks(&mut watched).is_empty());
        fs::write(&path, "").unwrap();
        assert!(looks(&mut watched).is_empty());
        let new = folder.path().join("new");
        fs::write(&new, "renamed").unwrap();
        fs::rename(&new, &path).unwrap();
        assert_eq!(looks(&mut watched), ["renamed"]);
    }

    /// A message that is still being written is not cut: a code would be.
    #[test]
    fn a_message_is_taken_when_it_has_come_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sms");
        let mut watched = Watched::new(path.clone()).unwrap();
        for text in ["@a", "@a.example", "@a.example #12"] {
            fs::write(&path, text).unwrap();
            assert_eq!(watched.look().unwrap().as_deref(), None);
        }
        fs::write(&path, "@a.example #123456").unwrap();
        assert_eq!(looks(&mut watched), ["@a.example #123456"]);
    }

    /// A file that goes away between the look and the reading is a missing one, and the source lives on.
    #[test]
    fn a_file_that_vanishes_before_it_is_read_is_no_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sms");
        let mut watched = Watched::new(path.clone()).unwrap();
        fs::write(&path, "gone\n@a.example #1").unwrap();
        assert!(watched.look().unwrap().is_none());
        let seen = watched.seen;
        fs::remove_file(&path).unwrap();
        assert!(watched.take(seen).unwrap().is_none());
        fs::write(&path, "@a.example #2").unwrap();
        assert_eq!(looks(&mut watched), ["@a.example #2"]);
    }

    #[test]
    fn what_is_no_message_breaks_the_source() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Watched::new(folder.path().to_owned()).is_err());
        let path = folder.path().join("sms");
        for wrong in [vec![b'x'; LONGEST + 1], vec![0xff]] {
            let mut watched = Watched::new(path.clone()).unwrap();
            fs::write(&path, wrong).unwrap();
            assert!(watched.look().unwrap().is_none());
            assert!(watched.look().is_err());
        }
    }
}
