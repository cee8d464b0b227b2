//! A backend, as a check holds it: what it does with connections, whether it lives, and what it has accepted.

use std::net::SocketAddr;

use harness::{Halt, Judged};

use crate::{
    client::Peer,
    scene::{Behaviour, End, Scene},
};

/// A backend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend<'s> {
    scene: &'s Scene<'s>,
    place: usize,
}

impl<'s> Backend<'s> {
    pub(crate) fn new(scene: &'s Scene<'s>, place: usize) -> Self {
        Self { scene, place }
    }

    /// Its name, which [`Behaviour::Name`] sends.
    pub(crate) fn name(self) -> String {
        self.scene.place(self.place).name.clone()
    }

    /// Where it listens. The port stays its own, also while it is dead.
    pub(crate) fn address(self) -> SocketAddr {
        self.scene.place(self.place).port.address
    }

    /// Sets what it does with connections from now on.
    pub(crate) fn behaves(self, behaviour: Behaviour) {
        self.scene.poller_mut().places[self.place].behaviour = behaviour;
    }

    /// Dies as a process does that is killed: refuses connections, and those that it had are closed.
    pub(crate) fn dies(self) {
        self.scene.tell(format!("backend {} is killed", self.name()));
        self.scene.poller_mut().places[self.place].port.refuse();
        self.scene.untold(|| self.accepted().into_iter().for_each(Peer::close));
    }

    /// Dies, and resets the connections that it had.
    pub(crate) fn dies_by_reset(self) {
        self.scene.tell(format!("backend {} is killed, its connections are reset", self.name()));
        self.scene.poller_mut().places[self.place].port.refuse();
        self.scene.untold(|| self.accepted().into_iter().for_each(Peer::reset));
    }

    /// Refuses new connections, and keeps those that it has.
    pub(crate) fn stops_listening(self) {
        self.scene.tell(format!("backend {} refuses connections", self.name()));
        self.scene.poller_mut().places[self.place].port.refuse();
    }

    /// Neither accepts nor refuses connections, as a machine that is not there.
    ///
    /// # Errors
    /// Fault when there is no such socket to be had.
    #[track_caller]
    pub(crate) fn swallows(self) -> Judged {
        self.scene.tell(format!("backend {} neither accepts nor refuses connections", self.name()));
        Ok(self.scene.poller_mut().swallow(self.place)?)
    }

    /// Is back on the same port, and accepts.
    ///
    /// # Errors
    /// Fault when the port is gone.
    #[track_caller]
    pub(crate) fn comes_back(self) -> Judged {
        self.scene.tell(format!("backend {} is back", self.name()));
        Ok(self.scene.poller_mut().listen(self.place)?)
    }

    /// All that it has accepted, probes as well, in this order.
    pub(crate) fn accepted(self) -> Vec<Peer<'s>> {
        let ends = self.scene.place(self.place).accepted.clone();
        ends.into_iter().map(|end| Peer::new(self.scene, end)).collect()
    }

    /// Its real connections: those that brought a byte.
    pub(crate) fn sessions(self) -> Vec<Peer<'s>> {
        self.accepted().into_iter().filter(|peer| peer.received_bytes() > 0).collect()
    }

    /// How many connections ended without having brought a byte.
    pub(crate) fn probes(self) -> usize {
        self.accepted().into_iter().filter(|peer| peer.received_bytes() == 0 && peer.end().is_some()).count()
    }

    /// Its real connection of this number, from 0, which is waited for.
    ///
    /// # Errors
    /// Timeout when there is none.
    #[track_caller]
    pub(crate) fn session(self, number: usize) -> Judged<Peer<'s>> {
        let awaited = format!("bytes of connection {} arrive at backend {}", number + 1, self.name());
        self.scene.until(awaited, || self.sessions().get(number).copied())
    }

    /// The same, for the client whose connection it is: a client that is closed instead has been failed.
    ///
    /// # Errors
    /// Timeout when there is none; a failure when the client is closed.
    #[track_caller]
    pub(crate) fn session_of(self, client: Peer<'_>, number: usize) -> Judged<Peer<'s>> {
        let expected = format!("the bytes of {} arrive at backend {}", client.name(), self.name());
        let session = || self.sessions().get(number).copied();
        match self.scene.until(&expected, || session().map(Ok).or_else(|| client.end().map(Err)))? {
            Ok(session) => Ok(session),
            Err(end) => {
                let got = if end == End::Fin { "an end of stream" } else { "a reset" };
                Err(Halt::fail(expected, format!("{} receives {got}", client.name())))
            }
        }
    }
}
