//! The machine that is looked at: a tree of files and a user. Tests make trees of their own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::Gid;

/// A machine, as far as the checks want to know it.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Where its `/` is.
    pub root: PathBuf,
    /// The release of the running kernel, as in `/lib/modules`.
    pub kernel: String,
    /// Who asks.
    pub user: User,
}

/// The user the program runs as.
#[derive(Clone, Debug)]
pub struct User {
    /// The login name, as far as it is known.
    pub name: String,
    /// The effective user id; 0 may do everything.
    pub uid: u32,
    /// The groups this process has, by number.
    pub groups: Vec<u32>,
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// `$XDG_DATA_HOME`.
    pub data_home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
}

impl Machine {
    /// This machine and this process.
    #[must_use]
    pub fn this() -> Self {
        let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
        Self { root: "/".into(), kernel, user: User::this() }
    }

    /// The path in this machine's tree of an absolute path.
    #[must_use]
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let relative = absolute.as_ref().strip_prefix("/").unwrap_or(absolute.as_ref());
        self.root.join(relative)
    }

    /// The text of a file; nothing if it cannot be read.
    #[must_use]
    pub fn text(&self, absolute: &str) -> Option<String> {
        fs::read_to_string(self.path(absolute)).ok()
    }

    /// Is there such a file or folder?
    #[must_use]
    pub fn has(&self, absolute: impl AsRef<Path>) -> bool {
        self.path(absolute).exists()
    }

    /// The number and the members of a group.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<(u32, Vec<String>)> {
        let table = self.text("/etc/group")?;
        table.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next() != Some(name) {
                return None;
            }
            let number = fields.nth(1)?.parse().ok()?;
            let members = fields.next()?.split(',').filter(|name| !name.is_empty());
            Some((number, members.map(str::to_owned).collect()))
        })
    }

    /// May the user read and write this file, as its mode says?
    #[must_use]
    pub fn may_use(&self, meta: &fs::Metadata) -> bool {
        let mode = meta.mode();
        let bits = if self.user.uid == 0 {
            0o6
        } else if meta.uid() == self.user.uid {
            mode >> 6
        } else if self.user.groups.contains(&meta.gid()) {
            mode >> 3
        } else {
            mode
        };
        bits & 0o6 == 0o6
    }
}

impl User {
    fn this() -> Self {
        let groups = rustix::process::getgroups().unwrap_or_default();
        let own = rustix::process::getegid();
        let folder =
            |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            name: std::env::var("USER").unwrap_or_else(|_| "$USER".into()),
            uid: rustix::process::geteuid().as_raw(),
            groups: groups.into_iter().chain([own]).map(Gid::as_raw).collect(),
            home: folder("HOME"),
            data_home: folder("XDG_DATA_HOME"),
            config_home: folder("XDG_CONFIG_HOME"),
        }
    }
}
