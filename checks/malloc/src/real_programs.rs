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
    seen::Seen,
    trace::{Op, Trace},
    wire::hand_over,
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

const THREADS: usize = 8;

fn eight_threads_keep_their_blocks_apart(context: &Context) -> Judged {
    const OPERATIONS: usize = 20_000;
    let mut player = Player::new(context)?;
    has_all_four(&mut player)?;
    for round in 0..3 {
        hammer(&mut player, OPERATIONS, context.seed() + round)?;
    }
    Ok(())
}

fn what_another_thread_frees_is_used_again(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    has_all_four(&mut player)?;
    for (number, &bytes) in VOLUMES.iter().enumerate() {
        let seen = pass_on(&mut player, bytes, context.seed())?;
        if seen.largest_step() * LARGE <= bytes || number + 1 == VOLUMES.len() {
            return levels_off(&seen, bytes).map_err(|halt| halt.did([passing_on(bytes)]));
        }
    }
    Ok(())
}

/// How much is handed over. The first is far above what caches of a bounded size hold; the second is for libraries that
/// ask the OS for so much at once that they would not have to ask again.
const VOLUMES: [usize; 2] = [64 << 20, 256 << 20];

/// A volume is large if it is so many times the largest step.
const LARGE: usize = 4;

/// The footprint may grow by this part of the volume, besides one step: some caches take their time to fill. It grows by
/// all of it where nothing is used again that another thread freed.
const TOLERANCE: usize = 4;

/// Judges by how much the footprint grew after as much had been in use as ever is at once, and much had been freed.
#[track_caller]
fn levels_off(seen: &Seen, bytes: usize) -> Judged {
    let (before, after) = (seen.peak_footprint(hand_over::FULL..hand_over::END), seen.highest_footprint());
    if after.saturating_sub(before) <= bytes / TOLERANCE + seen.largest_step() {
        return Ok(());
    }
    let (half, warm_up) = (THREADS / 2, amount(bytes / hand_over::WARM_UP));
    let (bytes, before, after) = (amount(bytes), amount(before), amount(after));
    let expected = format!(
        "memory that another thread freed is used again: the footprint stays near the {before} that it had when the \
         first {warm_up} had been passed on"
    );
    let got = format!(
        "{bytes} of blocks passed from {half} threads to {half} others: the footprint went from {before} to {after}"
    );
    let likely = "a block that is freed by another thread than its owner is dropped, or is kept in a cache that only \
                  the freeing thread can empty, and that thread never allocates";
    Err(Halt::fail(expected, got).likely(likely))
}

/// Bytes in words.
fn amount(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

/// Has half of the threads free what the other half allocates, and judges the blocks, but not the memory they took.
fn pass_on(player: &mut Player<'_>, bytes: usize, seed: u64) -> Judged<Seen> {
    judged(player.threads("hand-over", THREADS, bytes, seed), &passing_on(bytes))
}

fn passing_on(bytes: usize) -> String {
    let (half, [smallest, .., largest]) = (THREADS / 2, hand_over::SIZES);
    let in_use = half * hand_over::IN_USE;
    format!(
        "{half} threads allocate and fill blocks of {smallest} to {largest} bytes, {half} others verify and free them: \
         {} in all, and at most {in_use} blocks at once",
        amount(bytes)
    )
}

/// Has all threads do everything, and judges what was seen.
fn hammer(player: &mut Player<'_>, operations: usize, seed: u64) -> Judged {
    let story = format!(
        "{THREADS} threads allocate and free, {operations} times each, and hand blocks to each other"
    );
    judged(player.threads("hammer", THREADS, operations, seed), &story).map(drop)
}

/// Judges what threads did by the rules that hold for all of them.
fn judged(seen: Judged<Seen>, story: &str) -> Judged<Seen> {
    let did = || [story.to_owned()];
    let seen = seen.map_err(|halt| {
        halt.did(did()).likely("a lock that is taken twice by one thread, or never given back")
    })?;
    rules::judge_threads(&seen).map_err(|halt| halt.did(did()))?;
    Ok(seen)
}

/// The library has what stages 1 to 5 ask for: a program needs all of it at once.
fn has_all_four(player: &mut Player<'_>) -> Judged {
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
child = os.fork()
if child == 0:
    more = ['c' * n for n in range(2000)]
    os._exit(len(more) % 256)
print(os.waitpid(child, 0)[1])
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
