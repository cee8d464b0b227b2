//! Rules for Rust files: a header that says what the file is for, files and functions that can be taken in.

/// A file that needs more than this wants splitting by concept.
const FILE_LINES: usize = 400;
/// A function that needs more than this does not fit a screen.
const FUNCTION_LINES: usize = 70;

/// What is untidy in a file, each as `: what` or `:line: what`.
pub(super) fn problems(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push(": open it with a few lines of //! that say what it is for".to_owned());
    }
    let lines = text.lines().count();
    if lines > FILE_LINES {
        found.push(format!(": {lines} lines; split it by concept"));
    }
    for (line, name, length) in functions(text) {
        if length > FUNCTION_LINES {
            found.push(format!(":{line}: {name} has {length} lines; it should fit a screen"));
        }
    }
    found
}

/// Functions with a body, as rustfmt lays them out: the closing brace stands under the beginning of `fn`'s line.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once("fn ") else { continue };
        let qualifiers =
            ["", "pub", "pub(crate)", "pub(super)", "pub(in", "const", "unsafe", "extern", "async"];
        if !before.split_whitespace().all(|word| qualifiers.contains(&word) || word.ends_with(')')) {
            continue;
        }
        // A declaration, as in an `extern` block, has no body.
        let opens = lines[number..].iter().find(|line| line.ends_with(['{', ';']));
        if opens.is_none_or(|line| line.ends_with(';')) {
            continue;
        }
        // A declaration without a body, as of a foreign function.
        let ends =
            lines[number..].iter().find_map(|line| line.chars().last().filter(|end| "{;}".contains(*end)));
        if ends == Some(';') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[number..].iter().position(|line| *line == end) {
            let name = after.split(['(', '<']).next().unwrap_or(after).to_owned();
            found.push((number + 1, name, length + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_function_and_a_missing_header_are_seen() {
        let body = "    step();\n".repeat(FUNCTION_LINES);
        let text = format!("pub(crate) fn long(\n    a: u8,\n) {{\n{body}}}\n");
        let found = problems(&text).join("\n");
        assert!(found.contains("//!") && found.contains(":1: long has"), "{found}");
    }

    #[test]
    fn a_declaration_has_no_length() {
        let body = "    step();\n".repeat(FUNCTION_LINES);
        let text = format!("//! Calls.\n\nfn declared(\n    a: u8,\n);\nimpl A {{\n{body}}}\n");
        assert_eq!(problems(&text), [""; 0], "what follows is not its body");
    }

    #[test]
    fn a_short_file_with_a_header_is_tidy() {
        assert_eq!(problems("//! What it is for.\n\nfn short() {\n    step();\n}\n"), [""; 0]);
    }

    #[test]
    fn a_declaration_is_not_as_long_as_its_block() {
        let declarations = "    fn a(\n        b: u8,\n    ) -> u8;\n".repeat(FUNCTION_LINES);
        let text = format!("//! Given.\n\nmod c {{\n    unsafe extern \"C\" {{\n{declarations}    }}\n}}\n");
        assert_eq!(problems(&text), [""; 0]);
    }
}
