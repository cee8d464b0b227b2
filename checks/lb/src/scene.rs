//! What stands around a balancer: backends before it, clients behind it, and one loop that moves all of them.
//!
//! ```text
//!   Scene::play(context, |scene| {
//!       let a = scene.backend("a", Behaviour::Echo)?;          a port of 127.0.0.1, which stays its own
//!       let lb = scene.balancer(&[a]).start()?;                the subject, listening
//!       let client = lb.client()?;                             connected
//!       client.send(b"hello");
//!       client.receives(b"hello")?;                            waits for it, and for nothing else
//!       ...
//!   })
//! ```
//!
//! One thread: ends move only while the check waits for something ([`Scene::until`] is where every wait ends up), so that
//! nothing changes between a look and the next one. Handles ([`Peer`], [`Backend`], [`Balancer`]) are numbers with a
//! reference, to be copied at will; dropping one does nothing. What is done through them is told in the evidence.
//!
//! [`Balancer`]: crate::balancer::Balancer

mod endpoint;
mod poller;
mod port;
mod story;
mod subject;

use std::{
    cell::{Cell, Ref, RefCell, RefMut},
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use harness::{Context, Halt, Judged, Patience, process::Process, verdict::Verdict};

pub(crate) use endpoint::{End, Endpoint};
pub(crate) use poller::Behaviour;
use poller::{Place, Poller};
use port::Port;
use story::Story;

use crate::{backend::Backend, client::Peer, stream::Stream};

/// How long a wait goes on while the balancer idles or spins.
const ALLOWANCE: Duration = Duration::from_secs(10);

/// How long a round waits for something to move.
const AT_MOST: Duration = Duration::from_millis(5);

/// Backends, clients and a balancer.
#[derive(Debug)]
pub(crate) struct Scene<'c> {
    pub(crate) context: &'c Context,
    poller: RefCell<Poller>,
    process: RefCell<Option<Process>>,
    /// When the process was looked at last.
    looked: Cell<Instant>,
    is_running: Cell<bool>,
    story: RefCell<Story>,
    rng: RefCell<fastrand::Rng>,
    clients: Cell<u32>,
    allowance: Cell<Duration>,
}

