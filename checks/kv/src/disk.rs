//! A store's files, where the specification speaks of them: tables are the files named `*.sst`, the rest is free.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use harness::{
    Context, Halt, Judged,
    crash::{self, Then},
};

use crate::{
    step::{Step, quoted, told},
    store::{STORE, Store},
};

/// Files by their paths from a store's directory.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Every file below `dir`, by its path from there. A file that vanishes meanwhile was compacted away.
pub(crate) fn read_all(dir: &Path) -> Judged<Files> {
    let mut files = Files::new();
    collect(dir, Path::new(""), &mut files)?;
    Ok(files)
}

fn collect(dir: &Path, below: &Path, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(dir.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        match entry.file_type()? {
            kind if kind.is_dir() => collect(dir, &path, files)?,
            _ => match fs::read(dir.join(&path)) {
                Ok(bytes) => drop(files.insert(path, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            },
        }
    }
    Ok(())
}

/// Makes `dir` hold `files`. Of their times nothing is kept: what comes first by name is the newest.
pub(crate) fn write_all(dir: &Path, files: &Files) -> Judged {
    fs::create_dir_all(dir)?;
    let mut time = SystemTime::now();
    for (path, bytes) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.set_modified(time)?;
        time -= Duration::from_secs(1);
    }
    Ok(())
}

/// Whether a path is a table's.
pub(crate) fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sst") && path.components().count() == 1
}

/// The tables in `dir`, by name.
pub(crate) fn tables(dir: &Path) -> Judged<Files> {
    let mut files = read_all(dir)?;
    files.retain(|path, _| is_table(path));
    Ok(files)
}

/// The bytes in `dir` that are not in tables.
pub(crate) fn bytes_outside_tables(dir: &Path) -> Judged<usize> {
    Ok(read_all(dir)?.iter().filter(|(path, _)| !is_table(path)).map(|(_, bytes)| bytes.len()).sum())
}

/// All bytes in `dir`.
pub(crate) fn bytes(dir: &Path) -> Judged<usize> {
    Ok(read_all(dir)?.values().map(Vec::len).sum())
}

/// Demands that there are no more tables than these.
#[track_caller]
pub(crate) fn at_most(store: &Store<'_>, allowed: usize, expected: &str) -> Judged {
    let found = tables(&store.dir())?;
    if found.len() <= allowed {
        return Ok(());
    }
    let names: Vec<_> = found.keys().map(|path: &PathBuf| path.display().to_string()).collect();
    Err(store.tell(Halt::fail(expected, format!("{}: {}", names.len(), names.join(", ")))))
}

/// Demands that the directory takes at most twice what lives.
#[track_caller]
pub(crate) fn takes_little(store: &Store<'_>, model: &BTreeMap<String, String>) -> Judged {
    let live: usize = model.iter().map(|(key, value)| key.len() + value.len()).sum();
    let taken = bytes(&store.dir())?;
    if taken <= 2 * live {
        return Ok(());
    }
    let expected = format!("at most {} bytes in DIR: twice the {live} that live", 2 * live);
    Err(store.tell(Halt::fail(expected, format!("{taken} bytes"))))
}

/// Looks at tables again and again: each that is still there has to be as it was when first seen.
#[derive(Default)]
pub(crate) struct Unchanging(Files);

impl Unchanging {
    /// Compares the tables that are there now with what they were.
    #[track_caller]
    pub(crate) fn look(&mut self, dir: &Path) -> Judged {
        let now = tables(dir)?;
        for (path, bytes) in &now {
            let Some(before) = self.0.get(path).filter(|before| *before != bytes) else { continue };
            let first = before.iter().zip(bytes).position(|(old, new)| old != new);
            let at = first.unwrap_or_else(|| before.len().min(bytes.len()));
            return Err(Halt::fail(
                format!("{} stays as it was when it got that name ({} bytes)", path.display(), before.len()),
                format!("it has {} bytes now, and differs from byte {at} on", bytes.len()),
            )
            .likely("a table is written in place under its final name, or an old one is written again"));
        }
        self.0 = now;
        Ok(())
    }
}

/// Takes a store through `steps` and looks at its tables all the time: between its replies, after a restart, and, under
/// a tracer, before each change that it makes.
#[track_caller]
pub(crate) fn never_change(context: &Context, steps: &[Step]) -> Judged {
    let mut store = Store::open(context)?;
    let mut unchanging = Unchanging::default();
    for step in steps {
        store.acknowledged(step.clone())?;
        unchanging.look(&store.dir()).map_err(|halt| store.tell(halt))?;
    }
    store.restart()?;
    unchanging.look(&store.dir()).map_err(|halt| store.tell(halt))?;
    store.close()?;

    let folder = context.folder()?;
    let dir = folder.path().join(STORE);
    fs::create_dir(&dir)?;
    let mut unchanging = Unchanging::default();
    let input: String = steps.iter().filter_map(Step::request).collect();
    let launch = context.launch(folder.path()).arg(&dir);
    let traced = crash::trace(launch, folder.path(), input.as_bytes(), &mut |_, _| {
        unchanging.look(&dir).map(|()| Then::GoOn)
    });
    traced.map(drop).map_err(|halt| halt.did(told(steps)))
}

/// Where `needle` first stands in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(offset) = haystack[from..].iter().position(|&byte| byte == first) {
        let at = from + offset;
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Where `needle` stands in a table, which has to hold it verbatim.
#[track_caller]
pub(crate) fn find_verbatim(table: (&Path, &[u8]), needle: &str) -> Judged<usize> {
    find(table.1, needle.as_bytes()).ok_or_else(|| {
        Halt::fail(
            format!("{} stands in {} as it is", quoted(needle), table.0.display()),
            format!("its bytes are nowhere in the {} bytes of the file", table.1.len()),
        )
        .likely("the table escapes, encodes or compresses what it stores, or splits it over two blocks")
    })
}
