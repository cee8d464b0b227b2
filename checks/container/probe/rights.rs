//! What root may do, and what it may not when it is root of a container alone.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::chown,
    path::Path,
};

use crate::{answer::Answer, sys};

/// Gives a file to a user.
pub(crate) fn give(path: &str, user: i64) -> io::Result<Answer> {
    chown(path, Some(user as u32), Some(user as u32))?;
    Ok(Answer::Nothing)
}

/// A child that becomes this user and group, and stays: killed by this process, which is somebody else.
pub(crate) fn kill_as_another(user: i64) -> io::Result<Answer> {
    let (mut told, teller) = io::pipe()?;
    let pid = sys::child(|| {
        let became = sys::become_user(user as i32);
        let byte = [u8::from(became.is_ok())];
        let told = io::Write::write_all(&mut &teller, &byte);
        while told.is_ok() && became.is_ok() {
            sys::pause();
        }
        1
    })?;
    drop(teller);
    let mut byte = [0];
    let count = io::Read::read(&mut told, &mut byte)?;
    let killed = sys::kill(pid, 9);
    let status = sys::wait_for(pid)?;
    if count == 0 || byte == [0] {
        return Err(io::Error::from_raw_os_error(sys::EPERM));
    }
    killed?;
    Ok(Answer::Number((status & 0x7f).into()))
}

/// Makes a node of a device of this kind, by this system call, and opens it.
pub(crate) fn open_device(call: &str, kind: &str, path: &str, numbers: (i64, i64)) -> io::Result<Answer> {
    sys::make_device(call, kind, path, numbers)?;
    let opened = OpenOptions::new().read(true).open(path);
    let _ = fs::remove_file(path);
    opened.map(|_| Answer::Nothing)
}

/// The files below a path that can be opened for writing. Nothing is written.
pub(crate) fn writable(path: &str) -> io::Result<Answer> {
    const MOST: usize = 20;
    let mut found = Vec::new();
    let mut next = vec![Path::new(path).to_owned()];
    while let Some(path) = next.pop() {
        let Ok(file) = fs::symlink_metadata(&path) else { continue };
        if file.is_dir() {
            next.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if file.is_file() && found.len() < MOST && OpenOptions::new().write(true).open(&path).is_ok() {
            found.push(Answer::text(path.to_string_lossy().as_bytes()));
        }
    }
    Ok(Answer::List(found))
}
