//! The serial line to the front desk, in raw mode: what is written comes out as it is.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Mutex, PoisonError},
};

use nix::sys::termios::{SetArg, cfmakeraw, tcdrain, tcgetattr, tcsetattr};

use super::step;
use crate::guest::Word;

/// The line, for several threads that speak.
#[derive(Debug)]
pub(super) struct Line {
    device: Mutex<File>,
    nonce: String,
}

impl Line {
    /// Opens the line, whose words will begin with `nonce`.
    pub(super) fn open(device: &Path, nonce: String) -> io::Result<Self> {
        let cannot = || format!("cannot open the line {}", device.display());
        let file = OpenOptions::new().read(true).write(true).open(device).map_err(step(cannot()))?;
        let mut settings = tcgetattr(&file).map_err(io::Error::from).map_err(step(cannot()))?;
        cfmakeraw(&mut settings);
        tcsetattr(&file, SetArg::TCSANOW, &settings).map_err(io::Error::from).map_err(step(cannot()))?;
        Ok(Self { device: Mutex::new(file), nonce })
    }

    /// Says a word, and returns when it is out: nothing that happens afterwards takes it back.
    pub(super) fn say(&self, word: &Word) -> io::Result<()> {
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        device.write_all(word.line(&self.nonce).as_bytes())?;
        Ok(tcdrain(&*device)?)
    }
}
