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

mod guests;

mod station;

mod guest;
mod keeper;
mod log;

mod qemu;
mod uml;

mod apt;
mod compiled;
mod swap;

use std::path::{Path, PathBuf};

use harness::event::{Catalogue, Event, Lane as Wanted, Request};

use crate::{exit, house::House, suite::Suite};
use guests::{ALL, Guests};
use log::Log;
use station::Kind;

pub(crate) use guests::try_out;
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

impl Wish {
    pub(crate) const ALL: [Self; 5] = [Self::Local, Self::Lab, Self::Uml, Self::Qemu, Self::Native];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.name() == name)
    }

    /// Its name, as the command line has it.
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
            (None | Some(Wish::Lab), _) => ALL.to_vec(),
            (Some(Wish::Uml), _) => vec![Kind::Uml],
            (Some(Wish::Qemu), _) => vec![Kind::Kvm, Kind::Qemu],
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
            guests.show(place);
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

/// A package that something else needs, fetched as guests are.
pub(crate) fn fetched(house: &House, package: &'static str) -> Result<PathBuf, String> {
    apt::unpacked(apt::Wanted::Alone(package), &guests::folder(house))
}

#[cfg(test)]
mod tests {
    use harness::event::{Contract, VERSION};

    use super::*;

    fn choose(wish: Option<Wish>, lane: Wanted) -> Result<bool, String> {
        let house = House::find().expect("tests run in a checkout");
        let (project, contract) = ("p".to_owned(), Contract::Program);
        let catalogue = Catalogue { v: VERSION, project, contract, lane, stages: vec![], on_file: None };
        Lane::choose(&house, wish, &catalogue).map(|lane| lane.is_here()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_suite_runs_where_it_asks_to_unless_told_otherwise() {
        for (wish, lane, here) in [
            (None, Wanted::Local, true),
            (None, Wanted::Lab, false),
            (Some(Wish::Local), Wanted::Local, true),
            (Some(Wish::Lab), Wanted::Local, false),
            (Some(Wish::Uml), Wanted::Local, false),
            (Some(Wish::Qemu), Wanted::Lab, false),
            (Some(Wish::Native), Wanted::Lab, true),
        ] {
            assert_eq!(choose(wish, lane), Ok(here), "{wish:?} for a suite that asks for {lane:?}");
        }
    }

    #[test]
    fn nobody_loses_a_machine_by_mistake() {
        let refusal = choose(Some(Wish::Local), Wanted::Lab).expect_err("it is refused");
        assert!(refusal.contains("--lane native"), "it says how, and on what machine: {refusal}");
        assert!(choose(Some(Wish::Native), Wanted::Local).is_err(), "there is nothing to lose");
    }
}
