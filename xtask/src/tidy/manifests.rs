//! One dependency table and one lint table, in the workspace's manifest; members only point to them.

use cargo_metadata::Metadata;
use toml::{Table, Value};

use super::Finding;
use crate::house::Tree;

/// The tables of a manifest that name dependencies, of the whole package or of one target.
const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Members that have versions or lints of their own.
pub(crate) fn tables(tree: &Tree, members: &Metadata) -> Vec<Finding> {
    let manifests: Vec<String> = members
        .workspace_packages()
        .iter()
        .filter_map(|package| package.manifest_path.strip_prefix(&members.workspace_root).ok())
        .map(ToString::to_string)
        .collect();
    let files = tree.files.iter().filter(|file| manifests.contains(&file.path));
    files.flat_map(|file| own_tables(&file.path, &file.text)).collect()
}

/// What is built for boards must not be able to misbehave: neither the feature `faults` of the authenticator, nor a
/// crate that turns it on.
pub(crate) fn faultless(tree: &Tree) -> Vec<Finding> {
    let for_boards = |path: &str| {
        (path.starts_with("firmware/") || path.starts_with("xtask/no-std-proof/"))
            && path.ends_with("Cargo.toml")
    };
    let files = tree.files.iter().filter(|file| for_boards(&file.path));
    files.flat_map(|file| faults_in(&file.path, &file.text)).collect()
}

fn faults_in(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let feature = line.contains("\"faults\"") || line.contains("/faults\"");
        // The program and the tests misbehave on demand; `softkey-` and more are other crates.
        let program = ["softkey", "softkey-tests", "softkey-fuzz"].iter().any(|name| {
            line.trim_start()
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
        });
        if feature || program {
            findings.push(Finding::new(
                path,
                number,
                "turns the key's faults on, in code for boards",
            ));
        }
    }
    findings
}

fn own_tables(path: &str, text: &str) -> Vec<Finding> {
    let manifest: Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            return vec![Finding::new(
                path,
                1,
                format!("cannot be read as TOML: {}", error.message()),
            )];
        }
    };
    let mut findings = Vec::new();
    if !has_workspace(manifest.get("lints")) {
        findings.push(Finding::new(path, 1, "does not take the workspace's lints"));
    }
    let targets =
        manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    for owner in targets.filter_map(Value::as_table).chain([&manifest]) {
        for table in TABLES {
            let dependencies = owner.get(table).and_then(Value::as_table).into_iter().flatten();
            for (name, _) in dependencies.filter(|(_, value)| !has_workspace(Some(value))) {
                let what = format!("`{name}` does not come from the workspace's dependency table");
                findings.push(Finding::new(path, line_of(text, name), what));
            }
        }
    }
    findings
}

fn has_workspace(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

/// The first line that begins with this key.
fn line_of(text: &str, key: &str) -> usize {
    let found = text.lines().position(|line| line.trim_start_matches('"').starts_with(key));
    found.map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn found(text: &str) -> Vec<String> {
        own_tables("a/Cargo.toml", text).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn pointing_to_the_workspace_passes() {
        let text =
            "[dependencies]\na.workspace = true\nb = { workspace = true, features = [\"x\"] }\n"
                .to_owned();
        assert_eq!(found(&(text + LINTS)), [""; 0]);
    }

    #[test]
    fn a_version_of_its_own_is_found_in_every_table() {
        for table in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.build-dependencies"] {
            let what = "a/Cargo.toml:5: `b` does not come from the workspace's dependency table";
            assert_eq!(found(&format!("{LINTS}\n[{table}]\nb = \"1\"\n")), [what]);
        }
    }

    #[test]
    fn faults_in_firmware_are_found() {
        let found = |text: &str| faults_in("firmware/Cargo.toml", text).len();
        assert_eq!(found("softkey-authenticator = { path = \"x\", features = [\"faults\"] }\n"), 1);
        assert_eq!(found("bad = [\"softkey-authenticator/faults\"]\n"), 1);
        assert_eq!(found("softkey = { path = \"../cli\" }\nsoftkey-tests.workspace = true\n"), 2);
        let good = "# \"faults\"\nname = \"softkey\"\nsoftkey-authenticator = { path = \"x\" }\n";
        assert_eq!(found(good), 0);
        let tree = Tree::planted(&[
            ("firmware/rp2040/Cargo.toml", "f = [\"faults\"]"),
            ("cli/Cargo.toml", "f = [\"faults\"]"),
        ]);
        assert_eq!(faultless(&tree).len(), 1);
    }

    #[test]
    fn lints_of_its_own_are_found() {
        assert_eq!(
            found("[lints.rust]\n"),
            ["a/Cargo.toml:1: does not take the workspace's lints"]
        );
    }

    #[test]
    fn a_broken_manifest_is_found() {
        assert_eq!(found("[").len(), 1);
    }
}
