//! The tree itself: defconfigs, packages, hashes, and the script that fetches Buildroot.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use image_tests::{boards, root};
use platform::board::Board;
use serde_json::Value;

use crate::{Verdict, fail_on, run};

const PATH_VARIABLE: &str = "$(BR2_EXTERNAL_OPERATOR_BOX_PATH)";

fn tree() -> PathBuf {
    root().join("buildroot")
}

fn file_name(board: &str) -> String {
    format!("{}_defconfig", board.replace('-', "_"))
}

fn defconfig(board: &str) -> Result<String, std::io::Error> {
    fs::read_to_string(tree().join("configs").join(file_name(board)))
}

pub fn defconfigs() -> Verdict {
    let expected: BTreeSet<String> = boards().iter().map(|board| file_name(board)).collect();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(tree().join("configs"))? {
        found.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    if found != expected {
        return Err(format!("{found:?} for {expected:?}").into());
    }
    for board in boards() {
        let line = format!("BR2_PACKAGE_OPERATOR_BOX_BOARD=\"{board}\"");
        if !defconfig(&board)?.lines().any(|other| other == line) {
            return Err(format!("{board}: not {line}").into());
        }
    }
    Ok(())
}

pub fn named_files() -> Verdict {
    let mut missing = Vec::new();
    for board in boards() {
        for word in defconfig(&board)?.split(['"', ' ', '\n']) {
            if let Some(path) = word.strip_prefix(PATH_VARIABLE)
                && !tree().join(path.trim_start_matches('/')).exists()
            {
                missing.push(format!("{board}: {word}"));
            }
        }
    }
    fail_on("files that defconfigs name and nobody has", &missing)
}

/// What is in one image is in all: a box is its board's description and its drivers. Those of line cards
/// are left out until there is a hash of them: with them there would be no image.
pub fn alike() -> Verdict {
    let hashes = fs::read_to_string(tree().join("package/operator-dahdi/operator-dahdi.hash"))?;
    let is_known = hashes.lines().any(|line| line.starts_with("sha256"));
    let mut first: Option<String> = None;
    for board in boards() {
        let text = fs::read_to_string(root().join("board").join(&board).join("board.toml"))?;
        let wanted = is_known && !Board::parse(&text)?.isdn.modules.is_empty();
        let text = defconfig(&board)?;
        let drivers = "BR2_PACKAGE_OPERATOR_DAHDI=y\n";
        if text.contains(drivers) != wanted {
            return Err(format!("{board}: drivers of line cards: {}", !wanted).into());
        }
        let rest = text.replace(drivers, "").replace(&board, "BOARD");
        if *first.get_or_insert_with(|| rest.clone()) != rest {
            return Err(format!("{board} differs from the board before in more than that").into());
        }
    }
    Ok(())
}

/// A hash is 64 hexadecimal digits; the one of the line cards' drivers is the one that is not known.
pub fn pinned() -> Verdict {
    let upstream = fs::read_to_string(tree().join("upstream"))?;
    let value = |key: &str| upstream.lines().find_map(|line| line.strip_prefix(key));
    let mut wrong = Vec::new();
    if value("VERSION=").is_none() || !value("SHA256=").is_some_and(is_hash) {
        wrong.push("buildroot/upstream".to_owned());
    }
    for board in boards() {
        let text = defconfig(&board)?;
        if !text.contains("BR2_DOWNLOAD_FORCE_CHECK_HASHES=y\n") {
            wrong.push(format!("{board}: downloads without a hash are not refused"));
        }
        let kernel = text
            .lines()
            .find_map(|line| line.strip_prefix("BR2_LINUX_KERNEL_CUSTOM_VERSION_VALUE="))
            .unwrap_or_default()
            .trim_matches('"');
        for package in ["linux", "linux-headers"] {
            let hashes =
                fs::read_to_string(tree().join(format!("patches/{package}/{package}.hash")))?;
            let archive = format!("linux-{kernel}.tar.xz");
            let known = hashes.lines().any(|line| {
                let mut words = line.split_ascii_whitespace();
                words.next() == Some("sha256")
                    && words.next().is_some_and(is_hash)
                    && words.next() == Some(&archive)
            });
            if !known {
                wrong.push(format!("{board}: no hash of {archive} for {package}"));
            }
        }
    }
    fail_on("not pinned", &wrong)
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}

pub fn another_archive() -> Verdict {
    let work = tempfile::tempdir()?;
    let upstream = fs::read_to_string(tree().join("upstream"))?;
    let version = upstream
        .lines()
        .find_map(|line| line.strip_prefix("VERSION="))
        .ok_or("no VERSION")?;
    let archive = work.path().join(format!("buildroot-{version}.tar.xz"));
    fs::write(archive, "made by somebody else")?;
    let said = refused(&work, "generic-pc")?;
    if !said.contains("is not what buildroot/upstream says") {
        return Err(said.into());
    }
    if work.path().join(format!("buildroot-{version}")).exists() {
        return Err("it was unpacked".into());
    }
    Ok(())
}

/// A `cargo` of the test's own counts how often it is asked; the first time it fails half way.
pub fn crates() -> Verdict {
    let work = tempfile::tempdir()?;
    let bin = work.path().join("bin");
    fs::create_dir(&bin)?;
    let asked = work.path().join("asked");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {0}\nfor last; do :; done\nmkdir \"$last\"\n[ $(wc -l < {0}) != 1 ]\n",
        asked.display()
    );
    let cargo = bin.join("cargo");
    fs::write(&cargo, script)?;
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755))?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH")?);
    let vendor = || {
        let mut command = Command::new(tree().join("vendor"));
        run(command.arg(work.path()).env("PATH", &path))
    };
    if vendor().is_ok() {
        return Err("half of them are taken for all".into());
    }
    let found = vendor()?;
    let asked = || fs::read_to_string(&asked);
    if !Path::new(found.trim()).is_dir() || vendor()? != found || asked()?.lines().count() != 2 {
        return Err(format!("{found} after:\n{}", asked()?).into());
    }
    if !asked()?.contains("--locked") {
        return Err(format!("hashes are not asked for:\n{}", asked()?).into());
    }
    let package = fs::read_to_string(tree().join("package/operator-box/operator-box.mk"))?;
    if package.contains("cargo fetch") || !package.contains("cargo build --offline --locked") {
        return Err("the build asks a network".into());
    }
    Ok(())
}

