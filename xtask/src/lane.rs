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

mod station;

mod guest;
mod keeper;
mod log;

mod qemu;
mod uml;

mod apt;
mod compiled;
mod swap;

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, bail};
use harness::event::{Catalogue, Contract, Event, Lane as Wanted, Request, Subject, VERSION};

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
    /// Why each of the others does not work.
    reasons: Vec<(Kind, String)>,
    /// Kinds that are not here, and could not be fetched.
    missing: Vec<Kind>,
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

/// Starts a guest in which a suite has nothing to do: what kind it was, or why there was none.
pub(crate) fn try_out(house: &House, suite: &Suite) -> anyhow::Result<Result<&'static str, String>> {
    let guests = Guests::of(ALL, house);
    let output = guests.folder.join("trial");
    fs::create_dir_all(&output).with_context(|| format!("cannot write to {}", output.display()))?;
    let subject = match suite.catalogue()?.contract {
        Contract::Program => Subject::Run(vec!["true".to_owned()]),
        Contract::Library => Subject::Library("none".into()),
    };
    let mut log = Log::begin(&output.join(LOG))?;
    let request = Request {
        v: VERSION,
        subject,
        stages: Vec::new(),
        checks: Vec::new(),
        seed: 1,
        jobs: 1,
        keep_going: false,
        output,
        file: None,
        announce: false,
    };
    Ok(match guests.boot(suite, &request, &mut log, &mut |_, _| Ok(()))? {
        Ended::InOrder => Ok(guests.current().map_or("none", |station| station.kind().name())),
        Ended::Unfit(reason) => Err(reason),
        Ended::Died(death) => Err(format!("a guest ended: {}", death.how)),
        Ended::Interrupted => Err("interrupted".to_owned()),
    })
}

/// A package that something else needs, fetched as guests are.
pub(crate) fn fetched(house: &House, package: &'static str) -> Result<PathBuf, String> {
    apt::unpacked(apt::Wanted::Alone(package), &house.own().join("lab"))
}

/// How a reason begins that installing something does away with.
const MISSING: &str = "there is no ";

/// Every kind, the quickest first.
const ALL: [Kind; 3] = [Kind::Uml, Kind::Kvm, Kind::Qemu];

impl Guests {
    fn of(kinds: impl IntoIterator<Item = Kind>, house: &House) -> Self {
        let choice =
            Choice { left: kinds.into_iter().collect(), current: None, reasons: vec![], missing: vec![] };
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
                Err(reason) => {
                    if reason.starts_with(MISSING) {
                        choice.missing.push(kind);
                    }
                    choice.reasons.push((kind, reason));
                }
            }
        }
        choice.current.clone()
    }

    /// Goes on to the next kind, unless somebody has already.
    fn discard(&self, station: &Arc<Station>, reason: &str) {
        if station.kind() == Kind::Kvm {
            qemu::kvm::does_not_work(&self.folder);
        }
        let mut choice = self.choice();
        if choice.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, station)) {
            choice.current = None;
            choice.reasons.push((station.kind(), reason.to_owned()));
        }
    }

    /// Why nothing works, and the one command that would help most, if there is one.
    fn reason(&self) -> String {
        let choice = self.choice();
        let mut reasons = choice.reasons.clone();
        // Kinds that need the same miss the same.
        reasons.dedup_by(|(_, later), (_, earlier)| later == earlier);
        let each: Vec<_> =
            reasons.iter().map(|(kind, reason)| format!("{}: {reason}", kind.name())).collect();
        let helps = choice.missing.iter().find_map(|kind| kind.install());
        let helps = helps.map(|command| format!("; try: {command}")).unwrap_or_default();
        format!("no throw-away kernel starts here ({}){helps}", each.join("; "))
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
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
