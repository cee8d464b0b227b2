//! The one way to stdout.

use std::io::{self, Write};

use anyhow::Context;

use crate::exit;

/// Writes `text`, with its styles where they are wanted. A reader that went away, as `head` does, ends the command:
/// that is an error like any other, but with nobody left to read about it.
pub(crate) fn write(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(exit::reader_gone()),
        other => other.context("cannot write to stdout"),
    }
}