pub fn no_board() -> Verdict {
    let said = refused(&tempfile::tempdir()?, "operator-box-9000")?;
    if said.contains("there is no board operator-box-9000") {
        return Ok(());
    }
    Err(said.into())
}

/// Runs the script, which must fail, and returns what it said.
fn refused(work: &tempfile::TempDir, board: &str) -> Result<String, String> {
    let output = Command::new(tree().join("build"))
        .arg(board)
        .env("BUILDROOT_WORK", work.path())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Err(format!("it went on: {said}"));
    }
    Ok(said)
}

/// What the other tests find of another version says little of what is built.
pub fn version(buildroot: &Path) -> Verdict {
    let value = |text: &str, key: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(key).map(|rest| rest.trim().to_owned()))
    };
    let upstream = fs::read_to_string(tree().join("upstream"))?;
    let makefile = fs::read_to_string(buildroot.join("Makefile"))?;
    let (pinned, found) = (
        value(&upstream, "VERSION="),
        value(&makefile, "export BR2_VERSION :="),
    );
    if pinned.is_some() && pinned == found {
        return Ok(());
    }
    Err(format!("BUILDROOT_DIR is of {found:?}, `upstream` says {pinned:?}").into())
}

/// Loads, loses nothing, is in normal form; every package parses, and ours are among them.
pub fn loads(buildroot: &Path, board: &str) -> Verdict {
    let work = tempfile::tempdir()?;
    let make = |arguments: &[&str]| {
        let mut command = Command::new("make");
        command
            .args(["-s", "--no-print-directory", "-C"])
            .arg(buildroot);
        command.arg(format!("O={}", work.path().display()));
        command.arg(format!("BR2_EXTERNAL={}", tree().display()));
        run(command.args(arguments))
    };
    make(&[&file_name(board)])?;
    let ours = defconfig(board)?;
    let config = fs::read_to_string(work.path().join(".config"))?;
    let lines: BTreeSet<&str> = config.lines().collect();
    let dropped: Vec<String> = ours
        .lines()
        .filter(|line| !line.is_empty() && !lines.contains(line))
        .map(str::to_owned)
        .collect();
    fail_on("symbols that Kconfig dropped", &dropped)?;
    if !lines.contains("BR2_x86_x86_64=y") || !lines.contains("BR2_TOOLCHAIN_USES_GLIBC=y") {
        return Err("the image must run on every x86-64, with glibc".into());
    }

    let saved = work.path().join("saved");
    make(&[
        "savedefconfig",
        &format!("BR2_DEFCONFIG={}", saved.display()),
    ])?;
    if fs::read_to_string(&saved)? != ours {
        return Err(format!("savedefconfig writes:\n{}", fs::read_to_string(saved)?).into());
    }

    let packages: Value = serde_json::from_str(&make(&["show-info"])?)?;
    for package in [
        "operator-box",
        "linux",
        "grub2",
        "e2fsprogs",
        "host-e2fsprogs",
        "host-mtools",
        "linux-firmware",
    ] {
        if packages.get(package).is_none() {
            return Err(format!("{package} is not among the packages").into());
        }
    }
    for package in ["busybox", "perl", "dahdi-linux", "dahdi-tools"] {
        if packages.get(package).is_some() {
            return Err(format!("{package} is among the packages, and should not").into());
        }
    }
    make(&["show-build-order"])?;
    Ok(())
}

/// Debian's Python has what the check needs (`python3-magic`, `python3-flake8`, `shellcheck`).
pub fn style(buildroot: &Path) -> Verdict {
    let listing = run(Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(tree()))?;
    let mut check = Command::new("/usr/bin/python3");
    check.arg(buildroot.join("utils/check-package")).arg("-b");
    check.current_dir(tree());
    for file in listing.lines() {
        // Ours alone: prose, and what Buildroot knows no form of.
        if !matches!(file, "README.md" | "upstream" | "build" | "vendor") {
            check.arg(file);
        }
    }
    run(&mut check)?;
    Ok(())
}
