//! `cargo xtask tidy`: the rules of the house that no compiler checks.
//!
//! Each rule is a function from what it looks at to a list of findings, in a file of its own with planted
//! faults as its tests. Rules read; only `--fix` writes, and only the README's help block.

mod arrows;
mod clocks;
mod files;
mod foreign;
mod functions;
mod manifests;
mod marks;
mod readme;
mod suites;
pub(crate) mod tokens;

use std::fmt;

use crate::house::{self, Result, Tree};

/// What `cargo xtask tidy` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rewrite the README's help block from the program's own help text
    #[arg(long)]
    fix: bool,
}

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The path from the root.
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong, in words.
    pub(crate) what: String,
}

impl Finding {
    fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Checks every rule and prints the findings; true if there were none.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    let help = readme::help_of_the_program(&root)?;
    if args.fix {
        readme::fix(&root, &help)?;
    }
    let tree = Tree::read(&root)?;
    let members = house::members(&root)?;
    let census = functions::Census::of(&tree);
    let rules = [
        arrows::between_members(&members),
        arrows::inside_crates(&tree),
        clocks::readings(&tree),
        files::lengths(&tree),
        files::openings(&tree),
        foreign::traces(&tree, &foreign::Needles::of_this_machine(&root)),
        census.findings(),
        manifests::faultless(&tree),
        manifests::tables(&tree, &members),
        marks::unfinished(&tree),
        readme::exit_codes(&tree),
        readme::in_step(&tree, &help).into_iter().collect(),
        suites::imports(&tree),
    ];
    let mut findings: Vec<Finding> = rules.into_iter().flatten().collect();
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    print!("{census}");
    println!("tidy: {} files, {} findings", tree.files.len(), findings.len());
    Ok(findings.is_empty())
}
