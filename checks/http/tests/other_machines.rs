//! The suite on machines that lack something. Whoever is judged there is not to blame for it, and what can be judged
//! without it is.

use std::process::{Command, Stdio};

use harness::{event::Subject, trial, verdict::Verdict};

const SUITE: &str = env!("CARGO_BIN_EXE_http-checks");

/// The suite on a machine with nothing but a loopback (network_namespaces(7)), after `setting`, a command of the shell,
/// has changed it. None, which is said aloud, where no such machine can be made.
fn suite_where(setting: &str) -> Option<Command> {
    let script = format!("ip link set lo up && {setting} && exec \"$0\" \"$@\"");
    let machine = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh", "-c", &script, program]);
        command
    };
    let tried = machine("true").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no network namespaces here; try apt-get install iproute2 util-linux, or as root");
        return None;
    }
    Some(machine(SUITE))
}

/// A client that connects to nobody, which is what every client does that is given no port.
fn unconnected() -> Subject {
    let words = ["sh", "-c", "echo 'error: connect: cannot assign requested address' >&2; exit 1"];
    Subject::Run(words.map(str::to_owned).to_vec())
}

#[test]
fn nobody_is_blamed_for_having_no_port() {
    const CHECK: &str = "http/1/a_get_has_no_body";
    // The server takes the only one.
    let one_port = "echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range";
    let Some(suite) = suite_where(one_port) else { return };
    let verdict = &trial::run_by(suite, unconnected(), trial::one(CHECK))[0].verdict;
    let is_named = matches!(verdict, Verdict::Fault { detail } if detail.contains("no port is left"));
    assert!(is_named, "a fault of the machine: {verdict:?}");

    let verdict = &trial::run(SUITE, unconnected(), trial::one(CHECK))[0].verdict;
    assert_eq!(*verdict, Verdict::Fail, "where there are ports, it is the client's");
}

#[test]
fn a_machine_may_have_no_ipv6() {
    let Some(python) = trial::python() else { return };
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/client.py");
    let none = "for of in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 >$of || true; done";
    for (check, says_so) in [
        ("http/1/host_names_the_server_and_its_port", true),
        // It has a second address of IPv4 instead.
        ("http/1/every_address_of_a_name_is_tried", false),
        ("http/5/an_address_has_to_be_in_the_certificate", true),
    ] {
        let Some(suite) = suite_where(none) else { return };
        let words = [&python, "-S", "-E", client].map(str::to_owned);
        let finished = trial::run_by(suite, Subject::Run(words.to_vec()), trial::one(check)).remove(0);
        assert_eq!(finished.verdict, Verdict::Pass, "{check}: {:?}", finished.evidence);
        let said = finished.measured.iter().any(|line| line.starts_with("no IPv6 on this machine"));
        assert_eq!(said, says_so, "{check} says what it left out: {:?}", finished.measured);
    }
}
