//! A trace of the student's own, played and measured: `cargo xtask check malloc --trace FILE`.

use std::fs;

use harness::{Check, Context, Halt, Judged};

use crate::{
    player::{EIGHT, Player},
    rules,
    seen::Seen,
    speed, text,
    trace::Trace,
    words::counted,
};

pub(crate) const CHECK: Check = Check::new("plays_your_trace", plays_your_trace)
    .points(0)
    .must("the trace of the file keeps to all rules; what it costs is measured")
    .why("The trace that shows a weakness best is the one that you made because you suspected it.");

fn plays_your_trace(context: &Context) -> Judged {
    let file = context.file()?;
    let shown = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = fs::read(file)?;
    let text = String::from_utf8_lossy(&bytes);
    let script = text::parse(&text).map_err(|mistake| Halt::skip(format!("{shown}, {mistake}")))?;
    let lines = script.lines.clone();
    let trace = script.trace();
    let long = trace.ops.len() > 5_000;
    let watched = if long { trace.clone().watched_seldom() } else { trace.clone() };
    let seen = Player::new(context)?.watch(&watched)?;
    rules::judge(&watched, &seen, EIGHT).map_err(|mut halt| {
        let at = lines.get(seen.finished()).or(lines.last()).copied().unwrap_or(1);
        let line = text.lines().nth(at - 1).unwrap_or_default();
        halt.evidence.did = vec![format!("{shown}, line {at}: {line}")];
        halt
    })?;
    report(context, &trace, &seen)
}

fn report(context: &Context, trace: &Trace, seen: &Seen) -> Judged {
    let (live, peak) = (trace.peak_live_bytes(), seen.peak_footprint(0..trace.ops.len()).max(1));
    let calls = seen.records().last().map_or(0, |record| record.growth_calls);
    let step = seen.largest_step();
    let percent = live as f64 * 100.0 / peak as f64;
    let operations = counted(trace.ops.len(), "operation");
    context.measured(format!("{operations}, {} of payload at the peak", counted(live, "byte")));
    context.measured(format!(
        "footprint {peak} bytes: utilisation {percent:.1} %; calls for memory: {calls}, the largest step {step} bytes"
    ));
    context.measured(format!("time: {:.2} of libc's", speed::against_libc(context, trace)?));
    Ok(())
}
