//! Our Buildroot tree at the level of its configuration: nothing is downloaded and nothing is built.
//!
//! Some need a Buildroot (`BUILDROOT_DIR`, of the version in `buildroot/upstream`) or a kernel
//! (`LINUX_DIR`, of the series in the defconfigs); without it they are *ignored*, and that is said.

mod kernel;
mod tree;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use image_tests::boards;
use libtest_mimic::{Arguments, Failed, Trial};

/// What a test says: nothing, or what is wrong.
type Verdict = Result<(), Failed>;

#[expect(
    clippy::print_stderr,
    reason = "the reason must be seen by whoever reads the test's output"
)]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("every_board_has_its_defconfig", tree::defconfigs),
        Trial::test("files_that_defconfigs_name_are_there", tree::named_files),
        Trial::test("boards_differ_in_name_and_line_cards_only", tree::alike),
        Trial::test("what_is_fetched_has_a_hash", tree::pinned),
        Trial::test("another_archive_is_not_unpacked", tree::another_archive),
        Trial::test("crates_are_fetched_once_and_not_by_the_build", tree::crates),
        Trial::test("a_board_that_is_none_is_refused", tree::no_board),
        Trial::test("lost_symbols_are_seen", kernel::losses_are_seen),
    ];
    let (buildroot, why) = place("BUILDROOT_DIR", "Config.in.legacy");
    for board in boards() {
        let (dir, name) = (buildroot.clone(), board.clone());
        let trial = Trial::test(format!("defconfig_of_{board}"), move || {
            tree::loads(&dir.unwrap_or_default(), &name)
        });
        trials.push(trial.with_ignored_flag(why.is_some()));
    }
    let dir = buildroot.clone();
    let version = Trial::test("buildroot_is_of_the_version_that_is_pinned", move || {
        tree::version(&dir.unwrap_or_default())
    });
    trials.push(version.with_ignored_flag(why.is_some()));
    let style = Trial::test("style_as_buildroot_wants_it", move || {
        tree::style(&buildroot.unwrap_or_default())
    });
    trials.push(style.with_ignored_flag(why.is_some()));

    let (linux, why_not) = place("LINUX_DIR", "Kbuild");
    let fragment = Trial::test("every_line_of_the_fragment_arrives", move || {
        kernel::fragment_arrives(&linux.unwrap_or_default())
    });
    trials.push(fragment.with_ignored_flag(why_not.is_some()));
    if !arguments.list {
        for reason in BTreeSet::from([why, why_not]).into_iter().flatten() {
            eprintln!("buildroot: tests are ignored: {reason}");
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A source tree that a variable names, or why there is none. A variable that names something else is
/// an error of whoever set it, and the tests fail by it.
fn place(variable: &str, mark: &str) -> (Option<PathBuf>, Option<String>) {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty());
    match named.map(PathBuf::from) {
        None => (None, Some(format!("{variable} is not set"))),
        Some(path) => {
            let path = path.canonicalize().unwrap_or(path);
            let there = path.join(mark).exists();
            (Some(if there { path } else { PathBuf::new() }), None)
        }
    }
}

/// Runs a program to its end; its output is the error where it fails.
fn run(command: &mut Command) -> Result<String, Failed> {
    let output = command
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS")
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}\n{text}\n{errors}").into())
}

fn fail_on(what: &str, found: &[String]) -> Verdict {
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("{what}:\n  {}", found.join("\n  ")).into())
}
