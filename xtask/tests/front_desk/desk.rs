//! Command lines, and subjects to name on them.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use tempfile::TempDir;

/// This checkout.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// One quick check of a project that is there.
pub(crate) const CHECK: &str = "kv/1/absent_key_is_null";

/// Beyond this a command counts as hanging, on the slowest machine and with everything still to be compiled.
pub(crate) const HANGS: Duration = Duration::from_secs(600);

/// `cargo xtask ARGS` at the root of this checkout, by somebody who has said nothing about colour. What a run leaves
/// is each test's own: others run at the same time, and the developer's last run stays what it was.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let test = thread::current().name().unwrap_or("tests").replace("::", "-");
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    command.args(args).current_dir(ROOT).env("CARGO_NET_OFFLINE", "true").env("GROUNDWORK_DIR", own);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CARGO_TERM_COLOR"] {
        command.env_remove(name);
    }
    command
}

/// The same, to be run to its end.
pub(crate) fn xtask(args: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::from_std(command(args));
    command.timeout(HANGS);
    command
}

/// Checks a subject, with [`CHECK`] alone.
pub(crate) fn check_one(subject: &Path) -> assert_cmd::Command {
    let subject = subject.to_str().expect("a path in UTF-8");
    xtask(&["check", "kv", "--subject", subject, "--check", CHECK])
}

/// A folder with the given files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(&path)).expect("a folder for the file");
        fs::write(&path, text).expect("a file in a temporary directory");
    }
    folder
}

/// A subject that is a shell script.
pub(crate) fn script(text: &str) -> TempDir {
    folder(&[("subject.toml", "project = \"kv\"\nrun = [\"sh\", \"store.sh\"]\n"), ("store.sh", text)])
}

/// A script that passes [`CHECK`]: it remembers whether the key `a` was put, and nothing else.
pub(crate) const PASSES: &str = r#"value=null
while read -r line; do
    case "$line" in
        *'"op":"put"'*'"key":"a"'* | *'"key":"a"'*'"op":"put"'*) value='""'; echo '{"ok":true}' ;;
        *'"op":"put"'*) echo '{"ok":true}' ;;
        *) echo "{\"value\":$value}" ;;
    esac
done
"#;

/// A script that fails every check at once.
pub(crate) const CHATTERS: &str = "while read -r line; do echo \"debug: got $line\"; done\n";

/// The manifest of a Rust subject that needs nothing from elsewhere.
pub(crate) const MANIFEST: &str = "[package]\nname = \"store\"\nedition = \"2024\"\n";
