//! Every word the menu says. ASCII only: that is what all terminals show.

use model::control::Status;
use model::system::{Health, Interface, Slots, Upgrade};

use crate::menu::Danger;

pub const PRODUCT: &str = "Operator Box";

// Titles.
pub const STATUS: &str = "Status";
pub const NETWORK_CONFIGURATION: &str = "Network Configuration";
pub const KEEP_TITLE: &str = "Keep the Network Settings?";
pub const TIME_ZONE: &str = "Time Zone and Time Servers";
pub const ZONES: &str = "Time Zone";
pub const REMOTE: &str = "Menu over SSH";

// The status.
pub const ADMINISTRATION: &str = "Administration";
pub const NETWORK: &str = "Network";
pub const EXCHANGE: &str = "Exchange";
pub const VERSION: &str = "Version";
pub const MACHINE: &str = "Machine";
pub const FREE: &str = "Free";
pub const TIME: &str = "Time";
pub const NO_URL: &str = "this machine has no address yet";
pub const NOT_KNOWN: &str = "not known yet";
pub const DHCP: &str = "DHCP";
pub const STATIC: &str = "static";
pub const UNUSED: &str = "not used";
pub const EXCHANGE_AWAY: &str = "does not answer; trying again";
pub const SYSTEM_AWAY: &str =
    "The system service does not answer: nothing can be changed. Trying again.";
pub const READ_ONLY: &str = "This machine is not administered from here: nothing can be changed.";

// Rows.
pub const BACK: &str = "Back";
pub const APPLY: &str = "Apply";
pub const KEEP: &str = "Keep the new settings";
pub const REVERT: &str = "Go back to the old settings now";
pub const PORT: &str = "Ethernet port";
pub const ADDRESSING: &str = "IP address";
pub const BY_DHCP: &str = "from a DHCP server";
pub const BY_HAND: &str = "static";
pub const NO_USE: &str = "port not used";
pub const ADDRESS: &str = "Address";
pub const FALLBACK: &str = "Without a lease";
pub const MASK: &str = "Subnet mask";
pub const GATEWAY: &str = "Gateway";
pub const DNS: &str = "DNS servers";
pub const HOST_NAME: &str = "Host name";
pub const ZONE: &str = "Time zone";
pub const SERVERS: &str = "NTP servers";
pub const CLOCK: &str = "Set the clock";
pub const SEARCH: &str = "Search";
pub const WORD: &str = "Type RESET";
pub const SSH: &str = "Menu over SSH";
pub const ON: &str = "on";
pub const OFF: &str = "off";
pub const PUBLIC_KEY: &str = "Public key";

// What rows are for.
pub const HINT_ADDRESS: &str = "The address of this machine, as 10.10.10.1.";
pub const HINT_FALLBACK: &str = "The address to use when no DHCP server answers; may be empty.";
pub const HINT_MASK: &str = "As 255.255.255.0, or the prefix length: 24.";
pub const HINT_GATEWAY: &str =
    "The router to other networks; empty for none, or the one DHCP names.";
pub const HINT_DNS: &str = "Addresses with spaces between; empty for those DHCP names.";
pub const HINT_HOST_NAME: &str = "One word, or a full domain name.";
pub const HINT_SWITCH: &str = "Space changes it.";
pub const HINT_ZONE: &str = "As in the tz database: Europe/Prague.";
pub const HINT_SEARCH: &str = "Part of the name: a city or a continent.";
pub const HINT_SERVERS: &str = "Names or addresses with spaces between; empty: set by hand.";
pub const HINT_CLOCK: &str = "As 2027-03-09 14:05, in the time zone above; empty leaves it.";
pub const HINT_PUBLIC_KEY: &str = "One line: ssh-ed25519 AAAA... name. Paste it.";

// The menu over ssh.
pub const SSH_TEXT: &str = "Whoever has the private half of the key gets this menu by  ssh admin@ADDRESS  and nothing else.";

// Notes.
pub const WAIT: &str = "Please wait.";
pub const LOST: &str =
    "The system service went away before it answered: look whether it is done, then try again.";
pub const NETWORK_UNKNOWN: &str = "The settings are not known yet; try again in a moment.";
pub const SAVED: &str = "The settings are saved.";
pub const KEPT: &str = "The new settings stay.";
pub const REVERTED: &str = "The old settings are back.";
pub const DECIDED: &str =
    "The time is over, or somebody else has decided: the settings above are in force.";
