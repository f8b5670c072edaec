//! The suites: what each guest must carry, what is checked in it, how long it may take.

use std::path::Path;
use std::time::Duration;

use crate::house::Result;

/// One guest and the checks that run in it during one boot.
pub(crate) struct Suite {
    /// Its name, and its folder under `tests/vm/guest`.
    pub(crate) name: &'static str,
    /// The guest's Debian packages beyond [`BASE`].
    packages: &'static [&'static str],
    /// Does it carry the firmware of the emulated board?
    pub(crate) board: bool,
    /// The guest's memory in MiB.
    pub(crate) memory: u32,
    /// How long one check may take.
    pub(crate) check_limit: Duration,
    /// How long the whole run may take, boot included.
    pub(crate) limit: Duration,
}

/// OpenSSH, libfido2, PAM, LUKS, the emulated board and everything that needs no browser.
pub(crate) static CLI: Suite = Suite {
    name: "cli",
    packages: &[
        "cryptsetup-bin",
        "libcryptsetup12",
        "libfido2-1",
        "libpam-u2f",
        "openssh-client",
        "openssh-server",
        "pamtester",
        "pamu2fcfg",
        "qemu-system-arm",
        "systemd",
    ],
    board: true,
    memory: 2048,
    check_limit: Duration::from_mins(2),
    limit: Duration::from_mins(15),
};

/// Chromium and Firefox ESR, headless and under a virtual screen.
pub(crate) static BROWSERS: Suite = Suite {
    name: "browsers",
    packages: &["chromium", "firefox-esr", "fonts-dejavu-core", "xdotool", "xvfb"],
    board: false,
    memory: 4096,
    check_limit: Duration::from_mins(8),
    limit: Duration::from_mins(25),
};

/// What every guest carries.
const BASE: &[&str] =
    &["fido2-tools", "iproute2", "kmod", "procps", "python3", "python3-fido2", "udev"];

/// The kernel modules every guest carries; their dependencies follow by themselves.
pub(crate) const MODULES: &[&str] = &[
    "9p",
    "9pnet_virtio",
    "algif_skcipher",
    "dm_crypt",
    "dm_mod",
    "ext4",
    "hid",
    "hid-generic",
    "loop",
    "uhid",
    "virtio-rng",
    "virtio_blk",
    "virtio_pci",
    "xts",
];

/// What must be loaded before the root file system can be mounted.
pub(crate) const BOOT_MODULES: &[&str] = &["virtio_pci", "virtio_blk", "ext4"];

impl Suite {
    /// All packages of the guest, sorted.
    pub(crate) fn packages(&self) -> Vec<&'static str> {
        let mut all = [BASE, self.packages].concat();
        all.sort_unstable();
        all
    }

    /// The file names of the checks whose names contain `only`, in the order in which they run.
    pub(crate) fn checks(&self, root: &Path, only: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(root.join("tests/vm/guest").join(self.name))? {
            let name = entry?
                .file_name()
                .into_string()
                .map_err(|name| format!("odd file name {}", name.display()))?;
            if name.contains(only) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}
