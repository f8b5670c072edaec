//! One boot of a guest: the folder it shares with the host, the emulator, and what the checks came to.
//!
//! The guest writes one line a check to `results` (`passed NAME SECONDS` or `failed NAME SECONDS`), the checks' output to
//! `logs/`, what it runs to `versions`, and at its end `rc`. A guest without `rc` died, and a check without a line failed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Tally;
use super::kernel::Kernel;
use super::suite::Suite;
use crate::house::{Result, output_of};

/// How many lines of a failed check's log are shown.
const SHOWN: usize = 60;

/// What a guest is booted from.
pub(crate) struct Machine<'a> {
    /// The repository.
    pub(crate) root: &'a Path,
    /// Where everything is built and the shared folders lie.
    pub(crate) place: &'a Path,
    /// The kernel to boot.
    pub(crate) kernel: &'a Kernel,
    /// The root file system; a boot does not change it.
    pub(crate) image: &'a Path,
    /// The softkey program under test.
    pub(crate) program: &'a Path,
    /// The firmware of the emulated board, for a suite that has one.
    pub(crate) board: Option<&'a Path>,
}

impl Machine<'_> {
    /// Boots the guest, runs `checks` in it and prints what they came to.
    pub(crate) fn run(&self, suite: &Suite, checks: &[String]) -> Result<Tally> {
        let share = self.prepare_share(suite, checks)?;
        let start = Instant::now();
        let mut progress = Progress { results: share.join("results"), shown: 0 };
        let ended = self.emulate(suite, &share, &mut progress)?;
        progress.show();
        for line in fs::read_to_string(share.join("versions")).unwrap_or_default().lines() {
            println!("  with {line}");
        }
        let results = fs::read_to_string(share.join("results")).unwrap_or_default();
        let mut tally = tally(checks, &results, &share);
        if ended && share.join("rc").exists() {
            println!("{}: guest ran for {:.0} s", suite.name, start.elapsed().as_secs_f32());
        } else {
            let why = if ended { "died" } else { "was stopped at its time limit" };
            println!("failed {}: the guest {why}; the end of its console:", suite.name);
            show_tail(&share.join("console"));
            tally.failed += 1;
        }
        Ok(tally)
    }

    /// Makes the folder the guest sees as `/share` anew.
    fn prepare_share(&self, suite: &Suite, checks: &[String]) -> Result<PathBuf> {
        let share = self.place.join(format!("{}.share", suite.name));
        if share.exists() {
            fs::remove_dir_all(&share)?;
        }
        fs::create_dir_all(share.join("logs"))?;
        let copy = |from: &Path, to: &Path| {
            output_of(Command::new("cp").arg("--recursive").arg(from).arg(to))
        };
        copy(&self.root.join("tests/vm/guest"), &share.join("guest"))?;
        copy(&self.root.join("cli/dist"), &share.join("dist"))?;
        fs::copy(self.program, share.join("softkey"))?;
        if let Some(board) = self.board {
            fs::copy(board, share.join("board.elf"))?;
        }
        fs::set_permissions(share.join("softkey"), fs::Permissions::from_mode(0o755))?;
        let plan = format!("SUITE={}\nCHECK_LIMIT={}\n", suite.name, suite.check_limit.as_secs());
        fs::write(share.join("plan"), plan)?;
        fs::write(
            share.join("checks"),
            checks.join(
                "
",
            ) + "
",
        )?;
        Ok(share)
    }

    /// Runs the emulator until the guest powers off. False when it had to be stopped at the time limit.
    fn emulate(&self, suite: &Suite, share: &Path, progress: &mut Progress) -> Result<bool> {
        let guest = self.root.join("tests/vm/guest");
        let initramfs = self.kernel.write_initramfs(
            self.place,
            &guest.join("initramfs.sh"),
            &guest.join("init.sh"),
        )?;
        let mut qemu = self.qemu(suite, share, &initramfs).spawn()?;
        let deadline = Instant::now() + suite.limit;
        loop {
            if wait(&mut qemu, Duration::from_millis(200))? {
                return Ok(true);
            }
            progress.show();
            if Instant::now() > deadline {
                qemu.kill()?;
                qemu.wait()?;
                return Ok(false);
            }
        }
    }

    /// Pure emulation on purpose: a machine may offer `/dev/kvm` on which a stock kernel does not boot.
    /// The clock options stay at the kernel's own choice, or guest time runs wrong on a busy host.
    fn qemu(&self, suite: &Suite, share: &Path, initramfs: &Path) -> Command {
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args([
            "-M",
            "pc",
            "-accel",
            "tcg,thread=multi,tb-size=1024",
            "-cpu",
            "Nehalem",
            "-smp",
            "2",
        ]);
        qemu.arg("-m").arg(suite.memory.to_string());
        qemu.args([
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
            "-monitor",
            "none",
        ]);
        qemu.arg("-serial").arg(format!("file:{}", share.join("console").display()));
        qemu.arg("-kernel").arg(&self.kernel.image).arg("-initrd").arg(initramfs);
        let quick = "mitigations=off nokaslr random.trust_cpu=on no_timer_check audit=0";
        qemu.arg("-append").arg(format!("console=ttyS0 quiet panic=-1 {quick}"));
        let disk = "if=none,id=root,format=raw,snapshot=on,cache=unsafe,aio=threads";
        qemu.arg("-drive").arg(format!("{disk},file={}", self.image.display()));
        qemu.args(["-device", "virtio-blk-pci,drive=root", "-device", "virtio-rng-pci"]);
        qemu.arg("-fsdev")
            .arg(format!("local,id=share,security_model=none,path={}", share.display()));
        qemu.args(["-device", "virtio-9p-pci,fsdev=share,mount_tag=share"]);
        qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // The throw-away writes of `snapshot=on` go where the images lie, not into a small /tmp.
        qemu.env("TMPDIR", self.place);
        qemu
    }
}

