//! Where mutants are built: a workspace that holds the solution alone, always in the same place, so that for each
//! mutant cargo compiles one crate and nothing else.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use harness::event::{Contract, Subject};

use super::{
    Audit,
    mutant::{Mutant, Sources},
};
use crate::{
    cargo::{self, Chatter, Profile},
    interrupt,
    subject::Built,
};

/// A file that stands here while an audit works. One that was stopped leaves it: a compiler that was stopped with it may
/// have left objects of two mutants, which no later build would notice before the linker does.
const UNFINISHED: &str = ".unfinished";

/// A copy of the solution that is changed for one mutant after the other.
#[derive(Debug)]
pub(super) struct Workshop {
    folder: PathBuf,
    member: PathBuf,
    solution: Sources,
    contract: Contract,
    /// Held for as long as mutants are built here: a second audit would change their sources meanwhile.
    _lock: File,
}

impl Workshop {
    /// Sets it up under `target/`, once no other audit of the project works there.
    pub(super) fn open(audit: &Audit<'_>) -> anyhow::Result<Self> {
        let folder = audit.house.own_folder(&audit.project).join("audit");
        let root = audit.house.root();
        let member = folder.join("solutions").join(&audit.project.name);
        fs::create_dir_all(&member)?;
        let lock = wait_for_turn(&folder)?;
        if folder.join(UNFINISHED).exists() {
            let stale = folder.join("target");
            if stale.exists() {
                fs::remove_dir_all(stale).context("cannot clear the workshop")?;
            }
        }
        fs::write(folder.join(UNFINISHED), "").context("cannot write to the workshop")?;
        let manifest = fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
        write_if_new(&folder.join("Cargo.toml"), &alone(&manifest)?)?;
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
        let mut solution = Sources::new();
        read_sources(&audit.project.solution, Path::new("src"), &mut solution)?;
        let manifest = fs::read_to_string(audit.project.solution.join("Cargo.toml"))?;
        write_if_new(&member.join("Cargo.toml"), &manifest)?;
        Ok(Self { folder, member, solution, contract: audit.catalogue.contract, _lock: lock })
    }

    /// Builds a mutant, and puts what was built aside under the mutant's name.
    pub(super) fn build(&self, mutant: &Mutant) -> anyhow::Result<Subject> {
        let sources = mutant.apply(&self.solution)?;
        for (path, text) in &sources {
            write_if_new(&self.member.join(path), text)?;
        }
        let target = self.folder.join("target");
        let manifest = self.member.join("Cargo.toml");
        let Ok(artifacts) =
            cargo::build(&manifest, Profile::Subject, Some(&target), &[], Chatter::OnFailure)?
        else {
            bail!("it does not compile");
        };
        let subject = Built::Crate(artifacts).meets(self.contract, &mutant.name)?;
        let aside = self.folder.join("bin").join(&mutant.name);
        fs::create_dir_all(aside.parent().unwrap_or(&aside))?;
        fs::copy(place(&subject), &aside).context("cannot put the mutant aside")?;
        Ok(match self.contract {
            Contract::Program => Subject::Run(vec![aside.display().to_string()]),
            Contract::Library => Subject::Library(aside),
        })
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if !interrupt::happened() {
            let _ = fs::remove_file(self.folder.join(UNFINISHED));
        }
    }
}

/// Waits for the lock on the workshop, as cargo does for its build directory, or until Ctrl-C.
fn wait_for_turn(folder: &Path) -> anyhow::Result<File> {
    let lock = File::create(folder.join(".lock")).context("cannot write to the workshop")?;
    let taken = || matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
    if taken() {
        anstream::eprintln!("waiting: another audit works in {}", folder.display());
        while !interrupt::happened() && taken() {
            thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(lock)
}

/// The file that was built.
pub(super) fn place(subject: &Subject) -> PathBuf {
    match subject {
        Subject::Run(words) => words.first().map(PathBuf::from).unwrap_or_default(),
        Subject::Library(path) => path.clone(),
    }
}

/// The workspace's manifest with no other members than the solution.
fn alone(manifest: &str) -> anyhow::Result<String> {
    let mut manifest: toml::Table = toml::from_str(manifest).context("cannot read Cargo.toml")?;
    let workspace =
        manifest.get_mut("workspace").and_then(toml::Value::as_table_mut).context("no [workspace]")?;
    workspace.insert("members".to_owned(), toml::Value::Array(vec!["solutions/*".into()]));
    workspace.remove("default-members");
    // Profiles that name other members would only be warned about.
    manifest.remove("profile");
    Ok(toml::to_string(&manifest)?)
}

fn read_sources(crate_folder: &Path, below: &Path, sources: &mut Sources) -> anyhow::Result<()> {
    for entry in fs::read_dir(crate_folder.join(below))?.flatten() {
        let path = below.join(entry.file_name());
        if entry.path().is_dir() {
            read_sources(crate_folder, &path, sources)?;
        } else {
            sources.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}

/// Writes only what differs: cargo goes by modification times.
fn write_if_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
