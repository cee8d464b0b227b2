//! Stage 3: more data than memory. Tables are written once, read for ever, and found in the right order.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    disk::{self, Files},
    model::{self, Mix, behaves_like_a_map, key},
    oracle::{self, Crashes},
    step::{Step, quoted},
    store::Store,
};

mod lookup;

/// Distinct keys that a memtable may hold.
const MEMTABLE: usize = 1_000;

pub(crate) const STAGE: Stage = Stage {
    number: 3,
    slug: "sstable",
    bonus: false,
    checks: &[
        Check::new("key_1001_makes_a_table", key_1001_makes_a_table)
            .points(2)
            .must("when the memtable holds more than 1,000 distinct keys, a table exists by the time the next request is answered")
            .why("The limit is what keeps memory bounded; the table is what makes room."),
        Check::new("a_thousand_keys_make_no_table", a_thousand_keys_make_no_table)
            .must("1,000 distinct keys make no table, however often they are overwritten")
            .why("Overwriting in memory is free. A table for every thousand writes would throw that away."),
        Check::new("tombstones_are_entries", tombstones_are_entries)
            .must("a deleted key counts towards the memtable's limit like one that was put")
            .why("The memtable has to remember a delete as long as an older table holds the key."),
        Check::new("flush_makes_a_table", flush_makes_a_table)
            .must("flush writes the memtable to a table before it is acknowledged")
            .why("A file that ends in .sst is the only thing that others, and later stages, can rely on."),
        Check::new("tables_hold_entries_in_key_order", tables_hold_entries_in_key_order)
            .points(2)
            .must("a table holds its keys and values as they are, in the order of the keys' bytes")
            .why("Order is what makes a table searchable without reading it, and mergeable without holding it."),
        Check::new("tables_never_change", tables_never_change)
            .points(3)
            .must("from the moment a file has a name that ends in .sst its bytes never change")
            .why("A table that is written under its final name is, for a while, half a table with the name of a whole one."),
        Check::new("newest_table_wins", lookup::newest_table_wins)
            .points(3)
            .must("a key that stands in many tables has the value of the newest, before and after a restart")
            .why("Tables do not know each other's versions: the order in which they are asked is the only truth."),
        Check::new("every_key_of_every_table_is_found", lookup::every_key_of_every_table_is_found)
            .points(3)
            .must("each key is found, the first and the last of every table and every block included")
            .why("A sparse index is off by one at its edges, where no small test looks."),
        Check::new("tables_take_any_text_of_any_size", lookup::tables_take_any_text_of_any_size)
            .points(2)
            .must("a table gives back any text, empty values, keys of 64 KiB and values of 1 MiB, before and after a restart")
            .why("A table is a second format, and has its own separators and lengths to get wrong."),
        Check::new("keys_between_neighbours_are_absent", lookup::keys_between_neighbours_are_absent)
            .must("a key that sorts between, before or after those that were put is null")
            .why("A search that ends near a key has not found it."),
        Check::new("a_delete_hides_older_tables", lookup::a_delete_hides_older_tables)
            .points(3)
            .must("a deleted key is null although an older table still holds it, before and after a flush and a restart")
            .why("Nothing can be removed from a table, so a delete has to be an entry of its own: a tombstone."),
        Check::new("the_log_ends_with_its_memtable", the_log_ends_with_its_memtable)
            .points(2)
            .must("what is not in tables does not grow with the number of flushes")
            .why("A log that is never reset is replayed from the beginning of time, and holds everything twice."),
        Check::new("a_kill_around_a_flush_loses_nothing", a_kill_around_a_flush_loses_nothing)
            .points(4)
            .must("a flush that is killed between any two changes on disk loses nothing and brings nothing back")
            .why("For a moment the data is in the log, or in the table, or in both. It must never be in neither."),
        Check::new("memory_does_not_grow_with_the_data", memory_does_not_grow_with_the_data)
            .points(3)
            .must("memory does not follow the data: 15,000 values of 4 KiB stay below 50 MB of anonymous memory, after a restart as well")
            .why("A store is for more than fits in memory; otherwise a map and a log would do."),
        Check::new("behaves_like_a_map_with_flushes", behaves_like_a_map_with_flushes)
            .points(3)
            .must("any sequence of operations, flushes, restarts and kills gives the answers of a map")
            .why("The shortest story that breaks a store is one that nobody would have written down."),
    ],
};

