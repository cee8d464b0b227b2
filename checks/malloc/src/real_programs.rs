//! Stage 6: several threads at once, and programs that know nothing of the library.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use harness::{
    Check, Context, Folder, Halt, Judged, Stage,
    process::{Ending, Exit, Launch, Limits},
};

use crate::{
    player::{Player, SIXTEEN},
    rules,
    threads::{
        eight_threads_keep_their_blocks_apart, what_a_thread_had_is_there_when_it_has_ended,
        what_another_thread_frees_is_used_again,
    },
    trace::{Op, Trace},
};

pub(crate) const STAGE: Stage = Stage {
    number: 6,
    slug: "real-programs",
    bonus: true,
    checks: &[
        Check::new("eight_threads_keep_their_blocks_apart", eight_threads_keep_their_blocks_apart)
            .points(3)
            .must("eight threads allocate, free and pass blocks to each other, and no byte of a live block changes")
            .why("Two threads that take the same free block at the same moment are the oldest race there is."),
        Check::new("what_another_thread_frees_is_used_again", what_another_thread_frees_is_used_again)
            .points(3)
            .must("the footprint levels off when one thread allocates what another frees")
            .why("A cache that only its own thread empties fills for ever: a leak that no tool shows."),
        Check::new("what_a_thread_had_is_there_when_it_has_ended", what_a_thread_had_is_there_when_it_has_ended)
            .points(2)
            .must("the footprint levels off when threads come and go, and what one of them leaves another may free")
            .why("A server that starts a thread for each request starts a million. What each takes along is a leak."),
        Check::new("ls_prints_the_same", ls_prints_the_same)
            .must("ls prints what it always prints")
            .why("The smallest program that allocates before main, sorts, and frees little."),
        Check::new("sort_prints_the_same", sort_prints_the_same)
            .points(2)
            .must("sort prints what it always prints, for 100,000 lines")
            .why("Large buffers that grow, beside many small blocks."),
        Check::new("python_prints_the_same", python_prints_the_same)
            .points(2)
            .must("python3 prints what it always prints, a forked child among it")
            .why("A million small objects of every size, freed in the order in which nobody needs them any more."),
        Check::new("git_prints_the_same", git_prints_the_same)
            .points(2)
            .must("git prints what it always prints")
            .why("Maps, packs, child processes, and strings that grow by realloc."),
        Check::new("rustc_prints_the_same", rustc_prints_the_same)
            .must("rustc --version prints what it always prints")
            .why("A large program that loads large libraries, with threads of its own."),
    ],
};

/// The library has what stages 1 to 5 ask for: a program needs all of it at once.
pub(crate) fn has_all_four(player: &mut Player<'_>) -> Judged {
    let trace = Trace::new(vec![
        Op::Malloc { slot: 0, size: 24 },
        Op::Calloc { slot: 1, count: 3, size: 8 },
        Op::Realloc { slot: 0, size: 48 },
        Op::Free { slot: 0 },
        Op::Free { slot: 1 },
    ]);
    player.play(&trace, SIXTEEN).map(drop)
}

fn ls_prints_the_same(context: &Context) -> Judged {
    let folder = context.folder()?;
    for number in 0..300 {
        fs::write(folder.path().join(format!("file-{number}-{}", "x".repeat(number % 50))), b"")?;
    }
    prints_the_same(context, folder, &["ls", "-1R", "."])
}

fn sort_prints_the_same(context: &Context) -> Judged {
    let folder = context.folder()?;
    let mut rng = context.rng();
    let lines: String =
        (0..100_000).map(|_| format!("{:08x} {}\n", rng.u32(..), "y".repeat(rng.usize(..20)))).collect();
    fs::write(folder.path().join("lines"), lines)?;
    prints_the_same(context, folder, &["sort", "--parallel=1", "lines"])
}

