//! Stage 3: a body in chunks. Whatever it was divided into comes out as one, and whatever breaks the division is
//! refused.

mod broken;
mod coding;
mod ends;
mod reading;
mod stream;

use harness::{
    Check, Context, Judged, Stage,
    property::{
        property,
        proptest::{collection::vec, option, prelude::*, sample::Index},
    },
};

use crate::{
    arrival::any_cut,
    flow::{self, Large},
    outcome::Outcome,
    response::fields,
    server::{Reply, Then},
};
use stream::{HEAD, Stream};

pub(crate) const STAGE: Stage = Stage {
    number: 3,
    slug: "chunked",
    bonus: false,
    checks: &[
        Check::new("any_chunked_body_is_decoded", any_chunked_body_is_decoded)
            .points(3)
            .must("any partition of a body into chunks, and of these into packets, is the same body")
            .why("Where a chunk ends is the server's business, where a packet ends the network's. Neither is the reader's."),
        Check::new("any_cut_gives_the_same_chunked_body", any_cut_gives_the_same_chunked_body)
            .points(3)
            .must("a chunked body is the same, wherever the stream is cut: within a size, an extension, a line's end")
            .why("A decoder that needs a whole line at once works until the day on which a line arrives in two packets."),
        Check::new("many_small_chunks_are_a_body", coding::many_small_chunks_are_a_body)
            .must("a body of 50,000 chunks of a byte or two is a body")
            .why("A limit for a line is one for each line. What counts them all breaks off the stream that ran the longest."),
        Check::new("sizes_are_hexadecimal", coding::sizes_are_hexadecimal)
            .points(3)
            .must("sizes are hex digits in upper and lower case, up to 16 of them, leading zeros included")
            .why("Up to 9 they look like decimal numbers, and the first larger chunk is wrong."),
        Check::new("extensions_are_ignored", coding::extensions_are_ignored)
            .points(2)
            .must("what follows the size from ; on is ignored, quoted strings and 4 KiB of it included")
            .why("Proxies and signers attach them without asking. They do not concern the body."),
        Check::new("trailers_are_dropped", coding::trailers_are_dropped)
            .points(2)
            .must("trailers are read and dropped: they are not reported, and change nothing")
            .why("Whoever may add to the end of a body could otherwise rewrite what was said and checked at its beginning."),
        Check::new("chunked_goes_before_content_length", coding::chunked_goes_before_content_length)
            .points(2)
            .must("a response with both Transfer-Encoding: chunked and Content-Length is chunked")
            .why("Of two readers that choose differently, the one takes for a new message what the other takes for a body."),
        Check::new("chunked_is_a_whole_word", coding::chunked_is_a_whole_word)
            .points(2)
            .must("chunked is compared without regard to case, as a whole word; any other coding is refused")
            .why("A body in a coding that is not known can only be printed wrong."),
        Check::new("the_last_chunk_is_the_end", ends::the_last_chunk_is_the_end)
            .points(3)
            .must("after the last chunk and its empty line the client is done, whatever follows or does not")
            .why("The connection stays open for the next request. Nobody is going to close it."),
        Check::new("a_body_that_breaks_off_is_no_success", ends::a_body_that_breaks_off_is_no_success)
            .points(3)
            .must("when the connection ends before the last chunk, the body is refused: truncated, within a line also bad-response")
            .why("It is what chunked is better at than the close: that half a body can be told from a whole one."),
        Check::new("what_is_no_size_is_refused", broken::what_is_no_size_is_refused)
            .points(3)
            .must("an empty size, a sign, 0x, other characters, an inner space and more than 64 bits are bad-response")
            .why("A number parser accepts more than the standard. What it makes of +2 or an overflow is how requests are smuggled."),
        Check::new("data_is_followed_by_a_line_end", broken::data_is_followed_by_a_line_end)
            .points(2)
            .must("anything but a line end after a chunk's data is bad-response")
            .why("It is the only sign that size and data fit together. Without it the reader is lost, and has to say so."),
        Check::new("one_wrong_byte_is_never_another_body", broken::one_wrong_byte_is_never_another_body)
            .points(3)
            .must("whatever is broken, the program ends, does not crash, and prints nothing as body that is none")
            .why("A stream that is damaged by accident or on purpose is refused. It is not guessed at."),
        Check::new("chunks_are_shown_as_they_come", chunks_are_shown_as_they_come)
            .points(3)
            .must("bytes of a chunk are written out as they arrive, before the chunk is complete")
            .why("A chunk may be a minute long. A size is no promise of when the bytes come."),
        Check::new("a_large_chunk_takes_little_memory", a_large_chunk_takes_little_memory)
            .points(2)
            .must("the peak of resident memory stays below 32 MiB, in one chunk too")
            .why("The server chooses the size of its chunks. It should not choose how much memory you need."),
    ],
};

