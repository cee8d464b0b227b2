//! Stage 4: many tables become one, and nobody who asks can tell.

use std::collections::BTreeMap;

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    disk,
    model::{self, Mix, behaves_like_a_map},
    step::{Step, quoted},
    store::Store,
};

mod scale;

pub(crate) const STAGE: Stage = Stage {
    number: 4,
    slug: "compaction",
    bonus: false,
    checks: &[
        Check::new("compact_leaves_at_most_one_table", compact_leaves_at_most_one_table)
            .points(2)
            .must("after compact at most one table is left")
            .why("Every table is one more place to look. Compaction is what keeps reads from slowing down for ever."),
        Check::new("nothing_is_left_of_nothing", nothing_is_left_of_nothing)
            .must("after everything was deleted, flushed and compacted no table is left")
            .why("At the bottom a tombstone has nothing left to hide. Kept there, it would be kept for ever."),
        Check::new("deleted_keys_stay_deleted_after_compaction", deleted_keys_stay_deleted_after_compaction)
            .points(3)
            .must("a deleted key stays deleted, whatever is merged")
            .why("A tombstone has to outlive every older version of its key, wherever that is: on disk or still to come."),
        Check::new("overwritten_and_deleted_data_is_gone", overwritten_and_deleted_data_is_gone)
            .points(2)
            .must("after flush and compact the tables hold no overwritten value and no value of a deleted key")
            .why("Space comes back only here. And data that was deleted should, some day, not be there any more."),
        Check::new("space_follows_the_live_data", space_follows_the_live_data)
            .points(2)
            .must("after flush and compact the directory takes at most twice the live data")
            .why("Space amplification is the price of writing without looking; compaction is how it is paid back."),
        Check::new("tables_never_change_while_merging", tables_never_change_while_merging)
            .points(2)
            .must("compact writes new tables and removes old ones; it changes none")
            .why("Whoever reads an input while it is merged, or starts again in the middle, has to find it whole."),
        Check::new("compaction_changes_no_answer", compaction_changes_no_answer)
            .points(4)
            .must("every get returns the same before compact, after it, and after a restart")
            .why("Compaction is housekeeping. Whoever notices it has lost data."),
        Check::new("ten_thousand_puts_and_gets_stay_correct", scale::ten_thousand_puts_and_gets_stay_correct)
            .points(3)
            .must("10,000 puts, deletes and gets with flushes and compactions between, 64 descriptors, no wrong answer")
            .why("Ten operations prove a design; ten thousand prove a program."),
        Check::new("a_hundred_thousand_puts_stay_correct", scale::a_hundred_thousand_puts_stay_correct)
            .points(3)
            .must("100,000 puts with a compact every 10,000 stay correct with 64 descriptors, after a restart too")
            .why("What leaks a little at each flush or merge shows only after a hundred of them."),
        Check::new("compaction_needs_little_memory", scale::compaction_needs_little_memory)
            .points(2)
            .must("compacting 100,000 values of 1 KiB stays below 50 MB of anonymous memory")
            .why("Inputs are sorted, so a merge needs one entry of each at a time, however large they are."),
        Check::new("gets_do_not_leak_descriptors", scale::gets_do_not_leak_descriptors)
            .must("the number of open files does not grow with the number of gets")
            .why("A descriptor that is not closed is found when the thousandth request fails, by somebody else."),
        Check::new("a_get_costs_the_same_in_a_large_store", scale::a_get_costs_the_same_in_a_large_store)
            .points(3)
            .must("what a get reads and computes does not grow with the number of keys")
            .why("Sorted tables are worth their trouble only if they are searched, not scanned."),
        Check::new("behaves_like_a_map_with_compaction", behaves_like_a_map_with_compaction)
            .points(4)
            .must("any sequence of operations, flushes, compactions, restarts and kills gives the answers of a map")
            .why("Tombstones, versions and order meet in a merge; the shortest sequence that confuses it tells which."),
    ],
};

/// Keys that a history is about.
const KEYS: usize = 120;

/// A store after `flushes` flushes of random puts and deletes over the same keys.
fn with_history(context: &Context, flushes: usize) -> Judged<(Store<'_>, BTreeMap<String, String>)> {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let mut model = BTreeMap::new();
    for _ in 0..flushes {
        let steps = model::writes(&mut rng, KEYS / 2, KEYS, 4, 60);
        store.all_acknowledged(&steps)?;
        steps.iter().for_each(|step| model::apply(&mut model, step));
        store.flush()?;
    }
    Ok((store, model))
}

fn compact_leaves_at_most_one_table(context: &Context) -> Judged {
    // Several numbers of tables, since a store that merges by itself may have merged some of them already; and once
    // with puts that are in no table yet.
    for (flushes, unflushed) in [(2, 0), (3, 0), (6, 0), (3, 2)] {
        let mut store = Store::open(context)?;
        for flush in 0..flushes {
            store.put("a", &flush.to_string())?;
            store.put(&format!("k{flush}"), "1")?;
            store.flush()?;
        }
        for put in 0..unflushed {
            store.put(&format!("u{put}"), "2")?;
        }
        store.compact()?;
        disk::at_most(&store, 1, "at most one table after compact")?;
        store.restart()?;
        store.compact()?;
        disk::at_most(&store, 1, "at most one table after a restart and compact")?;
        store.expect("a", Some(&(flushes - 1).to_string()))?;
        store.close()?;
    }
    Ok(())
}

