//! Small programs and libraries that guests need, compiled once by the Rust that is here. No crate of the workspace can be
//! one: they stand where there is no libc yet, or before it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What is compiled, from one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// What rustc is told besides.
    pub(super) options: &'static [&'static str],
}

/// Compiles it to a file in `folder`, unless that was done before.
///
/// # Errors
/// A sentence that says why it cannot be made.
pub(super) fn compiled(source: Source, folder: &Path) -> Result<PathBuf, String> {
    let Source { name, text, options } = source;
    let program = folder.join(name);
    let known = program.with_extension("rs");
    if program.is_file() && fs::read_to_string(&known).is_ok_and(|known| known == text) {
        return Ok(program);
    }
    let cannot = |error| format!("cannot write to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(cannot)?;
    // Of this process's own: another may be doing the same.
    let part = folder.join(format!("{name}-{}.rs", std::process::id()));
    let output = part.with_extension("part");
    fs::write(&part, text).map_err(cannot)?;
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(&rustc)
        .args(["--edition", "2024", "--crate-name", name, "-O", "-C", "panic=abort"])
        .args(options)
        .arg("-o")
        .args([&output, &part])
        .stdin(Stdio::null())
        .output();
    let cleared = |problem: String| {
        let _ = fs::remove_file(&part);
        problem
    };
    let said = said.map_err(|error| cleared(format!("cannot run {}: {error}", rustc.display())))?;
    if !said.status.success() {
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        return Err(format!(
            "{} does not compile: {}",
            part.display(),
            said.lines().next().unwrap_or_default()
        ));
    }
    fs::rename(&output, &program).and_then(|()| fs::rename(&part, &known)).map_err(cannot)?;
    Ok(program)
}
