//! Stage 7: most of the heap is payload, and requests are answered about as fast as libc answers them.

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    families::{self, Family},
    player::{Player, SIXTEEN},
    recorded, speed,
};

pub(crate) const STAGE: Stage = Stage {
    number: 7,
    slug: "utilisation-and-speed",
    bonus: true,
    checks: &[
        Check::new("most_of_the_heap_is_payload", most_of_the_heap_is_payload)
            .points(3)
            .must("on generated traces of every character at least half of the peak footprint is payload")
            .why("Memory that is neither used nor given back is what a machine runs out of first."),
        Check::new("recorded_programs_fit_into_their_heap", recorded_programs_fit_into_their_heap)
            .points(3)
            .must("on traces recorded from real programs at least half of the peak footprint is payload")
            .why("Programs have habits that no generator has: sizes that repeat, phases, lives as long as the program's."),
        Check::new("many_free_blocks_cost_no_time", many_free_blocks_cost_no_time)
            .points(3)
            .alone()
            .must("requests that none of 30,000 free blocks fits take at most twenty times as long as with libc's allocator")
            .why("A list that is searched from end to end is quick until the day it is long."),
        Check::new("requests_are_answered_in_time", requests_are_answered_in_time)
            .points(3)
            .alone()
            .must("every trace takes at most five times as long as with libc's allocator")
            .why("malloc is called a million times a second. Whoever waits for it is everybody."),
    ],
};

/// Of the footprint, in percent. Good allocators reach 80 and more.
const PAYLOAD: usize = 50;

/// Times libc's. Good allocators need less than once.
const SLOWEST: f64 = 5.0;

/// The same for the trace that a linear search takes hundreds of times as long for.
const SLOWEST_SEARCH: f64 = 20.0;

fn most_of_the_heap_is_payload(context: &Context) -> Judged {
    is_payload(context, &families::all(context.seed()))
}

fn recorded_programs_fit_into_their_heap(context: &Context) -> Judged {
    is_payload(context, &recorded::all()?)
}

fn is_payload(context: &Context, families: &[Family]) -> Judged {
    let mut player = Player::new(context)?;
    let mut figures = Vec::new();
    let mut worst: Option<(usize, Box<Halt>)> = None;
    for Family { name, trace } in families {
        let seen = player.play(&trace.clone().watched_seldom(), SIXTEEN)?;
        let (live, peak) = (trace.peak_live_bytes(), seen.peak_footprint(0..trace.ops.len()).max(1));
        let percent = live * 100 / peak;
        figures.push(format!("{name} {percent} %"));
        if percent < PAYLOAD && worst.as_ref().is_none_or(|(least, _)| percent < *least) {
            let expected = format!("{name}: at least {PAYLOAD} % of the footprint is payload");
            let got = format!("{percent} %: {live} bytes of payload at the peak, {peak} bytes of footprint");
            let did = format!("played the trace \"{name}\", {} operations", trace.ops.len());
            worst = Some((percent, Halt::fail(expected, got).did([did])));
        }
    }
    context.measured(format!("payload: {}", figures.join(", ")));
    worst.map_or(Ok(()), |(_, halt)| Err(halt))
}

fn many_free_blocks_cost_no_time(context: &Context) -> Judged {
    let family = Family { name: "a saw of free blocks", trace: families::saw() };
    is_quick(context, &[family], SLOWEST_SEARCH)
}

fn requests_are_answered_in_time(context: &Context) -> Judged {
    let mut families = families::all(context.seed());
    families.extend(recorded::all()?);
    is_quick(context, &families, SLOWEST)
}

fn is_quick(context: &Context, families: &[Family], slowest: f64) -> Judged {
    let mut figures = Vec::new();
    for Family { name, trace } in families {
        let ratio = speed::against_libc(context, trace)?;
        figures.push(format!("{name} {ratio:.2}"));
        if ratio > slowest {
            let expected = format!("{name}: at most {slowest} times libc's time");
            let did = format!(
                "played the trace \"{name}\", {} operations, in turns with libc's allocator",
                trace.ops.len()
            );
            return Err(Halt::fail(expected, format!("{ratio:.1} times")).did([did]));
        }
    }
    context.measured(format!("time, as a multiple of libc's: {}", figures.join(", ")));
    Ok(())
}