fn nothing_is_left_of_nothing(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    for key in ["a", "b", "c"] {
        store.put(key, "1")?;
    }
    store.flush()?;
    for key in ["a", "b", "c"] {
        store.delete(key)?;
    }
    store.flush()?;
    store.compact()?;
    disk::at_most(&store, 0, "no table: nothing lives")
        .map_err(|halt| halt.likely("tombstones are kept by a merge of all tables"))?;
    store.expect("a", None)?;
    store.restart()?;
    store.expect("b", None)?;
    store.close()
}

fn compaction_changes_no_answer(context: &Context) -> Judged {
    let (mut store, model) = with_history(context, 8)?;
    let absent = model::absent(&model, KEYS);
    store.expect_all(&model, &absent)?;
    store.compact()?;
    store.expect_all(&model, &absent)?;
    store.restart()?;
    store.expect_all(&model, &absent)?;
    store.compact()?;
    store.expect_all(&model, &absent)?;
    store.close()
}

fn deleted_keys_stay_deleted_after_compaction(context: &Context) -> Judged {
    // The tombstone in a table of its own.
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    store.flush()?;
    store.delete("a")?;
    store.flush()?;
    store.compact()?;
    store.expect("a", None)?;
    store.restart()?;
    store.expect("a", None)?;
    store.close()?;

    // The tombstone still in the memtable when the rest is merged.
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    store.put("b", "2")?;
    store.flush()?;
    store.put("c", "3")?;
    store.flush()?;
    store.delete("a")?;
    store.compact()?;
    store.expect("a", None)?;
    store.flush()?;
    store.restart()?;
    store.expect("a", None)?;
    store.expect("b", Some("2"))?;
    store.close()?;

    // A tombstone in the middle of many tables: whatever is merged on the way, it hides what lies below. The oldest
    // table is larger than the others, so that merges of equals leave it out.
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    store.put("keep", "0")?;
    store.all_acknowledged(&model::puts(&mut context.rng(), 0..200, 10))?;
    store.flush()?;
    store.delete("a")?;
    store.flush()?;
    for table in 0..12 {
        store.put(&format!("k{table}"), "2")?;
        store.flush()?;
        store.expect("a", None).map_err(|halt| {
            halt.likely("a merge drops the tombstone while an older table still holds the key")
        })?;
    }
    store.compact()?;
    store.expect("a", None)?;
    store.expect("keep", Some("0"))?;
    store.close()
}

fn overwritten_and_deleted_data_is_gone(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let (old, deleted, live) =
        (model::value(&mut rng, 24), model::value(&mut rng, 24), model::value(&mut rng, 24));
    store.put("a", &old)?;
    store.put("b", &deleted)?;
    store.flush()?;
    store.put("a", &live)?;
    store.delete("b")?;
    store.flush()?;
    store.compact()?;
    for (path, bytes) in disk::tables(&store.dir())? {
        for (value, what) in [(&old, "the overwritten value"), (&deleted, "the value of the deleted key")] {
            if let Some(at) = disk::find(&bytes, value.as_bytes()) {
                let halt = Halt::fail(
                    format!("{what}, {}, in no table", quoted(value)),
                    format!("it stands in {} at byte {at}", path.display()),
                );
                return Err(store.tell(halt));
            }
        }
    }
    store.expect("a", Some(&live))?;
    store.expect("b", None)?;
    store.close()
}

fn space_follows_the_live_data(context: &Context) -> Judged {
    const KEYS: usize = 1_000;
    const VALUE_BYTES: usize = 1_100;
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let mut steps = Vec::new();
    for _ in 0..10 {
        steps = model::puts(&mut rng, 0..KEYS, VALUE_BYTES);
        store.all_acknowledged(&steps)?;
        store.flush()?;
    }
    store.compact()?;
    disk::takes_little(&store, &model::after(&steps))?;
    store.close()
}

fn tables_never_change_while_merging(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut steps = Vec::new();
    for round in 1..=3 {
        for table in 0..3 {
            steps.extend(model::puts(&mut rng, (0..20).map(|number| number * (table + round)), 100));
            steps.push(Step::Flush);
        }
        steps.push(Step::Compact);
    }
    // A table alone: nothing is left to merge it with.
    steps.push(Step::Compact);
    disk::never_change(context, &steps)
}

fn behaves_like_a_map_with_compaction(context: &Context) -> Judged {
    let mix = Mix { put: 8, get: 4, delete: 4, flush: 4, compact: 2, restart: 1, kill: 1 };
    behaves_like_a_map(context, &mix, 80, 30)
}
