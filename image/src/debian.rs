//! A kernel and what it needs, from packages of the Debian release this machine runs: for images to
//! develop and test with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::initramfs::Archive;
use crate::tools::{run, run_with};

/// What the kernel needs before it can mount a slot, and what the system needs of it besides: cards of
/// PCs and of QEMU, file systems, Ethernet, a watchdog, the power button.
const MODULES: &[&str] = &[
    "virtio_pci",
    "virtio_blk",
    "ata_piix",
    "ahci",
    "sd_mod",
    "squashfs",
    "ext4",
    "vfat",
    "nls_cp437",
    "nls_ascii",
    "nls_iso8859_1",
    "crc32c_generic",
    "virtio_net",
    "e1000",
    "e1000e",
    "8139too",
    "r8169",
    "softdog",
    "button",
    "evdev",
];

/// A kernel of Debian, unpacked.
#[derive(Clone, Debug)]
pub struct Kernel {
    root: PathBuf,
    release: String,
}

impl Kernel {
    /// Fetches and unpacks the newest one, where that wasn't done yet.
    pub fn fetch(cache: &Path) -> Result<Self> {
        let depends = run("apt-cache", ["depends", "linux-image-amd64"])?;
        let package = depends
            .lines()
            .find_map(|line| line.trim().strip_prefix("Depends: "))
            .filter(|name| name.starts_with("linux-image-"))
            .context("apt-cache doesn't say which kernel is the newest")?;
        let release = package.trim_start_matches("linux-image-").to_owned();
        let root = unpacked(cache, package)?;
        if !root
            .join("lib/modules")
            .join(&release)
            .join("modules.dep")
            .exists()
        {
            run("depmod", ["-b", &root.to_string_lossy(), &release])?;
        }
        Ok(Self { root, release })
    }

    /// The kernel itself.
    pub fn image(&self) -> PathBuf {
        self.root.join(format!("boot/vmlinuz-{}", self.release))
    }

    /// An initramfs with the modules and the program that loads them.
    pub fn initramfs(&self, supervisor: &Path) -> Result<Vec<u8>> {
        let mut archive = Archive::new(Vec::new());
        let mut list = String::new();
        let mut known = BTreeSet::new();
        for module in MODULES {
            for (path, arguments) in self.with_dependencies(module)? {
                let name = path
                    .file_name()
                    .context("a module's name")?
                    .to_string_lossy();
                if known.insert(name.clone().into_owned()) {
                    let inside = format!("/lib/modules/{name}");
                    archive.file(&inside, &fs::read(&path)?)?;
                    list.push_str(format!("{inside} {arguments}").trim_end());
                    list.push('\n');
                }
            }
        }
        archive.file("modules.list", list.as_bytes())?;
        for folder in ["dev", "proc", "sys", "root"] {
            archive.folder(folder)?;
        }
        for library in libraries(supervisor, &[])? {
            archive.file(&library.to_string_lossy(), &fs::read(&library)?)?;
        }
        archive.file("init", &fs::read(supervisor)?)?;
        Ok(archive.finish()?)
    }

    /// A module after those it needs; none where it is built in.
    fn with_dependencies(&self, module: &str) -> Result<Vec<(PathBuf, String)>> {
        let root = self.root.to_string_lossy();
        let shown = run(
            "modprobe",
            [
                "-C",
                "/dev/null",
                "-d",
                &root,
                "-S",
                &self.release,
                "--show-depends",
                module,
            ],
        )
        .with_context(|| format!("the kernel has no module {module}"))?;
        Ok(shown
            .lines()
            .filter_map(|line| line.trim().strip_prefix("insmod "))
            .map(|line| {
                let (path, arguments) = line.split_once(' ').unwrap_or((line, ""));
                (PathBuf::from(path), arguments.trim().to_owned())
            })
            .collect())
    }
}

/// Fetches a package and unpacks it into a folder of its own, where that wasn't done yet.
pub fn unpacked(cache: &Path, package: &str) -> Result<PathBuf> {
    let folder = cache.join(package);
    if folder.join(".whole").exists() {
        return Ok(folder);
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    // It writes into the folder it is started in, and nowhere else.
    let here = std::env::current_dir()?;
    std::env::set_current_dir(cache)?;
    let fetched = run("apt-get", ["download", "-q", package]);
    std::env::set_current_dir(here)?;
    fetched.with_context(|| format!("the package {package} can't be fetched"))?;
    let start = format!("{package}_");
    let archive = fs::read_dir(cache)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&start))
                && path.extension().is_some_and(|extension| extension == "deb")
        })
        .with_context(|| format!("the package {package} was not found after fetching"))?;
    run(
        "dpkg-deb",
        ["-x".as_ref(), archive.as_os_str(), folder.as_os_str()],
    )?;
    fs::remove_file(archive)?;
    fs::write(folder.join(".whole"), "")?;
    Ok(folder)
}

/// Where packages have their shared libraries.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// The shared libraries that a program needs, with the one that loads them; looked for in unpacked
/// packages first, then on this machine.
pub fn libraries(program: &Path, packages: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let folders: Vec<PathBuf> = packages.iter().map(|root| root.join(LIBRARIES)).collect();
    let listed = run_with(
        "ldd",
        [program],
        "LD_LIBRARY_PATH",
        &std::env::join_paths(folders)?,
    )?;
    let mut found = Vec::new();
    for line in listed.lines() {
        if line.contains("not found") {
            bail!("{}: {}", program.display(), line.trim());
        }
        let path = line
            .split_ascii_whitespace()
            .find(|word| word.starts_with('/'));
        found.extend(path.map(PathBuf::from));
    }
    Ok(found)
}
