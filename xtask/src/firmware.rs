//! `cargo xtask firmware`: builds and lints the boards, and runs the emulated one.

mod image;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::debian;
use crate::house::{self, Error, Result, output_of};
use image::Image;
use toolchain::Toolchain;

/// What `cargo xtask firmware` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Build a board's firmware, and print the files
    Build {
        #[command(flatten)]
        chosen: Chosen,
        /// With ML-DSA-44, which is off otherwise
        #[arg(long)]
        ml_dsa: bool,
    },
    /// Lint a board's firmware as it is built, every warning an error
    Clippy(Chosen),
    /// Build a board's firmware and say what it takes of flash and RAM, with and without ML-DSA; of the emulated one
    /// heap and stack too (needs qemu-system-arm)
    Size(Chosen),
    /// Run the suite against the emulated board (needs qemu-system-arm)
    Test,
}

/// Which board.
#[derive(clap::Args)]
struct Chosen {
    /// The board's name, or all
    #[arg(long, value_name = "NAME", default_value = "all")]
    board: String,
}

/// Which algorithms a firmware has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithms {
    /// ES256 and `EdDSA`.
    Classic,
    /// ML-DSA-44 too.
    Lattice,
}

/// What a board is flashed with.
#[derive(Clone, Copy)]
enum Format {
    /// The ELF file, which an emulator or a probe takes.
    Elf,
    /// UF2 for a family of chips.
    Uf2(u32),
    /// Intel HEX.
    Hex,
}

/// A board: its name, its package and the feature that chooses it there, the processor's target, how it is flashed, where
/// its program must have ended (then come secret and records), and its RAM in bytes.
struct Board {
    name: &'static str,
    package: &'static str,
    feature: Option<&'static str>,
    target: &'static str,
    format: Format,
    start: u32,
    end: u32,
    ram: u32,
}

/// The family of the RP2350's ARM cores in their secure state.
const RP2350: u32 = 0xE48B_FF59;

const BOARDS: [Board; 5] = [
    Board {
        name: "emulated",
        package: "softkey-board-emulated",
        feature: None,
        target: "thumbv7em-none-eabihf",
        format: Format::Elf,
        start: 0,
        end: 256 << 10,
        ram: 64 << 10,
    },
    Board {
        name: "pico",
        package: "softkey-board-rp",
        feature: Some("pico"),
        target: "thumbv6m-none-eabi",
        format: Format::Uf2(0xE48B_FF56),
        start: 0x1000_0000,
        end: 0x1000_0000 + (2048 - 132) * 1024,
        ram: 264 << 10,
    },
    Board {
        name: "pico2",
        package: "softkey-board-rp",
        feature: Some("pico2"),
        target: "thumbv8m.main-none-eabihf",
        format: Format::Uf2(RP2350),
        start: 0x1000_0000,
        end: 0x1000_0000 + (4096 - 132) * 1024,
        ram: 512 << 10,
    },
    Board {
        name: "nrf52840-dk",
        package: "softkey-board-nrf",
        feature: Some("nrf52840-dk"),
        target: "thumbv7em-none-eabihf",
        format: Format::Hex,
        start: 0,
        end: 0xD_F000,
        ram: 256 << 10,
    },
    Board {
        name: "nrf52840-dongle",
        package: "softkey-board-nrf",
        feature: Some("nrf52840-dongle"),
        target: "thumbv7em-none-eabihf",
        format: Format::Hex,
        start: 0x1000,
        end: 0xB_F000,
        ram: 256 << 10,
    },
];

/// Does the task; true if all was well.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    match &args.task {
        Task::Build { chosen, ml_dsa } => {
            let algorithms = if *ml_dsa { Algorithms::Lattice } else { Algorithms::Classic };
            for board in chosen_of(&chosen.board)? {
                for file in build(&root, board, algorithms)? {
                    println!("{}: {}", board.name, file.display());
                }
            }
            Ok(true)
        }
        Task::Clippy(chosen) => clippy(&root, &chosen_of(&chosen.board)?),
        Task::Size(chosen) => size(&root, &chosen_of(&chosen.board)?),
        Task::Test => test(&root),
    }
}

fn chosen_of(name: &str) -> Result<Vec<&'static Board>> {
    let found: Vec<_> = BOARDS.iter().filter(|board| name == "all" || board.name == name).collect();
    if found.is_empty() {
        let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
        return Err(format!("there is no board `{name}`; boards: {}", names.join(", ")).into());
    }
    Ok(found)
}

