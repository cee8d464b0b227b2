//! Random traces, drawn so that each stage meets what it is about and little of what comes later: blocks of one size
//! that never touch a free one, then multiples of a size that do, then any size, then the ends of the range.

use harness::{
    Context, Judged,
    property::{
        self,
        proptest::{collection, prelude::Just, prop_oneof, strategy::Strategy},
    },
};

use crate::{
    player::{Player, Terms},
    trace::{Op, Trace},
};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sizes {
    /// One size a trace, and between any two blocks a third that lives to the end.
    Same,
    /// One to four times a size.
    Multiples,
    /// Anything from 1 to some 70,000.
    Any,
    /// The same, and often 0.
    OrNone,
}

/// Whether `calloc` and `realloc` are called as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Functions {
    /// `malloc` and `free`.
    Two,
    /// All four.
    Four,
}

/// A step, before it is known whether its slot holds a block.
#[derive(Clone, Copy, Debug)]
struct Draw {
    slot: usize,
    size: usize,
    action: Action,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    /// Allocates if the slot is empty, and frees if it is not.
    Toggle,
    Headers,
    Calloc,
    Realloc,
}

const SLOTS: usize = 10;
const LENGTH: usize = 60;

/// Plays random traces; each has to keep to the rules.
///
/// # Errors
/// What the rules say of the smallest trace that breaks one.
pub(crate) fn keeps_to_the_rules(
    context: &Context,
    cases: u32,
    terms: Terms,
    sizes: Sizes,
    functions: Functions,
) -> Judged {
    let player = std::cell::RefCell::new(Player::new(context)?);
    property::property(context, cases, traces(sizes, functions), |trace| {
        player.borrow_mut().play(trace, terms).map(drop)
    })
}

fn traces(sizes: Sizes, functions: Functions) -> impl Strategy<Value = Trace> {
    let drawn = collection::vec(draw(sizes, functions), 1..LENGTH);
    (1..2000_usize, drawn).prop_map(move |(base, draws)| Trace::new(operations(sizes, base, &draws)))
}

fn draw(sizes: Sizes, functions: Functions) -> impl Strategy<Value = Draw> {
    let any = prop_oneof![12 => 1..=200_usize, 4 => 1..=2_000_usize, 1 => 1..=70_000_usize];
    let size = match sizes {
        Sizes::Same | Sizes::Multiples => (1..=4_usize).boxed(),
        Sizes::Any => any.boxed(),
        Sizes::OrNone => prop_oneof![1 => Just(0_usize), 3 => any].boxed(),
    };
    let more = u32::from(functions == Functions::Four) * 4;
    let action = prop_oneof![
        10 => Just(Action::Toggle),
        2 => Just(Action::Headers),
        more => Just(Action::Calloc),
        more => Just(Action::Realloc),
    ];
    (0..SLOTS, size, action).prop_map(|(slot, size, action)| Draw { slot, size, action })
}

/// The operations that draws stand for.
fn operations(sizes: Sizes, base: usize, draws: &[Draw]) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut holds = [false; SLOTS];
    let mut parted = [false; SLOTS];
    for &Draw { slot, size, action } in draws {
        let size = match sizes {
            Sizes::Same => base,
            Sizes::Multiples => size * base,
            Sizes::Any | Sizes::OrNone => size,
        };
        match (action, holds[slot]) {
            (Action::Realloc, _) if size > 0 => {
                ops.push(Op::Realloc { slot, size });
                holds[slot] = true;
            }
            (Action::Headers, true) => ops.push(Op::FillWithHeaders { slot }),
            (Action::Headers | Action::Realloc, _) => {}
            (_, true) => {
                ops.push(Op::Free { slot });
                holds[slot] = false;
            }
            (Action::Calloc, false) => {
                ops.push(Op::Calloc { slot, count: 1, size });
                holds[slot] = true;
            }
            (Action::Toggle, false) => {
                ops.push(Op::Malloc { slot, size });
                holds[slot] = true;
                if sizes == Sizes::Same && !parted[slot] {
                    // Larger than any free block, merged or not: one that fits the filler would bring two others together.
                    ops.push(Op::Malloc { slot: SLOTS + slot, size: 2 * base + 64 });
                    parted[slot] = true;
                }
            }
        }
    }
    ops
}
