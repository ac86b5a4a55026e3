//! The menu on the serial line, as somebody with a cable uses it.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use interop::{Admin, BOOTS_WITHIN, EXCHANGE, Host, Machine, Need, Scenario, Stage, administrator};
use serde_json::Value;

use crate::{until, variant};

/// Set by `make test-image`.
const LONG: &str = "IMAGE_ALL";

/// The machine is slow, and a screen is drawn in no time.
const DRAWN_WITHIN: Duration = Duration::from_secs(40);
/// Until it is asked to draw again.
const EACH: Duration = Duration::from_secs(4);
/// Calls are ended, disks come to rest.
const ENDS_WITHIN: Duration = Duration::from_secs(90);

/// Two minutes, on a machine whose clock is held up.
const REVERTS_WITHIN: Duration = Duration::from_secs(300);

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
        Scenario::new(
            "the_screen_and_the_keyboard_have_the_menu_too",
            &machine,
            screen,
        ),
        Scenario::new("the_power_button_stops_it_in_order", &machine, button),
        Scenario::new(
            "a_network_that_nobody_keeps_gives_way_to_the_old_one",
            &machine,
            nobody_keeps,
        )
        .only_where(LONG),
        Scenario::new(
            "the_menu_forgets_the_password_and_then_everything",
            &machine,
            forget,
        )
        .only_where(LONG),
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

/// BOX-4: what a serial line shows, a screen shows, and its keyboard commands.
fn screen(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let desk = stage.net.host(250)?;
    machine.start()?;
    reach(&desk, &machine, 1, BOOTS_WITHIN)?;
    shows(&machine, "https://10.77.0.1:4021/admin")?;
    stage.note(&machine.screen()?)?;
    machine.press(&["5"])?;
    shows(&machine, "Operator Box: Shutdown")?;
    machine.press(&["down", "ret"])?;
    machine.ends(ENDS_WITHIN)
}

/// BOX-5: whoever presses the button wants it off, with nothing lost.
fn button(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let desk = stage.net.host(250)?;
    machine.start()?;
    reach(&desk, &machine, 1, BOOTS_WITHIN)?;
    machine.press_power_button()?;
    machine.ends(ENDS_WITHIN)?;
    variant::data_is_whole(stage, &machine)
}

/// SYS-1: who typed a wrong address and is cut off by it need only wait.
fn nobody_keeps(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let desk = stage.net.host(250)?;
    machine.start()?;
    reach(&desk, &machine, 1, BOOTS_WITHIN)?;
    set_address(&mut machine, "10.77.0.98")?;
    reach(&desk, &machine, 98, DRAWN_WITHIN)?;
    let tried = Instant::now();
    // The change of the address itself, and then the time that people have.
    reach(&desk, &machine, 1, REVERTS_WITHIN)?;
    let after = tried.elapsed();
    stage.note(&format!("back after {:.0} s", after.as_secs_f64()))?;
    ensure!(after > DRAWN_WITHIN, "nobody had the time to keep it");
    let left = desk.connect(SocketAddr::from(([10, 77, 0, 98], 4021)), Duration::ZERO);
    ensure!(left.is_err(), "the address that nobody kept is still there");
    Ok(())
}

/// SYS-8: a forgotten password is set anew and takes nothing along; a factory reset takes everything.
fn forget(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let admin = administrator(stage, &machine)?;
    machine.boot(&admin)?;
    admin.first_visit()?;
    admin.add_user("novak", "Jan Novak")?;

    choose(&mut machine, "", "Operator Box: Status")?;
    choose(&mut machine, "6", "Operator Box: Reset Admin Password")?;
    machine.send(&format!("{DOWN}\r"))?;
    until("the old password is forgotten", || {
        Ok(admin.sign_in_again().is_err() && admin.first_visit().is_ok())
    })?;
    ensure!(users(&admin)? == ["Admin", "novak"], "{:?}", users(&admin)?);

    choose(&mut machine, "\x1b", "Operator Box: Status")?;
    choose(&mut machine, "7", "Operator Box: Factory Reset")?;
    machine.send(&format!("RESET{DOWN}\r"))?;
    machine.ends(ENDS_WITHIN)?;
    // The network is as delivered too.
    let new = admin.of(IpAddr::from([10, 10, 10, 1]));
    let desk = stage.net.host(250)?;
    let added = desk
        .command("ip")
        .args(["addr", "add", "10.10.10.250/24", "dev", "eth0"])
        .status()?;
    ensure!(added.success(), "the desk has no address of its network");
    machine.boot(&new)?;
    new.first_visit()?;
    ensure!(users(&new)? == ["Admin"], "{:?}", users(&new)?);
    Ok(())
}

fn users(admin: &Admin) -> Result<Vec<String>> {
    let list = admin.done("GET", "/users", &Value::Null)?;
    let users = list["users"].as_array().context("no list of users")?;
    let names = users.iter().map(|user| user["name"].as_str());
    Ok(names.flatten().map(str::to_owned).collect())
}

/// Waits for what the machine's own screen shows.
fn shows(machine: &Machine, text: &str) -> Result<()> {
    let end = Instant::now() + DRAWN_WITHIN;
    loop {
        let screen = machine.screen()?;
        if screen.contains(text) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "no `{text}` on the screen:\n{screen}");
        std::thread::sleep(Duration::from_secs(1));
    }
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
