//! What a store may answer.

use std::fmt;

use harness::{Halt, Judged};
use serde_json::Value;

use crate::step::value_or_null;

/// A reply of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// `{"ok":true}`
    Done,
    /// `{"value":"…"}` or `{"value":null}`
    Value(Option<String>),
    /// `{"error":"…"}`
    Error(String),
}

impl Reply {
    /// Reads a line of stdout; what is no reply is the subject's mistake.
    #[track_caller]
    pub(crate) fn parse(line: &str) -> Judged<Self> {
        // What nearly every reply is, word for word; the rest takes its time.
        if line == r#"{"ok":true}"# {
            return Ok(Self::Done);
        }
        let refuse = |likely: &str| {
            let expected = r#"a line with {"ok":true}, {"value":…} or {"error":"…"}"#;
            Err(Halt::fail(expected, shortened(line)).likely(likely))
        };
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            return refuse(
                "this line is no JSON: was it meant for stderr? println! and print() write to stdout",
            );
        };
        match (&value["ok"], value.get("value"), &value["error"]) {
            (Value::Bool(true), None, Value::Null) => Ok(Self::Done),
            (Value::Null, Some(Value::String(text)), Value::Null) => Ok(Self::Value(Some(text.clone()))),
            (Value::Null, Some(Value::Null), Value::Null) => Ok(Self::Value(None)),
            (Value::Null, None, Value::String(message)) => Ok(Self::Error(message.clone())),
            _ => refuse("JSON, but not one of the three replies of the contract"),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => out.write_str(r#"{"ok":true}"#),
            Self::Value(value) => out.write_str(&value_or_null(value.as_deref())),
            Self::Error(message) => write!(out, r#"{{"error":{message:?}}}"#),
        }
    }
}

fn shortened(line: &str) -> String {
    const SHOWN: usize = 120;
    if line.len() <= SHOWN {
        return line.to_owned();
    }
    format!("{}… ({} bytes)", line.chars().take(SHOWN).collect::<String>(), line.len())
}
