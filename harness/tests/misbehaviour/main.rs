//! The harness against subjects that misbehave on purpose, each a line of shell.
//!
//! A test runs a suite as the front desk does: a request in, events out. What it looks at is the verdict, whether the
//! evidence names the cause, how long it took, and what is left behind.

mod suite_run;

mod processes;

mod answers;

mod endings;

mod waits;

mod floods;

mod limits;

mod standing;

mod strays;

mod ends_of_the_suite;

mod shrinking;
