//! Browsers in sandboxes that keep a virtual key from them.

use std::fs;
use std::path::Path;

use super::{Finding, Machine};

/// Browsers as snaps are called.
const SNAPS: [&str; 6] = ["firefox", "chromium", "brave", "opera", "vivaldi", "microsoft-edge"];
/// Browsers as flatpaks are called, by how their identifiers begin.
const FLATPAKS: [&str; 8] = [
    "org.mozilla.firefox",
    "org.chromium.Chromium",
    "com.google.Chrome",
    "com.brave.Browser",
    "com.microsoft.Edge",
    "com.vivaldi.Vivaldi",
    "com.opera.Opera",
    "io.gitlab.librewolf-community",
];

/// A snap may open only the USB keys on snapd's own list of vendors and products, and a virtual key has no USB
/// parent that could be on it.
pub(super) fn snaps(machine: &Machine) -> Vec<Finding> {
    let found = SNAPS.into_iter().filter(|name| machine.has(format!("/snap/{name}/current")));
    let found = found.map(|name| {
        Finding::mend(
            "snap",
            format!("The snap of {name} opens only USB keys that snapd lists, not this one."),
            "use a browser that is no snap, such as: flatpak install flathub org.mozilla.firefox",
        )
    });
    or_well(found.collect(), "snap", "No browser is a snap.")
}

/// A flatpak sees a key only with the permission for all devices.
pub(super) fn flatpaks(machine: &Machine) -> Vec<Finding> {
    let user = machine.user.home.as_ref().map(|home| home.join(".local/share/flatpak"));
    let mut findings = Vec::new();
    for place in std::iter::once("/var/lib/flatpak".into()).chain(user) {
        let Ok(apps) = fs::read_dir(machine.path(place.join("app"))) else { continue };
        for app in apps.flatten() {
            let id = app.file_name().to_string_lossy().into_owned();
            let browser = FLATPAKS.iter().any(|browser| id.starts_with(browser));
            if browser && !sees_devices(machine, &place, &id) {
                findings.push(Finding::mend(
                    "flatpak",
                    format!("The flatpak {id} may not open devices, so it sees no key."),
                    format!("flatpak override --user --device=all {id}"),
                ));
            }
        }
    }
    findings.sort_by(|a, b| a.what.cmp(&b.what));
    or_well(findings, "flatpak", "No browser is a flatpak that cannot open devices.")
}

/// Do the app's own permissions or an override give it all devices?
fn sees_devices(machine: &Machine, place: &Path, id: &str) -> bool {
    let own = place.join("app").join(id).join("current/active/metadata");
    let home = machine.user.home.as_ref();
    let user = home.map(|home| home.join(".local/share/flatpak/overrides").join(id));
    let files = [own, place.join("overrides").join(id)].into_iter().chain(user);
    files.into_iter().any(|file| {
        let text = fs::read_to_string(machine.path(file)).unwrap_or_default();
        let mut devices = text.lines().filter_map(|line| line.strip_prefix("devices="));
        devices.any(|devices| devices.split(';').any(|device| device == "all"))
    })
}

fn or_well(findings: Vec<Finding>, check: &'static str, well: &str) -> Vec<Finding> {
    if findings.is_empty() { vec![Finding::well(check, well)] } else { findings }
}
