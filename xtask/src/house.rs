//! Where things are. A project is three folders: `exercises/X`, `solutions/X`, `checks/X`; nothing lists them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use harness::event::FILE_STAGE;

use crate::{exit, nearest};

/// The checkout.
#[derive(Debug)]
pub(crate) struct House {
    root: PathBuf,
}

/// One of the systems to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    pub(crate) name: String,
    /// The student's crate.
    pub(crate) exercise: PathBuf,
    /// The reference.
    pub(crate) solution: PathBuf,
    /// The suite and its mutants.
    pub(crate) checks: PathBuf,
}

impl House {
    /// The checkout around the working directory: the nearest folder above it with `Cargo.toml` and `checks/`.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let here = env::current_dir().context("cannot tell the working directory")?;
        let is_root = |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join("checks").is_dir();
        match here.ancestors().find(is_root) {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => Err(exit::usage(format!(
                "{} is not inside a Groundwork checkout: cd into one",
                here.display()
            ))),
        }
    }

    /// The checkout's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `path` as a reader of the checkout writes it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Where cargo builds.
    fn target(&self) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => self.root.join(folder),
            None => self.root.join("target"),
        }
    }

    /// Where the grader keeps what is its own: `GROUNDWORK_DIR`, or a folder beside cargo's.
    pub(crate) fn own(&self) -> PathBuf {
        match env::var_os("GROUNDWORK_DIR") {
            Some(folder) => self.root.join(folder),
            None => self.target().join("groundwork"),
        }
    }

    /// What it keeps about a project.
    pub(crate) fn own_folder(&self, project: &Project) -> PathBuf {
        self.own().join(&project.name)
    }

    /// Every project, by name.
    pub(crate) fn projects(&self) -> anyhow::Result<Vec<Project>> {
        let checks = self.root.join("checks");
        let entries = fs::read_dir(&checks).with_context(|| format!("cannot read {}", checks.display()))?;
        let mut projects: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.path().join("Cargo.toml").is_file())
            .map(|entry| self.assume(&entry.file_name().to_string_lossy()))
            .collect();
        projects.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(projects)
    }

    /// The project called `name`.
    pub(crate) fn project(&self, name: &str) -> anyhow::Result<Project> {
        let projects = self.projects()?;
        let names: Vec<_> = projects.iter().map(|project| project.name.as_str()).collect();
        projects.iter().find(|project| project.name == name).cloned().ok_or_else(|| {
            let suggestion = nearest::suggestion(name, names.iter().copied());
            exit::usage(format!("there is no project {name:?}{suggestion} (there is: {})", names.join(", ")))
        })
    }

    /// The projects that a command is about: one by name, or all.
    pub(crate) fn named_or_all(&self, name: Option<&str>) -> anyhow::Result<Vec<Project>> {
        match name {
            Some(name) => Ok(vec![self.project(name)?]),
            None => self.projects(),
        }
    }

    fn assume(&self, name: &str) -> Project {
        let in_tree = |tree: &str| self.root.join(tree).join(name);
        Project {
            name: name.to_owned(),
            exercise: in_tree("exercises"),
            solution: in_tree("solutions"),
            checks: in_tree("checks"),
        }
    }
}

/// Refuses what the suites of none of these can be built with.
pub(crate) fn any_has_features(projects: &[Project], wanted: &[String]) -> anyhow::Result<()> {
    let mut features = Vec::new();
    for project in projects {
        features.extend(project.features()?);
    }
    match wanted.iter().find(|name| !features.contains(name)) {
        None => Ok(()),
        Some(unknown) => Err(exit::usage(format!("no project has checks with {unknown:?}"))),
    }
}

impl Project {
    /// What the suite can be built with besides: the features that its manifest declares.
    pub(crate) fn features(&self) -> anyhow::Result<Vec<String>> {
        let path = self.checks.join("Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: toml::Table =
            toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?;
        let features = manifest.get("features").and_then(toml::Value::as_table);
        let names = features.into_iter().flat_map(toml::Table::keys);
        Ok(names.filter(|name| *name != "default").cloned().collect())
    }

    /// Refuses what the suite cannot be built with.
    pub(crate) fn has_features(&self, wanted: &[String]) -> anyhow::Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let features = self.features()?;
        let Some(unknown) = wanted.iter().find(|name| !features.contains(name)) else { return Ok(()) };
        let suggestion = nearest::suggestion(unknown, features.iter().map(String::as_str));
        let there_is = if features.is_empty() { "nothing".to_owned() } else { features.join(", ") };
        Err(exit::usage(format!(
            "{} has no checks with {unknown:?}{suggestion} (there is: {there_is})",
            self.name
        )))
    }

    /// The page of a stage, from the checkout's root; what belongs to none is in the specification.
    pub(crate) fn page(&self, number: u32, slug: &str) -> String {
        if number == FILE_STAGE {
            return format!("exercises/{}/README.md", self.name);
        }
        format!("exercises/{}/stages/{number}-{slug}.md", self.name)
    }
}
