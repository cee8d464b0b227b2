//! Stage 4: references, such as a Location header holds them, and the URL that one means on a given page
//! (RFC 3986 §5.2).
//!
//! ```text
//! base  http://a/b/c/d?q
//!
//! reference   scheme  authority  path           query
//! https://x/  its     its        its            its      each part that the reference has
//! //x/        base's  its        its            its      is its own, and so is all that follows;
//! /y          base's  base's     its            its      all that precedes it is the base's
//! ../y        base's  base's     /b/c + ../y    its      = /b/y: relative to the last slash
//! ?z          base's  base's     base's         its
//! ```

use super::{Scheme, Url, bad};
use crate::error::Error;

/// A URL or a part of one, taken apart and not yet understood.
pub(super) struct Reference<'a> {
    pub(super) scheme: Option<&'a str>,
    pub(super) authority: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Cuts at the delimiters, from the outside in: `#` before `?` before `/`. A query may hold the others.
    pub(super) fn split(text: &'a str) -> Result<Reference<'a>, Error> {
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(bad(format!("{text:?} contains a space or a control character")));
        }
        // What a lossy conversion leaves of bytes that were none: whatever was meant, it was not this.
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(bad(format!("{text:?} is not UTF-8")));
        }
        let text = text.split('#').next().unwrap_or(text);
        let (text, query) = match text.split_once('?') {
            Some((text, query)) => (text, Some(query)),
            None => (text, None),
        };
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, text),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        Ok(Reference { scheme, authority, path, query })
    }
}

impl Url {
    /// What `reference` means on the page that this URL names.
    pub fn resolve(&self, reference: &str) -> Result<Url, Error> {
        let reference = Reference::split(reference)?;
        let scheme = match (reference.scheme, reference.authority) {
            (Some(name), Some(_)) => Scheme::parse(name)?,
            (Some(name), None) => {
                Scheme::parse(name)?;
                return Err(bad(format!("no host follows {name:?}")));
            }
            (None, _) => self.scheme,
        };
        if let Some(authority) = reference.authority {
            return Url::assemble(scheme, authority, &without_dots(reference.path), reference.query);
        }
        let (path, query) = match reference.path {
            "" => (self.path.clone(), reference.query.or(self.query.as_deref())),
            path if path.starts_with('/') => (without_dots(path), reference.query),
            path => {
                let directory = self.path.rfind('/').map_or("/", |slash| &self.path[..=slash]);
                (without_dots(&format!("{directory}{path}")), reference.query)
            }
        };
        Url::assemble(scheme, &self.authority(), &path, query)
    }
}

/// Whether a colon after it ends a scheme, rather than standing somewhere in a path.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The path with `.` and `..` carried out (RFC 3986 §5.2.4). Above the root is the root; a path that ends in
/// one of them names a directory, so it ends in a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if segments.peek().is_none() {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of RFC 3986 §5.4 with `g:h` left out, which is of another scheme, and fragments dropped.
    #[test]
    fn references_mean_what_the_standard_says() {
        let base = Url::parse("http://a/b/c/d;p?q").unwrap();
        for (reference, expected) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            ("g?y#s", "/b/c/g?y"),
            (";x", "/b/c/;x"),
            ("g;x", "/b/c/g;x"),
            ("g;x?y#s", "/b/c/g;x?y"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../", "/"),
            ("../../g", "/g"),
            // Abnormal ones.
            ("../../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            (".g", "/b/c/.g"),
            ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("./g/.", "/b/c/g/"),
            ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/./y", "/b/c/g;x=1/y"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/./x", "/b/c/g?y/./x"),
            ("g?y/../x", "/b/c/g?y/../x"),
            ("g#s/./x", "/b/c/g"),
            ("g#s/../x", "/b/c/g"),
        ] {
            let url = base.resolve(reference).unwrap();
            assert_eq!((url.host.as_str(), url.origin_form().as_str()), ("a", expected), "{reference:?}");
        }
    }

    /// The traps: `//host` is not a path, a colon in a query ends no scheme, an empty segment is a segment.
    #[test]
    fn what_looks_like_something_else() {
        let base = Url::parse("https://a:8443/b/c").unwrap();
        for (reference, authority, target) in [
            ("//g", "g", "/"),
            ("//g:81?y", "g:81", "/?y"),
            ("HTTP://G/../x", "g", "/x"),
            ("?at=http://x/y", "a:8443", "/b/c?at=http://x/y"),
            ("x/y:z", "a:8443", "/b/x/y:z"),
            ("/a//b/../c", "a:8443", "/a//c"),
            ("é", "a:8443", "/b/%C3%A9"),
            ("?", "a:8443", "/b/c?"),
        ] {
            let url = base.resolve(reference).unwrap();
            assert_eq!(
                (url.authority().as_str(), url.origin_form().as_str()),
                (authority, target),
                "{reference:?}"
            );
        }
        for reference in ["a b", "a\r\nX: y", "a\0", "http:g", "//", "//u@h/", "//h:99999/", "mailto:a@b"] {
            assert!(base.resolve(reference).is_err(), "{reference:?}");
        }
    }
}
