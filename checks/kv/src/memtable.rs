//! Stage 2: the log is written, memory is read. What a start rebuilds has to be what was there.

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    disk, model,
    oracle::{self, Crashes},
    step::Step,
    store::Store,
};

pub(crate) const STAGE: Stage = Stage {
    number: 2,
    slug: "memtable",
    bonus: false,
    checks: &[
        Check::new("gets_do_not_read_the_log_again", gets_do_not_read_the_log_again)
            .points(4)
            .must("a get is served from memory: it does not read the log, nor to find out that a key is absent")
            .why("A log is in the order of writing. Looking a key up in it costs as much as all that was ever written."),
        Check::new("a_long_log_is_replayed_to_its_end", a_long_log_is_replayed_to_its_end)
            .points(3)
            .must("a start replays the whole log, in order: the last write of each key wins")
            .why("The memtable is only a view of the log. A view of a part of it is an older store."),
        Check::new("memory_holds_one_version_of_a_key", memory_holds_one_version_of_a_key)
            .points(2)
            .must("overwriting the same keys does not make the program grow")
            .why("The memtable is a map, not a second log: what nobody can read any more has no place in memory."),
        Check::new("opening_again_does_not_grow_the_directory", opening_again_does_not_grow_the_directory)
            .points(2)
            .must("starting and stopping without writing does not make the directory grow without bound")
            .why("A replay that goes through `put` writes everything into the log again: it doubles at each start."),
        Check::new("a_kill_during_a_start_loses_nothing", a_kill_during_a_start_loses_nothing)
            .points(3)
            .must("a start that is killed at any moment can be begun again, with nothing lost")
            .why("Machines that crash tend to crash again. Recovery has to be safe to interrupt."),
    ],
};

fn gets_do_not_read_the_log_again(context: &Context) -> Judged {
    const KEYS: usize = 500;
    const GETS: usize = 10_000;
    const SLACK: u64 = 1 << 20;
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    store.all_acknowledged(&model::puts(&mut rng, 0..KEYS, 1_000))?;
    // A key that is not there is looked for as well.
    let gets: Vec<_> = (0..GETS).map(|_| Step::Get(model::key(rng.usize(..2 * KEYS)))).collect();
    let sent: usize = gets.iter().filter_map(Step::request).map(|request| request.len()).sum();
    let log_bytes = disk::bytes(&store.dir())?;

    let before = store.usage()?.read_bytes;
    store.ask_all(&gets)?;
    let read = (store.usage()?.read_bytes - before).saturating_sub(sent as u64);
    store.say(format!("get {GETS} times, every other time a key that is not there"));
    if read > SLACK {
        let halt = Halt::fail(
            "nothing is read but the requests",
            format!(
                "{read} bytes read, {} for each get; the directory holds {log_bytes}",
                read / GETS as u64
            ),
        );
        return Err(store.tell(halt.likely("a get searches the log instead of a table in memory")));
    }
    store.close()
}

fn a_long_log_is_replayed_to_its_end(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let steps: Vec<_> = (0..5_000).flat_map(|number| model::puts(&mut rng, [number % 10], 20)).collect();
    store.all_acknowledged(&steps)?;
    let model = model::after(&steps);
    store.expect_all(&model, [])?;
    store.restart()?;
    store.expect_all(&model, [])?;
    store.restart()?;
    store.expect_all(&model, [])?;
    store.close()
}

fn memory_holds_one_version_of_a_key(context: &Context) -> Judged {
    const KEYS: usize = 10;
    // A runtime that collects garbage lets some lie before it begins, and has its usual size only then. In all it is less
    // than the 32 MiB of a log after which a memtable may go.
    const ROUNDS_BEFORE: usize = 2;
    const OVERWRITES: usize = 5_000;
    const VALUE_BYTES: usize = 4_000;
    const ROOM: u64 = 12 << 20;
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let round = model::puts(&mut rng, (0..1_000).map(|number| number % KEYS), VALUE_BYTES);
    for _ in 0..ROUNDS_BEFORE {
        store.all_acknowledged(&round)?;
    }
    let before = store.usage()?.anonymous_bytes;
    for _ in 0..OVERWRITES / round.len() {
        store.ask_all(&round)?;
    }
    let growth = store.usage()?.anonymous_bytes.saturating_sub(before);
    store.say(format!("overwrite the same {KEYS} keys {OVERWRITES} times, {VALUE_BYTES} bytes each"));
    if growth > ROOM {
        let halt = Halt::fail(
            format!("memory for {KEYS} values, give or take {} MiB", ROOM >> 20),
            format!("it grew by {} MiB", growth >> 20),
        );
        return Err(store.tell(halt.likely("every version of a key is kept in memory")));
    }
    store.close()
}

fn opening_again_does_not_grow_the_directory(context: &Context) -> Judged {
    const STARTS: usize = 12;
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    store.all_acknowledged(&model::puts(&mut rng, 0..200, 100))?;
    store.restart()?;
    let before = disk::bytes(&store.dir())?;
    for _ in 0..STARTS {
        store.restart()?;
    }
    let after = disk::bytes(&store.dir())?;
    if after > 4 * before + (64 << 10) {
        let expected = format!("a directory about as large as before, {before} bytes");
        let halt = Halt::fail(expected, format!("{after} bytes after {STARTS} more starts"));
        return Err(store.tell(halt.likely("replaying the log writes it again")));
    }
    store.close()
}

fn a_kill_during_a_start_loses_nothing(context: &Context) -> Judged {
    let mut rng = context.rng();
    let steps = oracle::script(&mut rng, "a b c -b d a -d b e a -a c b f -f a d");
    let mut store = Store::open(context)?;
    store.all_acknowledged(&steps)?;
    store.kill()?;
    let files = disk::read_all(&store.dir())?;
    oracle::survives_crashes(context, &files, &steps, &[], Crashes::BetweenChanges)
}
