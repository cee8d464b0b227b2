//! The suite on clients that were not made for it: curl, which is right wherever it is not documented to be different,
//! and a client as most begin, which fails what it does not do and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
};

use harness::trial;

const SUITE: &str = env!("CARGO_BIN_EXE_http-checks");

/// Where curl is known to do something else than the specification says, and why that is not the check's mistake. Each
/// version does some of it.
const DIFFERENCES: [(&str, &str); 13] = [
    (
        "http/1/what_is_no_url_is_refused",
        "curl guesses: http:// where there is no scheme, and a slash too many or too few",
    ),
    ("http/2/a_length_is_digits", "it takes `+5`, and numbers up to what is no digit"),
    ("http/2/what_is_no_field_is_refused", "it takes a field without a name, and names with spaces in them"),
    ("http/2/what_is_no_response_is_refused", "it takes `HTTP/1.1 200OK`"),
    ("http/3/trailers_are_dropped", "it allows 4 KiB for a trailer, where 16 KiB are asked for"),
    ("http/3/what_is_no_size_is_refused", "a size ends for it where the digits do: `2x` is 2"),
    ("http/3/data_is_followed_by_a_line_end", "it skips returns until there is a line feed"),
    ("http/3/one_wrong_byte_is_never_another_body", "the same, and sizes that end where the digits do"),
    ("http/4/references_lead_where_the_standard_says", "`#f` leads to the directory of the page"),
    ("http/4/a_target_that_is_no_url_is_refused", "it looks for a host in `http:///b`"),
    ("http/4/no_byte_of_a_location_ends_a_line", "a Location ends for it at a return"),
    ("http/4/only_redirects_are_followed", "it follows all of 3xx that has a Location"),
    ("http/4/a_redirects_body_is_nobodys", "it reads the body of a redirect, and fails if that is not whole"),
];

/// The same over TLS, where curl was built with OpenSSL.
const DIFFERENCE_OF_OPENSSL: (&str, &str) = (
    "http/5/an_end_without_goodbye_is_truncated",
    "the end of the connection is an end for it, whoever made it",
);

/// What the client in Python does not do: bodies that are sent.
const POST: [&str; 8] = [
    "http/1/a_post_says_how_many_bytes_it_sends",
    "http/1/a_large_body_is_sent_whole",
    "http/4/a_post_becomes_a_get_or_stays_whole",
    "http/4/303_307_and_308_have_their_own_rules",
    "http/5/requests_and_responses_go_through_tls",
    "http/5/the_chain_has_to_end_at_a_trusted_root",
    "http/5/every_hop_is_verified_anew",
    "http/5/a_large_post_goes_through_tls",
];

/// Bodies that end elsewhere than the connection.
const FRAMING: [&str; 8] = [
    "http/2/a_length_is_where_the_body_ends",
    "http/2/an_early_end_is_no_success",
    "http/2/some_responses_have_no_body",
    "http/2/interim_responses_are_skipped",
    "http/2/a_length_is_digits",
    "http/4/a_redirects_body_is_nobodys",
    "http/5/a_known_end_needs_no_goodbye",
    "http/5/an_end_without_goodbye_is_truncated",
];

/// Bodies that are shown before they are complete, or do not fit into memory.
const STREAMING: [&str; 3] = [
    "http/2/a_body_is_shown_as_it_comes",
    "http/2/a_large_body_takes_little_memory",
    "http/5/a_body_streams_through_tls",
];

/// Bodies in chunks, apart from those of stage 3, which are all.
const CHUNKED: [&str; 1] = ["http/5/borders_of_records_mean_nothing"];

/// What takes the client in Python dozens of runs, each of which starts an interpreter, and is nothing that it does not do.
const LONG: [&str; 8] = [
    "http/1/no_byte_of_a_url_ends_a_line",
    "http/1/what_is_no_url_is_refused",
    "http/2/the_close_ends_a_body_without_a_length",
    "http/2/what_is_no_field_is_refused",
    "http/2/what_is_no_response_is_refused",
    "http/2/doubtful_heads_are_understood_or_refused",
    "http/4/no_byte_of_a_location_ends_a_line",
    "http/4/references_lead_where_the_standard_says",
];

/// The stages that are tried.
const STAGES: [u32; 5] = [1, 2, 3, 4, 5];

#[test]
fn curl_is_right_but_for_what_is_known_of_it() {
    if Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("SKIPPED: there is no curl on this machine; try apt-get install curl");
        return;
    }
    let adapter = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/curl/http.sh");
    let failures = trial::failures(SUITE, &["sh", adapter], &trial::checks(SUITE, &STAGES));
    let known: BTreeMap<_, _> = DIFFERENCES.into_iter().chain([DIFFERENCE_OF_OPENSSL]).collect();
    for (id, check) in failures {
        assert!(known.contains_key(id.as_str()), "{id} on curl: {:?}, {:?}", check.verdict, check.evidence);
    }
}

#[test]
fn a_first_client_fails_what_it_does_not_do() {
    let Some(python) = trial::python() else { return };
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/client.py");
    let tried = trial::checks(SUITE, &STAGES);
    let chosen: Vec<_> = tried.into_iter().filter(|id| !LONG.contains(&id.as_str())).collect();
    let failures = trial::failures(SUITE, &[&python, "-S", "-E", client], &chosen);
    let stage_3: Vec<_> = chosen.iter().filter(|id| id.starts_with("http/3/")).collect();
    let missing = [&POST[..], &FRAMING, &STREAMING, &CHUNKED].concat();
    let expected: BTreeSet<_> = missing.into_iter().chain(stage_3.into_iter().map(String::as_str)).collect();
    for (id, check) in &failures {
        let is_expected = expected.contains(id.as_str());
        assert!(is_expected, "{id} on a first client: {:?}, {:?}", check.verdict, check.evidence);
    }
    for id in expected {
        assert!(failures.contains_key(id), "{id} passes on a client that does not do it");
    }
}
