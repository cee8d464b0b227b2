//! A mutant: a deliberately wrong subject, kept as a patch on the solution.
//!
//! ```text
//!   The merge drops every tombstone …                  what is wrong, and what a student believed
//!   fails: kv/4/deleted_keys_stay_deleted_…            one line for each check that has to fail
//!
//!   --- a/src/compaction.rs                            a unified diff, from the solution's folder
//! ```

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use diffy::Patch;

/// A mutant as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    /// The file's name without `.patch`: its stage, then what is wrong.
    pub(super) name: String,
    pub(super) stage: u32,
    /// What is wrong, and what a student believed.
    pub(super) story: String,
    /// The checks that have to fail, by id.
    pub(super) fails: Vec<String>,
    diff: String,
}

/// Source files by their paths from a crate's folder.
pub(super) type Sources = BTreeMap<PathBuf, String>;

/// Every mutant in a folder, by name, and what is wrong with the files that are none. A folder that is missing holds
/// no mutants, which the checks without a killer will show.
pub(super) fn read_all(folder: &Path) -> (Vec<Mutant>, Vec<String>) {
    let mut paths: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let (mut mutants, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        match Mutant::read(&path) {
            Ok(mutant) => mutants.push(mutant),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    (mutants, problems)
}

impl Mutant {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(path, &text).with_context(|| format!("{} is no mutant", path.display()))
    }

    fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".patch"));
        let name = name.ok_or_else(|| anyhow!("its name does not end in .patch"))?.to_owned();
        let stage = name.split('-').next().and_then(|number| number.parse().ok());
        let stage = stage.ok_or_else(|| anyhow!("its name does not begin with a stage"))?;
        let diff_at = text.find("--- ").filter(|&at| at == 0 || text.as_bytes()[at - 1] == b'\n');
        let (header, diff) = text.split_at(diff_at.ok_or_else(|| anyhow!("it holds no diff"))?);
        let (fails, story): (Vec<_>, Vec<_>) = header.lines().partition(|line| line.starts_with("fails:"));
        let fails: Vec<_> = fails.iter().map(|line| line["fails:".len()..].trim().to_owned()).collect();
        let story = story.join("\n").trim().to_owned();
        if fails.is_empty() || story.is_empty() {
            bail!("its header has to say what is wrong, and which checks fail");
        }
        Ok(Self { name, stage, story, fails, diff: diff.to_owned() })
    }

    /// The solution's sources with the mistake in them.
    pub(super) fn apply(&self, solution: &Sources) -> anyhow::Result<Sources> {
        let mut sources = solution.clone();
        for file in self.diffs_by_file() {
            let patch = Patch::from_str(&file).context("its diff cannot be read")?;
            let path = |side: Option<&str>| {
                side.and_then(|path| path.split_once('/')).map(|(_, path)| PathBuf::from(path))
            };
            let path = path(patch.modified())
                .ok_or_else(|| anyhow!("its diff does not say for which file it is"))?;
            let before = sources.get(&path).map_or("", String::as_str);
            let after = diffy::apply(before, &patch)
                .map_err(|error| anyhow!("it no longer applies to {}: {error}", path.display()))?;
            sources.insert(path, after);
        }
        Ok(sources)
    }

    /// The diff, cut where a new file begins.
    fn diffs_by_file(&self) -> Vec<String> {
        let mut files: Vec<String> = Vec::new();
        let lines: Vec<_> = self.diff.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let begins = line.starts_with("--- ")
                && lines.get(number + 1).is_some_and(|next| next.starts_with("+++ "));
            if begins {
                files.push(String::new());
            }
            if let Some(file) = files.last_mut() {
                file.push_str(line);
                file.push('\n');
            }
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Reads the oldest first.\nfails: kv/3/newest_table_wins\n\n\
                        --- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,2 +1,2 @@\n-old\n+new\n same\n";

    fn sources(text: &str) -> Sources {
        Sources::from([(PathBuf::from("src/a.rs"), text.to_owned())])
    }

    #[test]
    fn a_mutant_is_read_and_applied() {
        let mutant = Mutant::parse(Path::new("3-oldest-first.patch"), TEXT).expect("a well-formed mutant");
        assert_eq!((mutant.stage, mutant.fails.as_slice()), (3, &["kv/3/newest_table_wins".to_owned()][..]));
        assert_eq!(mutant.apply(&sources("old\nsame\n")).expect("it applies"), sources("new\nsame\n"));
    }

    #[test]
    fn a_mutant_that_no_longer_applies_is_an_error() {
        let mutant = Mutant::parse(Path::new("3-oldest-first.patch"), TEXT).expect("a well-formed mutant");
        assert!(mutant.apply(&sources("something\nelse\n")).is_err(), "the context is not there");
    }

    #[test]
    fn a_header_without_checks_is_refused() {
        let text = TEXT.replace("fails:", "kills:");
        assert!(Mutant::parse(Path::new("3-oldest-first.patch"), &text).is_err(), "it names no check");
    }
}
