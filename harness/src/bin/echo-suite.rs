//! The smallest suite that is still a suite: a subject has to echo each line that it is sent. The harness is tested
//! with it, and a suite for a project of your own begins as a copy of it.
//!
//! ```text
//!   contract   a program without arguments: one line on stdin, the same line on stdout, until the end of its input
//!   stage 1    echo       lines come back
//!   stage 2    stamina    long ones too, and after many others
//! ```
//!
//! Three things make it a suite: constants that list the checks with what each *must* and *why*; a driver (`Echo`)
//! that speaks the contract and turns every surprise into evidence; and checks that read as what they do.

use std::process::ExitCode;

use fastrand::Rng;
use harness::{
    Check, Context, Folder, Halt, Judged, OneProcessor, Stage, Suite,
    process::{Exit, Process},
    property::{
        property,
        proptest::{char::range, collection::vec},
    },
};

static SUITE: Suite = Suite::new("echo", &[ECHO, STAMINA]);

fn main() -> ExitCode {
    harness::main(&SUITE)
}

const ECHO: Stage = Stage {
    number: 1,
    slug: "echo",
    bonus: false,
    checks: &[
        Check::new("echoes_a_line", echoes_a_line)
            .points(2)
            .must("a line comes back unchanged, without waiting for another")
            .why("Who sent it may wait for the answer: an echo that sits in a buffer is none."),
        Check::new("echoes_in_order", echoes_in_order)
            .must("lines that are sent together come back one by one, in order")
            .why("A client that does not wait for each answer has only their order to match them by."),
        Check::new("exits_at_end_of_input", exits_at_end_of_input)
            .must("at the end of its input it says nothing more and exits with status 0")
            .why("A pipeline ends when each of its programs does."),
        Check::new("echoes_any_line", echoes_any_line)
            .points(2)
            .must("any line of printable characters comes back unchanged, the empty one included")
            .why("Blanks, quotes and backslashes mean something to many tools, and nothing to an echo."),
    ],
};

const STAMINA: Stage = Stage {
    number: 2,
    slug: "stamina",
    bonus: false,
    checks: &[
        Check::new("echoes_a_long_line", echoes_a_long_line)
            .must("a line of up to 1 MiB comes back unchanged")
            .why("A line does not end where a buffer of fixed size does."),
        // Alone: it measures, and what neighbours do to the caches would be measured too.
        Check::new("later_lines_cost_no_more", later_lines_cost_no_more)
            .alone()
            .must("a line costs as much processor time after thousands of others as before them")
            .why("What keeps every line, or looks through all of them, is quick only while it is tested."),
    ],
};

fn echoes_a_line(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut echo = Echo::start(context)?;
    for _ in 0..3 {
        echo.exchange(&[unpredictable_line(&mut rng)])?;
    }
    Ok(())
}

fn echoes_in_order(context: &Context) -> Judged {
    let mut rng = context.rng();
    let lines: Vec<_> = (0..100).map(|_| unpredictable_line(&mut rng)).collect();
    Echo::start(context)?.exchange(&lines)
}

fn exits_at_end_of_input(context: &Context) -> Judged {
    let mut echo = Echo::start(context)?;
    echo.exchange(&[unpredictable_line(&mut context.rng())])?;
    echo.finish()
}

fn echoes_any_line(context: &Context) -> Judged {
    property(context, 50, vec(range(' ', '~'), 0..=40), |line| {
        Echo::start(context)?.exchange(&[&String::from_iter(line)])
    })
}

fn echoes_a_long_line(context: &Context) -> Judged {
    let mut rng = context.rng();
    let line: String = std::iter::repeat_with(|| rng.alphanumeric()).take((1 << 20) - 1).collect();
    Echo::start(context)?.exchange(&[line])
}

fn later_lines_cost_no_more(context: &Context) -> Judged {
    // Told apart by a factor that neither a first page fault nor a busy machine explains, and never by a time.
    const FACTOR: u64 = 6;
    let mut rng = context.rng();
    let _together = OneProcessor::take()?;
    let mut echo = Echo::start(context)?;
    let mut costs = Vec::new();
    for _ in 0..30 {
        let before = echo.process.usage().cpu_nanos;
        // One at a time: together they would cost more or fewer system calls, as the machine has it.
        for _ in 0..200 {
            echo.exchange(&[unpredictable_line(&mut rng)])?;
        }
        costs.push(echo.process.usage().cpu_nanos.saturating_sub(before));
    }
    // The dearest of the first and the cheapest of the last: one hiccup decides nothing.
    let early = costs[..2].iter().copied().max().unwrap_or(0);
    let late = costs[costs.len() - 3..].iter().copied().min().unwrap_or(0);
    if late <= FACTOR * early {
        return Ok(());
    }
    let expected = format!("at most {FACTOR} times the {} µs that 200 lines took at first", early / 1000);
    let got = format!("{} µs for 200 lines, after 5400 others", late / 1000);
    Err(Halt::fail(expected, got).likely("it keeps all lines, and goes through them for each new one"))
}

/// A line that no subject can know beforehand, the same for the same seed.
fn unpredictable_line(rng: &mut Rng) -> String {
    format!("line {:016x}", rng.u64(..))
}

/// A running subject behind its contract. Whatever it does wrong is judged here, with what was done to it so far.
struct Echo {
    process: Process,
    sent: Vec<String>,
    /// Where it runs. After `process`, since a folder goes only when nobody works in it any more.
    _folder: Folder,
}

impl Echo {
    #[track_caller]
    fn start(context: &Context) -> Judged<Self> {
        let folder = context.folder()?;
        Ok(Self { process: context.launch(folder.path()).start()?, sent: Vec::new(), _folder: folder })
    }

    /// Sends lines together, and expects each of them back.
    #[track_caller]
    fn exchange(&mut self, lines: &[impl AsRef<str>]) -> Judged {
        for line in lines {
            self.process.send(format!("{}\n", line.as_ref()).as_bytes());
            self.sent.push(format!("send {}", shown(line.as_ref())));
        }
        for line in lines {
            let line = line.as_ref();
            let reply = self.process.read_line(format!("the echo of {}", shown(line)));
            match reply {
                Ok(reply) if reply == line => {}
                Ok(reply) => return Err(Halt::fail(shown(line), shown(&reply)).did(self.steps())),
                Err(halt) => return Err(halt.did(self.steps())),
            }
        }
        Ok(())
    }

    /// Ends its input, and expects it to end well.
    #[track_caller]
    fn finish(mut self) -> Judged {
        self.sent.push("end of input".to_owned());
        let steps = self.steps();
        let ending = self.process.finish().map_err(|halt| halt.did(steps.clone()))?;
        match (ending.exit, ending.unread.first()) {
            (Exit::Status(0), None) => Ok(()),
            (Exit::Status(0), Some(line)) => Err(Halt::fail("nothing more", shown(line)).did(steps)),
            _ => Err(ending.halt("it to exit with status 0 at the end of its input").did(steps)),
        }
    }

    /// The last things that were done to it: what a reader can take in.
    fn steps(&self) -> Vec<String> {
        self.sent[self.sent.len().saturating_sub(3)..].to_vec()
    }
}

/// A line in quotes; of a long one, its beginning and its length.
fn shown(line: &str) -> String {
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}… ({} bytes)", &line[..end], line.len()),
        None => format!("{line:?}"),
    }
}
