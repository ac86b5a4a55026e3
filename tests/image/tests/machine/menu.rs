//! The menu on the serial line, as somebody with a cable uses it.

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use interop::{BOOTS_WITHIN, EXCHANGE, Host, Machine, Need, Scenario, Stage};

use crate::variant;

/// The machine is slow, and a screen is drawn in no time.
const DRAWN_WITHIN: Duration = Duration::from_secs(40);
/// Until it is asked to draw again.
const EACH: Duration = Duration::from_secs(4);
/// Calls are ended, disks come to rest.
const ENDS_WITHIN: Duration = Duration::from_secs(90);

/// Longer than the watchdog of QEMU's machine waits.
const WATCHDOG: Duration = Duration::from_secs(40);

pub(super) const DOWN: &str = "\x1b[B";
/// Ctrl-U and Ctrl-L.
const CLEAR: &str = "\x15";
const DRAW: &str = "\x0c";

pub(super) fn scenarios() -> Vec<Scenario> {
    let machine = [Need::Machine];
    vec![
        Scenario::new(
            "the_menu_sets_the_network_restarts_and_powers_off",
            &machine,
            menu,
        ),
        Scenario::new(
            "a_box_that_can_not_switch_itself_off_says_so_and_stays_off",
            &machine,
            halt,
        ),
    ]
}

/// BOX-4, BOX-5, SYS-1.
fn menu(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let desk = stage.net.host(250)?;
    machine.start()?;
    reach(&desk, &machine, 1, BOOTS_WITHIN)?;

    // The menu is there before those it asks.
    choose(&mut machine, "", "https://10.77.0.1:4021/admin")?;
    // A new address is tried, and taken back.
    set_address(&mut machine, "10.77.0.98")?;
    reach(&desk, &machine, 98, DRAWN_WITHIN)?;
    choose(&mut machine, "2", "Operator Box: Status")?;
    reach(&desk, &machine, 1, DRAWN_WITHIN)?;

    // Another is tried, and kept over a restart.
    set_address(&mut machine, "10.77.0.99")?;
    reach(&desk, &machine, 99, DRAWN_WITHIN)?;
    choose(&mut machine, "1", "10.77.0.99")?;
    choose(&mut machine, "\x1b", "Operator Box: Status")?;
    choose(&mut machine, "4", "Operator Box: Reboot")?;
    machine.send(&format!("{DOWN}\r"))?;
    machine.ends(ENDS_WITHIN)?;
    machine.start()?;
    reach(&desk, &machine, 99, BOOTS_WITHIN)?;

    choose(&mut machine, "\x1b", "Operator Box: Status")?;
    choose(&mut machine, "5", "Operator Box: Shutdown")?;
    machine.send(&format!("{DOWN}\r"))?;
    machine.ends(ENDS_WITHIN)
}

/// BOX-5, with the description of a board whose drivers of line cards are missing here, besides.
fn halt(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let system = variant::system(stage, "0.1.0", |root| {
        let board = image_tests::root().join("board/operator-box-3000/board.toml");
        fs::copy(board, root.join("etc/operator-box/board.toml"))?;
        Ok(())
    })?;
    variant::install(&machine, &system)?;
    let desk = stage.net.host(250)?;
    machine.start()?;
    reach(&desk, &machine, 1, BOOTS_WITHIN)?;
    choose(&mut machine, "", "Operator Box: Status")?;
    choose(&mut machine, "5", "Operator Box: Shutdown")?;
    machine.send(&format!("{DOWN}\r"))?;
    machine.expect("safe to switch the power off", ENDS_WITHIN)?;
    let ended = machine.ends(WATCHDOG);
    ensure!(
        ended.is_err_and(|error| error.to_string().starts_with("the machine still runs")),
        "it switched itself off, or its watchdog started it again"
    );
    Ok(())
}

/// Presses keys and waits for what the screen shows then, drawn anew: only what changes is drawn
/// otherwise.
pub(super) fn choose(machine: &mut Machine, keys: &str, shown: &str) -> Result<()> {
    machine.send(keys)?;
    // An Escape is one only after a pause.
    std::thread::sleep(Duration::from_millis(500));
    let tries = DRAWN_WITHIN.as_secs() / EACH.as_secs();
    for _ in 1..tries {
        machine.send(DRAW)?;
        if machine.expect(shown, EACH).is_ok() {
            return Ok(());
        }
    }
    machine.send(DRAW)?;
    machine.expect(shown, EACH)
}

fn set_address(machine: &mut Machine, address: &str) -> Result<()> {
    choose(machine, "\x1b", "Operator Box: Status")?;
    choose(machine, "1", "Operator Box: Network Configuration")?;
    // Kind, address; then mask, gateway, name servers, host name, apply.
    machine.send(&format!("{DOWN}{CLEAR}{address}"))?;
    choose(machine, &DOWN.repeat(5), address)?;
    choose(machine, "\r", "Keep the Network Settings?")
}

fn reach(desk: &Host, machine: &Machine, host: u8, within: Duration) -> Result<()> {
    desk.connect(SocketAddr::from(([10, 77, 0, host], 4021)), within)
        .with_context(|| format!("10.77.0.{host} is not reached\n{}", machine.said()))
        .map(drop)
}
