//! "Did you mean": the known name that is most like an unknown one.

/// The likeliest of `known`, if any is likely at all.
pub(crate) fn nearest<'k>(unknown: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    const LIKELY: f64 = 0.6;
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(unknown, name), name));
    scored.filter(|(score, _)| *score >= LIKELY).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// `; did you mean NAME?`, or nothing.
pub(crate) fn suggestion<'k>(unknown: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(unknown, known).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_a_stranger_is_not() {
        assert_eq!(
            nearest("newest_tabel_wins", ["oldest_first", "newest_table_wins"]),
            Some("newest_table_wins")
        );
        assert_eq!(nearest("qqq", ["kv", "http"]), None);
    }
}
