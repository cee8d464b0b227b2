//! What is not run, and how that is said.

use std::{fs, os::unix::fs::PermissionsExt};

use harness::{Context, Halt, Judged, process::Exit};

use crate::{
    call::Call,
    host::Host,
    run::{Ended, shown_bytes},
};

/// Demands an end with one of these statuses, a sentence with `culprit` on stderr, and nothing on stdout.
#[track_caller]
pub(crate) fn is_refused(ended: &Ended, statuses: &[i32], culprit: &str) -> Judged {
    let one_of = || statuses.iter().map(i32::to_string).collect::<Vec<_>>().join(" or ");
    if !ended.stdout.is_empty() {
        let expected = format!("exit status {} and nothing on stdout", one_of());
        return Err(Halt::fail(expected, format!("{} on stdout", shown_bytes(&ended.stdout))));
    }
    if !statuses.iter().any(|&status| ended.exit == Exit::Status(status)) {
        return Err(ended.unexpected(format!("exit status {}", one_of())));
    }
    if ended.stderr.trim().is_empty() {
        return Err(Halt::fail("a sentence on stderr that says what failed", "nothing"));
    }
    if !ended.stderr.contains(culprit) {
        let got = format!("{:?}", ended.stderr.trim());
        return Err(Halt::fail(format!("a sentence on stderr with {culprit:?} in it"), got));
    }
    Ok(())
}

pub(super) fn what_cannot_be_run_is_126_or_127(context: &Context) -> Judged {
    Host::play(context, |host| {
        // The same files at the same paths, inside and outside.
        let files: [(&str, &[u8], u32); 3] = [
            ("locked", b"#!/bin/sh\n", 0o644),
            ("no-program", b"\x01\x02\x03\x04", 0o755),
            ("orphan", b"#!/nowhere/sh\n", 0o755),
        ];
        let make = |call: &Call<'_, '_>| -> Judged {
            for (name, bytes, mode) in files {
                let outside = host.folder().join(name);
                let inside = call.root().inside(&outside);
                for path in [&outside, &inside] {
                    fs::write(path, bytes)?;
                    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
                }
            }
            Ok(())
        };
        let path = |name: &str| host.folder().join(name).display().to_string();
        let cases: [(String, &[i32]); 6] = [
            (path("not-there"), &[127]),
            ("a-name-in-no-folder".to_owned(), &[127]),
            (path("locked"), &[126]),
            (path("no-program"), &[126, 127]),
            (path("orphan"), &[126, 127]),
            (host.folder().display().to_string(), &[126, 127]),
        ];
        for (command, statuses) in cases {
            host.forget();
            let call = host.call()?;
            make(&call)?;
            let ended = call.command(&[&command, "x"]).start()?.ends()?;
            is_refused(&ended, statuses, &command)?;
        }
        Ok(())
    })
}

pub(super) fn a_bad_command_line_is_125(context: &Context) -> Judged {
    Host::play(context, |host| {
        // Whoever runs nothing at all refuses everything.
        host.call()?.probe("exit", &[b"0"]).start()?.ends()?.has_status(0)?;
        let too_long = "n".repeat(65);
        // Options, and the culprit that has to be named.
        let options: [(&[&str], &str); 5] = [
            (&["--nonsense"], "--nonsense"),
            (&["--hostnam", "box"], "--hostnam"),
            (&["-h0st", "box"], "-h0st"),
            (&["--hostname", ""], ""),
            (&["--hostname", &too_long], &too_long),
        ];
        for (words, culprit) in options {
            host.forget();
            let ended = host.call()?.option(words).probe("exit", &[b"0"]).start()?.ends()?;
            is_refused(&ended, &[125], culprit)?;
        }
        let nowhere = host.folder().join("no-such-root");
        let file = host.secret();
        for root in [&nowhere, &file] {
            host.forget();
            let ended = host.call()?.root_word(root).probe("exit", &[b"0"]).start()?.ends()?;
            is_refused(&ended, &[125], "")?;
        }
        // No word for a folder is not the caller's folder.
        host.forget();
        let call = host.call()?;
        let folder = call.root().path.clone();
        let ended = call.root_word("").in_folder(&folder).probe("exit", &[b"0"]).start()?.ends()?;
        is_refused(&ended, &[125], "")?;
        for words in [
            &[][..],
            &["nonsense", "/", "/bin/true"],
            &["run"],
            &["run", "/"],
            &["run", "--hostname"],
            &["run", "--hostname", "box", "/"],
        ] {
            host.forget();
            let ended = host.call()?.bare(words).start()?.ends()?;
            is_refused(&ended, &[125], if words.first() == Some(&"nonsense") { "nonsense" } else { "" })?;
        }
        Ok(())
    })
}