/// Waits a while for the child; true when it has ended.
fn wait(child: &mut Child, time: Duration) -> Result<bool> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(false)
}

/// Shows the guest's result lines as they come.
struct Progress {
    results: PathBuf,
    shown: usize,
}

impl Progress {
    fn show(&mut self) {
        let results = fs::read_to_string(&self.results).unwrap_or_default();
        let complete = results.rfind('\n').map_or(0, |end| end + 1);
        if let Some(fresh) = results.get(self.shown..complete) {
            for line in fresh.lines() {
                println!("{line} s");
            }
            self.shown = complete;
        }
    }
}

/// Counts the results, shows the logs of what failed, and counts a check without a result as failed.
fn tally(checks: &[String], results: &str, share: &Path) -> Tally {
    let mut tally = Tally::default();
    for check in checks {
        match verdict(check, results) {
            Some("passed") => tally.passed += 1,
            verdict => {
                tally.failed += 1;
                match verdict {
                    Some(_) => println!("failed {check}; the end of its log:"),
                    None => println!("failed {check}: it gave no result; the end of its log:"),
                }
                show_tail(&share.join("logs").join(format!("{check}.log")));
            }
        }
    }
    tally
}

/// The first word of the line about `check`.
fn verdict<'a>(check: &str, results: &'a str) -> Option<&'a str> {
    results.lines().find_map(|line| {
        let mut words = line.split(' ');
        let verdict = words.next()?;
        (words.next()? == check).then_some(verdict)
    })
}

fn show_tail(file: &Path) {
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(SHOWN)) {
        println!("  | {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::{tally, verdict};
    use std::path::Path;

    #[test]
    fn a_check_is_found_by_its_whole_name() {
        let results = "passed fido2-cred.sh 2.1\nfailed fido2.sh 0.4\n";
        assert_eq!(verdict("fido2.sh", results), Some("failed"));
        assert_eq!(verdict("fido2-cred.sh", results), Some("passed"));
        assert_eq!(verdict("fido2-cred", results), None);
    }

    #[test]
    fn a_check_without_a_result_is_a_failure() {
        let checks = ["a.sh".to_owned(), "b.sh".to_owned()];
        let counts = tally(&checks, "passed a.sh 1.0\n", Path::new("/nonexistent"));
        assert_eq!((counts.passed, counts.failed), (1, 1));
    }
}
