//! What was done to a store, as a student would say it: `put "a" "1"; flush; delete "a"; restart; get "a"`.

use std::fmt;

/// One thing done to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Put(String, String),
    Get(String),
    Delete(String),
    Flush,
    Compact,
    /// End its input, wait until it exits, start it again on the same directory.
    Restart,
    /// SIGKILL right after the last reply, then start it again on the same directory.
    Kill,
    /// Anything else, in words.
    Say(String),
}

impl Step {
    /// The request line that asks for this step; `None` for what is no request. Written without a tree of values in
    /// between, since bulk checks write a hundred thousand of them.
    pub(crate) fn request(&self) -> Option<String> {
        Some(match self {
            Self::Put(key, value) => {
                format!("{{\"op\":\"put\",\"key\":{},\"value\":{}}}\n", json(key), json(value))
            }
            Self::Get(key) => format!("{{\"op\":\"get\",\"key\":{}}}\n", json(key)),
            Self::Delete(key) => format!("{{\"op\":\"delete\",\"key\":{}}}\n", json(key)),
            Self::Flush => "{\"op\":\"flush\"}\n".to_owned(),
            Self::Compact => "{\"op\":\"compact\"}\n".to_owned(),
            Self::Restart | Self::Kill | Self::Say(_) => return None,
        })
    }

    /// The verb and the key of a step that often comes in long runs.
    fn verb_and_key(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Put(key, _) => Some(("put", key)),
            Self::Get(key) => Some(("get", key)),
            Self::Delete(key) => Some(("delete", key)),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(key, value) => write!(out, "put {} {}", quoted(key), quoted(value)),
            Self::Get(key) => write!(out, "get {}", quoted(key)),
            Self::Delete(key) => write!(out, "delete {}", quoted(key)),
            Self::Flush => out.write_str("flush"),
            Self::Compact => out.write_str("compact"),
            Self::Restart => out.write_str("restart"),
            Self::Kill => out.write_str("kill -9 and start again"),
            Self::Say(words) => out.write_str(words),
        }
    }
}

/// A string as JSON has it. By way of a value, since that is compiled in serde_json, which is optimised; what is generic
/// would be compiled here, and take ten times as long.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Longest run of one verb that is written out in full.
const RUN: usize = 4;

/// The steps in order, long runs of one verb as `put "k0000" … "k1000" (1001 puts)`.
pub(crate) fn told(steps: &[Step]) -> Vec<String> {
    let mut told = Vec::new();
    let mut rest = steps;
    while let Some(first) = rest.first() {
        let verb = first.verb_and_key().map(|(verb, _)| verb);
        let same = |step: &&Step| verb.is_some() && step.verb_and_key().map(|(verb, _)| verb) == verb;
        let length = rest.iter().take_while(same).count().max(1);
        let (run, after) = rest.split_at(length);
        match (run, verb) {
            ([first, .., last], Some(verb)) if length > RUN => {
                let key = |step: &Step| step.verb_and_key().map(|(_, key)| quoted(key)).unwrap_or_default();
                told.push(format!("{verb} {} … {} ({length} {verb}s)", key(first), key(last)));
            }
            _ => told.extend(run.iter().map(Step::to_string)),
        }
        rest = after;
    }
    told
}

/// A string in quotes, escaped; a long one by its beginning and its length.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 32;
    if text.len() <= SHOWN {
        return format!("{text:?}");
    }
    let beginning: String = text.chars().take(SHOWN / 2).collect();
    format!("{beginning:?}… ({} bytes)", text.len())
}

/// What a get came to, as JSON would have it.
pub(crate) fn value_or_null(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_stories_are_told_in_full() {
        let steps = [Step::Put("a".into(), "1".into()), Step::Flush, Step::Delete("a".into()), Step::Restart];
        assert_eq!(told(&steps).join("; "), r#"put "a" "1"; flush; delete "a"; restart"#);
    }

    #[test]
    fn long_runs_are_counted() {
        let puts: Vec<_> = (0..1001).map(|n| Step::Put(format!("k{n:04}"), "v".into())).collect();
        assert_eq!(told(&puts), [r#"put "k0000" … "k1000" (1001 puts)"#]);
    }
}
