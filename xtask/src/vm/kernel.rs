//! Debian's own kernel, unpacked from its package: the bare ELF image that QEMU starts, and its modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::suite;
use crate::house::{Result, output_of};

/// An unpacked kernel package. Nothing of it is installed on the host.
pub(crate) struct Kernel {
    /// The release as `uname -r` says it.
    pub(crate) version: String,
    /// The image that QEMU boots directly.
    pub(crate) image: PathBuf,
    unpacked: PathBuf,
}

impl Kernel {
    /// Downloads and unpacks the current kernel into `place`, unless it is there already.
    pub(crate) fn fetch(place: &Path) -> Result<Kernel> {
        let depends = output_of(Command::new("apt-cache").args(["depends", "linux-image-amd64"]))?;
        let package = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
        let package = package.ok_or("apt knows no linux-image-amd64: run apt-get update")?;
        let version = package.trim_start_matches("linux-image-").to_owned();
        let unpacked = place.join(package);
        let kernel = Kernel { version, image: unpacked.join("vmlinux"), unpacked };
        if !kernel.image.exists() {
            kernel.unpack(place, package)?;
        }
        Ok(kernel)
    }

    fn unpack(&self, place: &Path, package: &str) -> Result<()> {
        let download = place.join("download");
        fs::create_dir_all(&download)?;
        let apt = ["download", "--quiet", "--option", "APT::Sandbox::User=root", package];
        output_of(Command::new("apt-get").args(apt).current_dir(&download))?;
        for file in fs::read_dir(&download)? {
            output_of(
                Command::new("dpkg-deb").arg("--extract").arg(file?.path()).arg(&self.unpacked),
            )?;
        }
        fs::remove_dir_all(&download)?;
        output_of(Command::new("depmod").arg("-b").arg(&self.unpacked).arg(&self.version))?;
        let packed =
            fs::read(self.unpacked.join("boot").join(format!("vmlinuz-{}", self.version)))?;
        let payload = place.join("payload.xz");
        fs::write(
            &payload,
            compressed_payload(&packed).ok_or("the kernel is not an xz-compressed bzImage")?,
        )?;
        let partial = place.join("vmlinux.partial");
        let xz = ["--decompress", "--stdout", "--single-stream"];
        let status = Command::new("xz")
            .args(xz)
            .stdin(fs::File::open(&payload)?)
            .stdout(fs::File::create(&partial)?)
            .stderr(Stdio::inherit())
            .status()?;
        if !status.success() {
            return Err("xz could not unpack the kernel".into());
        }
        fs::remove_file(payload)?;
        Ok(fs::rename(partial, &self.image)?)
    }

    /// The files of `wanted` and of everything they need, in the order in which they must be loaded.
    fn closure(&self, wanted: &[&str]) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for module in wanted {
            let mut modprobe = Command::new("modprobe");
            modprobe.arg("-d").arg(&self.unpacked).args([
                "-S",
                &self.version,
                "--show-depends",
                module,
            ]);
            for line in output_of(&mut modprobe)?.lines() {
                let Some(file) = line.strip_prefix("insmod ") else { continue };
                let file = PathBuf::from(file.trim_end());
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        Ok(files)
    }

    /// Copies the modules a guest needs into the tree of its root file system.
    pub(crate) fn copy_modules(&self, tree: &Path) -> Result<()> {
        let base = Path::new("lib/modules").join(&self.version);
        let mut files = self.closure(suite::MODULES)?;
        for list in ["modules.builtin", "modules.builtin.modinfo", "modules.order"] {
            files.push(self.unpacked.join(&base).join(list));
        }
        for file in files {
            let copy = tree.join(file.strip_prefix(&self.unpacked)?);
            fs::create_dir_all(copy.parent().ok_or("a module lies in a folder")?)?;
            fs::copy(file, copy)?;
        }
        output_of(Command::new("depmod").arg("-b").arg(tree).arg(&self.version)).map(drop)
    }

    /// Writes the first file system: busybox, the modules for the disk, `start` as its init and `init` as the guest's own
    /// PID 1, which `start` moves over.
    pub(crate) fn write_initramfs(
        &self,
        place: &Path,
        start: &Path,
        init: &Path,
    ) -> Result<PathBuf> {
        let tree = place.join("initramfs");
        if tree.exists() {
            fs::remove_dir_all(&tree)?;
        }
        for folder in ["bin", "dev", "disk", "modules", "proc", "sys"] {
            fs::create_dir_all(tree.join(folder))?;
        }
        fs::copy("/bin/busybox", tree.join("bin/busybox"))?;
        fs::copy(start, tree.join("init"))?;
        fs::copy(init, tree.join("guest-init"))?;
        for (index, file) in self.closure(suite::BOOT_MODULES)?.iter().enumerate() {
            fs::copy(file, tree.join(format!("modules/{index:02}.ko")))?;
        }
        let archive = place.join("initramfs.gz");
        let pack = "find . | cpio --create --format=newc --quiet | gzip -1 > \"$0\"";
        output_of(Command::new("sh").args(["-ec", pack]).arg(&archive).current_dir(&tree))?;
        Ok(archive)
    }
}

/// The xz stream inside a bzImage (with a few bytes after it), found as the x86 boot protocol says.
fn compressed_payload(image: &[u8]) -> Option<&[u8]> {
    const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
    let word = |at: usize| {
        let bytes = image.get(at..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let setup_sectors = usize::from(*image.get(0x1f1)?);
    let start = (setup_sectors + 1) * 512 + word(0x248)?;
    let payload = image.get(start..start.checked_add(word(0x24c)?)?)?;
    payload.starts_with(&XZ).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::compressed_payload;

    /// A bzImage with one set-up sector: the payload starts 16 bytes into the third sector.
    fn bzimage(magic: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 2048];
        image[0x1f1] = 1;
        image[0x248..0x24c].copy_from_slice(&16_u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&10_u32.to_le_bytes());
        image[1040..1040 + magic.len()].copy_from_slice(magic);
        image
    }

    #[test]
    fn payload_is_found_behind_the_setup_sectors() {
        let image = bzimage(b"\xfd7zXZ\0rest");
        assert_eq!(compressed_payload(&image), Some(&b"\xfd7zXZ\0rest"[..]));
    }

    #[test]
    fn other_compression_and_short_images_are_refused() {
        assert_eq!(compressed_payload(&bzimage(b"\x28\xb5\x2f\xfd")), None);
        assert_eq!(compressed_payload(&bzimage(b"\xfd7zXZ\0")[..1045]), None);
    }
}
