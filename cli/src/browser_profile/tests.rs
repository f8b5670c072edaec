//! A browser profile on the disk: kept, private, whole, and one command's at a time.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::fs::inotify;
use rustix::io::Errno;
use softkey_client::password::PasswordData;
use softkey_client::{Credential, CredentialType, PasswordCredential, SecretText};

use super::*;

pub(super) fn password(id: &str, password: &str) -> Credential {
    let data = PasswordData {
        id: id.into(),
        name: String::new(),
        icon_url: String::new(),
        origin: "https://example.org".into(),
        password: SecretText::new(password),
    };
    Credential::Password(PasswordCredential::new(data).unwrap())
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.json");
    (folder, path)
}

/// A lock that is held, and whoever comes to it. A command that finds it held comes again.
struct Watched(OwnedFd);

impl Watched {
    fn new(lock: &Path) -> Self {
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        inotify::add_watch(&watch, lock, inotify::WatchFlags::OPEN).unwrap();
        Self(watch)
    }

    /// Waits until it was opened so many times.
    fn was_opened(self, times: usize) {
        let end = Instant::now() + Duration::from_mins(1);
        let mut buffer = [MaybeUninit::uninit(); 512];
        let mut events = inotify::Reader::new(self.0, &mut buffer);
        for _ in 0..times {
            while let Err(error) = events.next() {
                assert_eq!(error, Errno::WOULDBLOCK);
                assert!(Instant::now() < end, "nobody waits for the lock");
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

#[test]
fn what_is_kept_comes_back_and_only_its_owner_can_read_it() {
    let (_folder, path) = place();
    let open = BrowserProfile::open(path.clone()).unwrap();
    open.profile().keep(&password("ada", "one"));
    open.save().unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let again = BrowserProfile::open(path).unwrap();
    assert_eq!(again.profile().passwords()[0].password().expose(), "one");
}

/// A command that changes nothing leaves no file, and one that changes settings for itself does not keep them.
#[test]
fn what_did_not_change_is_not_written() {
    let (_folder, path) = place();
    BrowserProfile::open(path.clone()).unwrap().save().unwrap();
    assert!(!path.exists());
    let open = BrowserProfile::open(path.clone()).unwrap();
    open.profile().set(|settings| settings.hmac_secret = true);
    open.profile().keep(&password("ada", "one"));
    open.save().unwrap();
    assert!(!BrowserProfile::open(path).unwrap().profile().settings().hmac_secret);
}

/// A profile that others can read, that is none, or that is something else is refused and stays as it is; what is wrong
/// is told without a word of what stands in it.
#[test]
fn what_is_no_private_profile_is_refused() {
    let told = |path: &Path| {
        let error = BrowserProfile::open(path.to_owned()).err().unwrap();
        assert_eq!(error.exit(), Exit::BadInput);
        error.to_string()
    };
    let (folder, path) = place();
    assert!(told(folder.path()).contains("it is no file"));
    let text = r#"{"kept": {"passwords": "hunter2"}}"#;
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(told(&path).contains("others can read or change"));
    assert!(!path.with_file_name("profile.json.lock").exists(), "it was not touched");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let error = told(&path);
    assert!(error.contains("line 1, column") && !error.contains("hunter2"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(told(&path).contains("it is no text"));
    assert!(told(Path::new("/no such folder/profile")).contains("/no such folder"));
}

/// A profile that cannot be written is told, and the old one stays.
#[test]
fn a_profile_that_cannot_be_saved_stays_as_it_was() {
    let (_folder, path) = place();
    let open = BrowserProfile::open(path.clone()).unwrap();
    open.profile().keep(&password("ada", "one"));
    open.save().unwrap();
    let open = BrowserProfile::open(path.clone()).unwrap();
    open.profile().keep(&password("bea", "two"));
    // The name under which the new file would be written is taken.
    fs::create_dir(path.with_file_name("profile.json.new")).unwrap();
    assert_eq!(open.save().unwrap_err().exit(), Exit::Failed);
    assert_eq!(BrowserProfile::open(path).unwrap().profile().passwords().len(), 1);
}

/// Another program's file is not written over, nor what a newer version has noted; to read either does no harm.
#[test]
fn what_this_version_does_not_know_is_not_lost() {
    let (_folder, path) = place();
    for (text, member) in [
        (r#"{"name": "app", "version": "1.0.0"}"#, "\"name\""),
        (r#"{"kept": {"never": ["https://a.example"], "notes": {}}}"#, "\"kept.notes\""),
    ] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let open = BrowserProfile::open(path.clone()).unwrap();
        open.profile().keep(&password("ada", "one"));
        let error = open.save().unwrap_err();
        assert_eq!(error.exit(), Exit::BadInput);
        assert!(error.what().contains(&format!("it has {member}, which")), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

/// Two at once: the second waits, so neither loses what the other kept.
#[test]
fn two_commands_do_not_lose_each_others_changes() {
    let (_folder, path) = place();
    let first = BrowserProfile::open(path.clone()).unwrap();
    let lock = Watched::new(&path.with_file_name("profile.json.lock"));
    let waiting = thread::spawn({
        let path = path.clone();
        move || {
            let second = BrowserProfile::open(path).unwrap();
            second.profile().keep(&password("bea", "two"));
            second.save().unwrap();
        }
    });
    lock.was_opened(1);
    first.profile().keep(&password("ada", "one"));
    first.save().unwrap();
    waiting.join().unwrap();
    assert_eq!(BrowserProfile::open(path).unwrap().profile().passwords().len(), 2);
}

/// A profile behind a link is changed where it lies, so that nothing which was removed stays there, and has one lock.
#[test]
fn a_link_leads_to_the_one_profile() {
    let (folder, link) = place();
    let target = folder.path().join("dotfiles/browser.json");
    fs::create_dir(target.parent().unwrap()).unwrap();
    let open = BrowserProfile::open(target.clone()).unwrap();
    open.profile().keep(&password("ada", "hunter2"));
    open.save().unwrap();
    std::os::unix::fs::symlink("dotfiles/browser.json", &link).unwrap();

    let first = BrowserProfile::open(link.clone()).unwrap();
    assert_eq!(first.profile().passwords().len(), 1);
    let lock = Watched::new(&target.with_file_name("browser.json.lock"));
    let waiting = thread::spawn({
        let target = target.clone();
        move || {
            let second = BrowserProfile::open(target).unwrap();
            second.profile().keep(&password("bea", "two"));
            second.save().unwrap();
        }
    });
    lock.was_opened(1);
    first.profile().remove(CredentialType::Password, "https://example.org", "ada");
    first.save().unwrap();
    waiting.join().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let text = fs::read_to_string(&target).unwrap();
    assert!(!text.contains("hunter2") && text.contains("bea"), "{text}");
}

/// Where a link to nothing leads, a profile would be made that the next command does not find.
#[test]
fn a_link_to_nothing_is_refused() {
    let (_folder, link) = place();
    std::os::unix::fs::symlink("nowhere.json", &link).unwrap();
    let error = BrowserProfile::open(link.clone()).err().unwrap();
    assert_eq!(error.exit(), Exit::BadInput);
    assert!(error.to_string().contains("it is a link to nothing"), "{error}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

/// Two at once, and there is no vault yet: the second waits, and finds the vault that the first has made.
#[test]
fn two_commands_make_one_vault() {
    let (_folder, path) = place();
    let paths = VaultPaths::at(&path);
    let first = BrowserProfile::open_vault(paths.clone(), &Source::Nowhere).unwrap();
    let lock = Watched::new(&paths.lock);
    let waiting = thread::spawn({
        let paths = paths.clone();
        move || {
            let second = BrowserProfile::open_vault(paths, &Source::Nowhere).unwrap();
            second.profile().keep(&password("bea", "two"));
            second.save().unwrap();
        }
    });
    // The second has found that there is none.
    lock.was_opened(2);
    first.profile().keep(&password("ada", "one"));
    first.save().unwrap();
    waiting.join().unwrap();
    let both = BrowserProfile::open_vault(paths, &Source::Nowhere).unwrap();
    assert_eq!(both.profile().passwords().len(), 2);
}

/// A look at a vault that is not there leaves nothing behind, and whoever waited for it comes next.
#[test]
fn a_look_makes_no_vault() {
    let (folder, path) = place();
    let paths = VaultPaths::at(&path);
    let open = || BrowserProfile::open_vault(paths.clone(), &Source::Nowhere).unwrap();
    open().save().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let looking = open();
    let lock = Watched::new(&paths.lock);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let second = open();
            second.profile().keep(&password("bea", "two"));
            second.save().unwrap();
        });
        lock.was_opened(2);
        drop(looking);
        waiting.join().unwrap();
    });
    assert_eq!(open().profile().passwords().len(), 1);
}
