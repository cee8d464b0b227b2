//! Random ups and downs, compared with a small automaton: those who are up are served in turn, and no other.

use std::cell::Cell;
use std::time::Duration;

use harness::{
    Context, Judged,
    property::{
        property,
        proptest::{collection::vec, prelude::*},
    },
};

use super::pace::{Pace, names};
use crate::{backend::Backend, balancer::Balancer, round_robin::expect_cycle, scene::Scene};

/// Short, since each step of each case waits for a few of them.
const PACE: Pace = Pace::of_ms(25, 100);

/// Backends that go and come. One more is always there, and tells how many checks there were.
const CHANGING: usize = 3;

/// Some go, some come, and then there are clients.
#[derive(Clone, Debug)]
struct Step {
    is_up: [bool; CHANGING],
    clients: usize,
}

pub(super) fn any_ups_and_downs_are_followed(context: &Context) -> Judged {
    const CASES: u32 = 5;
    let step = (any::<[bool; CHANGING]>(), 1..8_usize).prop_map(|(is_up, clients)| Step { is_up, clients });
    let has_failed = Cell::new(false);
    property(context, CASES, vec(step, 1..5), |steps| {
        let outcome = Scene::play(context, |scene| {
            if has_failed.get() {
                scene.set_allowance(Duration::from_secs(2));
            }
            let backends = scene.named(CHANGING + 1)?;
            let lb = PACE.told(scene.balancer(&backends)).start()?;
            PACE.are_known(scene, &backends)?;
            let mut is_up = [true; CHANGING];
            for step in steps {
                change(scene, &lb, &backends, is_up, step)?;
                is_up = step.is_up;
            }
            Ok(())
        });
        has_failed.set(has_failed.get() || outcome.is_err());
        outcome
    })
}

/// One step, from those who were up to those who are.
#[track_caller]
fn change(
    scene: &Scene<'_>,
    lb: &Balancer<'_>,
    backends: &[Backend<'_>],
    was_up: [bool; CHANGING],
    step: &Step,
) -> Judged {
    let witness = backends[CHANGING];
    let mut back = Vec::new();
    for (number, &backend) in backends[..CHANGING].iter().enumerate() {
        match (was_up[number], step.is_up[number]) {
            (true, false) => backend.dies(),
            (false, true) => {
                backend.comes_back()?;
                back.push(backend);
            }
            _ => {}
        }
    }
    // Somebody who comes at this moment may be served or not; he must not do any harm.
    let client = scene.untold(|| lb.client())?;
    scene.tell(format!("{} connects, closes, and is not judged", client.name()));
    scene.untold(|| client.close());
    for &backend in &back {
        PACE.notices(scene, backend, witness)?;
    }
    PACE.passes(scene, witness)?;
    let up = backends.iter().enumerate().filter(|(number, _)| step.is_up.get(*number) != Some(&false));
    let order: String = up.map(|(_, backend)| backend.name()).collect();
    expect_cycle(&order, &names(scene, lb, step.clients)?)
}
