//! The image that servers run from. A registry is rarely to be had where a course is graded; an nginx often is, and what
//! it needs besides itself is known to the linker.
//!
//! ```text
//!   FROM scratch
//!   /usr/sbin/nginx           this machine's own
//!   /lib/…, /lib64/…          the libraries that `ldd` names for it
//!   /etc/passwd, /etc/group   root alone, whom nginx looks up
//! ```

use std::{
    collections::BTreeSet,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use testcontainers::{
    GenericBuildableImage, GenericImage, TestcontainersError,
    core::BuildImageOptions,
    runners::{SyncBuilder, SyncRunner},
};

use super::{Engine, guests};
use crate::running::{Halt, Judged};

/// Where an nginx may be.
const PLACES: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

/// What is pulled where there is none.
const PULLED: (&str, &str) = ("nginx", "1.28-alpine");

/// The image, made once a run.
///
/// # Errors
/// Skip when no engine answers, and when there is neither an nginx nor a registry.
pub(super) fn nginx() -> Judged<GenericImage> {
    static IMAGE: OnceLock<Judged<GenericImage>> = OnceLock::new();
    IMAGE.get_or_init(make).clone()
}

fn make() -> Judged<GenericImage> {
    guests::sweep(&Engine::find()?);
    match PLACES.into_iter().map(Path::new).find(|path| path.is_file()) {
        Some(nginx) => of_this_machine(nginx),
        None => pulled(),
    }
}

fn of_this_machine(nginx: &Path) -> Judged<GenericImage> {
    let mut files = libraries(nginx)?;
    files.insert(nginx.to_owned());
    let image = GenericBuildableImage::new("groundwork-nginx", tag(&files)?)
        .with_dockerfile_string("FROM scratch\nCOPY . /\n")
        .with_data("root:x:0:0:root:/:/none\n", "etc/passwd")
        .with_data("root:x:0:\n", "etc/group");
    let image = files.iter().fold(image, |image, file| {
        // A link is followed: in the image each file is what its name leads to here.
        let source = fs::canonicalize(file).unwrap_or_else(|_| file.clone());
        image.with_file(source, file.to_string_lossy().trim_start_matches('/'))
    });
    let options = BuildImageOptions::new().with_skip_if_exists(true);
    image.build_image_with(options).map_err(|error| {
        Halt::fault(format!(
            "the Docker engine cannot make an image of this machine's nginx: {}",
            full(&error)
        ))
    })
}

/// The files that the program is linked with, by the names that it looks for.
fn libraries(program: &Path) -> Judged<BTreeSet<PathBuf>> {
    let told = Command::new("ldd").arg(program).output()?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    // `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x…)`, or the loader alone: `/lib64/ld-linux-x86-64.so.2 (0x…)`
    let paths = told.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from);
    let mut files: BTreeSet<_> = paths.collect();
    if files.is_empty() {
        return Err(Halt::fault(format!("ldd names no library for {}: {told}", program.display())));
    }
    // The C library before 2.34 finds /etc/passwd through a plugin, which the linker does not know.
    let plugin = |library: &PathBuf| library.with_file_name("libnss_files.so.2");
    let plugins: Vec<_> = files.iter().map(plugin).filter(|plugin| plugin.is_file()).collect();
    files.extend(plugins);
    Ok(files)
}

/// A tag that changes with the files.
fn tag(files: &BTreeSet<PathBuf>) -> Judged<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let metadata = fs::metadata(file)?;
        (file, metadata.len(), metadata.mtime()).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn pulled() -> Judged<GenericImage> {
    let image = GenericImage::new(PULLED.0, PULLED.1);
    match image.clone().pull_image() {
        Ok(_) => Ok(image),
        Err(error) => Err(Halt::skip(format!(
            "there is no nginx here to make an image of, and none can be pulled ({error}); \
             try: apt-get install nginx"
        ))),
    }
}

/// An error with those behind it.
fn full(error: &TestcontainersError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
