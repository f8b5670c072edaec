//! The doctor on a planted machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

const RULE: &str = include_str!("../../dist/udev/70-softkey.rules");

/// A machine in a folder, to which tests add files.
struct Fake {
    _folder: tempfile::TempDir,
    machine: Machine,
}

/// The files belong to whoever runs the tests, and the machine's user is somebody else.
fn fake() -> Fake {
    let folder = tempfile::tempdir().unwrap();
    let user = User {
        name: "ada".into(),
        uid: 4_000_000,
        groups: vec![4_000_000],
        home: Some("/home/ada".into()),
        data_home: None,
        config_home: None,
    };
    let machine = Machine { root: folder.path().into(), kernel: "6.1.0".into(), user };
    Fake { _folder: folder, machine }
}

impl Fake {
    fn put(&self, path: &str, text: &str, mode: u32) {
        let path = self.machine.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn finding(&self, check: &str) -> Finding {
        let mut all = examine(&self.machine, None).into_iter();
        all.find(|finding| finding.check == check).unwrap()
    }

    fn state(&self, check: &str) -> State {
        self.finding(check).state
    }

    fn mend(&self, check: &str) -> String {
        let finding = self.finding(check);
        finding.mend.unwrap_or_else(|| panic!("{check} is well: {}", finding.what))
    }
}

/// The node: a container, a module that is not loaded, a kernel without it.
#[test]
fn a_missing_node_is_mended_by_what_is_missing() {
    let fake = fake();
    assert!(fake.mend("node").contains("CONFIG_UHID"));
    fake.put("/lib/modules/6.1.0/modules.dep", "kernel/drivers/hid/uhid.ko.xz:\n", 0o644);
    assert!(fake.mend("node").starts_with("sudo modprobe uhid\n"));
    fake.put("/.dockerenv", "", 0o644);
    assert!(fake.mend("node").contains("--device /dev/uhid"));
    fake.put("/dev/uhid", "", 0o660);
    assert_eq!(fake.state("node"), State::Well);
}

/// Access follows the mode, and a node open to all is a fault of its own.
#[test]
fn access_is_for_the_group_alone() {
    let mut fake = fake();
    fake.put("/dev/uhid", "", 0o660);
    assert!(fake.finding("access").what.starts_with("You may not open"));
    fake.machine.user.groups.push(rustix::process::getegid().as_raw());
    assert_eq!(fake.state("access"), State::Well);
    fake.put("/dev/uhid", "", 0o666);
    assert!(fake.finding("access").what.starts_with("Every user can open"));
    assert!(fake.mend("access").contains("chmod 660"));
}

/// The group: missing, joined too late for this session, joined.
#[test]
fn the_group_must_be_there_and_in_force() {
    let mut fake = fake();
    fake.put("/etc/group", "root:x:0:\n", 0o644);
    assert_eq!(
        fake.mend("group"),
        "sudo groupadd --system softkey\nsudo usermod -aG softkey ada\nthen log out and in again"
    );
    fake.put("/etc/group", "softkeys:x:1:ada\nsoftkey:x:990:bob\n", 0o644);
    assert!(fake.mend("group").starts_with("sudo usermod -aG softkey ada\n"));
    fake.put("/etc/group", "softkey:x:990:bob,ada\n", 0o644);
    assert_eq!(fake.mend("group"), "log out and in again");
    fake.machine.user.groups.push(990);
    assert_eq!(fake.state("group"), State::Well);
    assert!(fake.finding("group").what.contains("virtual keyboard"), "what joining means is said");
}

/// What refuses `softkey run` names the same commands as doctor.
#[test]
fn the_mends_of_uhid_are_those_of_doctor() {
    let mut fake = fake();
    fake.put("/dev/uhid", "", 0o660);
    fake.put("/usr/lib/udev/rules.d/70-softkey.rules", RULE, 0o644);
    fake.put("/etc/group", "softkey:x:990:\n", 0o644);
    assert_eq!(uhid_mends(&fake.machine), [fake.mend("group")]);
    fake.machine.user.groups.push(990);
    assert_eq!(uhid_mends(&fake.machine), [""; 0]);
}

/// The shipped rule is right, others are not, and a file of the same name in /etc hides the shipped one.
#[test]
fn only_a_rule_for_the_group_is_right() {
    let fake = fake();
    let install = fake.mend("udev_rule");
    assert!(install.contains("sudo tee /etc/udev/rules.d/70-softkey.rules"), "{install}");
    assert!(install.contains("GROUP=\"softkey\", MODE=\"0660\""), "{install}");
    fake.put("/usr/lib/udev/rules.d/70-softkey.rules", RULE, 0o644);
    assert_eq!(fake.state("udev_rule"), State::Well);
    for wrong in ["MODE=\"0666\"", "TAG+=\"uaccess\"", "GROUP=\"softkey\", MODE=\"0664\""] {
        let rule = format!("KERNEL==\"uhid\", \\\n {wrong}\n");
        fake.put("/etc/udev/rules.d/99-other.rules", &rule, 0o644);
        let mend = fake.mend("udev_rule");
        assert!(mend.starts_with("sudo rm /etc/udev/rules.d/99-other.rules\n"), "{wrong}: {mend}");
    }
    fake.put("/etc/udev/rules.d/99-other.rules", "# KERNEL==\"uhid\", MODE=\"0666\"\n", 0o644);
    assert_eq!(fake.state("udev_rule"), State::Well);
    fake.put("/etc/udev/rules.d/70-softkey.rules", "# nothing\n", 0o644);
    assert_eq!(fake.mend("udev_rule"), install);
}

/// Clients need hidraw and systemd's rule.
#[test]
fn clients_need_hidraw_and_its_rule() {
    let fake = fake();
    assert!(fake.mend("clients").contains("CONFIG_HIDRAW"));
    fs::create_dir_all(fake.machine.path("/sys/class/hidraw")).unwrap();
    assert_eq!(fake.mend("clients"), "sudo apt-get install --reinstall udev");
    fake.put("/lib/udev/rules.d/60-fido-id.rules", "", 0o644);
    assert_eq!(fake.state("clients"), State::Well);
}

/// A browser in a sandbox is named, with what opens its door.
#[test]
fn sandboxed_browsers_are_named() {
    let fake = fake();
    assert_eq!((fake.state("snap"), fake.state("flatpak")), (State::Well, State::Well));
    fake.put("/snap/firefox/current/meta", "", 0o644);
    assert!(fake.finding("snap").what.contains("snap of firefox"));
    let metadata = "/var/lib/flatpak/app/org.mozilla.firefox/current/active/metadata";
    fake.put(metadata, "[Context]\ndevices=dri;\n", 0o644);
    assert_eq!(fake.mend("flatpak"), "flatpak override --user --device=all org.mozilla.firefox");
    let overrides = "/home/ada/.local/share/flatpak/overrides/org.mozilla.firefox";
    fake.put(overrides, "[Context]\ndevices=all;\n", 0o644);
    assert_eq!(fake.state("flatpak"), State::Well);
    fs::remove_file(fake.machine.path(overrides)).unwrap();
    fake.put(metadata, "[Context]\ndevices=dri;all;\n", 0o644);
    assert_eq!(fake.state("flatpak"), State::Well);
}

/// The vault's folder: not made yet, another's, open to others.
#[test]
fn the_vault_is_its_owners_alone() {
    let mut fake = fake();
    assert!(fake.finding("vault").what.ends_with("will be made at the first run."));
    let file = "/home/ada/.local/share/softkey/vault";
    fake.put(file, "", 0o600);
    assert!(fake.mend("vault").starts_with("sudo chown ada '/home/ada/.local/share/softkey'"));
    fake.machine.user.uid = rustix::process::geteuid().as_raw();
    let folder = fake.machine.path("/home/ada/.local/share/softkey");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(fake.state("vault"), State::Well);
    fake.put(file, "", 0o644);
    assert!(fake.mend("vault").starts_with("chmod 600 "));
    fake.put(file, "", 0o600);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o707)).unwrap();
    assert!(fake.mend("vault").starts_with("chmod go-w "));
    fake.machine.user.home = None;
    assert_eq!(fake.mend("vault"), "give softkey run --vault FILE");
}