pub const BAD_ADDRESS: &str = "write the address as 10.10.10.1";
pub const BAD_MASK: &str = "write the mask as 255.255.255.0 or as a prefix length, 24";
pub const BAD_DNS: &str = "write addresses with spaces between, as 10.10.10.2 10.10.10.3";
pub const BAD_ZONE: &str = "choose a zone";
pub const BAD_CLOCK: &str = "write it as 2027-03-09 14:05";
pub const CLOCK_BY_SERVERS: &str = "the NTP servers set the clock; remove them to set it by hand";
pub const BAD_WORD: &str = "type the word RESET in capitals, or go back";
pub const NO_ZONE: &str = "No zone has this in its name.";
pub const NO_ANSWER: &str = "The answer of the system service is not understood.";

// What keys do.
pub const KEYS_LIST: &str =
    "Up/Down and Enter, or the number: choose   Esc: back   Ctrl-L: draw again";
pub const KEYS_FORM: &str = "Up/Down: row   Space: other value   Enter: choose   Esc: back";

// Line by line.
pub const PROMPT: &str = "Number: ";
pub const NO_ROW: &str = "There is no such number.";

/// By what ssh asks whether this machine is the right one.
pub fn fingerprint(fingerprint: &str) -> String {
    format!("The key of this machine is {fingerprint}.")
}

/// Keys that are not on the screen.
pub fn more_keys(count: usize) -> String {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    format!(
        "{} may come in too.",
        self::count(count, "further key", "further keys")
    )
}

const LABEL: usize = 15;

/// A line of the status.
pub fn line(label: &str, text: &str) -> String {
    format!("{label:LABEL$} {text}")
}

/// `count` things, in words.
fn count(count: u32, one: &str, more: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    }
}

fn span(s: u64) -> String {
    let (days, hours, minutes) = (s / 86_400, s / 3600 % 24, s / 60 % 60);
    match days {
        0 => format!("{hours}:{minutes:02} h"),
        1 => format!("1 day {hours}:{minutes:02} h"),
        _ => format!("{days} days {hours}:{minutes:02} h"),
    }
}

/// A port as it is.
pub fn port(interface: &Interface, source: &str) -> String {
    let addresses = interface
        .addresses
        .first()
        .map_or("no address", String::as_str);
    let link = if interface.carrier { "link" } else { "NO LINK" };
    let comma = if source.is_empty() { "" } else { ", " };
    format!(
        "{} {addresses}{comma}{source}, {link}, {}",
        interface.name, interface.mac
    )
}

/// Instead of ports there is no room for.
pub fn more_ports(count: usize) -> String {
    format!("and {count} ports more")
}

/// How the exchange is.
pub fn exchange(status: &Status) -> String {
    format!(
        "{}, {}, runs for {}",
        count(status.calls, "call", "calls"),
        count(
            status.registrations,
            "registered phone",
            "registered phones"
        ),
        span(status.uptime_s)
    )
}

/// What runs.
pub fn version(slots: &Slots, upgrade: &str) -> String {
    let start = if slots.confirmed == slots.running {
        ""
    } else {
        ", not confirmed"
    };
    let comma = if upgrade.is_empty() { "" } else { ", " };
    format!(
        "{} in slot {}{start}{comma}{upgrade}",
        slots.version, slots.running
    )
}

/// The row of the status for the system that does not run.
pub fn other_row(version: &str) -> String {
    format!("Start the Other System ({version})")
}

/// Which system it is instead of which.
pub fn other(slots: &Slots) -> String {
    let other = slots.running.other();
    let version = slots.other_version.as_deref().unwrap_or("nothing");
    format!(
        "Slot {other} holds {version}; {} runs, in slot {}.",
        slots.version, slots.running
    )
}

/// How far an upgrade is; empty where there is nothing to say.
pub fn upgrade(upgrade: &Upgrade) -> String {
    match upgrade {
        Upgrade::None | Upgrade::Done { .. } => String::new(),
        Upgrade::Writing { version, per_cent } => format!("writing {version}: {per_cent} %"),
        Upgrade::Ready { version } => format!("{version} runs after a reboot"),
        Upgrade::Trying { version } => format!("{version} is tried"),
        Upgrade::Failed { reason, .. } => format!("the upgrade failed: {reason}"),
    }
}

/// When the last upgrade was.
pub fn upgrade_done(at: &str) -> String {
    format!("upgraded {at}")
}

/// How the machine is.
pub fn machine(health: &Health) -> String {
    let temperature = health
        .temperature_c
        .map_or_else(String::new, |degrees| format!(", {degrees:.0} C"));
    let up = span(health.uptime_s);
    format!("{}, up {up}{temperature}", health.board)
}

/// What room it has left.
pub fn room(health: &Health) -> String {
    let mega = |octets: u64| octets / (1024 * 1024);
    format!(
        "memory {} of {} MB, card {} of {} MB",
        mega(health.memory_available),
        mega(health.memory_total),
        mega(health.disk_available),
        mega(health.disk_total)
    )
}

