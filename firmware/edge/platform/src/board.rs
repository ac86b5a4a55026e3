//! A board: what an image for it holds, and how the box of that kind behaves. Read from
//! `board/*/board.toml` where images are made, and from [`FILE`] on the box.
//!
//! Owns the numbers of a card's layout; the table of partitions itself is [`crate::mbr`]'s.

use std::fs;
use std::num::NonZeroU32;

use model::system::Addressing;
use serde::Deserialize;
use thiserror::Error;
use tracing::warn;

/// Where the box finds the description of itself.
pub const FILE: &str = "/etc/operator-box/board.toml";

/// One MiB; partitions are multiples of it and begin at one, so that blocks of flash are never shared.
pub const MIB: u64 = 1024 * 1024;

/// Where the first partition begins: the partition table and GRUB's core have the room before it.
pub const FIRST_MIB: u64 = 1;

/// Less than this is too small for logs, history and voicemail of a box.
const LEAST_DATA_MIB: u64 = 1024;

/// FAT 16 has at least 4,085 clusters; below 16 MiB `mkfs.fat` would need to be told their size.
const LEAST_BOOT_MIB: u64 = 16;

/// The description of a board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// The name of its folder: `operator-box-1000`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Its card.
    pub card: Layout,
    /// Where kernel, boot loader and menu are seen.
    pub console: Console,
    /// Its Ethernet.
    pub network: Ethernet,
    /// How it ends.
    pub power: Power,
    /// Its line cards; a board without a slot has none.
    #[serde(default)]
    pub isdn: Isdn,
}

/// How the card is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// The smallest card of this board, in bytes. No image is larger.
    pub card_bytes: u64,
    /// The boot loader's files, FAT 16.
    pub boot_mib: NonZeroU32,
    /// Each of the two slots.
    pub slot_mib: NonZeroU32,
    /// The data as it is in the image; grown to the end of the card at its first start.
    pub data_mib: NonZeroU32,
}

/// Where kernel, boot loader and menu are seen: serial always, since boxes have no screen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// As Linux names it: `ttyS0`.
    pub serial: String,
    /// Of the serial line, 8N1.
    pub bits_per_second: u32,
    /// Whether there is a screen too.
    pub vga: bool,
}

/// The Ethernet of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ethernet {
    /// How many ports it has for certain; more are used where they are found.
    pub ports: u8,
    /// The address of the first port until an administrator sets another one.
    pub first_port: Addressing,
}

/// What happens at power off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// Whether the board switches itself off.
    pub at_shutdown: Shutdown,
}

/// How a board ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shutdown {
    /// It switches itself off.
    PowerOff,
    /// It stops, and says that it may be switched off.
    Halt,
}

/// The line cards that fit into a board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isdn {
    /// Kernel modules, in the order they are loaded in.
    pub modules: Vec<Module>,
}

/// A kernel module.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Its name: `wcb4xxp`.
    pub name: String,
    /// Its parameters: `vpmsupport=0`.
    #[serde(default)]
    pub parameters: String,
}

/// Why a description is no board's.
#[derive(Debug, Error)]
pub enum InvalidBoard {
    /// It is not TOML of this form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A name that can be no folder and no host.
    #[error("`{0}` is no name: small letters, digits and hyphens")]
    Name(String),
    /// The boot partition is too small to be FAT 16.
    #[error("the boot partition needs {LEAST_BOOT_MIB} MiB")]
    Boot,
    /// Slots and data don't fit on the card.
    #[error(
        "the card has {card_mib} MiB; the image needs {image_mib} MiB, and data {LEAST_DATA_MIB} MiB in the end"
    )]
    Card {
        /// What there is.
        card_mib: u64,
        /// What is needed.
        image_mib: u64,
    },
    /// A console that can't be.
    #[error("the console must be ttyS0 to ttyS3, with a speed")]
    Console,
    /// Nothing to administer the box by.
    #[error("a board has at least one Ethernet port")]
    Ethernet,
    /// What can't be a module's name or parameters.
    #[error("`{0}` is no kernel module with its parameters")]
    Module(String),
}

impl Board {
    /// The board this machine is; none where it isn't described, or not so that it can be used, which the
    /// log says.
    #[must_use]
    pub fn of_this_machine() -> Option<Self> {
        let text = fs::read_to_string(FILE).ok()?;
        match Self::parse(&text) {
            Ok(board) => Some(board),
            Err(error) => {
                warn!(%error, file = FILE, "the board's description can't be used");
                None
            }
        }
    }

    /// A board from its description.
    ///
    /// # Errors
    /// Where it is none, or doesn't fit on its own card.
    pub fn parse(text: &str) -> Result<Self, InvalidBoard> {
        let board: Self = toml::from_str(text)?;
        board.check()?;
        Ok(board)
    }

