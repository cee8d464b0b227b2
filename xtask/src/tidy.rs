//! `cargo xtask tidy`: what a machine can see of the house rules, in the files that are ours. A student's crate is
//! theirs: nothing below `exercises/*/src` is looked at.

mod pages;
mod rust;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    exit::Exit,
    house::House,
    report::style::{BAD, styled},
    stdout,
};

/// What may lie at the top. Anything hidden, and licences, may too.
const TOP: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "checks",
    "exercises",
    "harness",
    "solutions",
    "target",
    "xtask",
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 5] = ["mod.rs", "utils.rs", "common.rs", "helpers.rs", "imp.rs"];

/// Looks at every file and tells what is untidy.
pub(crate) fn run(house: &House) -> anyhow::Result<Exit> {
    let root = house.root();
    let mut findings = stray_at_the_top(root)?;
    let files = files(root)?;
    for path in &files {
        let shown = house.shown(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if EMPTY_NAMES.contains(&name.as_ref()) {
            findings.push(format!("{shown}: name it after what is inside"));
        }
        let theirs = shown.starts_with("exercises/") && shown.contains("/src/");
        let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { continue };
        if theirs || !["rs", "md"].contains(&extension) {
            continue;
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let problems = if extension == "rs" { rust::problems(&text) } else { pages::problems(path, &text) };
        findings.extend(problems.into_iter().map(|problem| format!("{shown}{problem}")));
    }
    for finding in &findings {
        stdout::write(&format!("{} {finding}\n", styled(BAD, "untidy:")))?;
    }
    stdout::write(&format!("{} files looked at, {} findings\n", files.len(), findings.len()))?;
    Ok(if findings.is_empty() { Exit::Passed } else { Exit::Failed })
}

fn stray_at_the_top(root: &Path) -> anyhow::Result<Vec<String>> {
    let names = fs::read_dir(root)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let known =
        |name: &String| TOP.contains(&name.as_str()) || name.starts_with('.') || name.starts_with("LICENSE");
    Ok(names.filter(|name| !known(name)).map(|name| format!("{name}: it has no place at the top")).collect())
}

/// Every file of the checkout, but for what is hidden or built.
fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?.flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if entry.path().is_dir() { open.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    Ok(found)
}