/// Compiles a board, perhaps with one more feature, and gives the path of the ELF file.
fn compile(root: &Path, board: &Board, more: Option<&str>) -> Result<PathBuf> {
    output_of(&mut cargo(root, board, "build", more)?)?;
    let folder = folder(root);
    let built = folder.join(board.target).join("release").join(board.package);
    // Two boards of one package have files of the same name.
    let with = more.map(|feature| format!("-{feature}")).unwrap_or_default();
    let elf = folder.join(format!("softkey-{}{with}.elf", board.name));
    fs::copy(built, &elf)?;
    Ok(elf)
}

/// Where everything for boards is built.
fn folder(root: &Path) -> PathBuf {
    root.join("target/firmware")
}

/// A cargo command about a board, perhaps with one more feature.
fn cargo(root: &Path, board: &Board, command: &str, more: Option<&str>) -> Result<Command> {
    let folder = folder(root);
    let mut cargo = Toolchain::for_target(&folder, board.target)?.cargo(command);
    cargo.current_dir(root.join("firmware")).args(["--release", "--locked"]);
    cargo.args(["--package", board.package, "--target", board.target]);
    cargo.args(board.feature.into_iter().chain(more).flat_map(|feature| ["--features", feature]));
    cargo.arg("--target-dir").arg(&folder);
    Ok(cargo)
}

/// Lints each board, without and with ML-DSA; true if nothing is found. In the folder of the builds, whose macros and build scripts serve here too.
fn clippy(root: &Path, boards: &[&Board]) -> Result<bool> {
    let mut clean = true;
    for board in boards {
        for more in [None, Some("ml-dsa")] {
            let mut cargo = cargo(root, board, "clippy", more)?;
            clean &= cargo.args(["--", "--deny", "warnings"]).status()?.success();
        }
    }
    Ok(clean)
}

/// Builds a board, and gives the paths of its files: the ELF file, and what it is flashed with if that is another one.
fn build(root: &Path, board: &Board, algorithms: Algorithms) -> Result<Vec<PathBuf>> {
    let elf = compile(root, board, (algorithms == Algorithms::Lattice).then_some("ml-dsa"))?;
    let image = Image::of_elf(&fs::read(&elf)?)?;
    board.check(&image, algorithms)?;
    let mut files = vec![elf.clone()];
    match board.format {
        Format::Elf => {}
        Format::Uf2(family) => {
            files.push(elf.with_extension("uf2"));
            fs::write(elf.with_extension("uf2"), image.uf2(family))?;
        }
        Format::Hex => {
            files.push(elf.with_extension("hex"));
            fs::write(elf.with_extension("hex"), image.hex())?;
        }
    }
    Ok(files)
}

/// What opens a block of the RP2350's image definition, without which its boot ROM starts nothing.
const DEFINITION: u32 = 0xFFFF_DED3;
/// How far into the flash the boot ROM looks for it, in bytes.
const LOOKS: u32 = 4 << 10;

impl Board {
    /// Refuses an image that the board would not start, or that would cover its secret.
    fn check(&self, image: &Image, algorithms: Algorithms) -> Result<()> {
        if image.start() != self.start {
            let (at, start) = (image.start(), self.start);
            return Err(format!("{} begins at {at:#x} and not at {start:#x}", self.name).into());
        }
        let (end, _) = self.room(algorithms);
        if image.end() > end {
            return Err(format!("{} is {} bytes too long", self.name, image.end() - end).into());
        }
        let looked_at = self.start..self.start + LOOKS;
        if matches!(self.format, Format::Uf2(RP2350)) && !image.has_word(DEFINITION, &looked_at) {
            return Err(format!("{} has no image definition in its first 4 KiB", self.name).into());
        }
        Ok(())
    }

    /// Where the program must have ended, and the RAM. What does not fit the emulated board's budget is emulated with the
    /// memory of a Pico.
    fn room(&self, algorithms: Algorithms) -> (u32, u32) {
        match (self.format, algorithms) {
            (Format::Elf, Algorithms::Lattice) => ((2048 - 132) << 10, 264 << 10),
            _ => (self.end, self.ram),
        }
    }
}

