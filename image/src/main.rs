//! Makes card images and updates.
//!
//! `image dev` makes both of a system with Debian's kernel, to develop and test with; `image card` and
//! `image update` take a system that Buildroot made.

mod card;
mod debian;
mod initramfs;
mod keys;
mod system;
mod tools;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use platform::board::{Board, MIB};
use platform::update::{self, Origin};

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
    /// A signed update of a system that is there.
    Update(Update),
    /// A new key to sign with, in a file that only its owner reads; prints its public half.
    Key {
        /// The file; one that is there is never written over.
        #[arg(long)]
        output: PathBuf,
    },
    /// The public half of a key, as the system holds it; refuses a key for development.
    PublicKey {
        /// The key's file.
        #[arg(long)]
        key: PathBuf,
    },
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

#[derive(Debug, Args)]
struct Update {
    /// The board, a folder of `board/`.
    #[arg(long, default_value = "generic-pc")]
    board: String,

    /// The system, as squashfs.
    #[arg(long)]
    system: PathBuf,

    /// The version that the system calls itself.
    #[arg(long)]
    system_version: String,

    /// The builder's key.
    #[arg(long)]
    key: PathBuf,

    /// The update.
    #[arg(long)]
    output: PathBuf,
}

fn main() -> Result<()> {
    match Options::parse().command {
        Command::Dev(dev) => make_dev(&dev),
        Command::Card(card) => make_card(&card.common, &card.system, &card.output),
        Command::Update(update) => make_update(&update),
        Command::Key { output } => {
            tools::print(&keys::make(&output, Origin::Product)?.public().to_string())
        }
        Command::PublicKey { key } => {
            let key = keys::read(&key)?;
            ensure!(
                key.origin() == Origin::Product,
                "this key was made for development: a product needs the builder's own \
                 (`image key --output FILE` makes one)"
            );
            tools::print(&key.public().to_string())
        }
    }
}

fn make_dev(options: &Dev) -> Result<()> {
    // Before anything is made.
    board(&options.common)?;
    let cache = options.output.join("packages");
    std::fs::create_dir_all(&cache).with_context(|| cache.display().to_string())?;
    let board = &options.common.board;
    let system = options.output.join(format!("{board}.squashfs"));
    let project = &options.common.project;
    let key = keys::for_development(&options.output.join("development.key"))?;
    system::make(
        &system::Source {
            programs: &options.programs,
            overlay: &project.join("rootfs-overlay"),
            board: &project.join("board").join(board).join("board.toml"),
            version: &options.system_version,
            key: &key.public(),
            cache: &cache.canonicalize()?,
        },
        &system,
    )?;
    let version = &options.system_version;
    let update = options.output.join(format!("{board}-{version}.update"));
    update::make(&system, board, version, &key, &update).context("the update")?;
    make_card(
        &options.common,
        &system,
        &options.output.join(format!("{board}.img")),
    )
}

/// The board's description.
fn board(common: &Common) -> Result<Board> {
    let boards = common.project.join("board");
    let file = boards.join(&common.board).join("board.toml");
    if !file.is_file() {
        let entries = std::fs::read_dir(&boards).with_context(|| boards.display().to_string())?;
        let mut names: Vec<_> = (entries.flatten())
            .filter(|entry| entry.path().join("board.toml").is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        bail!(
            "there is no board `{}`: take one of {}",
            common.board,
            names.join(", ")
        );
    }
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Board::parse(&text).with_context(|| file.display().to_string())
}

fn make_card(common: &Common, system: &Path, output: &Path) -> Result<()> {
    let layout = board(common)?.card;
    let bytes = |mib: std::num::NonZeroU32| u64::from(mib.get()) * MIB;
    card::make(
        &card::Parts {
            system,
            grub: &common.grub,
            boot: &common.project.join("board/common"),
            boot_size: bytes(layout.boot_mib),
            slot_size: bytes(layout.slot_mib),
            data_size: bytes(layout.data_mib),
            card_size: layout.card_bytes,
        },
        output,
    )
}

fn make_update(options: &Update) -> Result<()> {
    let key = keys::read(&options.key)?;
    let made = update::make(
        &options.system,
        &options.board,
        &options.system_version,
        &key,
        &options.output,
    )
    .context("the update")?;
    tools::print(&serde_json::to_string_pretty(&made)?)
}