/// The head of a chunked response, and this behind it; then the server closes its side.
fn chunked(body: impl AsRef<[u8]>) -> Reply {
    Reply::new([HEAD.as_bytes(), body.as_ref()].concat()).then(Then::Close)
}

/// Has to be this body, and no field but the one that says how it came.
fn expect(outcome: Outcome, body: &[u8]) -> Judged {
    let told = outcome.told.clone();
    let response = outcome.is(200, body)?;
    match fields::are(&response, &[("Transfer-Encoding", "chunked")]) {
        Err(halt) if response.headers.len() > 1 => {
            let mistake = "trailers, which come after the body, are put among the fields that came before it";
            Err(halt.did(told).likely(mistake))
        }
        judged => judged.map_err(|halt| halt.did(told)),
    }
}

fn any_chunked_body_is_decoded(context: &Context) -> Judged {
    const CASES: u32 = 90;
    property(context, CASES, (stream::any_stream(), arrival()), |(stream, (cuts, stretch))| {
        let bytes = stream.bytes();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        if let Some((from, length)) = stretch {
            let from = from.index(bytes.len());
            cuts.extend(from..bytes.len().min(from + length));
        }
        cuts.sort_unstable();
        cuts.dedup();
        let cuts: Vec<_> = cuts.iter().map(|cut| HEAD.len() + cut).collect();
        expect(chunked(bytes).cut_at(&cuts).outcome(context)?, &stream.body())
    })
}

/// A few cuts anywhere, and perhaps a stretch that arrives byte by byte.
fn arrival() -> impl Strategy<Value = (Vec<Index>, Option<(Index, usize)>)> {
    (vec(any::<Index>(), 0..4), option::weighted(0.4, (any::<Index>(), 1_usize..60)))
}

fn any_cut_gives_the_same_chunked_body(context: &Context) -> Judged {
    // Data that looks like what stands around it.
    let stream = Stream::example();
    any_cut(context, &chunked(stream.bytes()), |outcome| expect(outcome, &stream.body()))
}

fn chunks_are_shown_as_they_come(context: &Context) -> Judged {
    let parts: [(&[u8], &[u8]); 8] = [
        (b"5\r\nh", b"h"),
        (b"el", b"el"),
        (b"lo\r\n1", b"lo"),
        (b"0;a=b\r", b""),
        (b"\na line of\nsix", b"a line of\nsix"),
        (b"tee", b"tee"),
        (b"\r\n1\r\n!\r\n", b"!"),
        (b"0\r\n\r\n", b""),
    ];
    flow::is_shown_as_it_comes(context, HEAD, &parts)
}

fn a_large_chunk_takes_little_memory(context: &Context) -> Judged {
    // A quarter of the GiB that the specification names: enough to be noticed wherever it is kept.
    let of = |body_bytes: usize| Large {
        before: format!("{HEAD}{body_bytes:X}\r\n"),
        body_bytes,
        after: "\r\n0\r\n\r\n",
    };
    flow::takes_little_memory(context, of(1000), of(256 << 20))
}
