//! Fetches Debian packages without root: `apt-get` with folders of its own, `dpkg-deb` to unpack. Nothing is installed.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What is fetched, and how much of it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// A package by itself.
    Alone(&'static str),
    /// A package with all that it needs and is not installed here.
    WithDependencies(&'static str),
    /// Of a package that stands for another whose name begins with the second word: the files of that one that match.
    FilesOf(&'static str, &'static str, &'static [&'static str]),
}

impl Wanted {
    fn package(self) -> &'static str {
        match self {
            Self::Alone(name) | Self::WithDependencies(name) | Self::FilesOf(name, ..) => name,
        }
    }
}

/// The folder that a package was unpacked to, below `folder`; fetches it if that was not done before.
///
/// # Errors
/// Why it cannot be had.
pub(super) fn unpacked(wanted: Wanted, folder: &Path) -> Result<PathBuf, String> {
    let package = wanted.package();
    let place = folder.join(package);
    if place.is_dir() {
        return Ok(place);
    }
    let cannot = |error: io::Error| format!("cannot write to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(cannot)?;
    let lock = File::create(folder.join("fetch.lock")).map_err(cannot)?;
    let _ = lock.lock();
    if place.is_dir() {
        return Ok(place);
    }
    let there = Command::new("apt-get").arg("--version").stdout(Stdio::null()).status();
    if there.is_err() {
        return Err("no apt-get to fetch it with".to_owned());
    }
    anstream::eprintln!("fetching {package}, once, to {}", folder.display());
    let work = folder.join(format!("{package}.part"));
    let _ = fs::remove_dir_all(&work);
    for folder in ["lists/partial", "cache/archives/partial", "root"] {
        fs::create_dir_all(work.join(folder)).map_err(cannot)?;
    }
    download(wanted, &work)?;
    unpack(wanted, &work)?;
    fs::rename(work.join("root"), &place).map_err(cannot)?;
    let _ = fs::remove_dir_all(&work);
    Ok(place)
}

/// By the lists that are here, and if they do not do, as in a fresh container, by new ones.
fn download(wanted: Wanted, work: &Path) -> Result<(), String> {
    let archives = work.join("cache/archives");
    let download = |lists: Option<&Path>| {
        let mut command = apt(work, lists);
        match wanted {
            Wanted::Alone(package) => command.args(["download", package]).current_dir(&archives),
            Wanted::WithDependencies(package) | Wanted::FilesOf(package, ..) => {
                command.args(["install", "--yes", "--download-only", "--no-install-recommends", package])
            }
        };
        run(&mut command)
    };
    if download(None).is_ok() {
        return Ok(());
    }
    let lists = work.join("lists");
    run(apt(work, Some(&lists)).arg("update"))?;
    download(Some(&lists))
}

fn unpack(wanted: Wanted, work: &Path) -> Result<(), String> {
    let root = work.join("root");
    let archives = fs::read_dir(work.join("cache/archives")).into_iter().flatten().flatten();
    let debs: Vec<_> = archives
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "deb"))
        .collect();
    if debs.is_empty() {
        return Err(format!("apt-get brings no {}", wanted.package()));
    }
    for deb in debs {
        let name = deb.file_name().unwrap_or_default().to_string_lossy();
        match wanted {
            Wanted::FilesOf(_, begins, files) if name.starts_with(begins) => {
                unpack_files(&deb, files, &root)?;
            }
            Wanted::FilesOf(..) => {}
            _ => run(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&root))?,
        }
    }
    Ok(())
}

/// Unpacks what matches: of a kernel's four hundred megabytes a few are of use.
fn unpack_files(deb: &Path, files: &[&str], root: &Path) -> Result<(), String> {
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot run dpkg-deb: {error}"))?;
    let Some(stream) = archive.stdout.take() else { return Err("dpkg-deb has no stdout".to_owned()) };
    let mut tar = Command::new("tar");
    tar.args(["-x", "-C"]).arg(root).arg("--wildcards").args(files).stdin(stream);
    let done = run(&mut tar);
    let _ = archive.wait();
    done
}

fn apt(work: &Path, lists: Option<&Path>) -> Command {
    let mut command = Command::new("apt-get");
    command.env("LC_ALL", "C").args(["-q", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"]);
    // Its user for downloads cannot write to our folders.
    command.args(["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"]);
    command.args(["-o", "Debug::NoLocking=true", "-o"]);
    command.arg(format!("Dir::Cache={}", work.join("cache").display()));
    if let Some(lists) = lists {
        command.arg("-o").arg(format!("Dir::State::lists={}", lists.display()));
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command; what it says last is why it failed.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("cannot run {name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = stderr.lines().rfind(|line| line.starts_with("E:")).or(stderr.lines().last());
    Err(format!("{name} says: {}", said.unwrap_or("nothing").trim()))
}
