//! The root file system of an image for development: our programs and the few of Debian they need.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use platform::update::PublicKey;

use crate::debian::{Kernel, libraries, unpacked};
use crate::tools::run;

/// Our programs; the console comes where it was built.
const PROGRAMS: &[&str] = &["supervisor", "pbxd", "webd", "console"];

/// Of Debian, with the path that the system calls them by.
const FOREIGN: &[(&str, &str)] = &[
    ("/usr/sbin/e2fsck", "sbin/e2fsck"),
    ("/usr/sbin/resize2fs", "sbin/resize2fs"),
];

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
        if from.exists() || *program != "console" {
            program_into(&root, &from, &format!("usr/bin/{program}"), true)?;
        }
    }
    for (from, to) in FOREIGN {
        program_into(&root, Path::new(from), to, false)?;
    }
    symlink("../usr/bin/supervisor", root.join("sbin/init"))?;
    symlink("/run/resolv.conf", root.join("etc/resolv.conf"))?;
    symlink("/run/localtime", root.join("etc/localtime"))?;

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
    let target = root.join(to);
    fs::copy(from, &target).with_context(|| from.display().to_string())?;
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
    if ours {
        run("strip", ["--strip-all".as_ref(), target.as_os_str()])?;
    }
    for library in libraries(from)? {
        let inside: PathBuf = library.strip_prefix("/")?.into();
        let place = root.join(&inside);
        if !place.exists() {
            fs::create_dir_all(place.parent().context("a library's folder")?)?;
            fs::copy(&library, &place).with_context(|| library.display().to_string())?;
        }
    }
    Ok(())
}
