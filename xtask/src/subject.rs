//! Which implementation is graded, and how it is built: a Rust crate, or a folder with a `subject.toml`.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use harness::event::Contract;
use serde::Deserialize;

use crate::{
    cargo::{self, Artifacts, Chatter, Profile},
    exit,
    house::{House, Project},
    programs::in_path,
};

/// Whose implementation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The student's, in `exercises/`.
    Exercise,
    /// The reference, in `solutions/`.
    Solution,
    /// Anybody's.
    At(PathBuf),
}

/// An implementation that was found, and not built yet.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) choice: Choice,
    folder: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Crate,
    Described(Description),
}

/// `subject.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    project: String,
    #[serde(default)]
    build: Vec<String>,
    #[serde(default)]
    run: Vec<String>,
    library: Option<String>,
}

/// An implementation that was built.
#[derive(Debug)]
pub(crate) enum Built {
    /// What cargo made of a crate.
    Crate(Artifacts),
    /// What a description names.
    Described(harness::event::Subject),
}

const DESCRIPTION: &str = "subject.toml";

impl Subject {
    /// Finds the implementation that was chosen.
    pub(crate) fn find(house: &House, project: &Project, choice: Choice) -> anyhow::Result<Self> {
        let folder = match &choice {
            Choice::Exercise => project.exercise.clone(),
            Choice::Solution => project.solution.clone(),
            Choice::At(path) => std::path::absolute(path)?,
        };
        let shown = house.shown(&folder);
        if folder.is_file() {
            let parent = folder.parent().unwrap_or(&folder).display();
            return Err(exit::usage(format!(
                "{shown} is a file; name the folder of the crate, perhaps {parent}"
            )));
        }
        if !folder.is_dir() {
            return Err(exit::usage(format!(
                "there is no folder {shown}; name one with a Cargo.toml or a {DESCRIPTION}"
            )));
        }
        let kind = if folder.join(DESCRIPTION).is_file() {
            Kind::Described(read_description(&folder.join(DESCRIPTION), project)?)
        } else if folder.join("Cargo.toml").is_file() {
            Kind::Crate
        } else {
            return Err(exit::usage(format!("{shown} has neither a Cargo.toml nor a {DESCRIPTION}")));
        };
        Ok(Self { choice, folder, kind })
    }

    /// Builds it.
    pub(crate) fn build(&self, house: &House) -> anyhow::Result<Built> {
        match &self.kind {
            Kind::Crate => self.build_crate(house).map(Built::Crate),
            Kind::Described(description) => self.build_described(house, description).map(Built::Described),
        }
    }

