//! The player: loads a subject's library and does with it what the suite asks for, line by line.
//!
//! ```text
//!   malloc-player LIBRARY FOLDER
//!     -> {"ready":true,"has":["my_malloc","my_free"]}           or {"error":"...","symbols":[]} and exit status 3
//!     <- play TRACE SEEN STDERR                                  files in FOLDER; names without spaces
//!     -> {"played":true}                                         or {"error":"..."}
//!     <- threads hammer SEEN STDERR THREADS OPERATIONS SEED
//!     -> {"played":true}
//!     <- threads hand-over:KIND SEEN STDERR THREADS BYTES SEED   of blocks as `wire::hand_over` names them
//!     -> {"played":true}
//!     <- threads come-and-go SEEN STDERR THREADS 0 SEED          one after the other
//!     -> {"played":true}
//! ```
//!
//! The word `libc` for LIBRARY stands for libc's own allocator: unwatched traces are timed on it. Of it nothing else is known
//! to be right: its heap was there before.
//!
//! `malloc-player compare` is for people who measure: see [`compare`].
//!
//! It reports facts, never verdicts. What the library may lean on is the player's: see [`kernel`] and [`borrowed`].
//! Own memory comes from [`own_memory`], so that the library's alone is measured.

mod own_memory;

mod kernel;

mod borrowed;

mod library;

mod maps;

mod footprint;

#[path = "../src/wire.rs"]
mod wire;

mod seen;

mod pattern;

mod live;

mod finding;

mod play;

mod threads;

mod last_words;

mod panics;

mod child;

mod compare;

#[expect(dead_code, reason = "the suite's, of which only the operations are used here")]
#[path = "../src/trace.rs"]
mod trace;

#[expect(dead_code, reason = "the suite's, of which only reading is used here")]
#[path = "../src/text.rs"]
mod text;

use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde_json::{Value, json};

use crate::{
    child::Surroundings,
    footprint::Footprint,
    library::{LIBC, Library},
    maps::Maps,
    own_memory::OwnMemory,
    pattern::Pattern,
    play::{Play, Stage},
    seen::{SeenFile, Trace},
    threads::{Plan, Work},
};

#[global_allocator]
static OWN_MEMORY: OwnMemory = OwnMemory;

/// The exit status when the library cannot be loaded.
const NOT_LOADED: u8 = 3;

/// Stack that is made resident before anything is measured: the library's calls then do not make it grow.
const STACK_IN_USE: usize = 512 << 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [command, rest @ ..] if command == "compare" => compare::main(rest).map(|()| ExitCode::SUCCESS),
        [command, rest @ ..] if command == compare::MEASURE => {
            compare::measure(rest).map(|()| ExitCode::SUCCESS)
        }
        [library, folder] => serve(library, Path::new(folder)),
        _ => Err(io::Error::other("usage: malloc-player LIBRARY FOLDER")),
    };
    done.unwrap_or_else(|error| {
        eprintln!("malloc-player: {error}");
        ExitCode::FAILURE
    })
}

