//! A checkout with one project, `echo`, in three folders.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::desk::{HANGS, ROOT, command};

/// The checkout, for one test at a time.
pub(super) struct House {
    root: PathBuf,
    _mine: MutexGuard<'static, ()>,
}

/// Always in the same place, and written only when it differs, so that nothing is compiled twice.
pub(super) fn echo() -> House {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let mine = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-project");
    let wanted = files();
    if wanted.iter().any(|(path, text)| fs::read_to_string(root.join(path)).ok().as_ref() != Some(text)) {
        for tree in ["checks", "exercises", "solutions"] {
            let _ = fs::remove_dir_all(root.join(tree));
        }
        for (path, text) in wanted {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&root)).expect("a folder in the target directory");
            fs::write(path, text).expect("a file in the target directory");
        }
    }
    // The versions that are known to be here: this has to work without a network.
    fs::copy(Path::new(ROOT).join("Cargo.lock"), root.join("Cargo.lock"))
        .expect("the lock file of this checkout");
    House { root, _mine: mine }
}

impl House {
    pub(super) fn xtask(&self, args: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::from_std(self.command(args));
        command.timeout(HANGS);
        command
    }

    /// The same, to be started and looked at while it runs.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", self.root.join("target"));
        command.env("GROUNDWORK_DIR", self.own_folder());
        command
    }

    /// Where the grader keeps what is its own, for all tests of the house.
    pub(super) fn own_folder(&self) -> PathBuf {
        self.root.join("target/groundwork")
    }
}

fn files() -> BTreeMap<&'static str, String> {
    let mut files = BTreeMap::from([
        ("Cargo.toml", WORKSPACE.to_owned()),
        ("checks/echo/Cargo.toml", SUITE_MANIFEST.replace("ROOT", ROOT)),
        ("checks/echo/src/main.rs", include_str!("../../../../harness/src/bin/echo-suite.rs").to_owned()),
        ("checks/echo/mutants/1-adds-a-blank.patch", mutant(ADDS_A_BLANK, "format!(\"{line} \")")),
        ("checks/echo/mutants/1-swallows-tildes.patch", mutant(SWALLOWS_TILDES, "line.replace('~', \"\")")),
        ("checks/echo/mutants/2-cuts-lines.patch", mutant(CUTS_LINES, "line.chars().take(30).collect()")),
        (
            "exercises/echo/Cargo.toml",
            crate_manifest("echo") + "[lints]\nrust.unused_variables = \"allow\"\n",
        ),
        ("exercises/echo/README.md", "# Echo\n".to_owned()),
        ("exercises/echo/notes.txt", "a stray file\n".to_owned()),
        ("exercises/echo/stages/1-echo.md", "# Stage 1\n".to_owned()),
        ("exercises/echo/stages/2-stamina.md", "# Stage 2\n".to_owned()),
        ("exercises/echo/stages/9-forgotten.md", "# A stage that was taken out\n".to_owned()),
        ("exercises/echo/src/echo.rs", ECHO.replace(BODY, "todo!(\"stage 1: give it back\")")),
        ("solutions/echo/Cargo.toml", crate_manifest("echo-solution")),
        ("solutions/echo/src/echo.rs", ECHO.to_owned()),
    ]);
    for (in_exercise, in_solution, text) in [
        ("exercises/echo/src/main.rs", "solutions/echo/src/main.rs", MAIN),
        ("exercises/echo/src/stamina.rs", "solutions/echo/src/stamina.rs", STAMINA),
    ] {
        files.insert(in_exercise, text.to_owned());
        files.insert(in_solution, text.to_owned());
    }
    files
}

fn crate_manifest(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n")
}

/// A patch on the solution that replaces the body.
fn mutant(header: &str, body: &str) -> String {
    format!("{header}\n--- a/src/echo.rs\n+++ b/src/echo.rs\n@@ -5,1 +5,1 @@\n-    {BODY}\n+    {body}\n")
}

const WORKSPACE: &str = r#"[workspace]
resolver = "3"
members = ["checks/*", "solutions/*", "exercises/*"]

[profile.dev]
debug = false
"#;

const SUITE_MANIFEST: &str = r#"[package]
name = "echo-checks"
version = "0.1.0"
edition = "2024"

[dependencies]
fastrand = "2.3"
harness = { path = "ROOT/harness", features = ["suite"] }
tempfile = "3.23"
"#;

const MAIN: &str = r#"//! Given: speaks the contract.

mod echo;
mod stamina;

use std::io::{BufRead, BufReader, Write};

fn main() -> std::io::Result<()> {
    let input = BufReader::with_capacity(stamina::ROOM_BYTES, std::io::stdin());
    for line in input.lines() {
        writeln!(std::io::stdout(), "{}", echo::answer(&line?))?;
    }
    Ok(())
}
"#;

/// The body stands on line 5.
const ECHO: &str = "//! Stage 1: lines come back.

/// What is said to `line`.
pub fn answer(line: &str) -> String {
    line.to_owned()
}
";

const BODY: &str = "line.to_owned()";

const STAMINA: &str = "//! Stage 2: long lines, and many.

/// Room for a line.
pub const ROOM_BYTES: usize = 1 << 20;
";

const ADDS_A_BLANK: &str = "Adds a blank to each line, in the belief that nobody sees it.
fails: echo/1/echoes_a_line
fails: echo/1/echoes_in_order
fails: echo/1/exits_at_end_of_input
fails: echo/1/echoes_any_line
";

/// Its header is wrong: it names a check that passes, one that does not exist, and not the one that fails.
const SWALLOWS_TILDES: &str = "Swallows tildes.
fails: echo/1/echoes_a_line
fails: echo/1/echoes_tildes
";

/// Exact on its own stage, but wrong before that.
const CUTS_LINES: &str = "Cuts lines at thirty characters, in the belief that there are no longer ones.
fails: echo/2/echoes_a_long_line
";
