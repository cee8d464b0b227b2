//! What a correct store holds: a map. And the property that a store behaves like one, whatever is done to it.

use std::collections::BTreeMap;

use harness::{
    Context, Judged,
    property::{
        property,
        proptest::{collection, prelude::*, sample},
    },
};

use crate::{step::Step, store::Store};

/// The longest key, in bytes.
pub(crate) const KEY_BYTES: usize = 64 << 10;

/// The longest value, in bytes.
pub(crate) const VALUE_BYTES: usize = 1 << 20;

/// Texts that some format or other gives a meaning to.
const TEXTS: [&str; 14] = [
    "",
    " ",
    "two words",
    "line\nfeed",
    "carriage\r\nreturn",
    "tab\tand = and : and , and ;",
    "\"quoted\"",
    "back\\slash\\n",
    "null",
    "\0",
    "{\"op\":\"delete\",\"key\":\"k0\"}",
    "naïve café",
    "日本語",
    "👩‍🚀",
];

/// Each of these texts as a key and as a value.
pub(crate) fn texts() -> BTreeMap<String, String> {
    let key = |text: &str| if text.is_empty() { "k".to_owned() } else { text.to_owned() };
    TEXTS.iter().map(|text| (key(text), (*text).to_owned())).collect()
}

/// Entries whose keys and values have lengths at which formats change, up to the longest.
pub(crate) fn entries_of_all_sizes(rng: &mut fastrand::Rng) -> BTreeMap<String, String> {
    let sizes = [(1, 0), (1, 255), (255, 256), (256, 65_535), (65_535, 65_536), (KEY_BYTES, VALUE_BYTES)];
    sizes.iter().map(|&(key, bytes)| (value(rng, key), value(rng, bytes))).collect()
}

/// Few keys, so that operations meet; prefixes of each other, since those are the ones that stores confuse.
const KEYS: [&str; 5] = ["a", "ab", "abc", "b", "ä"];

/// What a store holds after `steps`.
pub(crate) fn after<'s>(steps: impl IntoIterator<Item = &'s Step>) -> BTreeMap<String, String> {
    let mut model = BTreeMap::new();
    for step in steps {
        apply(&mut model, step);
    }
    model
}

/// What one step does to the map.
pub(crate) fn apply(model: &mut BTreeMap<String, String>, step: &Step) {
    match step {
        Step::Put(key, value) => {
            model.insert(key.clone(), value.clone());
        }
        Step::Delete(key) => {
            model.remove(key);
        }
        _ => {}
    }
}

/// How often each kind of step is drawn, relative to the others; 0 for a step that a stage does not know yet.
pub(crate) struct Mix {
    pub(crate) put: u32,
    pub(crate) get: u32,
    pub(crate) delete: u32,
    pub(crate) flush: u32,
    pub(crate) compact: u32,
    pub(crate) restart: u32,
    pub(crate) kill: u32,
}

/// Random steps drawn from a mix, over a handful of keys.
fn steps(mix: &Mix, length: usize) -> impl Strategy<Value = Vec<Step>> + use<> {
    let key = || sample::select(KEYS.as_slice()).prop_map(str::to_owned);
    let value = (0..100_u32).prop_map(|number| number.to_string());
    let weighted: Vec<(u32, BoxedStrategy<Step>)> = vec![
        (mix.put, (key(), value).prop_map(|(key, value)| Step::Put(key, value)).boxed()),
        (mix.get, key().prop_map(Step::Get).boxed()),
        (mix.delete, key().prop_map(Step::Delete).boxed()),
        (mix.flush, Just(Step::Flush).boxed()),
        (mix.compact, Just(Step::Compact).boxed()),
        (mix.restart, Just(Step::Restart).boxed()),
        (mix.kill, Just(Step::Kill).boxed()),
    ];
    let drawn = weighted.into_iter().filter(|(weight, _)| *weight > 0).collect();
    collection::vec(proptest_union(drawn), 1..length)
}

fn proptest_union(weighted: Vec<(u32, BoxedStrategy<Step>)>) -> impl Strategy<Value = Step> {
    harness::property::proptest::strategy::Union::new_weighted(weighted)
}

/// A store that is given random steps answers like a map, at every get and for every key at the end.
pub(crate) fn behaves_like_a_map(context: &Context, mix: &Mix, cases: u32, length: usize) -> Judged {
    property(context, cases, steps(mix, length), |steps| {
        let mut store = Store::open(context)?;
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Get(key) => store.expect(key, model.get(key).map(String::as_str))?,
                step => store.acknowledged(step.clone())?,
            }
            apply(&mut model, step);
        }
        for key in KEYS {
            store.expect(key, model.get(key).map(String::as_str))?;
        }
        store.close()
    })
}

/// Keys that sort as they are numbered: `k000007`.
pub(crate) fn key(number: usize) -> String {
    format!("k{number:06}")
}

/// Puts of the numbered keys, each with a value of `bytes` that no other run has.
pub(crate) fn puts(
    rng: &mut fastrand::Rng,
    numbers: impl IntoIterator<Item = usize>,
    bytes: usize,
) -> Vec<Step> {
    numbers.into_iter().map(|number| Step::Put(key(number), value(rng, bytes))).collect()
}

/// A value of `bytes` letters and digits that no other run has; beyond the first few dozen they repeat.
pub(crate) fn value(rng: &mut fastrand::Rng, bytes: usize) -> String {
    const RANDOM: usize = 64;
    let random: String = std::iter::repeat_with(|| rng.alphanumeric()).take(bytes.min(RANDOM)).collect();
    let mut value = random.repeat(bytes.div_ceil(RANDOM));
    value.truncate(bytes);
    value
}

/// Random writes over the first `keys` numbered keys, one in `deletes` of them a delete, the others puts of `bytes`.
pub(crate) fn writes(
    rng: &mut fastrand::Rng,
    count: usize,
    keys: usize,
    deletes: usize,
    bytes: usize,
) -> Vec<Step> {
    let write = |_| {
        let number = rng.usize(..keys);
        match rng.usize(..deletes) {
            0 => Step::Delete(key(number)),
            _ => Step::Put(key(number), value(rng, bytes)),
        }
    };
    (0..count).map(write).collect()
}

/// Those of the first `keys` numbered keys that a map does not hold.
pub(crate) fn absent(model: &BTreeMap<String, String>, keys: usize) -> Vec<String> {
    (0..keys).map(key).filter(|key| !model.contains_key(key)).collect()
}
