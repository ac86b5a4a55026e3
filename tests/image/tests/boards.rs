//! Every board is described, fits on its card, and says the same as the files that all boards share.

use std::fs;

use image_tests::{boards, root};
use platform::board::Board;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| unreachable!("{path}: {error}"))
}

fn all() -> Vec<Board> {
    boards()
        .iter()
        .map(|name| {
            let board = Board::parse(&text(&format!("board/{name}/board.toml")));
            board.unwrap_or_else(|error| unreachable!("{name}: {error}"))
        })
        .collect()
}

#[test]
fn there_are_three_boards_named_as_their_folders() {
    let names: Vec<String> = all().into_iter().map(|board| board.name).collect();
    assert_eq!(names, boards());
    assert_eq!(
        names,
        ["generic-pc", "operator-box-1000", "operator-box-3000"]
    );
}

#[test]
fn every_board_says_what_is_known_of_it() {
    for name in boards() {
        let readme = text(&format!("board/{name}/README.md"));
        for part in ["## Known", "## Not known", "## To write the card"] {
            assert!(readme.contains(part), "{name} does not say: {part}");
        }
    }
}

/// What is set on the box is in `/run`. The overlay is laid over all packages: one of them makes an
/// `/etc/localtime` of its own.
#[test]
fn the_zone_and_the_servers_of_names_are_those_that_are_set() {
    for (name, target) in [
        ("localtime", "/run/localtime"),
        ("resolv.conf", "/run/resolv.conf"),
    ] {
        let link = root().join("rootfs-overlay/etc").join(name);
        let found = fs::read_link(&link).unwrap_or_else(|error| unreachable!("{name}: {error}"));
        assert_eq!(found.as_os_str(), target);
    }
    for name in boards() {
        let config = text(&format!(
            "buildroot/configs/{}_defconfig",
            name.replace('-', "_")
        ));
        assert!(config.contains("BR2_TARGET_LOCALTIME=\"\"\n"), "{name}");
    }
}

/// Buildroot sets a level for `release`, which is not the one that numbers were measured with.
#[test]
fn what_is_delivered_is_optimised_as_what_is_measured() {
    let manifest = text("Cargo.toml");
    let product = manifest.split("[profile.product]").nth(1).unwrap_or("");
    let product = product.split("\n[").next().unwrap_or("");
    assert!(product.contains("\nopt-level = 3\n"), "{product}");
}

/// Slots of one size: an update made for one board's size must not be too large for another's.
#[test]
fn all_boards_divide_their_cards_alike() {
    let boards = all();
    for board in &boards {
        assert_eq!(board.card.boot_mib, boards[0].card.boot_mib);
        assert_eq!(board.card.slot_mib, boards[0].card.slot_mib);
    }
}

/// The boot loader's file is one for all boards.
#[test]
fn the_boot_loader_and_the_kernel_use_the_boards_consoles() {
    let config = text("board/common/grub.cfg");
    for board in all() {
        let speed = board.console.bits_per_second;
        let serial = &board.console.serial;
        assert!(config.contains(&format!("console={serial},{speed}")));
        let unit = serial.trim_start_matches("ttyS");
        assert!(config.contains(&format!("serial --unit={unit} --speed={speed}")));
        assert_eq!(config.contains("console=tty0"), board.console.vga);
    }
}

/// The last console named is `/dev/console`: the one a box without a screen has.
#[test]
fn both_slots_are_started_by_the_same_words() {
    let config = text("board/common/grub.cfg");
    let lines: Vec<&str> = config
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#') && line.contains("linux /boot/vmlinuz"))
        .collect();
    let [line] = lines[..] else {
        unreachable!("one line starts a kernel: {lines:?}")
    };
    for word in [
        "root=PARTUUID=@SIGNATURE@-0$part",
        "ro",
        "rootfstype=squashfs",
        "rootwait=20",
        "slot=$boot",
        "trial=$trial",
        "panic=5",
    ] {
        let words = line.trim_end_matches("; then").split_ascii_whitespace();
        assert!(words.clone().any(|w| w == word), "{word}");
    }
    assert!(line.find("console=tty0") < line.find("console=ttyS0"));
}
