//! Where a suite runs: on this machine, or in guests, which are throw-away kernels that xtask starts itself.
//!
//! ```text
//!   local     here
//!   native    here, although the suite asks for a guest: whoever asks for it has a machine to lose
//!   lab       in guests: User-Mode Linux if that works, else QEMU
//! ```
//!
//! A kind of guest is chosen by starting one and hearing from it that everything is set up; no file that lies about is
//! believed. A guest is started for each stage, so that one that was wrecked spoils no other. Where none works, every
//! check is skipped, with the reason: never passed, and never run on a machine that it could harm.

mod merge;

mod guest;
mod keeper;
mod log;
mod station;
mod swap;

mod apt;
mod qemu;
mod uml;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::bail;
use harness::event::{Catalogue, Event, Lane as Wanted, Request};

use crate::{exit, house::House, interrupt, suite::Suite};
use guest::Ended;
use log::Log;
use station::{Kind, Station};

pub(crate) use merge::LOG;

/// A lane as it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Local,
    Native,
    Lab,
    Uml,
    Qemu,
}

/// Hands on an event, with the line that says it.
pub(crate) type Each<'e> = dyn FnMut(Event, &str) -> anyhow::Result<()> + 'e;

/// Where the suite of one command runs.
#[derive(Debug)]
pub(crate) enum Lane {
    Here,
    Guests(Guests),
}

/// Guests of the first kind that works.
#[derive(Debug)]
pub(crate) struct Guests {
    /// Where the grader keeps what guests need.
    folder: PathBuf,
    /// Folders besides those of the subject's files that a guest has to see.
    keep: Vec<PathBuf>,
    choice: Mutex<Choice>,
}

/// What is known about the kinds so far. The first guest that a run needs is also the trial of its kind.
#[derive(Debug)]
struct Choice {
    /// Kinds that were not tried, the quickest first.
    left: VecDeque<Kind>,
    current: Option<Arc<Station>>,
    /// Why each of the others does not work, and what would help.
    reasons: Vec<String>,
}

impl Wish {
    /// The names, as the command line has them.
    pub(crate) const NAMES: [&str; 5] = ["local", "lab", "uml", "qemu", "native"];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let wishes = [Self::Local, Self::Lab, Self::Uml, Self::Qemu, Self::Native];
        Self::NAMES.iter().position(|known| *known == name).map(|at| wishes[at])
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Lab => "lab",
            Self::Uml => "uml",
            Self::Qemu => "qemu",
            Self::Native => "native",
        }
    }
}

impl Lane {
    /// The lane that was wished for, or the one that the suite asks for.
    pub(crate) fn choose(house: &House, wish: Option<Wish>, catalogue: &Catalogue) -> anyhow::Result<Self> {
        let project = &catalogue.project;
        let kinds = match (wish, catalogue.lane) {
            (None, Wanted::Local) | (Some(Wish::Local), Wanted::Local) => return Ok(Self::Here),
            (Some(Wish::Native), Wanted::Lab) => return Ok(Self::Here),
            (Some(Wish::Local), Wanted::Lab) => {
                return Err(exit::usage(format!(
                    "{project} runs in a throw-away kernel: its subjects are root, and a half-finished one unmounts \
                     what it should not; --lane native runs it here all the same, on a machine that you can lose"
                )));
            }
            (Some(Wish::Native), Wanted::Local) => {
                return Err(exit::usage(format!("{project} runs here anyway: leave out --lane native")));
            }
            (None | Some(Wish::Lab), _) => vec![Kind::Uml, Kind::Qemu],
            (Some(Wish::Uml), _) => vec![Kind::Uml],
            (Some(Wish::Qemu), _) => vec![Kind::Qemu],
        };
        Ok(Self::Guests(Guests::of(kinds, house)))
    }

    /// Whether it is this machine, as it is.
    pub(crate) fn is_here(&self) -> bool {
        matches!(self, Self::Here)
    }

    /// Adds a folder that guests have to see, wherever it lies.
    pub(crate) fn also_showing(mut self, place: &Path) -> Self {
        if let Self::Guests(guests) = &mut self {
            guests.keep.push(place.to_owned());
        }
        self
    }

    /// Runs the suite and hands on its events. Guests leave what their kernels said in `log`.
    pub(crate) fn run(
        &self,
        suite: &Suite,
        catalogue: &Catalogue,
        request: &Request,
        log: &Path,
        each: &mut Each<'_>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Here => suite.run(request, each),
            Self::Guests(guests) => {
                let mut log = Log::begin(log)?;
                let mut boot =
                    |request: &Request, each: &mut Each<'_>| guests.boot(suite, request, &mut log, each);
                merge::run(catalogue, request, &mut boot, each)
            }
        }
    }
}

impl Guests {
    fn of(kinds: impl IntoIterator<Item = Kind>, house: &House) -> Self {
        let choice = Choice { left: kinds.into_iter().collect(), current: None, reasons: Vec::new() };
        Self { folder: house.own().join("lab"), keep: Vec::new(), choice: Mutex::new(choice) }
    }

    /// Runs the suite in a guest of the first kind that works.
    fn boot(
        &self,
        suite: &Suite,
        request: &Request,
        log: &mut Log,
        each: &mut Each<'_>,
    ) -> anyhow::Result<Ended> {
        while !interrupt::happened() {
            let Some(station) = self.current() else { return Ok(Ended::Unfit(self.reason())) };
            match station.run(suite.program(), request, &self.keep, log, each)? {
                Ended::Unfit(reason) if station.is_proven() => {
                    bail!("a guest could not be set up, although others were: {reason}")
                }
                Ended::Unfit(reason) => self.discard(&station, &reason),
                ended => return Ok(ended),
            }
        }
        Ok(Ended::Interrupted)
    }

    /// The kind in use, or the next that has what it needs.
    fn current(&self) -> Option<Arc<Station>> {
        let mut choice = self.choice();
        while choice.current.is_none() {
            let kind = choice.left.pop_front()?;
            match Station::open(kind, &self.folder) {
                Ok(station) => choice.current = Some(Arc::new(station)),
                Err(reason) => choice.reasons.push(format!("{}: {reason}", kind.name())),
            }
        }
        choice.current.clone()
    }

    /// Goes on to the next kind, unless somebody has already.
    fn discard(&self, station: &Arc<Station>, reason: &str) {
        let mut choice = self.choice();
        if choice.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, station)) {
            choice.current = None;
            choice.reasons.push(format!("{}: {reason}", station.kind().name()));
        }
    }

    fn reason(&self) -> String {
        format!("no throw-away kernel to run it in ({})", self.choice().reasons.join("; "))
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
