//! Answers that come before the request has been sent. What the server does not read fills the buffers between the
//! two, so a client that sends first and listens then waits for ever.

use std::io;

use harness::{
    Context, Judged,
    origin::{
        Connection,
        certificate::{Authority, Leaf},
    },
};

use super::unread::{Pause, Waiting, large_body};
use crate::{bytes::shown, client};

const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large";
const IN_CHUNKS: &str = "HTTP/1.1 413 Content Too Large\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntoo \r\n5\r\nlarge\r\n0\r\n\r\n";
const UNTIL_CLOSE: &str = "HTTP/1.1 413 Content Too Large\r\n\r\ntoo large";
const AFTER_CONTINUE: &str =
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large";

/// What a server does after its early answer. It never reads the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Hold,
    HalfClose,
    Reset,
}

/// Whether TLS lies between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Tcp,
    Tls,
}

impl After {
    fn play(self, connection: &mut Connection, answer: &str, waiting: &Waiting) -> io::Result<()> {
        connection.head()?;
        connection.send(answer)?;
        match self {
            Self::Hold => {}
            Self::HalfClose => connection.half_close()?,
            Self::Reset => return connection.reset(),
        }
        waiting.wait();
        Ok(())
    }

    fn told(self) -> &'static str {
        match self {
            Self::Hold => "keeps the connection open",
            Self::HalfClose => "ends its side of the connection",
            Self::Reset => "resets the connection",
        }
    }
}

pub(super) fn an_answer_is_heard_while_the_body_is_sent(context: &Context) -> Judged {
    for answer in [TOO_LARGE, IN_CHUNKS, AFTER_CONTINUE] {
        is_reported(context, answer, After::Hold, Over::Tcp)?;
    }
    is_reported(context, UNTIL_CLOSE, After::HalfClose, Over::Tcp)?;
    is_reported(context, TOO_LARGE, After::Hold, Over::Tls)?;
    is_reported(context, UNTIL_CLOSE, After::HalfClose, Over::Tls)
}

pub(super) fn a_lost_connection_does_not_hide_the_answer(context: &Context) -> Judged {
    for answer in [TOO_LARGE, IN_CHUNKS, AFTER_CONTINUE] {
        is_reported(context, answer, After::Reset, Over::Tcp)?;
    }
    is_reported(context, TOO_LARGE, After::Reset, Over::Tls)
}

#[track_caller]
fn is_reported(context: &Context, answer: &'static str, after: After, over: Over) -> Judged {
    let mut authority = Authority::root("Groundwork")?;
    let identity = authority.issue(&Leaf::new(&["127.0.0.1"]))?;
    let setting = match over {
        Over::Tcp => context.origin(),
        Over::Tls => context.origin().secure(&identity),
    };
    let waiting = Waiting::default();
    let origin = setting.play({
        let waiting = waiting.clone();
        move |connection| after.play(connection, answer, &waiting)
    })?;
    // Dropped before the server, whose end waits for its scripts.
    let _pause = Pause::of(waiting);
    let told = format!(
        "the server reads the head, sends {}, {}, and reads no more",
        shown(answer.as_bytes()),
        after.told()
    );
    let run = client::post(context, &origin.url("/"), &large_body()?)?.against([told]);
    let run = if over == Over::Tls { run.trusting(&authority)? } else { run };
    run.outcome()?.is(413, b"too large").map(drop)
}
