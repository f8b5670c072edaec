//! `cargo xtask firmware`: builds the boards, and runs the emulated one.
//!
//! The compiler's own target is used where it is installed; elsewhere the error says how to install it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::house::{self, Result, output_of};

/// What `cargo xtask firmware` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Build a board's firmware
    Build(Board),
    /// Build a board's firmware and say what it takes of flash and RAM
    Size(Board),
    /// Run the suite against the emulated board (needs qemu-system-arm)
    Test,
}

/// Which board.
#[derive(clap::Args)]
struct Board {
    /// The board's name
    #[arg(long, value_name = "NAME", default_value = "emulated")]
    board: String,
}

/// A board: its name, the processor's target, and what it has of flash and RAM in bytes.
struct Known {
    name: &'static str,
    target: &'static str,
    flash: u64,
    ram: u64,
}

const BOARDS: [Known; 1] =
    [Known { name: "emulated", target: "thumbv7em-none-eabihf", flash: 256 << 10, ram: 64 << 10 }];

/// Does the task; true if all was well.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    match &args.task {
        Task::Build(board) => {
            println!("{}", build(&root, known(&board.board)?)?.display());
            Ok(true)
        }
        Task::Size(board) => size(&root, known(&board.board)?),
        Task::Test => test(&root),
    }
}

fn known(name: &str) -> Result<&'static Known> {
    let found = BOARDS.iter().find(|board| board.name == name);
    let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
    found.ok_or_else(|| format!("there is no board `{name}`; boards: {}", names.join(", ")).into())
}

/// Builds a board, and gives the path of its ELF file.
fn build(root: &Path, board: &Known) -> Result<PathBuf> {
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(board.target).join("lib");
    if !libraries.is_dir() {
        let target = board.target;
        return Err(format!("the compiler lacks {target}: rustup target add {target}").into());
    }
    let package = format!("softkey-board-{}", board.name);
    let folder = root.join("target/firmware");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root.join("firmware")).env_remove("RUSTFLAGS");
    cargo.args(["build", "--release", "--locked", "--package", &package, "--target", board.target]);
    output_of(cargo.arg("--target-dir").arg(&folder))?;
    Ok(folder.join(board.target).join("release").join(package))
}

/// Prints a row of the README's table; false if the board has not got so much.
fn size(root: &Path, board: &Known) -> Result<bool> {
    let elf = build(root, board)?;
    let report = output_of(Command::new("size").arg(elf))?;
    let (flash, ram) = taken(&report).ok_or("`size` says something else than usual")?;
    println!("| {} | {flash} of {} | {ram} of {} |", board.name, board.flash, board.ram);
    Ok(flash <= board.flash && ram <= board.ram)
}

/// What a program takes of flash and of RAM before it runs, from what `size` prints: text, data and bss.
fn taken(report: &str) -> Option<(u64, u64)> {
    let mut numbers = report.lines().nth(1)?.split_whitespace().map_while(|word| word.parse().ok());
    let (text, data, bss): (u64, u64, u64) = (numbers.next()?, numbers.next()?, numbers.next()?);
    Some((text + data, data + bss))
}

/// Runs `tests/emulated` against the emulated board.
fn test(root: &Path) -> Result<bool> {
    let elf = build(root, known("emulated")?)?;
    if output_of(Command::new("qemu-system-arm").arg("--version")).is_err() {
        debian::prepare(&["qemu-system-arm"])?;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).env("SOFTKEY_EMULATED_FIRMWARE", elf);
    cargo.args(["test", "--package", "softkey-tests", "--test", "emulated", "--locked", "--"]);
    Ok(cargo.args(["--ignored", "--test-threads", "1"]).status()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flash_holds_text_and_data_and_ram_data_and_bss() {
        let report = "   text\t   data\t    bss\n 200000\t     16\t  41000\n";
        assert_eq!(taken(report), Some((200_016, 41_016)));
        assert_eq!(taken("size: no such file\n"), None);
    }

    #[test]
    fn an_unknown_board_is_refused_with_the_names() {
        let error = known("toaster").err().unwrap().to_string();
        assert_eq!(error, "there is no board `toaster`; boards: emulated");
    }
}