impl<'c> Scene<'c> {
    /// Plays a scene to its end, after which the balancer still has to run, unless the scene has seen it end.
    ///
    /// # Errors
    /// The scene's own; the balancer's end, if it was the reason. What was done is told with either.
    pub(crate) fn play(context: &'c Context, act: impl FnOnce(&Scene<'_>) -> Judged) -> Judged {
        let scene = Self::new(context)?;
        let outcome = act(&scene);
        let halt = match (outcome, scene.is_running()?) {
            (Ok(()), true) => return Ok(()),
            (Ok(()), false) => Halt::fail("a balancer that goes on running", "it ended"),
            (Err(halt), _) => halt,
        };
        Err(scene.explain(halt)?.did(scene.story.borrow().told()))
    }

    fn new(context: &'c Context) -> Judged<Self> {
        Ok(Self {
            context,
            poller: RefCell::new(Poller::new()?),
            process: RefCell::new(None),
            looked: Cell::new(Instant::now()),
            is_running: Cell::new(true),
            story: RefCell::default(),
            rng: RefCell::new(context.rng()),
            clients: Cell::new(0),
            allowance: Cell::new(ALLOWANCE),
        })
    }

    /// A backend that listens on a free port of 127.0.0.1.
    #[track_caller]
    pub(crate) fn backend<'s>(&'s self, name: &str, behaviour: Behaviour) -> Judged<Backend<'s>> {
        self.backend_on(Ipv4Addr::LOCALHOST.into(), name, behaviour)
    }

    /// A backend that listens on a free port of another address.
    #[track_caller]
    pub(crate) fn backend_on<'s>(
        &'s self,
        address: IpAddr,
        name: &str,
        behaviour: Behaviour,
    ) -> Judged<Backend<'s>> {
        let port = Port::reserve(address)?;
        let accepted = Vec::new();
        let place = Place { name: name.to_owned(), port, behaviour, accepted, is_blackhole: false };
        let number = self.poller_mut().add_place(place);
        self.poller_mut().listen(number)?;
        Ok(Backend::new(self, number))
    }

    /// So many backends that echo, named by the letters of the alphabet.
    #[track_caller]
    pub(crate) fn echoing<'s>(&'s self, count: usize) -> Judged<Vec<Backend<'s>>> {
        self.lettered(count, Behaviour::Echo)
    }

    /// So many backends that neither accept nor refuse.
    #[track_caller]
    pub(crate) fn swallowing<'s>(&'s self, count: usize) -> Judged<Vec<Backend<'s>>> {
        let backends = self.echoing(count)?;
        backends.iter().try_for_each(|backend| backend.swallows())?;
        Ok(backends)
    }

    /// So many backends that answer with their names, in the order of the alphabet.
    #[track_caller]
    pub(crate) fn named<'s>(&'s self, count: usize) -> Judged<Vec<Backend<'s>>> {
        self.lettered(count, Behaviour::Name)
    }

    #[track_caller]
    fn lettered<'s>(&'s self, count: usize, behaviour: Behaviour) -> Judged<Vec<Backend<'s>>> {
        let mut backends = Vec::new();
        for letter in ('a'..='z').take(count) {
            backends.push(self.backend(&letter.to_string(), behaviour.clone())?);
        }
        Ok(backends)
    }

    /// Connects to an address, of the balancer or of anybody else; whether that succeeds is told later.
    #[track_caller]
    pub(crate) fn connect<'s>(&'s self, address: SocketAddr) -> Judged<Peer<'s>> {
        self.clients.set(self.clients.get() + 1);
        let name = format!("client {}", self.clients.get());
        self.tell(format!("{name} connects"));
        let end = self.poller_mut().connect(name, address)?;
        Ok(Peer::new(self, end))
    }

    /// Waits until `look` finds something, while bytes move.
    ///
    /// # Errors
    /// Timeout when it never does; crash when the balancer has ended.
    #[track_caller]
    pub(crate) fn until<T>(&self, awaited: impl fmt::Display, look: impl FnMut() -> Option<T>) -> Judged<T> {
        match self.attempt(look)? {
            Some(found) => Ok(found),
            None => Err(self.timeout(&awaited.to_string())),
        }
    }

    /// Waits until something is so, while bytes move.
    ///
    /// # Errors
    /// As for [`Scene::until`].
    #[track_caller]
    pub(crate) fn wait(&self, awaited: impl fmt::Display, mut is_so: impl FnMut() -> bool) -> Judged {
        self.until(awaited, || is_so().then_some(()))
    }

    /// Waits until something is so for all of these ends, in one wait however many they are.
    ///
    /// # Errors
    /// As for [`Scene::until`].
    #[track_caller]
    pub(crate) fn all(&self, awaited: &str, peers: &[Peer<'_>], is_so: impl Fn(&Peer<'_>) -> bool) -> Judged {
        let mut done = 0;
        let awaited = format!("all {} {awaited}", peers.len());
        self.wait(awaited, || {
            done += peers[done..].iter().take_while(|peer| is_so(peer)).count();
            done == peers.len()
        })
    }

    /// The same as [`Scene::until`], with nothing where that has an error of its own: for whoever has more to say.
    #[track_caller]
    pub(crate) fn attempt<T>(&self, mut look: impl FnMut() -> Option<T>) -> Judged<Option<T>> {
        const LAST_TURNS: usize = 16;
        let pid = self.process.borrow().as_ref().map_or_else(|| std::process::id() as i32, Process::pid);
        let mut patience = Patience::begin(pid, self.allowance.get());
        // What is there already costs no wait.
        self.turn(Duration::ZERO)?;
        loop {
            if let Some(found) = look() {
                return Ok(Some(found));
            }
            self.turn(AT_MOST)?;
            if !self.is_running()? {
                // What it sent before its end is still on the way.
                return (0..LAST_TURNS)
                    .find_map(|_| self.turn(AT_MOST).map(|()| look()).transpose())
                    .transpose();
            }
            if patience.left().is_zero() {
                return Ok(None);
            }
        }
    }

    /// Moves bytes for this long, come what may: only for what is itself a matter of time.
    #[track_caller]
    pub(crate) fn spend(&self, time: Duration) -> Judged {
        let end = Instant::now() + time;
        while Instant::now() < end && self.is_running()? {
            self.turn(Duration::from_micros(100))?;
        }
        Ok(())
    }

    /// Moves bytes until a figure has stopped growing for a moment. What follows must not depend on it.
    #[track_caller]
    pub(crate) fn settle(&self, figure: impl Fn() -> u64) -> Judged {
        const MOMENT: Duration = Duration::from_millis(10);
        loop {
            let before = figure();
            self.spend(MOMENT)?;
            if figure() == before {
                return Ok(());
            }
        }
    }

    /// A timeout: what was awaited did not come.
    #[track_caller]
    pub(crate) fn timeout(&self, awaited: &str) -> Box<Halt> {
        let got = format!("not within {} s", self.allowance.get().as_secs());
        Halt::new(Verdict::Timeout { waiting_for: awaited.to_owned() }, awaited, got)
    }

    /// Sets how long later waits go on: shorter for smaller versions of what was seen to hang.
    pub(crate) fn set_allowance(&self, allowance: Duration) {
        self.allowance.set(allowance);
    }

    /// Adds a step to what is told of a failure, and to the transcript.
    pub(crate) fn tell(&self, step: impl Into<String>) {
        let step = step.into();
        self.context.note("..", &step);
        self.story.borrow_mut().add(step);
    }

    /// Does something of which nothing is told, since it is told in other words.
    pub(crate) fn untold<T>(&self, act: impl FnOnce() -> T) -> T {
        self.story.borrow_mut().hush();
        let result = act();
        self.story.borrow_mut().unhush();
        result
    }

    /// A stream of its own.
    pub(crate) fn stream(&self) -> Stream {
        Stream::new(&mut self.rng.borrow_mut())
    }

    /// Seeded randomness.
    pub(crate) fn rng(&self) -> RefMut<'_, fastrand::Rng> {
        self.rng.borrow_mut()
    }

    pub(crate) fn end(&self, number: usize) -> Ref<'_, Endpoint> {
        Ref::map(self.poller.borrow(), |poller| &poller.ends[number])
    }

    /// Changes an end, which moves as soon as the check waits.
    pub(crate) fn change_end(&self, number: usize, change: impl FnOnce(&mut Endpoint)) {
        let mut poller = self.poller_mut();
        change(&mut poller.ends[number]);
        poller.touch(number);
    }

    pub(crate) fn place(&self, number: usize) -> Ref<'_, Place> {
        Ref::map(self.poller.borrow(), |poller| &poller.places[number])
    }

    pub(crate) fn poller_mut(&self) -> RefMut<'_, Poller> {
        self.poller.borrow_mut()
    }

    /// One round of the loop.
    #[track_caller]
    fn turn(&self, at_most: Duration) -> Judged {
        Ok(self.poller_mut().turn(at_most)?)
    }
}

/// Whether this machine has the address: not every one has `::1`.
pub(crate) fn has_address(address: IpAddr) -> bool {
    std::net::TcpListener::bind((address, 0)).is_ok()
}