/// Loads the library and follows the suite's lines to their end.
fn serve(library: &str, folder: &Path) -> io::Result<ExitCode> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let mut requests = BufReader::new(take_descriptor(0, &null)?);
    let mut replies = take_descriptor(1, &null)?;
    let mut player = Player {
        surroundings: Surroundings { line: [requests.get_ref().as_raw_fd(), replies.as_raw_fd()], null },
        folder: folder.to_owned(),
        stage: match load(library)? {
            Ok(stage) => stage,
            Err(error) => {
                reply(&mut replies, &json!({ "error": error, "symbols": [] }))?;
                return Ok(ExitCode::from(NOT_LOADED));
            }
        },
    };
    reply(&mut replies, &json!({ "ready": true, "has": player.stage.library.has() }))?;
    let mut line = String::new();
    while requests.read_line(&mut line)? > 0 {
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match player.follow(&words) {
            Ok(()) => json!({ "played": true }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        reply(&mut replies, &answer)?;
        line.clear();
    }
    Ok(ExitCode::SUCCESS)
}

/// A line for the suite, in one piece: each write would wake it.
fn reply(replies: &mut File, value: &Value) -> io::Result<()> {
    replies.write_all(format!("{value}\n").as_bytes())
}

/// Takes over a standard descriptor, and leaves `null` in its place: what the library prints is not for the suite.
fn take_descriptor(standard: i32, null: &File) -> io::Result<File> {
    // SAFETY: duplicating a descriptor touches nothing of its first one.
    let own = unsafe { libc::fcntl(standard, libc::F_DUPFD_CLOEXEC, 3) };
    if own == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: two open descriptors of this process.
    unsafe { libc::dup2(null.as_raw_fd(), standard) };
    // SAFETY: just opened, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(own) }.into())
}

/// Loads the library between two looks at the process. The inner error is the loader's.
fn load(library: &str) -> io::Result<Result<Stage, String>> {
    kernel::prepare();
    if library != LIBC {
        borrowed::prepare();
    }
    let pattern = Pattern::new();
    use_stack();
    let footprint = Footprint::open()?;
    let mut maps = Maps::before_loading();
    let before_loading = footprint.writable();
    Ok(Library::load(library).map(|library| {
        maps.after_loading();
        Stage { library, maps, pattern, before_loading }
    }))
}

/// Makes the stack as large as it will get.
fn use_stack() {
    let bytes = [1_u8; STACK_IN_USE];
    std::hint::black_box(&bytes);
}

/// The loaded player.
struct Player {
    surroundings: Surroundings,
    folder: PathBuf,
    stage: Stage,
}

impl Player {
    /// Does what a line asks for.
    fn follow(&mut self, words: &[&str]) -> io::Result<()> {
        match words {
            ["play", trace, seen, stderr] => self.play(trace, seen, stderr),
            ["threads", work, seen, stderr, threads, amount, seed] => {
                let number = |text: &str| text.parse::<usize>().map_err(io::Error::other);
                let work = match *work {
                    "hammer" => Work::Hammer { operations: number(amount)? },
                    "come-and-go" => Work::ComeAndGo,
                    _ => match Work::hand_over(work, number(amount)?) {
                        Some(work) => work,
                        None => return Err(io::Error::other(format!("no work for threads: {work}"))),
                    },
                };
                let (threads, seed) = (number(threads)?.max(1), number(seed)? as u64);
                self.threads(seen, stderr, Plan { threads, work, seed })
            }
            _ => Err(io::Error::other(format!("unknown line {words:?}"))),
        }
    }

    fn play(&mut self, trace: &str, seen: &str, stderr: &str) -> io::Result<()> {
        let trace = Trace::open(&self.folder.join(trace))?;
        let seen = SeenFile::create(&self.folder.join(seen), trace.operations())?;
        let stderr = File::create(self.folder.join(stderr))?;
        let shared = [&trace.mapping, &seen.mapping];
        for mapping in shared {
            self.stage.maps.add(mapping.start, mapping.length);
        }
        let stage = &self.stage;
        let result = child::run(&self.surroundings, &stderr, seen.words(), || {
            match Play::new(stage, trace.words(), seen.words()) {
                Ok(play) => play.run(),
                Err(error) => panic!("cannot begin to play: {error}"),
            }
        });
        for mapping in shared {
            self.stage.maps.remove(mapping.start);
        }
        result
    }

    fn threads(&self, seen: &str, stderr: &str, plan: Plan) -> io::Result<()> {
        let seen = SeenFile::create(&self.folder.join(seen), plan.records())?;
        let stderr = File::create(self.folder.join(stderr))?;
        child::run(&self.surroundings, &stderr, seen.words(), || {
            threads::run(&self.stage, plan, seen.words());
        })
    }
}
