//! Who may read and write the files of the exchange, by the mode of the folder they are in.
//!
//! On the box the processes run as users of their own in one group, and the data folder is writable
//! by that group: what one of them makes is the other's too. Everywhere else it is its owner's alone.

/// Writable by the group.
const GROUP_WRITES: u32 = 0o020;

/// The mode of a file in a folder of this mode.
#[must_use]
pub const fn of_file(folder: u32) -> u32 {
    if folder & GROUP_WRITES == 0 {
        0o600
    } else {
        0o660
    }
}

/// The mode of a folder in a folder of this mode: what is made in it has the same group.
#[must_use]
pub const fn of_folder(folder: u32) -> u32 {
    if folder & GROUP_WRITES == 0 {
        0o700
    } else {
        0o2770
    }
}