/// Prints rows of the README's table; false if a board has not got so much.
fn size(root: &Path, boards: &[&Board]) -> Result<bool> {
    let mut fits = true;
    println!(
        "| board | algorithms | flash | RAM before it runs | heap at its fullest | stack at its deepest |"
    );
    println!("|---|---|---|---|---|---|");
    for board in boards {
        for algorithms in [Algorithms::Classic, Algorithms::Lattice] {
            let elf = build(root, board, algorithms)?.swap_remove(0);
            let report = output_of(Command::new("size").arg(&elf))?;
            let (flash, ram) = taken(&report).ok_or("`size` says something else than usual")?;
            let (end, all_ram) = board.room(algorithms);
            let all_flash = end - board.start;
            let (heap, stack) = match board.format {
                Format::Elf => measured(root, &elf)?,
                _ => ("not measured".to_owned(), "not measured".to_owned()),
            };
            let named = match algorithms {
                Algorithms::Classic => "ES256, EdDSA",
                Algorithms::Lattice => "ES256, EdDSA, ML-DSA-44",
            };
            println!(
                "| {} | {named} | {flash} of {all_flash} | {ram} of {all_ram} | {heap} | {stack} |",
                board.name
            );
            fits &= flash <= u64::from(all_flash) && ram <= u64::from(all_ram);
        }
    }
    Ok(fits)
}

/// What the hungriest requests take of heap and stack on the emulated board, each with what there is.
fn measured(root: &Path, elf: &Path) -> Result<(String, String)> {
    let said = output_of(suite(root, elf)?.args(["--nocapture", "the_memory_is_enough"]))?;
    heap_and_stack(&said).ok_or_else(|| "the suite does not say what it measured".into())
}

fn heap_and_stack(said: &str) -> Option<(String, String)> {
    let line = said.lines().find_map(|line| line.split_once("measured: heap "))?.1;
    let (heap, stack) = line.split_once(", stack ")?;
    Some((heap.to_owned(), stack.trim().to_owned()))
}

/// What a program takes of flash and of RAM before it runs, from what `size` prints: text, data and bss.
fn taken(report: &str) -> Option<(u64, u64)> {
    let mut numbers = report.lines().nth(1)?.split_whitespace().map_while(|word| word.parse().ok());
    let (text, data, bss): (u64, u64, u64) = (numbers.next()?, numbers.next()?, numbers.next()?);
    Some((text + data, data + bss))
}

/// Builds the emulated board, and sees to it that there is an emulator. Gives the path of the ELF file.
pub(crate) fn emulated(root: &Path) -> Result<PathBuf> {
    emulator()?;
    let [board, ..] = &BOARDS;
    Ok(build(root, board, Algorithms::Classic)?.swap_remove(0))
}

fn emulator() -> Result<()> {
    if output_of(Command::new("qemu-system-arm").arg("--version")).is_err() {
        debian::prepare(&["qemu-system-arm"])?;
    }
    Ok(())
}

/// Runs `tests/emulated` against the emulated board, and once more against one with a fault, which it must notice.
fn test(root: &Path) -> Result<bool> {
    let elf = emulated(root)?;
    if !suite(root, &elf)?.status()?.success() {
        return Ok(false);
    }
    let [board, ..] = &BOARDS;
    let planted = compile(root, board, Some("plant"))?;
    let ran = suite(root, &planted)?.arg("keepalives_leave_while_the_board_signs").output()?;
    let late = notices(&ran, " keepalives of work, ");
    let noticed_by = |suite: &str, test: &str, complaint: &str| {
        let passes = on_board(root, &elf, suite, test)?.status()?.success();
        Ok::<_, Error>(
            passes && notices(&on_board(root, &planted, suite, test)?.output()?, complaint),
        )
    };
    let test = "make_credential::touch::no_touch_in_time_makes_nothing";
    let untouched = noticed_by("conformance", test, "conformance/make_credential/touch.rs")?
        && noticed_by("hid", "asking::cancel_ends_the_wait", "hid/bench.rs")?;
    for (fault, noticed) in [("late reports", late), ("a touch that nobody gave", untouched)] {
        println!(
            "the planted fault, {fault}, is {}",
            if noticed { "noticed" } else { "not noticed" }
        );
    }
    Ok(late && untouched)
}

/// A test of a suite that takes a board for its keys, ready to run on this firmware.
fn on_board(root: &Path, elf: &Path, suite: &str, test: &str) -> Result<Command> {
    emulator()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).env("SOFTKEY_TEST_BOARD", elf);
    cargo.args(["test", "--package", "softkey-tests", "--test", suite, "--locked", "--"]);
    cargo.args(["--exact", test]);
    Ok(cargo)
}

/// Did the suite fail for the fault, with this complaint, and not because it could not run?
fn notices(ran: &Output, complaint: &str) -> bool {
    let said = String::from_utf8_lossy(&ran.stdout);
    !ran.status.success() && said.contains(complaint) && said.contains("1 failed")
}

