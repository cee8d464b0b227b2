//! Random chains over several servers, compared with a small model of what a reference leads to.

use harness::{
    Context, Judged,
    property::{
        property,
        proptest::{collection::vec, option, prelude::*, sample::select},
    },
};

use super::{
    web::{Answer, Stop, Web},
    web_of,
};
use crate::client;

const SERVERS: usize = 3;

/// One redirect.
#[derive(Clone, Debug)]
struct Hop {
    status: u16,
    reference: Reference,
    has_fragment: bool,
    framing: usize,
}

/// What a `Location` says, from its most to its least.
#[derive(Clone, Debug)]
enum Reference {
    Url(usize, String),
    Network(usize, String),
    Path(String),
    Relative(String),
    Query(String),
}

/// A page of the model's.
#[derive(Clone, Debug)]
struct Page {
    server: usize,
    path: String,
    query: Option<String>,
}

pub(super) fn any_chain_is_walked_to_its_end(context: &Context) -> Judged {
    const CASES: u32 = 60;
    let web = web_of(context, SERVERS)?;
    let start = Page { server: 0, path: "/a/b".to_owned(), query: Some("c".to_owned()) };
    property(context, CASES, vec(hop(), 1..=5), |hops| {
        let mut page = start.clone();
        let mut stops = vec![page.stop(&web)];
        let mut answers = Vec::new();
        for hop in hops {
            answers.push(hop.answer(&web));
            page = page.then(&hop.reference);
            stops.push(page.stop(&web));
        }
        // Whether one may come back to a page is another check's matter.
        if (1..stops.len()).any(|at| stops[..at].contains(&stops[at])) {
            return Ok(());
        }
        let run = client::get(context, &web.server(0).url(&start.target()))?;
        web.run(run, &answers)?.arrives(&stops).map(drop)
    })
}

fn hop() -> impl Strategy<Value = Hop> {
    let name = || select(vec!["a", "b", "c.d", "e;f=1", "~g", "%2F", "h:i", "..j", "k.."]);
    let query = || select(vec!["q", "r=/s/../t", "u=http://v/w", "x?y"]).prop_map(str::to_owned);
    let with_query = move |path: String, query: Option<String>| match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    // In whole URLs dots may be kept, so there are none.
    let plain = move || {
        let path = vec(name(), 0..3).prop_map(|names| format!("/{}", names.join("/")));
        (path, option::of(query())).prop_map(move |(path, query)| with_query(path, query))
    };
    let dotted = move || {
        let segment = prop_oneof![3 => name(), 2 => Just(".."), 1 => Just(".")];
        // A slash at the end, or none: `a/` is not `a`.
        let path = (vec(segment, 1..5), any::<bool>())
            .prop_map(|(segments, is_folder)| segments.join("/") + if is_folder { "/" } else { "" });
        (path, option::of(query())).prop_map(move |(path, query)| with_query(path, query))
    };
    let reference = prop_oneof![
        dotted().prop_map(|path| Reference::Path(format!("/{path}"))),
        // A colon in the first segment would end a scheme.
        dotted().prop_map(|path| Reference::Relative(if path.starts_with('h') {
            format!("./{path}")
        } else {
            path
        })),
        query().prop_map(Reference::Query),
        (0..SERVERS, plain()).prop_map(|(server, path)| Reference::Network(server, path)),
        (0..SERVERS, plain()).prop_map(|(server, path)| Reference::Url(server, path)),
    ];
    (select(vec![301, 302]), reference, any::<bool>(), 0..4_usize).prop_map(
        |(status, reference, has_fragment, framing)| Hop { status, reference, has_fragment, framing },
    )
}

impl Hop {
    fn answer(&self, web: &Web) -> Answer {
        let location = match &self.reference {
            Reference::Url(server, path) => format!("http://{}{path}", web.host(*server)),
            Reference::Network(server, path) => format!("//{}{path}", web.host(*server)),
            Reference::Path(text) | Reference::Relative(text) => text.clone(),
            Reference::Query(query) => format!("?{query}"),
        };
        let fragment = if self.has_fragment { "#f/../g?h" } else { "" };
        let head = format!("HTTP/1.1 {} Moved\r\nLocation: {location}{fragment}\r\n", self.status);
        match self.framing {
            0 => Answer::new(head + "Content-Length: 0\r\n\r\n"),
            1 => Answer::new(head + "Content-Length: 4\r\n\r\npage"),
            2 => Answer::new(head + "Transfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n\r\n"),
            _ => Answer::new(head + "\r\npage").and_close(),
        }
    }
}

impl Page {
    fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    fn stop(&self, web: &Web) -> Stop {
        web.stop("GET", self.server, &self.target())
    }

    /// The page that a reference on this one means (RFC 3986 section 5.2.2).
    fn then(&self, reference: &Reference) -> Self {
        let at = |server: usize, text: &str| {
            let (path, query) = match text.split_once('?') {
                Some((path, query)) => (path, Some(query.to_owned())),
                None => (text, None),
            };
            Self { server, path: without_dots(path), query }
        };
        match reference {
            Reference::Url(server, text) | Reference::Network(server, text) => at(*server, text),
            Reference::Path(text) => at(self.server, text),
            Reference::Relative(text) => {
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                at(self.server, &format!("{folder}/{text}"))
            }
            Reference::Query(query) => Self { query: Some(query.clone()), ..self.clone() },
        }
    }
}

/// The path without its segments of dots, by the letter of RFC 3986 section 5.2.4: an input that gets shorter, and an
/// output that grows a segment or loses one.
fn without_dots(path: &str) -> String {
    let mut input = path.to_owned();
    let mut output = String::new();
    while !input.is_empty() {
        if input.starts_with("/./") || input == "/." {
            input = format!("/{}", &input["/./".len().min(input.len())..]);
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", &input["/../".len().min(input.len())..]);
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |at| at + 1);
            output.push_str(&input[..end]);
            input.drain(..end);
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_out_as_in_the_standard() {
        // The two examples of section 5.2.4, the second one as a path.
        assert_eq!(without_dots("/a/b/c/./../../g"), "/a/g");
        assert_eq!(without_dots("/mid/content=5/../6"), "/mid/6");
        assert_eq!(without_dots("/a/.."), "/");
        assert_eq!(without_dots("/a/b/."), "/a/b/");
        assert_eq!(without_dots("/../../x"), "/x");
    }
}
