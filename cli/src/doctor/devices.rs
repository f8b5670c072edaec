//! The uhid node, who may open it, and whether clients may open the key behind it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::{Finding, Machine};

/// The node through which a program makes virtual HID devices.
const NODE: &str = "/dev/uhid";
/// The group that may open it.
const GROUP: &str = "softkey";
/// What joining the group means.
const MEANS: &str =
    "whoever is in it can also make a virtual keyboard and type as anybody at this screen";
/// The rule that gives it to the group, as it is shipped.
const RULE: &str = include_str!("../../dist/udev/70-softkey.rules");
/// Where rules lie; a file hides those of the same name in later folders.
const RULE_FOLDERS: [&str; 5] = [
    "/etc/udev/rules.d",
    "/run/udev/rules.d",
    "/usr/local/lib/udev/rules.d",
    "/usr/lib/udev/rules.d",
    "/lib/udev/rules.d",
];
/// Rules that open keys to whoever sits at the screen.
const CLIENT_RULES: [&str; 3] = ["60-fido-id.rules", "70-u2f.rules", "70-fido2.rules"];

/// Is the node there, and if not, can the kernel make it?
pub(super) fn node(machine: &Machine) -> Finding {
    if machine.has(NODE) {
        return Finding::well("node", format!("{NODE} is there."));
    }
    let listed = |file: &str| {
        let list = machine.text(&format!("/lib/modules/{}/{file}", machine.kernel));
        list.unwrap_or_default().lines().any(|line| line.contains("/uhid.ko"))
    };
    if machine.has("/run/.containerenv") || machine.has("/.dockerenv") {
        return Finding::mend(
            "node",
            format!("{NODE} is missing: a container has only the devices it was given."),
            "start the container with --device /dev/uhid, or use softkey run --transport udp",
        );
    }
    if listed("modules.dep") || listed("modules.builtin") {
        return Finding::mend(
            "node",
            format!("{NODE} is missing: the kernel's module uhid is not loaded."),
            "sudo modprobe uhid\necho uhid | sudo tee /etc/modules-load.d/softkey.conf",
        );
    }
    Finding::mend(
        "node",
        format!("{NODE} is missing: kernel {} has no module uhid.", machine.kernel),
        "boot a kernel with CONFIG_UHID (after an update, restart), \
         or use softkey run --transport udp",
    )
}

/// May this user open the node, and may anybody who should not?
pub(super) fn access(machine: &Machine) -> Finding {
    let Ok(meta) = fs::metadata(machine.path(NODE)) else {
        return Finding::mend("access", format!("{NODE} cannot be opened."), "mend node first");
    };
    if meta.mode() & 0o006 != 0 {
        return Finding::mend(
            "access",
            format!("Every user can open {NODE} and so type at this machine's screen."),
            format!("{}\nsudo chown root:{GROUP} {NODE} && sudo chmod 660 {NODE}", install_rule()),
        );
    }
    if machine.may_use(&meta) {
        return Finding::well("access", format!("You may open {NODE}."));
    }
    Finding::mend(
        "access",
        format!("You may not open {NODE}."),
        "mend group and udev_rule, or run softkey as root",
    )
}

/// Is there the group, and is this user in it?
pub(super) fn group(machine: &Machine) -> Finding {
    let user = &machine.user;
    if user.uid == 0 {
        return Finding::well("group", format!("Root needs no group {GROUP}."));
    }
    let join = format!("sudo usermod -aG {GROUP} {}\nthen log out and in again", user.name);
    let Some((number, members)) = machine.group(GROUP) else {
        return Finding::mend(
            "group",
            format!("There is no group {GROUP} ({MEANS})."),
            format!("sudo groupadd --system {GROUP}\n{join}"),
        );
    };
    if user.groups.contains(&number) {
        Finding::well("group", format!("You are in the group {GROUP} ({MEANS})."))
    } else if members.contains(&user.name) {
        Finding::mend(
            "group",
            format!("You are in the group {GROUP}, but this session began before that."),
            "log out and in again",
        )
    } else {
        Finding::mend("group", format!("You are not in the group {GROUP} ({MEANS})."), join)
    }
}

/// Does a udev rule give the node to the group, and to nobody else?
pub(super) fn udev_rule(machine: &Machine) -> Finding {
    let mut given = None;
    for (path, line) in rules(machine) {
        if !line.contains("uhid") || line.trim_start().starts_with('#') {
            continue;
        }
        let for_others = value(&line, "MODE").is_some_and(|mode| !mode.ends_with('0'));
        if for_others || line.contains("uaccess") {
            return Finding::mend(
                "udev_rule",
                format!("{path} gives the node to more than the group {GROUP}."),
                format!("sudo rm {path}\n{}", install_rule()),
            );
        }
        if value(&line, "GROUP") == Some(GROUP) {
            given = Some(path);
        }
    }
    match given {
        Some(path) => Finding::well("udev_rule", format!("{path} gives the node to {GROUP}.")),
        None if machine.user.uid == 0 => Finding::well("udev_rule", "Root needs no udev rule."),
        None => Finding::mend(
            "udev_rule",
            format!("No udev rule gives {NODE} to the group {GROUP}."),
            install_rule(),
        ),
    }
}

/// Will the key's hidraw node be open to the person at the screen?
pub(super) fn clients(machine: &Machine) -> Finding {
    if !machine.has("/sys/class/hidraw") {
        return Finding::mend(
            "clients",
            "The kernel has no hidraw, through which clients reach a key.",
            "boot a kernel with CONFIG_HIDRAW, or use softkey run --transport udp",
        );
    }
    let mut files = rule_files(machine).into_iter();
    match files.find(|(name, _)| CLIENT_RULES.contains(&name.as_str())) {
        Some((_, path)) => {
            Finding::well("clients", format!("{path} lets clients at the screen open keys."))
        }
        None => Finding::mend(
            "clients",
            "systemd's rule that lets clients open security keys (60-fido-id.rules) is missing.",
            "sudo apt-get install --reinstall udev",
        ),
    }
}

/// The commands that install the shipped rule.
fn install_rule() -> String {
    let rule = RULE.lines().find(|line| !line.starts_with('#') && !line.is_empty());
    format!(
        "getent group {GROUP} || sudo groupadd --system {GROUP}\n\
         echo '{}' | sudo tee /etc/udev/rules.d/70-softkey.rules\n\
         sudo udevadm control --reload && sudo udevadm trigger --name-match=uhid",
        rule.unwrap_or_default()
    )
}

/// What a rule assigns to a key: `MODE="0660"` or `MODE:="0660"`, not what it compares.
fn value<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    line.split(',').find_map(|part| {
        let rest = part.trim().strip_prefix(key)?.trim_start_matches([':', ' ']);
        rest.strip_prefix("=\"")?.strip_suffix('"')
    })
}

/// The rules in force: file and line, continued lines joined.
fn rules(machine: &Machine) -> Vec<(String, String)> {
    let mut rules = Vec::new();
    for (_, path) in rule_files(machine) {
        let text = machine.text(&path).unwrap_or_default().replace("\\\n", " ");
        rules.extend(text.lines().map(|line| (path.clone(), line.to_owned())));
    }
    rules
}

/// Name and path of each rules file in force, in the order in which udev reads them.
fn rule_files(machine: &Machine) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for folder in RULE_FOLDERS {
        let Ok(entries) = fs::read_dir(machine.path(folder)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().extension().is_some_and(|it| it == "rules")
                && files.iter().all(|(known, _)| *known != name)
            {
                files.push((name.clone(), format!("{folder}/{name}")));
            }
        }
    }
    files.sort();
    files
}