/// The suite, ready to run against this firmware.
fn suite(root: &Path, elf: &Path) -> Result<Command> {
    emulator()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).env("SOFTKEY_EMULATED_FIRMWARE", elf);
    cargo.args(["test", "--package", "softkey-tests", "--test", "emulated", "--locked", "--"]);
    cargo.args(["--ignored", "--test-threads", "1"]);
    Ok(cargo)
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
    fn what_the_suite_measured_is_found_in_what_it_says() {
        let said = "running 1 test\ntest the_memory ... measured: heap 5 of 9, stack 3 of 4\nok\n";
        assert_eq!(heap_and_stack(said), Some(("5 of 9".to_owned(), "3 of 4".to_owned())));
        assert_eq!(heap_and_stack("test the_memory ... FAILED"), None);
    }

    #[test]
    fn a_suite_that_does_not_run_notices_nothing() {
        let noticed = |code: u8, said: &str| {
            let script = format!("echo '{said}'; exit {code}");
            let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
            notices(&ran, " keepalives of work, ")
        };
        let failed = "panicked at main.rs: 1 keepalives of work, 1 of waiting; 0 passed; 1 failed";
        assert!(noticed(101, failed));
        assert!(!noticed(0, failed));
        assert!(!noticed(101, "error: could not compile"));
        assert!(!noticed(101, "panicked at other.rs; 0 passed; 1 failed"));
    }

    /// A boot ROM drops blocks of another family without a word, so a wrong number would show on hardware only.
    #[test]
    fn a_uf2_file_names_the_chip_of_its_board() {
        let family = |board: &Board| match board.format {
            Format::Uf2(family) => Some(family),
            Format::Elf | Format::Hex => None,
        };
        let families: Vec<_> = BOARDS.iter().map(|board| (board.name, family(board))).collect();
        // RP2040, and the ARM cores of RP2350 in their secure state. Nordic's boards show no drive that takes UF2.
        let expected = [
            ("emulated", None),
            ("pico", Some(0xE48B_FF56)),
            ("pico2", Some(0xE48B_FF59)),
            ("nrf52840-dk", None),
            ("nrf52840-dongle", None),
        ];
        assert_eq!(families, expected);
    }

    /// An image that is too long, or begins elsewhere than the boot ROM or the boot loader jumps to, is never flashed.
    #[test]
    fn an_image_that_a_board_cannot_start_is_refused() {
        let said = |name: &str, at: u32, bytes: &[u8]| {
            let board = BOARDS.iter().find(|board| board.name == name).unwrap();
            let image = Image::of_elf(&image::tests::elf(&[(1, at, bytes)])).unwrap();
            board.check(&image, Algorithms::Classic).err().map(|error| error.to_string())
        };
        assert_eq!(said("pico", 0x1000_0000, b"boot"), None);
        let elsewhere = "pico begins at 0x10000100 and not at 0x10000000";
        assert_eq!(said("pico", 0x1000_0100, b"boot").as_deref(), Some(elsewhere));
        assert_eq!(said("nrf52840-dongle", 0x1000, b"code"), None);
        let over_the_loader = "nrf52840-dongle begins at 0x0 and not at 0x1000";
        assert_eq!(said("nrf52840-dongle", 0, b"code").as_deref(), Some(over_the_loader));
        let long = vec![0; 0xD_F004];
        assert_eq!(
            said("nrf52840-dk", 0, &long).as_deref(),
            Some("nrf52840-dk is 4 bytes too long")
        );
        let mut defined = vec![0; 0x2000];
        let missing = "pico2 has no image definition in its first 4 KiB";
        assert_eq!(said("pico2", 0x1000_0000, &defined).as_deref(), Some(missing));
        defined[0x1000..0x1004].copy_from_slice(&DEFINITION.to_le_bytes());
        assert_eq!(said("pico2", 0x1000_0000, &defined).as_deref(), Some(missing));
        defined[0x0FFC..0x1000].copy_from_slice(&DEFINITION.to_le_bytes());
        assert_eq!(said("pico2", 0x1000_0000, &defined), None);
    }

    #[test]
    fn an_unknown_board_is_refused_with_the_names() {
        let error = chosen_of("toaster").err().unwrap().to_string();
        assert!(
            error.starts_with("there is no board `toaster`; boards: emulated, pico, "),
            "{error}"
        );
        assert_eq!(chosen_of("all").unwrap().len(), BOARDS.len());
        assert_eq!(chosen_of("pico2").unwrap().len(), 1);
    }
}
