//! The first stage, for kernels that need modules to reach the card: loads them, mounts the slot that
//! the boot loader chose, and hands over to the program in it.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::unistd::{chdir, chroot, execv};
use platform::card::{Card, Start};
use platform::modules;

use super::machine;

/// The modules in the order they are loaded, one a line with its arguments; the mark of this stage.
pub const LIST: &str = "/modules.list";

/// How long the card may take to appear: slow controllers and sleepy disks need seconds.
const CARD_WITHIN: Duration = Duration::from_secs(20);

/// What `/` of an initramfs may be.
const RAMFS_MAGIC: u32 = 0x8584_58F6;

const ROOT: &str = "/root";
const INIT: &CStr = c"/sbin/init";

/// Becomes the `init` of the slot.
pub fn hand_over() -> Result<Infallible> {
    machine::mount_kernel_files()?;
    load_modules();
    let start = machine::started_from()?;
    let device = wait_for(start)?;
    fs::create_dir_all(ROOT)?;
    mount(
        Some(device.as_path()),
        ROOT,
        Some("squashfs"),
        MsFlags::MS_RDONLY | MsFlags::MS_NODEV,
        None::<&str>,
    )
    .with_context(|| format!("{} holds no system", device.display()))?;
    for folder in ["/dev", "/proc", "/sys"] {
        let target = format!("{ROOT}{folder}");
        mount(
            Some(folder),
            target.as_str(),
            None::<&str>,
            MsFlags::MS_MOVE,
            None::<&str>,
        )
        .with_context(|| format!("{folder} can't be handed over"))?;
    }
    free_memory();
    chdir(ROOT)?;
    mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>).context("the root")?;
    chroot(".")?;
    chdir("/")?;
    let arguments = [CString::from(INIT)];
    Ok(execv(INIT, &arguments)?)
}

/// A module that can't be loaded is often one for hardware that isn't there: what is missing in the
/// end says so itself.
fn load_modules() {
    let list = fs::read_to_string(LIST).unwrap_or_default();
    for line in list.lines() {
        let (path, parameters) = line.split_once(' ').unwrap_or((line, ""));
        let _ = modules::insert(Path::new(path), parameters);
    }
}

fn wait_for(start: Start) -> Result<std::path::PathBuf> {
    let limit = Instant::now() + CARD_WITHIN;
    loop {
        if let Some(card) = Card::find(start.signature)?
            && let Some(device) = card.partition(start.partition())
        {
            return Ok(device);
        }
        if Instant::now() > limit {
            bail!(
                "no disk with the signature {:08x} and partition {}",
                start.signature,
                start.partition()
            );
        }
        sleep(Duration::from_millis(50));
    }
}

/// What the initramfs holds is memory, and is never needed again.
fn free_memory() {
    let in_memory = statfs("/").is_ok_and(|root| {
        root.filesystem_type() == TMPFS_MAGIC || root.filesystem_type().0 as u32 == RAMFS_MAGIC
    });
    if !in_memory {
        return;
    }
    for name in ["init", "lib", "lib64", "modules.list"] {
        let path = Path::new("/").join(name);
        let _ = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
    }
}