fn key_1001_makes_a_table(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let steps = model::puts(&mut rng, 0..=MEMTABLE, 10);
    store.all_acknowledged(&steps)?;
    store.get(&key(0))?;
    if disk::tables(&store.dir())?.is_empty() {
        return Err(store.tell(Halt::fail("a file in DIR whose name ends in .sst", "none")));
    }
    // The key that was one too many belongs to the old memtable or to the new one, and to its log.
    store.kill()?;
    store.expect_all(&model::after(&steps), [])?;
    store.close()
}

fn a_thousand_keys_make_no_table(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    store.all_acknowledged(&model::puts(&mut rng, 0..MEMTABLE, 10))?;
    store.all_acknowledged(&model::puts(&mut rng, (0..5_000).map(|number| number % 10), 10))?;
    store.get(&key(0))?;
    if let Some(table) = disk::tables(&store.dir())?.keys().next() {
        let halt = Halt::fail(
            "no table yet: 1,000 distinct keys are within the limit",
            format!("{}", table.display()),
        );
        return Err(
            store.tell(halt.likely("overwrites are counted as new entries, or the limit is taken as 999"))
        );
    }
    store.close()
}

fn tombstones_are_entries(context: &Context) -> Judged {
    const DELETED: usize = 600;
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    store.all_acknowledged(&model::puts(&mut rng, 0..DELETED, 10))?;
    store.flush()?;
    let before: BTreeSet<_> = disk::tables(&store.dir())?.into_keys().collect();
    let deletes: Vec<_> = (0..DELETED).map(|number| Step::Delete(key(number))).collect();
    store.all_acknowledged(&deletes)?;
    store.all_acknowledged(&model::puts(&mut rng, DELETED..=MEMTABLE, 10))?;
    store.get(&key(0))?;
    let after: BTreeSet<_> = disk::tables(&store.dir())?.into_keys().collect();
    if after == before {
        let expected =
            format!("a new table: {DELETED} deletes and {} puts are 1,001 entries", MEMTABLE + 1 - DELETED);
        return Err(store.tell(Halt::fail(expected, "the same tables as before")));
    }
    store.close()
}

fn flush_makes_a_table(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    store.flush()?;
    if disk::tables(&store.dir())?.is_empty() {
        return Err(store.tell(Halt::fail("a file in DIR whose name ends in .sst", "none")));
    }
    store.expect("a", Some("1"))?;
    store.close()
}

/// Keys that other orders put elsewhere: one without case, that of a language, and UTF-16's, in which what is beyond
/// U+FFFF stands before U+E000.
const ORDERED_BY_BYTES: [&str; 8] = [
    "Zz-upper",
    "aa-lower",
    "zz-lower",
    "é-acute",
    "f-plain",
    "\u{fffd}-last-but-one",
    "\u{10000}-beyond",
    "日-wide",
];

fn tables_hold_entries_in_key_order(context: &Context) -> Judged {
    const KEYS: usize = 300;
    let mut rng = context.rng();
    let mut numbers: Vec<_> = (0..KEYS).collect();
    rng.shuffle(&mut numbers);
    let mut store = Store::open(context)?;
    // Characters that text formats escape: here they stand for themselves.
    let put = |key: String| {
        let bytes = rng.usize(20..60);
        Step::Put(key, format!("{}\"\né\\", model::value(&mut rng, bytes)))
    };
    let keys = numbers.into_iter().map(key).chain(ORDERED_BY_BYTES.map(str::to_owned));
    let steps: Vec<_> = keys.map(put).collect();
    store.all_acknowledged(&steps)?;
    store.flush()?;
    let tables = disk::tables(&store.dir())?;
    let mut last: BTreeMap<&PathBuf, (usize, &String)> = BTreeMap::new();
    let model = model::after(&steps);
    for (key, value) in &model {
        let holder = tables.iter().find(|(_, bytes)| disk::find(bytes, value.as_bytes()).is_some());
        let Some((path, bytes)) = holder else {
            let likely =
                "the table escapes, encodes or compresses what it stores, or splits it over two blocks";
            let halt = Halt::fail(
                format!("the value of {} stands in a table as it is", quoted(key)),
                "it is in none",
            );
            return Err(store.tell(halt.likely(likely)));
        };
        let at = disk::find_verbatim((path, bytes), value).map_err(|halt| store.tell(halt))?;
        disk::find_verbatim((path, bytes), key).map_err(|halt| store.tell(halt))?;
        if let Some((before, previous)) = last.insert(path, (at, key)).filter(|(before, _)| *before >= at) {
            let expected =
                format!("{} stands behind {} in {}", quoted(key), quoted(previous), path.display());
            return Err(store
                .tell(Halt::fail(expected, format!("its value is at byte {at}, the other's at {before}"))));
        }
    }
    store.close()
}