fn python_prints_the_same(context: &Context) -> Judged {
    let folder = context.folder()?;
    let program = "import json, os, re
words = {str(n): [n, n * 1.5, 'w' * (n % 97)] for n in range(20000)}
text = json.dumps(words)
print(len(text), sum(len(w) for w in re.findall('w+', text)), sorted(json.loads(text))[:3])
mine = [bytearray(b'p' * n) for n in (10, 1000, 100000, 3000000)]
child = os.fork()
if child == 0:
    for each in mine: each[:] = b'c' * len(each)
    more = ['c' * n for n in range(2000)]
    os._exit(len(more) % 256)
print(os.waitpid(child, 0)[1])
print('changed by the child:', [len(each) for each in mine if each[0] != ord('p')])
";
    fs::write(folder.path().join("program.py"), program)?;
    prints_the_same(context, folder, &["python3", "-sS", "program.py"])
}

fn git_prints_the_same(context: &Context) -> Judged {
    let folder = context.folder()?;
    let script = "git init -q . && git config user.email a@example.com && git config user.name a
for n in 1 2 3 4 5; do
    seq $((n * 200)) >file$n && git add . && git commit -q --date='2020-01-01T00:00:00Z' -m \"change $n\" || exit 1
done
git log --stat --format=%s && git diff HEAD~2 | wc -l && git fsck && git gc -q";
    fs::write(folder.path().join("script"), script)?;
    match find("git") {
        true => prints_the_same(context, folder, &["sh", "script"]),
        false => Err(missing("git")),
    }
}

fn rustc_prints_the_same(context: &Context) -> Judged {
    prints_the_same(context, context.folder()?, &["rustc", "--version"])
}

fn missing(program: &str) -> Box<Halt> {
    Halt::skip(format!("there is no {program} here; install it to have it tried"))
}

fn find(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Runs a program as it is, and with its malloc on the library; both have to say the same.
#[track_caller]
fn prints_the_same(context: &Context, folder: Folder, command: &[&str]) -> Judged {
    has_all_four(&mut Player::new(context)?)?;
    let [program, args @ ..] = command else { return Err(Halt::fault("no program")) };
    if !find(program) {
        return Err(missing(program));
    }
    let shim = env::current_exe()?.with_file_name("libmalloc_preload.so");
    let preload = format!("{} {}", context.library().display(), shim.display());
    let run = |preload: Option<&str>, folder: &Path| -> Judged<Ending> {
        let limits = Limits { memory_bytes: 3 << 30, ..Limits::default() };
        let mut launch = context.launch_other(program, folder).limits(limits);
        launch = args.iter().fold(launch, Launch::arg);
        // Python's own pools would keep most objects to themselves.
        launch = launch.env("PYTHONMALLOC", "malloc");
        if *program == "rustc" {
            // Which toolchain it is stands in the user's folder.
            launch = env::var_os("RUSTUP_HOME")
                .map(PathBuf::from)
                .or(env::home_dir().map(|home| home.join(".rustup")))
                .iter()
                .fold(launch, |launch, folder| launch.env("RUSTUP_HOME", folder));
        }
        preload
            .into_iter()
            .fold(launch, |launch, preload| launch.env("LD_PRELOAD", preload))
            .start()?
            .finish()
    };
    // Each finds the folder as it was: git writes into it.
    let plain = run(None, copy(context, &folder)?.path())?;
    if plain.exit != Exit::Status(0) {
        return Err(Halt::skip(format!("{} does not work here: {}", command.join(" "), plain.exit)));
    }
    let did = || [format!("LD_PRELOAD=\"your library and the shim\" {}", command.join(" "))];
    let ours = run(Some(&preload), copy(context, &folder)?.path())
        .map_err(|halt| rules::never_ended(halt, program).did(did()))?;
    if ours.exit != plain.exit {
        return Err(ours.halt(&format!("{} exits with status 0", command.join(" "))).did(did()));
    }
    let differs = plain.unread.iter().zip(&ours.unread).position(|(plain, ours)| plain != ours);
    let at = differs.unwrap_or(plain.unread.len().min(ours.unread.len()));
    if plain.unread == ours.unread {
        return Ok(());
    }
    let line = |ending: &Ending| {
        ending.unread.get(at).cloned().unwrap_or_else(|| "the end of the output".to_owned())
    };
    Err(Halt::fail(format!("line {} is {}", at + 1, line(&plain)), line(&ours)).did(did()))
}

fn copy(context: &Context, folder: &Folder) -> Judged<Folder> {
    let copy = context.folder()?;
    for entry in fs::read_dir(folder.path())? {
        let entry = entry?;
        fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
    }
    Ok(copy)
}
