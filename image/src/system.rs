//! The root file system of an image for development: our programs and the few of Debian they need.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use platform::update::PublicKey;

use crate::debian::{Kernel, libraries, unpacked};
use crate::tools::run;

/// Our programs, all of them: the menu is the only way into a box without a network.
const PROGRAMS: &[&str] = &["supervisor", "pbxd", "webd", "console"];

/// Of Debian, with the path that the system calls them by.
const FOREIGN: &[(&str, &str)] = &[
    ("/usr/sbin/e2fsck", "sbin/e2fsck"),
    ("/usr/sbin/resize2fs", "sbin/resize2fs"),
];

/// The server of ssh, with the libraries that this machine may not have.
const SSH: &[&str] = &["dropbear-bin", "libtomcrypt1", "libtommath1"];

const FOLDERS: &[&str] = &[
    "boot",
    "data",
    "dev",
    "etc",
    "lib",
    "lib64",
    "mnt",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr/bin",
    "usr/sbin",
    "usr/share",
];

/// What a system is made of.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Where our programs were built.
    pub programs: &'a Path,
    /// Files that are copied as they are.
    pub overlay: &'a Path,
    /// The board's description.
    pub board: &'a Path,
    /// The version it calls itself.
    pub version: &'a str,
    /// Whose updates it takes.
    pub key: &'a PublicKey,
    /// Where packages are kept.
    pub cache: &'a Path,
}

/// Makes the system and packs it into a squashfs.
pub fn make(source: &Source<'_>, output: &Path) -> Result<()> {
    let missing: Vec<&str> = (PROGRAMS.iter().copied())
        .filter(|program| !source.programs.join(program).is_file())
        .collect();
    ensure!(
        missing.is_empty(),
        "{} has no {}: build it first",
        source.programs.display(),
        missing.join(", no ")
    );
    let root = output.with_extension("root");
    let _ = fs::remove_dir_all(&root);
    for folder in FOLDERS {
        fs::create_dir_all(root.join(folder))?;
    }
    run(
        "cp",
        [
            "-a".as_ref(),
            source.overlay.join(".").as_os_str(),
            root.as_os_str(),
        ],
    )?;
    for program in PROGRAMS {
        let from = source.programs.join(program);
        program_into(&root, &from, &format!("usr/bin/{program}"), true)?;
    }
    for (from, to) in FOREIGN {
        program_into(&root, Path::new(from), to, false)?;
    }
    let ssh: Vec<PathBuf> = (SSH.iter())
        .map(|package| unpacked(source.cache, package))
        .collect::<Result<_>>()?;
    let server = ssh[0].join("usr/sbin/dropbear");
    program_with(&root, &server, "usr/sbin/dropbear", false, &ssh)?;
    symlink("../usr/bin/supervisor", root.join("sbin/init"))?;

    let own = root.join("etc/operator-box");
    fs::create_dir_all(&own)?;
    fs::copy(source.board, own.join("board.toml")).context("the board's description")?;
    fs::write(own.join("version"), format!("{}\n", source.version))?;
    fs::write(own.join("update.pub"), format!("{}\n", source.key))?;

    let zones = unpacked(source.cache, "tzdata")?.join("usr/share/zoneinfo");
    run(
        "cp",
        [
            "-a".as_ref(),
            zones.as_os_str(),
            root.join("usr/share").as_os_str(),
        ],
    )?;

    let kernel = Kernel::fetch(source.cache)?;
    fs::copy(kernel.image(), root.join("boot/vmlinuz")).context("the kernel")?;
    let initramfs = kernel.initramfs(&root.join("usr/bin/supervisor"))?;
    fs::write(root.join("boot/initrd.img"), initramfs)?;

    let _ = fs::remove_file(output);
    let squashfs = [
        root.as_os_str(),
        output.as_os_str(),
        "-all-root".as_ref(),
        "-noappend".as_ref(),
        "-no-progress".as_ref(),
        "-quiet".as_ref(),
        "-no-xattrs".as_ref(),
    ];
    run("mksquashfs", squashfs)?;
    fs::remove_dir_all(root)?;
    Ok(())
}

/// Copies a program with the libraries it needs.
fn program_into(root: &Path, from: &Path, to: &str, ours: bool) -> Result<()> {
    program_with(root, from, to, ours, &[])
}

/// Copies a program with the libraries it needs, of packages too.
fn program_with(
    root: &Path,
    from: &Path,
    to: &str,
    ours: bool,
    packages: &[PathBuf],
) -> Result<()> {
    let target = root.join(to);
    fs::copy(from, &target).with_context(|| from.display().to_string())?;
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
    if ours {
        run("strip", ["--strip-all".as_ref(), target.as_os_str()])?;
    }
    for library in libraries(from, packages)? {
        // Of a package, it goes where the package has it.
        let home = (packages.iter()).find_map(|package| library.strip_prefix(package).ok());
        let inside = home.map_or_else(|| library.strip_prefix("/"), Ok)?;
        let place = root.join(inside);
        if !place.exists() {
            fs::create_dir_all(place.parent().context("a library's folder")?)?;
            fs::copy(&library, &place).with_context(|| library.display().to_string())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_image_is_made_without_the_menu() {
        let programs = std::env::temp_dir().join(format!("image-programs-{}", std::process::id()));
        fs::create_dir_all(&programs).expect("made");
        for program in ["supervisor", "pbxd", "webd"] {
            fs::write(programs.join(program), "").expect("written");
        }
        let key = crate::keys::for_development(&programs.join("key")).expect("a key");
        let source = Source {
            programs: &programs,
            overlay: Path::new("/nowhere"),
            board: Path::new("/nowhere"),
            version: "1.0.0",
            key: &key.public(),
            cache: Path::new("/nowhere"),
        };
        let refused = make(&source, &programs.join("image")).expect_err("one is missing");
        fs::remove_dir_all(&programs).expect("removed");
        assert!(refused.to_string().contains("no console"), "{refused}");
    }
}
