//! Fetches a Debian package without root: `apt-get` with folders of its own, `dpkg-deb` to unpack. Nothing is installed.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The folder that `package` was unpacked to, below `folder`; fetches it if that was not done before.
///
/// # Errors
/// Why it cannot be had.
pub(super) fn unpacked(package: &str, folder: &Path) -> Result<PathBuf, String> {
    let place = folder.join(package);
    if place.is_dir() {
        return Ok(place);
    }
    let work = folder.join(format!("{package}.part"));
    let cannot = |error: io::Error| format!("cannot write to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(cannot)?;
    let lock = File::create(folder.join("fetch.lock")).map_err(cannot)?;
    let _ = lock.lock();
    if place.is_dir() {
        return Ok(place);
    }
    if Command::new("apt-get").arg("--version").stdout(Stdio::null()).status().is_err() {
        return Err("there is no apt-get to fetch it with".to_owned());
    }
    anstream::eprintln!("fetching: {package}, once, to {}", folder.display());
    let _ = fs::remove_dir_all(&work);
    for folder in ["lists/partial", "cache/archives/partial", "deb"] {
        fs::create_dir_all(work.join(folder)).map_err(cannot)?;
    }
    download(package, &work)?;
    let root = work.join("root");
    for deb in fs::read_dir(work.join("deb")).into_iter().flatten().flatten() {
        run(Command::new("dpkg-deb").arg("-x").arg(deb.path()).arg(&root))?;
    }
    fs::rename(&root, &place).map_err(|_| format!("apt-get brings no package {package}"))?;
    let _ = fs::remove_dir_all(&work);
    Ok(place)
}

/// By the lists that are here, and if they do not do, as in a fresh container, by new ones.
fn download(package: &str, work: &Path) -> Result<(), String> {
    let download = |own: &[String]| {
        let mut command = apt(own);
        command.args(["download", package]).current_dir(work.join("deb"));
        run(&mut command)
    };
    if download(&[]).is_ok() {
        return Ok(());
    }
    let own = [
        format!("Dir::State::lists={}", work.join("lists").display()),
        format!("Dir::Cache={}", work.join("cache").display()),
    ];
    run(apt(&own).arg("update"))?;
    download(&own)
}

fn apt(settings: &[String]) -> Command {
    let mut command = Command::new("apt-get");
    command.env("LC_ALL", "C").args(["-q", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"]);
    // Its user for downloads cannot write to our folders.
    command.args(["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"]);
    for setting in settings {
        command.arg("-o").arg(setting);
    }
    command
}

/// Runs a command; what it says last is why it failed.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = stderr.lines().rfind(|line| line.starts_with("E:")).or(stderr.lines().last());
    Err(format!("{name} says: {}", said.unwrap_or("nothing").trim()))
}
