//! No file names the machine it was written on, nor a host that packages come from.

use std::path::Path;
use std::{env, fs};

use super::Finding;
use crate::house::Tree;

/// Where the common package clients fetch from. (In two halves, so that this file passes its own rule.)
const HOSTS: [&str; 7] = [
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("pypi", ".org"),
    concat!("files.pythonhosted", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("deb.debian", ".org"),
    concat!("security.debian", ".org"),
];

/// Folders of the first level that every machine has.
const COMMON: [&str; 20] = [
    "bin", "boot", "data", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc",
    "run", "sbin", "srv", "sys", "tmp", "usr", "var", "Users",
];

/// What must not stand in any file.
pub(crate) struct Needles {
    /// Beginnings of absolute paths, with both slashes.
    paths: Vec<String>,
    hosts: Vec<String>,
}

impl Needles {
    /// The home folder, the place of the checkout at `root`, and the hosts in the settings of this machine's
    /// package clients.
    pub(crate) fn of_this_machine(root: &Path) -> Self {
        let home = env::var("HOME").unwrap_or_default();
        let settings: Vec<String> =
            settings(Path::new(&home)).iter().filter_map(|file| text_of(file)).collect();
        Self::new(root, Path::new(&home), &settings)
    }

    fn new(root: &Path, home: &Path, settings: &[String]) -> Self {
        let mut places = vec![root.to_owned()];
        // A folder directly under `/` that other machines lack is as telling as the whole path.
        let first = root
            .iter()
            .nth(1)
            .filter(|name| name.to_str().is_some_and(|name| !COMMON.contains(&name)));
        places.extend(first.map(|name| Path::new("/").join(name)));
        places.push(home.to_owned());
        let slashed = |place: &std::path::PathBuf| format!("{}/", place.display());
        let paths = places.iter().filter(|place| place.iter().count() > 1).map(slashed).collect();
        let mut hosts: Vec<String> = HOSTS.map(String::from).into();
        hosts.extend(settings.iter().flat_map(|text| hosts_in(text)));
        // Repositories live there too.
        hosts.retain(|host| host != "github.com");
        hosts.sort();
        hosts.dedup();
        Self { paths, hosts }
    }
}

/// Lines that name this machine or a package host.
pub(crate) fn traces(tree: &Tree, needles: &Needles) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            let path = needles.paths.iter().find(|path| holds(line, path));
            findings.extend(path.map(|path| {
                Finding::new(&file.path, index + 1, format!("names the folder {path}"))
            }));
            let host = needles.hosts.iter().find(|host| line.contains(host.as_str()));
            findings.extend(
                host.map(|host| {
                    Finding::new(&file.path, index + 1, format!("names the host {host}"))
                }),
            );
        }
    }
    findings
}

/// Whether `line` holds `path` as the beginning of a path, not amid a longer one.
fn holds(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before
            .is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '-' | '}' | '~'))
    })
}

/// Files where apt, cargo, pip and npm keep their sources.
fn settings(home: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> =
        [".cargo/config.toml", ".cargo/config", ".config/pip/pip.conf", ".pip/pip.conf", ".npmrc"]
            .map(|f| home.join(f))
            .into();
    files.extend(["/etc/apt/sources.list", "/etc/pip.conf", "/etc/npmrc"].map(Into::into));
    let lists = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    files.extend(lists.map(|entry| entry.path()));
    files
}

fn text_of(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok()
}

/// The hosts of the addresses in a settings file, comments left out.
fn hosts_in(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with(['#', ';']));
    lines.flat_map(|line| line.split("://").skip(1)).filter_map(host_of).collect()
}

/// The host at the beginning of what follows `://`; none without a dot (a name on this machine only).
fn host_of(rest: &str) -> Option<String> {
    let authority = rest.split(['/', ' ', '"', '\'']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (host.contains('.') && !host.starts_with("127.")).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(needles: &Needles, text: &str) -> Vec<String> {
        traces(&Tree::planted(&[("a.md", text)]), needles).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn the_checkout_and_the_home_folder_are_found() {
        let needles = Needles::new(Path::new("/farm/x/softkey"), Path::new("/home/ann"), &[]);
        assert_eq!(found(&needles, "see /home/ann/notes"), ["a.md:1: names the folder /home/ann/"]);
        assert_eq!(found(&needles, "x\ncd \"/farm/y\""), ["a.md:2: names the folder /farm/"]);
        assert_eq!(found(&needles, "a/farm/b, ./farm/b, $HOME/farm/b, /home/bob/"), [""; 0]);
    }

    #[test]
    fn a_common_folder_alone_tells_nothing() {
        let needles = Needles::new(Path::new("/tmp/softkey"), Path::new("/"), &[]);
        assert_eq!(found(&needles, "/tmp/x / /usr/"), [""; 0]);
        assert_eq!(found(&needles, "/tmp/softkey/x"), ["a.md:1: names the folder /tmp/softkey/"]);
    }

    #[test]
    fn hosts_of_the_settings_and_the_usual_ones_are_found() {
        let settings =
            "# see https://manual.invalid/x\nURIs: http://user:word@mirror.invalid:80/debian\n"
                .to_owned();
        let needles = Needles::new(Path::new("/"), Path::new("/"), &[settings]);
        assert_eq!(
            found(&needles, "from mirror.invalid"),
            ["a.md:1: names the host mirror.invalid"]
        );
        assert_eq!(found(&needles, HOSTS[2]), [format!("a.md:1: names the host {}", HOSTS[2])]);
        assert_eq!(found(&needles, "manual.invalid and github.com"), [""; 0]);
    }
}
