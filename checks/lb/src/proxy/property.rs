//! Random conversations, compared with a small model: what one side has sent is what the other one receives, and its end
//! is passed on, until a reset makes an end of both.

use std::{cell::Cell, time::Duration};

use harness::{
    Context, Halt, Judged,
    property::{
        property,
        proptest::{collection::vec, prelude::*},
    },
};

use crate::{
    backend::Backend,
    balancer::Balancer,
    client::Peer,
    scene::{Behaviour, End, Scene},
    stream::Stream,
};

/// A step: on which connection, from which side, and what.
#[derive(Clone, Debug)]
struct Step {
    connection: usize,
    is_client: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// The connection is made, if it is not there yet; then this side sends so many bytes.
    Send(u64),
    /// This side ends its stream.
    Finish,
    /// This side stops reading.
    Stop,
    /// This side reads all that has been sent to it so far.
    Read,
    /// This side closes, which makes a reset of it if something is unread or still comes.
    Close,
    /// This side resets the connection.
    Reset,
}

/// One side of a connection, and what the model knows of it.
struct Side<'s> {
    peer: Peer<'s>,
    stream: Stream,
    sent: u64,
    is_finished: bool,
}

/// A connection: the client's side and the backend's.
struct Pair<'s> {
    sides: [Side<'s>; 2],
    /// Closed or reset by one side: from then on bytes may be lost, and the other side has to be closed.
    broken_by: Option<usize>,
}

const CONNECTIONS: usize = 3;

pub(super) fn any_conversation_passes_unchanged(context: &Context) -> Judged {
    const CASES: u32 = 40;
    let has_failed = Cell::new(false);
    property(context, CASES, vec(step(), 1..24), |steps| {
        let outcome = Scene::play(context, |scene| {
            if has_failed.get() {
                scene.set_allowance(Duration::from_secs(2));
            }
            let backend = scene.backend("a", Behaviour::Hold)?;
            let lb = scene.balancer(&[backend]).start()?;
            let mut table = Table { scene, backend, lb: &lb, pairs: Default::default(), made: 0 };
            steps.iter().try_for_each(|step| table.take(step))?;
            table.close()
        });
        has_failed.set(has_failed.get() || outcome.is_err());
        outcome
    })
}

fn step() -> impl Strategy<Value = Step> {
    // Small, as large as a buffer may be, and larger than one read. Full sockets are other checks' matter.
    let size = prop_oneof![4 => 1..2_000_u64, 2 => 2_000..100_000_u64, 1 => Just(4096), 1 => Just(65_536)];
    let what = prop_oneof![
        6 => size.prop_map(What::Send),
        2 => Just(What::Finish),
        1 => Just(What::Stop),
        3 => Just(What::Read),
        1 => Just(What::Close),
        1 => Just(What::Reset),
    ];
    (0..CONNECTIONS, any::<bool>(), what).prop_map(|(connection, is_client, what)| Step {
        connection,
        is_client,
        what,
    })
}

/// All connections of a case.
struct Table<'s, 'b> {
    scene: &'s Scene<'s>,
    backend: Backend<'s>,
    lb: &'b Balancer<'s>,
    pairs: [Option<Pair<'s>>; CONNECTIONS],
    made: usize,
}

impl<'s> Table<'s, '_> {
    fn take(&mut self, step: &Step) -> Judged {
        if self.pairs[step.connection].is_none() {
            // Only sending makes a connection: others would do nothing to it that is seen.
            let What::Send(_) = step.what else { return Ok(()) };
            self.pairs[step.connection] = Some(self.connect()?);
        }
        let Some(pair) = &mut self.pairs[step.connection] else { return Ok(()) };
        let (near, far) = if step.is_client { (0, 1) } else { (1, 0) };
        let (peer, is_finished) = (pair.sides[near].peer, pair.sides[near].is_finished);
        match step.what {
            _ if pair.broken_by.is_some() => {}
            What::Send(bytes) if !is_finished => {
                let side = &mut pair.sides[near];
                peer.send_stream(side.stream, side.sent, side.sent + bytes);
                side.sent += bytes;
            }
            What::Finish if !is_finished => {
                peer.finish();
                pair.sides[near].is_finished = true;
            }
            What::Send(_) | What::Finish => {}
            What::Stop => peer.stop_reading(),
            What::Read => return pair.reads_all(near, far),
            What::Close | What::Reset => {
                // A close after both ends is the ordinary one, and of no interest here.
                if !pair.sides.iter().all(|side| side.is_finished) {
                    if matches!(step.what, What::Reset) {
                        peer.reset();
                    } else {
                        peer.close();
                    }
                    pair.broken_by = Some(near);
                }
            }
        }
        Ok(())
    }

