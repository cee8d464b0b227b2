//! Rules for pages: a link leads somewhere.

use std::path::Path;

/// What is untidy in a page, each as `:line: what`.
pub(super) fn problems(page: &Path, text: &str) -> Vec<String> {
    let folder = page.parent().unwrap_or(page);
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for target in links(line) {
            let path = target.split('#').next().unwrap_or(target);
            let elsewhere = path.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !folder.join(path).exists() {
                found.push(format!(":{}: the link to {target} leads nowhere", number + 1));
            }
        }
    }
    found
}

/// The targets of `[text](target)` in a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nowhere_is_seen() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let text = "[here](Cargo.toml), [web](https://example.org), [part](#part)\n[gone](no-such-file.md)";
        assert_eq!(problems(&page, text), [":2: the link to no-such-file.md leads nowhere"]);
    }
}
