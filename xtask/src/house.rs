//! Where the house stands and what is in it: the workspace's root, cargo's view of it, and its text files.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

/// Why a task could not be done; a task that was done and found faults is no error.
pub(crate) type Error = Box<dyn std::error::Error>;

/// The answer of a task: whether all was well, or why it could not be done.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The workspace's root folder.
pub(crate) fn root() -> Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(Path::to_owned).ok_or_else(|| "xtask lies in no folder".into())
}

/// What cargo knows of the workspace at `root`, without other people's crates.
pub(crate) fn members(root: &Path) -> Result<Metadata> {
    Ok(MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .other_options(["--offline".into()])
        .exec()?)
}

/// A program, run to its end with nothing to read; its standard output as text.
///
/// # Errors
///
/// When it cannot be started or ends with another code than 0: its name and what it wrote to standard error.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("{name} cannot be started: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
            .into())
    }
}

/// The paths of the files that git tracks, or would track, under `root`, in their order.
pub(crate) fn tracked(root: &Path) -> Result<Vec<String>> {
    let listing = output_of(Command::new("git").current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut paths: Vec<String> = listing.split_terminator('\0').map(str::to_owned).collect();
    paths.sort_unstable();
    paths.dedup();
    // A file deleted but not yet committed is still listed; a link's target is listed for itself.
    paths.retain(|path| {
        std::fs::symlink_metadata(root.join(path)).is_ok_and(|entry| entry.is_file())
    });
    Ok(paths)
}

/// One text file.
pub(crate) struct File {
    /// Its path from the root, with `/` between the parts.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

impl File {
    /// Whether it holds Rust.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }
}

/// The text files that are, or are about to be, under version control.
pub(crate) struct Tree {
    /// In the order of their paths.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the files that git tracks, or would track, under `root`. What is not UTF-8 is left out.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for path in tracked(root)? {
            if let Ok(text) = String::from_utf8(std::fs::read(root.join(&path))?) {
                files.push(File { path, text });
            }
        }
        Ok(Self { files })
    }

    /// A tree made up for a test, of (path, text).
    #[cfg(test)]
    pub(crate) fn planted(files: &[(&str, &str)]) -> Self {
        let files =
            files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() });
        Self { files: files.collect() }
    }

    /// The files that hold Rust.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_what_git_tracks_or_would_track() {
        let place = tempfile::tempdir().unwrap();
        let write =
            |path: &str, bytes: &[u8]| std::fs::write(place.path().join(path), bytes).unwrap();
        output_of(Command::new("git").args(["init", "--quiet"]).arg(place.path())).unwrap();
        write(".gitignore", b"ignored.rs\n");
        write("ignored.rs", b"");
        write("new.rs", b"//! New.\n");
        write("picture", &[0xFF, 0xFE]);
        std::os::unix::fs::symlink("new.rs", place.path().join("link.rs")).unwrap();
        let tree = Tree::read(place.path()).unwrap();
        let paths: Vec<_> = tree.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, [".gitignore", "new.rs"]);
        assert_eq!(tree.rust().map(|file| file.text.as_str()).collect::<Vec<_>>(), ["//! New.\n"]);
    }

    #[test]
    fn a_program_that_fails_says_why() {
        let error = output_of(Command::new("sh").args(["-c", "echo words >&2; exit 3"]))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "sh: exit status: 3\nwords\n");
        let error = output_of(&mut Command::new("no-such-program")).unwrap_err().to_string();
        assert!(error.starts_with("no-such-program cannot be started: "), "{error}");
    }
}