    fn check(&self) -> Result<(), InvalidBoard> {
        if !is_name(&self.name, |c| c == '-') {
            return Err(InvalidBoard::Name(self.name.clone()));
        }
        self.card.check()?;
        let port = self.console.serial.strip_prefix("ttyS");
        if !matches!(port, Some("0" | "1" | "2" | "3")) || self.console.bits_per_second == 0 {
            return Err(InvalidBoard::Console);
        }
        if self.network.ports == 0 {
            return Err(InvalidBoard::Ethernet);
        }
        for module in &self.isdn.modules {
            if !is_name(&module.name, |c| c == '_') || module.parameters.contains(['\n', '\0']) {
                return Err(InvalidBoard::Module(module.name.clone()));
            }
        }
        Ok(())
    }
}

impl Layout {
    /// How large an image is, in MiB.
    #[must_use]
    pub fn image_mib(self) -> u64 {
        self.fixed_mib() + u64::from(self.data_mib.get())
    }

    /// Everything before the data, in MiB.
    fn fixed_mib(self) -> u64 {
        FIRST_MIB + u64::from(self.boot_mib.get()) + 2 * u64::from(self.slot_mib.get())
    }

    fn check(self) -> Result<(), InvalidBoard> {
        if u64::from(self.boot_mib.get()) < LEAST_BOOT_MIB {
            return Err(InvalidBoard::Boot);
        }
        let card_mib = self.card_bytes / MIB;
        let image_mib = self.image_mib();
        if card_mib < image_mib.max(self.fixed_mib() + LEAST_DATA_MIB) {
            return Err(InvalidBoard::Card {
                card_mib,
                image_mib,
            });
        }
        Ok(())
    }
}

fn is_name(text: &str, also: impl Fn(char) -> bool) -> bool {
    !text.is_empty()
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || also(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        name = "small-box"
        title = "Small box"
        [card]
        card_bytes = 2_000_000_000
        boot_mib = 16
        slot_mib = 100
        data_mib = 50
        [console]
        serial = "ttyS0"
        bits_per_second = 115200
        vga = true
        [network]
        ports = 1
        first_port = { addressing = "static", address = "192.0.2.1/24" }
        [power]
        at_shutdown = "halt"
    "#;

    fn refused(from: &str, to: &str) -> InvalidBoard {
        assert!(SMALL.contains(from), "{from}");
        Board::parse(&SMALL.replace(from, to)).expect_err(to)
    }

    #[test]
    fn a_description_says_all_of_a_board() {
        let board = Board::parse(SMALL).expect("complete");
        assert_eq!(board.card.image_mib(), 1 + 16 + 2 * 100 + 50);
        assert_eq!(board.power.at_shutdown, Shutdown::Halt);
        let Addressing::Static { address } = board.network.first_port else {
            unreachable!("it says static")
        };
        assert_eq!(address.to_string(), "192.0.2.1/24");
        assert!(board.isdn.modules.is_empty());
    }

    #[test]
    fn an_address_may_come_by_dhcp_and_else_from_the_board() {
        let text = SMALL.replace(r#""static", address"#, r#""dhcp", fallback"#);
        let board = Board::parse(&text).expect("complete");
        assert!(matches!(
            board.network.first_port,
            Addressing::Dhcp { fallback: Some(_) }
        ));
    }

    #[test]
    fn an_image_larger_than_its_card_is_refused() {
        use InvalidBoard::Card;
        assert!(matches!(
            refused("slot_mib = 100", "slot_mib = 1000"),
            Card { .. }
        ));
        assert!(matches!(
            refused("data_mib = 50", "data_mib = 1900"),
            Card { .. }
        ));
        let no_room = refused("slot_mib = 100", "slot_mib = 500");
        assert!(
            matches!(no_room, Card { .. }),
            "1,017 MiB before data, of 1,907"
        );
    }

    #[test]
    fn what_can_not_be_is_refused() {
        use InvalidBoard as Is;
        assert!(matches!(refused("small-box", "Small Box"), Is::Name(_)));
        assert!(matches!(refused("small-box", "../etc"), Is::Name(_)));
        assert!(matches!(refused("boot_mib = 16", "boot_mib = 8"), Is::Boot));
        assert!(matches!(refused("ttyS0", "ttyUSB0"), Is::Console));
        assert!(matches!(refused("ports = 1", "ports = 0"), Is::Ethernet));
        assert!(matches!(
            refused("slot_mib = 100", "slot_mib = 0"),
            Is::Form(_)
        ));
        assert!(matches!(
            refused("vga = true", "vga = true\nlcd = 1"),
            Is::Form(_)
        ));
        assert!(matches!(
            refused("192.0.2.1/24", "192.0.2.0/24"),
            Is::Form(_)
        ));
        let text = format!("{SMALL}\n[[isdn.modules]]\nname = \"../x\"");
        assert!(matches!(Board::parse(&text), Err(Is::Module(_))));
    }
}