/// The vault's other files open it: they are as private as the first.
#[test]
fn the_vaults_other_files_are_looked_at() {
    let mut fake = fake();
    fake.machine.user.uid = rustix::process::geteuid().as_raw();
    let folder = "/home/ada/.local/share/softkey";
    for file in [
        format!("{folder}/vault"),
        format!("{folder}/vault.header"),
        "/home/ada/.config/softkey/vault.key".into(),
    ] {
        fake.put(&file, "", 0o640);
        assert_eq!(fake.mend("vault"), format!("chmod 600 '{file}'"));
        fake.put(&file, "", 0o600);
        assert_eq!(fake.state("vault"), State::Well);
    }
    let config = fake.machine.path("/home/ada/.config/softkey");
    fs::set_permissions(config, fs::Permissions::from_mode(0o707)).unwrap();
    assert_eq!(fake.mend("vault"), "chmod go-w '/home/ada/.config/softkey'");
}

/// A vault may be in a folder for everybody where nobody can replace another's files; it is never advised to take such a
/// folder, or any that is not softkey's, away from others.
#[test]
fn nobody_is_told_to_take_a_folder_from_others() {
    let mut fake = fake();
    let owner = rustix::process::geteuid().as_raw();
    let finding = |fake: &Fake, path: &str| {
        let mut all = examine(&fake.machine, Some(std::path::Path::new(path))).into_iter();
        all.find(|finding| finding.check == "vault").unwrap()
    };
    let mode = |fake: &Fake, mode| {
        fake.put("/tmp/other", "", 0o600);
        fs::set_permissions(fake.machine.path("/tmp"), fs::Permissions::from_mode(mode)).unwrap();
    };
    for uid in [0, owner] {
        fake.machine.user.uid = uid;
        mode(&fake, 0o1777);
        let found = finding(&fake, "/tmp/v");
        assert_eq!((found.state, found.mend), (State::Well, None), "{uid}");
        assert!(!found.what.contains("yours"), "{}", found.what);
        mode(&fake, 0o777);
        assert_eq!(finding(&fake, "/tmp/v").mend.unwrap(), "chmod go-w '/tmp'");
    }
    fake.machine.user.uid = 4_000_000;
    for wrong in [0o777, 0o755] {
        mode(&fake, wrong);
        for path in ["/tmp/v", "/v"] {
            let mend = finding(&fake, path).mend.unwrap();
            assert_eq!(mend, "choose a folder of your own for --vault FILE", "{path}");
        }
    }
    // A file there that is somebody else's is not taken over either.
    fake.machine.user.uid = owner;
    let nowhere = finding(&fake, "/srv/it's/v");
    assert_eq!(nowhere.mend.unwrap(), r"mkdir -p -m 700 '/srv/it'\''s'");
    fake.put("/srv/it's/v", "", 0o644);
    assert_eq!(finding(&fake, "/srv/it's/v").mend.unwrap(), r"chmod 600 '/srv/it'\''s/v'");
}