    /// How the command line names it, ready to stand behind `cargo xtask check PROJECT`.
    pub(crate) fn flag(&self) -> String {
        match &self.choice {
            Choice::Exercise => String::new(),
            Choice::Solution => " --solution".to_owned(),
            Choice::At(path) => {
                let path = path.display().to_string();
                let plain = path.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
                if plain { format!(" --subject {path}") } else { format!(" --subject '{path}'") }
            }
        }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it is, as a reader of the checkout writes it.
    pub(crate) fn shown(&self, house: &House) -> String {
        house.shown(&self.folder)
    }

    fn build_crate(&self, house: &House) -> anyhow::Result<Artifacts> {
        let manifest = self.folder.join("Cargo.toml");
        // A crate of this workspace builds where cargo always builds; nothing is written into anybody else's folder.
        // There each has a place of its own: cargo names programs by their crates, and many crates have one name.
        let elsewhere = house.own().join("subjects").join(self.place_name());
        let target_dir = (!self.folder.starts_with(house.root())).then_some(elsewhere.as_path());
        cargo::build(&manifest, Profile::Subject, target_dir, &[], Chatter::Shown)?.map_err(|_| {
            let shown = self.shown(house);
            exit::not_built(format!("{shown} does not build; cargo's messages are above"))
        })
    }

    /// The folder's name, and a hash that tells folders of one name apart.
    fn place_name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.folder.hash(&mut hasher);
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}-{:016x}", hasher.finish())
    }

    fn build_described(
        &self,
        house: &House,
        description: &Description,
    ) -> anyhow::Result<harness::event::Subject> {
        if let Some((program, args)) = description.build.split_first() {
            let shown = description.build.join(" ");
            let mut command = Command::new(program);
            // Stdout is for verdicts.
            command.args(args).current_dir(&self.folder).stdin(Stdio::null()).stdout(std::io::stderr());
            let status = command.status();
            let status = status.map_err(|error| exit::not_built(format!("cannot run {shown}: {error}")))?;
            if !status.success() {
                return Err(exit::not_built(format!("{}: {shown} failed ({status})", self.shown(house))));
            }
        }
        if let Some(library) = &description.library {
            let path = self.folder.join(library);
            return if path.is_file() {
                Ok(harness::event::Subject::Library(path))
            } else {
                Err(exit::not_built(format!(
                    "{}/{DESCRIPTION}: `library` names {library:?}, which is no file there{}",
                    self.shown(house),
                    if description.build.is_empty() {
                        "; does it need a `build`?"
                    } else {
                        " after the build"
                    }
                )))
            };
        }
        let run: Vec<_> = description.run.iter().map(|word| self.resolve(word)).collect();
        match run.first() {
            Some(program) if !can_be_found(program) => Err(exit::not_built(format!(
                "{}/{DESCRIPTION}: `run` names {program:?}, which is neither a file there nor a program in PATH",
                self.shown(house)
            ))),
            _ => Ok(harness::event::Subject::Run(run)),
        }
    }

    /// A word that names a file in the folder, made absolute: the subject is started somewhere else.
    fn resolve(&self, word: &str) -> String {
        let path = self.folder.join(word);
        if path.is_file() { path.display().to_string() } else { word.to_owned() }
    }
}

impl Built {
    /// What the suite is given, if it is what the contract asks for.
    pub(crate) fn meets(self, contract: Contract, shown: &str) -> anyhow::Result<harness::event::Subject> {
        let artifacts = match self {
            Self::Described(subject) if subject.contract() == contract => return Ok(subject),
            Self::Described(_) => {
                let word = if contract == Contract::Program { "run" } else { "library" };
                return Err(exit::usage(format!("{shown}/{DESCRIPTION}: the contract asks for `{word}`")));
            }
            Self::Crate(artifacts) => artifacts,
        };
        match (contract, artifacts.programs.as_slice(), artifacts.libraries.as_slice()) {
            (Contract::Program, [(_, program)], _) => {
                Ok(harness::event::Subject::Run(vec![program.display().to_string()]))
            }
            (Contract::Program, [], _) => {
                Err(exit::not_built(format!("{shown} has no program; the contract asks for a src/main.rs")))
            }
            (Contract::Program, several, _) => {
                let names: Vec<_> = several.iter().map(|(name, _)| name.as_str()).collect();
                Err(exit::not_built(format!(
                    "{shown} builds {}: keep one of them in src/bin or main.rs",
                    names.join(" and ")
                )))
            }
            (Contract::Library, _, [library]) => Ok(harness::event::Subject::Library(library.clone())),
            (Contract::Library, ..) => Err(exit::not_built(format!(
                "{shown} builds no shared library; the contract asks for crate-type = [\"cdylib\"] under [lib]"
            ))),
        }
    }
}

fn can_be_found(program: &str) -> bool {
    if program.contains('/') { Path::new(program).is_file() } else { in_path(program).next().is_some() }
}

fn read_description(path: &Path, project: &Project) -> anyhow::Result<Description> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let description: Description = toml::from_str(&text)
        .map_err(|error| exit::usage(format!("{}: {}", path.display(), error.to_string().trim_end())))?;
    if description.project != project.name {
        return Err(exit::usage(format!(
            "{} is for the project {:?}; check it with `cargo xtask check {}`",
            path.display(),
            description.project,
            description.project
        )));
    }
    match (description.run.is_empty(), &description.library) {
        (true, None) => Err(exit::usage(format!("{}: `run` names no program", path.display()))),
        (false, Some(_)) => Err(exit::usage(format!("{}: keep one of `run` and `library`", path.display()))),
        _ => Ok(description),
    }
}
