//! The suite on balancers that were not made for it: HAProxy and nginx, each behind an adapter that speaks the contract.
//! They are right wherever they are not documented to be different: a check that one of them fails, and that is in no
//! list here, asks for more than the specification says, or hangs on chance.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use harness::{event::CheckFinished, trial};

const SUITE: &str = env!("CARGO_BIN_EXE_lb-checks");

/// One after the other: some checks measure, and want no second suite beside them.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Where HAProxy is known to do something else than the specification says, and why that is not the check's mistake.
const DIFFERENCES_OF_HAPROXY: [(&str, &str); 3] = [
    (
        "lb/1/a_client_may_end_first",
        "a client that has ended without a byte before its backend's connection stands is taken for one that left, and \
         closed: whether it is that early is chance",
    ),
    ("lb/5/each_connection_has_its_line", "the same, of clients who end without a byte"),
    (
        "lb/5/what_was_not_delivered_is_not_counted",
        "its log has what it has read, up to a buffer more than the other side's socket took (%U and %B)",
    ),
];

/// The same of nginx, which has no checks of health unless one pays for it: who could not be reached is left out for a
/// while, and the next client tries it again. So nothing of stage 3 is tried; nor are these, since each of them waits in
/// vain for as long as a check may.
const DIFFERENCES_OF_NGINX: [(&str, &str); 4] = [
    ("lb/5/each_connection_has_its_line", "it waits for checks of health, of which none should be logged"),
    (
        "lb/5/each_failure_has_its_line",
        "with `proxy_half_close` a reset is passed on as an end, and the connection stays until the other side ends too; \
         and its log does not say which side broke",
    ),
    ("lb/5/lines_never_mix", "the same: a client's reset is over when the backend has ended as well"),
    (
        "lb/5/descriptors_are_given_back",
        "the same: a backend's reset is over when the client has ended as well",
    ),
];

/// What the adapters have in common, and HAProxy's has shown: dozens of runs, each of which starts an interpreter.
const COMMAND_LINES: &str = "lb/1/a_bad_command_line_is_refused";

/// Whether nginx can be told to pass on streams: packages have that as a module of its own.
fn has_stream() -> bool {
    let version = Command::new("nginx").arg("-V").stdout(Stdio::null()).output();
    let version =
        version.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    let modules = version.split_whitespace().find_map(|word| word.strip_prefix("--modules-path="));
    let is_module = modules.is_some_and(|folder| Path::new(folder).join("ngx_stream_module.so").is_file());
    let is_within = version.split_whitespace().any(|word| word == "--with-stream");
    if !is_module && !is_within {
        eprintln!("SKIPPED: this nginx has no stream module; try apt-get install libnginx-mod-stream");
    }
    is_module || is_within
}

/// What an adapter in Python fails of `checks`: nothing of the user's own, and no compiled files between these.
fn failures(python: &str, adapter: &str, checks: &[String]) -> BTreeMap<String, CheckFinished> {
    trial::failures(SUITE, &[python, "-S", "-E", "-B", adapter], checks)
}

#[test]
fn haproxy_is_right_but_for_what_is_known_of_it() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if !trial::is_installed("haproxy", "haproxy") {
        return;
    }
    let Some(python) = trial::python() else { return };
    let adapter = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/haproxy/lb.py");
    for (id, check) in failures(&python, adapter, &trial::checks(SUITE, &[1, 2, 3, 4, 5])) {
        let is_known = DIFFERENCES_OF_HAPROXY.iter().any(|(known, _)| *known == id);
        assert!(is_known, "{id} on HAProxy: {:?}, {:?}", check.verdict, check.evidence);
    }
}

#[test]
fn nginx_is_right_but_for_what_is_known_of_it() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if !trial::is_installed("nginx", "nginx libnginx-mod-stream") || !has_stream() {
        return;
    }
    let Some(python) = trial::python() else { return };
    let adapter = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nginx/lb.py");
    let left_out: Vec<_> =
        DIFFERENCES_OF_NGINX.iter().map(|(known, _)| *known).chain([COMMAND_LINES]).collect();
    let tried: Vec<_> = trial::checks(SUITE, &[1, 2, 4, 5])
        .into_iter()
        .filter(|id| !left_out.contains(&id.as_str()))
        .collect();
    let failures = failures(&python, adapter, &tried);
    assert!(failures.is_empty(), "on nginx: {failures:?}");
}
