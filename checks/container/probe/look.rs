//! What can be seen without doing anything.

use std::{
    env, fs,
    io::{self, Read},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::MetadataExt,
    },
};

use crate::{answer::Answer, sys};

/// More than this of a file is nobody's question.
const READ_BYTES: u64 = 256 << 10;

/// Its own name, the arguments after the nonce, environment and folder.
pub(crate) fn words(words: &[Vec<u8>]) -> Answer {
    let args = words.iter().skip(3).map(|word| Answer::text(word)).collect();
    Answer::object([
        ("name", words.first().map_or(Answer::Nothing, |word| Answer::text(word))),
        ("args", Answer::List(args)),
        ("environment", environment()),
        ("folder", folder().unwrap_or(Answer::Nothing)),
    ])
}

/// Its environment: `NAME=VALUE`, sorted.
pub(crate) fn environment() -> Answer {
    let variable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        [name.as_bytes(), b"=", value.as_bytes()].concat()
    };
    let mut variables: Vec<_> = env::vars_os().map(variable).collect();
    variables.sort();
    Answer::List(variables.into_iter().map(Answer::Text).collect())
}

/// Its ids.
pub(crate) fn who() -> Answer {
    Answer::object(sys::ids().map(|(name, id)| (name, Answer::Number(id))))
}

/// What uname(2) says.
pub(crate) fn hostname() -> io::Result<Answer> {
    Ok(Answer::Text(sys::hostname()?))
}

/// Its working directory.
pub(crate) fn folder() -> io::Result<Answer> {
    Ok(Answer::Text(env::current_dir()?.into_os_string().into_vec()))
}

/// A file's content.
pub(crate) fn read(path: &str) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(READ_BYTES).read_to_end(&mut bytes)?;
    Ok(Answer::Text(bytes))
}

/// Writes to a file that is there, or makes it.
pub(crate) fn write(path: &str, text: &str) -> io::Result<Answer> {
    // Not truncated: a file of the kernel's takes that for a change.
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(Answer::Nothing)
}

/// Makes a folder.
pub(crate) fn make_folder(path: &str) -> io::Result<Answer> {
    fs::create_dir(path)?;
    Ok(Answer::Nothing)
}

/// The names in a folder, sorted.
pub(crate) fn list(path: &str) -> io::Result<Answer> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().into_vec());
    }
    names.sort();
    Ok(Answer::List(names.into_iter().map(Answer::Text).collect()))
}

/// Which file a path leads to: what no name can hide.
pub(crate) fn stat(path: &str) -> io::Result<Answer> {
    Ok(identity(&fs::metadata(path)?))
}

/// A file as the kernel knows it.
pub(crate) fn identity(file: &fs::Metadata) -> Answer {
    Answer::object([
        ("device", Answer::Number(file.dev() as i64)),
        ("inode", Answer::Number(file.ino() as i64)),
        ("mode", Answer::Number(file.mode().into())),
        ("uid", Answer::Number(file.uid().into())),
    ])
}

/// Its signals that are blocked, and those that are ignored.
pub(crate) fn signals() -> io::Result<Answer> {
    let numbers = |numbers: Vec<i32>| {
        Answer::List(numbers.into_iter().map(|number| Answer::Number(number.into())).collect())
    };
    Ok(Answer::object([("blocked", numbers(sys::blocked()?)), ("ignored", numbers(sys::ignored()))]))
}
