//! Everything CI does, runnable at a desk.
//!
//! One file per task. A task prints what it found and ends with an exit code; it never asks anything.

mod ci;
mod conformance;
mod debian;
mod empty_root;
mod firmware;
mod fuzz_coverage;
mod fuzz_smoke;
mod house;
mod interop;
mod no_std;
mod speed;
mod tidy;
mod vm;

use std::process::ExitCode;

use clap::Parser;

/// Everything CI does, runnable at a desk.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Run every other task in order, each with a time limit
    Ci(ci::Args),
    /// Check what the compiler does not: who may know whom, lengths, marks, the README
    Tidy(tidy::Args),
    /// Prove that the core crates need no standard library
    NoStd,
    /// Prove that the default build needs only Rust and a C linker (as root, on Debian)
    EmptyRoot,
    /// Run the tests that prove lines of the conformance checklist, and print the table
    Conformance(conformance::Args),
    /// Build the firmware of a board, measure it, or run the emulated one
    Firmware(firmware::Args),
    /// Run each fuzz target for some seconds (needs cargo-fuzz and a C++ compiler)
    FuzzSmoke(fuzz_smoke::Args),
    /// Measure how many lines of the `no_std` crates the fuzz targets' seeds reach (needs LLVM's tools)
    FuzzCoverage(fuzz_coverage::Args),
    /// Run other people's libraries against demo and run over UDP (needs Python 3)
    Interop(interop::Args),
    /// Compare flows a second in process with a page of headless Chromium and its virtual authenticator
    Speed(speed::Args),
    /// Run other people's clients against the key on a real kernel in an emulated machine (as root, on Debian 12)
    Vm(vm::Args),
}

fn main() -> ExitCode {
    let (name, done) = match Task::parse() {
        Task::Ci(args) => ("ci", ci::run(&args)),
        Task::Tidy(args) => ("tidy", tidy::run(&args)),
        Task::NoStd => ("no-std", no_std::run()),
        Task::EmptyRoot => ("empty-root", empty_root::run()),
        Task::Conformance(args) => ("conformance", conformance::run(&args)),
        Task::Firmware(args) => ("firmware", firmware::run(&args)),
        Task::FuzzSmoke(args) => ("fuzz-smoke", fuzz_smoke::run(&args)),
        Task::FuzzCoverage(args) => ("fuzz-coverage", fuzz_coverage::run(&args)),
        Task::Interop(args) => ("interop", interop::run(&args)),
        Task::Speed(args) => ("speed", speed::run(&args)),
        Task::Vm(args) => ("vm", vm::run(&args)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask {name}: {error}");
            ExitCode::FAILURE
        }
    }
}
