//! The way to the subject for a caller who is not root: what root has checked out is often closed to others.
//!
//! ```text
//!   /srv/course/runtime.py      open               as it is
//!   /root/course/runtime.py     /root is closed    the folder `course` is bound to a place that is open, in the host's
//!                                                  world alone: the program comes with all that lies beside it
//!   /root/runtime, mode 0700    it is closed       copied, alone
//! ```

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use harness::{Context, Folder, Judged};
use nix::mount::{MsFlags, mount};

use super::writing;
use crate::world::World;

/// How one user starts the subject.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) words: Vec<String>,
    /// What is bound and copied. Not below the caller's folder, in which nothing may be left.
    _places: Folder,
}

impl Way {
    /// Opens one.
    ///
    /// # Errors
    /// Fault when something cannot be bound or copied.
    pub(super) fn open(context: &Context, world: &World, user: u32) -> Judged<Self> {
        let places = Folder::create_in(&env::temp_dir(), "groundwork-subject-")?;
        fs::set_permissions(places.path(), Permissions::from_mode(0o755))?;
        let mut words = Vec::new();
        for (number, word) in context.words().iter().enumerate() {
            let file = Path::new(word);
            if !file.is_absolute() || !file.is_file() {
                words.push(word.clone());
                continue;
            }
            // The first is executed, and may be a script; the others are read by it.
            let needed = if number == 0 { READ | SEARCH } else { READ };
            let place = places.path().join(number.to_string());
            let path = reached(file, needed, user, &place, world)?;
            words.push(path.to_string_lossy().into_owned());
        }
        Ok(Self { words, _places: places })
    }
}

const READ: u32 = 4;

/// Of a folder; of a file it is the right to execute it.
const SEARCH: u32 = 1;

/// By which path a user gets at a file: its own, or one that leads through `place`.
fn reached(file: &Path, needed: u32, user: u32, place: &Path, world: &World) -> Judged<PathBuf> {
    // The outermost folder from which every step down to the file is open.
    let open = file.ancestors().skip(1).take_while(|folder| may(user, folder, SEARCH)).last();
    let Some(open) = open.filter(|_| may(user, file, needed)) else {
        writing(|| fs::copy(file, place))?;
        fs::set_permissions(place, Permissions::from_mode(0o755))?;
        return Ok(place.to_owned());
    };
    if open == Path::new("/") {
        return Ok(file.to_owned());
    }
    fs::create_dir(place)?;
    let nothing: Option<&str> = None;
    let (source, target) = (open.to_owned(), place.to_owned());
    world.inside(move || mount(Some(&source), &target, nothing, MsFlags::MS_BIND, nothing))?;
    Ok(place.join(file.strip_prefix(open).unwrap_or(file)))
}

fn may(user: u32, path: &Path, bits: u32) -> bool {
    fs::metadata(path).is_ok_and(|file| {
        let shift = if file.uid() == user { 6 } else { 0 };
        file.mode() >> shift & bits == bits
    })
}
