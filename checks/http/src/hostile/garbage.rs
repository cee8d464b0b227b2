//! What is not HTTP, or no longer: services that speak something else, and responses with a few bytes wrong. Most of it
//! has no meaning that a check could ask for. What is asked for is an end in good order.

use harness::{
    Context, Halt, Judged,
    property::{
        property,
        proptest::{collection::vec, prelude::*, sample::select},
    },
};

use crate::{
    bytes::shown,
    outcome::KINDS,
    server::{Reply, Then},
};

/// Responses to begin with. Their bodies are of letters that stand nowhere else.
const WHOLE: [&str; 4] = [
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nQQQQQ",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nQQQ\r\n2\r\nQQ\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nX: one\r\n two\r\n\r\nQQQQQ",
    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 1, 1\r\n\r\nQ",
];

/// What may happen to a response on its way.
#[derive(Clone, Debug)]
enum Damage {
    /// Some bytes are replaced by others, fewer or more.
    Replaced(usize, usize, Vec<u8>),
    /// Some bytes come twice.
    Doubled(usize, usize),
    /// The rest is missing.
    Cut(usize),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        const LENGTH: usize = 110;
        let telling = select(b"\r\n\t :;,=+-\"09afQ\0\x7f\x80\xc3\xff".to_vec());
        let bytes = vec(prop_oneof![3 => telling, 1 => any::<u8>()], 0..4);
        prop_oneof![
            4 => (0..LENGTH, 0..4_usize, bytes).prop_map(|(at, length, with)| Self::Replaced(at, length, with)),
            2 => (0..LENGTH, 1..40_usize).prop_map(|(at, length)| Self::Doubled(at, length)),
            1 => (0..LENGTH).prop_map(Self::Cut),
        ]
    }

    fn befall(&self, bytes: &mut Vec<u8>) {
        let within = |at: usize| at.min(bytes.len());
        match self {
            Self::Replaced(at, length, with) => {
                drop(bytes.splice(within(*at)..within(at + length), with.iter().copied()));
            }
            Self::Doubled(at, length) => {
                let part = bytes[within(*at)..within(at + length)].to_vec();
                let at = within(*at);
                drop(bytes.splice(at..at, part));
            }
            Self::Cut(at) => bytes.truncate(*at),
        }
    }
}

pub(super) fn no_response_breaks_the_client(context: &Context) -> Judged {
    const CASES: u32 = 150;
    for greeting in greetings() {
        comes_to_something(context, &greeting)?;
    }
    let damages = vec(Damage::any(), 1..4);
    property(context, CASES, (select(WHOLE.to_vec()), damages), |(whole, damages)| {
        let mut bytes = whole.as_bytes().to_vec();
        damages.iter().for_each(|damage| damage.befall(&mut bytes));
        comes_to_something(context, &bytes)
    })
}

/// What other services say, and heads that may be too much for an error message.
fn greetings() -> Vec<Vec<u8>> {
    let long = |start: &str, middle: &str| format!("{start}{}\r\n\r\n", middle.repeat(200)).into_bytes();
    vec![
        // A TLS alert, to one who has not asked for TLS (RFC 8446 section 6).
        b"\x15\x03\x03\x00\x02\x02\x28".to_vec(),
        b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
        b"220 mail.example ESMTP\r\n".to_vec(),
        b"\0\0\x12\x04\0\0\0\0\0".to_vec(),
        vec![0xff; 1000],
        long("", "é"),
        long("x", "é"),
        long("HTTP/1.1 ", "é"),
        long("HTTP/1.1 x", "é"),
        long("HTTP/1.1 200 OK\r\n", "é"),
        long("HTTP/1.1 200 OK\r\nx", "é"),
        long("HTTP/1.1 200 OK\r\nContent-Length: ", "é"),
        long("HTTP/1.1 200 OK\r\nContent-Length: x", "é"),
        long("HTTP/1.1 200 OK\r\nTransfer-Encoding: ", "é"),
        long("HTTP/1.1 200 OK\r\nTransfer-Encoding: x", "é"),
        long("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "é"),
        long("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5x", "é"),
        long("HTTP/1.1 302 Found\r\nLocation: http://", "é"),
        long("HTTP/1.1 302 Found\r\nLocation: http://h:", "é"),
        long("HTTP/1.1 302 Found\r\nLocation: xé:", "é"),
    ]
}

/// A response whose body is a part of what was sent, or a failure: no crash, and no end without a word.
#[track_caller]
fn comes_to_something(context: &Context, bytes: &[u8]) -> Judged {
    let outcome = Reply::new(bytes).then(Then::Close).outcome(context)?;
    let Ok(response) = &outcome.result else { return outcome.fails_as(&KINDS).map(drop) };
    let mut rest = bytes.iter();
    if response.body.iter().all(|byte| rest.any(|sent| sent == byte)) {
        return Ok(());
    }
    let got = format!("the body {}", shown(&response.body));
    Err(Halt::fail("a body of bytes that were sent, in their order", got).did(outcome.told))
}
