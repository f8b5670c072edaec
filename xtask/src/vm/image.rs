//! The guest's root file system: a minimal Debian tree made into a disk image, without mounts or loop devices.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::kernel::Kernel;
use super::suite::{self, Suite};
use crate::debian;
use crate::house::{Result, output_of};

/// Free room in the image, and allowance for what the file system itself takes, in bytes.
const ROOM: u64 = 600 << 20;

/// Builds the image of `suite` in `place`, unless one made from the same recipe is there already.
pub(crate) fn build(
    place: &Path,
    suite: &Suite,
    kernel: &Kernel,
    keep_tree: bool,
) -> Result<PathBuf> {
    let image = place.join(format!("{}.ext4", suite.name));
    let stamp = place.join(format!("{}.recipe", suite.name));
    let recipe = recipe(suite, kernel)?;
    if image.exists() && fs::read_to_string(&stamp).is_ok_and(|old| old == recipe) {
        return Ok(image);
    }
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    let tree = place.join(format!("{}.tree", suite.name));
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    debian::unpack(&tree, &suite.packages())?;
    kernel.copy_modules(&tree)?;
    make_file_system(&tree, &image)?;
    if !keep_tree {
        fs::remove_dir_all(&tree)?;
    }
    fs::write(stamp, recipe)?;
    Ok(image)
}

/// Everything that decides what is in an image.
fn recipe(suite: &Suite, kernel: &Kernel) -> Result<String> {
    let mut recipe = format!("kernel {}\n", kernel.version);
    for package in suite.packages() {
        writeln!(recipe, "package {package}")?;
    }
    for module in suite::MODULES {
        writeln!(recipe, "module {module}")?;
    }
    Ok(recipe)
}

fn make_file_system(tree: &Path, image: &Path) -> Result<()> {
    let used = output_of(Command::new("du").args(["--summarize", "--block-size=1"]).arg(tree))?;
    let used: u64 = used.split_whitespace().next().ok_or("du said nothing")?.parse()?;
    fs::File::create(image)?.set_len(used + used / 8 + ROOM)?;
    let options = ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d"];
    output_of(Command::new("mke2fs").args(options).arg(tree).arg(image)).map(drop)
}