/// The clock, and when a server last set it.
pub fn time(now: &str, synchronised: Option<&str>) -> String {
    match synchronised {
        Some(at) => format!("{now}, time server heard {at}"),
        None => format!("{now}, no time server heard"),
    }
}

/// The clock that nobody else sets.
pub fn time_by_hand(now: &str) -> String {
    format!("{now}, set by hand")
}

/// The row of the status where a change waits to be kept.
pub fn keep_row(left_s: u32) -> String {
    format!("Keep the new network settings ({left_s} s left)")
}

/// The countdown.
pub fn keep_text(left_s: u32) -> String {
    format!(
        "The new settings are in force. Unless you keep them, the old ones come back in {left_s} s."
    )
}

/// Before the port is set.
pub fn port_text(name: &str, mac: &str, carrier: bool) -> String {
    let link = if carrier { "link" } else { "no link" };
    format!("{name}: {mac}, {link}")
}

/// What a change of the address costs.
pub fn network_calls(calls: Option<u32>) -> String {
    match calls {
        Some(0) => "No call is under way.".to_owned(),
        Some(calls) => format!("A new address cuts {} off.", count(calls, "call", "calls")),
        None => "A new address cuts calls off.".to_owned(),
    }
}

/// Zones that are not shown.
pub fn more_zones(count: usize) -> String {
    format!("And {count} more: type more of the name.")
}

/// A fault of a row.
pub fn fault(row: &str, text: &str) -> String {
    format!("{row}: {text}")
}

/// What ends.
pub fn ends(calls: Option<u32>) -> String {
    match calls {
        Some(0) => "No call is under way.".to_owned(),
        Some(calls) => format!("THIS ENDS {}.", count(calls, "CALL", "CALLS")),
        None => "Calls under way end; the exchange does not say how many there are.".to_owned(),
    }
}

/// The name of what is dangerous: row of the menu and title of its screen.
pub const fn danger(danger: Danger) -> &'static str {
    match danger {
        Danger::RestartExchange => "Restart the PBX",
        Danger::Reboot => "Reboot",
        Danger::PowerOff => "Shutdown",
        Danger::ResetAdminPassword => "Reset Admin Password",
        Danger::FactoryReset => "Factory Reset",
        Danger::StartOther => "Start the Other System",
    }
}

/// What it does.
pub const fn danger_text(danger: Danger) -> &'static str {
    match danger {
        Danger::RestartExchange => {
            "The telephone exchange is stopped and started again; that takes some seconds."
        }
        Danger::Reboot => "The machine is stopped and started again; that takes a minute or two.",
        Danger::PowerOff => "The exchange is stopped in order and the machine switches itself off.",
        Danger::ResetAdminPassword => {
            "The password of the first administrator is forgotten. Whoever opens the administration \
             next sets a new one: do so at once."
        }
        Danger::FactoryReset => {
            "All settings, users, extensions, recordings and logs are erased, and the network is as \
             it was delivered. There is no way back but a backup."
        }
        Danger::StartOther => {
            "The machine restarts with the system in its other slot. If that one does not prove itself \
             within some minutes, this one comes back. Settings stay."
        }
    }
}

/// The row that does it.
pub const fn danger_yes(danger: Danger) -> &'static str {
    match danger {
        Danger::RestartExchange => "Yes, restart the PBX",
        Danger::Reboot => "Yes, reboot",
        Danger::PowerOff => "Yes, shut down",
        Danger::ResetAdminPassword => "Yes, reset the password",
        Danger::FactoryReset => "Erase everything",
        Danger::StartOther => "Yes, start the other system",
    }
}

/// It is done, or begun.
pub const fn danger_done(danger: Danger) -> &'static str {
    match danger {
        Danger::RestartExchange => "The exchange restarts.",
        Danger::Reboot => "The machine restarts. This screen comes back by itself.",
        Danger::PowerOff => {
            "The machine stops. If it can't switch itself off it says here when it is safe to do so."
        }
        Danger::ResetAdminPassword => {
            "The password is reset: open the administration now and set a new one."
        }
        Danger::FactoryReset => "The machine restarts and begins anew.",
        Danger::StartOther => "The machine restarts with the other system.",
    }
}

/// Asks for a text, line by line.
pub fn question(label: &str, value: &str, hint: &str) -> String {
    let hint = if hint.is_empty() {
        String::new()
    } else {
        format!("{hint}\n")
    };
    format!("{hint}{label} [{value}] (Enter keeps it, - empties it): ")
}
