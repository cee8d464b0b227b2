//! Random clients, one after another, of whom each costs one pick and no more.

use std::{cell::Cell, time::Duration};

use harness::{
    Context, Judged,
    property::{
        property,
        proptest::{collection::vec, sample::select},
    },
};

use super::expect_cycle;
use crate::{
    backend::Backend,
    balancer::Balancer,
    scene::{Behaviour, Scene},
};

/// What a client does with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visit {
    /// Sends a little, is answered, and ends.
    Brief,
    /// Sends piece after piece, each when the one before was answered, and ends.
    Talkative,
    /// Sends a little and stays.
    Staying,
    /// Sends a little, ends its side at once, and is answered then.
    HalfClosing,
    /// Sends a little, is answered, and resets.
    Resetting,
    /// Sends more than one read takes.
    Large,
}

pub(super) fn whatever_clients_do_the_cycle_goes_on(context: &Context) -> Judged {
    const CASES: u32 = 15;
    let visits = select(vec![
        Visit::Brief,
        Visit::Talkative,
        Visit::Staying,
        Visit::HalfClosing,
        Visit::Resetting,
        Visit::Large,
    ]);
    let has_failed = Cell::new(false);
    property(context, CASES, (1..6_usize, vec(visits, 1..16)), |(count, visits)| {
        let outcome = Scene::play(context, |scene| {
            if has_failed.get() {
                scene.set_allowance(Duration::from_secs(2));
            }
            let backends = scene.named(*count)?;
            backends.iter().for_each(|backend| backend.behaves(Behaviour::Echo));
            let lb = scene.balancer(&backends).start()?;
            let mut seen = String::new();
            for &visit in visits {
                visit.pay(scene, &lb)?;
                seen.push(who_was_visited(scene, &backends, &seen)?);
            }
            let names: String = backends.iter().map(|backend| backend.name()).collect();
            expect_cycle(&names, &seen)
        });
        has_failed.set(has_failed.get() || outcome.is_err());
        outcome
    })
}

impl Visit {
    fn pay(self, scene: &Scene<'_>, lb: &Balancer<'_>) -> Judged {
        const LARGE: u64 = 300 << 10;
        let client = lb.client()?;
        if self == Self::Large {
            let stream = scene.stream();
            client.expects(stream);
            client.send_stream(stream, 0, LARGE);
            client.finish();
            client.receives_stream(LARGE)?;
            return client.receives_end();
        }
        client.send(b"hello");
        if self == Self::HalfClosing {
            client.finish();
        }
        client.receives(b"hello")?;
        match self {
            Self::Talkative => {
                for words in ["how", "are", "you?"] {
                    client.send(words.as_bytes());
                    client.receives(words.as_bytes())?;
                }
                client.finish();
                client.receives_end()
            }
            Self::Brief => {
                client.finish();
                client.receives_end()
            }
            Self::HalfClosing => client.receives_end(),
            Self::Resetting => {
                client.reset();
                Ok(())
            }
            Self::Staying | Self::Large => Ok(()),
        }
    }
}

/// The backend that has got a connection since those that were seen.
#[track_caller]
fn who_was_visited(scene: &Scene<'_>, backends: &[Backend<'_>], seen: &str) -> Judged<char> {
    let name = super::the_newest(backends, seen)?;
    scene.tell(format!("backend {name} had this connection"));
    Ok(name)
}