fn tables_never_change(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut steps = Vec::new();
    for round in 0..4 {
        steps.extend(model::puts(&mut rng, (0..40).map(|number| number * (round + 1)), 200));
        steps.push(Step::Flush);
    }
    disk::never_change(context, &steps)
}

fn the_log_ends_with_its_memtable(context: &Context) -> Judged {
    const ROUND: usize = 300;
    const VALUE_BYTES: usize = 1_000;
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let mut after_round = Vec::new();
    for round in 0..12 {
        let steps = model::puts(&mut rng, round * ROUND..(round + 1) * ROUND, VALUE_BYTES);
        store.all_acknowledged(&steps)?;
        store.flush()?;
        after_round.push(disk::bytes_outside_tables(&store.dir())?);
    }
    let (early, late) = (after_round[1], after_round[11]);
    // A log that goes a moment after its reply may be there one time and not the other.
    if late > early + 3 * ROUND * VALUE_BYTES {
        let expected = format!("about as much outside of tables as after 2 flushes, {early} bytes");
        let halt = Halt::fail(expected, format!("{late} bytes after 12 flushes"));
        return Err(store.tell(halt.likely("the log is not reset when its memtable has become a table")));
    }
    store.close()
}

fn a_kill_around_a_flush_loses_nothing(context: &Context) -> Judged {
    let steps = oracle::script(&mut context.rng(), "a b c d flush a -b e flush -c f a flush d -a");
    oracle::survives_crashes(context, &Files::new(), &[], &steps, Crashes::BetweenChanges)
}

/// Demands that it takes as little memory as the specification says.
#[track_caller]
fn is_small(store: &mut Store<'_>) -> Judged {
    const LIMIT: u64 = 50_000_000;
    match store.usage()?.anonymous_bytes {
        memory if memory > LIMIT => {
            Err(Halt::fail("less than 50 MB of anonymous memory", format!("{} MB", memory / 1_000_000)))
        }
        _ => Ok(()),
    }
}

fn memory_does_not_grow_with_the_data(context: &Context) -> Judged {
    const PUTS: usize = 15_000;
    const VALUE_BYTES: usize = 4 << 10;
    const BATCH: usize = 1_250;
    let mut rng = context.rng();
    let filler = model::value(&mut rng, VALUE_BYTES);
    let mut store = Store::open(context)?;
    for batch in 0..PUTS / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let puts = numbers.map(|number| Step::Put(key(number), format!("{number:08}{}", &filler[8..])));
        store.ask_all(&puts.collect::<Vec<_>>())?;
        if let Err(halt) = is_small(&mut store) {
            let count = (batch + 1) * BATCH;
            store.say(format!("put {count} distinct keys, 4 KiB each"));
            let likely = if disk::tables(&store.dir())?.is_empty() {
                "nothing is ever flushed to a table"
            } else {
                "what was flushed to a table is still held in memory"
            };
            return Err(store.tell(halt.likely(likely)));
        }
    }
    let sample: BTreeMap<_, _> = (0..PUTS)
        .step_by(2_503)
        .map(|number| (key(number), format!("{number:08}{}", &filler[8..])))
        .collect();
    store.say(format!("put {PUTS} distinct keys, 4 KiB each"));
    store.expect_all(&sample, [])?;
    store.restart()?;
    store.expect_all(&sample, [])?;
    is_small(&mut store)
        .map_err(|halt| store.tell(halt.likely("a start reads whole tables, and keeps them")))?;
    store.close()
}

fn behaves_like_a_map_with_flushes(context: &Context) -> Judged {
    let mix = Mix { put: 8, get: 4, delete: 4, flush: 3, compact: 0, restart: 1, kill: 1 };
    behaves_like_a_map(context, &mix, 80, 30)
}
