//! The public signatures of a Rust file, as text: enough to see that starter and solution offer the same, without a
//! parser. It relies on rustfmt: an item begins on a line of its own, and a body opens with ` {` at a line's end.

use std::collections::BTreeSet;

/// Every `pub` item up to its body, with white space folded. Fields count only where they are public.
pub(super) fn public(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut lines = source.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    while let Some(line) = lines.next() {
        if !line.trim_start().starts_with("pub ") {
            continue;
        }
        let mut signature = line.trim().to_owned();
        while !is_complete(&signature) {
            let Some(more) = lines.next() else { break };
            signature = format!("{signature} {}", more.trim());
        }
        found.insert(folded(&signature));
    }
    found
}

fn is_complete(signature: &str) -> bool {
    let before_comment = signature.split(" // ").next().unwrap_or(signature).trim_end();
    before_comment.ends_with([';', '{', '}', ',']) && balanced(before_comment)
}

/// Whether every parenthesis that was opened is closed: a comma inside a list ends nothing.
fn balanced(text: &str) -> bool {
    text.matches('(').count() == text.matches(')').count()
}

fn folded(signature: &str) -> String {
    let text = signature.split(" // ").next().unwrap_or(signature);
    // A constant's value is not its signature; neither is what stands in braces.
    let text = if text.starts_with("pub const ") || text.starts_with("pub static ") {
        text.split(" = ").next().unwrap_or(text)
    } else {
        text
    };
    let text = text.split(" {").next().unwrap_or(text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("( ", "(").replace(",)", ")").replace(", )", ")").trim_end_matches([';', ',']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_do_not_matter_and_signatures_do() {
        let starter =
            "pub fn get(&self, key: &str) -> Option<String> {\n    todo!()\n}\npub struct Store {}\n";
        let solution = "pub fn get(\n    &self,\n    key: &str,\n) -> Option<String> {\n    None\n}\n\
                        pub struct Store {\n    map: Map,\n}\nfn private() {}\n";
        assert_eq!(public(starter), public(solution));
        assert!(
            public(starter).contains("pub fn get(&self, key: &str) -> Option<String>"),
            "{:?}",
            public(starter)
        );
        assert_ne!(public(starter), public(&solution.replace("&str", "String")));
    }
}