    fn connect(&mut self) -> Judged<Pair<'s>> {
        let client = self.lb.client()?;
        client.send(b"!");
        let server = self.backend.session_of(client, self.made)?;
        server.receives(b"!")?;
        self.made += 1;
        let sides = [client, server].map(|peer| {
            peer.in_random_pieces();
            Side { peer, stream: self.scene.stream(), sent: 0, is_finished: false }
        });
        sides[0].peer.expects(sides[1].stream);
        sides[1].peer.expects(sides[0].stream);
        Ok(Pair { sides, broken_by: None })
    }

    /// Everybody reads to the end.
    fn close(self) -> Judged {
        let pairs: Vec<_> = self.pairs.into_iter().flatten().collect();
        for pair in &pairs {
            pair.sides.iter().filter(|side| !side.peer.is_closed()).for_each(|side| side.peer.read_on());
        }
        for (number, mut pair) in pairs.into_iter().enumerate() {
            match pair.broken_by {
                Some(gone) => pair.is_over(gone)?,
                None => {
                    for (near, far) in [(0, 1), (1, 0)] {
                        pair.reads_all(near, far)?;
                    }
                    // One side ends, if neither has, and the other one has a last word after that.
                    if pair.sides.iter().all(|side| !side.is_finished) {
                        pair.sides[number % 2].ends();
                    }
                    for (near, far) in [(0, 1), (1, 0)] {
                        if pair.sides[far].is_finished {
                            pair.sides[near].peer.receives_end()?;
                            pair.sides[near].has_a_last_word();
                        }
                    }
                    for (near, far) in [(0, 1), (1, 0)] {
                        pair.sides[far].ends();
                        pair.reads_all(near, far)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Side<'_> {
    /// Ends its stream, if it has not.
    fn ends(&mut self) {
        if !self.is_finished {
            self.peer.finish();
            self.is_finished = true;
        }
    }

    /// Sends something after the other side's end, if it has not ended as well.
    fn has_a_last_word(&mut self) {
        const BYTES: u64 = 10;
        if !self.is_finished {
            self.peer.send_stream(self.stream, self.sent, self.sent + BYTES);
            self.sent += BYTES;
        }
    }
}

impl Pair<'_> {
    /// What the far side has sent arrives at the near one; and no end, unless the far side has ended.
    #[track_caller]
    fn reads_all(&self, near: usize, far: usize) -> Judged {
        let (reader, sender) = (&self.sides[near], &self.sides[far]);
        self.sides[near].peer.read_on();
        reader.peer.receives_stream(sender.sent)?;
        if sender.is_finished {
            return reader.peer.receives_end();
        }
        match reader.peer.end() {
            None => Ok(()),
            Some(end) => {
                let expected =
                    format!("{} goes on receiving: {} has not ended", reader.peer.name(), sender.peer.name());
                Err(Halt::fail(expected, if end == End::Fin { "an end of stream" } else { "a reset" }))
            }
        }
    }

    /// One side is gone: the other one is closed, and what it has received was sent.
    #[track_caller]
    fn is_over(&mut self, gone: usize) -> Judged {
        let left = &self.sides[1 - gone];
        // A side that has nothing to send does not learn of a mere close: its end is passed on like any other.
        left.peer.is_closed_on()?;
        left.peer.is_unchanged()
    }
}
