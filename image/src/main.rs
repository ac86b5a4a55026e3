//! Makes card images and updates.
//!
//! `image dev` makes both of a system with Debian's kernel, to develop and test with; `image card` and
//! `image update` take a system that Buildroot made.

mod card;
mod debian;
mod initramfs;
mod system;
mod tools;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

/// Makes card images and updates of the exchange.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A system of Debian's parts and our programs, and the card image of it.
    Dev(Dev),
    /// A card image of a system that is there.
    Card(Card),
}

#[derive(Debug, Args)]
struct Common {
    /// The project's folder.
    #[arg(long, default_value = ".")]
    project: PathBuf,

    /// The board, a folder of `board/`.
    #[arg(long, default_value = "generic-pc")]
    board: String,

    /// Where GRUB's modules for i386-pc are.
    #[arg(long, default_value = "/usr/lib/grub/i386-pc")]
    grub: PathBuf,
}

#[derive(Debug, Args)]
struct Dev {
    #[command(flatten)]
    common: Common,

    /// Where our programs were built.
    #[arg(long, default_value = "target/release")]
    programs: PathBuf,

    /// Where packages are kept and images are made.
    #[arg(long, default_value = "target/image")]
    output: PathBuf,

    /// The version that the system calls itself.
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    system_version: String,
}

#[derive(Debug, Args)]
struct Card {
    #[command(flatten)]
    common: Common,

    /// The system, as squashfs.
    #[arg(long)]
    system: PathBuf,

    /// The image.
    #[arg(long)]
    output: PathBuf,
}

fn main() -> Result<()> {
    match Options::parse().command {
        Command::Dev(dev) => make_dev(&dev),
        Command::Card(card) => make_card(&card.common, &card.system, &card.output),
    }
}

fn make_dev(options: &Dev) -> Result<()> {
    let cache = options.output.join("packages");
    std::fs::create_dir_all(&cache).with_context(|| cache.display().to_string())?;
    let board = &options.common.board;
    let system = options.output.join(format!("{board}.squashfs"));
    let project = &options.common.project;
    system::make(
        &system::Source {
            programs: &options.programs,
            overlay: &project.join("rootfs-overlay"),
            board: &project.join("board").join(board).join("board.toml"),
            version: &options.system_version,
            cache: &cache.canonicalize()?,
        },
        &system,
    )?;
    make_card(
        &options.common,
        &system,
        &options.output.join(format!("{board}.img")),
    )
}

fn make_card(common: &Common, system: &Path, output: &Path) -> Result<()> {
    const MIB: u64 = 1024 * 1024;
    card::make(
        &card::Parts {
            system,
            grub: &common.grub,
            boot: &common.project.join("board/common"),
            boot_size: 16 * MIB,
            slot_size: 192 * MIB,
            data_size: 64 * MIB,
            card_size: 8_000_000_000,
        },
        output,
    )
}
