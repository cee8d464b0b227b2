//! What the probe answers, and how that is written as JSON. A byte of a text becomes the character of its number, so
//! that the reader gets every byte back.

/// A value.
pub(crate) enum Answer {
    /// `null`.
    Nothing,
    /// A whole number.
    Number(i64),
    /// Bytes.
    Text(Vec<u8>),
    /// Several.
    List(Vec<Answer>),
    /// Several with names.
    Object(Vec<(String, Answer)>),
}

impl Answer {
    /// Bytes.
    pub(crate) fn text(bytes: &[u8]) -> Self {
        Self::Text(bytes.to_vec())
    }

    /// Several with names.
    pub(crate) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Answer)>) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// As JSON, in one line.
    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::Nothing => "null".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Text(bytes) => quoted(bytes),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(fields) => {
                let field = |(name, value): &(String, Self)| {
                    format!("{}:{}", quoted(name.as_bytes()), value.to_json())
                };
                format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
            }
        }
    }
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', byte.into()]),
            b' '..=b'~' => text.push(byte.into()),
            _ => text.push_str(&format!("\\u{byte:04x}")),
        }
    }
    text.push('"');
    text
}
