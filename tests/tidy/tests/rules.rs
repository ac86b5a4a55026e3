//! The rules of the house.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tidy::{files, files_ending, root, text};

/// What each crate of ours may depend on; the picture in docs/ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("dsp", &[]),
    ("sip", &["model"]),
    ("rtp", &["model"]),
    ("media", &["model", "rtp", "dsp"]),
    ("pbx", &["model", "sip", "media", "dsp"]),
    ("store", &["model"]),
    ("platform", &["model"]),
    (
        "pbxd",
        &[
            "model", "sip", "rtp", "dsp", "media", "pbx", "store", "platform",
        ],
    ),
    ("webd", &["model", "store", "platform"]),
    ("supervisor", &["model", "platform"]),
    ("console", &["model", "platform"]),
    ("image", &["model", "platform"]),
];

/// About 500 lines a file; long tests stand in a file of their own.
const MOST_LINES: usize = 700;

/// Where code that the compiler can't check is allowed.
const UNSAFE_HOMES: &[&str] = &["firmware/edge/platform/src/sys/", "drivers/dahdi-sys/"];

fn fail(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn arrows_point_down() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--locked",
        ])
        .current_dir(root())
        .output()
        .expect("cargo describes the workspace");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let ours: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let path = package["manifest_path"].as_str().expect("and a path");
        if !path.contains("/firmware/") && !path.contains("/drivers/") {
            continue;
        }
        let Some(may) = allowed.get(name) else {
            found.push(format!("{name} has no line in ARROWS"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let on = dependency["name"].as_str().expect("a name");
            if dependency["kind"].is_null() && ours.contains(&on) && !may.contains(&on) {
                found.push(format!("{name} must not depend on {on}"));
            }
        }
    }
    fail("dependencies against the arrows", &found);
}

#[test]
fn every_module_says_what_it_owns() {
    let found: Vec<String> = files_ending(".rs")
        .iter()
        .filter(|path| !text(path).starts_with("//!"))
        .filter(|path| !path.ends_with("tests.rs") && !path.ends_with("build.rs"))
        .map(|path| path.display().to_string())
        .collect();
    fail("files that don't open with //!", &found);
}

#[test]
fn files_stay_small() {
    let found: Vec<String> = files_ending(".rs")
        .iter()
        .map(|path| (path, text(path).lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    fail("files over the size; split by role", &found);
}

#[test]
fn versions_stand_in_the_root_manifest() {
    let found: Vec<String> = files_ending("Cargo.toml")
        .iter()
        .filter(|path| path.as_path() != Path::new("Cargo.toml"))
        .filter(|path| !path.starts_with("tests/fuzz"))
        .flat_map(|path| {
            let text = text(path);
            let mut in_dependencies = false;
            text.lines()
                .filter(|line| {
                    if line.starts_with('[') {
                        in_dependencies = line.contains("dependencies");
                    }
                    in_dependencies && (line.contains("version") || line.contains("= \""))
                })
                .map(|line| format!("{}: {line}", path.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    fail("versions outside the root manifest", &found);
}

#[test]
fn unsafe_has_few_homes() {
    let found: Vec<String> = files_ending(".rs")
        .iter()
        .filter(|path| {
            let name = path.to_string_lossy();
            name.starts_with("firmware/") && !UNSAFE_HOMES.iter().any(|home| name.starts_with(home))
        })
        .filter(|path| {
            text(path)
                .lines()
                .map(str::trim_start)
                .any(|line| !line.starts_with("//") && line.contains("unsafe {"))
        })
        .map(|path| path.display().to_string())
        .collect();
    fail("unsafe outside its homes", &found);
}

#[test]
fn sql_stands_in_the_store() {
    let found: Vec<String> = files_ending("Cargo.toml")
        .iter()
        .filter(|path| text(path).contains("rusqlite.workspace"))
        .filter(|path| !path.starts_with("firmware/edge/store"))
        .map(|path| path.display().to_string())
        .collect();
    fail("crates with SQL of their own", &found);
}

#[test]
fn no_test_is_switched_off_and_no_lint_silenced_without_a_reason() {
    let marks = [
        concat!("#[ign", "ore"),
        concat!("#[al", "low("),
        concat!("#![al", "low("),
    ];
    let found: Vec<String> = files_ending(".rs")
        .iter()
        .flat_map(|path| {
            text(path)
                .lines()
                .enumerate()
                .filter(|(_, line)| marks.iter().any(|mark| line.trim_start().starts_with(mark)))
                .map(|(index, line)| format!("{}:{}: {line}", path.display(), index + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    fail("use #[expect(…, reason = …)], or let the test run", &found);
}

#[test]
fn no_registry_host_is_named() {
    let hosts = [
        concat!("crates", ".io/"),
        concat!("registry.npmjs", ".org"),
        concat!("pypi", ".org"),
        concat!("deb.debian", ".org"),
        concat!("static.crates", ".io"),
    ];
    let found: Vec<String> = files()
        .iter()
        .filter(|path| path.as_path() != Path::new("Cargo.lock"))
        .filter(|path| {
            std::fs::read_to_string(root().join(path))
                .is_ok_and(|text| hosts.iter().any(|host| text.contains(host)))
        })
        .map(|path| path.display().to_string())
        .collect();
    fail("files that name a package registry's host", &found);
}
